"""What `pos flash` costs beside esptool alone: eight model chips at once, in the same run.

esptool alone is eight programs `write-flash`, then eight `verify-flash`, as somebody would do by
hand; the first half by itself is told too, though it checks each region but once. Seconds mean
little here, for the models are Python too; the ratio is the figure. The two take turns, each the
first one every other time, and each turn gives a ratio of its own: what slows the machine for a
while slows both. The median counts, and the ratio of processor time stands beside it, which what
else runs changes little.
"""

import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.workshop import manifest
from tools.workshop.bench import Bench
from tools.workshop.chip import Chip

CHIPS, TURNS = 8, 5
RATE = 921_600
SIZES = {0x0: 20_000, 0x8000: 3072, 0x20000: 200_000}
# esptool's own settings: short waits, since the model answers at once. For both alike.
SETTINGS = "[esptool]\ntimeout = 10\nconnect_attempts = 2\nsync_timeout = 0.3\nreset_delay = 0\n"
AIM = 1.25

# Does it on the ports of a folder, with the images; the seconds of each part.
Work = Callable[[Path, Path, list[Path]], list[float]]


@dataclass
class Spent:
    """What one way of doing it took: wall seconds of each part, and processor seconds in all."""

    parts: list[float]
    processor: float

    @property
    def seconds(self) -> float:
        """Of all parts."""
        return sum(self.parts)


@dataclass
class Overhead:
    """The median seconds of each, and `pos flash` over esptool alone.

    written: esptool's `write-flash` alone. ratio: the median of the turns'; lowest, highest: of
    them. processor: the ratio of processor time of all turns.
    """

    esptool: float
    written: float
    pos: float
    ratio: float
    lowest: float
    highest: float
    processor: float


def measure(turns: int = TURNS) -> Overhead:
    """Both, in turns, on fresh chips. CalledProcessError when one does not succeed."""
    with tempfile.TemporaryDirectory(prefix="bench-flash-") as name:
        folder = Path(name)
        (folder / "esptool.cfg").write_text(SETTINGS)
        os.environ["ESPTOOL_CFGFILE"] = str(folder / "esptool.cfg")
        images = _release(folder)
        spent: dict[Work, list[Spent]] = {_esptool: [], _pos: []}
        for turn in range(turns):
            for work in (_esptool, _pos)[:: 1 if turn % 2 else -1]:
                spent[work].append(_timed(folder, images, turn, work))
        del os.environ["ESPTOOL_CFGFILE"]
    return _overhead(spent[_esptool], spent[_pos])


def _overhead(alone: list[Spent], whole: list[Spent]) -> Overhead:
    ratios = [round(pos.seconds / esptool.seconds, 3) for pos, esptool in zip(whole, alone)]
    processor = sum(turn.processor for turn in whole) / sum(turn.processor for turn in alone)
    return Overhead(
        esptool=statistics.median(turn.seconds for turn in alone),
        written=statistics.median(turn.parts[0] for turn in alone),
        pos=statistics.median(turn.seconds for turn in whole),
        ratio=statistics.median(ratios),
        lowest=min(ratios),
        highest=max(ratios),
        processor=round(processor, 3),
    )


def _release(folder: Path) -> Path:
    """Images that do not compress, and their manifest."""
    files = {}
    for offset, size in SIZES.items():
        (folder / f"{offset:x}.bin").write_bytes(random.Random(offset).randbytes(size))
        files[f"{offset:#x}"] = f"{offset:x}.bin"
    tree = {"flash_settings": {"flash_size": "16MB"}, "flash_files": files}
    (folder / "flasher_args.json").write_text(json.dumps(tree))
    return manifest.seal(folder / "flasher_args.json")


def _timed(folder: Path, images: Path, turn: int, work: Work) -> Spent:
    """What the work took, on fresh chips that hold the images afterwards."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        bench = stack.enter_context(Bench(place))
        chips = [Chip(bytes((2, turn, 0, 0, 0, n))) for n in range(CHIPS)]
        ports = [bench.plug(chip) for chip in chips]
        before = _processor()
        spent = Spent(work(place, images, ports), 0.0)
        spent.processor = _processor() - before
        for region in manifest.load(images).regions:
            if any(chip.flash.read(region.offset, region.size) != region.read() for chip in chips):
                raise RuntimeError("a chip does not hold the image")
        return spent


def _processor() -> float:
    """Processor seconds of the programs that have ended; the models' own are left out."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _esptool(place: Path, images: Path, ports: list[Path]) -> list[float]:
    seconds = []
    words = [w for r in manifest.load(images).regions for w in (f"{r.offset:#x}", str(r.path))]
    for task in ("write-flash", "verify-flash"):
        began = time.monotonic()
        running = [
            subprocess.Popen(
                [sys.executable, "-m", "esptool", "--chip", "esp32s3", "--port", str(port),
                 "--baud", str(RATE), task, *words],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
            for port in ports
        ]  # fmt: skip
        for process in running:
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, task)
        seconds.append(time.monotonic() - began)
    return seconds


def _pos(place: Path, images: Path, ports: list[Path]) -> list[float]:
    began = time.monotonic()
    named = [word for port in ports for word in ("--port", str(port))]
    subprocess.run(
        [sys.executable, "-c", "from tools.cli import main; main()", "flash", "--json",
         "--images", str(images), "--record", str(place / "record"), *named],
        stdout=subprocess.DEVNULL, check=True,
    )  # fmt: skip
    return [time.monotonic() - began]


def main() -> None:
    """Print the ratio; exit code 1 when it is above the aim."""
    got = measure()
    print(f"esptool alone {got.esptool:.2f} s (its write-flash {got.written:.2f} s), "
          f"pos flash {got.pos:.2f} s: ratio {got.ratio}, {got.lowest} to {got.highest} in "
          f"{TURNS} turns; processor time {got.processor} (aim: at most {AIM})")  # fmt: skip
    sys.exit(got.ratio > AIM)


if __name__ == "__main__":
    main()

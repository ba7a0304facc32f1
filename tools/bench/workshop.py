"""What `pos flash` costs beside esptool alone: eight model chips at once, in the same run.

esptool alone is eight programs `write-flash`, then eight `verify-flash`, as somebody would do by
hand; the first half by itself is told too, though it checks each region but once. Seconds mean
little here, for the models are Python too; the ratio is the figure. The two take turns, and the
best of each counts.
"""

import json
import os
import random
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

CHIPS, TURNS = 8, 3
RATE = 921_600
SIZES = {0x0: 20_000, 0x8000: 3072, 0x20000: 200_000}
# esptool's own settings: short waits, since the model answers at once. For both alike.
SETTINGS = "[esptool]\ntimeout = 10\nconnect_attempts = 2\nsync_timeout = 0.3\nreset_delay = 0\n"
AIM = 1.25


@dataclass
class Overhead:
    """The best seconds of each, and the ratio. written: esptool's `write-flash` alone."""

    esptool: float
    written: float
    pos: float

    @property
    def ratio(self) -> float:
        """`pos flash` over esptool alone."""
        return round(self.pos / self.esptool, 3)


def measure(turns: int = TURNS) -> Overhead:
    """Both, in turns, on fresh chips. CalledProcessError when one does not succeed."""
    with tempfile.TemporaryDirectory(prefix="bench-flash-") as name:
        folder = Path(name)
        (folder / "esptool.cfg").write_text(SETTINGS)
        os.environ["ESPTOOL_CFGFILE"] = str(folder / "esptool.cfg")
        images = _release(folder)
        alone, whole = [], []
        for turn in range(turns):
            alone.append(_timed(folder, images, turn, _esptool))
            whole.append(_timed(folder, images, turn, _pos))
        del os.environ["ESPTOOL_CFGFILE"]
        best = min(alone, key=sum)
        return Overhead(sum(best), best[0], min(map(sum, whole)))


def _release(folder: Path) -> Path:
    """Images that do not compress, and their manifest."""
    files = {}
    for offset, size in SIZES.items():
        (folder / f"{offset:x}.bin").write_bytes(random.Random(offset).randbytes(size))
        files[f"{offset:#x}"] = f"{offset:x}.bin"
    tree = {"flash_settings": {"flash_size": "16MB"}, "flash_files": files}
    (folder / "flasher_args.json").write_text(json.dumps(tree))
    return manifest.seal(folder / "flasher_args.json")


def _timed(
    folder: Path, images: Path, turn: int, do: Callable[[Path, Path, list[Path]], list[float]]
) -> list[float]:
    """Seconds of each part of the work, on fresh chips that hold the images afterwards."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=folder)))
        bench = stack.enter_context(Bench(place))
        chips = [Chip(bytes((2, turn, 0, 0, 0, n))) for n in range(CHIPS)]
        ports = [bench.plug(chip) for chip in chips]
        seconds = do(place, images, ports)
        for region in manifest.load(images).regions:
            if any(chip.flash.read(region.offset, region.size) != region.read() for chip in chips):
                raise RuntimeError("a chip does not hold the image")
        return seconds


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
    overhead = measure()
    print(f"esptool alone {overhead.esptool:.2f} s (its write-flash {overhead.written:.2f} s), "
          f"pos flash {overhead.pos:.2f} s: "
          f"ratio {overhead.ratio} (aim: at most {AIM})")  # fmt: skip
    sys.exit(overhead.ratio > AIM)


if __name__ == "__main__":
    main()

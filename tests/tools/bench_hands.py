"""What the workshop's tests share: images, chips on a bench, esptool as a program."""

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.workshop.bench import Bench
from tools.workshop.chip import Chip, Script

# esptool's own settings file: short waits, since the model answers at once or never.
QUICK = "[esptool]\ntimeout = 0.5\nconnect_attempts = 2\nsync_timeout = 0.3\nreset_delay = 0\n"


def mac(number: int) -> bytes:
    """The MAC of the model with this number."""
    return bytes.fromhex("7cdfa1") + number.to_bytes(3)


def esptool(port: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the real esptool on a port to its end, at most a minute."""
    return subprocess.run(
        [sys.executable, "-m", "esptool", "--chip", "esp32s3", "--port", str(port), *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def noise(length: int, seed: int) -> bytes:
    """Bytes that do not compress, the same for a seed."""
    return random.Random(seed).randbytes(length)


@contextmanager
def bench_of(folder: Path, *scripts: Script) -> Iterator[tuple[Bench, list[Path], list[Chip]]]:
    """Chips with these scripts, plugged in: (bench, their ports, the chips)."""
    chips = [Chip(mac(number), script, seed=number) for number, script in enumerate(scripts)]
    folder.mkdir(exist_ok=True)
    settings = folder / "esptool.cfg"
    settings.write_text(QUICK)
    before = os.environ.get("ESPTOOL_CFGFILE")
    os.environ["ESPTOOL_CFGFILE"] = str(settings)
    try:
        with Bench(folder) as bench:
            yield bench, [bench.plug(chip) for chip in chips], chips
    finally:
        if before is None:
            del os.environ["ESPTOOL_CFGFILE"]
        else:
            os.environ["ESPTOOL_CFGFILE"] = before

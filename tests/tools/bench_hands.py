"""What the workshop's tests share: images, chips on a bench, esptool as a program."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tools.workshop import manifest
from tools.workshop.bench import Bench
from tools.workshop.chip import Chip, Script

REPO_CA = Path(__file__).resolve().parents[2] / "build" / "pki" / "ca.der"
# esptool's own settings file: short waits, since the model answers at once or never.
QUICK = "[esptool]\ntimeout = 0.5\nconnect_attempts = 2\nsync_timeout = 0.3\nreset_delay = 0\n"


def batches(quick: tuple[int, int], count: int, faults: int) -> list[Any]:
    """Parameters (seed, faults): one batch for the quick suite, a thousand faults nightly."""
    assert count * faults >= 1000
    nightly = [pytest.param(seed, faults, marks=pytest.mark.long) for seed in range(count)]
    return [quick, *nightly]


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


def pos_command(*arguments: str) -> list[str]:
    """The command line of `pos` with these arguments, in this interpreter."""
    return [sys.executable, "-c", "from tools.cli import main; main()", *arguments]


def pos(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `pos` to its end, at most two minutes, on a screen wide enough for its tables."""
    return subprocess.run(
        pos_command(*arguments), capture_output=True, text=True, timeout=120, check=False,
        env=os.environ | {"COLUMNS": "160"},
    )  # fmt: skip


def flash(record: Path, images: Path, ports: list[Path], *more: str) -> tuple[int, dict[str, Any]]:
    """Run `pos flash --json` on these ports: its exit code and what it printed."""
    named = [word for port in ports for word in ("--port", str(port))]
    where = ("--record", str(record), "--images", str(images), "--operator", "lin")
    done = pos("flash", "--json", *where, *named, *more)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def release(folder: Path, sizes: tuple[int, ...] = (6000, 3072, 20_000)) -> Path:
    """Images of these sizes (bytes) at 0x0, 0x8000, 0x20000 and their sealed manifest."""
    folder.mkdir(exist_ok=True)
    files = {}
    for offset, size in zip((0x0, 0x8000, 0x20000), sizes):
        name = f"{offset:x}.bin"
        (folder / name).write_bytes(noise(size, offset))
        files[f"{offset:#x}"] = name
    tree = {
        "flash_settings": {"flash_mode": "dio", "flash_size": "16MB", "flash_freq": "80m"},
        "flash_files": files,
        "extra_esptool_args": {"chip": "esp32s3"},
    }
    (folder / "flasher_args.json").write_text(json.dumps(tree))
    return manifest.seal(folder / "flasher_args.json")


def holds(chip: Chip, images: Path) -> bool:
    """True when the chip's flash holds every image of the manifest."""
    return all(
        chip.flash.read(region.offset, region.size) == region.read()
        for region in manifest.load(images).regions
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

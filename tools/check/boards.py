"""The boards that MicroPython's ESP32 port is built for, as their folders describe them.

A folder with an `mpconfigboard.cmake` is such a board. Its `module.toml` says which module it is
made with, and its manifest what is frozen into the image; no other file of the checks names one.
"""

import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = (ROOT / "build" / "sources" / "micropython").resolve()

# MicroPython's own reader takes the manifest; one line a file.
_READ = (
    "import sys; sys.path.insert(0, sys.argv[1] + '/tools'); import manifestfile as m\n"
    "v = {n: sys.argv[1] for n in ('MPY_DIR', 'PORT_DIR')}\n"
    "f = m.ManifestFile(m.MODE_FREEZE, {**v, 'MPY_LIB_DIR': ''}); f.execute(sys.argv[2])\n"
    "[print(x.target_path, x.full_path, x.opt, sep='\\t') for x in f.files()]"
)


@dataclass(frozen=True)
class Frozen:
    """One Python file of an image: its name there, where it lies, its optimisation level."""

    target: str
    path: Path
    optimise: int


@dataclass(frozen=True)
class Board:
    """A board's folder and the module it is made with; pins are GPIO numbers."""

    folder: Path
    module: str
    instructions: str
    flash_bytes: int
    lacks: frozenset[str]
    led_out: frozenset[int]
    flash: frozenset[int]
    usb: frozenset[int]
    strapping: dict[int, str]
    strap_use: dict[int, str]
    fixed: dict[str, int]
    sdkconfig: dict[str, str]

    @property
    def name(self) -> str:
        """What BOARD= calls it."""
        return self.folder.name


def _numbers(text: str) -> frozenset[int]:
    """'0-3 7' → {0, 1, 2, 3, 7}."""
    found: set[int] = set()
    for part in text.split():
        first, _, last = part.partition("-")
        found |= {*range(int(first), int(last or first) + 1)}
    return frozenset(found)


def read(folder: Path) -> Board:
    """The board of a folder. KeyError names what its module.toml does not say."""
    said = tomllib.loads((folder / "module.toml").read_text(encoding="utf-8"))
    gpio = said["gpio"]
    return Board(
        folder=folder,
        module=said["name"],
        instructions=said["instructions"],
        flash_bytes=said["flash_bytes"],
        lacks=frozenset(said["lacks"]),
        led_out=_numbers(gpio["led_out"]),
        flash=_numbers(gpio["flash"]),
        usb=_numbers(gpio["usb"]),
        strapping={int(pin): why for pin, why in gpio["strapping"].items()},
        strap_use={int(pin): name for pin, name in gpio["strap_use"].items()},
        fixed=gpio.get("fixed", {}),
        sdkconfig=said.get("sdkconfig", {}),
    )


@cache
def espressif() -> tuple[Board, ...]:
    """Every board with an Espressif chip."""
    folders = (path.parent for path in (ROOT / "board").glob("*/mpconfigboard.cmake"))
    return tuple(read(folder) for folder in sorted(folders))


def board(name: str) -> Board:
    """The board of this name. StopIteration for another."""
    return next(one for one in espressif() if one.name == name)


@cache
def frozen(name: str) -> tuple[Frozen, ...]:
    """What the manifest of `board/<name>` freezes. CalledProcessError with the reader's words."""
    manifest = ROOT / "board" / name / "manifest.py"
    done = subprocess.run(
        [sys.executable, "-c", _READ, MICROPYTHON, manifest],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split("\t") for line in done.stdout.splitlines())
    return tuple(Frozen(target, Path(path), int(level)) for target, path, level in rows)

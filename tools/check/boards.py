"""The boards that MicroPython's ESP32 port is built for, and what each freezes into its image."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = ROOT / "build" / "sources" / "micropython"

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


def espressif() -> list[Path]:
    """The folders of the boards with an Espressif chip."""
    return sorted(path.parent for path in (ROOT / "board").glob("*/mpconfigboard.cmake"))


def frozen(board: str) -> list[Frozen]:
    """What the manifest of `board/<board>` freezes. CalledProcessError with the reader's words."""
    manifest = ROOT / "board" / board / "manifest.py"
    done = subprocess.run(
        [sys.executable, "-c", _READ, MICROPYTHON, manifest],
        capture_output=True,
        text=True,
        check=True,
    )
    rows = (line.split("\t") for line in done.stdout.splitlines())
    return [Frozen(target, Path(path), int(level)) for target, path, level in rows]

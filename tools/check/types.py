"""Type-check the device code against the ESP32 stubs, and the workstation's code as itself.

The stubs come from PyPI into the virtual environment; mypy wants them in a folder of their own.
Run as `python -m tools.check.types`; exits with mypy's own words.
"""

import importlib.metadata
import shutil
import subprocess
import sys

from tools.check.boards import ROOT, Board, espressif

STUBS = ROOT / "build" / "stubs"


def lay_out_stubs() -> None:
    """Copy the installed MicroPython stubs into `build/stubs`, once."""
    if (STUBS / "machine.pyi").exists():
        return
    for name in ("micropython-esp32-stubs", "micropython-stdlib-stubs"):
        for entry in importlib.metadata.files(name) or []:
            if entry.suffix == ".pyi" or entry.name == "VERSIONS":
                target = STUBS / str(entry)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(entry.locate(), target)


def run(*arguments: str) -> int:
    """One mypy run; its exit code."""
    command = [sys.executable, "-m", "mypy", *arguments]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def device(board: Board) -> int:
    """The device code as one board has it: each has a module `board` of its own."""
    config = (ROOT / "tools" / "check" / "mypy-device.ini").read_text(encoding="utf-8")
    own = STUBS / f"mypy-{board.name}.ini"
    own.write_text(config.replace("@ROOT@", str(ROOT)).replace("@BOARD@", str(board.folder)))
    scripts = (path for path in sorted(board.folder.glob("*.py")) if path.name != "manifest.py")
    return run(
        "--config-file",
        str(own),
        "--cache-dir",
        str(ROOT / ".mypy_cache" / board.name),
        "--custom-typeshed-dir",
        str(STUBS),
        *("firmware", "lib", "main.py", "boot.py", "board/espressif.py", "board/_boot.py"),
        *(str(path) for path in scripts),
    )


if __name__ == "__main__":
    lay_out_stubs()
    sys.exit(
        run("--config-file", "tools/check/mypy-tools.ini", "tools", "lib/pinmac/stubs.py")
        or any(device(board) for board in espressif())
    )

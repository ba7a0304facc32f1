"""Compile pinmac's core, warnings as errors, for the families of processor that boards have.

RISC-V is what Espressif's newer chips have. Of Xtensa, Debian carries the compiler of a smaller
core than the ESP32-S3's. A compiler that is not installed is named. Run as
`python -m tools.check.compilers`.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.check.pinmac import COMPILERS, compile_core

FAMILIES = ("Xtensa", "RV32")


def main() -> None:
    """One line a family; exit with the compiler's words when it refuses a file."""
    for family in FAMILIES:
        compiler = COMPILERS[family][0]
        if shutil.which(compiler) is None:
            print(f"  {family}: not compiled: {compiler} comes with make test and make qemu")
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                objects = compile_core(family, Path(folder), "-Os")
            except subprocess.CalledProcessError as error:
                sys.exit(f"compilers: {family}: {error.stderr.strip()}")
        print(f"  {family}: {len(objects)} files of the core compile without a warning")


if __name__ == "__main__":
    main()

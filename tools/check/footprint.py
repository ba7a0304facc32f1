"""Bytes of pinmac's core in a RISC-V image: code with constants, and RAM, file by file.

The objects are counted as they come from the compiler, so what a linker would drop or share is in.
"""

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.check.pinmac import compile_core, tool

MACHINE = "RV32"
# As the bare board builds it: lib/pinmac/micropython.mk and board/qemu/mpconfigboard.mk.
FLAGS = ("-Os", "-msave-restore")


@dataclass(frozen=True)
class Footprint:
    """`code` is .text and .rodata with their kin, `ram` .data and .bss, in bytes."""

    code: int
    ram: int


def footprints(objects: list[Path]) -> dict[str, Footprint]:
    """C file name → its footprint; raises FileNotFoundError without the compiler's tools."""
    done = subprocess.run(
        [tool(MACHINE, "size"), *objects], capture_output=True, text=True, check=True
    )
    found = {}
    for line in done.stdout.splitlines()[1:]:
        text, data, bss, _, _, name = line.split()
        found[Path(name).stem + ".c"] = Footprint(int(text), int(data) + int(bss))
    return found


def total(files: dict[str, Footprint]) -> Footprint:
    """All files together."""
    return Footprint(sum(file.code for file in files.values()),
                     sum(file.ram for file in files.values()))


def core_footprint() -> Footprint:
    """The whole core, compiled for this count; raises FileNotFoundError without the compiler."""
    with tempfile.TemporaryDirectory() as folder:
        return total(footprints(compile_core(MACHINE, Path(folder), *FLAGS)))

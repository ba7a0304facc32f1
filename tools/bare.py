"""Runs a MicroPython program on the bare board: QEMU's `virt` machine, one 32-bit RISC-V core.

The program goes over the board's serial line into the raw REPL, what it prints comes back, and
`machine.reset()` ends the emulator. `-icount` makes time an instruction clock: a program that asks
for no randomness runs the same, instruction by instruction, every time.
"""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
IMAGE = ROOT / "build" / "qemu" / "firmware.elf"
EMULATOR = "qemu-system-riscv32"
MACHINE = "-machine virt -bios none -nographic -monitor none -semihosting".split()
INSTRUCTION_CLOCK = "-icount shift=0,sleep=off".split()
SERIAL = "-chardev stdio,id=serial,signal=off -serial chardev:serial".split()

RAW_REPL, EXECUTE = "\x01", "\x04"
BEGUN, PART_ENDS = "raw REPL; CTRL-B to exit\n>OK", "\x04"
LIMIT_S = 120.0


class BareBoardMissing(Exception):
    """The image or the emulator is not there; the message says what to run."""


@dataclass
class Run:
    """What became of a program: its output, its traceback ('' if none), the emulator's end."""

    printed: str
    error: str
    ending: str


def run(program: str, limit_s: float = LIMIT_S) -> Run:
    """Run `program` on a freshly started board, for at most `limit_s` seconds of this machine.

    Raises BareBoardMissing; whatever the program does is in the Run.
    """
    if not IMAGE.exists() or shutil.which(EMULATOR) is None:
        raise BareBoardMissing(f"{IMAGE} or {EMULATOR} is not there: run 'make qemu' first.")
    command = [EMULATOR, *MACHINE, *INSTRUCTION_CLOCK, *SERIAL, "-kernel", str(IMAGE)]
    typed = RAW_REPL + program + EXECUTE + "import machine; machine.reset()" + EXECUTE
    try:
        done = subprocess.run(
            command, input=typed.encode(), capture_output=True, timeout=limit_s, check=False
        )
        output, ending = done.stdout + done.stderr, f"ended with status {done.returncode}"
    except subprocess.TimeoutExpired as error:
        output, ending = error.stdout or b"", f"was stopped after {limit_s:g} s"
    text = output.decode("utf-8", "replace").replace("\r\n", "\n")
    greeting, begun, rest = text.partition(BEGUN)
    if not begun:
        return Run("", greeting, ending)
    printed, _, rest = rest.partition(PART_ENDS)
    return Run(printed, rest.partition(PART_ENDS)[0], ending)

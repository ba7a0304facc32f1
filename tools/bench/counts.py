"""Counts instructions: on this machine under callgrind, on RISC-V by the bare board's own counter.

A program measures each of its rows twice in one process; the first time fills the interpreter's
caches and is thrown away. What an empty row costs is taken from the others.

On this machine the two ends of a measurement are calls of `os.unsetenv`: it ends in libc's
function of that name, which the stripped interpreter cannot hide, and at which callgrind writes
out what it has counted so far (`--dump-before`), start-up apart. MicroPython and CPython are
measured in the same way.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from tools import bare

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "bench"
SIM = ROOT / "build" / "sim" / "micropython"
LIMIT_S = 300

Row = tuple[str, str, str]
EMPTY: Row = ("empty", "", "pass")

HOST_COUNT = """
import gc, os
def count(work):
    gc.collect()
    os.unsetenv("BENCH")
    work()
    os.unsetenv("BENCH")
"""
BARE_COUNT = """
import cpu, gc
def count(work):
    gc.collect()
    begun = cpu.instructions()
    work()
    print("count", cpu.instructions() - begun)
"""


class BenchError(Exception):
    """A measurement failed; the message is what the program or its tool said."""


def program(count: str, prelude: str, rows: list[Row]) -> str:
    """The program that measures an empty row and then `rows`, each twice."""
    parts = [count, prelude]
    for _, set_up, line in [EMPTY, *rows]:
        body = "".join(f"    {text}\n" for text in [*set_up.splitlines(), "count(work)"])
        parts.append(f"def work():\n    {line}\nfor _ in range(2):\n{body}")
    return "\n".join(parts)


def net(rows: list[Row], counted: list[int]) -> dict[str, int]:
    """Row name → instructions, from two counts a row with the empty row's first."""
    if len(counted) != 2 * (len(rows) + 1):
        raise BenchError(f"{len(counted)} counts for {len(rows)} rows")
    second = counted[1::2]
    return {name: n - second[0] for (name, _, _), n in zip(rows, second[1:], strict=True)}


def on_bare_board(prelude: str, rows: list[Row]) -> dict[str, int]:
    """RISC-V instructions of each row; raises BenchError or BareBoardMissing."""
    done = bare.run(program(BARE_COUNT, prelude, rows), LIMIT_S)
    if done.error or done.ending != "ended with status 0":
        raise BenchError(f"The bare board {done.ending}.\n{done.printed}{done.error}")
    return net(rows, [int(n) for n in re.findall(r"^count (\d+)$", done.printed, re.MULTILINE)])


def ran(command: list[str]) -> str:
    """What a program printed; raises BenchError with its words when it failed or took too long."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    try:
        done = subprocess.run(
            command, env=clean | {"PYTHONHASHSEED": "0"}, capture_output=True, text=True,
            timeout=LIMIT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{command[0]} was stopped after {LIMIT_S} s") from error
    if done.returncode:
        raise BenchError(done.stdout + done.stderr)
    return done.stdout


def on_host(interpreter: Path, prelude: str, rows: list[Row]) -> dict[str, int]:
    """This machine's instructions of each row in a Python interpreter; raises BenchError."""
    if shutil.which("valgrind") is None or not interpreter.exists():
        raise BenchError(f"valgrind or {interpreter} is not there: run 'make bench'.")
    WORK.mkdir(parents=True, exist_ok=True)
    for old in WORK.glob("callgrind.out*"):
        old.unlink()
    source = WORK / "program.py"
    source.write_text(program(HOST_COUNT, prelude, rows), encoding="utf-8")
    dumps_at = ["--dump-before=unsetenv", f"--callgrind-out-file={WORK / 'callgrind.out'}"]
    command = ["valgrind", "-q", "--tool=callgrind", *dumps_at, str(interpreter), str(source)]
    ran(command)
    # Two dumps a measurement; the second holds it. Dumps before the first one are start-up.
    dumps = dumped()[-4 * (len(rows) + 1) :]
    return net(rows, dumps[1::2])


def dumped() -> list[int]:
    """Instructions of each of callgrind's dumps, in order; the one at the end is left out."""
    numbered = sorted(WORK.glob("callgrind.out.*"), key=lambda path: int(path.suffix[1:]))
    totals = [re.search(r"^totals: (\d+)", path.read_text(), re.MULTILINE) for path in numbered]
    return [int(total.group(1)) for total in totals if total is not None]

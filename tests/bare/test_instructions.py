"""Instruction counts of the bare board are exact: two power cycles give one figure.

The count is the CSR minstret, read by `cpu.instructions()`. Under `-icount shift=0` QEMU answers
it from its instruction counter, which also drives the clock: each instruction is one nanosecond of
the machine's time, and nothing else moves it while the core is awake. `board.py` holds the two
against each other. A stretch's own instructions are its difference less that of an empty stretch.
"""

import re

from tools import bare

MEASURED = """
import cpu, pinmac
pinmac.load_component(0, "K0", pinmac.TDES, bytearray(16))
pinmac.load_component(0, "K0", pinmac.TDES, bytearray(range(16)))
def count(work):
    begun = cpu.instructions()
    work()
    return cpu.instructions() - begun
def nothing():
    pass
def check_value():
    pinmac.kcv(0)
for work in (nothing, check_value):
    count(work)
print("count", count(check_value) - count(nothing))
"""


def measure() -> int:
    """Instructions of a TDES check value in a power cycle of its own."""
    done = bare.run(MEASURED)
    assert done.ending == "ended with status 0" and not done.error, done
    found = re.search(r"count (\d+)", done.printed)
    assert found is not None, done
    return int(found.group(1))


def test_two_runs_count_the_same() -> None:
    first, second = measure(), measure()
    assert first == second
    # Three key schedules and 48 rounds: more than ten thousand, and no run-away.
    assert 10_000 < first < 10_000_000


def test_a_program_that_never_ends_is_stopped() -> None:
    done = bare.run("while True:\n    pass\n", limit_s=2)
    assert done.ending == "was stopped after 2 s"


def test_a_failing_program_hands_back_its_traceback() -> None:
    done = bare.run("print('before')\nraise ValueError('on purpose')\n")
    assert done.printed == "before\n"
    assert done.error.endswith("ValueError: on purpose\n")

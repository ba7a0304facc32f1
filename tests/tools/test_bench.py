"""The benchmark: its table leaves no call out, it counts rightly, its aims judge as they say."""

import pytest

from tools.bench import calls, counts, foreign, seconds
from tools.bench.aims import Aim

LIST_FUNCTIONS = """
import pinmac
for name in dir(pinmac):
    value = getattr(pinmac, name)
    if callable(value) and not isinstance(value, type):
        print(name)
"""


def test_every_function_of_the_module_is_measured() -> None:
    module = counts.ran([str(counts.SIM), "-c", LIST_FUNCTIONS]).split()
    assert len(module) > 30
    assert calls.functions() == set(module)


def test_a_row_is_named_after_the_function_that_it_calls() -> None:
    by_name = [row for row in calls.CALLS if row[0] != calls.DUKPT_KEYS]
    assert all(line.startswith(f"pinmac.{calls.function(name)}(") for name, _, line in by_name)
    assert len({name for name, _, _ in calls.CALLS}) == len(calls.CALLS)


def test_every_row_runs_again_and_again() -> None:
    count = "def count(work):\n    work()\n    print('ran')\n"
    program = counts.program(count, calls.PRELUDE, calls.CALLS)
    printed = counts.ran([str(counts.SIM), "-c", program])
    assert printed.split() == ["ran"] * 2 * (len(calls.CALLS) + 1)


def test_the_second_count_counts_less_that_of_an_empty_row() -> None:
    rows = [("one", "", "x"), ("two", "", "y")]
    assert counts.net(rows, [9, 5, 100, 25, 100, 45]) == {"one": 20, "two": 40}
    with pytest.raises(counts.BenchError):
        counts.net(rows, [9, 5, 100, 25])


def test_a_failing_program_is_told_in_its_own_words() -> None:
    with pytest.raises(counts.BenchError, match="ZeroDivisionError"):
        counts.ran([str(counts.SIM), "-c", "1 // 0"])


def test_every_other_package_is_timed_beside_pinmac() -> None:
    others = {name for name, _, _ in foreign.ROWS}
    assert set(seconds.OURS) == set(seconds.TIMES) == others


@pytest.mark.parametrize(
    "aim, met, verdict",
    [
        (Aim("ratio", 150.0, 100, True), True, "met by 50 (50.0 %)"),
        (Aim("ratio", 88.9, 100, True), False, "missed by 11.1 (11.1 %)"),
        (Aim("ratio", 100, 100, True), True, "met by 0 (0.0 %)"),
        (Aim("bytes", 4000, 4096, False), True, "met by 96 (2.3 %)"),
        (Aim("bytes", 4136, 4096, False), False, "missed by 40 (1.0 %)"),
        (Aim("bytes", 4096, 4096, False), False, "missed by 0 (0.0 %)"),
    ],
)
def test_an_aim_says_by_how_much(aim: Aim, met: bool, verdict: str) -> None:
    assert (aim.met, aim.verdict) == (met, verdict)

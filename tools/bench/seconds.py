"""Time of the same work by pinmac and by other people's packages, side by side in one run.

Times depend on the machine and on what else it does, so only their ratio is told, and nothing is
judged by it. Each piece of work is timed in rounds of which the shortest counts.
"""

import sys
from pathlib import Path

from tools.bench import calls, counts, foreign

TIMED = """
import time
def shortest(work, times):
    rounds = []
    for _ in range(20):
        begun = time.time_ns()
        for _ in range(times):
            work()
        rounds.append(time.time_ns() - begun)
    print("ns", min(rounds) // times)
def work():
    {line}
shortest(work, {times})
"""
# The PIN goes in digit by digit each time, since the block ends its entry.
OURS = {
    foreign.PSEC: "enter('123456'); pinmac.pin_block(PIN, 0, PAN)",
    foreign.DUKPT: "dukpt_keys()",
}
TURNS = 4
# As short as the clock allows: a short round is more often one that nothing else disturbs.
TIMES = {foreign.PSEC: 50, foreign.DUKPT: 1}


def nanoseconds(interpreter: Path, prelude: str, line: str, times: int) -> int:
    """Of one run of `line`; raises BenchError with the interpreter's words."""
    source = counts.WORK / "timed.py"
    source.write_text(prelude + TIMED.format(line=line, times=times), encoding="utf-8")
    printed = counts.ran([str(interpreter), str(source)])
    return int(printed.split("ns ")[-1])


def ratios() -> dict[str, float]:
    """Name of the other's work → its time divided by pinmac's."""
    counts.WORK.mkdir(parents=True, exist_ok=True)
    found = {}
    for name, _, line in foreign.ROWS:
        ours, theirs = [], []
        # In turns, so that whatever slows the machine for a while slows both.
        for _ in range(TURNS):
            ours.append(nanoseconds(counts.SIM, calls.PRELUDE, OURS[name], TIMES[name]))
            theirs.append(
                nanoseconds(Path(sys.executable), foreign.PRELUDE, line, TIMES[name])
            )
        found[name] = round(min(theirs) / min(ours), 2)
    return found

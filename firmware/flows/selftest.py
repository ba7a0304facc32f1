"""自检: run it, show the page, and say whether the terminal may trade."""

from firmware.care.selftest import SelfTest, usable
from firmware.ledger.vault import MASTER, STORE, STORE_MAC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos

_GOOD_S = const(2)
_NOTED_S = const(10)


async def self_test(pos: "Pos", at_boot: bool = False) -> bool:
    """True when nothing essential failed. At boot a page without faults goes on by itself."""
    words = pos.words
    await pos.notice("wait", words("testing"), (words("please-wait"), 24))
    results = await SelfTest(pos.board, (MASTER, STORE, STORE_MAC)).run()
    rows = []
    for result in results:
        rows.append((words(result.name), _verdict(pos, result.error)))
        if result.error is not None:
            pos.faults.record(result.name, result.error)
    faulty = any(result.error for result in results)
    if not usable(results):
        state, title = "bad", "test-failed"
    elif faulty:
        state, title = "warn", "test-noted"
    else:
        state, title = "ok", "test-passed"
    pos.screens.table(state, words(title), rows, "do-continue")
    brief = at_boot and not faulty
    await pos.ask.acknowledge(("ENTER",), _GOOD_S if brief else _NOTED_S)
    return usable(results)


def _verdict(pos: "Pos", error: "Exception | None") -> str:
    if error is None:
        return pos.words("good")
    return pos.words.fault(error)[0]

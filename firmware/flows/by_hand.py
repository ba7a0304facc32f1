"""冲正处理: a reversal that does not get through is taken over by the supervisor, by name."""

from firmware.ui.screens import yuan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos

_DECIDE_S = const(60)


async def settle_by_hand(pos: "Pos") -> None:
    """Show the reversal that had all its tries; ENTER records that it is settled by hand."""
    words = pos.words
    txn = pos.link.stuck()
    if txn is None:
        await pos.say("ok", words("nothing-stuck"))
        return
    lines = [
        (yuan(txn.amount), 40),
        (txn.masked, 16),
        (words("trace", f"{txn.trace:06d}"), 16),
        (words("by-hand-todo"), 24),
    ]
    hints = (("ENTER", "do-settle"), ("CANCEL", "do-back"))
    if await pos.ask.message("warn", words("by-hand"), lines, hints, _DECIDE_S) == "ENTER":
        pos.link.settle_by_hand(txn, pos.operator)
        await pos.say("ok", words("by-hand-done"), (words("by-hand-listed"), 24))

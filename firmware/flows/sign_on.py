"""签到: working keys, clock and batch from the acquirer."""

from firmware.flows import moments
from firmware.ui.screens import yuan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos

_BRIEF_S = const(3)
_NOTED_S = const(30)


async def sign_on(pos: "Pos") -> None:
    """Sign on and say how it went. LinkError as the link names it."""
    done = await pos.online(pos.link.sign_on(pos.operator), "signing-on")
    words = pos.words
    owed = pos.ledger.owed()
    state, seconds = "ok", _BRIEF_S
    lines = [(words("batch-is", f"{pos.ledger.batch:06d}"), 24)]
    if owed:
        lines += [(words("owed", len(owed)), 24), (yuan(owed[0].amount), 40)]
    if done.batch_differs:
        state, seconds = "warn", _NOTED_S
        lines.append((words("batch-differs"), 24))
        pos.faults.note("batch", "the host has another batch, and this one is not settled")
    if done.clock_alarm:
        state, seconds = "warn", _NOTED_S
        lines += [
            (words("clock-moved"), 24),
            (moments.written(pos.board.clock.now()), 24),
        ]
        pos.faults.note("clock", f"the host moved the clock by {done.clock_step} s")
    pos.board.buzzer.beep("ok")
    await pos.ask.message(state, words("signed-on"), lines, seconds=seconds)

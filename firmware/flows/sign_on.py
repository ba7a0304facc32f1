"""签到: working keys, clock and batch from the acquirer."""

from firmware.ui.screens import yuan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos

_BRIEF_S = const(3)


async def sign_on(pos: "Pos") -> None:
    """Sign on and say how it went. LinkError as the link names it."""
    await pos.online(pos.link.sign_on(pos.operator), "signing-on")
    words = pos.words
    owed = pos.ledger.owed()
    lines = [(words("batch-is", f"{pos.ledger.batch:06d}"), 24)]
    if owed:
        lines += [(words("owed", len(owed)), 24), (yuan(owed[0].amount), 40)]
    pos.board.buzzer.beep("ok")
    await pos.ask.message("ok", words("signed-on"), lines, seconds=_BRIEF_S)

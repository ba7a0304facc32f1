"""签退: tell the acquirer that the shop closes, and log the operator out."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos

_BRIEF_S = const(3)


async def sign_off(pos: "Pos") -> None:
    """Sign off and log out. LinkError leaves both as they were."""
    await pos.online(pos.link.sign_off(pos.operator), "signing-off")
    pos.operator = ""
    pos.board.buzzer.beep("ok")
    await pos.ask.message("ok", pos.words("signed-off"), [], seconds=_BRIEF_S)

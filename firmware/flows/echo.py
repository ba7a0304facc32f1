"""回响测试: is the line to the acquirer good?"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos


async def echo(pos: "Pos") -> None:
    """One message there and back, and how long it took. LinkError as the link names it."""
    took_ms = await pos.online(pos.link.echo(), "testing-line")
    await pos.say("ok", pos.words("echo-good"), (f"{took_ms} ms", 40))

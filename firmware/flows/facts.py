"""What the supervisor and the administrator look at: the terminal's numbers, and its faults."""

from firmware.flows import moments
from firmware.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos

_READ_S = const(60)
_ROWS = const(8)


async def show_facts(pos: "Pos") -> None:
    """Merchant and terminal number, serial, version."""
    words, shop = pos.words, pos.shop
    rows = [
        (words("merchant-number"), shop.merchant),
        (words("terminal-number"), shop.terminal),
        (words("serial-number"), shop.serial),
        (words("version"), VERSION),
        (words("batch"), f"{pos.ledger.batch:06d}"),
        (words("free-memory"), words("kilobytes", pos.free_memory() // 1024)),
    ]
    pos.screens.table("ask", words("terminal-facts"), rows, "do-close")
    await pos.ask.acknowledge(("ENTER",), _READ_S)


async def show_faults(pos: "Pos") -> None:
    """The newest faults: name, count, when last."""
    words = pos.words
    faults = pos.faults.faults()
    if not faults:
        await pos.say("ok", words("no-faults"))
        return
    rows = []
    for fault in faults[: _ROWS // 2]:
        rows.append((fault.name[:38], ""))
        rows.append(("  " + moments.written(fault.last), words("times", fault.count)))
    pos.screens.table("warn", words("faults"), rows, "do-close")
    await pos.ask.acknowledge(("ENTER",), _READ_S)

"""重打末笔: the last receipt again, both copies, marked as a reprint."""

from firmware.flows import printing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos


async def reprint_last(pos: "Pos") -> None:
    """Print the newest completed payment's receipt again. VaultError if its data do not open."""
    txn = pos.ledger.last()
    if txn is None:
        await pos.say("warn", pos.words("nothing-to-print"))
        return
    await printing.receipt(pos, txn, "reprint", reprint=True)

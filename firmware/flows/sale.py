"""消费: take a payment, the amount first, then whatever the payer presents."""

from firmware.flows import printing
from firmware.flows.present import present
from firmware.ledger.record import COMPLETED, SALE
from firmware.link.errors import LinkError
from firmware.ui.ask import Cancelled
from firmware.ui.screens import yuan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos
    from firmware.ledger.record import Txn
    from firmware.link.acquirer import Reply

_WRONG_PIN = "55"


async def sale(pos: "Pos", first: str = "") -> None:
    """Take a payment. `first` is the key that began the amount at idle."""
    amount = await pos.ask.amount(SALE, first)
    pos.paying = True
    pos.require_signed_on()
    while await attempt(pos, amount):
        # A wrong PIN is a new transaction with the same payer's card.
        pos.card_left = False
        pos.pad.allow()


async def attempt(pos: "Pos", amount: int) -> bool:
    """One transaction, to its end; True if the payer wants to try another PIN."""
    async with pos.ledger.begin(SALE, amount, pos.operator) as txn:
        pos.payment = txn
        payer = await present(pos, txn)
        try:
            await payer.verify(pos.ask)
            try:
                reply = await pos.authorise(txn)
            except (LinkError, Cancelled):
                await payer.without_reply()
                raise
            await payer.complete(reply)
        finally:
            await payer.release()
    if txn.state != COMPLETED:
        return await declined(pos, txn, reply)
    pos.board.buzzer.beep("ok")
    await printing.receipt(pos, txn, "approved")
    return False


async def declined(pos: "Pos", txn: "Txn", reply: "Reply") -> bool:
    """Say why and what to do; True if it was the PIN and the payer tries again."""
    words = pos.words
    meaning, todo = words.code(reply.code)
    pos.board.buzzer.beep("error")
    if reply.code == _WRONG_PIN:
        lines = [(words("pin-wrong-todo"), 24), (words("code-is", reply.code), 16)]
        hints = (("ENTER", "do-retry"), ("CANCEL", "do-end"))
        return await pos.ask.message("bad", words("pin-wrong"), lines, hints, 30) == "ENTER"
    lines = [(meaning, 24), (todo, 16), (words("code-is", reply.code), 16), (yuan(txn.amount), 40)]
    await pos.ask.message("bad", words("declined"), lines)
    return False

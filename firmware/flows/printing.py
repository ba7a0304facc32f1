"""Paper: both copies of a receipt, through empty rolls, open doors and hot heads.

Printing never touches the money. A copy that could not be printed whole is printed again; what the
merchant puts off is remembered, across power cuts too, and named at idle until it is reprinted.
"""

import asyncio

import aio
from errors import DeviceError, PrinterError
from iso8583 import Iso8583Error

from firmware.flows import moments
from firmware.link.calendar import host_moment
from firmware.ui import receipts
from firmware.ui.ask import TimedOut
from firmware.ui.screens import yuan

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.flows.pos import Pos
    from firmware.ledger.ledger import Ledger
    from firmware.ledger.record import Txn

_TEAR_S = const(30)
_PAPER_S = const(600)
_SILENT_S = const(30)
_POLL_MS = const(1000)
_PRINTED = "/data/printed"  # batch and trace of the newest payment whose paper is all out


async def receipt(pos: "Pos", txn: "Txn", title: str, reprint: bool = False) -> None:
    """The merchant's copy, the tear, the cardholder's copy. `title` is a text id."""
    pos.unprinted = True
    facts = _facts(pos, txn)
    if not await _copy(pos, txn, title, receipts.receipt(txn, facts, receipts.MERCHANT, reprint)):
        return
    words = pos.words
    pos.board.buzzer.beep("alert")
    lines = [(words("tear-hint"), 24), (yuan(txn.approved_amount), 40)]
    if txn.signature:
        lines.append((words("sign"), 24))
    await pos.ask.message("paper", words("tear-off"), lines, (("ENTER", "do-print"),), _TEAR_S)
    if await _copy(pos, txn, title, receipts.receipt(txn, facts, receipts.CARDHOLDER, reprint)):
        _note_printed(pos, txn)


async def _copy(pos: "Pos", txn: "Txn", title: str, document: bytes) -> bool:
    """One copy, whole; False if the merchant (or nobody, for ten minutes) put it off."""
    while True:
        try:
            await _print_whole(pos, txn, title, document)
            return True
        except DeviceError as error:
            if not await _until_ready(pos, error):
                return False


async def _print_whole(pos: "Pos", txn: "Txn", title: str, document: bytes) -> None:
    """Paper is checked before and after: what ran out at the end is not a whole copy."""
    printer, words = pos.board.printer, pos.words
    lines = [(yuan(txn.approved_amount), 40), (txn.masked, 16)]
    if txn.authorisation_code:
        lines.append((words("authorisation", txn.authorisation_code), 16))
    if txn.partial:
        lines.append((words.code(txn.response_code)[0], 24))
    lines.append((words("printing"), 24))
    await pos.notice("ok", words(title), *lines)
    await printer.check()
    await printer.print(document)
    await printer.check()


async def _until_ready(pos: "Pos", error: DeviceError) -> bool:
    """Say what is wrong until the printer is ready (True) or the merchant leaves it (False)."""
    words = pos.words
    title, todo = words.fault(error)
    seconds = _PAPER_S
    if not isinstance(error, PrinterError):
        title, todo = words("printer-silent"), words("printer-silent-todo")
        pos.faults.record("printer", error)
        seconds = _SILENT_S
    pos.board.buzzer.beep("error")
    pos.screens.notice(
        "paper",
        title,
        [(todo, 24), (words("money-safe"), 16), (words("resume-hint"), 16)],
        (("CANCEL", "do-later"),),
    )
    try:
        ready, _ = await aio.race(_ready(pos), pos.ask.cancel(seconds))
    except TimedOut:
        return False
    return bool(ready)


async def _ready(pos: "Pos") -> bool:
    """Poll until paper is there; a silent printer is asked again too, it may be switched on."""
    while True:
        await asyncio.sleep_ms(_POLL_MS)
        try:
            await pos.board.printer.check()
            return True
        except DeviceError:
            continue


def _facts(pos: "Pos", txn: "Txn") -> receipts.Facts:
    seconds = txn.time
    if txn.host_time and txn.host_date:
        try:
            seconds = host_moment(txn.host_time, txn.host_date, txn.time)
        except Iso8583Error as error:  # the payment stands: it is printed with our own time
            pos.faults.record("host's clock", error)
    expiry = pos.ledger.card(txn)[1]
    return receipts.Facts(
        pos.shop.name, pos.shop.merchant, pos.shop.terminal, moments.written(seconds), expiry
    )


def _note_printed(pos: "Pos", txn: "Txn") -> None:
    """Both copies are out: durable when this returns."""
    with open(_PRINTED, "w") as file:
        file.write(_name(txn))
    pos.unprinted = False


def due(ledger: "Ledger") -> bool:
    """At boot: the last completed payment has no whole receipt yet.

    What is out is noted rather than what is due: a power cut right after a payment was completed
    leaves no moment in which it would be forgotten, and then be taken a second time.
    """
    last = ledger.last()
    if last is None:
        return False
    try:
        with open(_PRINTED) as file:
            return file.read() != _name(last)
    except (OSError, UnicodeError):
        return True


def _name(txn: "Txn") -> str:
    return f"{txn.batch} {txn.trace}"

"""Sale, balance and reversal: the rules of PROTOCOL.md, "The host's side".

A function here decides and posts inside the transaction it is handed; whoever called commits the
posting together with the message's key and its reply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from tools.acquirer import checks, scripts
from tools.acquirer.deck import Card
from tools.acquirer.errors import Refusal
from tools.acquirer.store import (
    APPROVED,
    REVERSED,
    AccountRow,
    MessageRow,
    PostingRow,
    TerminalRow,
)
from tools.acquirer.testbed import CURRENCY
from tools.acquirer.wire import Message

SALE = "sale"
APPROVALS = frozenset(("00", "10", "11", "A2", "A4", "A5", "A6"))
ISSUER_AND_ACQUIRER = "99010000   99020000   "  # field 44

_REVERSIBLE = frozenset((("000000", "00"),))  # processing codes with their conditions


@dataclass
class Exchange:
    """One verified request and what is needed to answer it.

    `forced` is the test profile's response code; `row` the message's own record, whose number
    makes the reference. `reply` collects the fields a service adds to the common ones.
    """

    session: Session
    request: Message
    terminal: TerminalRow
    row: MessageRow
    cards: dict[str, Card]
    pin_key: bytes
    now: datetime
    random: Callable[[int], bytes]
    forced: str | None = None
    reply: dict[int, str] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """Field 37: year, day of the year, and the message's number."""
        return f"{self.now:%y%j}{self.row.id % 10_000_000:07d}"


def sale(x: Exchange) -> str:
    """Authorise and post a sale; returns the response code."""
    if x.request.amount <= 0:
        raise Refusal("13", "no amount")

    def spend(card: Card, account: AccountRow) -> str:
        if account.balance < x.request.amount:
            raise Refusal("51", "too little money")
        account.balance -= x.request.amount
        x.reply[38] = f"{int.from_bytes(x.random(4), 'big') % 1_000_000:06d}"
        x.session.add(_posting(x, SALE, card.pan))
        return x.forced or "00"

    return _authorise(x, spend)


def balance(x: Exchange) -> str:
    """Answer a balance inquiry (field 54: account 10, available 02, currency, C or D, fen)."""

    def tell(card: Card, account: AccountRow) -> str:
        sign = "D" if account.balance < 0 else "C"
        x.reply[54] = f"1002{CURRENCY}{sign}{abs(account.balance):012d}"
        return x.forced or "00"

    return _authorise(x, tell)


def reverse(x: Exchange) -> str:
    """Undo exactly the message of the same batch and trace; 25 when there is none (yet).

    A declined original has moved nothing, so its reversal is through as well. An amount or card
    that differs is refused with a code that keeps the reversal owed: answering 00, 12 or 25 would
    leave the terminal and this ledger with different money.
    """
    fields = x.request.fields
    same = same_transaction(x.terminal, x.request)
    original = x.session.scalars(
        select(MessageRow).where(*same, MessageRow.mti == "0200")
    ).one_or_none()
    if original is None:
        raise Refusal("25", "the original is unknown")
    kind = (original.reply.get("3"), original.reply.get("25"))
    if kind != (fields.get(3), fields.get(25)):
        raise Refusal("30", "another kind of transaction than the original")
    if kind not in _REVERSIBLE:
        raise Refusal("12", "nothing of this kind is ever reversed")
    posting = x.session.scalars(
        select(PostingRow).where(PostingRow.message == original.id)
    ).one_or_none()
    if original.reply.get("4") != fields.get(4):
        raise Refusal("64", "another amount than the original's")
    if posting is None:
        return "00"
    if fields.get(2, posting.pan) != posting.pan:
        raise Refusal("30", "another card than the original's")
    if posting.state == APPROVED:
        posting.state = REVERSED
        _account(x.session, posting.pan).balance += posting.amount
    return "00"


def same_transaction(terminal: TerminalRow, request: Message) -> tuple:
    """Conditions for the messages of one terminal, settlement cycle, batch and trace number."""
    return (
        MessageRow.terminal == terminal.number,
        MessageRow.merchant == terminal.merchant,
        MessageRow.cycle == terminal.cycle,
        MessageRow.batch == request.batch,
        MessageRow.trace == request.fields[11],
    )


def _authorise(x: Exchange, approved: Callable[[Card, AccountRow], str]) -> str:
    """Verify currency, card, cryptogram and holder, then let `approved` move the money.

    Once the cryptogram is good the reply carries the issuer's, for a decline as well.
    """
    if x.request.fields.get(49) != CURRENCY:
        raise Refusal("30", "another currency than yuan")
    card = checks.card_of(x.request, x.cards, x.now)
    account = _account(x.session, card.pan)
    chip = checks.chip_of(x.session, x.request, card)
    try:
        checks.holder_of(x.request, card, account, x.pin_key, chip)
        if x.forced is not None and x.forced not in APPROVALS:
            raise Refusal(x.forced, "the test profile says so")
        code = approved(card, account)
    except Refusal as refusal:
        x.reply[55] = _chip_reply(chip, refusal.code)
        raise
    x.reply[55] = _chip_reply(chip, code, *_scripts(card, chip))
    return code


def _scripts(card: Card, chip: checks.Chip) -> list[tuple[str, bytes]]:
    """The card's scripts for this transaction, sealed with its key."""
    key = scripts.integrity_key(card.script_key, card.pan, chip.psn)
    return [
        (tag, scripts.sealed(content, key, chip.tags["9F36"], chip.cryptogram))
        for tag, content in card.scripts
    ]


def _chip_reply(chip: checks.Chip, code: str, *templates: tuple[str, bytes]) -> str:
    """Field 55 of a reply: tag 91, then issuer script templates 71 and 72 where there are any."""
    elements = (("91", chip.authentication_data(code)), *templates)
    return "".join(f"{tag}{len(value):02X}{value.hex().upper()}" for tag, value in elements)


def _account(session: Session, pan: str) -> AccountRow:
    """The account, locked until the transaction ends (SQLite locks the whole database)."""
    return session.scalars(select(AccountRow).where(AccountRow.pan == pan).with_for_update()).one()


def _posting(x: Exchange, kind: str, pan: str) -> PostingRow:
    return PostingRow(
        message=x.row.id,
        terminal=x.terminal.number,
        cycle=x.terminal.cycle,
        batch=x.request.batch,
        trace=x.request.fields[11],
        type=kind,
        amount=x.request.amount,
        state=APPROVED,
        pan=pan,
        reference=x.reference,
        authorisation=x.reply[38],
        at=x.now,
    )

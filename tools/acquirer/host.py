"""The host's core: who may speak, which key a message has, and one transaction for its answer.

Synchronous and free of sockets; `server.Acquirer` runs it in its worker thread.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tools.acquirer import crypto, deck, management, money, testbed
from tools.acquirer.deck import Card
from tools.acquirer.errors import Refusal, WireError
from tools.acquirer.store import AccountRow, CounterRow, MessageRow, TerminalRow
from tools.acquirer.wire import Message, encode, reply_to

log = logging.getLogger(__name__)

_ECHOED = (3, 4, 11, 25, 41, 42, 49, 60)
_REQUESTS = frozenset(("0100", "0200", "0220", "0320", "0400", "0500", "0620", *management.TYPES))
_REVERSAL = "0400"
_REVERSED = ("00", "25")  # what a 0400 was answered when its original may never post again
_SETTLED = frozenset((*_REVERSED, "12"))
_NEEDED = {"0200": (3, 11, 22, 25, 49, 60), "0400": (3, 4, 11, 25, 60)}
# A reversal stays the same one when its reason (39) changes: these fields say what it undoes.
_REVERSAL_CONTENT = (2, 3, 4, 11, 25, 41, 42, 49)

_Service = Callable[[money.Exchange], str]
# MTI, processing code, condition → service and the message type of field 60.1.
_SERVICES: dict[tuple[str, str, str], tuple[_Service, str]] = {
    ("0200", "000000", "00"): (money.sale, "22"),
    ("0200", "310000", "00"): (money.balance, "01"),
}


@dataclass(frozen=True)
class Terminal:
    """A terminal the acquirer knows, with the master key that was injected into it."""

    number: str = testbed.TERMINAL
    merchant: str = testbed.MERCHANT
    master_key: bytes = field(default=testbed.TMK, repr=False)


@dataclass(frozen=True)
class Answer:
    """A reply without its MAC, the key for that MAC (None: the reply has none), and why."""

    reply: Message
    mac_key: bytes | None = field(repr=False)
    reason: str = ""
    repeated: bool = False


@dataclass(frozen=True)
class _Keys:
    """A terminal's clear keys, for the length of one message. No `mac`: it has not signed on."""

    master: bytes = field(repr=False)
    pin: bytes = field(repr=False)
    mac: bytes | None = field(repr=False)

    @classmethod
    def of(cls, terminal: TerminalRow, master: bytes) -> _Keys:
        if terminal.mac_key is None or terminal.pin_key is None:
            return cls(master, b"", None)
        pin = crypto.working_key(master, terminal.pin_key)
        return cls(master, pin, crypto.working_key(master, terminal.mac_key))


class Host:
    """Terminals, cards and the ledger behind one database."""

    def __init__(
        self,
        engine: Engine,
        terminals: Iterable[Terminal],
        cards: dict[str, Card],
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
    ) -> None:
        known = tuple(terminals)
        self._engine = engine
        self._master_keys = {each.number: each.master_key for each in known}
        self._cards = cards
        self._clock = clock
        self._random = random
        self._enrol(known)

    def answer(self, request: Message, forced: str | None = None) -> Answer:
        """Answer one request; `forced` is the test profile's response code.

        Raises WireError for a message that is no request at all. A database that fails leaves
        nothing half done and is answered 96.
        """
        if request.mti not in _REQUESTS:
            raise WireError(f"message type {request.mti} is no request")
        now = self._clock().replace(tzinfo=None)
        try:
            with Session(self._engine) as session, session.begin():
                return self._answer(session, request, forced, now)
        except SQLAlchemyError:
            log.exception("the database failed")
            return _refuse(request, now, Refusal("96", "the database failed"))

    def _answer(
        self, session: Session, request: Message, forced: str | None, now: datetime
    ) -> Answer:
        terminal = session.scalars(
            select(TerminalRow)
            .where(TerminalRow.number == request.fields.get(41, ""))
            .with_for_update()
        ).one_or_none()
        master_key = self._master_keys.get(request.fields.get(41, ""))
        if terminal is None or master_key is None:
            return _refuse(request, now, Refusal("97", "unknown terminal"))
        keys = _Keys.of(terminal, master_key)
        managing = request.mti in management.TYPES
        try:
            if request.fields.get(42) != terminal.merchant:
                raise Refusal("03", "another merchant's terminal")
            if managing:
                return self._manage(request, terminal, master_key, now, forced)
            _authenticate(request, keys)
            return self._keyed(session, request, terminal, keys, now, forced)
        except Refusal as refusal:
            return _refuse(request, now, refusal, None if managing else keys.mac)

    def _manage(
        self, request: Message, terminal: TerminalRow, master_key: bytes, now: datetime,
        forced: str | None,
    ) -> Answer:  # fmt: skip
        """Sign-on, sign-off, echo: never kept, never with a MAC."""
        if forced is not None and forced not in money.APPROVALS:
            raise Refusal(forced, "the test profile says so")
        fields = management.answer(request, terminal, master_key, self._random)
        return Answer(reply_to(request, _common(request, now) | fields), None)

    def _keyed(
        self, session: Session, request: Message, terminal: TerminalRow, keys: _Keys,
        now: datetime, forced: str | None,
    ) -> Answer:  # fmt: skip
        """Answer an authentic message once under its key, and repeat that answer ever after."""
        service = _service(request)
        digest = _digest(request, keys.master)
        known = _known(session, request, terminal, digest)
        if known is not None:
            fields = {int(number): text for number, text in known.reply.items()}
            return Answer(reply_to(request, fields), keys.mac, "answered before", repeated=True)
        if request.mti == _REVERSAL:
            if forced is not None and forced not in money.APPROVALS:
                raise Refusal(forced, "the test profile says so")
        elif request.batch != f"{terminal.batch:06d}":
            raise Refusal("77", "another batch than the host's")
        row = MessageRow(
            terminal=terminal.number,
            merchant=terminal.merchant,
            cycle=terminal.cycle,
            batch=request.batch,
            trace=request.fields[11],
            mti=request.mti,
            digest=digest,
            response_code="",
            reply={},
            received=now,
        )
        session.add(row)
        session.flush()
        exchange = money.Exchange(
            session, request, terminal, row, self._cards, keys.pin, now, self._random, forced
        )
        return _settle(exchange, service, keys.mac)

    def _enrol(self, terminals: Iterable[Terminal]) -> None:
        """Give every terminal its row, and every card; what the database already knows stays."""
        with Session(self._engine) as session, session.begin():
            for each in terminals:
                row = session.get(TerminalRow, each.number)
                if row is None:
                    row = TerminalRow(
                        number=each.number, batch=testbed.BATCH, cycle=1, operator=""
                    )
                    session.add(row)
                row.merchant = each.merchant
        self._open_accounts(self._cards)

    def issue(self, path: Path) -> None:
        """Know the card of that file as well; DeckError when it is none, or not a new one."""
        cards = deck.new_accounts(path, self._cards)
        self._open_accounts(cards)
        self._cards = {**self._cards, **cards}

    def _open_accounts(self, cards: Mapping[str, Card]) -> None:
        with Session(self._engine) as session, session.begin():
            for card in cards.values():
                if session.get(AccountRow, card.pan) is None:
                    session.add(_fresh_account(card))

    def reissue(self) -> None:
        """Every card anew: its balance stays, its PIN tries and transaction counter start over.

        For a simulator whose cards forget their counters between runs.
        """
        with Session(self._engine) as session, session.begin():
            for account in session.scalars(select(AccountRow).with_for_update()):
                account.pin_failures = 0
            session.execute(delete(CounterRow))


def _settle(x: money.Exchange, service: _Service, mac_key: bytes | None) -> Answer:
    """Run the service and keep its reply with the key.

    A reversal that was not accepted leaves no trace: it stays owed, and may come again.
    """
    reason = ""
    try:
        code = service(x)
    except Refusal as refusal:
        code, reason = refusal.code, refusal.reason
    fields = _common(x.request, x.now) | x.reply
    fields |= {37: x.reference, 39: code, 44: money.ISSUER_AND_ACQUIRER}
    if x.request.mti == _REVERSAL and code not in _SETTLED:
        x.session.delete(x.row)
    else:
        x.row.response_code = code
        x.row.reply = {str(number): text for number, text in fields.items()}
    return Answer(reply_to(x.request, fields), mac_key, reason)


def _known(
    session: Session, request: Message, terminal: TerminalRow, digest: bytes
) -> MessageRow | None:
    """The record of the same message, if it was answered before.

    Raises Refusal 94 when its key was used for other content, 12 when it has been reversed:
    its stored approval would be a lie by now.
    """
    rows = session.scalars(
        select(MessageRow).where(*money.same_transaction(terminal, request))
    ).all()
    known = next((row for row in rows if row.mti == request.mti), None)
    if known is not None and not hmac.compare_digest(known.digest, digest):
        raise Refusal("94", "this trace number was used for something else")
    if request.mti != _REVERSAL and any(
        row.mti == _REVERSAL and row.response_code in _REVERSED for row in rows
    ):
        raise Refusal("12", "its reversal was here before")
    return known


def _authenticate(request: Message, keys: _Keys) -> None:
    if keys.mac is None:
        raise Refusal("99", "the terminal has not signed on")
    if not crypto.mac_matches(keys.mac, request.mac_text, request.fields.get(64, "")):
        raise Refusal("A0", "wrong MAC")


def _service(request: Message) -> _Service:
    missing = [number for number in _NEEDED.get(request.mti, ()) if number not in request.fields]
    if missing or len(request.network_code) != 3:
        raise Refusal("30", f"field {missing[0] if missing else 60} is missing")
    if request.mti == _REVERSAL:
        return money.reverse
    kind = (request.mti, request.fields.get(3, ""), request.fields.get(25, ""))
    if kind not in _SERVICES:
        raise Refusal("40", f"no service for {'/'.join(kind)}")
    service, message_type = _SERVICES[kind]
    if request.fields[60][:2] != message_type:
        raise Refusal("30", "field 60.1 names another transaction than field 3")
    return service


def _common(request: Message, now: datetime) -> dict[int, str]:
    """What every reply repeats of its request, and the host's time and code."""
    fields = {number: request.fields[number] for number in _ECHOED if number in request.fields}
    return fields | {12: f"{now:%H%M%S}", 13: f"{now:%m%d}", 32: management.ACQUIRER}


def _refuse(
    request: Message, now: datetime, refusal: Refusal, mac_key: bytes | None = None
) -> Answer:
    """A refusal that is not kept: the same message may be answered differently another time."""
    fields = _common(request, now) | {39: refusal.code}
    return Answer(reply_to(request, fields), mac_key, refusal.reason)


def _digest(request: Message, key: bytes) -> bytes:
    """A fingerprint of what the message says; keyed, so that it tells nobody a card number.

    The MAC is left out: an owed message is sent again under whatever key is current.
    """
    numbers = [number for number in sorted(request.fields) if number != 64]
    if request.mti == _REVERSAL:
        numbers = [number for number in _REVERSAL_CONTENT if number in request.fields]
    text = "\n".join(f"{number}={request.fields[number]}" for number in numbers)
    return hmac.digest(key, text.encode(), hashlib.sha256)


def _fresh_account(card: Card) -> AccountRow:
    return AccountRow(pan=card.pan, opening=card.opening, balance=card.opening, pin_failures=0)


def with_mac(answer: Answer, fields: dict[int, str]) -> bytes:
    """The answer's reply as a frame: with these fields, and field 64 if it has a key for it."""
    reply = replace(answer.reply, fields=dict(fields))
    if answer.mac_key is not None:
        reply.fields[64] = "0" * 8  # its bit is set in the bitmap that the MAC covers
        encode(reply)
        reply.fields[64] = crypto.mac_cup(answer.mac_key, reply.mac_text)
    return encode(reply)

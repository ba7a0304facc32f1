"""What the issuer verifies before money moves: the card, its cryptogram, its holder.

Every function raises Refusal with the response code (PROTOCOL.md, "Response codes") and the
reason. Where the protocol leaves the code open, this is our choice: 13 amounts that differ, 30
fields that contradict each other, 54 expired, 55 PIN wrong or missing, 57 no chip, 59 cryptogram
wrong, 62 blocked, 63 transaction counter used before, 99 PIN block that does not decode.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime

from pyemv import tlv
from sqlalchemy.orm import Session

from tools.acquirer import crypto, deck
from tools.acquirer.errors import Refusal
from tools.acquirer.store import AccountRow, CounterRow
from tools.acquirer.testbed import CURRENCY, QUICK_LIMIT
from tools.acquirer.wire import Message

PIN_TRIES = 3

_CHIP, _CONTACTLESS = "05", "07"
_WITH_PIN = "1"
_PIN_WITH_PAN = "2"  # field 53.1
_ALGORITHMS = {8: "0", 16: "6"}  # field 53.2 by the PIN key's length
_CVN = 0x12
_ARQC = b"\x80"
_INQUIRY = "31"
_CVM_ENCIPHERED_PIN = (0x04, 0x05)
_CVM_SUCCESSFUL = 0x02

# The cryptogram's input, in its order (EMV Book 2, table 26), with each element's length.
_AC_INPUT = (
    ("9F02", 6), ("9F03", 6), ("9F1A", 2), ("95", 5), ("5F2A", 2), ("9A", 3), ("9C", 1),
    ("9F37", 4), ("82", 2), ("9F36", 2),
)  # fmt: skip
_LENGTHS = dict((*_AC_INPUT, ("9F26", 8), ("9F27", 1)))


@dataclass(frozen=True)
class Chip:
    """A verified cryptogram: enough to answer the card with one of the issuer's."""

    key: bytes
    cryptogram: bytes
    tags: dict[str, bytes]
    aid: bytes
    psn: str

    def authentication_data(self, response_code: str) -> bytes:
        """Tag 91 for a reply with that response code: ARPC 8 bytes, code 2."""
        return crypto.issuer_authentication_data(self.key, self.cryptogram, response_code)


def card_of(request: Message, cards: dict[str, deck.Card], now: datetime) -> deck.Card:
    """The card a request speaks of, fit for use. Checks fields 2, 14, 23 and 35 together."""
    track = request.fields.get(35)
    pan = request.fields.get(2)
    expiry = request.fields.get(14)
    if track is not None:
        track_pan, separator, rest = track.partition("D")
        if not separator or len(rest) < 4:
            raise Refusal("30", "field 35 is no track")
        if (pan or track_pan) != track_pan or (expiry or rest[:4]) != rest[:4]:
            raise Refusal("30", "field 35 is another card's")
        pan, expiry = track_pan, rest[:4]
    if pan is None:
        raise Refusal("30", "no card number")
    card = cards.get(pan)
    if card is None:
        raise Refusal("14", "unknown card")
    if _sequence_number(request, card) not in card.applications:
        raise Refusal("30", "another sequence number than the card's")
    if card.status != deck.ACTIVE:
        raise Refusal(deck.REFUSALS[card.status], f"the card is {card.status}")
    if (expiry or card.expiry) != card.expiry or card.expiry < f"{now:%y%m}":
        raise Refusal("54", "the card has expired, or its date is wrong")
    return card


def chip_of(session: Session, request: Message, card: deck.Card) -> Chip:
    """The cryptogram of field 55, verified, and its transaction counter marked as used."""
    if request.fields.get(22, "")[:2] not in (_CHIP, _CONTACTLESS):
        raise Refusal("57", "this card pays by its chip only")
    tags = _tags(request)
    _check_terminal_data(request, tags)
    issuer_data = tags.get("9F10", b"")
    if len(issuer_data) < 4 or issuer_data[2] != _CVN:
        raise Refusal("59", "no cryptogram version this issuer knows")
    data = b"".join(tags[tag] for tag, _ in _AC_INPUT) + issuer_data
    psn = _sequence_number(request, card)
    key = crypto.session_key(card.issuer_key, card.pan, psn, tags["9F36"])
    if not hmac.compare_digest(crypto.application_cryptogram(key, data), tags["9F26"]):
        raise Refusal("59", "wrong cryptogram")
    _use_counter(session, card, psn, int.from_bytes(tags["9F36"], "big"))
    return Chip(key, tags["9F26"], tags, card.applications[psn], psn)


def holder_of(
    request: Message, card: deck.Card, account: AccountRow, pin_key: bytes, chip: Chip
) -> None:
    """The cardholder verified as the card and the amount require; counts wrong PINs."""
    block = request.fields.get(52)
    if (block is not None) != (request.fields[22][2:] == _WITH_PIN):
        raise Refusal("30", "field 22 and field 52 disagree about a PIN")
    if block is None:
        if _needs_pin(request, card, chip):
            raise Refusal("55", "this payment needs the PIN")
        return
    if request.fields.get(53, "")[:2] != _PIN_WITH_PAN + _ALGORITHMS[len(pin_key)]:
        raise Refusal("99", "a PIN block of another format")
    if account.pin_failures >= PIN_TRIES:
        raise Refusal("75", "no PIN tries left")
    try:
        pin = crypto.pin_of(pin_key, bytes.fromhex(block), card.pan)
    except ValueError:
        raise Refusal("99", "the PIN block does not decode") from None
    if not card.pin or not hmac.compare_digest(pin, card.pin):
        account.pin_failures += 1
        raise Refusal("55", "wrong PIN")
    account.pin_failures = 0


def _tags(request: Message) -> dict[str, bytes]:
    if 55 not in request.fields:
        raise Refusal("30", "no chip data")
    try:
        tags = tlv.decode(bytes.fromhex(request.fields[55]), flatten=True)
    except tlv.DecodeError as error:
        raise Refusal("30", f"field 55: {error}") from None
    for tag, length in _LENGTHS.items():
        if len(tags.get(tag, b"")) != length:
            raise Refusal("30", f"field 55: {tag} is missing or not {length} bytes")
    return tags


def _check_terminal_data(request: Message, tags: dict[str, bytes]) -> None:
    """The data the card signed has to be the data the message speaks of."""
    if tags["9F27"] != _ARQC:
        raise Refusal("30", "no online cryptogram")
    if tags["5F2A"].hex() != "0" + CURRENCY:
        raise Refusal("30", "the card signed another currency")
    if tags["9C"].hex() != request.fields[3][:2]:
        raise Refusal("30", "the card signed another kind of transaction")
    if tags["9F02"].hex() != request.fields.get(4, "0" * 12):
        raise Refusal("13", "the card signed another amount")


def _sequence_number(request: Message, card: deck.Card) -> str:
    """Field 23 as two digits; a card with one application may leave it out."""
    number = request.fields.get(23, "0" + min(card.applications))
    return number[1:] if number.startswith("0") else number


def _use_counter(session: Session, card: deck.Card, psn: str, counter: int) -> None:
    """A transaction counter only ever goes up; anything else is a recording."""
    row = session.get(CounterRow, (card.pan, psn))
    if row is None:
        session.add(CounterRow(pan=card.pan, psn=psn, last_atc=counter))
    elif counter <= row.last_atc:
        raise Refusal("63", "a transaction counter that was used before")
    else:
        row.last_atc = counter


def _needs_pin(request: Message, card: deck.Card, chip: Chip) -> bool:
    """Whether a payment without an online PIN lacks one; a balance inquiry always does.

    A debit application needs it, except when the amount is small and tapped, when a wallet has
    verified its holder, or when the card itself has checked an enciphered offline PIN (CVM
    results 9F34, EMV Book 4, A4).
    """
    if request.fields[3][:2] == _INQUIRY:
        return True
    results = chip.tags.get("9F34", b"")
    if len(results) == 3 and results[0] & 0x3F in _CVM_ENCIPHERED_PIN:
        if results[2] == _CVM_SUCCESSFUL:
            return False
    tapped = request.fields[22][:2] == _CONTACTLESS
    if tapped and (card.wallet or request.amount <= QUICK_LIMIT):
        return False
    return chip.aid.startswith(deck.DEBIT)

"""Messages as the timeline shows them: decoded, in words, and masked.

A card number keeps its first six and last four digits. Tracks, PIN blocks and keys never leave
the host, here or in a log.
"""

from __future__ import annotations

from typing import Any

from pyemv import tlv

from tools.acquirer.wire import Message

HIDDEN = "●"

_PAN_FIELD = 2
_CHIP_FIELD = 55
_HIDDEN_FIELDS = (35, 36, 52)
_KEY_FIELD = 62  # in a sign-on's reply it carries working keys
_PAN_TAGS = ("5A",)
# Tracks and their kin, a PIN, the holder's name.
HIDDEN_TAGS = ("56", "57", "9F6B", "9F1F", "9F20", "99", "5F20", "9F0B")
_SIGN_ON_REPLY = "0810"


def masked_pan(pan: str) -> str:
    """The number's first six and last four digits, the rest as asterisks."""
    if len(pan) < 11:
        return "*" * len(pan)
    return pan[:6] + "*" * (len(pan) - 10) + pan[-4:]


def masked_fields(message: Message) -> dict[str, str]:
    """A message's fields by number (as text): masked; binary ones in hex."""
    fields: dict[str, str] = {}
    for number in sorted(message.fields):
        fields[str(number)] = _masked(message.mti, number, message.fields[number])
    return fields


def describe(direction: str, message: Message, **more: Any) -> dict[str, Any]:
    """An event for the timeline: `direction` is "in" (from the terminal) or "out"."""
    return {
        "kind": "iso8583",
        "direction": direction,
        "mti": message.mti,
        "header": message.header,
        "fields": masked_fields(message),
        **more,
    }


def _masked(mti: str, number: int, text: str) -> str:
    if number == _PAN_FIELD:
        return masked_pan(text)
    if number in _HIDDEN_FIELDS or (number == _KEY_FIELD and mti == _SIGN_ON_REPLY):
        return HIDDEN
    if number == _CHIP_FIELD:
        return _masked_chip(text)
    return text


def _masked_chip(text: str) -> str:
    """Field 55 in hex: the number's middle digits as F, a hidden element empty."""
    try:
        tags = tlv.decode(bytes.fromhex(text), flatten=True)
    except tlv.DecodeError:
        return HIDDEN
    for tag in tags:
        if tag in HIDDEN_TAGS:
            tags[tag] = b""
        elif tag in _PAN_TAGS:
            shown = masked_pan(tags[tag].hex().rstrip("f")).replace("*", "F")
            tags[tag] = bytes.fromhex(shown + "F" * (len(shown) % 2))
    return tlv.encode(tags).hex().upper()

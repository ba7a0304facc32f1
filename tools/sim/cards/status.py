"""The status words that cards answer with (Book 3 6.3.5 and 6.5, ISO 7816-4 5.1.3)."""

from __future__ import annotations

OK = b"\x90\x00"
INVALIDATED = b"\x62\x83"
FAILED = b"\x63\x00"
WRONG_LENGTH = b"\x67\x00"
METHOD_BLOCKED = b"\x69\x83"
CONDITIONS = b"\x69\x84"
NOT_ALLOWED = b"\x69\x85"
SEE_PHONE = b"\x69\x86"
NO_MESSAGING = b"\x69\x87"
WRONG_MESSAGING = b"\x69\x88"
WRONG_DATA = b"\x6a\x80"
CARD_BLOCKED = b"\x6a\x81"
NOT_FOUND = b"\x6a\x82"
NO_RECORD = b"\x6a\x83"
WRONG_PARAMETERS = b"\x6a\x86"
NO_DATA = b"\x6a\x88"
UNKNOWN = b"\x6d\x00"
UNKNOWN_CLASS = b"\x6e\x00"


def tries_left(count: int) -> bytes:
    """63Cx: not verified, x tries are left."""
    return bytes((0x63, 0xC0 | count))

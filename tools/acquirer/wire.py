"""Frames of the acquirer link as pyiso8583 reads them: PROTOCOL.md, "Frame" and "Encoding"."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import iso8583

from tools.acquirer.errors import WireError
from tools.acquirer.spec import MAC_BYTES, NUMERIC, PREFIX_BYTES, SPEC, TRACKS

MAX_FRAME = 2048  # bytes; fields 55 and 62 full, and everything else, stay well under it
MIN_FRAME = PREFIX_BYTES + 2 + 8  # TPDU and header, message type, bitmap
LENGTH_BYTES = 2

_WISH = 5  # index of the header's sixth digit
_TRACK_DIGITS = frozenset("0123456789D")


@dataclass
class Message:
    """One decoded message. `fields` maps a field's number to text: digits, ASCII, or hex."""

    mti: str
    fields: dict[int, str]
    tpdu: bytes = b""
    header: str = ""
    raw: bytes = field(default=b"", repr=False)

    @property
    def mac_text(self) -> bytes:
        """What field 64 covers: MTI up to the byte before field 64 (PROTOCOL.md, "MAC")."""
        return self.raw[PREFIX_BYTES:-MAC_BYTES]

    @property
    def amount(self) -> int:
        """Field 4 in fen; 0 without one."""
        return int(self.fields.get(4, "0"))

    @property
    def batch(self) -> str:
        """Field 60.2, six digits, or an empty string."""
        return self.fields.get(60, "")[2:8]

    @property
    def network_code(self) -> str:
        """Field 60.3, three digits, or an empty string."""
        return self.fields.get(60, "")[8:11]


def decode(frame: bytes, spec: dict[str, dict[str, Any]] = SPEC) -> Message:
    """Read a frame (without its two length bytes).

    spec: the profile's, or one as it with other alphabets, for who only looks.
    Raises WireError for anything that is not exactly one message of this profile.
    """
    if not MIN_FRAME <= len(frame) <= MAX_FRAME:
        raise WireError(f"a frame of {len(frame)} bytes; {MIN_FRAME} to {MAX_FRAME} are possible")
    strange = [number for number in _bits(frame[13:21]) if str(number) not in SPEC]
    if strange:
        raise WireError(f"field {strange[0]} is not part of this profile")
    try:
        decoded, _ = iso8583.decode(frame, spec)
    except iso8583.DecodeError as error:
        raise WireError(str(error)) from None
    fields = {int(name): text for name, text in decoded.items() if name.isdecimal()}
    _check_alphabets(decoded["t"], fields)
    return Message(decoded["t"], fields, frame[:5], frame[5:PREFIX_BYTES].hex(), bytes(frame))


def encode(message: Message) -> bytes:
    """Write a message as a frame without its length bytes, and keep it in `message.raw`.

    Raises WireError when a field does not fit its definition.
    """
    document = {str(number): message.fields[number] for number in sorted(message.fields)}
    document["h"] = message.tpdu.hex() + message.header
    document["t"] = message.mti
    try:
        encoded, _ = iso8583.encode(document, SPEC)
    except iso8583.EncodeError as error:
        raise WireError(str(error)) from None
    message.raw = bytes(encoded)
    return message.raw


def framed(frame: bytes) -> bytes:
    """The frame behind its length, two bytes big-endian, itself not counted."""
    return len(frame).to_bytes(LENGTH_BYTES, "big") + frame


def reply_to(request: Message, fields: dict[int, str]) -> Message:
    """A reply's shell: TPDU addresses swapped, MTI + 10, no wish in the header."""
    tpdu = request.tpdu[:1] + request.tpdu[3:5] + request.tpdu[1:3]
    return Message(f"{int(request.mti) + 10:04d}", fields, tpdu, with_wish(request.header, "0"))


def with_wish(header: str, wish: str) -> str:
    """The header with its sixth digit set: what the host wishes the terminal to do."""
    return header[:_WISH] + wish + header[_WISH + 1 :]


def _bits(bitmap: bytes) -> list[int]:
    return [index + 1 for index in range(64) if bitmap[index // 8] >> (7 - index % 8) & 1]


def _check_alphabets(mti: str, fields: dict[int, str]) -> None:
    """Refuse hex letters in BCD digits; pyiso8583 takes BCD and binary for the same thing."""
    if not mti.isdecimal():
        raise WireError(f"message type {mti}")
    for number in sorted(fields):
        if number in NUMERIC and not fields[number].isdecimal():
            raise WireError(f"field {number} holds something else than digits")
        if number in TRACKS and not _TRACK_DIGITS.issuperset(fields[number]):
            raise WireError(f"field {number} is no track")

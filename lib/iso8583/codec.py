"""Frames in and out of buffers that the caller owns. Table-driven by spec.FIELDS; strict in both
ways."""

from binascii import hexlify

from iso8583.spec import BINARY, DIGITS, FIELDS, TEXT, TRACK, Iso8583Error

_TPDU = const(2)
_HEADER = const(7)
_MTI = const(13)
_BITMAP = const(15)
_BODY = const(23)
_MAC_SIZE = const(8)


class Message:
    """A decoded frame: `mti` ('0210'), `fields` ({number: str or bytes}), `tpdu`, `header`
    (digits)."""

    def __init__(self, mti: str, fields: dict, tpdu: str, header: str) -> None:
        self.mti = mti
        self.fields = fields
        self.tpdu = tpdu
        self.header = header

    @property
    def wish(self) -> int:
        """What the host asks the terminal to do, 0-7: digit 6 of the header."""
        return int(self.header[5])


def encode(buffer: bytearray, mti: str, fields: dict, tpdu: str, header: str) -> int:
    """Write a whole frame; returns its length. `tpdu` is 10 digits, `header` 12.

    Text digits go in as str (or bytes of ASCII), binary fields as bytes. A field 64 is placed as
    given; use '00000000', then `mac_data` and `set_mac`. Iso8583Error names the field that does
    not fit.
    """
    view = memoryview(buffer)
    if len(view) < _BODY:
        raise Iso8583Error("frame", "the buffer is too short")
    _put_digits(view, _TPDU, tpdu, 10, "tpdu")
    _put_digits(view, _HEADER, header, 12, "header")
    _put_digits(view, _MTI, mti, 4, "mti")
    for i in range(_BITMAP, _BODY):
        view[i] = 0
    at = _BODY
    for number in sorted(fields):
        if number not in FIELDS:
            raise Iso8583Error(number, "this protocol does not use it")
        at = _put_field(view, at, number, fields[number])
        view[_BITMAP + (number - 1) // 8] |= 0x80 >> (number - 1) % 8
    view[0] = (at - 2) >> 8
    view[1] = (at - 2) & 0xFF
    return at


def mac_data(buffer: "bytearray | memoryview", length: int) -> memoryview:
    """What a MAC covers: from the MTI to the last byte before field 64, the last field of the
    frame."""
    view = memoryview(buffer)
    if length < _BODY + _MAC_SIZE or not view[_BITMAP + 7] & 1:
        raise Iso8583Error(64, "missing")
    return view[_MTI : length - _MAC_SIZE]


def set_mac(buffer: bytearray, length: int, mac: bytes) -> None:
    """Put the MAC's eight bytes into field 64."""
    if len(mac) != _MAC_SIZE:
        raise Iso8583Error(64, "a MAC is 8 bytes")
    memoryview(buffer)[length - _MAC_SIZE : length] = mac


def decode(frame: "bytearray | memoryview") -> Message:
    """Read a whole frame, length included and exact. Iso8583Error names what is wrong first."""
    view = memoryview(frame)
    if len(view) < _BODY:
        raise Iso8583Error("frame", "truncated")
    if view[0] << 8 | view[1] != len(view) - 2:
        raise Iso8583Error("length", "does not match the frame")
    tpdu = _digits(view[_TPDU:_HEADER], "tpdu")
    header = _digits(view[_HEADER:_MTI], "header")
    mti = _digits(view[_MTI:_BITMAP], "mti")
    if view[_BITMAP] & 0x80:
        raise Iso8583Error("bitmap", "fields past 64 are not used")
    fields = {}
    at = _BODY
    for number in range(2, 65):
        if view[_BITMAP + (number - 1) // 8] & (0x80 >> (number - 1) % 8):
            if number not in FIELDS:
                raise Iso8583Error(number, "this protocol does not use it")
            fields[number], at = _get_field(view, at, number)
    if at != len(view):
        raise Iso8583Error("frame", f"{len(view) - at} bytes too many")
    return Message(mti, fields, tpdu, header)


def _put_field(view: memoryview, at: int, number: int, value: "str | bytes") -> int:
    """Write one field, its length prefix first; the place after it."""
    _, form, prefix, size = FIELDS[number]
    if isinstance(value, str):
        if form == BINARY:
            raise Iso8583Error(number, "takes bytes")
        value = _latin(value, number)
    count = len(value)
    if count > size or (not prefix and count != size):
        raise Iso8583Error(number, f"has {count}, the format says {size}")
    packed = form not in (TEXT, BINARY)
    octets = (count + 1) // 2 if packed else count
    prefix_octets = (prefix + 1) // 2
    if at + prefix_octets + octets > len(view):
        raise Iso8583Error(number, "the buffer is too short")
    if prefix:
        _put_digits(view, at, f"{count:04d}"[-2 * prefix_octets :], 2 * prefix_octets, number)
        at += prefix_octets
    if packed:
        _pack(view[at : at + octets], value, form, number)
    else:
        view[at : at + octets] = value
    return at + octets


def _pack(target: memoryview, value: bytes, form: int, number: "int | str") -> None:
    """ASCII digits into nibbles; an odd count pads a 0 on the side the format says."""
    shift = len(value) % 2 if form == DIGITS else 0
    for i in range(len(target)):
        target[i] = 0
    for i in range(len(value)):
        char = value[i]
        if 0x30 <= char <= 0x39:
            nibble = char - 0x30
        elif form == TRACK and char in b"=D":
            nibble = 0xD
        else:
            raise Iso8583Error(number, "holds something that is no digit")
        place = i + shift
        target[place // 2] |= nibble if place % 2 else nibble << 4


def _get_field(view: memoryview, at: int, number: int) -> "tuple[str | bytes, int]":
    """Read one field; its value and the place after it."""
    _, form, prefix, size = FIELDS[number]
    count = size
    if prefix:
        octets = (prefix + 1) // 2
        count = int(_digits(_slice(view, at, octets, number), number))
        at += octets
        if count > size:
            raise Iso8583Error(number, f"has {count}, the limit is {size}")
    octets = count if form in (TEXT, BINARY) else (count + 1) // 2
    part = _slice(view, at, octets, number)
    at += octets
    if form == BINARY:
        return bytes(part), at
    if form == TEXT:
        return "".join(chr(octet) for octet in part), at
    if form == TRACK:
        text = hexlify(part).decode()  # type: ignore[arg-type]  # the stub: bytes only
        text = text.replace("d", "=")
        _check_digits(text.replace("=", "0"), number)
    else:
        text = _digits(part, number)
    if count % 2:
        if (text[0] if form == DIGITS else text[-1]) != "0":
            raise Iso8583Error(number, "its padding is not zero")
        text = text[1:] if form == DIGITS else text[:-1]
    return text, at


def _slice(view: memoryview, at: int, octets: int, number: int) -> memoryview:
    if at + octets > len(view):
        raise Iso8583Error(number, "truncated")
    return view[at : at + octets]


def _put_digits(view: memoryview, at: int, text: str, count: int, where: "int | str") -> None:
    if len(text) != count:
        raise Iso8583Error(where, f"takes {count} digits")
    _pack(view[at : at + count // 2], text.encode(), DIGITS, where)


def _digits(part: memoryview, where: "int | str") -> str:
    text = hexlify(part).decode()  # type: ignore[arg-type]  # the stub: bytes only
    _check_digits(text, where)
    return text


def _check_digits(text: str, where: "int | str") -> None:
    if text and not text.isdigit():
        raise Iso8583Error(where, "holds something that is no digit")


def _latin(text: str, number: int) -> bytes:
    """A str of characters up to 255 as one byte each."""
    for char in text:
        if ord(char) > 0xFF:
            raise Iso8583Error(number, "holds a character of more than one byte")
    return bytes(ord(char) for char in text)

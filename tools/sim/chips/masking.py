"""What of an APDU may be seen: the timeline shows every byte that is no secret.

A PAN is shown as its first six and last four digits, wherever a BER-TLV element of a response or
of a command's data carries it. Track data keeps the masked PAN only. A PIN, clear or enciphered,
is not shown.
Masked nibbles are written `*`, so the hex keeps its length and its decoding.
"""

from collections.abc import Iterator

PAN_TAGS = {0x5A}
PIN_TAGS = {0x99}
TRACK_TAGS = {0x57, 0x9F6B, 0x56, 0x9F1F, 0x9F20}
VERIFY = 0x20
CHANGE_REFERENCE_DATA = 0x24
RESET_RETRY_COUNTER = 0x2C
PIN_COMMANDS = {VERIFY, CHANGE_REFERENCE_DATA, RESET_RETRY_COUNTER}


def masked_apdu(command: bytes, response: bytes) -> tuple[str, str]:
    """Command and response as upper-case hex with the secrets starred out."""
    shown = command.hex().upper()
    data_length = command[4] if len(command) > 5 else 0
    if len(command) > 5 and command[1] in PIN_COMMANDS:
        shown = shown[:10] + "*" * (2 * data_length) + shown[10 + 2 * data_length :]
    else:
        shown = shown[:10] + masked(command[5 : 5 + data_length]) + shown[10 + 2 * data_length :]
    answer = response.hex().upper()
    return shown, masked(response[:-2]) + answer[-4:]


def masked(data: bytes) -> str:
    """Data of a command or an answer as upper-case hex, the elements in it starred out."""
    nibbles = list(data.hex().upper())
    for tag, start, end in _elements(data, 0, len(data)):
        _mask_element(nibbles, tag, start, end)
    return _mask_loose_tracks("".join(nibbles))


def masked_value(tag: int, value: bytes) -> str:
    """One element's value as upper-case hex, starred out where its tag says so."""
    nibbles = list(value.hex().upper())
    _mask_element(nibbles, tag, 0, len(value))
    return _mask_loose_tracks("".join(nibbles))


def _mask_element(nibbles: list[str], tag: int, start: int, end: int) -> None:
    if tag in PAN_TAGS:
        _mask_digits(nibbles, 2 * start, _digits_end(nibbles, 2 * start, 2 * end))
    elif tag in TRACK_TAGS:
        _mask_track(nibbles, tag, start, end)
    elif tag in PIN_TAGS:
        nibbles[2 * start : 2 * end] = "*" * (2 * (end - start))


def _digits_end(nibbles: list[str], start: int, end: int) -> int:
    """Where the decimal digits that begin at `start` stop."""
    while start < end and nibbles[start].isdigit():
        start += 1
    return start


def _mask_digits(nibbles: list[str], start: int, end: int) -> None:
    """Star a PAN's middle; one too short to have a middle is starred whole."""
    kept_front, kept_back = (6, 4) if end - start > 10 else (0, 0)
    for i in range(start + kept_front, end - kept_back):
        nibbles[i] = "*"


def _mask_track(nibbles: list[str], tag: int, start: int, end: int) -> None:
    first, last = 2 * start, 2 * end
    if tag in (0x57, 0x9F6B):
        digits = _digits_end(nibbles, first, last)
        _mask_digits(nibbles, first, digits)
        first = digits
    for i in range(first, last):
        nibbles[i] = "*"


def _mask_loose_tracks(text: str) -> str:
    """A track 2 equivalent outside any element (for example a PDOL's values) is starred too."""
    at = text.find("D")
    while at >= 0:
        begin = at
        while begin > 0 and text[begin - 1].isdigit():
            begin -= 1
        digits, service = text[begin:at], text[at + 1 : at + 8]
        if 13 <= len(digits) and len(service) == 7 and service.isdigit():
            digits = digits[-19:]
            begin = at - len(digits)
            end = at + 1
            while end < len(text) and text[end].isdigit():
                end += 1
            hidden = digits[:6] + "*" * (len(digits) - 10) + digits[-4:]
            text = text[:begin] + hidden + "*" * (end - at) + text[end:]
        at = text.find("D", at + 1)
    return text


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Every BER-TLV element of a range as (tag, value start, value end), templates opened.

    Stops at the first thing that is not TLV; a length past the end counts up to the end."""
    while start < end:
        if data[start] in (0x00, 0xFF):
            start += 1
            continue
        first = tag = data[start]
        start += 1
        if first & 0x1F == 0x1F:
            while start < end:
                tag = tag << 8 | data[start]
                start += 1
                if not data[start - 1] & 0x80:
                    break
        if start >= end:
            return
        length = data[start]
        start += 1
        if length & 0x80:
            width = length & 0x7F
            length = int.from_bytes(data[start : start + width], "big")
            start += width
        stop = min(start + length, end)
        if start > end:
            return
        yield tag, start, stop
        if first & 0x20:
            yield from _elements(data, start, stop)
        start = stop

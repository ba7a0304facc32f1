"""What of an APDU may be seen: the timeline shows every byte that is no secret.

A PAN is shown as its first six and last four digits, wherever a BER-TLV element of a response or
of a command's data carries it. Track data keeps the masked PAN only. A PIN, clear or enciphered,
and the cardholder's name are not shown.

Where no tag says what bytes are (template 80, an unknown tag, an answer that is no TLV), digits
that can be a card number are taken for one: 13 to 19 from a byte's beginning, the first from 2 to
6, the last a right check digit (ISO/IEC 7812-1). The values of a list (GET PROCESSING OPTIONS,
GENERATE AC) are not searched so, since amounts and dates are such digits often enough; who knows
the card or the list says what is in them.
Masked nibbles are written `*`, so the hex keeps its length and its decoding.
"""

import re
from collections.abc import Iterable, Iterator

from tools.emv import dictionary, tree

PAN_TAGS = {0x5A}
PIN_TAGS = {0x99}
NAME_TAGS = {0x5F20, 0x9F0B}
TRACK_TAGS = {0x57, 0x9F6B, 0x56, 0x9F1F, 0x9F20}
VERIFY = 0x20
CHANGE_REFERENCE_DATA = 0x24
RESET_RETRY_COUNTER = 0x2C
PIN_COMMANDS = {VERIFY, CHANGE_REFERENCE_DATA, RESET_RETRY_COUNTER}
LIST_COMMANDS = {0xA8, 0xAE}
# Their data have no tags: values of a CDOL or a DDOL, and what the issuer answered.
UNTAGGED_COMMANDS = {0xAE, 0x88, 0x82}

_TEMPLATE_WITHOUT_TAGS = 0x80
_PAN_SIZES = range(13, 20)
_TEXT_PAN = re.compile(r"(?:3[0-9]){13,19}")


def masked_apdu(command: bytes, response: bytes, pans: Iterable[str] = ()) -> tuple[str, str]:
    """Command and response as upper-case hex with the secrets starred out.

    pans: the card's own numbers, where they are known; they are starred wherever they stand.
    """
    shown = command.hex().upper()
    size = max(command[4], len(command) - 6) if len(command) > 5 else 0
    data = command[5 : 5 + size]
    if len(command) > 5 and command[1] in PIN_COMMANDS:
        hidden = "*" * (2 * len(data))
    else:
        kind = command[1] if len(command) > 5 else 0
        hidden = masked(data, kind in LIST_COMMANDS, kind in UNTAGGED_COMMANDS)
    shown = shown[:10] + hidden + shown[10 + 2 * len(data) :]
    answer = masked(response[:-2]) + response.hex().upper()[-4:]
    return _mask_known(shown, pans), _mask_known(answer, pans)


def masked(data: bytes, listed: bool = False, untagged: bool = False) -> str:
    """Data of a command or an answer as upper-case hex, the elements in it starred out.

    listed: they are the values of a list, and not to be searched for what looks like a number.
    untagged: nothing in them is a tag, so what reads as a longer element than there can be is
    none (a response code `Z1` is no PAN of 49 bytes); a shorter one is starred all the same.
    """
    nibbles = list(data.hex().upper())
    for tag, start, end in _elements(data, 0, len(data)):
        if not (untagged and end - start > _longest(tag)):
            _mask_element(nibbles, tag, start, end)
    nibbles = list(_mask_loose_tracks("".join(nibbles)))
    for start, end in () if listed else _untold(data):
        _mask_numbers(nibbles, start, end)
    return "".join(nibbles)


def masked_value(tag: int, value: bytes) -> str:
    """One element's value as upper-case hex, starred out where its tag says so."""
    nibbles = list(value.hex().upper())
    _mask_element(nibbles, tag, 0, len(value))
    nibbles = list(_mask_loose_tracks("".join(nibbles)))
    if _says_nothing(tag):
        _mask_numbers(nibbles, 0, len(value))
    return "".join(nibbles)


def _longest(tag: int) -> int:
    row = dictionary.find(tag)
    return row.longest if row is not None else 0


def _mask_known(shown: str, pans: Iterable[str]) -> str:
    for pan in pans:
        shown = shown.replace(pan, pan[:6] + "*" * (len(pan) - 10) + pan[-4:])
    return shown


def _says_nothing(tag: int) -> bool:
    """Whether a tag does not say what its value is made of."""
    return tag == _TEMPLATE_WITHOUT_TAGS or dictionary.find(tag) is None


def _untold(data: bytes) -> list[tuple[int, int]]:
    """The stretches of which no tag says what they are: all of it when it is no TLV."""
    nodes = tree.try_parse(data)
    if not nodes:
        return [(0, len(data))]
    ranges = ((node.tag, _value_at(data, node), len(node.value)) for node in tree.leaves(nodes))
    return [(start, start + size) for tag, start, size in ranges if _says_nothing(tag)]


def _value_at(data: bytes, node: tree.Node) -> int:
    """Where a node's value begins: behind its tag and length."""
    tag_size = (node.tag.bit_length() + 7) // 8
    first = data[node.at + tag_size]
    return node.at + tag_size + 1 + (first & 0x7F if first & 0x80 else 0)


def _mask_numbers(nibbles: list[str], start: int, end: int) -> None:
    """Star the middle of everything that can be a card number, in BCD or in ASCII."""
    text = "".join(nibbles[2 * start : 2 * end])
    for at in range(0, len(text), 2):
        for size in _PAN_SIZES:
            if _is_number(text[at : at + size], size):
                _mask_digits(nibbles, 2 * start + at, 2 * start + at + size)
    for found in _TEXT_PAN.finditer(text):
        digits = found.group()[1::2]
        if found.start() % 2 == 0 and _is_number(digits, len(digits)):
            begin = 2 * start + found.start()
            for i in range(begin + 12, begin + len(found.group()) - 8):
                nibbles[i] = "*"


def _is_number(digits: str, size: int) -> bool:
    """So many digits with an issuer's first one and a right check digit."""
    if len(digits) != size or not digits.isdecimal() or digits[0] not in "23456":
        return False
    doubled = (int(digit) * 2 for digit in digits[-2::-2])
    total = sum(each - 9 if each > 9 else each for each in doubled)
    return (total + sum(int(digit) for digit in digits[-1::-2])) % 10 == 0


def _mask_element(nibbles: list[str], tag: int, start: int, end: int) -> None:
    if tag in PAN_TAGS:
        _mask_digits(nibbles, 2 * start, _digits_end(nibbles, 2 * start, 2 * end))
    elif tag in TRACK_TAGS:
        _mask_track(nibbles, tag, start, end)
    elif tag in PIN_TAGS or tag in NAME_TAGS:
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

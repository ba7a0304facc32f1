"""Unicode to GB 18030, the printers' character set.

MicroPython's own encode('gb18030') silently gives UTF-8.
Two-byte characters come from a table of some 31 KB, or are computed: GBK lays the ideographs that
GB 2312 lacks out in code point order. Four-byte characters are computed (GB 18030-2000, annex).
"""

import gbtable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_HAN_FIRST = const(0x4E00)
_HAN_LAST = const(0x9FA5)
# GBK/3, 8140..A0FE, holds 190 a row without 7F; what does not fit goes to GBK/4, AA40..FEA0.
_GBK3 = const(6080)


def encode(text: str) -> bytes:
    """`text` in GB 18030. Surrogates and private-use characters become '?'."""
    out = bytearray()
    for point in points(text):
        if point < 0x80:
            out.append(point)
        elif 0xD800 <= point < 0xF900:
            out.append(0x3F)
        else:
            _append(out, point)
    return bytes(out)


def points(text: str) -> "Iterator[int]":
    """The code points of `text`.

    `for character in text` would do, but MicroPython keeps each different character it ever cut
    out of a string in its table of names, for good: some 17 bytes for every ideograph shown.
    """
    point = left = 0
    for byte in text.encode():
        if left:
            point = point << 6 | byte & 0x3F
            left -= 1
        elif byte < 0x80:
            point = byte
        elif byte < 0xE0:
            point, left = byte & 0x1F, 1
        elif byte < 0xF0:
            point, left = byte & 0x0F, 2
        else:
            point, left = byte & 0x07, 3
        if not left:
            yield point


def code(point: int) -> int:
    """The two-byte code of a character of GB 2312 (or another in the table), otherwise 0."""
    at = _bisect(gbtable.POINTS, point)
    if at and _word(gbtable.POINTS, at - 1) == point:
        return _word(gbtable.CODES, at - 1)
    return 0


def _append(out: bytearray, point: int) -> None:
    double = code(point)
    if not double and _HAN_FIRST <= point <= _HAN_LAST:
        double = _gbk(point)
    if double:
        out.append(double >> 8)
        out.append(double & 0xFF)
        return
    if point >= 0x10000:
        linear = 189000 + point - 0x10000  # 90308130
    else:
        run = _bisect(gbtable.STARTS, point) - 1
        linear = _word(gbtable.LINEARS, run) + point - _word(gbtable.STARTS, run)
    out.append(0x81 + linear // 12600)
    out.append(0x30 + linear // 1260 % 10)
    out.append(0x81 + linear // 10 % 126)
    out.append(0x30 + linear % 10)


def _gbk(point: int) -> int:
    """The code of an ideograph of U+4E00..9FA5 that GB 2312 lacks: by its rank among these."""
    listed = _bisect(gbtable.POINTS, point) - _bisect(gbtable.POINTS, _HAN_FIRST - 1)
    rank = point - _HAN_FIRST - listed
    if rank < _GBK3:
        row, cell = 0x81 + rank // 190, 0x40 + rank % 190
    else:
        rank -= _GBK3
        row, cell = 0xAA + rank // 96, 0x40 + rank % 96
    return row << 8 | (cell + 1 if cell >= 0x7F else cell)


def _bisect(words: bytes, value: int) -> int:
    """How many of the sorted `words` are not above `value`."""
    low, high = 0, len(words) // 2
    while low < high:
        middle = (low + high) // 2
        if _word(words, middle) <= value:
            low = middle + 1
        else:
            high = middle
    return low


def _word(words: bytes, at: int) -> int:
    return words[2 * at] | words[2 * at + 1] << 8

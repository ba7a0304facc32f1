"""BER-TLV as EMV uses it, and data object lists: strict, bounded, over any buffer without copies.

Tags are integers of up to three bytes, lengths at most 65535 in definite form (Book 3 Annex B).
Every fault in the data is a TlvError; nothing reads past `end`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_DEPTH = 5  # templates within templates; EMV itself nests four


class TlvError(ValueError):
    """The bytes are not what the coding rules allow. `str(error)` says what and where."""


def read_tag(data: "bytes | bytearray | memoryview", at: int, end: int) -> "tuple[int, int]":
    """The tag at `at` and the position behind it (Annex B1)."""
    if at >= end:
        raise TlvError("the data end before a tag")
    tag = data[at]
    at += 1
    if tag & 0x1F != 0x1F:
        return tag, at
    for _ in range(2):
        if at >= end:
            raise TlvError("the data end within a tag")
        tag = tag << 8 | data[at]
        at += 1
        if not tag & 0x80:
            return tag, at
    raise TlvError("a tag has more than three bytes")


def read_header(
    data: "bytes | bytearray | memoryview", at: int, end: int
) -> "tuple[int, int, int]":
    """The tag at `at`, and where its value begins and ends; the length is of one to three bytes
    (Annex B2). 81 below 128 is put up with."""
    tag, at = read_tag(data, at, end)
    if at >= end:
        raise TlvError("the data end before a length")
    length = data[at]
    at += 1
    if length >= 0x80:
        size = length & 0x7F
        if size == 0 or size > 2:
            raise TlvError("a length of this form is not allowed")
        if at + size > end:
            raise TlvError("the data end within a length")
        length = data[at]
        if size == 2:
            length = length << 8 | data[at + 1]
        at += size
    if at + length > end:
        raise TlvError(f"{tag:X} is longer than what holds it")
    return tag, at, at + length


def walk(
    data: "bytes | bytearray | memoryview", start: int = 0, end: "int | None" = None
) -> "Iterator[tuple[int, int, int]]":
    """Each object of one level: (tag, where its value begins, where it ends).

    Zero bytes between objects mean nothing and are skipped (Annex B1).
    """
    if end is None:
        end = len(data)
    at = start
    while at < end:
        if data[at] == 0:
            at += 1
            continue
        found = read_header(data, at, end)
        yield found
        at = found[2]


def is_constructed(tag: int) -> bool:
    """Whether the tag's value is made of objects (bit 6 of the first byte)."""
    while tag > 0xFF:
        tag >>= 8
    return bool(tag & 0x20)


def leaves(
    data: "bytes | bytearray | memoryview",
    start: int = 0,
    end: "int | None" = None,
    depth: int = MAX_DEPTH,
) -> "Iterator[tuple[int, int, int]]":
    """Each primitive object at any depth, in order. TlvError beyond `depth` templates."""
    ends = [len(data) if end is None else end]
    at = start
    while ends:
        limit = ends[-1]
        if at == limit:
            ends.pop()
        elif data[at] == 0:
            at += 1
        else:
            found = read_header(data, at, limit)
            if not data[at] & 0x20:
                yield found
                at = found[2]
            elif len(ends) == depth:
                raise TlvError("templates are nested too deeply")
            else:
                ends.append(found[2])
                at = found[1]


def encode_tag(tag: int) -> bytes:
    """The tag's bytes."""
    size = 1 if tag < 0x100 else 2 if tag < 0x10000 else 3
    return tag.to_bytes(size, "big")


def encode_length(length: int) -> bytes:
    """The shortest length field. ValueError beyond 65535."""
    if length < 0x80:
        return bytes((length,))
    if length < 0x100:
        return bytes((0x81, length))
    if length < 0x10000:
        return bytes((0x82, length >> 8, length & 0xFF))
    raise ValueError("a length has at most two bytes")


def encode(tag: int, value: "bytes | bytearray | memoryview") -> bytes:
    """One object."""
    return encode_tag(tag) + encode_length(len(value)) + bytes(value)


def dol(
    data: "bytes | bytearray | memoryview", start: int = 0, end: "int | None" = None
) -> "Iterator[tuple[int, int]]":
    """A data object list's entries: (tag, length wanted) (Book 3 5.4). Lengths are one byte."""
    if end is None:
        end = len(data)
    at = start
    while at < end:
        tag, at = read_tag(data, at, end)
        if at >= end:
            raise TlvError("the list ends before a length")
        yield tag, data[at]
        at += 1


def fit(
    value: "bytes | bytearray | memoryview | None",
    wanted: int,
    kind: str,
    target: "bytearray | memoryview",
    at: int,
) -> None:
    """Write `value` as `wanted` bytes at `target[at:]`, cut or filled by its format (Book 3 5.4).

    kind: the dictionary's format. n keeps its right-most digits and is filled with zeros on the
    left; cn is filled with F on the right; every other keeps its left-most bytes and is filled
    with zeros on the right. None, an absent or unknown element, is zeros.
    """
    if value is None:
        target[at : at + wanted] = bytes(wanted)
        return
    size = len(value)
    used = min(size, wanted)
    if kind == "n":
        target[at : at + wanted] = bytes(wanted - used) + bytes(value[size - used :])
    else:
        fill = b"\xff" if kind == "cn" else b"\0"
        target[at : at + wanted] = bytes(value[:used]) + fill * (wanted - used)

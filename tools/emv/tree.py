"""BER-TLV as a tree that keeps order and repeats, and data object lists (Book 3 Annex B, 5.4).

pyemv's decoder gives a dictionary: of a directory with three applications it shows one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tools.emv.errors import DecodeError

MAX_DEPTH = 16


@dataclass(frozen=True)
class Node:
    """One object. `children` is None for a primitive one; `at` is the offset of its tag."""

    tag: int
    value: bytes
    at: int = 0
    children: list[Node] | None = field(default=None)


def parse(data: bytes, depth: int = MAX_DEPTH, offset: int = 0) -> list[Node]:
    """All objects of one level and what is in them. DecodeError says what is wrong and where."""
    nodes, at = [], 0
    while at < len(data):
        if data[at] in (0x00, 0xFF):  # filling between objects (Annex B1; ISO 7816-4 5.2.2)
            at += 1
            continue
        begin = at
        tag, at = _tag(data, at, offset)
        size, at = _length(data, at, offset)
        if at + size > len(data):
            raise DecodeError(
                f"{tag:X} at byte {offset + begin} says {size} bytes, {len(data) - at} are there"
            )
        value, children = data[at : at + size], None
        if is_constructed(tag):
            if depth == 0:
                raise DecodeError("templates are nested too deeply")
            children = parse(value, depth - 1, offset + at)
        nodes.append(Node(tag, value, offset + begin, children))
        at += size
    return nodes


def try_parse(data: bytes) -> list[Node]:
    """As `parse`; nothing when the bytes are no TLV."""
    try:
        return parse(data)
    except DecodeError:
        return []


def _tag(data: bytes, at: int, offset: int) -> tuple[int, int]:
    tag = data[at]
    at += 1
    if tag & 0x1F != 0x1F:
        return tag, at
    for _ in range(3):
        if at >= len(data):
            raise DecodeError("the data end within a tag")
        tag = tag << 8 | data[at]
        at += 1
        if not data[at - 1] & 0x80:
            return tag, at
    raise DecodeError(f"a tag of more than four bytes at byte {offset + at - 4}")


def _length(data: bytes, at: int, offset: int) -> tuple[int, int]:
    if at >= len(data):
        raise DecodeError("the data end before a length")
    first = data[at]
    at += 1
    if first < 0x80:
        return first, at
    width = first & 0x7F
    if not 1 <= width <= 3:
        raise DecodeError(f"the length at byte {offset + at - 1} has a form EMV does not have")
    if at + width > len(data):
        raise DecodeError("the data end within a length")
    return int.from_bytes(data[at : at + width], "big"), at + width


def is_constructed(tag: int) -> bool:
    """Whether the tag's value is made of objects (bit 6 of the tag's first byte)."""
    while tag > 0xFF:
        tag >>= 8
    return bool(tag & 0x20)


def walk(nodes: list[Node], depth: int = 0) -> Iterator[tuple[int, Node]]:
    """Every object with its depth, a template before what is in it."""
    for node in nodes:
        yield depth, node
        if node.children is not None:
            yield from walk(node.children, depth + 1)


def leaves(nodes: list[Node]) -> Iterator[Node]:
    """The primitive objects."""
    return (node for _, node in walk(nodes) if node.children is None)


def first(nodes: list[Node], tag: int) -> bytes | None:
    """The value of the first object `tag` at any depth, or None."""
    return next((node.value for _, node in walk(nodes) if node.tag == tag), None)


def encode(tag: int, value: bytes) -> bytes:
    """One object, its length as short as can be; values of up to 65535 bytes."""
    head = tag.to_bytes((tag.bit_length() + 7) // 8 or 1, "big")
    size = len(value)
    if size < 0x80:
        return head + bytes((size,)) + value
    width = 1 if size < 0x100 else 2
    return head + bytes((0x80 | width,)) + size.to_bytes(width, "big") + value


def dol(data: bytes) -> list[tuple[int, int]]:
    """A data object list's (tag, length) pairs. DecodeError for one that ends too early."""
    found, at = [], 0
    while at < len(data):
        tag, at = _tag(data, at, 0)
        if at >= len(data):
            raise DecodeError(f"the list ends before the length of {tag:X}")
        found.append((tag, data[at]))
        at += 1
    return found


def split(entries: list[tuple[int, int]], data: bytes) -> list[tuple[int, bytes]]:
    """The values of a list's entries. DecodeError unless `data` is as long as the list says."""
    wanted = sum(length for _, length in entries)
    if wanted != len(data):
        raise DecodeError(f"{len(data)} bytes for a list that asks for {wanted}")
    found, at = [], 0
    for tag, length in entries:
        found.append((tag, data[at : at + length]))
        at += length
    return found

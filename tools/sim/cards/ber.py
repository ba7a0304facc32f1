"""BER-TLV as a card writes it, and DOL answers as a card reads them (Book 3 Annex B, 5.4)."""

from __future__ import annotations

from collections.abc import Iterator


class ListMismatch(ValueError):
    """The terminal's data have not the length that the card's DOL asks for."""


def tlv(tag: str, *values: bytes) -> bytes:
    """One object: `tag` in hex, the values joined."""
    value = b"".join(values)
    return bytes.fromhex(tag) + length(len(value)) + value


def counted(value: bytes) -> bytes:
    """One byte of length, then the value."""
    return bytes((len(value),)) + value


def length(size: int) -> bytes:
    """A length field, definite, as short as can be."""
    if size < 0x80:
        return bytes((size,))
    return bytes((0x81, size)) if size < 0x100 else bytes((0x82, size >> 8, size & 0xFF))


def dol(text: str) -> bytes:
    """A DOL from its readable form: '9F02:6 95:5 9A:3'."""
    entries = (entry.split(":") for entry in text.split())
    return b"".join(bytes.fromhex(tag) + bytes((int(size),)) for tag, size in entries)


def entries(dol: bytes) -> Iterator[tuple[str, int]]:
    """Tag (hex) and length of each of a DOL's entries."""
    at = 0
    while at < len(dol):
        end = at + 1
        if dol[at] & 0x1F == 0x1F:
            while dol[end] & 0x80:
                end += 1
            end += 1
        yield dol[at:end].hex().upper(), dol[end]
        at = end + 1


def size(dol: bytes) -> int:
    """How many bytes of values a DOL asks for."""
    return sum(size for _, size in entries(dol))


def split(dol: bytes, data: bytes) -> dict[str, bytes]:
    """The terminal's values by tag. ListMismatch unless `data` is as long as the DOL says."""
    values, at = {}, 0
    for tag, size in entries(dol):
        values[tag] = data[at : at + size]
        at += size
    if at != len(data):
        raise ListMismatch(f"{len(data)} bytes for a list of {at}")
    return values

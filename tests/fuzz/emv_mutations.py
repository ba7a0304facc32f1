"""What a broken or hostile card may do to an answer, by a seeded generator. Runs in MicroPython.

A mutation takes the card's true answer and the chance, and gives what the terminal gets instead;
CardRemoved and CardSilent are two of them. A sticky one holds from its APDU to the end: that is
how loops and directories without end arise.
"""

from emv_objects import encoded, parse, places
from errors import CardRemoved, CardSilent

_MASK = 0xFFFFFFFF
_OK = b"\x90\x00"
_WORDS = bytes.fromhex(
    "9000 6100 6110 6C00 6C01 6283 6300 63C0 6400 6700 6983 6984 6985 6986"
    "6A80 6A81 6A82 6A83 6A88 6D00 6E00 6F00 0000 FFFF"
)
# Tags that steer a transaction: where a wrong one may do harm.
_TAGS = (
    b"\x94", b"\x82", b"\x84", b"\x4f", b"\x57", b"\x5a", b"\x5f\x24", b"\x8c", b"\x8d", b"\x8e",
    b"\x8f", b"\x90", b"\x92", b"\x93", b"\x95", b"\x9f\x02", b"\x9f\x10", b"\x9f\x26",
    b"\x9f\x27", b"\x9f\x36", b"\x9f\x37", b"\x9f\x38", b"\x9f\x4b", b"\x9f\x69", b"\x9f\x6c",
    b"\x70", b"\x77", b"\x80", b"\x6f", b"\xa5", b"\xbf\x0c", b"\x61", b"\x1f", b"\xff\xff\xff",
)  # fmt: skip
_LENGTHS = b"\x00\x01\x7f\x80\x81\x82\x83\x84\xff"


class Chance:
    """Marsaglia's xorshift of 32 bits: the same seed, the same conversation."""

    def __init__(self, seed: int) -> None:
        self.state = (seed * 40503 + 0x9E3779B9) & _MASK or 1
        for _ in range(4):
            self.below(2)

    def below(self, limit: int) -> int:
        """A number from 0 to `limit` - 1."""
        x = self.state
        x ^= x << 13 & _MASK
        x ^= x >> 17
        x ^= x << 5 & _MASK
        self.state = x
        return x % limit

    def bytes(self, size: int) -> bytes:
        """Any bytes."""
        return bytes(self.below(256) for _ in range(size))


def truncated(answer: bytes, chance: Chance) -> bytes:
    """Cut anywhere; half the time with the status word behind the cut."""
    cut = chance.below(len(answer))
    return answer[:cut] + (answer[-2:] if chance.below(2) else b"")


def flipped(answer: bytes, chance: Chance) -> bytes:
    """One to three bits inverted."""
    changed = bytearray(answer)
    for _ in range(1 + chance.below(3)):
        changed[chance.below(len(changed))] ^= 1 << chance.below(8)
    return bytes(changed)


def patched(answer: bytes, chance: Chance) -> bytes:
    """One byte is another, of those that mean something as a length."""
    changed = bytearray(answer)
    changed[chance.below(len(changed))] = _LENGTHS[chance.below(len(_LENGTHS))]
    return bytes(changed)


def status(answer: bytes, chance: Chance) -> bytes:
    """Another status word, with or without the data."""
    at = 2 * chance.below(len(_WORDS) // 2)
    word = _WORDS[at : at + 2] if chance.below(4) else chance.bytes(2)
    return (answer[:-2] if chance.below(2) else b"") + word


def rubbish(answer: bytes, chance: Chance) -> bytes:
    """Up to 300 random bytes, sometimes with a good status word."""
    return chance.bytes(chance.below(300 if chance.below(4) == 0 else 24)) + (
        _OK if chance.below(2) else b""
    )


def gone(answer: bytes, chance: Chance) -> bytes:
    """Pulled."""
    raise CardRemoved("the card was pulled")


def silent(answer: bytes, chance: Chance) -> bytes:
    """Mute from here on."""
    raise CardSilent("the card is silent")


def endless(answer: bytes, chance: Chance) -> bytes:
    """61xx or 6Cxx, with data or without; sticky, it never ends."""
    word = bytes((0x61 if chance.below(2) else 0x6C, chance.below(256)))
    return (answer[:-2] if chance.below(2) else b"") + word


def _surgery(answer: bytes, chance: Chance, cut: object) -> bytes:
    """Change the tree of objects and write it anew, lengths set right."""
    nodes = parse(answer[:-2])
    if not nodes:
        return flipped(answer, chance)
    found = places(nodes, [])
    siblings, number = found[chance.below(len(found))]
    cut(siblings, number, chance)
    return encoded(nodes) + answer[-2:]


def _remove(siblings: list, number: int, chance: Chance) -> None:
    del siblings[number]


def _duplicate(siblings: list, number: int, chance: Chance) -> None:
    siblings.insert(chance.below(len(siblings) + 1), siblings[number])


def _rename(siblings: list, number: int, chance: Chance) -> None:
    siblings[number] = [_TAGS[chance.below(len(_TAGS))], siblings[number][1]]


def _revalue(siblings: list, number: int, chance: Chance) -> None:
    """Another value: of the same length or not, random, zeros or all ones."""
    old = siblings[number][1]
    size = len(encoded(old)) if isinstance(old, list) else len(old)
    if chance.below(3) == 0:
        size = chance.below(2 * size + 2)
    kind = chance.below(4)
    value = chance.bytes(size) if kind < 2 else bytes((0xFF if kind == 2 else 0,)) * size
    siblings[number] = [siblings[number][0], value]


def _insert(siblings: list, number: int, chance: Chance) -> None:
    """An element that does not belong here."""
    tag = _TAGS[chance.below(len(_TAGS))]
    siblings.insert(number, [tag, chance.bytes(chance.below(40))])


def removed(answer: bytes, chance: Chance) -> bytes:
    """An element is missing."""
    return _surgery(answer, chance, _remove)


def duplicated(answer: bytes, chance: Chance) -> bytes:
    """An element is there twice."""
    return _surgery(answer, chance, _duplicate)


def renamed(answer: bytes, chance: Chance) -> bytes:
    """An element has another's tag."""
    return _surgery(answer, chance, _rename)


def revalued(answer: bytes, chance: Chance) -> bytes:
    """An element has another value."""
    return _surgery(answer, chance, _revalue)


def inserted(answer: bytes, chance: Chance) -> bytes:
    """An element too many."""
    return _surgery(answer, chance, _insert)


def _steered(answer: bytes, tag: bytes, value: bytes) -> bytes:
    """Give an element a value; format 1 answers (80) have AFL and 9F27 by position."""
    nodes = parse(answer[:-2]) or []
    for siblings, number in places(nodes, []):
        name, old = siblings[number]
        if name == tag:
            siblings[number] = [name, value]
        elif name == b"\x80" and not isinstance(old, list):
            new = old[:2] + value if tag == b"\x94" else value + old[1:]
            siblings[number] = [name, new]
    return encoded(nodes) + answer[-2:]


def located(answer: bytes, chance: Chance) -> bytes:
    """An AFL of many entries, of whole files of 255 records, or of files that cannot be."""
    entry = bytearray()
    if chance.below(2):
        for _ in range(1 + chance.below(3)):  # one that can be, and is long
            entry.extend(bytes((8 + (chance.below(30) << 3), 1, 1 + chance.below(40), 0)))
        return _steered(answer, b"\x94", bytes(entry))
    for _ in range(1 + chance.below(60)):
        entry.append(chance.below(32) << 3 if chance.below(4) else chance.below(256))
        low = 1 if chance.below(4) else chance.below(256)
        entry.extend(bytes((low, 255 if chance.below(2) else chance.below(256), chance.below(4))))
    return _steered(answer, b"\x94", bytes(entry))


def decided(answer: bytes, chance: Chance) -> bytes:
    """The cryptogram is said to be of another kind: an ARQC or AAC passed off as a TC."""
    return _steered(answer, b"\x9f\x27", bytes(((0, 0x40, 0x40, 0x80, 0xC0)[chance.below(5)],)))


def multiplied(answer: bytes, chance: Chance) -> bytes:
    """A directory entry or FCI with another name each time, for directories without end."""
    tag = b"\x4f" if chance.below(2) else b"\x84"
    name = b"\xa0\x00\x00\x03\x33\x01\x01" + chance.bytes(1 + chance.below(8))
    return _steered(answer, tag, name)


ALL = (
    truncated, flipped, patched, status, rubbish, gone, silent, endless, removed, duplicated,
    renamed, revalued, inserted, located, decided, multiplied,
)  # fmt: skip

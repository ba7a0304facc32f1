"""Where a transaction's data live: one preallocated buffer, an index of tags, and a wipe.

Answers are kept as they came and the elements in them are found by position, so nothing is copied
and nothing of the card is left on the heap. Elements of the terminal stand in the same buffer.
"""

import tlv

from emv import elements as e
from emv.errors import CardDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SIZE = 4096
_ZEROS = bytes(512)
_SHIFT = 13  # a length of up to 8191 below the offset, in one small integer


class Store:
    """Elements by tag. `owner` is the session that is using it; `clear` belongs to its end.

    memory: the whole buffer; `size` is a multiple of 512.
    """

    def __init__(self, size: int = SIZE) -> None:
        self.buffer = bytearray(size)
        self.memory = memoryview(self.buffer)
        self._index: dict[int, int] = {}
        self.used = 0
        self.owner: object = None

    def clear(self) -> None:
        """Overwrite the whole buffer and forget every element."""
        for at in range(0, len(self.buffer), len(_ZEROS)):
            self._write(at, _ZEROS)
        self._index.clear()
        self.used = 0
        self.owner = None

    def append(self, data: "bytes | memoryview", size: int) -> int:
        """Keep the first `size` bytes of an answer; their offset. CardDataError when full."""
        at = self.used
        if at + size > len(self.buffer):
            raise CardDataError("the card has more data than this terminal holds")
        self._write(at, memoryview(data)[:size])
        self.used = at + size
        return at

    def _write(self, at: int, value: "bytes | memoryview") -> None:
        """Copy `value` to `at`. MicroPython's assignment to a slice moves all that stands behind
        it, so the view is narrowed first: for this buffer a tenth of the instructions."""
        self.memory[at : at + len(value)][:] = value

    def release(self, at: int) -> None:
        """Give up what was appended since `at`, unless an element stands in it."""
        self.used = at

    def point(self, tag: int, begin: int, end: int) -> None:
        """Let `tag` mean these bytes of the buffer."""
        self._index[tag] = begin << _SHIFT | (end - begin)

    def put(self, tag: int, value: "bytes | memoryview") -> None:
        """Set an element, in place when it had the same length."""
        place = self._index.get(tag)
        if place is not None and place & (1 << _SHIFT) - 1 == len(value):
            self._write(place >> _SHIFT, value)
            return
        at = self.append(value, len(value))
        self.point(tag, at, at + len(value))

    def drop(self, tag: int) -> None:
        """Forget an element."""
        self._index.pop(tag, None)

    def view(self, tag: int) -> "memoryview | None":
        """The element's bytes where they stand, or None. Valid until the session is wiped."""
        place = self._index.get(tag)
        if place is None:
            return None
        at = place >> _SHIFT
        return self.memory[at : at + (place & (1 << _SHIFT) - 1)]

    def need(self, tag: int) -> memoryview:
        """As `view`. CardDataError when the element is not there and nothing can go on."""
        view = self.view(tag)
        if view is None:
            raise CardDataError(f"there is no {tag:X}")
        return view

    def get(self, tag: int) -> "bytes | None":
        """A copy of the element, or None. For PAN and track use `view`."""
        view = self.view(tag)
        return None if view is None else bytes(view)

    def __contains__(self, tag: int) -> bool:
        return tag in self._index

    def tags(self) -> "list[int]":
        """Every element there is, in order of tags."""
        return sorted(self._index)

    def learn(self, leaves: "Iterable[tuple[int, int, int]]", repeats: bool = False) -> None:
        """Index elements that the card gave: (tag, begin, end) in this buffer.

        Only elements whose source is the card count (a card does not tell the terminal its own
        data), and empty ones are absent. A length that the dictionary does not allow, or an
        element given twice, is a CardDataError (Book 3 7.5, 10.2); with `repeats` the second
        may be there if it says the same.
        """
        index, find = self._index, e.find
        for tag, begin, end in leaves:
            row = find(tag)
            if row is None or row[5] != "card" or begin == end:
                continue
            if not row[3] <= end - begin <= row[4]:
                raise CardDataError(f"{tag:X} has {end - begin} bytes")
            if tag in index:
                if repeats and bytes(self.need(tag)) == bytes(self.memory[begin:end]):
                    continue
                raise CardDataError(f"{tag:X} is there twice")
            self.point(tag, begin, end)

    def walk(self, begin: int, end: int) -> "list[tuple[int, int, int]]":
        """One level of objects in the buffer. CardDataError when they are malformed."""
        try:
            return list(tlv.walk(self.buffer, begin, end))
        except tlv.TlvError as error:
            raise CardDataError(str(error)) from None

    def leaves(self, begin: int, end: int) -> "list[tuple[int, int, int]]":
        """All primitive objects in the buffer. CardDataError when they are malformed."""
        try:
            return list(tlv.leaves(self.buffer, begin, end))
        except tlv.TlvError as error:
            raise CardDataError(str(error)) from None

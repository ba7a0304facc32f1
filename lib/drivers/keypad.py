"""A keypad matrix of five rows and four columns, without diodes.

Rows are open-drain outputs, columns inputs with pull-ups. At rest all rows are low, so that any
key pulls its column down and raises the interrupt, which only wakes the scan. While a key is down
the matrix is scanned every few milliseconds, one row low at a time, and left at rest in between. A
state counts when it was seen three times in a row (contacts bounce for some 5 ms). Three keys at
the corners of a rectangle look like four: a picture in which two rows share two columns is not
believed.
"""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.buses import Pin

_LAYOUT = (
    ("1", "2", "3", "CANCEL"),
    ("4", "5", "6", "CLEAR"),
    ("7", "8", "9", "ENTER"),
    ("00", "0", ".", "MENU"),
    ("UP", "DOWN", "FUNC", ""),
)
_COLUMNS = const(4)
_SCAN_MS = const(4)
_AGREEING = const(3)
_RING = const(16)


class Keypad:
    """A Keypad (firmware/devices.py). Scanning runs from the first `key()` on, as a task."""

    def __init__(self, rows: "list[Pin]", columns: "list[Pin]") -> None:
        """Five row pins and four column pins. ValueError for other numbers."""
        if len(rows) != len(_LAYOUT) or len(columns) != _COLUMNS:
            raise ValueError("the keypad has five rows and four columns")
        self._rows = rows
        self._columns = columns
        self._ring = bytearray(_RING)
        self._first = 0
        self._count = 0
        self._capacity = _RING
        self._pressed = asyncio.Event()
        self._edge = asyncio.ThreadSafeFlag()
        self._scanning: asyncio.Task | None = None
        self._settled = 0  # the keys that are down, as the last believed scan said; a bit each
        for row in rows:
            row.init(row.OPEN_DRAIN, value=0)
        for column in columns:
            column.init(column.IN, column.PULL_UP)
            column.irq(self._wake, column.IRQ_FALLING)

    async def key(self) -> str:
        """The next key pressed. Keys pressed before the call wait in a ring of 16."""
        if self._scanning is None or self._scanning.done():
            self._scanning = asyncio.create_task(self._scan_forever())
        while not self._count:
            self._pressed.clear()
            await self._pressed.wait()
        at = self._first
        code = self._ring[at]
        self._ring[at] = 0
        self._first = (at + 1) % _RING
        self._count -= 1
        return _LAYOUT[code // _COLUMNS][code % _COLUMNS]

    def secret(self, on: bool) -> None:
        """PIN entry: the ring holds one event and is wiped on reading and on this call."""
        self.clear()
        self._capacity = 1 if on else _RING

    def clear(self) -> None:
        """Forget the keys that were pressed and not read."""
        for at in range(_RING):
            self._ring[at] = 0
        self._first = self._count = 0

    def _wake(self, _pin: "Pin") -> None:
        self._edge.set()

    async def _scan_forever(self) -> None:
        """Sleep until an edge, scan until all keys are up."""
        while True:
            self._edge.clear()
            # A key that went down during the last scan gave its edge too early.
            if not self._columns_down(0x0F):
                await self._edge.wait()
            await self._follow()

    async def _follow(self) -> None:
        """Scan until the matrix is at rest, putting each new key into the ring."""
        before, agreeing = -1, 0
        while True:
            seen = self._scan()
            agreeing = agreeing + 1 if seen == before else 1
            before = seen
            if agreeing >= _AGREEING and not _ghosts(seen):
                self._believe(seen)
                if not seen:
                    return
            await asyncio.sleep_ms(_SCAN_MS)

    def _scan(self) -> int:
        """The keys whose contacts are closed, one bit each in the layout's order.

        The rows at rest, all low, tell which columns have a key down; only those are then read
        row by row.
        """
        down = self._columns_down(0x0F)
        seen = 0
        if down:
            self._all_rows(1)
            for at in range(len(_LAYOUT)):
                self._rows[at].value(0)
                seen |= self._columns_down(down) << at * _COLUMNS
                self._rows[at].value(1)
            self._all_rows(0)
        return seen

    def _all_rows(self, level: int) -> None:
        for row in self._rows:
            row.value(level)

    def _columns_down(self, asked: int) -> int:
        """Which of the columns asked for, a bit each, are pulled down by the rows that are low."""
        down = 0
        for at in range(_COLUMNS):
            if asked >> at & 1 and not self._columns[at].value():
                down |= 1 << at
        return down

    def _believe(self, seen: int) -> None:
        fresh = seen & ~self._settled
        self._settled = seen
        code = 0
        while fresh:
            if fresh & 1 and _LAYOUT[code // _COLUMNS][code % _COLUMNS]:
                self._put(code)
            fresh >>= 1
            code += 1

    def _put(self, code: int) -> None:
        """A full ring drops the newest key."""
        if self._count < self._capacity:
            self._ring[(self._first + self._count) % _RING] = code
            self._count += 1
            self._pressed.set()


def _ghosts(seen: int) -> bool:
    """Two rows share two columns: one of the four may be no key at all."""
    for upper in range(len(_LAYOUT)):
        columns = seen >> upper * _COLUMNS & 0x0F
        for lower in range(upper + 1, len(_LAYOUT)):
            shared = columns & seen >> lower * _COLUMNS
            if shared & (shared - 1):
                return True
    return False

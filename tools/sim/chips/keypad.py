"""A keypad matrix without diodes: contacts bounce, and currents take every way there is."""

from . import Host

LAYOUT = (
    ("1", "2", "3", "CANCEL"),
    ("4", "5", "6", "CLEAR"),
    ("7", "8", "9", "ENTER"),
    ("00", "0", ".", "MENU"),
    ("UP", "DOWN", "FUNC", "SPARE"),
)
PLACES = {key: (row, column) for row, keys in enumerate(LAYOUT) for column, key in enumerate(keys)}
KEYS = tuple(key for key in PLACES if key != "SPARE")
# When a contact changes after the finger moved, in microseconds; it begins and ends as meant.
BOUNCES = (0, 120, 300, 420, 900, 1_100, 2_400)


class Keypad:
    """Lines `ROW0`-`ROW4` (0, 1, or None for high impedance) in, `COL0`-`COL3` out.

    A column is driven to 0 when closed contacts join it to a row that is low, by whatever way, and
    floats otherwise: the pull-ups are the board's. Events: `key` with `key` and `down`; each digit
    is told as "digit", since it may be one of a PIN.
    """

    def __init__(self) -> None:
        self._host: Host | None = None
        self._rows: list[int | None] = [None] * len(LAYOUT)
        self._columns: list[int | None] = [None] * len(LAYOUT[0])
        self._closed: set[tuple[int, int]] = set()
        self._moves = dict.fromkeys(PLACES, 0)

    def attach(self, host: Host) -> None:
        """Give the keypad its world."""
        self._host = host

    def line(self, name: str, level: int | None) -> None:
        """The board drives a row. KeyError for another name."""
        names = [f"ROW{row}" for row in range(len(LAYOUT))]
        if name not in names:
            raise KeyError(name)
        self._rows[names.index(name)] = level
        self._settle()

    def press(self, key: str) -> None:
        """A finger goes down on a key. KeyError for a name that is on no key."""
        self._move(key, True)

    def release(self, key: str) -> None:
        """The finger goes up again."""
        self._move(key, False)

    def _move(self, key: str, down: bool) -> None:
        place = PLACES[key]
        if self._host is None:
            raise RuntimeError("the keypad is attached to nothing")
        self._host.event("key", key="digit" if key.isdigit() else key, down=down)
        self._moves[key] += 1
        for number, delay in enumerate(BOUNCES):
            self._host.call_later(
                delay, self._touch, key, self._moves[key], place, down == (number % 2 == 0)
            )

    def _touch(self, key: str, move: int, place: tuple[int, int], closed: bool) -> None:
        """The contact bounces, unless the finger has moved again."""
        if move != self._moves[key]:
            return
        (self._closed.add if closed else self._closed.discard)(place)
        self._settle()

    def _settle(self) -> None:
        """Drive the columns that closed contacts join to a low row, and let the others go."""
        low = self._low_columns()
        for column, before in enumerate(self._columns):
            level = 0 if column in low else None
            if level != before:
                self._columns[column] = level
                if self._host is not None:
                    self._host.line(f"COL{column}", level)

    def _low_columns(self) -> set[int]:
        rows = {row for row, level in enumerate(self._rows) if level == 0}
        columns: set[int] = set()
        while True:
            reached = {column for row, column in self._closed if row in rows}
            if reached <= columns:
                return columns
            columns |= reached
            # The current also runs backwards: into rows that are let go, and out by their keys.
            rows |= {
                row for row, column in self._closed
                if column in columns and self._rows[row] is None
            }

"""Lines of a PCF8575 I2C expander, used like machine.Pin: a keypad's matrix hangs on them.

The chip's lines are quasi-bidirectional: a 0 pulls low, a 1 lets a weak pull-up raise the line, so
a row is an open drain and a column an input by nature. INT falls when an input differs from what
was last read (NXP PCF8575 data sheet, 8.1 and 8.3). Levels set are sent with the next level read:
one look at a row of the matrix is one write and one read, some 150 us on a bus of 400 kHz.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import overload

    from drivers.buses import I2c, Pin

_ADDRESS = const(0x20)
_ALL_HIGH = const(0xFFFF)


class Pcf8575:
    """The chip. `interrupt` is the pin that its INT line is on."""

    def __init__(self, bus: "I2c", interrupt: "Pin", address: int = _ADDRESS) -> None:
        self._bus = bus
        self._address = address
        self._interrupt = interrupt
        self._listeners: list[Callable[[object], None]] = []
        self._out = _ALL_HIGH
        self._sent = -1
        self._seen = -1
        self._asked = 0  # lines that were given this reading: asking again takes a new one
        self._data = bytearray(2)
        interrupt.init(interrupt.IN, interrupt.PULL_UP)

    def pin(self, number: int) -> "Line":
        """Line 0-15 (P00-P07, P10-P17). ValueError for another."""
        if not 0 <= number <= 15:
            raise ValueError("the expander has lines 0 to 15")
        return Line(self, 1 << number)

    def listen(self, handler: "Callable[[object], None]") -> None:
        """Call `handler` once for each fall of INT, whichever line it was."""
        if handler not in self._listeners:
            self._listeners.append(handler)
        self._interrupt.irq(self._fell, self._interrupt.IRQ_FALLING)

    def put(self, mask: int, level: int) -> None:
        """Set a line's level; it goes out with the next `get`."""
        self._out = self._out | mask if level else self._out & ~mask

    def get(self, mask: int) -> int:
        """A line's level. OSError when the chip does not answer."""
        if self._out != self._sent:
            self._data[0], self._data[1] = self._out & 0xFF, self._out >> 8
            self._bus.writeto(self._address, self._data)
            self._sent, self._seen = self._out, -1
        if self._seen < 0 or mask & self._asked:
            self._bus.readfrom_into(self._address, self._data)
            self._seen, self._asked = self._data[0] | self._data[1] << 8, 0
        self._asked |= mask
        return 1 if self._seen & mask else 0

    def _fell(self, pin: object) -> None:
        for handler in self._listeners:
            handler(pin)


class Line:
    """One line, with the part of machine.Pin that drivers.buses.Pin names."""

    IN = 0
    OPEN_DRAIN = 1
    PULL_UP = 2
    IRQ_FALLING = 2

    def __init__(self, expander: Pcf8575, mask: int) -> None:
        self._expander = expander
        self._mask = mask

    def init(self, mode: int = IN, pull: int = PULL_UP, *, value: int = 1) -> None:
        """Every line is both; an input is a line that is left high."""
        self._expander.put(self._mask, 1 if mode == self.IN else value)

    if TYPE_CHECKING:

        @overload
        def value(self) -> int: ...
        @overload
        def value(self, __level: int) -> None: ...

    def value(self, level: "int | None" = None) -> "int | None":
        """Set the level, or read it."""
        if level is None:
            return self._expander.get(self._mask)
        self._expander.put(self._mask, level)
        return None

    def irq(self, handler: "Callable[[object], None]", trigger: int) -> None:
        """Call `handler` when an input changed. ValueError for another trigger than a fall."""
        if trigger != self.IRQ_FALLING:
            raise ValueError("the expander tells of changes by one line, which falls")
        self._expander.listen(handler)

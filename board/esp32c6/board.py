"""The same terminal on an ESP32-C6: fewer pins, so the keypad hangs on an I2C expander."""

from drivers.keypad import Keypad
from drivers.pcf8575 import Pcf8575
from espressif import Clock, StorageFault, Terminal, mount, starts
from machine import I2C, Pin

__all__ = ["Board", "Clock", "StorageFault", "mount", "open", "starts"]

_I2C_HZ = const(400_000)


def open() -> "Board":
    """Mount the folders and hand over the devices (firmware/devices.py). StorageFault."""
    mount()
    return Board()


class Board(Terminal):
    """The terminal with the keypad on a PCF8575, and the reader on UART 0."""

    def __init__(self) -> None:
        bus = I2C(0, scl=Pin("I2C_SCL"), sda=Pin("I2C_SDA"), freq=_I2C_HZ)
        lines = Pcf8575(bus, Pin("KEY_INT"))
        # P00-P04 are the rows, P10-P13 the columns.
        keypad = Keypad(
            [lines.pin(i) for i in range(5)], [lines.pin(8 + i) for i in range(4)]
        )
        super().__init__(keypad, 0)

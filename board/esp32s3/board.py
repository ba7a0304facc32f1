"""The reference board: ESP32-S3, with a pin for each line of every part (`pins.csv`).

The simulator freezes this very file.
"""

from drivers.keypad import Keypad
from espressif import Clock, StorageFault, Terminal, mount, starts
from machine import Pin

__all__ = ["Board", "Clock", "StorageFault", "mount", "open", "starts"]


def open() -> "Board":
    """Mount the folders and hand over the devices (firmware/devices.py). StorageFault."""
    mount()
    return Board()


class Board(Terminal):
    """The terminal with the keypad on pins of the chip, and the reader on UART 2."""

    def __init__(self) -> None:
        keypad = Keypad(
            [Pin(f"KEY_ROW{i}") for i in range(5)], [Pin(f"KEY_COL{i}") for i in range(4)]
        )
        super().__init__(keypad, 2)

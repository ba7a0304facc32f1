"""The contracts of the devices that a board hands to the terminal.

For readers and the type checker only: nothing here runs on the device. Every method may raise
`errors.DeviceError` or one of its kinds; every wait can be cancelled and then leaves the device
idle. Times are milliseconds.
"""

from collections.abc import Sequence
from typing import Protocol

from framebuf import FrameBuffer


class Keypad(Protocol):
    """Twenty keys: '0'-'9' '00' '.' 'ENTER' 'CLEAR' 'CANCEL' 'UP' 'DOWN' 'MENU' 'FUNC'."""

    async def key(self) -> str:
        """The next key pressed. Keys pressed before the call wait in a ring of 16."""
        ...

    def secret(self, on: bool) -> None:
        """PIN entry: the ring holds one event, wiped on reading; emptied on entry and exit."""
        ...

    def clear(self) -> None:
        """Forget the keys that were pressed and not read."""
        ...


class Display(Protocol):
    """320 by 240 pixels of 16 colours: draw on `frame` (GS4_HMSB), then `show()`."""

    width: int
    height: int
    frame: FrameBuffer

    def dirty(self, x: int, y: int, w: int, h: int) -> None:
        """Say which rectangle of the frame was changed."""
        ...

    async def show(self) -> None:
        """Send the dirty rectangles to the panel, a few lines between two yields."""
        ...

    def palette(self, colours: "Sequence[int]") -> None:
        """Sixteen 0xRRGGBB colours; takes effect with the next `show`."""
        ...

    def backlight(self, percent: int) -> None: ...


class Printer(Protocol):
    """A 58 mm ESC/POS printer: 384 dots, 32 columns."""

    async def check(self) -> None:
        """Raise PaperOut, CoverOpen, PrinterHot or DeviceSilent; return when paper is ready."""
        ...

    async def near_end(self) -> bool:
        """The roll is near its end."""
        ...

    async def print(self, document: bytes) -> None:
        """Send a document (escpos bytes) and return when the printer says all of it is on paper.

        Raises as `check` does when it stopped in the middle; the caller prints the copy again."""
        ...


class ContactReader(Protocol):
    """An ISO 7816 slot."""

    async def wait_inserted(self) -> None: ...

    async def wait_removed(self) -> None: ...

    async def present(self) -> bool: ...

    async def power_on(self) -> bytes:
        """Reset the card; its ATR. CardSilent if the chip is mute, CardRemoved if it left."""
        ...

    async def exchange(self, command: bytes) -> bytes:
        """One short APDU; the response with SW1 SW2 at its end. The reader does T=0/T=1; 61xx and
        6Cxx come through as the card sends them on T=0. CardRemoved, CardSilent."""
        ...

    async def power_off(self) -> None: ...


class ContactlessReader(Protocol):
    """An ISO 14443-4 reader; the field is on between `activate` and `release`."""

    async def activate(self) -> bytes:
        """Wait until one ISO-DEP card is in the field; its ATS. CardCollision for two."""
        ...

    async def present(self) -> bool:
        """Whether a card is in the field; it is on for this only."""
        ...

    async def exchange(self, command: bytes) -> bytes:
        """As ContactReader.exchange."""
        ...

    async def release(self) -> None:
        """Field off."""
        ...


class Buzzer(Protocol):
    def beep(self, kind: str) -> None:
        """'key', 'ok' (one high), 'error' (two low), 'alert'. Returns at once."""
        ...


class Lamps(Protocol):
    def show(self, pattern: str) -> None:
        """'off', 'idle' (first blinking), 'ready' (first on), 'read' (all four), 'error' (all
        dark).

        Blinking runs by itself until the next call."""
        ...


class Radio(Protocol):
    """The Wi-Fi link."""

    def connected(self) -> bool: ...

    def bars(self) -> int:
        """0-4."""
        ...

    async def connect(self, ssid: str, password: str) -> None:
        """Join, within 15 s; DeviceSilent otherwise. Returns at once on a live link."""
        ...


class Clock(Protocol):
    def now(self) -> int:
        """Seconds since 2000-01-01 00:00:00 in the shop's local time (UTC+8)."""
        ...

    def set(self, seconds: int) -> None: ...


class Console(Protocol):
    """The cable to a workstation: lines of ASCII."""

    async def line(self) -> str:
        """The next line that is not empty; '?' for one that is too long or no ASCII."""
        ...

    def say(self, text: str) -> None:
        """One line out."""
        ...


class Slot(Protocol):
    """An application slot as a block device of 4096 bytes a block."""

    def readblocks(self, __block: int, __buffer: bytearray) -> object: ...

    def writeblocks(self, __block: int, __buffer: "bytes | bytearray") -> None:
        """Erase and write a whole block."""
        ...

    def ioctl(self, __operation: int, __argument: int) -> "int | None": ...


class Board(Protocol):
    """What `board.open()` returns. Folders are mounted: '/journal', '/keys', '/data'."""

    @property
    def keypad(self) -> Keypad: ...

    @property
    def display(self) -> Display: ...

    @property
    def printer(self) -> Printer: ...

    @property
    def reader(self) -> ContactReader: ...

    @property
    def nfc(self) -> ContactlessReader: ...

    @property
    def buzzer(self) -> Buzzer: ...

    @property
    def lamps(self) -> Lamps: ...

    @property
    def radio(self) -> Radio: ...

    @property
    def clock(self) -> Clock: ...

    @property
    def console(self) -> Console: ...

    @property
    def serial(self) -> str: ...

    def feed_watchdog(self) -> None: ...

    def restart(self) -> None: ...

    def reset_cause(self) -> str:
        """'power', 'watchdog', 'software' or 'pin'."""
        ...

    def started(self, healthy: bool) -> None:
        """The start is over, so it was no loop. A healthy one also keeps the image that runs."""
        ...

    def image(self) -> str:
        """The slot that runs: 'app0' or 'app1'."""
        ...

    def other_image(self) -> bool:
        """Run the other slot after the next restart, on trial; False without an image in it."""
        ...

    def other_slot(self) -> Slot:
        """The slot that does not run, for a new image."""
        ...

"""ST7789 panel controller with a 240x320 IPS glass, mounted in landscape.

Serves SWRESET, SLPIN/SLPOUT, INVOFF/INVON, DISPOFF/DISPON, CASET, RASET, RAMWR, RAMWRC, MADCTL and
COLMOD (16 and 18 bits) of the ST7789V datasheet, chapter 9; other commands and their parameters
(voltages, gamma, partial mode) change nothing here. The byte stream may be split anywhere.
"""

import struct
from typing import Any

import numpy as np

from . import Handle, Host

COLUMNS, ROWS = 240, 320
WIDTH, HEIGHT = 320, 240
REFRESH_US = 16_667

SWRESET, SLPIN, SLPOUT = 0x01, 0x10, 0x11
INVOFF, INVON, DISPOFF, DISPON = 0x20, 0x21, 0x28, 0x29
CASET, RASET, RAMWR, MADCTL, COLMOD, RAMWRC = 0x2A, 0x2B, 0x2C, 0x36, 0x3A, 0x3C
MY, MX, MV, BGR = 0x80, 0x40, 0x20, 0x08


class ST7789:
    """SPI chip with the lines `DC` (level) and `BACKLIGHT` (duty, 0-100).

    After a change on the glass the host gets `screen` with `rect`: [x, y, w, h] of the landscape
    picture, once a refresh. RuntimeError for a pixel format the model does not serve.
    """

    def __init__(self) -> None:
        self._host: Host | None = None
        self._selected = False
        self._data_line = 0
        self._memory = np.zeros(ROWS * COLUMNS, np.uint32)  # 0x00RRGGBB, row by row
        self._refresh: Handle | None = None
        self._changed: tuple[int, int, int, int] | None = None
        self.backlight = 0
        self._reset()

    def attach(self, host: Host) -> None:
        """Give the chip its world."""
        self._host = host

    def line(self, name: str, level: int) -> None:
        """The board drives DC or sets the backlight's duty. KeyError for another name."""
        if name == "DC":
            self._data_line = level
        elif name == "BACKLIGHT":
            if level != self.backlight:
                self.backlight = level
                self._touch(0, 0, WIDTH, HEIGHT)
        else:
            raise KeyError(name)

    def select(self, active: bool) -> None:
        """Chip select."""
        self._selected = active

    def transfer(self, data: bytes) -> bytes:
        """Commands while DC is low, parameters and pixels while it is high. MISO is not wired."""
        if self._selected:
            if self._data_line:
                self._take(bytes(data))
            else:
                for command in data:
                    self._begin(command)
        return bytes(len(data))

    def pixels(self) -> bytes:
        """What a customer sees: 320x240 RGB888, black while dark, asleep or off."""
        if self._asleep or not self._on or not self.backlight:
            return bytes(WIDTH * HEIGHT * 3)
        # The glass is turned a quarter: picture (x, y) is memory row x, column 239 - y.
        picture = self._memory.reshape(ROWS, COLUMNS)[:, ::-1].transpose(1, 0)
        shown = picture if self._inverted else ~picture
        quads = np.ascontiguousarray(shown, ">u4").view(np.uint8).reshape(HEIGHT, WIDTH, 4)
        return quads[..., 1:].tobytes()

    def _reset(self) -> None:
        """9.1.2: registers to their defaults; the memory keeps its content."""
        self._asleep, self._on, self._inverted = True, False, False
        self._madctl, self._colmod = 0, 0x66
        self._window = [0, COLUMNS - 1, 0, ROWS - 1]
        self._command, self._parameters = 0, b""
        self._position, self._rest = 0, b""

    def _begin(self, command: int) -> None:
        self._command, self._parameters, self._rest = command, b"", b""
        switches: dict[int, tuple[str, Any]] = {
            SLPIN: ("_asleep", True), SLPOUT: ("_asleep", False),
            INVOFF: ("_inverted", False), INVON: ("_inverted", True),
            DISPOFF: ("_on", False), DISPON: ("_on", True),
        }
        if command == SWRESET:
            self._reset()
        elif command in switches:
            setattr(self, *switches[command])
        elif command == RAMWR:
            self._position = 0
        if command == SWRESET or command in switches:
            self._touch(0, 0, WIDTH, HEIGHT)

    def _take(self, data: bytes) -> None:
        if self._command in (RAMWR, RAMWRC):
            self._paint(data)
            return
        self._parameters = (self._parameters + data)[:4]
        parameters = self._parameters
        if self._command in (CASET, RASET) and len(parameters) == 4:
            first, last = struct.unpack(">HH", parameters)
            if first <= last:
                at = 0 if self._command == CASET else 2
                self._window[at:at + 2] = [first, last]
        elif self._command == MADCTL and parameters:
            self._madctl = parameters[0]
        elif self._command == COLMOD and parameters:
            self._colmod = parameters[0]
            if self._colmod & 7 not in (5, 6):
                raise RuntimeError(f"the ST7789 model does not serve COLMOD {self._colmod:02X}")

    def _paint(self, data: bytes) -> None:
        """9.1.22: pixels fill the window line by line, and start over at its end."""
        size = 2 if self._colmod & 7 == 5 else 3
        data = self._rest + data
        count = len(data) // size
        self._rest = data[count * size:]
        if not count:
            return
        colours = _colours(np.frombuffer(data, np.uint8, count * size).reshape(count, size))
        if self._madctl & BGR:
            colours = colours >> 16 | colours & 0xFF00 | (colours & 0xFF) << 16
        left, right, top, bottom = self._window
        width, height = right - left + 1, bottom - top + 1
        # A burst longer than the window would write some places twice: only the last round counts.
        skipped = max(0, count - width * height)
        steps = (self._position + skipped + np.arange(count - skipped)) % (width * height)
        self._position = (self._position + count) % (width * height)
        self._store(left + steps % width, top + steps // width, colours[skipped:])

    def _store(self, columns: np.ndarray, rows: np.ndarray, colours: np.ndarray) -> None:
        """Write to host addresses as MADCTL maps them (8.12); addresses off the glass are lost."""
        x, y = (rows, columns) if self._madctl & MV else (columns, rows)
        x = COLUMNS - 1 - x if self._madctl & MX else x
        y = ROWS - 1 - y if self._madctl & MY else y
        if x.min() < 0 or x.max() >= COLUMNS or y.min() < 0 or y.max() >= ROWS:
            there = (x >= 0) & (x < COLUMNS) & (y >= 0) & (y < ROWS)
            x, y, colours = x[there], y[there], colours[there]
        at = y * COLUMNS + x
        differs = (self._memory[at] != colours).nonzero()[0]
        if differs.size:
            self._memory[at] = colours
            x, y = x[differs], y[differs]
            across, down = int(y.min()), int(COLUMNS - 1 - x.max())
            self._touch(across, down, int(y.max()) - across + 1, int(x.max() - x.min()) + 1)

    def _touch(self, x: int, y: int, w: int, h: int) -> None:
        """Part of the picture changed: say so at the next refresh."""
        if self._changed is not None:
            left, top, wide, high = self._changed
            right, bottom = max(x + w, left + wide), max(y + h, top + high)
            x, y = min(x, left), min(y, top)
            w, h = right - x, bottom - y
        self._changed = (x, y, w, h)
        if self._refresh is None and self._host is not None:
            self._refresh = self._host.call_later(REFRESH_US, self._tell)

    def _tell(self) -> None:
        rect, self._changed, self._refresh = self._changed, None, None
        if rect is not None and self._host is not None:
            self._host.event("screen", rect=list(rect))


def _colours(pixels: np.ndarray) -> np.ndarray:
    """Pixels as sent, n by 2 or 3 bytes, as 0x00RRGGBB: the high bits are repeated in the low."""
    if pixels.shape[1] == 3:
        red, green, blue = (pixels.astype(np.uint32) & 0xFC).T
        whole = red << 16 | green << 8 | blue
        return whole | whole >> 6 & 0x030303
    value = np.ascontiguousarray(pixels).view(">u2")[:, 0].astype(np.uint32)
    # RGB565 spread to five, six and five bits at the top of each byte.
    whole = (value & 0xF800) << 8 | (value & 0x07E0) << 5 | (value & 0x001F) << 3
    return whole | whole >> 5 & 0x070007 | whole >> 6 & 0x000300

"""ST7789 panel, 320x240 in landscape, on a shared SPI bus.

The picture is kept in 4 bits a pixel (38 KB). `show` sends only what was said to be dirty: a few
lines at a time are turned into RGB565 by one blit through the palette, framebuf's look-up table,
and between two such strips the bus is free for others. Commands and timings: ST7789V datasheet,
chapter 9.
"""

import asyncio

import framebuf

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from drivers.buses import Output, Pwm, Spi
    from typing_extensions import Buffer


_WIDTH = const(320)
_HEIGHT = const(240)
_STRIP = const(8)
_MOST_RECTS = const(4)

_SWRESET = const(0x01)
_SLPOUT = const(0x11)
_NORON = const(0x13)
_INVON = const(0x21)
_DISPON = const(0x29)
_CASET = const(0x2A)
_RASET = const(0x2B)
_RAMWR = const(0x2C)
_MADCTL = const(0x36)
_COLMOD = const(0x3A)
_RAMWRC = const(0x3C)

# Columns and rows exchanged, columns mirrored: the connector is on the left of the picture.
_LANDSCAPE = b"\x60"
_RGB565 = b"\x55"

# White on black and the colours a terminal needs, until the screens bring their own.
_PALETTE = [
    0x000000, 0xFFFFFF, 0x808080, 0xC0C0C0, 0xD00000, 0x008000, 0x0040C0, 0xE0A000,
    0x400000, 0x004000, 0x000040, 0x404000, 0xFF8080, 0x80FF80, 0x8080FF, 0xFFFF80,
]


class ST7789:
    """A Display (firmware/devices.py). The panel is woken by the first `show`, lit after it."""

    width = _WIDTH
    height = _HEIGHT

    def __init__(self, spi: "Spi", cs: "Output", dc: "Output", backlight: "Pwm") -> None:
        """`spi.write(data)` clocks bytes out; `cs(level)` and `dc(level)` drive the pins."""
        self._spi = spi
        self._cs = cs
        self._dc = dc
        self._pwm = backlight
        self._percent = 80
        self._awake = False
        self._lock = asyncio.Lock()
        self._command = bytearray(1)
        self._window = bytearray(4)
        self._strip = bytearray(_WIDTH * _STRIP * 2)
        self._strip_view = memoryview(self._strip)
        self._buffer = bytearray(_WIDTH * _HEIGHT // 2)
        self.frame = framebuf.FrameBuffer(self._buffer, _WIDTH, _HEIGHT, framebuf.GS4_HMSB)
        self._colours = framebuf.FrameBuffer(bytearray(32), 16, 1, framebuf.RGB565)
        self._rects: list[tuple[int, int, int, int]] = []
        # The x, width and y at which the panel's write pointer stands.
        self._follows: tuple[int, int, int] | None = None
        cs(1)
        backlight.duty_u16(0)
        self.palette(_PALETTE)

    def palette(self, colours: "Sequence[int]") -> None:
        """Sixteen 0xRRGGBB colours, seen with the next `show`. ValueError for another count."""
        if len(colours) != 16:
            raise ValueError("a palette has sixteen colours")
        for at, rgb in enumerate(colours):
            colour = rgb >> 8 & 0xF800 | rgb >> 5 & 0x07E0 | rgb >> 3 & 0x001F
            # The panel takes the high byte first, framebuf stores the low one first.
            self._colours.pixel(at, 0, colour >> 8 | (colour & 0xFF) << 8)
        self.dirty(0, 0, _WIDTH, _HEIGHT)

    def dirty(self, x: int, y: int, w: int, h: int) -> None:
        """Say which rectangle of the frame was changed; parts outside the frame are ignored."""
        right, bottom = min(x + w, _WIDTH), min(y + h, _HEIGHT)
        x, y = max(x, 0), max(y, 0)
        if x >= right or y >= bottom:
            return
        at = 0
        while at < len(self._rects):
            left, top, other_right, other_bottom = self._rects[at]
            touches = x <= other_right and left <= right and y <= other_bottom and top <= bottom
            if touches or len(self._rects) == _MOST_RECTS:
                x, y = min(x, left), min(y, top)
                right, bottom = max(right, other_right), max(bottom, other_bottom)
                self._rects.pop(at)
                at = 0  # the larger rectangle may touch those seen before
            else:
                at += 1
        self._rects.append((x, y, right, bottom))

    async def show(self) -> None:
        """Send the dirty rectangles; other tasks run between two strips.

        When cancelled, what was not sent stays dirty. What becomes dirty meanwhile is sent too.
        """
        async with self._lock:
            if not self._awake:
                await self._wake()
            while self._rects:
                self._send_strip()
                await asyncio.sleep_ms(0)
            if not self._awake:
                self._write(_DISPON)
                self._awake = True
                self.backlight(self._percent)

    def backlight(self, percent: int) -> None:
        """Brightness, 0-100. Before the first picture it is only remembered."""
        self._percent = percent
        if self._awake:
            self._pwm.duty_u16(percent * 0xFFFF // 100)

    async def _wake(self) -> None:
        self._write(_SWRESET)
        await asyncio.sleep_ms(120)  # 9.1.2: before SLPOUT
        self._write(_SLPOUT)
        await asyncio.sleep_ms(120)  # 9.1.12: supplies and clocks settle
        self._write(_COLMOD, _RGB565)
        self._write(_MADCTL, _LANDSCAPE)
        self._write(_INVON)  # an IPS panel shows true colours inverted
        self._write(_NORON)
        self._follows = None

    def _send_strip(self) -> None:
        """The upper lines of the first rectangle; the rest of it stays dirty."""
        x, y, right, bottom = self._rects.pop(0)
        w = right - x
        h = min(bottom - y, _WIDTH * _STRIP // w)
        strip = framebuf.FrameBuffer(self._strip, w, h, framebuf.RGB565)
        strip.blit(self.frame, -x, -y, -1, self._colours)  # type: ignore[arg-type]
        if y + h < bottom:
            self._rects.insert(0, (x, y + h, right, bottom))
        data = self._strip_view[:w * h * 2]
        if self._follows == (x, w, y):
            self._write(_RAMWRC, data)
        else:
            self._write(_CASET, self._bounds(x, right - 1))
            self._write(_RASET, self._bounds(y, _HEIGHT - 1))
            self._write(_RAMWR, data)
        self._follows = (x, w, y + h)

    def _bounds(self, first: int, last: int) -> bytearray:
        window = self._window
        window[0], window[1] = first >> 8, first & 0xFF
        window[2], window[3] = last >> 8, last & 0xFF
        return window

    def _write(self, command: int, data: "Buffer | None" = None) -> None:
        self._command[0] = command
        self._cs(0)
        try:
            self._dc(0)
            self._spi.write(self._command)
            if data is not None:
                self._dc(1)
                self._spi.write(data)
        finally:
            self._cs(1)

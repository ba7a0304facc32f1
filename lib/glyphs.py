"""Text on a frame buffer, in three sizes.

16: GNU Unifont, everything in ASCII and GB 2312. 24: prompts. 40: the digits of amounts. A
character that a size lacks is drawn in the next smaller one that has it, in the middle of the
line's height; one that Unifont's subset lacks is drawn as a box. ASCII is 8 pixels wide in size 16
and proportional in 24 and 40; all else is as wide as high.
"""

import framebuf
import gb18030
import glyphs16
import glyphs24
import glyphs40

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_BOX = const(0x25A1)
_SPACE = {16: 8, 24: 8, 40: 14}
_SPACE_POINT = const(0x20)
_YEN = const(0xA5)
_FULL_WIDTH_YEN = const(0xFFE5)
# From here on characters are as wide as high, and a line may end between them.
_WIDE = const(0x2E80)
_NO_BREAK_BEFORE = tuple(ord(mark) for mark in ",.:;!?)%，。：；！？）】》、”’")


class _Font:
    """A proportional font: sorted points, advances, and cells of `stride` bytes a row."""

    def __init__(self, module: "Any", size: int, stride: int) -> None:
        self.size = size
        self._points = module.POINTS
        self._advances = module.ADVANCES
        self._bits = memoryview(module.BITS)
        self._cell = bytearray(size * stride)
        self._image = framebuf.FrameBuffer(self._cell, 8 * stride, size, framebuf.MONO_HLSB)

    def index(self, point: int) -> int:
        """Where `point` is in the font, or -1."""
        low, high, points = 0, len(self._points) // 2, self._points
        while low < high:
            middle = (low + high) // 2
            there = points[2 * middle] | points[2 * middle + 1] << 8
            if there == point:
                return middle
            if there < point:
                low = middle + 1
            else:
                high = middle
        return -1

    def advance(self, index: int) -> int:
        return self._advances[index]

    def image(self, index: int) -> "framebuf.FrameBuffer":
        """The cell; good until the next call."""
        length = len(self._cell)
        self._cell[:] = self._bits[index * length:(index + 1) * length]
        return self._image


class _Unifont:
    """ASCII in 8x16, and the cells of GB 2312 in 16x16; an index is an offset into one of them."""

    size = 16

    def __init__(self) -> None:
        self._narrow = bytearray(16)
        self._wide = bytearray(32)
        self._narrow_image = framebuf.FrameBuffer(self._narrow, 8, 16, framebuf.MONO_HLSB)
        self._wide_image = framebuf.FrameBuffer(self._wide, 16, 16, framebuf.MONO_HLSB)
        self._ascii = memoryview(glyphs16.ASCII)
        self._cells = memoryview(glyphs16.CELLS)

    def index(self, point: int) -> int:
        """The place among the cells; ASCII as -1 minus its place; the box for what is missing."""
        if 0x20 <= point < 0x7F:
            return 0x1F - point
        code = gb18030.code(point)
        row, cell = (code >> 8) - 0xA1, (code & 0xFF) - 0xA1
        if row < 0 or 9 <= row < 15 or row >= 87 or cell < 0:
            return self.index(_BOX)
        return (row if row < 9 else row - 6) * 94 + cell

    def advance(self, index: int) -> int:
        return 8 if index < 0 else 16

    def image(self, index: int) -> "framebuf.FrameBuffer":
        """The cell; good until the next call."""
        if index < 0:
            at = (-1 - index) * 16
            self._narrow[:] = self._ascii[at:at + 16]
            return self._narrow_image
        self._wide[:] = self._cells[index * 32:index * 32 + 32]
        return self._wide_image


_unifont = _Unifont()
_prompt = _Font(glyphs24, 24, 3)
_amount = _Font(glyphs40, 40, 4)
_fonts = {16: (_unifont,), 24: (_prompt, _unifont), 40: (_amount, _prompt, _unifont)}
# Colour 0 of a glyph is mapped to a colour that blit() leaves out, colour 1 to the pen.
_pen_bits = bytearray(1)
_pen = framebuf.FrameBuffer(_pen_bits, 2, 1, framebuf.GS4_HMSB)


def draw(frame: "framebuf.FrameBuffer", text: str, x: int, y: int, size: int, colour: int) -> int:
    """Draw one line, its top left corner at (x, y), on a 16-colour frame; the background stays.

    Returns the x after the last character. What lies outside the frame is cut off. ValueError for
    a size other than 16, 24 and 40.
    """
    clear = colour ^ 1
    _pen.pixel(0, 0, clear)
    _pen.pixel(1, 0, colour)
    for font, index in _found(text, size):
        if font is None:
            x += _SPACE[size]
            continue
        frame.blit(font.image(index), x, y + (size - font.size) // 2, clear, _pen)  # type: ignore[arg-type]
        x += font.advance(index)
    return x


def width(text: str, size: int) -> int:
    """How many pixels `draw` moves to the right."""
    pixels = 0
    for font, index in _found(text, size):
        pixels += _SPACE[size] if font is None else font.advance(index)
    return pixels


def wrap(text: str, size: int, pixels: int) -> "list[str]":
    """`text` as lines no wider than `pixels`: at newlines, spaces, and between ideographs.

    A closing punctuation mark is not put at a line's start; a word wider than a line is cut.
    """
    lines = []
    for paragraph in text.split("\n"):
        begin = end = 0
        for stop in _stops(paragraph):
            if width(paragraph[begin:stop].rstrip(), size) > pixels:
                if end > begin:
                    lines.append(paragraph[begin:end].rstrip())
                    begin = end
                while width(paragraph[begin:stop].rstrip(), size) > pixels and stop > begin + 1:
                    end = begin + 1
                    while width(paragraph[begin:end + 1], size) <= pixels:
                        end += 1
                    lines.append(paragraph[begin:end])
                    begin = end
            end = stop
        lines.append(paragraph[begin:].rstrip())
    return lines


def _stops(paragraph: str) -> "Iterator[int]":
    """Where a line may end: after a word and its spaces, or an ideograph and its marks."""
    at, before = 0, 0
    for point in gb18030.points(paragraph):
        if at and point != _SPACE_POINT and point not in _NO_BREAK_BEFORE:
            if point >= _WIDE or before >= _WIDE or before == _SPACE_POINT:
                yield at
        before = point
        at += 1
    yield at


def _found(text: str, size: int) -> "Iterator[tuple[_Font | _Unifont | None, int]]":
    """For each character the font that has it and its index there; (None, 0) for a space."""
    if size not in _fonts:
        raise ValueError("no font of this size")
    for point in gb18030.points(text):
        if point == _SPACE_POINT:
            yield None, 0
            continue
        if point == _YEN:
            point = _FULL_WIDTH_YEN
        for font in _fonts[size]:
            index = font.index(point)
            if index >= 0 or font is _unifont:
                yield font, index
                break

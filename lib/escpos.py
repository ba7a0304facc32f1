"""A document for a 58 mm ESC/POS printer: 384 dots, 32 columns, text in GB 18030.

A Chinese character takes two columns. Commands as in Epson's "ESC/POS Command Reference"; the
Chinese mode (FS &) as in the dialect of printers sold in China.
"""

import gb18030

COLUMNS = const(32)
DOTS = const(384)
_ALIGNMENTS = ("left", "center", "right")


class Document:
    """Collects commands; `finish()` gives what a printer takes.

    Modes (bold, size, alignment) hold until they are changed.
    """

    def __init__(self) -> None:
        self._out = bytearray(b"\x1b@\x1c&")  # ESC @, FS &
        self._wide = False

    def finish(self) -> bytes:
        """The bytes."""
        return bytes(self._out)

    def text(self, text: str) -> None:
        """Text without a line's end."""
        self._out += gb18030.encode(text)

    def line(self, text: str = "") -> None:
        """One line; the printer wraps what is wider than the paper."""
        self.text(text)
        self._out += b"\n"

    def bold(self, on: bool) -> None:
        """Heavy strokes (ESC E)."""
        self._out += b"\x1bE\x01" if on else b"\x1bE\x00"

    def size(self, width: int, height: int) -> None:
        """Magnify characters 1-8 times (GS !). ValueError beyond."""
        if not (1 <= width <= 8 and 1 <= height <= 8):
            raise ValueError("characters are magnified 1-8 times")
        self._wide = width > 1
        self._out += bytes((0x1D, 0x21, (width - 1) << 4 | (height - 1)))

    def double(self, on: bool) -> None:
        """Twice as wide and high."""
        self.size(1 + on, 1 + on)

    def align(self, where: str) -> None:
        """'left', 'center' or 'right', from the next line on. ValueError for another word."""
        self._out += bytes((0x1B, 0x61, _ALIGNMENTS.index(where)))

    def feed(self, lines: int) -> None:
        """Empty lines, 1-255 (ESC d)."""
        self._out += bytes((0x1B, 0x64, lines))

    def rule(self, mark: str = "-") -> None:
        """A line across the paper."""
        self.line(mark * (COLUMNS // width(mark)))

    def columns(self, left: str, right: str) -> None:
        """One line, `left` at the left edge and `right` at the right one.

        When they do not fit side by side, the right one stands on the next line.
        """
        whole = COLUMNS // 2 if self._wide else COLUMNS
        space = whole - width(left) - width(right)
        if space < 1:
            self.line(left)
            left, space = "", max(0, whole - width(right))
        self.line(left + " " * space + right)

    def raster(self, bits: bytes, dots: int, rows: int) -> None:
        """A picture (GS v 0): `rows` of `dots` (a multiple of 8), high bit left, 1 is black.

        ValueError when the buffer's length does not fit.
        """
        if dots % 8 or len(bits) != dots // 8 * rows:
            raise ValueError("a picture is rows of dots/8 bytes")
        start = len(self._out)
        self._out += b"\x1dv0\x00" + _words(dots // 8, rows)
        self._out += bits
        # A printer obeys DLE EOT, ENQ and DC4 even inside a picture: one dot is left out there.
        for at in range(start + 8, len(self._out) - 1):
            if self._out[at] == 0x10 and self._out[at + 1] in b"\x04\x05\x14":
                self._out[at] = 0

    def qr(self, data: bytes, module: int = 6, level: int = 1) -> None:
        """A QR code made by the printer (GS ( k): `module` dots a cell, `level` 0-3: LMQH."""
        self._two_dimensional(b"\x41\x32\x00")
        self._two_dimensional(bytes((0x43, module)))
        self._two_dimensional(bytes((0x45, 0x30 + level)))
        self._two_dimensional(b"\x50\x30" + data)
        self._two_dimensional(b"\x51\x30")

    def cut(self) -> None:
        """Feed to the knife and cut (GS V 66); printers without a knife only feed."""
        self._out += b"\x1dVB\x00"

    def _two_dimensional(self, function: bytes) -> None:
        self._out += b"\x1d(k" + _words(len(function) + 1) + b"\x31" + function


def width(text: str) -> int:
    """How many columns `text` takes at normal size."""
    return sum(2 if point >= 0x80 else 1 for point in gb18030.points(text))


def wrap(text: str, columns: int = COLUMNS) -> "list[str]":
    """`text` as lines of at most `columns` (2 or more), cut at newlines and at spaces."""
    lines = []
    for paragraph in text.split("\n"):
        begin = at = taken = space = 0
        for point in gb18030.points(paragraph):
            step = 2 if point >= 0x80 else 1
            if taken + step > columns:
                end = space if space > begin and point < 0x80 and point != 0x20 else at
                lines.append(paragraph[begin:end].rstrip())
                begin = end
                taken = width(paragraph[begin:at])
            if point == 0x20:
                space = at + 1
                if begin == at:
                    begin, step = at + 1, 0  # no line begins with a space
            taken += step
            at += 1
        lines.append(paragraph[begin:].rstrip())
    return lines


def _words(*values: int) -> bytes:
    return b"".join(bytes((value & 0xFF, value >> 8)) for value in values)

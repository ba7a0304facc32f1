"""The printer's interpreter: bytes in, lines of dots out.

It knows modes and the line being set, and neither time nor paper. Serves the commands of
`_SERVED`; sizes and distances are in dots.
"""

import struct
from collections.abc import Callable, Generator

import numpy as np

from . import dots
from .dots import CELL, HEAD, HEIGHT, Dots

ESC, GS, FS, DLE = 0x1B, 0x1D, 0x1C, 0x10
SPACING = 30
CODE_PAGES = {
    0: "cp437", 2: "cp850", 3: "cp860", 4: "cp863", 5: "cp865", 16: "cp1252", 17: "cp866",
    18: "cp852", 19: "cp858", 71: "cp1252", 72: "cp1250", 73: "cp1251",
}
# Commands that are taken and change nothing on paper: their number of parameters.
_SILENT = {
    (ESC, "="): 1, (ESC, "B"): 2, (ESC, "p"): 3, (ESC, "R"): 1, (ESC, "r"): 1, (ESC, "{"): 1,
    (ESC, "M"): 1, (ESC, "c"): 2, (ESC, "?"): 2, (GS, "|"): 1, (GS, "b"): 1, (GS, "f"): 1,
}
_SERVED = {(ESC, c) for c in "@!Ead23J*t-"} | {(GS, c) for c in "v(!BrkhwHV"} | {
    (FS, c) for c in "&.!"
}

Parse = Generator[None, int, None]


class Interpreter:
    """`line(text, rows)` takes a line; `status(kind)` a GS r; `unknown(bytes)` the rest."""

    def __init__(
        self,
        line: Callable[[str, list[bytes]], None],
        status: Callable[[int], None],
        unknown: Callable[[bytes], None],
    ) -> None:
        self._line, self._status, self._unknown = line, status, unknown
        self._initialise()
        self._parser = self._parse()
        next(self._parser)

    def feed(self, byte: int) -> None:
        """The next byte."""
        self._parser.send(byte)

    def _initialise(self) -> None:
        """ESC @: modes as at power-on. Chinese mode is on."""
        self._chinese, self._page = True, "cp437"
        self._bold, self._invert, self._underline = False, False, 0
        self._narrow_size, self._wide_size = (1, 1), (1, 1)
        self._align, self._spacing = 0, SPACING
        self._bar_height, self._bar_module, self._bar_text = 162, 3, 0
        self._qr_module, self._qr_level, self._qr_data = 3, 0, b""
        self._stored: Dots | None = None
        self._drop_line()

    def _drop_line(self) -> None:
        self._pieces: list[Dots] = []
        self._text, self._x = "", 0

    # ---- the grammar

    def _parse(self) -> Generator[None, int, None]:
        while True:
            byte = yield
            if byte in (ESC, GS, FS):
                yield from self._command(byte)
            elif byte == DLE:
                yield  # acted on in real time
                yield
            elif byte == 0x0A:
                self._finish_line()
            elif byte == 0x0D:
                continue
            elif byte == 0x09:
                columns = 8 - self._x // CELL % 8
                self._put(np.zeros((HEIGHT, columns * CELL), bool), " " * columns)
            elif byte >= 0x20:
                yield from self._character(byte)

    def _take(self, count: int) -> Generator[None, int, bytes]:
        data = bytearray()
        while len(data) < count:
            data.append((yield))
        return bytes(data)

    def _number(self) -> Generator[None, int, int]:
        return int.from_bytes((yield from self._take(2)), "little")

    def _character(self, byte: int) -> Parse:
        """One character: ASCII, a code page's, or GB 18030 of two or four bytes."""
        code = bytes((byte,))
        if byte >= 0x80 and not self._chinese:
            self._glyph(code.decode(self._page, "replace"), False)
            return
        if byte >= 0x81:
            code += yield from self._take(1)
            if 0x30 <= code[1] <= 0x39:
                code += yield from self._take(2)
            text = code.decode("gb18030", "replace")
            self._glyph(text if len(text) == 1 else "?", len(text) == 1)
        elif byte < 0x7F:
            self._glyph(chr(byte), False)

    def _command(self, lead: int) -> Parse:
        letter = chr((yield))
        if (lead, letter) in _SERVED:
            name = {ESC: "_esc", GS: "_gs", FS: "_fs"}[lead]
            yield from getattr(self, name)(letter)
        elif (lead, letter) in _SILENT:
            yield from self._take(_SILENT[lead, letter])
        else:
            self._unknown(bytes((lead, ord(letter))))

    def _esc(self, letter: str) -> Parse:
        if letter == "@":
            self._initialise()
            return
        if letter == "2":
            self._spacing = SPACING
            return
        if letter == "*":
            yield from self._bit_image()
            return
        (value,) = yield from self._take(1)
        if letter == "!":
            self._bold = bool(value & 0x08)
            self._narrow_size = (2 if value & 0x20 else 1, 2 if value & 0x10 else 1)
            self._underline = 1 if value & 0x80 else 0
        elif letter == "E":
            self._bold = bool(value & 1)
        elif letter == "a":
            self._align = value & 3
        elif letter == "-":
            self._underline = value & 3
        elif letter == "3":
            self._spacing = value
        elif letter == "t":
            self._page = CODE_PAGES.get(value, "cp437")
        elif letter == "d":
            for _ in range(max(value, 1 if self._pieces else 0)):
                self._finish_line()
        elif letter == "J":
            if self._pieces:
                self._finish_line()
            self._emit(np.zeros((value, 0), bool), "", 0)

    def _gs(self, letter: str) -> Parse:
        if letter == "v":
            yield from self._raster()
        elif letter == "(":
            yield from self._extended()
        elif letter == "k":
            yield from self._bar_code()
        else:
            (value,) = yield from self._take(1)
            if letter == "!":
                self._narrow_size = self._wide_size = ((value >> 4 & 7) + 1, (value & 7) + 1)
            elif letter == "B":
                self._invert = bool(value & 1)
            elif letter == "r":
                self._status(value)
            elif letter == "h":
                self._bar_height = value
            elif letter == "w":
                self._bar_module = value
            elif letter == "H":
                self._bar_text = value & 3
            elif letter == "V" and value >= 65:
                yield from self._take(1)

    def _fs(self, letter: str) -> Parse:
        if letter == "!":
            (value,) = yield from self._take(1)
            self._wide_size = (2 if value & 0x04 else 1, 2 if value & 0x08 else 1)
        else:
            self._chinese = letter == "&"

    # ---- pictures and codes

    def _raster(self) -> Parse:
        """GS v 0 m x y: rows of x bytes; m doubles width (1) and height (2)."""
        _, mode = yield from self._take(2)
        stride = yield from self._number()
        rows = yield from self._number()
        data = yield from self._take(stride * rows)
        self._picture(dots.raster(data, stride * 8, rows), (mode & 1) + 1, (mode >> 1 & 1) + 1)

    def _bit_image(self) -> Parse:
        """ESC * m n: a strip of 8 or 24 dots' height in the line being set."""
        (mode,) = yield from self._take(1)
        columns = yield from self._number()
        high = 3 if mode & 0x20 else 1
        data = yield from self._take(columns * high)
        strip = dots.columns24(data, columns, high)
        self._put(dots.enlarged(strip, 1 if mode & 1 else 2, 1 if high == 3 else 3), "")

    def _extended(self) -> Parse:
        """GS ( L, graphics, and GS ( k, QR codes. Others are passed over by their length."""
        (letter,) = yield from self._take(1)
        data = yield from self._take((yield from self._number()))
        if letter == ord("L") and data[:2] == b"0p":
            width, height = data[3], data[4]
            columns, rows = struct.unpack("<HH", data[6:10])
            picture = dots.raster(data[10:], columns, rows)
            self._stored = dots.enlarged(picture, width, height)
        elif letter == ord("L") and data[:2] in (b"02", b"0\x02"):
            if self._stored is not None:
                self._picture(self._stored, 1, 1)
            self._stored = None
        elif letter == ord("k") and data[:1] == b"1":
            self._qr(data[1], data[2:])
        else:
            self._unknown(bytes((GS, ord("("), letter)) + data[:2])

    def _qr(self, function: int, data: bytes) -> None:
        if function == 67:
            self._qr_module = data[0]
        elif function == 69:
            self._qr_level = data[0] & 3
        elif function == 80:
            self._qr_data = data[1:]
        elif function == 81:
            self._picture(
                dots.qr(self._qr_data, self._qr_module, self._qr_level), 1, 1,
                f"[QR {self._qr_data.decode('utf-8', 'replace')}]",
            )

    def _bar_code(self) -> Parse:
        """GS k m d… NUL (m under 65), or GS k m n d…; text above (1), below (2), both (3)."""
        (kind,) = yield from self._take(1)
        if kind >= 65:
            (length,) = yield from self._take(1)
            data = yield from self._take(length)
        else:
            data = b""
            while (byte := (yield from self._take(1))) != b"\0":
                data += byte
        text = data.decode("ascii", "replace")
        drawn = dots.bars(kind, text, self._bar_module, self._bar_height)
        if drawn is None:
            self._unknown(bytes((GS, ord("k"), kind)))
            return
        for place in (1, 0, 2):
            if place == 0:
                self._picture(drawn, 1, 1)
            elif self._bar_text & place:
                for character in text:
                    self._glyph(character, False)
                self._finish_line()

    def _picture(self, picture: Dots, width: int, height: int, text: str = "") -> None:
        if self._pieces:
            self._finish_line()
        picture = dots.enlarged(picture, width, height)
        self._emit(picture, text, picture.shape[0])

    # ---- the line being set

    def _glyph(self, text: str, wide: bool) -> None:
        width, height = self._wide_size if wide else self._narrow_size
        self._put(
            dots.styled(
                dots.character(text, wide), width, height,
                self._bold, self._underline, self._invert,
            ),
            text,
        )

    def _put(self, piece: Dots, text: str) -> None:
        """Append to the line; a piece that does not fit starts the next one."""
        if self._x + piece.shape[1] > HEAD and self._pieces:
            self._finish_line()
        self._pieces.append(piece)
        self._text += text
        self._x += piece.shape[1]

    def _finish_line(self) -> None:
        """LF: the line's height is that of its highest piece, and at least the line spacing."""
        high = max((piece.shape[0] for piece in self._pieces), default=0)
        whole = np.zeros((high, self._x), bool)
        x = 0
        for piece in self._pieces:
            whole[high - piece.shape[0]:, x:x + piece.shape[1]] = piece
            x += piece.shape[1]
        text = self._text
        self._drop_line()
        self._emit(whole, text, self._spacing)

    def _emit(self, whole: Dots, text: str, height: int) -> None:
        free = max(0, HEAD - whole.shape[1])
        x = (0, free // 2, free)[self._align % 3]
        indent = " " * (x // CELL) if text else ""
        self._line((indent + text).rstrip(), dots.placed(whole, x, height))

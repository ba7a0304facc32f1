"""What a 384-dot thermal head prints: characters, pictures and codes as arrays of dots.

The printer's font is 12x24 for one-byte and 24x24 for Chinese characters: GNU Unifont at one and a
half its size. Arrays are bool, rows by columns; True is a burnt dot.
"""

from functools import cache

import numpy as np

from tools.toolchain.fonts import unifont, widened

HEAD = 384
CELL = 12
HEIGHT = 24
# GS k: the codes the model draws. 0-6 and 65-71 are the same in the two forms of the command.
SYMBOLOGIES = {
    65: "upca", 67: "ean13", 68: "ean8", 69: "code39", 70: "itf", 71: "codabar", 73: "code128",
}

Dots = np.ndarray


@cache
def glyphs() -> dict[int, bytes]:
    """Unifont, read once."""
    return unifont()


@cache
def character(text: str, wide: bool) -> Dots:
    """One character in its cell, 24 rows by 12 or 24 columns; a box when Unifont lacks it."""
    there = glyphs()
    glyph = there.get(ord(text), there[0x25A1])
    if wide:
        glyph = widened(glyph)
    bits = np.unpackbits(np.frombuffer(glyph, np.uint8)).reshape(16, -1).astype(bool)
    if not wide and bits.shape[1] == 16:
        bits = bits[:, ::2] | bits[:, 1::2]
    # Three by three of each, then two by two of these: a stroke of one pixel becomes two dots.
    fine = np.kron(bits, np.ones((3, 3), np.uint8))
    rows, columns = fine.shape[0] // 2, fine.shape[1] // 2
    return fine.reshape(rows, 2, columns, 2).sum(axis=(1, 3)) >= 2


def styled(dots: Dots, width: int, height: int, bold: bool, underline: int, invert: bool) -> Dots:
    """A character made larger, heavier, underlined or white on black."""
    if bold:
        heavy = dots.copy()
        heavy[:, 1:] |= dots[:, :-1]
        dots = heavy
    dots = enlarged(dots, width, height)
    if underline:
        dots = dots.copy()
        dots[-underline:] = True
    return ~dots if invert else dots


def raster(data: bytes, columns: int, rows: int) -> Dots:
    """Rows of bytes, the most significant bit leftmost; `columns` in dots."""
    stride = (columns + 7) // 8
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(rows, stride * 8)
    return bits[:, :columns].astype(bool)


def columns24(data: bytes, columns: int, high: int) -> Dots:
    """ESC *: columns of `high` bytes (1 or 3), the most significant bit on top."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8)).reshape(columns, high * 8)
    return bits.T.astype(bool)


def enlarged(dots: Dots, width: int, height: int) -> Dots:
    """Each dot as a block."""
    return dots.repeat(height, axis=0).repeat(width, axis=1)


def qr(data: bytes, module: int, level: int) -> Dots:
    """A QR code (model 2) without quiet zone; `level` 0-3 for L, M, Q, H."""
    import segno  # not needed before the first code is printed

    code = segno.make_qr(data, error="LMQH"[level], boost_error=False)
    matrix = np.array([[bool(cell) for cell in row] for row in code.matrix])
    return enlarged(matrix, module, module)


def bars(kind: int, data: str, module: int, height: int) -> Dots | None:
    """A bar code, or None for a kind the model does not draw or data the kind cannot hold."""
    import barcode  # type: ignore[import-untyped]  # only foreign hosts print bar codes

    name = SYMBOLOGIES.get(kind if kind >= 65 else kind + 65)
    if name is None:
        return None
    if name == "code128" and data[:1] == "{":
        data = data[2:]  # the code set; the library chooses its own
    options = {"add_checksum": False} if name == "code39" else {}
    try:
        pattern = barcode.get_barcode_class(name)(data, **options).build()[0]
    except barcode.errors.BarcodeError:
        return None
    line = np.array([mark != "0" for mark in pattern])
    return enlarged(np.tile(line, (height, 1)), module, 1)


def placed(dots: Dots, x: int, height: int) -> list[bytes]:
    """Paper rows of 48 bytes: the dots at `x`, at the foot of a line of `height`; cut at 384."""
    rows = max(height, dots.shape[0])
    paper = np.zeros((rows, HEAD), np.uint8)
    part = dots[:, :max(0, HEAD - x)]
    paper[rows - dots.shape[0]:, x:x + part.shape[1]] = part
    return [bytes(row) for row in np.packbits(paper, axis=1)]

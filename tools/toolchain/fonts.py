"""Make the glyph and character-set modules that are frozen into the firmware.

    .venv/bin/python -m tools.toolchain.fonts build/gen          # write what has changed
    .venv/bin/python -m tools.toolchain.fonts build/gen --check  # exit 1 if it would

Four Python modules of constant bytes (frozen, they stay in flash):

- `glyphs16`: GNU Unifont, 16 pixels high. ASCII U+0020..007E, 8x16; every cell of GB 2312 rows 1-9
  and 16-87 in row-cell (区位) order, 16x16, a half-width glyph in the middle of its cell.
- `glyphs24`: the characters that occur in string literals under firmware/ui, and ASCII: Droid Sans
  Fallback at 24 pixels.
- `glyphs40`: what amounts are written with, at 40 pixels.
- `gbtable`: Unicode to GB 18030: every two-byte character that cannot be computed, and the ranges
  of the four-byte ones.

All bitmaps are rows from the top, the most significant bit leftmost. Sources: Debian's `unifont`
(OFL 1.1 / GPL-2+ with font exception) and `fonts-droid-fallback` (Apache-2.0). The same packages
and the same Pillow give the same bytes.
"""

import argparse
import ast
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

UNIFONT = Path("/usr/share/unifont/unifont.hex")
DROID = Path("/usr/share/fonts-droid-fallback/truetype/DroidSansFallback.ttf")
WORDING = Path(__file__).resolve().parents[2] / "firmware" / "ui"

ASCII = range(0x20, 0x7F)
PROMPT = 24
AMOUNT = "0123456789.,￥-"
# Rows 10-15 and 88-94 of GB 2312 are empty: they have no cells in the module.
ROWS = (*range(1, 10), *range(16, 88))
# At which grey a pixel becomes ink: a little under the half keeps thin strokes on the panel.
INK = 100


class FontError(Exception):
    """The glyphs cannot be made; the message says what to do."""


def unifont(path: Path = UNIFONT) -> dict[int, bytes]:
    """Unifont's glyphs by code point: 16 bytes (8x16) or 32 bytes (16x16)."""
    glyphs = {}
    for row in _text(path, "unifont").split():
        point, bits = row.split(":")
        glyphs[int(point, 16)] = bytes.fromhex(bits)
    return glyphs


def widened(glyph: bytes) -> bytes:
    """A Unifont glyph as a 16x16 cell, the half-width ones in its middle."""
    if len(glyph) == 32:
        return glyph
    return b"".join((row << 4).to_bytes(2, "big") for row in glyph)


def gb_points() -> list[int]:
    """The code point of each cell of `ROWS`, 94 a row; 0 for the empty and user-defined ones."""
    return [_decoded(bytes((row + 0xA0, cell + 0xA0))) for row in ROWS for cell in range(1, 95)]


def wording(folder: Path = WORDING) -> set[str]:
    """The characters in the string literals, docstrings aside, of the modules under `folder`."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.update(() if id(node) in prose else node.value)
    return found


def glyphs16() -> dict[str, bytes]:
    """The module's constants by name."""
    there = unifont()
    cells = (widened(there[point]) if point else bytes(32) for point in gb_points())
    return {"ASCII": b"".join(there[point] for point in ASCII), "CELLS": b"".join(cells)}


def rasterised(characters: Iterable[str], size: int, stride: int) -> dict[str, bytes]:
    """A module of Droid glyphs: sorted points (u16 LE), advances, and `stride` bytes a row.

    The font has ASCII as full-width forms only: their ink is moved to the left edge, and the
    advance becomes its width and two bearings. Digits share one advance: an amount does not dance.
    """
    font = _droid(size)
    drawn = {}
    for character in sorted(set(characters)):
        form = chr(ord(character) + 0xFEE0) if "!" <= character <= "~" else character
        image = _ink(font, form, size)
        if image.getbbox() is not None:
            drawn[character] = image
    bearing = size // 16
    widths = [_extent(image)[1] for character, image in drawn.items() if character.isdigit()]
    tabular = max(widths, default=0) + 2 * bearing
    points, advances, bits = b"", b"", b""
    for character, image in drawn.items():
        left, wide = _extent(image)
        advance = size
        if character.isascii() or character == "￥":
            advance = min(size, wide + 2 * bearing)
            advance = tabular if character.isdigit() else advance
            image = image.transform(
                image.size, Image.Transform.AFFINE,
                (1, 0, left - (advance - wide) // 2, 0, 1, 0),
            )
        points += struct.pack("<H", ord(character))
        advances += bytes((advance,))
        canvas = Image.new("1", (8 * stride, size))
        canvas.paste(image, (0, 0))
        bits += canvas.tobytes()
    return {"POINTS": points, "ADVANCES": advances, "BITS": bits}


def glyphs24() -> dict[str, bytes]:
    """The module's constants by name."""
    font = _droid(24)
    unassigned = bytes(font.getmask("\uffff"))
    words = {c for c in wording() if c > "~" and bytes(font.getmask(c)) != unassigned}
    return rasterised(words | {chr(point) for point in ASCII if point > 0x20}, 24, 3)


def glyphs40() -> dict[str, bytes]:
    """The module's constants by name."""
    return rasterised(AMOUNT, 40, 4)


def gbtable() -> dict[str, bytes]:
    """The module's constants by name: GB 18030 as far as it cannot be computed.

    POINTS/CODES: the two-byte characters, sorted, without those of CJK U+4E00..9FA5 that GB 2312
    lacks: GBK puts these in code point order into 8140..A0FE and AA40..FEA0. STARTS/LINEARS: the
    runs of four-byte characters of the basic plane, by first code point and position after
    81308130.
    """
    pairs, runs, expected = [], [], (0, 0)
    for point in range(0x80, 0x10000):
        if 0xD800 <= point < 0xF900:
            continue
        code = chr(point).encode("gb18030")
        if len(code) == 2:
            if not 0x4E00 <= point <= 0x9FA5 or _in_gb2312(code):
                pairs.append((point, int.from_bytes(code, "big")))
            continue
        first, second, third, fourth = code
        linear = (((first - 0x81) * 10 + second - 0x30) * 126 + third - 0x81) * 10 + fourth - 0x30
        if (point, linear) != expected:
            runs.append((point, linear))
        expected = (point + 1, linear + 1)
    return {
        "POINTS": _words(point for point, _ in pairs),
        "CODES": _words(code for _, code in pairs),
        "STARTS": _words(point for point, _ in runs),
        "LINEARS": _words(linear for _, linear in runs),
    }


MODULES: dict[str, Callable[[], dict[str, bytes]]] = {
    "glyphs16": glyphs16, "glyphs24": glyphs24, "glyphs40": glyphs40, "gbtable": gbtable,
}


def source(name: str, constants: dict[str, bytes]) -> str:
    """A module's text."""
    lines = [f'"""Made by tools/toolchain/fonts.py ({name}); see there for the shapes."""', ""]
    for constant, data in constants.items():
        lines.append(f"{constant} = (")
        lines += [f"    {_literal(data[at:at + 64])}" for at in range(0, len(data), 64)] or ["b''"]
        lines.append(")")
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Write or check the modules; 0 when all is well."""
    parser = argparse.ArgumentParser(description="make the glyph modules")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--check", action="store_true", help="write nothing; 1 if out of date")
    options = parser.parse_args(arguments)
    options.folder.mkdir(parents=True, exist_ok=True)
    stale = []
    for name, make in MODULES.items():
        path, text = options.folder / f"{name}.py", source(name, make())
        if not path.exists() or path.read_text(encoding="ascii") != text:
            stale.append(name)
            if not options.check:
                path.write_text(text, encoding="ascii")
    if options.check and stale:
        print(f"fonts: {', '.join(stale)} out of date: run make build.")
        return 1
    return 0


def _text(path: Path, package: str) -> str:
    try:
        return path.read_text(encoding="ascii")
    except OSError as error:
        raise FontError(f"{error}: install Debian's package '{package}'") from error


def _droid(size: int) -> ImageFont.FreeTypeFont:
    try:
        return ImageFont.truetype(str(DROID), size, layout_engine=ImageFont.Layout.BASIC)
    except OSError as error:
        raise FontError(f"{DROID}: install Debian's package 'fonts-droid-fallback'") from error


def _ink(font: ImageFont.FreeTypeFont, character: str, size: int) -> Image.Image:
    """One glyph on a `size` by `size` cell, black and white.

    Latin letters hang deeper than an ideograph: in prompts they stand a row higher, and a
    descender that still leaves the cell is drawn shorter instead of being cut off.
    """
    latin = "\uff01" <= character <= "\uff5e" and size == PROMPT
    baseline = size * 7 // 8 - latin
    grey = Image.new("L", (size, 2 * size))
    ImageDraw.Draw(grey).text((0, baseline), character, fill=255, font=font, anchor="ls")
    ink = grey.point(lambda value: 255 * (value >= INK))
    box = ink.getbbox()
    if box is not None and box[3] > size:
        hanging = ink.crop((0, baseline, size, box[3]))
        shorter = hanging.resize((size, size - baseline), Image.Resampling.BOX)
        ink.paste(shorter.point(lambda value: 255 * (value >= INK)), (0, baseline))
    return ink.crop((0, 0, size, size)).convert("1")


def _extent(image: Image.Image) -> tuple[int, int]:
    """The column in which the ink begins, and how many columns it takes."""
    box = image.getbbox() or (0, 0, 0, 0)
    return box[0], box[2] - box[0]


def _decoded(code: bytes) -> int:
    try:
        point = ord(code.decode("gb18030"))
    except UnicodeDecodeError:
        return 0
    return 0 if 0xE000 <= point < 0xF900 else point


def _in_gb2312(code: bytes) -> bool:
    return 0xB0 <= code[0] <= 0xF7 and code[1] >= 0xA1


def _words(values: Iterable[int]) -> bytes:
    return b"".join(struct.pack("<H", value) for value in values)


def _literal(data: bytes) -> str:
    return 'b"' + "".join(f"\\x{byte:02x}" for byte in data) + '"'


if __name__ == "__main__":
    try:
        sys.exit(main())
    except FontError as error:
        sys.exit(f"fonts: {error}")

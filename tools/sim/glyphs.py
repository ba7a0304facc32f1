"""Reading the screen: which text is really drawn on it, by the glyphs the firmware draws with.

The glyphs are those of build/gen, which tools/toolchain/fonts.py makes and the firmware freezes;
the rules (widths, smaller sizes standing in) are those of lib/glyphs.py. A picture is 320x240
RGB888.
"""

import io
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tools.toolchain.fonts import ASCII, gb_points

GENERATED = Path(__file__).resolve().parents[2] / "build" / "gen"
WIDTH, HEIGHT = 320, 240
SIZES = (16, 24, 40)
SPACE = {16: 8, 24: 8, 40: 14}
BOX = 0x25A1
# How many columns of a glyph are looked for before all of it is compared: no more than the
# narrowest glyph of its size has.
ANCHOR = {16: 8, 24: 6, 40: 8}


class GlyphsMissing(Exception):
    """build/gen is not there; the message says what to do."""


@dataclass(frozen=True)
class Glyph:
    """One character as drawn: ink by rows and columns, as wide as its advance."""

    text: str
    size: int
    ink: np.ndarray


@dataclass(frozen=True)
class Place:
    """Where a text stands, and in which size and colour."""

    x: int
    y: int
    size: int
    colour: tuple[int, int, int]


def find(pixels: bytes, text: str) -> list[Place]:
    """All places where one line of `text` is drawn, in any size and colour; [] if nowhere.

    Every pixel within the text's rectangle must fit: ink in one colour, and no other pixel in it.
    """
    places: dict[tuple[int, int], Place] = {}
    for size in SIZES:
        wanted = _line(text, size)
        if wanted.any() and wanted.shape[1] <= WIDTH:
            for colour, mask in _masks(pixels):
                for x, y in _search(mask, wanted):
                    # The same in a larger size is drawn by glyphs that stand in: named once.
                    places.setdefault((x, y), Place(x, y, size, colour))
    return list(places.values())


def read(pixels: bytes) -> list[str]:
    """The lines of text on the screen from the top down, as far as glyphs are recognised."""
    return list(_read(pixels))


def png(pixels: bytes) -> bytes:
    """The picture as a PNG file."""
    out = io.BytesIO()
    Image.frombytes("RGB", (WIDTH, HEIGHT), pixels).save(out, "PNG")
    return out.getvalue()


# ---- the glyphs


@cache
def _module(name: str) -> dict[str, Any]:
    path = GENERATED / f"{name}.py"
    if not path.exists():
        raise GlyphsMissing(f"{path} is not there: run 'make build' first.")
    return runpy.run_path(str(path))


@cache
def _font(size: int) -> dict[str, Glyph]:
    """The glyphs that one size has itself."""
    if size == 16:
        return _unifont()
    module = _module(f"glyphs{size}")
    points = np.frombuffer(module["POINTS"], "<u2")
    stride = len(module["BITS"]) // len(points) // size
    bits = np.frombuffer(module["BITS"], np.uint8).reshape(len(points), size, stride)
    cells = np.unpackbits(bits, axis=2).astype(bool)
    return {
        chr(point): Glyph(chr(point), size, cell[:, :advance])
        for point, advance, cell in zip(points, module["ADVANCES"], cells)
    }


def _unifont() -> dict[str, Glyph]:
    module = _module("glyphs16")
    narrow = np.frombuffer(module["ASCII"], np.uint8).reshape(-1, 16, 1)
    wide = np.frombuffer(module["CELLS"], np.uint8).reshape(-1, 16, 2)
    found = {
        chr(point): Glyph(chr(point), 16, np.unpackbits(cell, axis=1).astype(bool))
        for point, cell in zip(gb_points(), wide) if point
    }
    for point, cell in zip(ASCII, narrow):
        found[chr(point)] = Glyph(chr(point), 16, np.unpackbits(cell, axis=1).astype(bool))
    return found


def _pieces(text: str, size: int) -> Iterator[tuple[np.ndarray, int]]:
    """The ink of each character and how far below the line's top it starts."""
    for character in text:
        if character == " ":
            yield np.zeros((size, SPACE[size]), bool), 0
            continue
        character = "￥" if character == "¥" else character
        for other in (s for s in reversed(SIZES) if s <= size):
            if character in _font(other):
                yield _font(other)[character].ink, (size - other) // 2
                break
        else:
            yield _font(16)[chr(BOX)].ink, (size - 16) // 2


@lru_cache(2048)
def _line(text: str, size: int) -> np.ndarray:
    """A whole line's ink, cropped to where ink is."""
    pieces = list(_pieces(text, size))
    line = np.zeros((size, sum(ink.shape[1] for ink, _ in pieces)), bool)
    x = 0
    for ink, top in pieces:
        line[top:top + ink.shape[0], x:x + ink.shape[1]] = ink
        x += ink.shape[1]
    rows, columns = np.flatnonzero(line.any(axis=1)), np.flatnonzero(line.any(axis=0))
    if not len(rows):
        return line[:0, :0]
    return line[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1]


# ---- the screen


@lru_cache(4)
def _masks(pixels: bytes) -> list[tuple[tuple[int, int, int], np.ndarray]]:
    """Each colour of the picture and where it is; the panel shows at most sixteen."""
    rgb = np.frombuffer(pixels, np.uint8).reshape(HEIGHT, WIDTH, 3).astype(np.uint32)
    whole = rgb[..., 0] << 16 | rgb[..., 1] << 8 | rgb[..., 2]
    colours = np.unique(whole)[:16]
    return [
        ((int(c) >> 16, int(c) >> 8 & 0xFF, int(c) & 0xFF), whole == c) for c in colours
    ]


def _windows(mask: np.ndarray) -> np.ndarray:
    """For each pixel the sixteen from it to the right as a number, the first one highest."""
    padded: np.ndarray = np.zeros((HEIGHT, WIDTH + 16), np.uint16)
    padded[:, :WIDTH] = mask
    for step in (1, 2, 4, 8):
        shifted = np.zeros_like(padded)
        shifted[:, :-step] = padded[:, step:]
        padded = padded << step | shifted
    return padded[:, :WIDTH]


def _search(mask: np.ndarray, wanted: np.ndarray) -> Iterator[tuple[int, int]]:
    """Where `wanted` stands exactly: its row with the most changes, the rarest, is looked for."""
    rows, columns = wanted.shape
    rare = int(np.diff(wanted, axis=1).sum(axis=1).argmax())
    row, picture = wanted[rare].tobytes(), mask.tobytes()
    end = (HEIGHT - rows + rare + 1) * WIDTH
    place = picture.find(row, rare * WIDTH, end)
    while place >= 0:
        y, x = place // WIDTH - rare, place % WIDTH
        if x + columns <= WIDTH and np.array_equal(mask[y:y + rows, x:x + columns], wanted):
            yield x, y
        place = picture.find(row, place + 1, end)


# ---- reading


@lru_cache(8)
def _read(pixels: bytes) -> tuple[str, ...]:
    """Recognise glyphs and join those of one height into lines."""
    found: list[tuple[int, int, Glyph]] = []
    for _, mask in _masks(pixels):
        found += _recognise(mask)
    lines: dict[int, list[tuple[int, Glyph]]] = {}
    for x, y, glyph in found:
        lines.setdefault(y + glyph.size // 2, []).append((x, glyph))
    texts = (_joined(sorted(line, key=lambda part: part[0])) for _, line in sorted(lines.items()))
    # Rules and frames look like dashes.
    return tuple(text for text in texts if text.strip("-_|一—―‖ "))


def _joined(line: list[tuple[int, Glyph]]) -> str:
    text, end = "", None
    for x, glyph in line:
        if end is not None and x - end >= SPACE[16]:
            text += " "
        text += glyph.text
        end = x + glyph.ink.shape[1]
    return text


def _recognise(mask: np.ndarray) -> list[tuple[int, int, Glyph]]:
    """Glyphs that stand in the mask, (x, y, glyph); more ink claims its place first."""
    found = []
    for size in SIZES:
        sums = _sums(mask, size)
        for y, x in zip(*np.isin(sums, _anchors(size)[0]).nonzero()):
            for left, glyph in _anchors(size)[1][int(sums[y, x])]:
                x0, (rows, columns) = int(x) - left, glyph.ink.shape
                if x0 >= 0 and np.array_equal(mask[y:y + rows, x0:x0 + columns], glyph.ink):
                    found.append((x0, int(y), glyph))
    found.sort(key=lambda item: -int(item[2].ink.sum()))
    free, kept = mask.copy(), []
    for x, y, glyph in found:
        part = free[y:y + glyph.ink.shape[0], x:x + glyph.ink.shape[1]]
        if np.array_equal(part, glyph.ink):
            part[:] = False
            kept.append((x, y, glyph))
    return kept


def _sums(mask: np.ndarray, size: int) -> np.ndarray:
    """For each place a checksum of the pixels of `size` rows and `ANCHOR[size]` columns there."""
    windows = (_windows(mask) >> (16 - ANCHOR[size])).astype(np.uint64)
    sums = np.zeros((HEIGHT - size + 1, WIDTH), np.uint64)
    for row, weight in enumerate(_weights(size)):
        sums += windows[row:row + sums.shape[0]] * weight
    return sums


@cache
def _weights(size: int) -> list[np.uint64]:
    """Odd numbers that look random and are always the same."""
    return [np.uint64(pow(0x9E3779B97F4A7C15, row + 1, 1 << 64) | 1) for row in range(size)]


@cache
def _anchors(size: int) -> tuple[np.ndarray, dict[int, list[tuple[int, Glyph]]]]:
    """The glyphs by the checksum of a part with ink, and how far from their left edge it is."""
    anchors: dict[int, list[tuple[int, Glyph]]] = {}
    wide = ANCHOR[size]
    weights = np.arange(wide - 1, -1, -1)
    for glyph in _font(size).values():
        last = max(0, glyph.ink.shape[1] - wide)
        for left in (0, last // 2, last):
            part = glyph.ink[:, left:left + wide]
            if part.any() and part.shape[1] == wide:
                codes = (part.astype(np.uint64) << weights.astype(np.uint64)).sum(axis=1)
                key = sum(int(c) * int(w) for c, w in zip(codes, _weights(size))) % (1 << 64)
                anchors.setdefault(key, []).append((left, glyph))
                break
    return np.array(sorted(anchors), np.uint64), anchors

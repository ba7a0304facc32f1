"""The label of a device: serial number, MAC and terminal number, as a QR and in words.

50 × 30 mm at 600 dots an inch, black on white, as a PNG and as a PDF of that size. The QR's text
is three lines: `S/N …`, `MAC …`, `TID …`.
"""

from pathlib import Path

import segno
from PIL import Image, ImageDraw, ImageFont

DPI = 600
SIZE_MM = (50, 30)
MARGIN_MM = 2.0
QUIET_ZONE = 4  # modules of white around the QR (ISO/IEC 18004, 6.3.8)
TITLE = "SUANPAN"
TEXT_MM = 2.6


def text_of(serial: str, mac: str, terminal: str) -> str:
    """What the QR says."""
    return f"S/N {serial}\nMAC {mac.upper()}\nTID {terminal}"


def draw(serial: str, mac: str, terminal: str) -> Image.Image:
    """The label as a picture of one bit a dot."""
    width, height = (_dots(mm) for mm in SIZE_MM)
    label = Image.new("1", (width, height), 1)
    code = segno.make_qr(text_of(serial, mac, terminal), error="q")
    modules = int(code.symbol_size(border=QUIET_ZONE)[0])
    scale = (height - _dots(MARGIN_MM)) // modules
    side = scale * modules
    pen, top = ImageDraw.Draw(label), (height - side) // 2
    for y, row in enumerate(code.matrix_iter(border=QUIET_ZONE)):
        for x, dark in enumerate(row):
            if dark:
                corner = (x * scale, top + y * scale)
                pen.rectangle((*corner, corner[0] + scale - 1, corner[1] + scale - 1), 0)
    _write(label, side, [TITLE, "S/N", serial, "MAC", mac.upper(), "TID", terminal])
    return label


def _write(label: Image.Image, left: int, words: list[str]) -> None:
    """The same in words, to the right of the QR: names small, values as large as fits."""
    pen = ImageDraw.Draw(label)
    room = label.width - left - _dots(MARGIN_MM)
    size = _dots(TEXT_MM)
    while max(pen.textlength(word, ImageFont.load_default(size)) for word in words) > room:
        size -= 1
    step = (label.height - 2 * _dots(MARGIN_MM)) // len(words)
    for number, word in enumerate(words):
        small = word in ("S/N", "MAC", "TID")
        font = ImageFont.load_default(size * 3 // 4 if small else size)
        y = _dots(MARGIN_MM) + number * step + (step // 3 if small else 0)
        pen.text((left, y), word, 0, font)


def _dots(millimetres: float) -> int:
    return round(millimetres / 25.4 * DPI)


def save(folder: Path, serial: str, mac: str, terminal: str) -> Path:
    """Write `terminal.png` and `terminal.pdf`; the PNG's path. OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    label = draw(serial, mac, terminal)
    png = folder / f"{terminal}.png"
    label.save(png, dpi=(DPI, DPI))
    label.save(folder / f"{terminal}.pdf", resolution=DPI, title=f"{serial} {terminal}")
    return png

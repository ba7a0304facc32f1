"""What the handbook shows and nobody writes by hand: the wiring's picture and the table of codes.

`python -m tools.workshop.handbook` writes docs/images/wiring.svg from the reference board's
pins.csv, and the tables between the marks in docs/workshop.md and docs/workshop.zh.md from
`faults`. With `--check` it only says, by its exit code, whether they are what it would write.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from tools.check.pins import rows
from tools.workshop.faults import FAULTS, LANGUAGES, Language, WorkshopError

ROOT = Path(__file__).resolve().parents[2]
PINS = ROOT / "board" / "esp32s3" / "pins.csv"
PICTURE = ROOT / "docs" / "images" / "wiring.svg"
PAGES: dict[Language, Path] = {
    "en": ROOT / "docs" / "workshop.md",
    "zh": ROOT / "docs" / "workshop.zh.md",
}
BEGIN, END = "<!-- codes: made by tools.workshop.handbook -->\n", "<!-- end of codes -->\n"
HEADS: dict[Language, str] = {
    "en": "| code | what happened | what to do |\n|---|---|---|\n",
    "zh": "| 代码 | 原因 | 处理 |\n|---|---|---|\n",
}


class WiringUnclear(WorkshopError):
    """pins.csv and the parts' list name different signals."""


@dataclass(frozen=True)
class Part:
    """One part: its names, its colour, and signal → the name of its own pin."""

    name: str
    colour: str
    pins: dict[str, str]


LEFT = (
    Part("键盘 Keypad 5×4", "#8250df", {
        **{f"KEY_ROW{n}": f"row {n + 1}" for n in range(5)},
        **{f"KEY_COL{n}": f"column {n + 1}" for n in range(4)},
    }),
    Part("打印机 Printer (UART1)", "#953800", {"PRINTER_TX": "RXD", "PRINTER_RX": "TXD"}),
    Part("接触读卡器 Reader (UART2)", "#116329",
         {"READER_TX": "RXD", "READER_RX": "TXD"}),
    Part("扫码器 Scanner GM65 (UART0)", "#0550ae", {"SCANNER_TX": "RXD", "SCANNER_RX": "TXD"}),
    Part("电量计 Fuel gauge MAX17048", "#6e7781", {"I2C_SDA": "SDA", "I2C_SCL": "SCL"}),
)  # fmt: skip
RIGHT = (
    Part("SPI 三者共用 shared by all three", "#cf222e",
         {"SPI_SCK": "SCK", "SPI_MOSI": "MOSI", "SPI_MISO": "MISO"}),
    Part("显示屏 Display ST7789", "#0550ae",
         {"LCD_CS": "CS", "LCD_DC": "DC", "LCD_BACKLIGHT": "BLK"}),
    Part("非接读卡器 NFC reader PN532", "#116329", {"NFC_CS": "SS", "NFC_IRQ": "P70_IRQ"}),
    Part("SD 卡 SD card", "#953800", {"SD_CS": "CS"}),
    Part("非接指示灯 Lamps WS2812 ×4", "#8250df", {"LAMPS": "DIN of the first"}),
    Part("蜂鸣器 Buzzer", "#6e7781", {"BUZZER": "+"}),
)  # fmt: skip

WIDTH, ROW, HEAD, GAP, TOP = 960, 22, 26, 16, 64
MODULE = (390, 570)  # left and right edge
PART_WIDTH = 250
FOOT = (
    "GND 全部共地 · 3V3 供逻辑 · 5V 供打印机与指示灯；UART 已交叉（TX→RXD）",
    "All GND together; 3V3 for logic, 5V for printer and lamps; UARTs are crossed (TX→RXD)",
)


def wiring(pins: Path = PINS) -> str:
    """The picture as SVG. WiringUnclear."""
    gpio = dict(rows(pins))
    named = [signal for part in LEFT + RIGHT for signal in part.pins]
    if sorted(named) != sorted(gpio):
        odd = sorted(set(named) ^ set(gpio))
        raise WiringUnclear(f"only one of pins.csv and the parts has {', '.join(odd)}")
    height = TOP + max(_height(side) for side in (LEFT, RIGHT)) + 56
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<rect x="{MODULE[0]}" y="{TOP - 40}" width="{MODULE[1] - MODULE[0]}" '
        f'height="{height - TOP - 16}" rx="6" fill="#24292f"/>',
        _text(sum(MODULE) / 2, TOP - 18, "ESP32-S3-WROOM-1", "middle", "#fff", bold=True),
        _text(sum(MODULE) / 2, TOP - 2, "N16R8", "middle", "#fff"),
    ]
    for side, parts in (("left", LEFT), ("right", RIGHT)):
        y = TOP
        for part in parts:
            lines += _part(side, part, y, gpio)
            y += HEAD + ROW * len(part.pins) + GAP
    for number, words in enumerate(FOOT):
        lines.append(_text(WIDTH / 2, height - 26 + 17 * number, words, "middle", "#24292f"))
    return "\n".join([*lines, "</svg>"]) + "\n"


def _height(parts: tuple[Part, ...]) -> int:
    return sum(HEAD + ROW * len(part.pins) + GAP for part in parts)


def _part(side: str, part: Part, y: int, gpio: dict[str, int]) -> list[str]:
    """A part's box, and a wire for each of its pins."""
    left = side == "left"
    x = 10 if left else WIDTH - 10 - PART_WIDTH
    near = x + PART_WIDTH if left else x
    edge = MODULE[0] if left else MODULE[1]
    height = HEAD + ROW * len(part.pins)
    lines = [
        f'<rect x="{x}" y="{y}" width="{PART_WIDTH}" height="{height}" rx="5" fill="#f6f8fa" '
        f'stroke="{part.colour}" stroke-width="1.5"/>',
        _text(x + 10, y + 18, part.name, "start", part.colour, bold=True),
    ]
    for number, (signal, pin) in enumerate(part.pins.items()):
        at = y + HEAD + ROW * number + 8
        inner = near - 10 if left else near + 10
        lines += [
            f'<path d="M{near} {at}H{edge}" stroke="{part.colour}" stroke-width="1.5"/>',
            _text(inner, at + 4, pin, "end" if left else "start", "#24292f"),
            _text((near + edge) / 2, at - 3, signal, "middle", part.colour, size=10),
            _text(edge + (8 if left else -8), at + 4, f"GPIO{gpio[signal]}",
                  "start" if left else "end", "#fff"),
        ]  # fmt: skip
    return lines


def _text(
    x: float, y: float, words: str, anchor: str, colour: str, size: int = 13, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" fill="{colour}" font-size="{size}"'
        f"{weight}>{escape(words)}</text>"
    )


def codes(language: Language) -> str:
    """The table of codes, Markdown."""
    return HEADS[language] + "".join(
        f"| {fault.code} `{fault.name}` | {fault.cause[language]} | {fault.remedy[language]} |\n"
        for fault in FAULTS.values()
    )


def page(language: Language) -> str:
    """The handbook's page with its table as it should be. ValueError without the marks."""
    text = PAGES[language].read_text(encoding="utf-8")
    before, begun, rest = text.partition(BEGIN)
    _, ended, after = rest.partition(END)
    if not begun or not ended:
        raise ValueError(f"{PAGES[language]} lacks the marks of the table of codes")
    return before + BEGIN + codes(language) + END + after


def main() -> None:
    """Write what is out of date, or with --check only say so."""
    wanted = {PICTURE: wiring()} | {PAGES[tongue]: page(tongue) for tongue in LANGUAGES}
    stale = [
        path
        for path, text in wanted.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    if "--check" in sys.argv[1:]:
        sys.exit(bool(stale))
    for path in stale:
        path.write_text(wanted[path], encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()

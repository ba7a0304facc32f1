"""Check each board's pins.csv against the module it is made with, and that every part is reached.

What the module leads out, straps and takes for itself stands in the folder's module.toml. Run as
`python -m tools.check.pins`.
"""

import csv
import sys
from pathlib import Path

from tools.check.boards import Board, espressif

MATRIX = frozenset({*(f"KEY_ROW{n}" for n in range(5)), *(f"KEY_COL{n}" for n in range(4))})
EXPANDER = frozenset({"KEY_INT"})  # the matrix hangs on an I2C expander instead
NEEDED = frozenset({
    "SPI_SCK", "SPI_MOSI", "SPI_MISO", "LCD_CS", "LCD_DC", "LCD_BACKLIGHT", "NFC_CS", "NFC_IRQ",
    "SD_CS", "PRINTER_TX", "PRINTER_RX", "READER_TX", "READER_RX", "SCANNER_TX", "SCANNER_RX",
    "I2C_SDA", "I2C_SCL", "LAMPS", "BUZZER",
})  # fmt: skip


def rows(path: Path) -> list[tuple[str, int]]:
    """(name, GPIO number) of every row; the format is that of MicroPython's ESP32 port."""
    lines = (line for line in path.read_text().splitlines() if line and not line.startswith("#"))
    return [(row[0], int(row[1].removeprefix("GPIO"))) for row in csv.reader(lines)]


def faults(table: list[tuple[str, int]], board: Board) -> list[str]:
    """A sentence for each rule that the table breaks."""
    found = []
    users: dict[int, str] = {}
    for name, pin in table:
        if pin in users:
            found.append(f"GPIO{pin} serves both {users[pin]} and {name}")
        users[pin] = name
        found += _misplaced(name, pin, board)
    names = {name for name, _ in table}
    keypad = EXPANDER if EXPANDER <= names else MATRIX
    return found + [f"{name} is missing" for name in sorted((NEEDED | keypad) - names)]


def _misplaced(name: str, pin: int, board: Board) -> list[str]:
    found = []
    if pin in board.flash:
        found.append(f"{name}: GPIO{pin} belongs to flash and PSRAM")
    elif pin not in board.led_out:
        found.append(f"{name}: GPIO{pin} is not on the module")
    if pin in board.usb:
        found.append(f"{name}: GPIO{pin} is the USB console")
    if pin in board.strapping and board.strap_use.get(pin) != name:
        found.append(f"{name}: GPIO{pin} is a strapping pin ({board.strapping[pin]})")
    if board.fixed.get(name, pin) != pin:
        found.append(f"{name}: the module has this line on GPIO{board.fixed[name]} alone")
    return found


def main() -> None:
    """One line a board; exit with the sentences of what cannot be."""
    for board in espressif():
        table = rows(board.folder / "pins.csv")
        wrong = faults(table, board)
        if wrong:
            sys.exit(f"pins: {board.name}: " + "; ".join(wrong))
        straps = sum(pin in board.strapping for _, pin in table)
        print(f"  {board.name}: {len(table)} pins of {board.module}, none twice, none taken by "
              f"flash, PSRAM or USB; {straps} on straps that they suit")  # fmt: skip


if __name__ == "__main__":
    main()

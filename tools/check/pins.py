"""Check each board's pins.csv against the module it is made with, and that every part is reached.

Sources: ESP32-S3 datasheet 2.3 (pin overview) and 2.6 (strapping pins), ESP32-S3-WROOM-1 datasheet
table 3-1; ESP32-C6 datasheet 2.2 and 3 (boot configurations), ESP32-C6-WROOM-1 datasheet table
3-1. Run as `python -m tools.check.pins`.
"""

import csv
import sys
from dataclasses import dataclass, field
from pathlib import Path

BOARDS = Path(__file__).resolve().parents[2] / "board"
PINS = BOARDS / "esp32s3" / "pins.csv"


@dataclass(frozen=True)
class Module:
    """What a module leads out and what of it is taken, as GPIO numbers."""

    name: str
    led_out: frozenset[int]
    flash: frozenset[int]
    usb: frozenset[int]
    strapping: dict[int, str]
    # Straps that may serve all the same: GPIO → the pin whose idle level is the strap's own.
    strap_use: dict[int, str] = field(default_factory=dict)
    # Pins that a peripheral has for good: name → GPIO.
    fixed: dict[str, int] = field(default_factory=dict)


MODULES = {
    "esp32s3": Module(
        "ESP32-S3-WROOM-1-N16R8",
        led_out=frozenset({*range(22), *range(35, 49)}),
        flash=frozenset(range(26, 38)),  # octal PSRAM of the R8 takes 33-37 as well
        usb=frozenset({19, 20}),
        strapping={
            0: "boot mode", 3: "JTAG source", 45: "flash voltage", 46: "ROM log and boot mode"
        },  # fmt: skip
        strap_use={46: "LCD_BACKLIGHT"},
    ),
    "esp32c6": Module(
        "ESP32-C6-WROOM-1-N16",
        led_out=frozenset({*range(14), *range(15, 24)}),
        flash=frozenset(range(24, 31)),
        usb=frozenset({12, 13}),
        strapping={
            4: "SDIO clock edge", 5: "SDIO clock edge", 8: "ROM log and boot mode",
            9: "boot mode", 15: "JTAG source",
        },  # fmt: skip
        # 4 and 5 matter to an SDIO slave alone; 8 must be high in download mode, as an idle
        # select line is; 15 counts only after an eFuse (JTAG_SEL_ENABLE) that is never burnt.
        strap_use={4: "SCANNER_RX", 5: "SCANNER_TX", 8: "SD_CS", 15: "LAMPS"},
        fixed={"SCANNER_RX": 4, "SCANNER_TX": 5},  # the third UART is the low-power one
    ),
}

MATRIX = frozenset({*(f"KEY_ROW{n}" for n in range(5)), *(f"KEY_COL{n}" for n in range(4))})
EXPANDER = frozenset({"KEY_INT"})  # the matrix hangs on an I2C expander instead
NEEDED = frozenset({
    "SPI_SCK", "SPI_MOSI", "SPI_MISO", "LCD_CS", "LCD_DC", "LCD_BACKLIGHT", "NFC_CS", "NFC_IRQ",
    "SD_CS", "PRINTER_TX", "PRINTER_RX", "READER_TX", "READER_RX", "SCANNER_TX", "SCANNER_RX",
    "I2C_SDA", "I2C_SCL", "LAMPS", "BUZZER",
})  # fmt: skip


def rows(path: Path = PINS) -> list[tuple[str, int]]:
    """(name, GPIO number) of every row; the format is that of MicroPython's ESP32 port."""
    lines = [line for line in path.read_text().split("\n") if line and not line.startswith("#")]
    return [(row[0], int(row[1].removeprefix("GPIO"))) for row in csv.reader(lines)]


def faults(table: list[tuple[str, int]], module: Module = MODULES["esp32s3"]) -> list[str]:
    """A sentence for each rule that the table breaks."""
    found = []
    users: dict[int, str] = {}
    for name, pin in table:
        if pin in users:
            found.append(f"GPIO{pin} serves both {users[pin]} and {name}")
        users[pin] = name
        found += _misplaced(name, pin, module)
    names = {name for name, _ in table}
    keypad = EXPANDER if EXPANDER <= names else MATRIX
    return found + [f"{name} is missing" for name in sorted((NEEDED | keypad) - names)]


def _misplaced(name: str, pin: int, module: Module) -> list[str]:
    found = []
    if pin in module.flash:
        found.append(f"{name}: GPIO{pin} belongs to flash and PSRAM")
    elif pin not in module.led_out:
        found.append(f"{name}: GPIO{pin} is not on the module")
    if pin in module.usb:
        found.append(f"{name}: GPIO{pin} is the USB console")
    if pin in module.strapping and module.strap_use.get(pin) != name:
        found.append(f"{name}: GPIO{pin} is a strapping pin ({module.strapping[pin]})")
    if module.fixed.get(name, pin) != pin:
        found.append(f"{name}: the module has this line on GPIO{module.fixed[name]} alone")
    return found


def main() -> None:
    """One line a board; exit with the sentences of what cannot be."""
    for board, module in MODULES.items():
        table = rows(BOARDS / board / "pins.csv")
        wrong = faults(table, module)
        if wrong:
            sys.exit(f"pins: {board}: " + "; ".join(wrong))
        free = len(module.led_out - module.flash - module.usb - module.strapping.keys())
        print(f"  {board}: {len(table)} pins of {module.name}, {free} without a strap, none twice")


if __name__ == "__main__":
    main()

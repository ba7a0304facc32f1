"""Check `board/esp32s3/pins.csv` against the module it stands for: ESP32-S3-WROOM-1-N16R8.

Sources: ESP32-S3 datasheet 2.3 (pin overview) and 2.6 (strapping pins), WROOM-1 datasheet table
3-1. Run as `python -m tools.check.pins`.
"""

import csv
import sys
from pathlib import Path

PINS = Path(__file__).resolve().parents[2] / "board" / "esp32s3" / "pins.csv"
ON_MODULE = {*range(0, 22), *range(35, 49)}
FLASH_AND_PSRAM = {*range(26, 38)}  # octal PSRAM of the R8 takes 33-37 as well
USB = {19, 20}
STRAPPING = {0: "boot mode", 3: "JTAG source", 45: "flash voltage", 46: "ROM log and boot mode"}
# A strapping pin may serve as an output whose idle level is the strap's own.
STRAP_OUTPUTS = {46: "LCD_BACKLIGHT"}
NEEDED = {
    *(f"KEY_ROW{n}" for n in range(5)),
    *(f"KEY_COL{n}" for n in range(4)),
    "SPI_SCK",
    "SPI_MOSI",
    "SPI_MISO",
    "LCD_CS",
    "LCD_DC",
    "LCD_BACKLIGHT",
    "NFC_CS",
    "NFC_IRQ",
    "SD_CS",
    "PRINTER_TX",
    "PRINTER_RX",
    "READER_TX",
    "READER_RX",
    "SCANNER_TX",
    "SCANNER_RX",
    "I2C_SDA",
    "I2C_SCL",
    "LAMPS",
    "BUZZER",
}


def rows(path: Path = PINS) -> list[tuple[str, int]]:
    """(name, GPIO number) of every row; the format is that of MicroPython's ESP32 port."""
    lines = [line for line in path.read_text().split("\n") if line and not line.startswith("#")]
    return [(row[0], int(row[1].removeprefix("GPIO"))) for row in csv.reader(lines)]


def faults(table: list[tuple[str, int]]) -> list[str]:
    """A sentence for each rule that the table breaks."""
    found = []
    users: dict[int, str] = {}
    for name, pin in table:
        if pin in users:
            found.append(f"GPIO{pin} serves both {users[pin]} and {name}")
        users[pin] = name
        if pin in FLASH_AND_PSRAM:
            found.append(f"{name}: GPIO{pin} belongs to flash and PSRAM")
        elif pin not in ON_MODULE:
            found.append(f"{name}: GPIO{pin} is not on the module")
        if pin in USB:
            found.append(f"{name}: GPIO{pin} is the USB console")
        if pin in STRAPPING and STRAP_OUTPUTS.get(pin) != name:
            found.append(f"{name}: GPIO{pin} is a strapping pin ({STRAPPING[pin]})")
    names = {name for name, _ in table}
    found += [f"{name} is missing" for name in sorted(NEEDED - names)]
    return found


if __name__ == "__main__":
    wrong = faults(rows())
    if wrong:
        sys.exit("pins: " + "; ".join(wrong))
    print(f"  {len(rows())} pins, none twice, none taken by flash, PSRAM, USB or a strap")

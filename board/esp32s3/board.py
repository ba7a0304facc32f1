"""The reference board: ESP32-S3, keypad, display, printer, two readers, lamps and buzzer.

The only file of the terminal that knows this board's parts; `pins.csv` names the pins, so that
they are asked for by name here. The simulator freezes this very file.
"""

import machine
from drivers.buzzer import Buzzer
from drivers.ccid import Ccid
from drivers.keypad import Keypad
from drivers.lamps import Lamps
from drivers.pn532 import Pn532
from drivers.st7789 import ST7789
from drivers.thermal import Thermal
from espressif import Chip, Clock, SharedBus, StorageFault, mount, select, starts
from machine import PWM, SPI, UART, Pin

__all__ = ["Board", "Clock", "StorageFault", "mount", "open", "starts"]

_DISPLAY_HZ = const(40_000_000)
_NFC_HZ = const(4_000_000)
_PRINTER_BAUD = const(9600)
_READER_BAUD = const(115_200)
# Times of a WS2812's bit in nanoseconds: high and low of a 0, high and low of a 1.
_LAMP_TIMING = (400, 850, 800, 450)


def open() -> "Board":
    """Mount the folders and hand over the devices (firmware/devices.py). StorageFault."""
    mount()
    return Board()


class Board(Chip):
    """Every device of the terminal (devices.Board)."""

    def __init__(self) -> None:
        super().__init__()
        bus = SPI(1, sck=Pin("SPI_SCK"), mosi=Pin("SPI_MOSI"), miso=Pin("SPI_MISO"))
        printer = UART(1, _PRINTER_BAUD, tx=Pin("PRINTER_TX"), rx=Pin("PRINTER_RX"), txbuf=512)
        reader = UART(
            2, _READER_BAUD, stop=2, tx=Pin("READER_TX"), rx=Pin("READER_RX"), rxbuf=1024
        )
        lamps = Pin("LAMPS", Pin.OUT, value=0)
        select("SD_CS")  # no card is used yet; a floating select would answer for others
        self.keypad = Keypad(
            [Pin(f"KEY_ROW{i}") for i in range(5)], [Pin(f"KEY_COL{i}") for i in range(4)]
        )
        self.display = ST7789(
            SharedBus(bus, _DISPLAY_HZ),
            select("LCD_CS"),
            Pin("LCD_DC", Pin.OUT, value=0),
            PWM(Pin("LCD_BACKLIGHT"), freq=5000, duty_u16=0),
        )
        self.nfc = Pn532(
            SharedBus(bus, _NFC_HZ), select("NFC_CS"), Pin("NFC_IRQ", Pin.IN, Pin.PULL_UP)
        )
        self.printer = Thermal(printer)
        self.reader = Ccid(reader)
        self.lamps = Lamps(lambda data: machine.bitstream(lamps, 0, _LAMP_TIMING, data))
        self.buzzer = Buzzer(PWM(Pin("BUZZER"), freq=2700, duty_u16=0))

"""What every board with an Espressif chip shares: folders, images, radio, clock, resets, parts.

Pins are asked for by the names in the board's `pins.csv`, so that the parts stand here once; a
board folder's `board.py` says what it has otherwise. The simulator freezes this very file.
"""

import asyncio
import sys
import time

import esp32
import machine
import network
import vfs
from drivers.buzzer import Buzzer
from drivers.ccid import Ccid
from drivers.console import Console
from drivers.keypad import Keypad
from drivers.lamps import Lamps
from drivers.pn532 import Pn532
from drivers.st7789 import ST7789
from drivers.thermal import Thermal
from errors import DeviceError, DeviceSilent
from machine import PWM, SPI, UART, Pin
from starts import Starts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer

# Each folder is a littlefs of its own. The cache is four times the program size: 4096 bytes keep
# an append to the journal at three to five flash operations.
_FOLDERS = (("journal", 1024), ("keys", 256), ("data", 256))
_SUPERBLOCK = b"littlefs"
_SUPERBLOCK_AT = const(8)

_DISPLAY_HZ = const(40_000_000)
_NFC_HZ = const(4_000_000)
_PRINTER_BAUD = const(9600)
_READER_BAUD = const(115_200)
# Times of a WS2812's bit in nanoseconds: high and low of a 0, high and low of a 1.
_LAMP_TIMING = (400, 850, 800, 450)

_JOIN_MS = const(15_000)
_JOIN_STEP_MS = const(100)
_WATCHDOG_MS = const(30_000)
_SHOP_OFFSET_S = const(28_800)  # UTC+8
# Signal in dBm from which one more bar shows.
_BARS = (-85, -75, -67, -58)

_CAUSES = {
    machine.PWRON_RESET: "power",
    machine.HARD_RESET: "pin",
    machine.WDT_RESET: "watchdog",
    machine.SOFT_RESET: "software",
    machine.DEEPSLEEP_RESET: "software",
}


class StorageFault(DeviceError):
    """A folder's flash holds a file system that cannot be read."""


def mount(format_all: bool = False) -> None:
    """Mount /journal, /keys and /data. StorageFault names the folder that cannot be read.

    Flash that never held a file system is formatted; one that did is left alone, for it holds
    money or keys. `format_all` is the workshop's: it makes all three empty.
    """
    for label, program_size in _FOLDERS:
        partition = esp32.Partition.find(esp32.Partition.TYPE_DATA, label=label)[0]
        if format_all or not _has_file_system(partition):
            vfs.VfsLfs2.mkfs(partition, progsize=program_size)
        try:
            system = vfs.VfsLfs2(partition, progsize=program_size, mtime=False)
            vfs.mount(system, "/" + label)
        except OSError as error:
            raise StorageFault(f"the flash of /{label} cannot be read ({error})") from error


def _has_file_system(partition: esp32.Partition) -> bool:
    head = bytearray(_SUPERBLOCK_AT + len(_SUPERBLOCK))
    for block in (0, 1):
        partition.readblocks(block, head, 0)
        if head[_SUPERBLOCK_AT:] == _SUPERBLOCK:
            return True
    return False


def starts() -> Starts:
    """The count of starts in its partition (boot.py writes it first)."""
    return Starts(esp32.Partition.find(esp32.Partition.TYPE_DATA, label="starts")[0])


class SharedBus:
    """One device's view of the SPI bus: its own clock and order of bits, set again when another
    had the bus."""

    _last: "SharedBus | None" = None

    def __init__(self, spi: SPI, baudrate: int, firstbit: int = SPI.MSB) -> None:
        self._spi = spi
        self._baudrate = baudrate
        self._firstbit = firstbit

    def _mine(self) -> SPI:
        if SharedBus._last is not self:
            self._spi.init(
                baudrate=self._baudrate, polarity=0, phase=0, firstbit=self._firstbit
            )
            SharedBus._last = self
        return self._spi

    def write(self, data: "Buffer") -> None:
        """Clock bytes out."""
        self._mine().write(data)

    def readinto(self, buffer: "Buffer", write: int = 0) -> None:
        """Clock bytes in while sending `write`."""
        self._mine().readinto(buffer, write)

    def write_readinto(self, data: "Buffer", buffer: "Buffer") -> None:
        """Both at once; the buffers are of one length."""
        self._mine().write_readinto(data, buffer)


class Radio:
    """The Wi-Fi station (devices.Radio)."""

    def __init__(self) -> None:
        self._wlan = network.WLAN(network.WLAN.IF_STA)
        self._wlan.active(True)

    def connected(self) -> bool:
        """There is a link and an address."""
        return self._wlan.isconnected()

    def bars(self) -> int:
        """0-4."""
        if not self._wlan.isconnected():
            return 0
        signal = self._wlan.status("rssi")
        return sum(signal >= level for level in _BARS)

    async def connect(self, ssid: str, password: str) -> None:
        """Join, within 15 s; DeviceSilent otherwise. Returns at once on a live link."""
        if self._wlan.isconnected():
            return
        self._wlan.disconnect()  # `connect` refuses while an attempt is under way
        self._wlan.connect(ssid, password)
        for _ in range(_JOIN_MS // _JOIN_STEP_MS):
            if self._wlan.isconnected():
                return
            await asyncio.sleep_ms(_JOIN_STEP_MS)
        raise DeviceSilent(f"the Wi-Fi network {ssid} cannot be joined")


class Clock:
    """The chip's clock runs in UTC, as certificates do; the shop's is UTC+8 (devices.Clock)."""

    def __init__(self) -> None:
        self._rtc = machine.RTC()

    def now(self) -> int:
        """Seconds since 2000-01-01 00:00:00 in the shop's local time."""
        return time.time() + _SHOP_OFFSET_S

    def set(self, seconds: int) -> None:
        """Set it, in the same seconds."""
        year, month, day, hour, minute, second, weekday = time.gmtime(seconds - _SHOP_OFFSET_S)[:7]
        self._rtc.datetime((year, month, day, weekday, hour, minute, second, 0))


def _running() -> esp32.Partition:
    # The stubs know labels alone.
    return esp32.Partition(esp32.Partition.RUNNING)  # type: ignore[arg-type]


def _keep(running: esp32.Partition) -> None:
    """No roll-back from the image that runs.

    ESP-IDF confirms the image that was chosen, whichever runs: where the bootloader found no whole
    image in that slot and fell back on this one, nothing is confirmed, and the next reset ends
    the other's trial.
    """
    chosen = esp32.Partition(esp32.Partition.BOOT)  # type: ignore[arg-type]
    if chosen.info()[4] != running.info()[4]:
        return
    try:
        esp32.Partition.mark_app_valid_cancel_rollback()
    except OSError:  # both of the bootloader's records are of failed trials: this image has none
        running.set_boot()
        esp32.Partition.mark_app_valid_cancel_rollback()


class Chip:
    """What devices.Board asks of the chip itself."""

    def __init__(self) -> None:
        self.radio = Radio()
        self.clock = Clock()
        self.console = Console(sys.stdin.buffer, print)
        self.serial = machine.unique_id().hex().upper()
        self._watchdog: machine.WDT | None = None

    def feed_watchdog(self) -> None:
        """Go on with the watchdog; without another call within 30 s the chip resets."""
        if self._watchdog is None:
            self._watchdog = machine.WDT(timeout=_WATCHDOG_MS)
        self._watchdog.feed()

    def restart(self) -> None:
        """Reset the chip; does not return."""
        machine.reset()

    def reset_cause(self) -> str:
        """'power', 'watchdog', 'software' or 'pin'."""
        return _CAUSES.get(machine.reset_cause(), "power")

    def started(self, healthy: bool) -> None:
        """The start is over, so it was no loop. A healthy one also keeps the image that runs."""
        if healthy:
            _keep(_running())
        starts().end()

    def image(self) -> str:
        """The slot that runs: 'app0' or 'app1'."""
        return _running().info()[4]

    def other_image(self) -> bool:
        """Run the other slot after the next reset, on trial; False without an image in it."""
        try:
            self.other_slot().set_boot()
        except OSError:
            return False
        return True

    def other_slot(self) -> esp32.Partition:
        """The slot that does not run."""
        return _running().get_next_update()


class Terminal(Chip):
    """Every device of the terminal (devices.Board)."""

    def __init__(self, keypad: Keypad, reader_port: int) -> None:
        """`reader_port`: which UART the contact reader has; the printer has UART 1."""
        super().__init__()
        bus = SPI(1, sck=Pin("SPI_SCK"), mosi=Pin("SPI_MOSI"), miso=Pin("SPI_MISO"))
        printer = UART(1, _PRINTER_BAUD, tx=Pin("PRINTER_TX"), rx=Pin("PRINTER_RX"), txbuf=512)
        reader = UART(
            reader_port, _READER_BAUD, stop=2, tx=Pin("READER_TX"), rx=Pin("READER_RX"), rxbuf=1024
        )
        lamps = Pin("LAMPS", Pin.OUT, value=0)
        select("SD_CS")  # no card is used yet; a floating select would answer for others
        self.keypad = keypad
        self.display = ST7789(
            SharedBus(bus, _DISPLAY_HZ),
            select("LCD_CS"),
            Pin("LCD_DC", Pin.OUT, value=0),
            PWM(Pin("LCD_BACKLIGHT"), freq=5000, duty_u16=0),
        )
        self.nfc = Pn532(
            SharedBus(bus, _NFC_HZ, SPI.LSB),
            select("NFC_CS"),
            Pin("NFC_IRQ", Pin.IN, Pin.PULL_UP),
        )
        self.printer = Thermal(printer)
        self.reader = Ccid(reader)
        self.lamps = Lamps(lambda data: machine.bitstream(lamps, 0, _LAMP_TIMING, data))
        self.buzzer = Buzzer(PWM(Pin("BUZZER"), freq=2700, duty_u16=0))


def select(name: str) -> Pin:
    """A chip's select line, high: not selected."""
    return Pin(name, Pin.OUT, value=1)

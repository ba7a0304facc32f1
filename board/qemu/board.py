"""The bare board as a terminal: three file systems in RAM and devices that are always there.

A machine without a counter. What is on them is gone at a soft reset. `SERIAL` and `broken` may be
set before the first use: the chip's own number, and the names of devices that do not answer.
"""

import time

import vfs
from errors import DeviceSilent

SERIAL = "7CDFA1000000"
broken: "set[str]" = set()

_BLOCK = const(1024)
# Folder, blocks, program size: the self-test wants 32 KB free where money and data lie.
_FOLDERS = (("journal", 44, 128), ("keys", 8, 128), ("data", 44, 128))
_COUNT = const(4)
_SIZE = const(5)


class Flash:
    """A block device in RAM."""

    def __init__(self, blocks: int) -> None:
        self._data = bytearray(blocks * _BLOCK)

    def readblocks(self, block: int, buffer: bytearray, offset: int = 0) -> None:
        """Read into `buffer`."""
        at = block * _BLOCK + offset
        buffer[:] = memoryview(self._data)[at : at + len(buffer)]

    def writeblocks(self, block: int, buffer: bytes, offset: int = 0) -> None:
        """Write `buffer`."""
        at = block * _BLOCK + offset
        self._data[at : at + len(buffer)] = buffer

    def ioctl(self, operation: int, argument: int) -> int:
        """Its size, as littlefs asks for it."""
        if operation == _COUNT:
            return len(self._data) // _BLOCK
        return _BLOCK if operation == _SIZE else 0


_flash: "dict[str, Flash]" = {}


def mount(format_all: bool = False) -> None:
    """Mount /journal, /keys and /data; they are empty at first and after `format_all`."""
    for label, blocks, program_size in _FOLDERS:
        fresh = label not in _flash
        if fresh:
            _flash[label] = Flash(blocks)
        elif format_all:
            vfs.umount("/" + label)
        if fresh or format_all:
            vfs.VfsLfs2.mkfs(_flash[label], progsize=program_size)
            vfs.mount(
                vfs.VfsLfs2(_flash[label], progsize=program_size, mtime=False), "/" + label
            )


class Clock:
    """No clock is kept: power-on is 2026-11-23 09:00 in the shop."""

    def now(self) -> int:
        """Seconds since 2000-01-01 00:00:00 in the shop's local time."""
        return 848_739_600 + time.ticks_ms() // 1000


class _Device:
    """Display, printer and both readers, as far as the self-test asks them."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def check(self) -> None:
        """DeviceSilent when it is among the broken."""
        if self._name in broken:
            raise DeviceSilent(f"the {self._name} does not answer")

    show = present = release = check


class Board:
    """What the self-test needs of devices.Board."""

    def __init__(self) -> None:
        self.serial = SERIAL
        self.display = _Device("display")
        self.printer = _Device("printer")
        self.reader = _Device("reader")
        self.nfc = _Device("nfc")

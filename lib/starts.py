"""How many starts in a row did not come to their end: a count in two blocks of flash.

Each start writes a record with the count one higher, and its end one with 0; the newest whole
record holds. A record is programmed into erased flash and never changed; when a block is full the
other one is erased, while the newest record stands in the full one. So a power cut at any moment
loses at most the record that was being written: the start it stood for is not counted, or not
counted as ended.
"""

import binascii
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from typing_extensions import Buffer

    class Device(Protocol):
        """A block device with extended reads and writes, such as esp32.Partition."""

        def readblocks(self, __block: int, __buffer: bytearray, __offset: int) -> None: ...
        def writeblocks(self, __block: int, __buffer: Buffer, __offset: int) -> None: ...
        def ioctl(self, __operation: int, __argument: int) -> "int | None": ...


LIMIT = const(4)  # so many starts in a row without an end are a loop

_MAGIC = b"st"
_RECORD = "<2sHII4s"  # magic, count, sequence number, CRC-32 of the eight bytes, erased rest
_HEAD = const(8)
_SIZE = const(16)
_ERASED = b"\xff" * _SIZE
_BLOCK = const(4096)
_CELLS = const(_BLOCK // _SIZE)
_MOST = const(0xFFFF)
_ERASE = const(6)  # the block device protocol's operation


class Starts:
    """The counter on a device of two blocks of 4096 bytes. OSError where the flash refuses."""

    def __init__(self, device: "Device") -> None:
        self._device = device
        self.unfinished = 0
        self._sequence = 0
        self._block = 0
        self._free = 0
        block = bytearray(_BLOCK)
        for number in (0, 1):
            device.readblocks(number, block, 0)
            self._look_through(number, memoryview(block))

    @property
    def too_many(self) -> bool:
        """The starts go round in a loop."""
        return self.unfinished >= LIMIT

    def begin(self) -> None:
        """A start begins: one more that has not ended."""
        self._append(min(self.unfinished + 1, _MOST))

    def end(self) -> None:
        """The start came to its end. Writes only if there is something to forget."""
        if self.unfinished:
            self._append(0)

    def _look_through(self, number: int, block: memoryview) -> None:
        """Take the newest record of a block; a block that has it is the one that goes on."""
        free, newest = 0, False
        for at in range(0, _BLOCK, _SIZE):
            cell = bytes(block[at : at + _SIZE])
            if cell == _ERASED:
                break
            free += 1
            newest = self._take(cell) or newest
        if newest or not self._sequence and number == self._block:
            self._block, self._free = number, free

    def _take(self, cell: bytes) -> bool:
        magic, count, sequence, crc, _ = struct.unpack(_RECORD, cell)
        if magic != _MAGIC or crc != binascii.crc32(cell[:_HEAD]):
            return False  # torn by a power cut
        if sequence <= self._sequence:
            return False
        self._sequence, self.unfinished = sequence, count
        return True

    def _append(self, count: int) -> None:
        if self._free >= _CELLS:
            self._block, self._free = 1 - self._block, 0
            self._device.ioctl(_ERASE, self._block)
        head = struct.pack("<2sHI", _MAGIC, count, self._sequence + 1)
        record = head + struct.pack("<I", binascii.crc32(head)) + _ERASED[_HEAD + 4 :]
        self._device.writeblocks(self._block, record, self._free * _SIZE)
        self._free += 1
        self._sequence += 1
        self.unfinished = count

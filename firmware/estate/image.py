"""An image on its way into the application slot that does not run.

Its first block is held back and written last: until all the rest is there the slot does not even
begin as an image, whatever the power does. The slot is chosen by the caller, after `finish`.
"""

import binascii
import hashlib

from firmware.estate.errors import ImageRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.devices import Slot

BLOCK = const(4096)
# The block device protocol's operations: how many blocks there are; erase one.
_COUNT = const(4)
_ERASE = const(6)
_SHA256 = const(32)  # bytes


class Incoming:
    """Takes `size` bytes in blocks of 4096, the last one shorter. ImageRefused if they cannot fit.

    `digest` is the SHA-256 of the whole.
    """

    def __init__(self, slot: "Slot", size: int, digest: bytes) -> None:
        room = (slot.ioctl(_COUNT, 0) or 0) * BLOCK
        if not 0 < size <= room or len(digest) != _SHA256:
            raise ImageRefused(f"an image has 1 to {room} bytes and a SHA-256")
        self._slot = slot
        self._size = size
        self._digest = digest
        self._first = b""
        self._buffer = bytearray(BLOCK)
        self.taken = 0
        self.blocks = (size + BLOCK - 1) // BLOCK
        slot.ioctl(_ERASE, 0)  # what lay there is no image any more

    def take(self, number: int, data: bytes, checksum: int) -> bool:
        """One block with its CRC-32; False if it was damaged on the way or is not the next one.

        The one before the next may come again: its answer was lost.
        """
        if binascii.crc32(data) != checksum or number not in (self.taken - 1, self.taken):
            return False
        if len(data) != min(BLOCK, self._size - number * BLOCK):
            return False
        if number == self.taken:
            if number == 0:
                self._first = data
            else:
                self._write(number, data)
            self.taken += 1
        return True

    def finish(self) -> None:
        """All blocks were taken: complete the slot and read it back. ImageRefused: not the image.

        A slot that is refused here holds no image.
        """
        self._write(0, self._first)
        found = hashlib.sha256()
        left = self._size
        for number in range(self.blocks):
            self._slot.readblocks(number, self._buffer)
            found.update(memoryview(self._buffer)[: min(BLOCK, left)])
            left -= BLOCK
        if found.digest() != self._digest:
            self._slot.ioctl(_ERASE, 0)
            raise ImageRefused("what the slot holds is not what was announced")

    def _write(self, number: int, data: bytes) -> None:
        self._buffer[: len(data)] = data
        for at in range(len(data), BLOCK):
            self._buffer[at] = 0xFF
        self._slot.writeblocks(number, self._buffer)

"""A flash chip in memory for tests inside MicroPython: littlefs runs on it, and it can lose power.

Like NOR flash as the board drives it: 4096-byte blocks, erased to FF, written in pages of 256.
On the bare board its bytes lie beside the heap, as a chip's do, so there is one chip at a time.
"""

try:
    from cpu import flash as beside
except ImportError:  # not the bare board
    beside = None

import vfs

BLOCK = 4096
PAGE = 256
SYNC, COUNT, SIZE, ERASE = 3, 4, 5, 6


def memory(image):
    """Bytes of a chip's own that hold the image, or so many erased blocks."""
    size = image * BLOCK if isinstance(image, int) else len(image)
    room = bytearray(size) if beside is None else beside(size)
    if isinstance(image, int):
        for at in range(0, size, BLOCK):
            room[at : at + BLOCK] = b"\xff" * BLOCK
    else:
        room[:] = image
    return room


class PowerCut(OSError):
    """The power went at this very operation, or it is gone already."""


class Flash:
    """`blocks` of flash, or a copy of `image`.

    cut_at: the write or erase (counted from 1 by `operations`) that the power does not survive.
    landed: how many bytes of that write reach the chip; None for all of it.
    reorder: pages written since the last sync, before the cut one, are lost. Erases never are: on
        NOR flash a page cannot be written before its block is erased.
    """

    def __init__(self, blocks=64, image=None):
        self.data = memory(blocks if image is None else image)
        self.operations = 0
        self.cut_at = None
        self.landed = None
        self.reorder = False
        self._unsynced = []
        self._dead = False

    def readblocks(self, block, buffer, offset=0):
        self._check()
        at = block * BLOCK + offset
        buffer[:] = self.data[at : at + len(buffer)]

    def writeblocks(self, block, buffer, offset=0):
        self._operate(block * BLOCK + offset, bytes(buffer))

    def ioctl(self, operation, argument):
        self._check()
        if operation == COUNT:
            return len(self.data) // BLOCK
        if operation == SIZE:
            return BLOCK
        if operation == ERASE:
            self._operate(argument * BLOCK, b"\xff" * BLOCK)
        if operation == SYNC:
            self._unsynced.clear()
        return 0

    def mount(self, path):
        """Mount it as the board does; formats with `format` first."""
        vfs.mount(vfs.VfsLfs2(self, progsize=1024, readsize=256, lookahead=32, mtime=False), path)

    def format(self):
        vfs.VfsLfs2.mkfs(self, progsize=1024, readsize=256, lookahead=32)

    def power_on(self):
        """The same chip again, with power and no cut planned."""
        again = Flash(image=self.data)
        return again

    def _check(self):
        if self._dead:
            raise PowerCut(5, "no power")

    def _operate(self, at, new):
        self._check()
        self.operations += 1
        last = self.operations == self.cut_at
        if self.reorder and len(new) < BLOCK:
            self._unsynced.append((at, bytes(self.data[at : at + len(new)])))
        if not last:
            self.data[at : at + len(new)] = new
            return
        if self.reorder:
            for place, old in reversed(self._unsynced):
                self.data[place : place + len(old)] = old
        count = len(new) if self.landed is None else min(self.landed, len(new))
        self.data[at : at + count] = new[:count]
        self._dead = True
        raise PowerCut(5, "the power was cut")


class Clock:
    """devices.Clock that stands still."""

    def __init__(self, now=846_806_500):
        self._now = now

    def now(self):
        return self._now

    def set(self, seconds):
        self._now = seconds

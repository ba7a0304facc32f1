"""The virtual board's `esp32`: flash partitions as the table in the flash image says."""

import struct

from virtual import wire

_BLOCK = const(4096)


def _table():
    rows = []
    for line in wire.call(wire.FLASH, b"t").decode().split("\n"):
        label, kind, subtype, offset, size = line.split(",")
        rows.append((int(kind), int(subtype), int(offset), int(size), label, False))
    return rows


def _check(answer):
    """Raise what esp_ota_ops refused, as the port's check_esp_err does."""
    if answer:
        raise OSError(struct.unpack("<i", answer)[0])


class Partition:
    """One partition; a block device of `block_size` bytes a block."""

    BOOT = 0
    RUNNING = 1
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, _id, _block_size=_BLOCK):
        if isinstance(_id, int):
            if _id not in (Partition.BOOT, Partition.RUNNING):
                raise ValueError
            _id = wire.call(wire.FLASH, b"b" + bytes((_id,))).decode()
        found = [row for row in _table() if row[4] == _id]
        if not found:
            raise OSError(2)
        self._info = found[0]
        self._block_size = _block_size

    @staticmethod
    def find(_type=TYPE_APP, _subtype=0xFF, *, label=None, block_size=_BLOCK):
        """The partitions that match, as a list."""
        return [
            Partition(row[4], block_size)
            for row in _table()
            if row[0] == _type and _subtype in (0xFF, row[1]) and label in (None, row[4])
        ]

    def info(self):
        """(type, subtype, address, size, label, encrypted)."""
        return self._info

    def readblocks(self, block_num, buf, offset=0):
        """Read into `buf` from a block, or from `offset` in it."""
        address = self._address(block_num, offset, len(buf))
        buf[:] = wire.call(wire.FLASH, struct.pack("<BII", 114, address, len(buf)))

    def writeblocks(self, _block_num, _buf, *_offset):
        """Erase and write whole blocks; with an offset, program only (ioctl 6 erased it)."""
        address = self._address(_block_num, _offset[0] if _offset else 0, len(_buf))
        if not _offset:
            if self._block_size < _BLOCK:
                raise ValueError("the simulator's flash erases whole blocks only")
            wire.call(wire.FLASH, struct.pack("<BII", 101, address, len(_buf)))
        wire.call(wire.FLASH, struct.pack("<BI", 112, address) + bytes(_buf))

    def ioctl(self, op, arg):
        """The block device's: 4 how many blocks, 5 their size, 6 erase block `arg`."""
        if op in (1, 2, 3):
            return 0
        if op == 4:
            return self._info[3] // self._block_size
        if op == 5:
            return self._block_size
        if op == 6:
            if self._block_size != _BLOCK:
                return -22
            address = self._address(arg, 0, _BLOCK)
            wire.call(wire.FLASH, struct.pack("<BII", 101, address, _BLOCK))
            return 0
        return None

    def set_boot(self):
        """Start from this partition after the next reset; OSError without a whole image in it."""
        if self._info[0] != Partition.TYPE_APP:
            raise OSError(-5379)  # ESP_ERR_OTA_VALIDATE_FAILED: no image
        _check(wire.call(wire.FLASH, b"s" + self._info[4].encode()))

    def get_next_update(self):
        """The app partition that an update goes into."""
        apps = Partition.find(Partition.TYPE_APP)
        running = Partition(Partition.RUNNING)._info[4]
        names = [app._info[4] for app in apps]
        return apps[(names.index(running) + 1) % len(apps)]

    @classmethod
    def mark_app_valid_cancel_rollback(cls):
        """Do not go back from the image that was chosen; OSError when none is on record."""
        _check(wire.call(wire.FLASH, b"v"))

    def _address(self, block, offset, length):
        start = block * self._block_size + offset
        if start < 0 or start + length > self._info[3]:
            raise OSError(-258)
        return self._info[2] + start

"""The NOR flash: 16 MB that erase by blocks of 4096, program by pages of 256 and only clear bits.

Each block erase and each page program is one operation, counted from 1. A cut can be set at the
n-th operation from now: that one is torn (a prefix of the page is programmed, or of the block
erased) and PowerLost is raised. Times are typical ones of a W25Q128.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.sim.link import PowerLost

BLOCK = 4096
PAGE = 256
SIZE = 16 * 1024 * 1024
ERASE_US = 45_000
PROGRAM_US = 400
READ_SETUP_US = 5
READ_BYTES_PER_US = 20
TABLE = Path(__file__).resolve().parents[2] / "board" / "esp32s3" / "partitions.csv"

_TYPES = {"app": 0, "data": 1}
_SUBTYPES = {
    "ota": 0, "phy": 1, "nvs": 2, "coredump": 3, "nvs_keys": 4, "ota_0": 16, "ota_1": 17
}  # fmt: skip


class FlashError(Exception):
    """An access outside the flash or its partitions, or a bad image or table."""


@dataclass(frozen=True)
class Partition:
    """One row of the partition table; offsets and sizes in bytes."""

    label: str
    type: int
    subtype: int
    offset: int
    size: int


def read_table(path: Path = TABLE) -> list[Partition]:
    """The partitions of partitions.csv, in its order."""
    partitions = []
    with path.open(encoding="utf-8") as table:
        rows = csv.reader(line for line in table if not line.startswith("#"))
        for label, kind, subtype, offset, size, *_ in ([c.strip() for c in r] for r in rows if r):
            number = _SUBTYPES[subtype] if subtype in _SUBTYPES else int(subtype, 0)
            partitions.append(
                Partition(label, _TYPES[kind], number, int(offset, 0), int(size, 0))
            )
    return partitions


class Flash:
    """The chip with its content; `file` keeps it between simulations."""

    def __init__(self, file: Path, seed: int = 0):
        self.file = file
        self.partitions = read_table()
        self.operations = 0
        self.on_operation: Callable[[str, int, int], None] | None = None
        self._cut_at: int | None = None
        self._random = random.Random(f"flash {seed}")
        self._content = bytearray()
        self.load()

    def load(self) -> None:
        """Take the content from the file; erased when there is none. FlashError: wrong size."""
        if self.file.exists():
            content = self.file.read_bytes()
            if len(content) != SIZE:
                raise FlashError(f"{self.file.name} has {len(content)} bytes, a flash has {SIZE}")
            self._content = bytearray(content)
        else:
            self._content = bytearray(b"\xff" * SIZE)

    def save(self) -> None:
        """Write the image to its file."""
        self.file.write_bytes(self._content)

    def image(self, label: str | None = None) -> bytes:
        """The content, of one partition or of all."""
        if label is None:
            return bytes(self._content)
        part = self.partition(label)
        return bytes(self._content[part.offset : part.offset + part.size])

    def partition(self, label: str) -> Partition:
        """The partition of that label. FlashError when there is none."""
        for part in self.partitions:
            if part.label == label:
                return part
        raise FlashError(f"there is no partition {label!r}")

    def cut_at(self, operation: int | None) -> None:
        """Lose power in the n-th operation from now (1: the next); None takes it back."""
        if operation is not None and operation < 1:
            raise FlashError("the operation to cut at is counted from 1")
        self._cut_at = None if operation is None else self.operations + operation

    @property
    def cut_in(self) -> int | None:
        """In how many operations from now the power goes; None when no cut is set."""
        return None if self._cut_at is None else self._cut_at - self.operations

    def read(self, address: int, length: int) -> tuple[bytes, int]:
        """The bytes, and the microseconds it takes."""
        self._check(address, length)
        return (
            bytes(self._content[address : address + length]),
            READ_SETUP_US + length // READ_BYTES_PER_US,
        )

    def program(self, address: int, data: bytes) -> int:
        """Clear bits, page by page; the microseconds it takes. PowerLost at the cut."""
        self._check(address, len(data))
        spent = 0
        while data:
            room = PAGE - address % PAGE
            piece, data = data[:room], data[room:]
            if self._count("program", address, len(piece)):
                piece = piece[: self._random.randrange(len(piece))]
                self._clear_bits(address, piece)
                raise PowerLost
            self._clear_bits(address, piece)
            address += len(piece)
            spent += PROGRAM_US
        return spent

    def erase(self, address: int, length: int) -> int:
        """Erase whole blocks; the microseconds it takes. PowerLost at the cut."""
        self._check(address, length)
        if address % BLOCK or length % BLOCK:
            raise FlashError("only whole blocks can be erased")
        for block in range(address, address + length, BLOCK):
            erased = BLOCK
            cut = self._count("erase", block, BLOCK)
            if cut:
                erased = self._random.randrange(BLOCK)
            self._content[block : block + erased] = b"\xff" * erased
            if cut:
                raise PowerLost
        return ERASE_US * (length // BLOCK)

    def _count(self, kind: str, address: int, length: int) -> bool:
        self.operations += 1
        if self.on_operation is not None:
            self.on_operation(kind, address, length)
        if self.operations != self._cut_at:
            return False
        self._cut_at = None
        return True

    def _clear_bits(self, address: int, piece: bytes) -> None:
        old = self._content[address : address + len(piece)]
        both = int.from_bytes(old, "big") & int.from_bytes(piece, "big")
        self._content[address : address + len(piece)] = both.to_bytes(len(piece), "big")

    def _check(self, address: int, length: int) -> None:
        if address < 0 or length < 0 or address + length > SIZE:
            raise FlashError(f"{length} bytes at {address:#x} are outside the flash")

"""An ESP32-S3 that waits in its ROM loader: bytes in, bytes out, no clock and no port of its own.

The protocol is Espressif's serial protocol (esptool documentation, "Serial Protocol"): SLIP
frames; a request is `00 op length checksum data`, an answer `01 op length value body status`. The
proof of this model is that the real esptool works with it: read-mac, flash-id, write-flash,
verify-flash and erase, with and without the stub. What it leaves out: the stub's code is taken and
not run (the model answers as the stub would), encryption, secure boot, reading flash back.

Faults are the chip's own, told by a `Script`; those of the cable are in `wire`.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

from tools.workshop.wire import Wear, Wire

END, ESCAPE, ESCAPED_END, ESCAPED_ESCAPE = b"\xc0", b"\xdb", b"\xdb\xdc", b"\xdb\xdd"
ROM_BAUD = 115_200
SECTOR = 4096
CHECKSUM_SEED = 0xEF
# Status bytes of the ROM (esptool documentation, "Serial Protocol", "Error codes").
OK, INVALID_MESSAGE, WRONG_CHECKSUM, WRITE_FAILED = 0, 0x05, 0x07, 0x08

SPI_COMMAND, SPI_USER2, SPI_W0 = 0x60002000, 0x60002020, 0x60002058
SPI_RUN = 1 << 18
READ_ID = 0x9F
SECURE_DOWNLOAD = 1 << 2  # of the flags in the security information
EFUSES, MAC_LOW, MAC_HIGH = 0x60007000, 0x60007044, 0x60007048
MAGIC_REGISTER, ESP32_MAGIC = 0x40001000, 0x00F01D83
WINBOND_NOR = 0x40EF


class Unplugged(Exception):
    """The chip is no longer on the line."""


@dataclass(frozen=True)
class Script:
    """What is wrong with this chip; the default is nothing.

    chip_id: 9 is the ESP32-S3; None is the first ESP32, which has no such answer.
    flash_size: bytes, a power of two; 0 is a flash that does not answer.
    stuck: a range of flash addresses in which no bit changes any more.
    unplug_at_block: it leaves the line when this flash block (counted from 0) arrives.
    stall_at_block: it falls silent when this block arrives, until it is reset.
    weak: flash addresses whose byte is written with its lowest bit inverted.
    mute: it never answers, as when the board is not in its loader.
    locked: its eFuses allow the secure download mode alone.
    efuses: the rest of its eFuses, as in a file of espefuse's virtual ones; b'': none are burnt.
    """

    chip_id: int | None = 9
    flash_size: int = 16 << 20
    stuck: range = range(0)
    unplug_at_block: int | None = None
    stall_at_block: int | None = None
    weak: frozenset[int] = frozenset()
    mute: bool = False
    locked: bool = False
    efuses: bytes = b""
    wear: Wear = Wear()


class Nor:
    """NOR flash: an erase sets a sector's bits, a write can only clear some."""

    def __init__(self, size: int, stuck: range, weak: frozenset[int] = frozenset()) -> None:
        self.size = size
        self._stuck = stuck
        self._weak = weak
        self._sectors: dict[int, bytearray] = {}

    def erase(self, start: int, length: int) -> bool:
        """Set all sectors that the range touches; False when it does not lie in the flash."""
        if start + length > self.size:
            return False
        for number in range(start // SECTOR, -(-(start + length) // SECTOR)):
            if number * SECTOR not in self._stuck:
                self._sectors.pop(number, None)
        return True

    def write(self, start: int, data: bytes) -> bool:
        """Clear bits; False when the range does not lie in the flash."""
        if start + len(data) > self.size:
            return False
        for address in self._weak.intersection(range(start, start + len(data))):
            at = address - start
            data = data[:at] + bytes((data[at] ^ 1,)) + data[at + 1 :]
        while data:
            number, at = divmod(start, SECTOR)
            piece = data[: SECTOR - at]
            if number * SECTOR not in self._stuck:
                sector = self._sectors.setdefault(number, bytearray(b"\xff" * SECTOR))
                old = int.from_bytes(sector[at : at + len(piece)])
                cleared = old & int.from_bytes(piece)
                sector[at : at + len(piece)] = cleared.to_bytes(len(piece))
            start, data = start + len(piece), data[len(piece) :]
        return True

    def read(self, start: int, length: int) -> bytes:
        """The bytes of a range; beyond the end the flash's addresses start again."""
        first, last = start // SECTOR, -(-(start + length) // SECTOR)
        blank = b"\xff" * SECTOR
        sectors = max(self.size // SECTOR, 1)
        whole = b"".join(self._sectors.get(n % sectors, blank) for n in range(first, last))
        return whole[start - first * SECTOR :][:length]


class Chip:
    """One chip on one line.

    mac: six bytes. The bench calls `receive` with what the host sent and the rate of its port, and
    sends back what it returns; `reset` is the EN pin. Raises `Unplugged` as scripted.
    """

    def __init__(self, mac: bytes, script: Script = Script(), seed: int = 0) -> None:
        self.mac = mac
        self.script = script
        self.flash = Nor(script.flash_size, script.stuck, script.weak)
        self.wire = Wire(script.wear, seed)
        self.blocks = 0  # flash blocks received since power-up
        self.resets = 0
        self._operations = self._table()
        self.reset()

    def reset(self) -> None:
        """Start the ROM loader again; flash keeps what it has."""
        self.resets += 1
        self.rate = ROM_BAUD
        self._new_rate = 0
        self._stub = self._stalled = False
        self._heard = b""
        self._window = (0, 0, 0)  # offset, number of blocks, block size
        self._inflate: zlib._Decompress | None = None
        self._inflated = self._next_block = 0
        self._registers = _efuse_registers(self.script.efuses) | {
            MAC_LOW: int.from_bytes(self.mac[2:]),
            MAC_HIGH: int.from_bytes(self.mac[:2]),
            MAGIC_REGISTER: ESP32_MAGIC if self.script.chip_id is None else 0,
        }

    def receive(self, data: bytes, host_rate: int) -> bytes:
        """What the host hears in answer to these bytes."""
        self._heard += self.wire.carry(data, "to chip", host_rate, self.rate)
        *frames, self._heard = self._heard.split(END)
        answer = b""
        for frame in frames:
            if not frame or self.script.mute or self._stalled:
                continue
            packet = frame.replace(ESCAPED_END, END).replace(ESCAPED_ESCAPE, ESCAPE)
            rate, said = self.rate, self._serve(packet)
            if not self._stalled:
                answer += self.wire.carry(said, "to host", rate, host_rate)
            if self._new_rate:
                self.rate, self._new_rate = self._new_rate, 0
        return answer

    def _serve(self, packet: bytes) -> bytes:
        """The answer to one request; nothing to what is not one."""
        if len(packet) < 8 or packet[0] != 0:
            return b""
        op, length, checksum = struct.unpack_from("<BHI", packet, 1)
        data = packet[8:]
        if len(data) != length or op not in self._operations:
            return self._answer(op, status=INVALID_MESSAGE)
        operation, size = self._operations[op]
        if len(data) < size:
            return self._answer(op, status=INVALID_MESSAGE)
        return operation(op, data, checksum)

    def _answer(self, op: int, value: int = 0, body: bytes = b"", status: int = OK) -> bytes:
        """One SLIP frame. The ROM has four status bytes, the stub two."""
        tail = bytes((status != OK, status)) + (b"" if self._stub else b"\0\0")
        head = struct.pack("<BBHI", 1, op, len(body) + len(tail), value)
        return _frame(head + body + tail)

    def _table(self) -> dict[int, tuple[Callable[[int, bytes, int], bytes], int]]:
        """Operation → (what serves it, bytes of parameters it needs at least)."""
        return {
            0x02: (self._flash_begin, 16),
            0x03: (self._flash_data, 16),
            0x04: (self._accept, 4),  # flash end
            0x05: (self._accept, 16),  # memory begin: the stub's code
            0x06: (self._memory_end, 8),
            0x07: (self._memory_data, 16),
            0x08: (self._sync, 36),
            0x09: (self._write_register, 16),
            0x0A: (self._read_register, 4),
            0x0B: (self._accept, 24),  # SPI parameters
            0x0D: (self._accept, 4),  # SPI attach
            0x0F: (self._change_rate, 8),
            0x10: (self._deflate_begin, 16),
            0x11: (self._deflate_data, 16),
            0x12: (self._accept, 4),  # deflate end
            0x13: (self._md5, 8),
            0x14: (self._security_info, 0),
            0xD0: (self._erase_all, 0),
            0xD1: (self._erase_region, 8),
        }

    def _accept(self, op: int, data: bytes, checksum: int) -> bytes:
        return self._answer(op)

    def _sync(self, op: int, data: bytes, checksum: int) -> bytes:
        # Eight answers; a value of zero tells the host that the stub is already running.
        return self._answer(op, value=0 if self._stub else 0x20120707) * 8

    def _security_info(self, op: int, data: bytes, checksum: int) -> bytes:
        if self.script.chip_id is None:
            return self._answer(op, status=INVALID_MESSAGE)
        flags = SECURE_DOWNLOAD if self.script.locked else 0
        return self._answer(op, body=struct.pack("<I8xII", flags, self.script.chip_id, 0))

    def _read_register(self, op: int, data: bytes, checksum: int) -> bytes:
        (address,) = struct.unpack_from("<I", data)
        return self._answer(op, value=self._registers.get(address, 0))

    def _write_register(self, op: int, data: bytes, checksum: int) -> bytes:
        address, value, mask = struct.unpack_from("<III", data)
        old = self._registers.get(address, 0)
        self._registers[address] = old & ~mask & 0xFFFFFFFF | value & mask
        if address == SPI_COMMAND and value & SPI_RUN:
            self._registers[SPI_COMMAND] = 0
            command = self._registers.get(SPI_USER2, 0) & 0xFF
            self._registers[SPI_W0] = self._flash_id() if command == READ_ID else 0
        return self._answer(op)

    def _flash_id(self) -> int:
        if not self.flash.size:
            return 0xFFFFFF
        return self.flash.size.bit_length() - 1 << 16 | WINBOND_NOR

    def _memory_data(self, op: int, data: bytes, checksum: int) -> bytes:
        return self._answer(op, status=OK if _sum(data[16:]) == checksum else WRONG_CHECKSUM)

    def _memory_end(self, op: int, data: bytes, checksum: int) -> bytes:
        answer = self._answer(op)
        self._stub = struct.unpack_from("<I", data)[0] == 0
        return answer + (_frame(b"OHAI") if self._stub else b"")

    def _change_rate(self, op: int, data: bytes, checksum: int) -> bytes:
        (self._new_rate,) = struct.unpack_from("<I", data)
        return self._answer(op)

    def _flash_begin(self, op: int, data: bytes, checksum: int) -> bytes:
        length, blocks, block, offset = struct.unpack_from("<IIII", data)
        self._window, self._next_block, self._inflated = (offset, blocks, block), 0, 0
        erased = self.flash.erase(offset, length)
        return self._answer(op, status=OK if erased else WRITE_FAILED)

    def _deflate_begin(self, op: int, data: bytes, checksum: int) -> bytes:
        self._inflate = zlib.decompressobj()
        return self._flash_begin(op, data, checksum)

    def _block(self, data: bytes, checksum: int) -> tuple[int, bytes, int]:
        """(sequence number, payload, status) of a flash block."""
        length, sequence = struct.unpack_from("<II", data)
        payload = data[16:]
        if self.blocks == self.script.unplug_at_block:
            raise Unplugged
        self._stalled = self.blocks == self.script.stall_at_block
        self.blocks += 1
        if self._stalled or len(payload) != length or sequence >= self._window[1]:
            return sequence, payload, INVALID_MESSAGE
        return sequence, payload, OK if _sum(payload) == checksum else WRONG_CHECKSUM

    def _flash_data(self, op: int, data: bytes, checksum: int) -> bytes:
        sequence, payload, status = self._block(data, checksum)
        offset, _, size = self._window
        if status == OK and not self.flash.write(offset + sequence * size, payload):
            status = WRITE_FAILED
        return self._answer(op, status=status)

    def _deflate_data(self, op: int, data: bytes, checksum: int) -> bytes:
        sequence, payload, status = self._block(data, checksum)
        if status != OK or self._inflate is None or sequence > self._next_block:
            return self._answer(op, status=status or INVALID_MESSAGE)
        if sequence < self._next_block:  # sent again since its answer was lost
            return self._answer(op)
        try:
            plain = self._inflate.decompress(payload)
        except zlib.error:
            return self._answer(op, status=INVALID_MESSAGE)
        written = self.flash.write(self._window[0] + self._inflated, plain)
        self._inflated += len(plain)
        self._next_block += 1
        return self._answer(op, status=OK if written else WRITE_FAILED)

    def _md5(self, op: int, data: bytes, checksum: int) -> bytes:
        start, length = struct.unpack_from("<II", data)
        if start + length > self.flash.size:
            return self._answer(op, status=INVALID_MESSAGE)
        digest = hashlib.md5(self.flash.read(start, length), usedforsecurity=False)
        return self._answer(
            op, body=digest.digest() if self._stub else digest.hexdigest().encode()
        )

    def _erase_all(self, op: int, data: bytes, checksum: int) -> bytes:
        return self._erase(op, 0, self.flash.size)

    def _erase_region(self, op: int, data: bytes, checksum: int) -> bytes:
        return self._erase(op, *struct.unpack_from("<II", data))

    def _erase(self, op: int, start: int, length: int) -> bytes:
        """The stub's own operations; the ROM knows none of them."""
        if not self._stub:
            return self._answer(op, status=INVALID_MESSAGE)
        return self._answer(op, status=OK if self.flash.erase(start, length) else WRITE_FAILED)


def _efuse_registers(file: bytes) -> dict[int, int]:
    """Address → word. espefuse's file holds them backwards: the last four bytes are the first."""
    words = [int.from_bytes(file[at : at + 4]) for at in range(0, len(file), 4)]
    return {EFUSES + 4 * number: word for number, word in enumerate(reversed(words))}


def _frame(packet: bytes) -> bytes:
    return END + packet.replace(ESCAPE, ESCAPED_ESCAPE).replace(END, ESCAPED_END) + END


def _sum(data: bytes) -> int:
    total = CHECKSUM_SEED
    for byte in data:
        total ^= byte
    return total

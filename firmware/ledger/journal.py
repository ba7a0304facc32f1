"""The journal: entries appended to one file of a littlefs folder, each durable when `append`
returns.

A file is one generation, '00000001.jnl' and up; the highest is the current one. An entry is

    'J' version | payload length 2 | sequence 4 | check 2 | payload | MAC 16

The MAC (Vault.mac) covers the previous entry's MAC and everything of its own entry before it, so
an entry cannot be changed, dropped or moved without the next one telling. The check is the low
half of a CRC-32 over the eight bytes before it: it makes the length believable, so that a file
that ends inside an entry (a torn tail, which was never acknowledged) is told apart from damage.
"""

import os
import struct
from binascii import crc32

from firmware.ledger.errors import JournalCorrupt, JournalFull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from io import BufferedReader

    from firmware.ledger.vault import Vault

FORMAT = const(1)  # the version byte: what this firmware writes and reads
MAX_PAYLOAD = const(1200)
_MARK = const(0x4A)
_HEAD = const(10)
_MAC = const(16)
_BEFORE = const(16)  # the previous MAC stands before the entry in the buffer
_NEXT = "next.tmp"


class Journal:
    """One folder of entries. `size` is the current file's, in bytes; `notices` tells what opening
    had to repair."""

    def __init__(self, folder: str, vault: "Vault") -> None:
        self._folder = folder
        self._vault = vault
        self._buffer = bytearray(_BEFORE + _HEAD + MAX_PAYLOAD + _MAC)
        self._view = memoryview(self._buffer)
        self._generation = 0
        self._sequence = 0
        self._previous = bytes(_MAC)
        self._usable = False
        self.size = 0
        self.notices: list[str] = []

    @property
    def payload(self) -> memoryview:
        """Where the caller writes the next entry's payload before `append`."""
        return self._view[_BEFORE + _HEAD : _BEFORE + _HEAD + MAX_PAYLOAD]

    @property
    def sequence(self) -> int:
        """Of the newest entry; counts on for ever."""
        return self._sequence

    def open(self, replay: "Callable[[memoryview, int], None]") -> None:
        """Hand every entry's payload and sequence to `replay`, oldest first, and be ready to
        append.

        JournalCorrupt when there is no file, or an entry inside one does not verify. A torn tail
        is cut off and noted."""
        self._drop(_NEXT)
        generations = self._generations()
        if not generations:
            raise JournalCorrupt("there is no journal")
        self._generation = generations[-1]
        good = self._scan(replay)
        size = os.stat(self._path(self._generation))[6]
        if good != size:
            self._cut_tail(good)
            self.notices.append(f"a torn entry of {size - good} bytes was cut off the journal")
        self._usable = True

    def read(self, replay: "Callable[[memoryview, int], None]") -> None:
        """Hand every entry of the current generation to `replay` once more; as `open`."""
        usable, self._usable = self._usable, False
        self._scan(replay)
        self._usable = usable

    def append(self, length: int) -> int:
        """Make the first `length` bytes of `payload` an entry; its sequence. Durable on return.

        JournalFull when the flash refuses: nothing more is taken until the journal is opened
        again."""
        if not self._usable:
            raise JournalFull("the journal refused a write before; restart the terminal")
        self._usable = False
        end = self._seal(length)
        try:
            file = open(self._path(self._generation), "ab")
            try:
                file.write(self._view[_BEFORE:end])
            finally:
                file.close()
        except OSError as error:
            raise JournalFull(f"the flash did not take an entry ({error})") from error
        self._usable = True
        return self._accept(end)

    def rotate(self, payloads: "Iterable[bytes]", first: bool = False) -> None:
        """Start the next generation with these entries; one rename makes it the current one.

        Older ones go: the host has settled what was in them. `first`: there may be another
        device's, at provisioning."""
        if first and self._generations():
            self._generation = self._generations()[-1]
        self._usable = False
        self._previous = bytes(_MAC)
        self.size = 0
        try:
            file = open(self._folder + "/" + _NEXT, "wb")
            try:
                for payload in payloads:
                    self.payload[: len(payload)] = payload
                    end = self._seal(len(payload))
                    file.write(self._view[_BEFORE:end])
                    self._accept(end)
            finally:
                file.close()
            os.rename(self._folder + "/" + _NEXT, self._path(self._generation + 1))
            self._generation += 1
            for generation in self._generations():
                if generation < self._generation:
                    os.remove(self._path(generation))
        except OSError as error:
            raise JournalFull(f"the flash did not take a new batch ({error})") from error
        self._usable = True

    def _seal(self, length: int) -> int:
        """Head and MAC around the payload in the buffer; the place after the MAC."""
        head = _BEFORE
        struct.pack_into(
            ">BBHI", self._buffer, head, _MARK, FORMAT, length, self._sequence + 1
        )
        struct.pack_into(">H", self._buffer, head + 8, _check(self._view[head : head + 8]))
        end = head + _HEAD + length
        self._view[:_BEFORE] = self._previous
        self._view[end : end + _MAC] = self._vault.mac(self._view[:end])
        return end + _MAC

    def _accept(self, end: int) -> int:
        self._previous = bytes(self._view[end - _MAC : end])
        self._sequence += 1
        self.size += end - _BEFORE
        return self._sequence

    def _scan(self, replay: "Callable[[memoryview, int], None]") -> int:
        """Verify and replay the current file; the length of its whole entries."""
        self._previous = bytes(_MAC)
        good = 0
        file = open(self._path(self._generation), "rb")
        try:
            while True:
                end = self._read_entry(file, good)
                if end == 0:
                    break
                replay(self._view[_BEFORE + _HEAD : end - _MAC], self._sequence)
                good += end - _BEFORE
        finally:
            file.close()
        if good == 0:
            raise JournalCorrupt("the journal has no first entry")
        self.size = good
        return good

    def _read_entry(self, file: "BufferedReader", at: int) -> int:
        """One entry into the buffer, verified; the place after it, or 0 at the end or a torn
        tail."""
        head = self._view[_BEFORE : _BEFORE + _HEAD]
        if file.readinto(head) < _HEAD:
            return 0
        mark, version, length, sequence, check = struct.unpack(">BBHIH", head)
        if mark != _MARK or check != _check(head[:8]) or length > MAX_PAYLOAD:
            raise JournalCorrupt(f"the entry at byte {at} has no valid head")
        if version != FORMAT:
            raise JournalCorrupt(f"the entry at byte {at} is of format {version}, unknown here")
        end = _BEFORE + _HEAD + length + _MAC
        if file.readinto(self._view[_BEFORE + _HEAD : end]) < length + _MAC:
            return 0
        self._view[:_BEFORE] = self._previous
        if not self._vault.check(self._view[: end - _MAC], self._view[end - _MAC : end]):
            raise JournalCorrupt(f"the entry at byte {at} does not verify")
        if at and sequence != self._sequence + 1:
            raise JournalCorrupt(f"the entry at byte {at} is out of sequence")
        self._sequence = sequence
        self._previous = bytes(self._view[end - _MAC : end])
        return end

    def _cut_tail(self, good: int) -> None:
        """Replace the file by its first `good` bytes, in one rename."""
        source = open(self._path(self._generation), "rb")
        try:
            target = open(self._folder + "/" + _NEXT, "wb")
            try:
                while good:
                    count = source.readinto(self._view[: min(good, len(self._view))])
                    target.write(self._view[:count])
                    good -= count
            finally:
                target.close()
        finally:
            source.close()
        os.rename(self._folder + "/" + _NEXT, self._path(self._generation))

    def _generations(self) -> "list[int]":
        names = os.listdir(self._folder)
        return sorted(int(name[:8]) for name in names if name.endswith(".jnl"))

    def _path(self, generation: int) -> str:
        return f"{self._folder}/{generation:08d}.jnl"

    def _drop(self, name: str) -> None:
        if name in os.listdir(self._folder):
            os.remove(self._folder + "/" + name)


def _check(head: memoryview) -> int:
    return crc32(head) & 0xFFFF

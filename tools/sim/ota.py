"""Which image starts: the bootloader's choice, and what esp_ota_ops writes for the application.

As ESP-IDF 5.4 does it with CONFIG_BOOTLOADER_APP_ROLLBACK_ENABLE and two application slots and no
factory image (bootloader_support/src/bootloader_utility.c, app_update/esp_ota_ops.c). The two
sectors of `otadata` hold one esp_ota_select_entry_t each: sequence number, label, state, CRC-32 of
the sequence number. Each rewrite is a sector erase and a program, so the power can go in between.

An image counts as whole when it begins as one (ESP_IMAGE_HEADER_MAGIC). The first slot always
does: what it holds on the virtual board is the interpreter itself.
"""

from __future__ import annotations

import struct
from binascii import crc32
from dataclasses import dataclass

from tools.sim.flash import BLOCK, Flash

NEW, PENDING, VALID, INVALID, ABORTED = range(5)
STATES = {NEW: "new", PENDING: "pending", VALID: "valid", INVALID: "invalid", ABORTED: "aborted"}
IMAGE_MAGIC = 0xE9
_ENTRY = struct.Struct("<I20sII")
_NO_SEQUENCE = 0xFFFFFFFF
_APP, _OTA_0 = 0, 16


class SlotError(Exception):
    """esp_ota_ops refuses; `code` is the esp_err_t that the port raises as an OSError."""

    code = -1  # ESP_FAIL


class ImageInvalid(SlotError):
    """There is no whole image in the slot."""

    code = -0x1503  # ESP_ERR_OTA_VALIDATE_FAILED


@dataclass
class Entry:
    """One sector of otadata; `sector` is 0 or 1."""

    sector: int
    sequence: int
    state: int
    whole: bool

    @property
    def selectable(self) -> bool:
        """bootloader_common_ota_select_valid."""
        return self.whole and self.state not in (INVALID, ABORTED)


class Slots:
    """The application slots of a flash. Methods that write return the microseconds they took."""

    def __init__(self, flash: Flash):
        self._flash = flash
        self._labels = [
            part.label for part in flash.partitions if part.type == _APP and part.subtype >= _OTA_0
        ]
        self.running = self._labels[0]

    def entries(self) -> list[Entry]:
        """Both sectors, as they are."""
        offset = self._flash.partition("otadata").offset
        found = []
        for sector in (0, 1):
            data, _ = self._flash.read(offset + sector * BLOCK, _ENTRY.size)
            sequence, _, state, crc = _ENTRY.unpack(data)
            whole = sequence != _NO_SEQUENCE and crc == _crc(sequence)
            found.append(Entry(sector, sequence, state, whole))
        return found

    def state(self, label: str) -> str:
        """What the first entry of a slot says (esp_ota_get_state_partition); '' without one."""
        known = [entry for entry in self.entries() if entry.whole and self._label(entry) == label]
        return STATES.get(known[0].state, "") if known else ""

    def whole(self, label: str) -> bool:
        """There is an image in the slot."""
        start = self._flash.partition(label).offset
        return label == self._labels[0] or self._flash.read(start, 1)[0][0] == IMAGE_MAGIC

    def start(self) -> str:
        """The bootloader's turn: note what it must, and the label of the slot that runs now."""
        for entry in self.entries():
            if entry.whole and entry.state == PENDING:
                self._write(entry.sector, entry.sequence, ABORTED)
        entries = self.entries()
        active = self._active(entries)
        if active is None:
            chosen = self._labels[0]
            if not any(entry.whole for entry in entries):
                self._write(0, 1, VALID)
        else:
            chosen = self._label(active)
            if active.state == NEW:
                self._write(active.sector, active.sequence, PENDING)
        self.running = chosen if self.whole(chosen) else self._labels[0]
        return self.running

    def chosen(self) -> str:
        """The slot that the next start would take (esp_ota_get_boot_partition)."""
        active = self._active(self.entries())
        return self._labels[0] if active is None else self._label(active)

    def choose(self, label: str) -> int:
        """esp_ota_set_boot_partition: a new entry, newer than the active one. ImageInvalid."""
        if not self.whole(label):
            raise ImageInvalid(label)
        active = self._active(self.entries())
        sequence = self._labels.index(label) + 1
        if active is None:
            return self._write(0, sequence, NEW)
        while sequence < active.sequence:
            sequence += len(self._labels)
        return self._write(1 - active.sector, sequence, NEW)

    def confirm(self) -> int:
        """esp_ota_mark_app_valid_cancel_rollback: the active entry becomes valid. SlotError
        without one."""
        active = self._active(self.entries())
        if active is None:
            raise SlotError("both entries are of images that were given up")
        if active.state == VALID:
            return 0
        return self._write(active.sector, active.sequence, VALID)

    def _active(self, entries: list[Entry]) -> Entry | None:
        known = [entry for entry in entries if entry.selectable]
        return max(known, key=lambda entry: entry.sequence, default=None)

    def _label(self, entry: Entry) -> str:
        return self._labels[(entry.sequence - 1) % len(self._labels)]

    def _write(self, sector: int, sequence: int, state: int) -> int:
        at = self._flash.partition("otadata").offset + sector * BLOCK
        spent = self._flash.erase(at, BLOCK)
        entry = _ENTRY.pack(sequence, b"\xff" * 20, state, _crc(sequence))
        return spent + self._flash.program(at, entry)


def _crc(sequence: int) -> int:
    """bootloader_common_ota_select_crc: esp_rom_crc32_le(UINT32_MAX, …)."""
    return crc32(struct.pack("<I", sequence), 0xFFFFFFFF)

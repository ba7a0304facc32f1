"""Keys at rest: several slots in one file, each sealed by pinmac under the device's own key.

One file is replaced in one rename, so keys that belong together are never half old, half new.
A file is: slot 1, length 2, blob, and so on.
"""

import pinmac

from firmware.ledger.vault import (
    MAC,
    MASTER,
    PIN,
    STORE,
    STORE_MAC,
    TRACK,
    FileCorrupt,
    read_whole,
    write_whole,
)

DEVICE_FILE = "device.key"  # master key and the two storage keys
DEVICE_SLOTS = (MASTER, STORE, STORE_MAC)
WORKING_FILE = "working.key"  # the sign-on's
WORKING_SLOTS = (PIN, MAC, TRACK)


class KeyFileCorrupt(FileCorrupt):
    """A key file is damaged, or was sealed by another device: the terminal goes to the
    workshop."""


def save(path: str, slots: "tuple[int, ...]") -> None:
    """Seal these slots into a file."""
    content = bytearray()
    for slot in slots:
        blob = pinmac.seal(slot)
        content += bytes((slot, len(blob) >> 8, len(blob) & 0xFF)) + blob
    write_whole(path, bytes(content))


def load(path: str, expected: "tuple[int, ...]") -> "list[int]":
    """Unseal a file into its slots; which they are, of those expected. FileMissing,
    KeyFileCorrupt."""
    content = read_whole(path)
    slots = []
    at = 0
    while at < len(content):
        end = at + 3
        if end <= len(content):
            end += content[at + 1] << 8 | content[at + 2]
        if end > len(content):
            raise KeyFileCorrupt(f"the key file {path} ends too early")
        if content[at] not in expected:
            raise KeyFileCorrupt(f"the key file {path} holds a key for slot {content[at]}")
        try:
            pinmac.unseal(content[at], content[at + 3 : end])
        except (pinmac.IntegrityError, pinmac.KeyUsageError, ValueError) as error:
            raise KeyFileCorrupt(f"the key file {path} does not open: {error}") from error
        slots.append(content[at])
        at = end
    if not slots:
        raise KeyFileCorrupt(f"the key file {path} is empty")
    return slots

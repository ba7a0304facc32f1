"""Card data at rest: encrypted under one storage key, then MAC'd under another; and masks.

Also the one list of key slots, and the files that carry a MAC, since every floor above shares
them.
"""

import os

import pinmac

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing_extensions import Buffer

# pinmac slots.
MASTER = const(0)  # TMK: K0 TDES, from the workshop's components
PIN = const(1)  # P0, of sign-on
MAC = const(2)  # M0, of sign-on
TRACK = const(3)  # D0, of sign-on
STORE = const(4)  # D0 AES, made on the device
STORE_MAC = const(5)  # M6 AES, made on the device

_BLOCK = const(16)


class FileCorrupt(Exception):
    """A stored file is damaged or not ours: it does not verify under the storage key."""


class FileMissing(FileCorrupt):
    """A stored file is not there."""


class VaultError(Exception):
    """Stored card data does not open under the storage key."""


def masked(pan: str) -> str:
    """First six and last four: '622588******1234'."""
    return pan[:6] + "*" * (len(pan) - 10) + pan[-4:]


class Vault:
    """The two storage keys in use. One instance serves the ledger and the estate."""

    def mac(self, data: "Buffer") -> bytes:
        """The AES-CMAC (16 bytes) that authenticates what lies in flash."""
        return pinmac.mac(STORE_MAC, pinmac.MAC_CMAC, data)

    def check(self, data: "Buffer", mac: "Buffer") -> bool:
        """Whether `mac` is the MAC of `data`; in constant time."""
        try:
            return pinmac.mac_verify(STORE_MAC, pinmac.MAC_CMAC, data, mac)
        except pinmac.IntegrityError:
            return False

    def seal(self, data: bytes) -> bytes:
        """Encrypt (AES-CBC, fresh IV before it); up to 16 bytes of padding, 80 00…"""
        iv = pinmac.random(_BLOCK)
        padded = data + b"\x80" + bytes(-(len(data) + 1) % _BLOCK)
        return iv + pinmac.encrypt(STORE, iv, padded)

    def open(self, blob: bytes) -> bytes:
        """Undo `seal`. VaultError for a blob of a wrong shape; the journal's MAC guards its
        content."""
        if len(blob) < 2 * _BLOCK or len(blob) % _BLOCK:
            raise VaultError("stored card data has a wrong length")
        padded = pinmac.decrypt(STORE, blob[:_BLOCK], blob[_BLOCK:])
        end = padded.rfind(b"\x80")
        if end < len(padded) - _BLOCK or any(padded[end + 1 :]):
            raise VaultError("stored card data does not open")
        return padded[:end]

    def save(self, path: str, data: bytes) -> None:
        """Write a file with its MAC in front, whole or not at all. The name is part of the MAC."""
        write_whole(path, self.mac(_bound(path, data)) + data)

    def load(self, path: str) -> bytes:
        """Read such a file. FileMissing, FileCorrupt."""
        content = read_whole(path)
        if len(content) < _BLOCK or not self.check(
            _bound(path, content[_BLOCK:]), content[:_BLOCK]
        ):
            raise FileCorrupt(f"{path} does not verify")
        return content[_BLOCK:]


def _bound(path: str, data: bytes) -> bytes:
    """The file's own name before its content, so that one file cannot stand in for another."""
    return path.split("/")[-1].encode() + b"\0" + data


def write_whole(path: str, data: bytes) -> None:
    """Replace a file in one rename: after a power cut it is the old one or the new one."""
    file = open(path + ".tmp", "wb")
    try:
        file.write(data)
    finally:
        file.close()
    os.rename(path + ".tmp", path)


def read_whole(path: str) -> bytes:
    """A file's bytes; FileMissing."""
    try:
        file = open(path, "rb")
    except OSError as error:
        raise FileMissing(f"{path} is not there") from error
    try:
        return file.read()
    finally:
        file.close()

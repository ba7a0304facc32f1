"""PINs, keys and MACs: the C module that guards them. Slots are 0 to 31.

A usage is TR-31's two characters: 'K0' 'K1' key encryption, 'P0' PIN, 'M0' MAC_CUP, 'M6' CMAC,
'D0' data. Wrong sizes and ranges raise ValueError, and a failed call changes nothing, save where
it says so. The module serves one thread.
"""

from typing_extensions import Buffer

DES: int
TDES: int
AES: int
MAC_CUP: int
MAC_CMAC: int

class Error(Exception):
    """The root of this module's own errors."""

class KeyUsageError(Error):
    """A slot was used for what it is not: empty, or of another usage, algorithm or mode of use."""

class IntegrityError(Error):
    """A check value, MAC or format did not hold; nothing was loaded."""

class StateError(Error):
    """Not now: no PIN entry open, module zeroised, self-test failed, a limit reached."""

def load_component(slot: int, usage: str, alg: int, part: bytearray) -> bytes | None:
    """XOR a clear component into a key-encrypting slot ('K0' or 'K1', TDES or AES).

    `part` is the component, as long as the key, and is wiped by the call whatever happens.
    None for the first component; the second completes the key and returns its check value
    (3 bytes). A complete slot is a StateError: erase it first. Two equal components are an
    IntegrityError. On release boards only in the power cycle that follows `zeroize`.
    """
    ...

def load_working(slot: int, usage: str, cryptogram: Buffer, master_slot: int, kcv: Buffer) -> None:
    """Load a working key that came in ECB under the master key (8, 16 or 24 bytes; AES 16 or 32).

    The algorithm follows the master's; 16 bytes that end in 8 zeros are a single-length key.
    `kcv` is 4 bytes and a mismatch is an IntegrityError. Each cipher block serves its first usage
    for the master key's life, across erase and reboot: another is a KeyUsageError, and so is a
    single-length PIN key.
    """
    ...

def generate(slot: int, usage: str, alg: int) -> bytes:
    """Fill a slot with a fresh AES-256 or three-key TDES key; its check value (3 bytes)."""
    ...

def kcv(slot: int) -> bytes:
    """The first 3 bytes of the key's check value (DES, TDES: zeros enciphered; AES: CMAC of zeros)."""
    ...

def info(slot: int) -> dict[str, str | int | bool] | None:
    """What a slot holds, in the terms of a TR-31 header; None when it is empty.

    Keys: usage, alg, mode, exportability, length (bytes), complete (False: a component is missing).
    """
    ...

def erase(slot: int) -> None:
    """Wipe one slot. An empty slot stays empty."""
    ...

def zeroize() -> None:
    """Wipe everything and destroy the salt: no sealed block of this device opens again."""
    ...

def seal(slot: int) -> bytes:
    """The slot as a TR-31 version D block (ASCII, 112 or 144 bytes) under the device's own key."""
    ...

def unseal(slot: int, blob: Buffer) -> bytes:
    """Put back what `seal` gave; the key's check value (3 bytes).

    IntegrityError for anything else, StateError on a zeroised device.
    """
    ...

def pin_begin(min_len: int = 4, max_len: int = 12) -> None:
    """Open a PIN entry, wiping one that was open. StateError when the self-test failed."""
    ...

def pin_digit(d: int) -> int:
    """Add a digit (0-9); how many there are now. StateError at `max_len`, or after the deadline."""
    ...

def pin_back() -> int:
    """Take the last digit away, if there is one; how many there are now."""
    ...

def pin_len() -> int:
    """How many digits have been entered."""
    ...

def pin_cancel() -> None:
    """Wipe the PIN and close the entry, if one is open."""
    ...

def pin_block(slot: int, fmt: int, pan: str) -> bytes:
    """The enciphered PIN block (8 bytes) of ISO 9564-1 format 0 under a TDES 'P0' key.

    `pan` is 13 to 19 digits. Ends the PIN entry and wipes the PIN whatever happens.
    """
    ...

def mac(slot: int, alg: int, data: Buffer) -> bytes:
    """The MAC of `data`: MAC_CUP under 'M0' gives 8 characters (field 64), MAC_CMAC under 'M6' a block."""
    ...

def mac_verify(slot: int, alg: int, data: Buffer, mac: Buffer) -> bool:
    """True when `mac` is the MAC of `data`; else IntegrityError. It never returns False.

    MAC_CUP is compared whole (8 characters); of a CMAC the first 4 bytes or more will do.
    """
    ...

def mac_init(slot: int, alg: int) -> None:
    """Begin a MAC over pieces. There is one such MAC: StateError while it is open.

    Erasing or replacing the slot's key closes it.
    """
    ...

def mac_update(data: Buffer) -> None:
    """The next piece, of any size."""
    ...

def mac_final() -> bytes:
    """The MAC of all pieces, as `mac` gives it; closes the computation."""
    ...

def mac_final_verify(mac: Buffer) -> bool:
    """True when `mac` is the MAC of all pieces; else IntegrityError. Closes the computation."""
    ...

def encrypt(slot: int, iv: Buffer, data: Buffer) -> bytes:
    """CBC over whole blocks under a 'D0' key of AES (`iv` 16 bytes) or TDES (8)."""
    ...

def decrypt(slot: int, iv: Buffer, data: Buffer) -> bytes:
    """The reverse of `encrypt`. A key from `load_working` only enciphers: KeyUsageError."""
    ...

def encrypt_track(slot: int, track: str) -> bytes:
    """Field 35 or 36 under a DES or TDES 'D0' key, two digits a byte, left-justified.

    `track` is 18 to 104 characters: digits, '=' or 'D'. The last byte stays clear, the eight
    before it are enciphered (PROTOCOL.md).
    """
    ...

def random(n: int) -> bytes:
    """`n` bytes (1 to 4096) of the hardware's entropy."""
    ...

def self_test() -> None:
    """Known answers of every algorithm, and the entropy source. StateError, and no PIN entry, if one fails."""
    ...

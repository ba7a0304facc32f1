"""PINs, keys and MACs: the C module that guards them. Slots are 0 to 31.

A usage is TR-31's two characters: 'K0' key encryption, 'K1' key block protection, 'P0' PIN,
'M0' MAC_CUP, 'M1' MAC_X99, 'M3' MAC_X919, 'M6' MAC_CMAC, 'D0' data, 'B1' initial DUKPT key. Wrong
sizes and ranges raise ValueError, and a failed call changes nothing, save where it says so. The
module serves one thread.
"""

from typing_extensions import Buffer

DES: int
TDES: int
AES: int
SM4: int
MAC_CUP: int
MAC_CMAC: int
MAC_X99: int
MAC_X919: int
MAC_CUP_SM4: int

class Error(Exception):
    """The root of this module's own errors."""

class KeyUsageError(Error):
    """A slot was used for what it is not: empty, or of another usage, algorithm or mode of use."""

class IntegrityError(Error):
    """A check value, MAC or format did not hold; nothing was loaded."""

class StateError(Error):
    """Not now: no PIN entry open, module zeroised, self-test failed, a limit reached."""

class PinLimitError(StateError):
    """Too many PINs were enciphered in too short a time: wait. The entry is over and wiped."""

class PinExpiredError(StateError):
    """The PIN entry took longer than the board allows. It is over and wiped."""

def load_component(slot: int, usage: str, alg: int, part: bytearray) -> bytes | None:
    """XOR a clear component into a key-encrypting slot ('K0' of TDES, AES or SM4; 'K1' of TDES or AES).

    `part` is the component, as long as the key, and is wiped by the call whatever happens.
    None for the first component; the second completes the key and returns its check value
    (3 bytes). A complete slot is a StateError: erase it first. Two equal components are an
    IntegrityError. On release boards only in the power cycle that follows `zeroize`.
    """
    ...

def load_working(slot: int, usage: str, cryptogram: Buffer, master_slot: int, kcv: Buffer) -> None:
    """Load a working key that came in ECB under the 'K0' key of `master_slot`.

    8, 16 or 24 bytes under TDES, 16 or 32 under AES, 16 under SM4: the algorithm follows the
    master's, and under TDES 16 bytes that end in 8 zeros are a single-length (DES) key.
    `kcv` is 4 bytes and a mismatch is an IntegrityError. Each cipher block serves its first usage
    for the master key's life, across erase and reboot: another is a KeyUsageError, and so is a
    single-length PIN key.
    """
    ...

def load_block(slot: int, block: Buffer, kbpk_slot: int) -> bytes:
    """Import a TR-31 / X9.143 key block under the 'K1' key of `kbpk_slot`; the check value (3 bytes).

    Version D under an AES key, version B under a TDES key; A and C are refused. Usage, algorithm,
    mode of use and exportability come from the block's header alone; optional blocks are
    authenticated and dropped. IntegrityError for anything that is not an authentic block,
    KeyUsageError where this module has no use for such a key (a 'B1' key goes to `load_dukpt`).
    """
    ...

def export_block(slot: int, kbpk_slot: int) -> bytes:
    """The slot as a TR-31 version D block (ASCII) under the AES 'K1' key of `kbpk_slot`.

    KeyUsageError where the key's exportability is 'N' (every key that was injected or loaded as a
    working key), for SM4, for which TR-31 has no letter, and for a DUKPT key.
    """
    ...

def load_dukpt(slot: int, block: Buffer, kbpk_slot: int, ksn: Buffer) -> bytes:
    """Load an initial DUKPT key from a TR-31 block of usage 'B1'; its check value (3 bytes).

    TDES of two keys with a `ksn` of 10 bytes (X9.24-1), or AES-128 with one of 12 (X9.24-3). A
    counter in the KSN counts as used. One key of each algorithm at a time: StateError while another
    slot has it. The key serves `pin_block`, `mac`, `mac_verify`, `encrypt` and `decrypt`, each with
    the session key of its purpose, after `dukpt_next`.
    """
    ...

def dukpt_next(slot: int) -> bytes:
    """Advance to the next transaction's key; the key serial number to send (10 or 12 bytes).

    StateError when the counter is spent. Seal the slot and store the blob before the key's first
    use: that use raises the board's counter, and a blob of an earlier transaction is refused from
    then on.
    """
    ...

def generate(slot: int, usage: str, alg: int) -> bytes:
    """Fill a slot with a fresh AES-256, SM4 or three-key TDES key ('M3': two); its check value (3 bytes).

    The key may leave the device by `export_block`.
    """
    ...

def kcv(slot: int) -> bytes:
    """The first 3 bytes of the key's check value (AES: CMAC of zeros; the others: zeros enciphered).

    Of a DUKPT slot, the initial key's.
    """
    ...

def info(slot: int) -> dict[str, str | int | bool] | None:
    """What a slot holds, in the terms of a TR-31 header; None when it is empty.

    Keys: usage, alg, mode, exportability, version, length (bytes), complete (False: a component is
    missing).
    """
    ...

def erase(slot: int) -> None:
    """Wipe one slot. An empty slot stays empty."""
    ...

def zeroize() -> None:
    """Wipe everything and destroy the salt: no sealed block of this device opens again."""
    ...

def seal(slot: int) -> bytes:
    """The slot under the device's own key: a TR-31 version D block (ASCII, 112 or 144 bytes).

    A DUKPT slot's registers take a format of their own (404 or 580 bytes).
    """
    ...

def unseal(slot: int, blob: Buffer) -> bytes:
    """Put back what `seal` gave; the key's check value (3 bytes).

    IntegrityError for anything else, a DUKPT state that was rolled back included; StateError on a
    zeroised device.
    """
    ...

def pin_begin(min_len: int = 4, max_len: int = 12) -> None:
    """Open a PIN entry, wiping one that was open. StateError when the self-test failed."""
    ...

def pin_digit(d: int) -> int:
    """Add a digit (0-9); how many there are now. StateError at `max_len`,
    PinExpiredError after the deadline, here and at every other call of the entry."""
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
    """The enciphered PIN block (ISO 9564-1) under a 'P0' key or a DUKPT slot's PIN key.

    Formats 0, 1 and 3 under TDES (8 bytes), format 4 under AES (16 bytes) and, as this project's own
    rule, under SM4. `pan` is 13 to 19 digits, in format 4 from 1; format 1 does not look at it. Ends
    the PIN entry and wipes the PIN whatever happens. PinLimitError when the board's limit is reached.
    """
    ...

def pin_enciphered(modulus: Buffer, exponent: int | Buffer, unpredictable_number: Buffer) -> bytes:
    """The offline PIN for VERIFY, enciphered under a card's public key (EMV Book 2 7.2).

    `modulus` is odd and 128 to 248 bytes long, the exponent 3 or 65537 (an int, or bytes as in 9F2E
    and 9F47), `unpredictable_number` the card's 8 bytes of GET CHALLENGE. The answer is as long as
    the modulus. Ends the PIN entry and wipes the PIN whatever happens. PinLimitError as `pin_block`.
    """
    ...

def mac(slot: int, alg: int, data: Buffer) -> bytes:
    """The MAC of `data`.

    MAC_CUP ('M0' of DES or TDES) and MAC_CUP_SM4 ('M0' of SM4) give 8 characters, as in field 64;
    MAC_X99 ('M1', ISO 9797-1 algorithm 1) and MAC_X919 ('M3', algorithm 3) 8 bytes, both with zero
    padding; MAC_CMAC ('M6') 16 bytes under AES, 8 under TDES. A DUKPT slot gives MAC_X919 (TDES) or
    MAC_CMAC (AES).
    """
    ...

def mac_verify(slot: int, alg: int, data: Buffer, mac: Buffer) -> bool:
    """True when `mac` is the MAC of `data`; else IntegrityError. It never returns False.

    MAC_CUP and MAC_CUP_SM4 are compared whole (8 characters); of the others the first 4 bytes or
    more will do. A DUKPT slot takes the key of responses.
    """
    ...

def mac_init(slot: int, alg: int) -> None:
    """Begin a MAC over pieces. There is one such MAC: StateError while it is open.

    Erasing or replacing the slot's key closes it. With a DUKPT slot it ends in `mac_final`.
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
    """CBC over whole blocks under a 'D0' key of AES or SM4 (`iv` 16 bytes) or TDES (8), or a DUKPT slot."""
    ...

def decrypt(slot: int, iv: Buffer, data: Buffer) -> bytes:
    """The reverse of `encrypt`. A key from `load_working` only enciphers: KeyUsageError.

    A DUKPT slot takes the key of responses.
    """
    ...

def encrypt_track(slot: int, track: str) -> bytes:
    """Field 35 or 36 under a DES or TDES 'D0' key, two digits a byte, left-justified.

    `track` is 18 to 104 characters: digits, '=' or 'D'. The last byte stays clear, the eight
    before it are enciphered (PROTOCOL.md).
    """
    ...

def rsa_recover(modulus: Buffer, exponent: int | Buffer, data: Buffer) -> bytes:
    """data^exponent mod modulus, as long as the modulus (EMV Book 2 5, 6: recovery of certificates).

    An odd `modulus` of 64 to 256 bytes that begins with a byte other than zero, an exponent of 3 or
    65537 (int or bytes), `data` as long as the modulus and below it.
    """
    ...

def random(n: int) -> bytes:
    """`n` bytes (1 to 4096) of the hardware's entropy."""
    ...

def self_test() -> None:
    """Known answers of every algorithm, and the entropy source. StateError, and no PIN entry, if one fails."""
    ...

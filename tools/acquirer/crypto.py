"""The host's cryptography: MAC_CUP, working keys, PIN blocks and cryptograms.

Nothing here is the firmware's: DES comes from psec, cryptograms from pyemv. That makes the host a
second opinion on every key, block and MAC the terminal sends.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from psec import des, pinblock, tools
from pyemv import ac, kd

from tools.acquirer.errors import AcquirerError

_SINGLE = 8
_DOUBLE = 16
_KCV = 4
_TRIES = 100

# Field 60.3 of a sign-on → lengths of the keys its reply carries in field 62, in their order.
KEY_SETS = {
    "001": (("pin", _SINGLE), ("mac", _SINGLE)),
    "003": (("pin", _DOUBLE), ("mac", _DOUBLE)),
    "004": (("pin", _DOUBLE), ("mac", _DOUBLE), ("track", _DOUBLE)),
}


@dataclass(frozen=True)
class WorkingKeys:
    """A terminal's working keys as they travel: field 62, and cryptograms under its TMK.

    `cryptograms` maps `pin`, `mac` and, in a 004 set, `track` to ECB cryptograms (8 or 16 bytes).
    """

    field_62: bytes
    cryptograms: dict[str, bytes]


def issue_keys(tmk: bytes, key_set: str, random: Callable[[int], bytes]) -> WorkingKeys:
    """Fresh working keys for a terminal (PROTOCOL.md, "Sign-on and working keys").

    `key_set` is a key of KEY_SETS. Keys have odd parity and are not weak: the halves of a
    double-length key differ, and so do any two keys. Raises AcquirerError when `random` gives
    nothing usable.
    """
    seen: set[bytes] = set()
    cryptograms = {}
    blob = b""
    for name, length in KEY_SETS[key_set]:
        key = _fresh_key(length, random, seen)
        cryptograms[name] = des.encrypt_tdes_ecb(tmk, key)
        blob += cryptograms[name] + des.generate_kcv(key, _KCV)
    return WorkingKeys(blob, cryptograms)


def working_key(tmk: bytes, cryptogram: bytes) -> bytes:
    """The clear working key of a cryptogram (ECB under the terminal master key)."""
    return des.decrypt_tdes_ecb(tmk, cryptogram)


def mac_cup(key: bytes, text: bytes) -> str:
    """MAC_CUP (PINMAC.md): field 64 as 8 hex characters. `key` is 8 or 16 bytes."""
    folded = bytes(_SINGLE)
    for start in range(0, len(text), _SINGLE):
        folded = tools.xor(folded, text[start : start + _SINGLE].ljust(_SINGLE, b"\0"))
    spelt = folded.hex().upper().encode()
    first = des.encrypt_tdes_ecb(key, spelt[:_SINGLE])
    second = des.encrypt_tdes_ecb(key, tools.xor(first, spelt[_SINGLE:]))
    return second.hex().upper()[:_SINGLE]


def mac_matches(key: bytes, text: bytes, mac: str) -> bool:
    """Whether field 64 is the MAC of `text`, compared in constant time."""
    return hmac.compare_digest(mac_cup(key, text), mac)


def pin_of(key: bytes, block: bytes, pan: str) -> str:
    """The PIN in an ISO 9564 format 0 block enciphered under `key`.

    Raises ValueError when the block does not decode: another key, or another card's number.
    """
    return pinblock.decode_pinblock_iso_0(des.decrypt_tdes_ecb(key, block), pan)


def session_key(imk: bytes, pan: str, psn: str, atc: bytes) -> bytes:
    """The card's cryptogram session key: option A, then EMV common derivation from the ATC.

    EMV Book 2, A1.4.1 and A1.3.1. `psn` is two digits, `atc` two bytes.
    """
    return kd.derive_common_sk(kd.derive_icc_mk_a(imk, pan, psn), atc + bytes(6))


def application_cryptogram(key: bytes, data: bytes) -> bytes:
    """The 8-byte cryptogram over `data` (EMV Book 2, 8.1; ISO 9797-1 padding method 2)."""
    return ac.generate_ac(key, data, ac.PaddingType.EMV)


def issuer_authentication_data(key: bytes, cryptogram: bytes, response_code: str) -> bytes:
    """Tag 91: ARPC by method 1 (EMV Book 2, 8.2.1), then the two characters of the code."""
    code = response_code.encode("ascii")
    return ac.generate_arpc_1(key, cryptogram, code) + code


def _fresh_key(length: int, random: Callable[[int], bytes], seen: set[bytes]) -> bytes:
    for _ in range(_TRIES):
        key = des.adjust_key_parity(random(length))
        halves = {key[start : start + _SINGLE] for start in range(0, length, _SINGLE)}
        if len(halves) == length // _SINGLE and not halves & seen and not halves & _WEAK:
            seen |= halves
            return key
    raise AcquirerError("the source of randomness gives no usable key")


# The weak and semi-weak DES keys (NIST SP 800-67 rev. 2, 3.3.2).
_WEAK = frozenset(
    bytes.fromhex(text)
    for text in (
        "0101010101010101 FEFEFEFEFEFEFEFE E0E0E0E0F1F1F1F1 1F1F1F1F0E0E0E0E "
        "011F011F010E010E 1F011F010E010E01 01E001E001F101F1 E001E001F101F101 "
        "01FE01FE01FE01FE FE01FE01FE01FE01 1FE01FE00EF10EF1 E01FE01FF10EF10E "
        "1FFE1FFE0EFE0EFE FE1FFE1FFE0EFE0E E0FEE0FEF1FEF1FE FEE0FEE0FEF1FEF1"
    ).split()
)

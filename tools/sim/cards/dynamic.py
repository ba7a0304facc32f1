"""What a card signs with its own key: DDA, CDA and fDDA (Book 2 6.5, 6.6; Book C-3, C-7)."""

from __future__ import annotations

import hashlib

from tools.sim.cards import ber, certificates
from tools.sim.cards.keys import RsaKey

FDDA_VERSION = 0x01


def internal_authenticate(key: RsaKey, number: bytes, terminal: bytes) -> bytes:
    """9F4B of INTERNAL AUTHENTICATE: `number` is 9F4C, `terminal` the DDOL's data."""
    return certificates.dynamic_signature(key, ber.counted(number), terminal)


def combined(
    key: RsaKey, number: bytes, kind: int, cryptogram: bytes, said: bytes, response: bytes,
    unpredictable: bytes,
) -> bytes:  # fmt: skip
    """9F4B of GENERATE AC with CDA (Book 2 6.6.1).

    said: the values of PDOL, CDOL1 and, the second time, CDOL2, as they came. response: the TLVs
    of the answer in their order without 9F4B. unpredictable: 9F37.
    """
    digest = hashlib.sha1(said + response, usedforsecurity=False).digest()
    dynamic = ber.counted(number) + bytes((kind,)) + cryptogram + digest
    return certificates.dynamic_signature(key, dynamic, unpredictable)


def fast(key: RsaKey, atc: bytes, values: dict[str, bytes], related: bytes) -> bytes:
    """9F4B of a tap: the ATC is the dynamic number; 9F37, 9F02, 5F2A and 9F69 are hashed."""
    terminal = values["9F37"] + values["9F02"] + values["5F2A"] + related
    return certificates.dynamic_signature(key, ber.counted(atc), terminal, certificates.FAST)

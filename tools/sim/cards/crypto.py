"""The test cards' cryptograms: CVN 12 of this deck, by pyemv (Book 2 A1.3.1, A1.4.1, 8.1, 8.2).

Option A derivation from the issuer's key, the EMV common session key from the ATC, and a MAC with
ISO 9797-1 method 2 padding over the terminal's elements, the AIP, the ATC and the whole of 9F10.
"""

from __future__ import annotations

import warnings

from cryptography.utils import CryptographyDeprecationWarning
from pyemv import ac, kd

# Two-key TDES is what these cards are made of; the warning would come with every APDU.
warnings.filterwarnings("ignore", category=CryptographyDeprecationWarning, module=r"psec|pyemv")

KEY_INDEX = 0x01
CRYPTOGRAM_VERSION = 0x12

# What the terminal's part of the cryptogram is, in its order.
INPUT_TAGS = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37")


def card_key(issuer_key: bytes, pan: str, psn: int) -> bytes:
    """The card's own key (option A)."""
    return kd.derive_icc_mk_a(issuer_key, pan, f"{psn:02d}")


def session_key(key: bytes, atc: int) -> bytes:
    """The session key of one transaction."""
    return kd.derive_common_sk(key, atc.to_bytes(2, "big") + bytes(6))


def cryptogram(
    session: bytes, values: dict[str, bytes], aip: bytes, atc: int, iad: bytes
) -> bytes:
    """TC, ARQC or AAC, 8 bytes. `values` has INPUT_TAGS as the card's DOL received them."""
    data = b"".join(values[tag] for tag in INPUT_TAGS) + aip + atc.to_bytes(2, "big") + iad
    return ac.generate_ac(session, data, ac.PaddingType.EMV)


def issuer_answer(session: bytes, arqc: bytes, response_code: bytes) -> bytes:
    """ARPC by method 1, 8 bytes; the response code is two characters."""
    return ac.generate_arpc_1(session, arqc, response_code)


def application_data(verification_results: bytes) -> bytes:
    """9F10: length, key index, CVN, length of the CVR, CVR of 3 bytes."""
    head = bytes((0x06, KEY_INDEX, CRYPTOGRAM_VERSION, len(verification_results)))
    return head + verification_results

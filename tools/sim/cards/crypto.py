"""The test cards' DES: cryptograms of this deck's CVN 12 and secure messaging, by pyemv.

Book 2 A1.3.1, A1.4.1, 8.1, 8.2, 9.2 and 9.3.

Option A derivation from the issuer's key, the EMV common session key from the ATC, and a MAC with
ISO 9797-1 method 2 padding over the terminal's elements, the AIP, the ATC and the whole of 9F10.
"""

from __future__ import annotations

import warnings

from cryptography.utils import CryptographyDeprecationWarning
from psec import des
from pyemv import ac, kd, sm

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


def application_data(verification_results: bytes, discretionary: bytes = b"") -> bytes:
    """9F10: length, key index, CVN, length of the CVR, CVR of 3 bytes; 7 bytes in all.

    With issuer discretionary data an algorithm byte follows, then their length and themselves, as
    UnionPay's wallets send them.
    """
    head = bytes((KEY_INDEX, CRYPTOGRAM_VERSION, len(verification_results)))
    head += verification_results
    if not discretionary:
        return bytes((len(head),)) + head
    head += b"\x01"
    return bytes((len(head),)) + head + bytes((len(discretionary),)) + discretionary


def script_key(key: bytes, first: bytes) -> bytes:
    """The session key of secure messaging from the transaction's first cryptogram (A1.3.1)."""
    return kd.derive_common_sk(key, first)


def script_mac(session: bytes, header: bytes, atc: int, first: bytes, data: bytes) -> bytes:
    """8 bytes over header, ATC, the first cryptogram and the data (Book 2 9.2.3, format 2)."""
    return sm.generate_command_mac(session, header + atc.to_bytes(2, "big") + first + data)


def decipher(session: bytes, data: bytes) -> bytes:
    """Script data as Visa's cards have them: ECB, a length byte in front (Book 2 9.3).

    ValueError when the length does not fit, as with another key.
    """
    plain = des.decrypt_tdes_ecb(session, data)
    if not plain or plain[0] >= len(plain):
        raise ValueError("the data were not enciphered with this key")
    return plain[1 : 1 + plain[0]]

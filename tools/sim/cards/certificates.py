"""What EMV signs with RSA: certificates, static and dynamic data (Book 2 chapters 5-7).

Pure functions from values to bytes. Every signature is a block `6A format ... SHA-1 BC` as long
as the signer's modulus, raised to the private exponent (Book 2 Annex A2.1, ISO 9796-2 scheme 1).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from tools.sim.cards.keys import RsaKey

ISSUER, STATIC, CARD, DYNAMIC, FAST = 0x02, 0x03, 0x04, 0x05, 0x95

_SHA1, _RSA = 0x01, 0x01
_ISSUER_OVERHEAD, _CARD_OVERHEAD = 36, 42
_STATIC_OVERHEAD, _DYNAMIC_OVERHEAD = 26, 25


@dataclass(frozen=True)
class Certificate:
    """A certified key as a card's records carry it.

    signed: 90, 9F46 or 9F2D. remainder: 92, 9F48 or 9F2F, empty when all of the modulus had room.
    exponent: 9F32, 9F47 or 9F2E.
    """

    signed: bytes
    remainder: bytes
    exponent: bytes


def _sign(signer: RsaKey, middle: bytes, extras: bytes) -> bytes:
    """6A ‖ middle ‖ SHA-1(middle ‖ extras) ‖ BC, signed."""
    digest = hashlib.sha1(middle + extras, usedforsecurity=False).digest()
    return signer.private(b"\x6a" + middle + digest + b"\xbc")


def _certify(
    signer: RsaKey, kind: int, who: bytes, until: str, serial: bytes, subject: RsaKey, room: int,
    static: bytes,
) -> Certificate:  # fmt: skip
    """`room` bytes are left for the modulus. `until` is YYMM; the certificate says MMYY."""
    modulus, exponent = subject.modulus_bytes, subject.exponent_bytes
    head = bytes((kind,)) + who + bytes.fromhex(until[2:] + until[:2]) + serial
    head += bytes((_SHA1, _RSA, len(modulus), len(exponent)))
    remainder = modulus[room:]
    middle = head + modulus[:room].ljust(room, b"\xbb")
    signed = _sign(signer, middle, remainder + exponent + static)
    return Certificate(signed, remainder, exponent)


def issuer_certificate(
    authority: RsaKey, issuer: RsaKey, pan: str, until: str, serial: bytes
) -> Certificate:
    """90, 92, 9F32 (Book 2 table 2). The issuer's identifier is the PAN's first eight digits."""
    who, room = bytes.fromhex(pan[:8]), authority.size - _ISSUER_OVERHEAD
    return _certify(authority, ISSUER, who, until, serial, issuer, room, b"")


def card_certificate(
    issuer: RsaKey, card: RsaKey, pan: str, until: str, serial: bytes, static: bytes
) -> Certificate:
    """9F46, 9F48, 9F47 (Book 2 table 14) over the static data to be authenticated.

    A key for PIN encipherment (9F2D, 9F2F, 9F2E; table 23) has the same form without static data.
    """
    who, room = bytes.fromhex(pan.ljust(20, "F")), issuer.size - _CARD_OVERHEAD
    return _certify(issuer, CARD, who, until, serial, card, room, static)


def static_signature(issuer: RsaKey, code: bytes, static: bytes) -> bytes:
    """93, signed static application data (Book 2 table 3). `code`: 9F45, two bytes."""
    room = issuer.size - _STATIC_OVERHEAD
    middle = bytes((STATIC, _SHA1)) + code + b"\xbb" * room
    return _sign(issuer, middle, static)


def dynamic_signature(
    card: RsaKey, dynamic: bytes, terminal: bytes, kind: int = DYNAMIC
) -> bytes:
    """9F4B, signed dynamic application data (Book 2 tables 15 and 18).

    dynamic: the ICC dynamic data, from the length of the ICC dynamic number on. terminal: what
    is hashed besides: the DDOL's data, for CDA the unpredictable number, for fDDA more. kind:
    FAST on a tap (Books C-3, C-7), so that nothing signed on the contacts passes for it.
    """
    room = card.size - len(dynamic) - _DYNAMIC_OVERHEAD
    middle = bytes((kind, _SHA1, len(dynamic))) + dynamic + b"\xbb" * room
    return _sign(card, middle, terminal)

"""Offline data authentication as a terminal does it, written from Book 2 and not from our code.

Used to judge what the deck's cards sign. Numbers by Python's own `pow`, hashes by hashlib, TLV by
pyemv; no package on PyPI or in Debian verifies EMV certificates.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from pyemv import tlv


class NotGenuine(Exception):
    """A check of Book 2 failed; the message names it."""


@dataclass(frozen=True)
class PublicKey:
    """A recovered key."""

    modulus: int
    exponent: int
    size: int


def check(holds: bool, what: str) -> None:
    """NotGenuine unless it holds."""
    if not holds:
        raise NotGenuine(what)


def recover(key: PublicKey, signature: bytes, kind: int, extras: bytes) -> bytes:
    """The recovered block without header, trailer and hash (Book 2 A2.1), all three checked."""
    check(len(signature) == key.size, "length")
    number = pow(int.from_bytes(signature, "big"), key.exponent, key.modulus)
    block = number.to_bytes(key.size, "big")
    check(block[0] == 0x6A, "header")
    check(block[-1] == 0xBC, "trailer")
    check(block[1] == kind, "format")
    digest = hashlib.sha1(block[1:-21] + extras).digest()
    check(block[-21:-1] == digest, "hash")
    return block[1:-21]


def certified(
    signer: PublicKey, certificate: bytes, kind: int, who: bytes, month: str, remainder: bytes,
    exponent: bytes, static: bytes = b"",
) -> PublicKey:  # fmt: skip
    """The key in a certificate: steps of Book 2 5.3 (kind 2) and 6.4 (kind 4). month: YYMM."""
    body = recover(signer, certificate, kind, remainder + exponent + static)
    width = 4 if kind == 2 else 10
    check(body[1 : 1 + width] == who, "whose certificate it is")
    rest = body[1 + width :]
    until = rest[1:2].hex() + rest[0:1].hex()
    check(until >= month, "expiry")
    check(rest[5] == 1 and rest[6] == 1, "algorithms")
    size, digits = rest[7], rest[9:]
    check(rest[8] == len(exponent), "length of the exponent")
    check(len(digits) == signer.size - (36 if kind == 2 else 42), "room for the key")
    if size <= len(digits):
        check(digits[size:] == b"\xbb" * (len(digits) - size) and not remainder, "padding")
        modulus = digits[:size]
    else:
        modulus = digits + remainder
    check(len(modulus) == size, "length of the key")
    return PublicKey(int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"), size)


def signed_static(issuer: PublicKey, signature: bytes, static: bytes) -> bytes:
    """The data authentication code of 93 (Book 2 5.4)."""
    body = recover(issuer, signature, 3, static)
    check(body[1] == 1, "algorithm")
    check(body[4:] == b"\xbb" * (issuer.size - 26), "padding")
    return body[2:4]


def signed_dynamic(card: PublicKey, signature: bytes, terminal: bytes, kind: int = 5) -> bytes:
    """The ICC dynamic data of 9F4B (Book 2 6.5.2, 6.6.2); kind 0x95 on a tap (Book C-3)."""
    body = recover(card, signature, kind, terminal)
    check(body[1] == 1, "algorithm")
    length = body[2]
    check(body[3 + length :] == b"\xbb" * (card.size - length - 25), "padding")
    return body[3 : 3 + length]


@dataclass(frozen=True)
class Chain:
    """What reading a card gave. keys are None where the card has none."""

    elements: dict[str, bytes]
    static: bytes
    issuer: PublicKey
    card: PublicKey | None
    pin: PublicKey | None


def authorities(listed: list[dict[str, str]]) -> dict[tuple[str, str], PublicKey]:
    """The CA public key file's keys by RID and index; NotGenuine for a wrong check sum."""
    found = {}
    for each in listed:
        modulus, exponent = bytes.fromhex(each["modulus"]), bytes.fromhex(each["exponent"])
        data = bytes.fromhex(each["rid"] + each["index"]) + modulus + exponent
        check(hashlib.sha1(data).hexdigest().upper() == each["sha1"], "check sum")
        found[each["rid"], each["index"]] = PublicKey(
            int.from_bytes(modulus, "big"), int.from_bytes(exponent, "big"), len(modulus)
        )
    return found


def chain(
    known: dict[tuple[str, str], PublicKey], rid: str, records: list[tuple[int, bool, bytes]],
    profile: bytes, month: str,
) -> Chain:  # fmt: skip
    """Verify what a card's records certify; they are (SFI, whether authenticated, the whole)."""
    elements: dict[str, Any] = {}
    static = b""
    for sfi, protected, record in records:
        elements |= tlv.decode(record)["70"]
        if protected:
            static += inside(record) if sfi <= 10 else record
    if elements.get("9F4A") is not None:
        check(elements["9F4A"] == b"\x82", "static data authentication tag list")
        static += profile
    pan = elements["5A"].hex().upper()
    authority = known[rid, elements["8F"].hex().upper()]
    issuer = certified(
        authority, elements["90"], 2, bytes.fromhex(pan[:8]), month,
        elements.get("92", b""), elements["9F32"],
    )  # fmt: skip
    holder = bytes.fromhex(pan.ljust(20, "F"))
    card = pin = None
    if "9F46" in elements:
        card = certified(
            issuer, elements["9F46"], 4, holder, month,
            elements.get("9F48", b""), elements["9F47"], static,
        )  # fmt: skip
    if "9F2D" in elements:
        pin = certified(
            issuer, elements["9F2D"], 4, holder, month,
            elements.get("9F2F", b""), elements["9F2E"],
        )  # fmt: skip
    return Chain(elements, static, issuer, card, pin)


def inside(record: bytes) -> bytes:
    """A record without its template's tag and length."""
    if record[1] < 0x80:
        return record[2:]
    return record[2 + (record[1] & 0x7F) :]

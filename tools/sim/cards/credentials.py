"""What a card carries for offline data authentication: certificates in records, keys in the chip.

File 3 of every application that authenticates: record 1 the small elements (8F, exponents,
remainders, 9F49, 9F4A), record 2 the issuer's certificate (90), record 3 the card's (9F46) or the
signed static data (93), record 4 the certificate of a key for PIN encipherment (9F2D).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from tools.sim.cards import ber, certificates, keys
from tools.sim.cards.authority import authority_keys
from tools.sim.cards.certificates import Certificate
from tools.sim.cards.keys import RsaKey
from tools.sim.cards.personalisation import CDA, DDA, SDA, Application, Authentication

FILE = 3
DDOL = "9F37:4"

# AIP byte 1 (Book 3 Annex C1): a card that combines also authenticates by itself.
_PROFILE = {SDA: 0x40, DDA: 0x20, CDA: 0x21}
_DATA_AUTHENTICATION_CODE = b"\xda\xc1"


@dataclass(frozen=True)
class Credentials:
    """profile: what AIP byte 1 offers. records: by (SFI, number). key: signs dynamic data.

    pin_key: deciphers the PIN: the card's own (Book 2 7.1), or the one for nothing else.
    """

    profile: int = 0
    records: tuple[tuple[tuple[int, int], bytes], ...] = ()
    key: RsaKey | None = None
    pin_key: RsaKey | None = None

    @property
    def file_locator(self) -> bytes:
        """The AFL's entry for these records; empty without any."""
        return bytes((FILE << 3, 1, len(self.records), 0)) if self.records else b""


def profile(facts: Application) -> int:
    """The bits of AIP byte 1 that the application's way of authentication sets."""
    return 0 if facts.oda is None else _PROFILE[facts.oda.method]


@cache
def issue(facts: Application, static: bytes) -> Credentials:
    """Certify the application's keys. `static`: the static data to be authenticated, AIP last."""
    oda = facts.oda
    if oda is None:
        return Credentials()
    authority = authority_keys()[oda.ca]
    issuer = _issuer(oda)
    certified = certificates.issuer_certificate(
        authority.pair, issuer, facts.pan, oda.until, b"\x00\x00\x01"
    )
    small = [ber.tlv("8F", bytes.fromhex(oda.ca)), ber.tlv("9F32", certified.exponent)]
    small += _remainder("92", certified)
    large = [ber.tlv("70", ber.tlv("90", certified.signed))]
    key, pin_key = None, None
    if oda.method == SDA:
        signer = _stranger(issuer) if oda.wrong else issuer
        signed = certificates.static_signature(signer, _DATA_AUTHENTICATION_CODE, static)
        large.append(ber.tlv("70", ber.tlv("93", signed)))
    else:
        own = keys.key(f"card-{facts.pan}", oda.card, oda.exponent)
        certificate = _card(issuer, own, facts, oda, b"\x00\x01\x01", static)
        small += [ber.tlv("9F47", certificate.exponent), *_remainder("9F48", certificate)]
        small.append(ber.tlv("9F49", ber.dol(DDOL)))
        large.append(ber.tlv("70", ber.tlv("9F46", certificate.signed)))
        key, pin_key = _stranger(own) if oda.wrong else own, own
    small.append(ber.tlv("9F4A", b"\x82"))
    if oda.pin:
        pin_key = keys.key(f"pin-{facts.pan}", oda.pin, oda.exponent)
        certificate = _card(issuer, pin_key, facts, oda, b"\x00\x01\x02", b"")
        small += [ber.tlv("9F2E", certificate.exponent), *_remainder("9F2F", certificate)]
        large.append(ber.tlv("70", ber.tlv("9F2D", certificate.signed)))
    listed = enumerate([ber.tlv("70", *small), *large], 1)
    records = tuple(((FILE, number), record) for number, record in listed)
    return Credentials(_PROFILE[oda.method], records, key, pin_key)


def _issuer(oda: Authentication) -> RsaKey:
    return keys.key(f"issuer-{oda.ca}", oda.issuer, oda.exponent)


def _card(
    issuer: RsaKey, key: RsaKey, facts: Application, oda: Authentication, serial: bytes,
    static: bytes,
) -> Certificate:  # fmt: skip
    return certificates.card_certificate(issuer, key, facts.pan, oda.until, serial, static)


def _remainder(tag: str, certificate: Certificate) -> list[bytes]:
    return [ber.tlv(tag, certificate.remainder)] if certificate.remainder else []


def _stranger(key: RsaKey) -> RsaKey:
    """A key as long as `key` that nobody certified: what it signs does not verify."""
    return keys.key("stranger", key.size * 8, key.exponent)

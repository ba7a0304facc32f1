"""Keys, certificates and signed data of the deck, judged by `oda.py` from the book's text."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import oda
import pytest
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tools.sim import cards
from tools.sim.cards import authority, certificates, files, keys, personalisation
from tools.sim.cards.application import Application
from tools.sim.cards.keys import RsaKey

RID, MONTH = "A000000333", "2611"
PAN, UNTIL, SERIAL = "6225880000071234", "3012", b"\x01\x02\x03"
STATIC = bytes(range(80)) + b"\x3c\x00"
TERMINAL = bytes.fromhex("11223344")
LENGTHS = range(keys.SHORTEST, keys.LONGEST + 1, 8)
SOME = (1024, 1152, 1280, 1408, 1976)


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], oda.PublicKey]:
    """The authority's keys as a terminal reads them from the file."""
    path = authority.write_public_keys(tmp_path_factory.mktemp("ca") / "ca-keys.yaml")
    return oda.authorities(yaml.safe_load(path.read_text(encoding="utf-8")))


def public(key: RsaKey) -> oda.PublicKey:
    return oda.PublicKey(key.modulus, key.exponent, key.size)


# ---- keys


@pytest.mark.parametrize("exponent", keys.EXPONENTS)
@pytest.mark.parametrize("bits", [1024, 1032, 1976, 1984])
def test_keys_are_what_cryptography_takes_for_keys(bits: int, exponent: int) -> None:
    key = keys.key("test", bits, exponent)
    d = key.private_exponent
    numbers = rsa.RSAPrivateNumbers(
        key.p, key.q, d, rsa.rsa_crt_dmp1(d, key.p), rsa.rsa_crt_dmq1(d, key.q),
        rsa.rsa_crt_iqmp(key.p, key.q), rsa.RSAPublicNumbers(exponent, key.modulus),
    )  # fmt: skip
    assert numbers.private_key().key_size == bits == key.size * 8


def test_a_key_is_the_same_on_every_machine(tmp_path: Path) -> None:
    made = keys.make("ca-F1", 1024, 3)
    digest = hashlib.sha256(made.modulus_bytes).hexdigest()
    assert digest[:32] == "263b12621fe43bdace86a9d6ab96d7d1"
    kept = keys.key("ca-F1", 1024, 3, tmp_path)
    again = keys.key.__wrapped__("ca-F1", 1024, 3, tmp_path)
    assert kept == again == made and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(("bits", "exponent"), [(1016, 3), (1992, 3), (1028, 3), (1024, 17)])
def test_no_other_keys_are_made(bits: int, exponent: int) -> None:
    with pytest.raises(ValueError, match="no EMV key"):
        keys.key("test", bits, exponent, None)


def test_the_authoritys_file_says_what_its_keys_are(
    known: dict[tuple[str, str], oda.PublicKey],
) -> None:
    assert {index for _, index in known} == set(authority.authority_keys())
    assert {key.exponent for key in known.values()} == {3, 65537}
    assert {key.size * 8 for key in known.values()} >= {1024, 1984}


def test_a_wrong_check_sum_is_seen() -> None:
    entry = authority.authority_keys()["F1"].public()
    with pytest.raises(oda.NotGenuine, match="check sum"):
        oda.authorities([{**entry, "index": "F2"}])


# ---- certificates at every length


def whole_chain(bits: int, exponent: int) -> None:
    """Authority, issuer and card with keys of one length (issuers end at 1976 bits)."""
    top = keys.key("length-ca", bits, exponent)
    middle = keys.key("length-issuer", min(bits, personalisation.LONGEST_ISSUER), exponent)
    card = keys.key("length-card", min(bits, personalisation.LONGEST_ISSUER), exponent)
    first = certificates.issuer_certificate(top, middle, PAN, UNTIL, SERIAL)
    issuer = oda.certified(
        public(top), first.signed, 2, bytes.fromhex(PAN[:8]), MONTH, first.remainder,
        first.exponent,
    )  # fmt: skip
    assert issuer == public(middle)
    second = certificates.card_certificate(middle, card, PAN, UNTIL, SERIAL, STATIC)
    holder = bytes.fromhex(PAN + "FFFF")
    assert public(card) == oda.certified(
        issuer, second.signed, 4, holder, MONTH, second.remainder,
        second.exponent, STATIC,
    )  # fmt: skip
    static = certificates.static_signature(middle, b"\x12\x34", STATIC)
    assert oda.signed_static(issuer, static, STATIC) == b"\x12\x34"
    dynamic = certificates.dynamic_signature(card, b"\x04abcd", TERMINAL)
    assert oda.signed_dynamic(public(card), dynamic, TERMINAL) == b"\x04abcd"


@pytest.mark.parametrize("exponent", keys.EXPONENTS)
@pytest.mark.parametrize("bits", SOME)
def test_chains_verify(bits: int, exponent: int) -> None:
    whole_chain(bits, exponent)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("exponent", keys.EXPONENTS)
def test_chains_verify_at_every_length(exponent: int) -> None:
    for bits in LENGTHS:
        whole_chain(bits, exponent)


@pytest.mark.parametrize("card_bits", [1024, 1104, 1112, 1408])
def test_a_short_key_is_padded_and_a_long_one_has_a_remainder(card_bits: int) -> None:
    """1408 bits of the issuer leave room for 134 bytes: 1024 pads, 1104 is over by four."""
    issuer, card = keys.key("test", 1408), keys.key("test", card_bits)
    made = certificates.card_certificate(issuer, card, PAN, UNTIL, SERIAL, STATIC)
    assert len(made.remainder) == max(0, card.size - (issuer.size - 42))
    holder = bytes.fromhex(PAN + "FFFF")
    recovered = oda.certified(
        public(issuer), made.signed, 4, holder, MONTH, made.remainder, made.exponent, STATIC
    )
    assert recovered == public(card)


@pytest.mark.parametrize(
    ("changed", "what"),
    [({"static": b"other"}, "hash"), ({"month": "3101"}, "expiry"), ({"kind": 2}, "format")],
)
def test_the_judge_sees_what_is_wrong(changed: dict, what: str) -> None:
    issuer, card = keys.key("test", 1408), keys.key("test", 1024)
    made = certificates.card_certificate(issuer, card, PAN, UNTIL, SERIAL, STATIC)
    given = {
        "kind": 4, "who": bytes.fromhex(PAN + "FFFF"), "month": MONTH, "static": STATIC,
        "remainder": made.remainder, "exponent": made.exponent, **changed,
    }  # fmt: skip
    with pytest.raises(oda.NotGenuine, match=what):
        oda.certified(public(issuer), made.signed, **given)


# ---- the deck's cards


def issued() -> Iterator[tuple[str, int]]:
    """Card and place of every application that authenticates its data."""
    for name in cards.names():
        for place, application in enumerate(cards.load(name).applications):
            if application.facts.oda is not None:
                yield name, place


def read(application: Application) -> list[tuple[int, bool, bytes]]:
    """Records in the order of the AFL, with whether each is authenticated."""
    locator = files.file_locator(application.facts, application.credentials)
    found = []
    for at in range(0, len(locator), 4):
        sfi, first, last, protected = locator[at] >> 3, *locator[at + 1 : at + 4]
        for number in range(first, last + 1):
            record = application.records[sfi, number]
            found.append((sfi, number < first + protected, record))
    return found


@pytest.mark.parametrize(("name", "place"), list(issued()))
def test_every_certificate_of_the_deck_verifies(
    known: dict[tuple[str, str], oda.PublicKey], name: str, place: int
) -> None:
    application = cards.load(name).applications[place]
    held = oda.chain(known, RID, read(application), application.aip, MONTH)
    assert held.elements["8F"].hex().upper() == application.facts.oda.ca
    method = application.facts.oda.method
    assert (held.card is not None) == (method != "sda")
    bits = {"sda": 0x40, "dda": 0x20, "cda": 0x21}[method]
    assert application.aip[0] & 0x61 == bits
    if method == "sda":
        assert oda.signed_static(held.issuer, held.elements["93"], held.static) == b"\xda\xc1"
    assert all(len(record) <= 254 for record in application.records.values())


def opened(key: oda.PublicKey, signature: bytes, folder: Path) -> bytes:
    """The block in a signature by Debian's OpenSSL: plain RSA, no padding taken off."""
    numbers = rsa.RSAPublicNumbers(key.exponent, key.modulus)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = numbers.public_key().public_bytes(serialization.Encoding.PEM, form)
    (folder / "key.pem").write_bytes(pem)
    command = ["openssl", "pkeyutl", "-verifyrecover", "-pubin", "-inkey", folder / "key.pem"]
    options = ["-pkeyopt", "rsa_padding_mode:none"]
    return subprocess.run(
        [*command, *options], input=signature, capture_output=True, timeout=30, check=True
    ).stdout


@pytest.mark.parametrize("name", ["debit", "credit", "quick", "phone", "contact-only"])
def test_openssl_opens_the_chain_with_the_same_blocks(
    known: dict[tuple[str, str], oda.PublicKey], name: str, tmp_path: Path
) -> None:
    """Keys of 1024 to 1984 bits and both exponents; hashes are taken anew."""
    application = cards.load(name).applications[0]
    held = oda.chain(known, RID, read(application), application.aip, MONTH)
    found = held.elements
    last = found["9F46"] if held.card else found["93"]
    own = found.get("9F48", b"") + found.get("9F47", b"") + held.static
    for key, signature, kind, extras in (
        (known[RID, application.facts.oda.ca], found["90"], 2,
         found.get("92", b"") + found["9F32"]),
        (held.issuer, last, 4 if held.card else 3, own),
    ):  # fmt: skip
        block = opened(key, signature, tmp_path)
        assert len(block) == key.size and (block[0], block[-1]) == (0x6A, 0xBC)
        assert block[1] == kind
        assert block[-21:-1] == hashlib.sha1(block[1:-21] + extras).digest()
        assert block[1:-21] == oda.recover(key, signature, kind, extras)


def test_changed_data_do_not_verify(known: dict[tuple[str, str], oda.PublicKey]) -> None:
    for name in ("debit", "contact-only"):
        application = cards.load(name).applications[0]
        records = [
            (sfi, protected, record.replace(b"\x03\x30\x12\x31", b"\x03\x40\x12\x31"))
            for sfi, protected, record in read(application)
        ]
        with pytest.raises(oda.NotGenuine, match="hash"):
            held = oda.chain(known, RID, records, application.aip, MONTH)
            oda.signed_static(held.issuer, held.elements["93"], held.static)

"""Certificate chains of lib/emv at every key length and both exponents (Book 2 Annex B2.1, D1).

Made by the deck's authority, verified by `oda.py` (written from Book 2, with Python's own `pow`)
and by lib/emv with pinmac's RSA inside MicroPython: the same keys have to come out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import oda
import pytest
from emv_bench import Bench, Issuer, inserted
from emv_cards import changed

from tools.sim.cards import Card, certificates, keys
from tools.sim.cards.authority import AuthorityKey, authority_keys, check_sum
from tools.sim.cards.keys import RsaKey

RID, INDEX, MONTH = "A000000333", "E0", "2611"
PAN = "6225880000071234"
SAMPLE = [(1024, 3), (1024, 65537), (1152, 3), (1408, 65537), (1984, 3)]
EVERY = [(bits, exponent) for bits in range(1024, 1985, 8) for exponent in (3, 65537)]


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One interpreter for all of this file's sessions."""
    bench = Bench()
    yield bench
    bench.close()


def entry(pair: RsaKey) -> dict[str, str]:
    """The authority's public key as a terminal learns it."""
    return {
        "rid": RID, "index": INDEX, "modulus": pair.modulus_bytes.hex(),
        "exponent": pair.exponent_bytes.hex(), "expiry": "311231",
        "sha1": check_sum(RID, INDEX, pair).hex().upper(),
    }  # fmt: skip


def chain(bits: int, exponent: int, monkeypatch: pytest.MonkeyPatch) -> tuple[Card, RsaKey]:
    """A DDA card whose authority, issuer and chip have keys of `bits`, less where records end."""
    # The issuer's certificate is as long as the authority's key; a record has room for 247 bytes.
    top = keys.key("chain-a", bits, exponent)
    known = authority_keys()
    monkeypatch.setitem(known, INDEX, AuthorityKey(RID, INDEX, bits, exponent, "311231"))
    own = AuthorityKey.pair.fget
    pair = property(lambda self: top if self.index == INDEX else own(self))
    monkeypatch.setattr(AuthorityKey, "pair", pair)
    lower = min(bits, 1976)
    shape = {"ca": INDEX, "issuer": lower, "card": lower, "exponent": exponent}
    return changed("debit", shape, cardholder=f"CHAIN {bits} {exponent}"), top


def judged(bench: Bench, bits: int, exponent: int, monkeypatch: pytest.MonkeyPatch) -> None:
    card, top = chain(bits, exponent, monkeypatch)
    result = bench.run({"ca": [entry(top)]}, inserted(card), Issuer(card))
    assert (result["oda"], result["fault"]) == ("DDA", ""), (bits, exponent)
    assert result["tvr"] == "0000048000" and result["decision"] == "approved"
    own = sorted(card.applications[0].records.items())
    records = [(place[0], place == (2, 1), data) for place, data in own]
    known = {(RID, INDEX): oda.PublicKey(top.modulus, exponent, top.size)}
    held = oda.chain(known, RID, records, card.applications[0].aip, MONTH)
    assert held.card is not None and held.issuer.size == held.card.size == min(bits, 1976) // 8
    recovered = result["keys"]
    assert recovered["issuer"] == f"{held.issuer.modulus:X}", (bits, exponent)
    assert recovered["card"] == f"{held.card.modulus:X}", (bits, exponent)


@pytest.mark.parametrize(("bits", "exponent"), SAMPLE)
def test_chains_of_a_few_lengths(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, bits: int, exponent: int
) -> None:
    judged(bench, bits, exponent, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize(("bits", "exponent"), EVERY)
def test_chains_of_every_length(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, bits: int, exponent: int
) -> None:
    judged(bench, bits, exponent, monkeypatch)


# ---- one certificate by itself: every length below one authority, and every byte of it


def unit(bench: Bench, top: RsaKey, tags: dict[str, bytes]) -> dict[str, Any]:
    """Recover an issuer's key from elements alone."""
    wish = {"interface": "issuer", "ca": [entry(top)], "pan": PAN,
            "elements": {tag: value.hex() for tag, value in tags.items() if value}}  # fmt: skip
    return bench.run(wish, lambda _: b"")


def issued(top: RsaKey, bits: int, exponent: int) -> tuple[RsaKey, dict[str, bytes]]:
    """An issuer's key and what a card says of it."""
    pair = keys.key("chain-b", bits, exponent)
    made = certificates.issuer_certificate(top, pair, PAN, "3012", b"\x00\x00\x01")
    index = bytes.fromhex(INDEX)
    return pair, {"8F": index, "90": made.signed, "92": made.remainder, "9F32": made.exponent}


@pytest.mark.parametrize(("bits", "exponent"), [(1024, 3), (1120, 3), (1128, 3), (1408, 3)])
def test_keys_that_fit_and_keys_with_a_remainder(bench: Bench, bits: int, exponent: int) -> None:
    top = keys.key("ca-F3", 1408, 3)
    pair, tags = issued(top, bits, exponent)
    assert bool(tags["92"]) == (bits > 1408 - 36 * 8)
    found = unit(bench, top, tags)
    assert found["fault"] == "" and found["issuer"] == pair.modulus_bytes.hex().upper()


def test_any_spoiled_byte_of_a_certificate_is_refused(bench: Bench) -> None:
    _every_byte(bench, range(0, 176, 11), (0x01, 0x80))


@pytest.mark.long
def test_every_spoiled_byte_of_a_certificate_is_refused(bench: Bench) -> None:
    _every_byte(bench, range(176), (0x01, 0x02, 0x10, 0x80, 0xFF))


def _every_byte(bench: Bench, places: range, masks: tuple[int, ...]) -> None:
    """Spoil the certificate, and what stands in it: a genuine signature over a wrong field."""
    top = keys.key("ca-F3", 1408, 3)
    _, tags = issued(top, 1408, 3)
    block = oda_block(top, tags["90"])
    for at in places:
        for mask in masks:
            spoiled = tags["90"][:at] + bytes((tags["90"][at] ^ mask,)) + tags["90"][at + 1 :]
            assert unit(bench, top, {**tags, "90": spoiled})["fault"], (at, mask)
            inner = block[:at] + bytes((block[at] ^ mask,)) + block[at + 1 :]
            if inner[0] < 0x80:
                signed = top.private(inner)
                assert unit(bench, top, {**tags, "90": signed})["fault"], (at, mask, "inside")


def oda_block(top: RsaKey, signed: bytes) -> bytes:
    """What a signature holds."""
    number = pow(int.from_bytes(signed, "big"), top.exponent, top.modulus)
    return number.to_bytes(top.size, "big")


def signed_again(top: RsaKey, tags: dict[str, bytes], at: int, value: bytes) -> dict[str, bytes]:
    """The authority's genuine signature over a certificate with another field."""
    block = bytearray(oda_block(top, tags["90"]))
    block[at : at + len(value)] = value
    block[-21:-1] = hashlib.sha1(bytes(block[1:-21]) + tags["92"] + tags["9F32"]).digest()
    return {**tags, "90": top.private(bytes(block))}


@pytest.mark.parametrize(
    ("at", "value", "fault"),
    [
        (1, b"\x04", "format"), (2, b"\x62\x25\x89", "another issuer's"),
        (2, b"\x12\x3f", "another issuer's"), (6, b"\x10\x26", "expired"),
        (6, b"\x13\x30", "no date"), (11, b"\x02", "algorithm"), (12, b"\x03", "algorithm"),
        (13, b"\xb1", "another length"), (13, b"\x20", "another length"),
        (14, b"\x03", "exponent"),
    ],
)  # fmt: skip
def test_each_field_of_a_genuine_certificate_is_checked(
    bench: Bench, at: int, value: bytes, fault: str
) -> None:
    """The hash fits: only the field is wrong."""
    top = keys.key("ca-F3", 1408, 3)
    _, tags = issued(top, 1408, 3)
    found = unit(bench, top, signed_again(top, tags, at, value))
    assert fault in found["fault"], found


def test_an_issuer_known_by_three_digits_is_enough(bench: Bench) -> None:
    top = keys.key("ca-F3", 1408, 3)
    pair, tags = issued(top, 1408, 3)
    found = unit(bench, top, signed_again(top, tags, 2, b"\x62\x2f\xff\xff"))
    assert found["fault"] == "" and found["issuer"] == pair.modulus_bytes.hex().upper()

"""Offline data authentication of lib/emv on the deck's cards: SDA, DDA, CDA, fDDA, spoilings.

What the cards sign was judged by `oda.py`, written from Book 2 (test_cards_dynamic.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emv_bench import Bench, Issuer, inserted, over_t0, tapped
from emv_cards import CA_KEYS, changed, element, flipped, rewrite, tampered
from pyemv import tlv

from tools.sim import cards
from tools.sim.cards import Card, ber, certificates, credentials, files

FAILED = {"SDA": 0x40, "DDA": 0x08, "CDA": 0x04}
CERTIFIED = {
    "contact-only": ("8F", "90", "92", "9F32", "93", "9F4A"),
    "debit": ("8F", "90", "92", "9F32", "9F46", "9F48", "9F47", "9F49", "9F4A"),
    "credit": ("8F", "90", "9F32", "9F46", "9F48", "9F47", "9F4A"),
}
STATIC = ("5F25", "9F07", "8E", "9F0D", "9F0E", "9F0F", "5F28")


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One interpreter for all of this file's sessions."""
    bench = Bench()
    yield bench
    bench.close()


def sale(bench: Bench, card: Card, **wish: Any) -> dict[str, Any]:
    """A contact sale with the test authority's keys in the terminal."""
    return bench.run({"ca": CA_KEYS, "pins": ["1234"], **wish}, inserted(card), Issuer(card))


def first_byte(result: dict[str, Any]) -> int:
    """The TVR's first byte: all that offline data authentication marks."""
    return bytes.fromhex(result["tvr"])[0]


# ---- what is right


@pytest.mark.parametrize(
    ("name", "method", "marks", "extra"),
    [
        ("debit", "DDA", 0x00, "9F4C"), ("contact-only", "SDA", 0x02, "9F45"),
        ("credit", "CDA", 0x00, "9F4C"), ("offline-pin", "CDA", 0x00, "9F4C"),
        ("prepaid", "DDA", 0x00, "9F4C"), ("quick", "DDA", 0x00, "9F4C"),
        ("multi", "DDA", 0x00, "9F4C"), ("slow", "DDA", 0x00, "9F4C"),
    ],
)  # fmt: skip
def test_a_genuine_card_is_authenticated(
    bench: Bench, name: str, method: str, marks: int, extra: str
) -> None:
    result = sale(bench, cards.load(name))
    assert (result["oda"], result["fault"]) == (method, "")
    assert first_byte(result) == marks and result["tsi"].startswith(("f", "e"))
    assert result["decision"] == "approved" and not result["left"]
    assert extra in result["tags"] and "9F22" in result["tags"]


def test_t0_and_t1_authenticate_alike(bench: Bench) -> None:
    for name in ("debit", "credit", "contact-only"):
        plain, short = cards.load(name), cards.load(name)
        first = sale(bench, plain)
        wish = {"ca": CA_KEYS}
        second = bench.run(wish, over_t0(inserted(short)), Issuer(short))
        for what in ("tvr", "tsi", "oda", "decision", "tags"):
            assert first[what] == second[what], (name, what)


def test_both_cryptograms_of_cda_are_asked_for_and_proven(bench: Bench) -> None:
    card = cards.load("credit")
    result = sale(bench, card)
    asked = [command[:8] for command, _ in result["apdus"] if command.startswith("80ae")]
    assert asked == ["80ae9000", "80ae5000"]
    answers = [tlv.decode(bytes.fromhex(said[:-4]))["77"] for command, said in result["apdus"]
               if command.startswith("80ae")]  # fmt: skip
    assert all("9F4B" in found and "9F26" not in found for found in answers)
    own = card.applications[0]
    assert result["receipt"]["arqc"] == own.first_cryptogram.hex().upper()
    values = {tag: bytes.fromhex(value) for tag, value in result["tags"].items()}
    assert own.cryptogram(values) == values["9F26"], "the TC is the one in the signature"


def flat(figures: list[int]) -> bool:
    """At most 16 KB while a session runs, and what one leaves behind the next does not find.

    A collector that takes any word on the stack for a pointer keeps a little more now and then:
    the least of a few sessions is what they need.
    """
    half = len(figures) // 2
    return max(figures) <= 16 * 1024 and min(figures[half:]) <= min(figures[:half]) + 128


def test_the_heap_of_a_transaction_is_small_and_comes_back(bench: Bench) -> None:
    for name in ("debit", "credit", "offline-pin"):
        figures = [sale(bench, cards.load(name), meter=True)["live"] for _ in range(12)]
        assert flat(figures), (name, figures)


# ---- what is missing or unknown


@pytest.mark.parametrize(
    ("name", "tag"),
    [
        ("contact-only", "8F"), ("contact-only", "90"), ("contact-only", "9F32"),
        ("contact-only", "93"), ("debit", "8F"), ("debit", "90"), ("debit", "9F32"),
        ("debit", "9F46"), ("debit", "9F47"), ("credit", "90"), ("credit", "9F46"),
    ],
)  # fmt: skip
def test_missing_data_are_told_from_wrong_ones(bench: Bench, name: str, tag: str) -> None:
    result = sale(bench, rewrite(cards.load(name), tag, None))
    selected = 0x02 if result["oda"] == "SDA" else 0
    assert first_byte(result) == 0x20 | FAILED[result["oda"]] | selected
    assert result["fault"] == f"the card has no {tag}"
    assert bytes.fromhex(result["tsi"])[0] & 0x80


def test_missing_remainders_fail(bench: Bench) -> None:
    for name, tag in (("contact-only", "92"), ("debit", "92"), ("debit", "9F48")):
        result = sale(bench, rewrite(cards.load(name), tag, None))
        assert first_byte(result) & 0x7C == FAILED[result["oda"]], (name, tag)


def test_a_terminal_without_the_authority_s_key_cannot_prove_anything(bench: Bench) -> None:
    for name in ("contact-only", "debit", "credit"):
        used = element(cards.load(name), "8F").hex().upper()
        others = [each for each in CA_KEYS if each["index"] != used]
        result = sale(bench, cards.load(name), ca=others)
        assert first_byte(result) & 0x7C == FAILED[result["oda"]]
        assert result["fault"] == f"this terminal has no CA key A000000333 {used}"


def test_an_authority_s_key_ends_on_its_day(bench: Bench) -> None:
    days = {"301231": "", "310101": "the CA key A000000333 F3 has expired"}
    keys = [each | {"expiry": "301231"} for each in CA_KEYS]
    for day, fault in days.items():
        card = changed("debit", {"until": "4912"}, expiry="4912")
        assert sale(bench, card, ca=keys, date=day)["fault"] == fault


def test_certificates_end_with_their_month(bench: Bench) -> None:
    for name in ("contact-only", "debit", "credit"):
        for day, failed in (("291231", False), ("300101", True)):
            card = changed(name, {"until": "2912"}, expiry="4912")
            result = sale(bench, card, date=day)
            assert bool(first_byte(result) & FAILED[result["oda"]]) == failed
            assert ("expired" in result["fault"]) == failed


def test_a_revoked_certificate_is_refused(bench: Bench) -> None:
    listed = {"issuer": "A000000333F3000001", "card": "A000000333F3000101"}
    for serial in listed.values():
        result = sale(bench, cards.load("debit"), revoked=["00" * 9, serial])
        assert (first_byte(result), result["fault"]) == (0x08, "a certificate has been revoked")
    assert not sale(bench, cards.load("debit"), revoked=["A000000333F3000002"])["fault"]


# ---- what is wrong


def test_another_card_s_certificates_prove_nothing(bench: Bench) -> None:
    own, other = cards.load("debit"), cards.load("slow")
    for tag in ("9F46", "9F48"):
        rewrite(own, tag, element(other, tag))
    assert first_byte(sale(bench, own)) == 0x08
    assert element(own, "90") == element(other, "90"), "they have one issuer"


def test_an_issuer_s_certificate_is_for_its_own_cards(bench: Bench) -> None:
    card = cards.load("debit")
    record = card.applications[0].records
    for place, data in record.items():
        record[place] = data.replace(bytes.fromhex("6225880000071234"),
                                     bytes.fromhex("6225780000071234"))  # fmt: skip
    result = bench.run({"ca": CA_KEYS}, inserted(card))
    assert (first_byte(result), result["fault"]) == (
        0x08, "the issuer's certificate is another issuer's",
    )  # fmt: skip


@pytest.mark.parametrize("name", ["contact-only", "debit", "credit"])
def test_each_element_and_each_static_one_is_protected(bench: Bench, name: str) -> None:
    """One spoiled bit at the beginning, in the middle and at the end of everything certified."""
    for tag in CERTIFIED[name] + STATIC:
        value = element(cards.load(name), tag) if tag in elements(name) else b""
        for at in sorted({0, len(value) // 2, len(value) - 1} if value else ()):
            _spoiled(bench, name, tag, flipped(value, at))


@pytest.mark.long
@pytest.mark.parametrize("name", ["contact-only", "debit", "credit"])
def test_every_byte_and_bit_is_protected(bench: Bench, name: str) -> None:
    for tag in CERTIFIED[name] + STATIC:
        value = element(cards.load(name), tag) if tag in elements(name) else b""
        for at in range(len(value)):
            for bit in range(8):
                _spoiled(bench, name, tag, flipped(value, at, 1 << bit))


def elements(name: str) -> set[str]:
    """Every element of the card's records."""
    return {tag for data in cards.load(name).applications[0].records.values()
            for tag in tlv.decode(data)["70"]}  # fmt: skip


def _spoiled(bench: Bench, name: str, tag: str, value: bytes) -> None:
    result = sale(bench, rewrite(cards.load(name), tag, value))
    if "error" in result:
        # A CVM list or a date that cannot be ends the transaction before or after it, and so does
        # the card itself when the list asks for more than it signs.
        assert result["error"] == "CardDataError" and tag in STATIC or tag == "9F49", (tag, result)
        return
    assert first_byte(result) & FAILED[result["oda"]], (tag, value.hex(), result["tvr"])
    assert first_byte(result) & 0x7C == FAILED[result["oda"]], (tag, value.hex())


def test_the_profile_is_protected_by_9f4a(bench: Bench) -> None:
    card = cards.load("contact-only")
    answer = tampered(inserted(card), 0xA8, lambda said: flipped(said, 3))
    result = bench.run({"ca": CA_KEYS}, answer, Issuer(card))
    assert first_byte(result) == 0x42


def test_a_tag_list_with_more_than_the_profile_fails(bench: Bench) -> None:
    for value in (b"\x82\x82", b"\x5a", b"\x82\x5a"):
        for name, marks in (("contact-only", 0x42), ("debit", 0x08), ("credit", 0x04)):
            result = sale(bench, rewrite(cards.load(name), "9F4A", value))
            assert (first_byte(result), result["fault"]) == (marks, "9F4A names more than the AIP")


# ---- static data by file number


class Elsewhere:
    """A card whose protected record stands in another file, signed with or without its template.

    `more` are AFL entries behind those that the card would send.
    """

    def __init__(self, name: str, sfi: int, whole: bool) -> None:
        self.card = cards.load(name)
        application = self.card.applications[0]
        self.records = application.records
        record = self.records.pop((2, 1))
        inner = record[2:] if record[1] < 0x80 else record[3:]
        held = credentials.issue(application.facts, (record if whole else inner) + application.aip)
        self.records.update(dict(held.records))
        self.records[sfi, 1] = record
        application.credentials = held
        self.usual = files.file_locator(application.facts, held)
        moved = bytes((0x08, 1, 1, 0, sfi << 3, 1, 1, 1, 0x10, 2, 2, 0))
        self.locator = moved + held.file_locator

    def sold(self, bench: Bench, more: bytes = b"") -> dict[str, Any]:
        profile = self.card.applications[0].aip
        old = ber.tlv("80", profile, self.usual)
        new = ber.tlv("80", profile, self.locator + more)
        answer = tampered(inserted(self.card), 0xA8, lambda said: said.replace(old, new))
        return bench.run({"ca": CA_KEYS}, answer, Issuer(self.card))


@pytest.mark.parametrize(("sfi", "whole"), [(10, False), (11, True), (30, True)])
def test_files_to_ten_count_without_their_template_and_others_whole(
    bench: Bench, sfi: int, whole: bool
) -> None:
    for name, marks in (("contact-only", 0x40), ("debit", 0x08)):
        for right in (True, False):
            result = Elsewhere(name, sfi, whole if right else not whole).sold(bench)
            assert bool(first_byte(result) & marks) != right, (name, sfi, right)


def test_a_signed_record_without_template_fails_above_file_ten(bench: Bench) -> None:
    moved = Elsewhere("debit", 11, True)
    for data in (b"\x99\x01\x00", b""):
        moved.records[12, 1] = data
        result = moved.sold(bench, bytes((12 << 3, 1, 1, 1)))
        fault = "a record to be authenticated is no template 70"
        assert (first_byte(result), result["fault"]) == (0x08, fault)
        assert first_byte(moved.sold(bench, bytes((12 << 3, 1, 1, 0)))) == 0x00, "unsigned it may"


# ---- DDA


def test_the_default_ddol_serves_and_has_to_ask_for_the_number(bench: Bench) -> None:
    for ddol, marks in (("9F3704", 0x00), ("", 0x08), ("9A03", 0x08), ("9F37", 0x08)):
        card = rewrite(cards.load("debit"), "9F49", None)
        result = sale(bench, card, application={"ddol": ddol})
        assert first_byte(result) == marks, ddol
        card = rewrite(cards.load("debit"), "9F49", bytes.fromhex(ddol) or None)
        result = sale(bench, card)
        assert first_byte(result) == (marks if ddol else 0x00), ddol


def test_a_refused_internal_authenticate_ends_the_transaction(bench: Bench) -> None:
    card = cards.load("debit")
    answer = tampered(inserted(card), 0x88, lambda _: b"\x69\x85")
    result = bench.run({"ca": CA_KEYS}, answer, Issuer(card))
    assert result["error"] == "CardStatusError" and "6985" in result["words"]
    for said in (b"\x90\x00", b"\x80\x00\x90\x00", b"\x77\x02\x82\x00\x90\x00"):
        answer = tampered(inserted(cards.load("debit")), 0x88, lambda _, said=said: said)
        result = bench.run({"ca": CA_KEYS}, answer, Issuer(card))
        assert result["error"] == "CardDataError", said.hex()


def test_every_part_of_a_dynamic_signature_counts(bench: Bench) -> None:
    for at in (3, 70, 145):
        card = cards.load("debit")
        answer = tampered(inserted(card), 0x88, lambda said, at=at: flipped(said, at))
        result = bench.run({"ca": CA_KEYS}, answer, Issuer(card))
        assert first_byte(result) == 0x08 and result["decision"] == "approved", at


def test_yesterday_s_signature_is_refused(bench: Bench) -> None:
    card = cards.load("debit")
    first = sale(bench, card)
    said = next(said for command, said in first["apdus"] if command.startswith("0088"))
    again = cards.load("debit")
    answer = tampered(inserted(again), 0x88, lambda _: bytes.fromhex(said))
    result = bench.run({"ca": CA_KEYS, "seed": 77}, answer, Issuer(again))
    assert (first_byte(result), result["fault"]) == (0x08, "a signature is for other data")


# ---- CDA


def replies(card: Card, at: int, change: Any) -> Any:
    """The card, its answer to the `at`-th GENERATE AC changed."""
    count = 0

    def change_one(said: bytes) -> bytes:
        nonlocal count
        count += 1
        return change(said) if count == at else said

    return tampered(inserted(card), 0xAE, change_one)


def unsigned(said: bytes) -> bytes:
    """The answer without its 9F4B."""
    found = dict(tlv.decode(said[:-2])["77"])
    del found["9F4B"]
    return ber.tlv("77", *(ber.tlv(tag, value) for tag, value in found.items())) + b"\x90\x00"


def other_data(said: bytes) -> bytes:
    """The answer with another 9F10 around a genuine signature."""
    found = dict(tlv.decode(said[:-2])["77"])
    found["9F10"] = flipped(found["9F10"], 5)
    return ber.tlv("77", *(ber.tlv(tag, value) for tag, value in found.items())) + b"\x90\x00"


def certificate_claimed(said: bytes) -> bytes:
    """The answer with TC where the signature says ARQC."""
    return said.replace(bytes.fromhex("9F270180"), bytes.fromhex("9F270140"))


SPOILINGS = {
    "no signature": unsigned, "other data": other_data,
    "a spoiled signature": lambda said: flipped(said, 60),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILINGS)
def test_an_arqc_without_proof_is_ended_with_a_decline(bench: Bench, how: str) -> None:
    card = cards.load("credit")
    answer = replies(card, 1, SPOILINGS[how])
    result = bench.run({"ca": CA_KEYS}, answer, Issuer(card))
    assert (result["first"], result["decision"], result["code"]) == ("declined",) * 2 + ("Z1",)
    assert first_byte(result) == 0x04 and result["tsi"] == "e800"
    asked = [command[:8] for command, _ in result["apdus"] if command.startswith("80ae")]
    assert asked == ["80ae9000", "80ae0000"]


def test_a_certificate_without_proof_is_a_decline_and_no_second_question(bench: Bench) -> None:
    wish = {"ca": CA_KEYS, "application": {"floor_limit": 100_000}, "amount": 100}
    for how, spoil in SPOILINGS.items():
        card = changed("credit", offline_limit=200)
        assert bench.run(wish, inserted(card))["decision"] == "approved"
        card = changed("credit", offline_limit=200)
        result = bench.run(wish, replies(card, 1, spoil))
        assert (result["decision"], result["code"]) == ("declined", "Z1"), how
        asked = [command[:8] for command, _ in result["apdus"] if command.startswith("80ae")]
        assert asked == ["80ae5000"] and first_byte(result) == 0x04


def test_a_certificate_claimed_around_an_arqc_is_no_approval(bench: Bench) -> None:
    wish = {"ca": CA_KEYS, "application": {"floor_limit": 100_000}, "amount": 100}
    card = cards.load("credit")
    result = bench.run(wish, replies(card, 1, certificate_claimed), Issuer(card))
    assert result["decision"] == "declined" and first_byte(result) == 0x04
    assert result["fault"] == "the card's signature holds another 9F27"


@pytest.mark.parametrize("how", SPOILINGS)
def test_the_second_certificate_has_to_be_proven_too(bench: Bench, how: str) -> None:
    card = cards.load("credit")
    result = bench.run({"ca": CA_KEYS}, replies(card, 2, SPOILINGS[how]), Issuer(card))
    assert (result["first"], result["decision"]) == ("online", "declined")
    assert result["reversal"] == "06" and first_byte(result) == 0x04


def test_a_decline_asks_for_no_signature_and_tells_the_card(bench: Bench) -> None:
    """CDOL1's TVR says that CDA was not performed; the usage control makes it a decline."""
    result = sale(bench, changed("credit", usage_control="FE00"))
    command = next(sent for sent, _ in result["apdus"] if sent.startswith("80ae"))
    assert command[4:6] == "00" and "8010008000" in command and not result["fault"]
    assert (result["decision"], first_byte(result), result["oda"]) == ("declined", 0x80, "CDA")


def test_a_card_that_declines_signs_nothing(bench: Bench) -> None:
    card = changed("credit")
    card.applications[0].declines = True
    result = sale(bench, card)
    assert (result["decision"], first_byte(result), result["oda"]) == ("declined", 0x00, "CDA")


def test_without_the_number_in_cdol1_cda_is_not_even_asked_for(bench: Bench) -> None:
    card = cards.load("credit")
    rewrite(card, "8C", element(card, "8C").replace(bytes.fromhex("9F3704"), b"\x9f\x4c\x04"))
    result = sale(bench, card)
    asked = [command[:8] for command, _ in result["apdus"] if command.startswith("80ae")]
    assert asked[0] == "80ae8000" and first_byte(result) == 0x04


# ---- fDDA

OFFLINE = {"interface": "contactless", "ca": CA_KEYS, "application": {"contactless_floor": 50_000}}


def tap(bench: Bench, card: Card, change: Any = None, **wish: Any) -> dict[str, Any]:
    answer = tapped(card) if change is None else tampered(tapped(card), 0xA8, change)
    return bench.run({**OFFLINE, **wish}, answer)


def test_a_tap_is_approved_offline_on_its_proof(bench: Bench) -> None:
    result = tap(bench, cards.load("quick"))
    assert (result["outcome"], result["verify"], result["fault"]) == ("approved", "none", "")
    assert result["tvr"] == "0000000000" and not result["left"]
    assert tap(bench, cards.load("quick"), amount=20_001)["outcome"] == "online"


def test_a_tap_s_heap_is_small_and_comes_back(bench: Bench) -> None:
    figures = [tap(bench, cards.load("quick"), meter=True)["live"] for _ in range(12)]
    assert flat(figures), figures


def test_a_tap_without_keys_or_above_the_floor_is_not(bench: Bench) -> None:
    assert tap(bench, cards.load("quick"), ca=[])["outcome"] == "declined"
    result = tap(bench, cards.load("quick"), application={"contactless_floor": 1000})
    assert result["outcome"] == "online" and "9F4B" not in result["tags"]


@pytest.mark.parametrize(
    ("unproven", "outcome"),
    [("online", "online"), ("contact", "try_another_interface"), ("decline", "declined")],
)
def test_the_card_says_what_becomes_of_an_unproven_tap(
    bench: Bench, unproven: str, outcome: str
) -> None:
    result = tap(bench, changed("quick", {"wrong": True}, unproven=unproven))
    assert result["outcome"] == outcome and result["fault"]
    assert tap(bench, changed("quick", unproven=unproven))["outcome"] == "approved"


def test_bad_oda_goes_to_the_contacts(bench: Bench) -> None:
    card = changed("bad-oda", contactless="limit")
    assert tap(bench, card)["outcome"] == "try_another_interface"
    # With its own file's online PIN it goes online whatever it signed.
    assert tap(bench, cards.load("bad-oda"))["outcome"] == "online"


def test_every_part_of_a_tap_s_proof_counts(bench: Bench) -> None:
    for tag in ("9F4B", "9F69", "82"):
        def spoil(said: bytes, tag: str = tag) -> bytes:
            value = tlv.decode(said[:-2])["77"][tag]
            return said.replace(value, flipped(value, len(value) // 2))

        result = tap(bench, cards.load("quick"), spoil)
        assert result["outcome"] in ("declined", "end"), tag
        assert result["outcome"] == "declined" or tag == "82"


@pytest.mark.parametrize("kind", [0x95, 0x05])
def test_a_tap_s_signature_has_its_own_format_or_that_of_the_contacts(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    monkeypatch.setattr(certificates, "FAST", kind)
    result = tap(bench, cards.load("quick"))
    assert (result["outcome"], result["fault"]) == ("approved", "")


@pytest.mark.parametrize("kind", [0x03, 0x04, 0x15])
def test_a_signature_of_another_format_is_no_proof(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, kind: int
) -> None:
    monkeypatch.setattr(certificates, "FAST", kind)
    result = tap(bench, cards.load("quick"))
    assert (result["outcome"], result["fault"]) == (
        "declined", "a signature is of another format",
    )  # fmt: skip


def test_another_version_of_fdda_is_no_proof(bench: Bench) -> None:
    def older(said: bytes) -> bytes:
        return said.replace(bytes.fromhex("9F690701"), bytes.fromhex("9F690700"))

    result = tap(bench, cards.load("quick"), older)
    assert result["outcome"] == "declined" and "version" in result["fault"]


def test_a_tap_past_its_date_or_on_the_hot_list_is_not_approved(bench: Bench) -> None:
    card = changed("quick", expiry="2610")
    assert tap(bench, card)["outcome"] == "declined"
    listed = tap(bench, cards.load("quick"), exceptions=["6225880000080029"])
    assert (listed["outcome"], listed["words"]) == (
        "declined", "the card is on the exception file",
    )  # fmt: skip

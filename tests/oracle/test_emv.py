"""lib/emv in MicroPython against the deck's cards in CPython, with pyemv as the issuer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emv_bench import Bench, Issuer, elements, inserted, over_t0, tapped

from tools.sim import cards
from tools.sim.cards import ber

KNOWN = {
    "ApplicationBlocked",
    "CardBlocked",
    "CardDataError",
    "CardRemoved",
    "CardSilent",
    "CardStatusError",
    "ConditionsNotSatisfied",
    "NoApplication",
    "SelectionCancelled",
}
OUTCOMES = {
    "declined",
    "online",
    "try_another_interface",
    "present_again",
    "see_phone",
    "end",
}


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One interpreter for all of this file's sessions."""
    bench = Bench()
    yield bench
    bench.close()


def sale(bench: Bench, name: str, **wish: Any) -> tuple[dict[str, Any], Issuer]:
    """A contact sale with a deck card and an issuer that approves."""
    card = cards.load(name)
    issuer = Issuer(card)
    return bench.run(wish, inserted(card), issuer), issuer


def bit(result: dict[str, Any], byte: int, mask: int) -> bool:
    """A bit of the TVR: byte 1-5."""
    return bool(bytes.fromhex(result["tvr"])[byte - 1] & mask)


# ---- contact


def test_debit_is_approved_online_with_a_pin(bench: Bench) -> None:
    result, issuer = sale(bench, "debit")
    assert issuer.genuine, "the ARQC is not pyemv's"
    assert (result["first"], result["decision"], result["code"]) == ("online", "approved", "00")
    assert result["asked"] == ["online_pin"]
    assert result["tags"]["9F34"] == "020300"
    assert result["tvr"] == "8000048000"  # ODA not performed, online PIN, floor limit
    assert result["tsi"] == "7800"  # CVM, card risk, issuer authentication, terminal risk
    assert result["track2"] == ["6225880000071234", "3012", "220", "622588******1234"]
    assert result["psn"] == 1 and result["reversal"] is None


def test_the_second_cryptogram_is_a_certificate_over_what_was_said(bench: Bench) -> None:
    card = cards.load("debit")
    issuer = Issuer(card)
    result = bench.run({}, inserted(card), issuer)
    tags = {tag: bytes.fromhex(value) for tag, value in result["tags"].items()}
    assert tags["9F27"] == b"\x40" and tags["9F10"].hex() == "06011203600000"
    assert card.applications[0].cryptogram(tags) == tags["9F26"]
    assert result["receipt"]["arqc"] == issuer.request["9F26"].hex().upper()


def test_field_55_has_the_protocols_tags_in_its_order(bench: Bench) -> None:
    _, issuer = sale(bench, "debit")
    wanted = "9F26 9F27 9F10 9F37 9F36 95 9A 9C 9F02 5F2A 82 9F1A 9F03 9F33 9F34 9F35 9F1E 84"
    assert list(issuer.request) == wanted.split() + ["9F09", "9F41"]
    assert issuer.request["9F02"].hex() == "000000001234"


def test_credit_is_signed_for_and_authenticates_in_generate_ac(bench: Bench) -> None:
    result, issuer = sale(bench, "credit")
    assert issuer.genuine and result["decision"] == "approved"
    assert result["cvm"] == "signature" and result["tags"]["9F34"] == "1E0300"
    assert not any(command.startswith("0082") for command, _ in result["apdus"])
    assert bytes.fromhex(result["tsi"])[0] & 0x10 == 0


def test_wrong_issuer_cryptogram_is_declined_and_reversed(bench: Bench) -> None:
    for name in ("debit", "credit"):
        card = cards.load(name)
        result = bench.run({}, inserted(card), Issuer(card, spoil=True))
        assert result["decision"] == "declined" and result["reversal"] == "06"
        assert bit(result, 5, 0x40) == (name == "debit")


def test_a_certificate_after_failed_issuer_authentication_is_not_believed(bench: Bench) -> None:
    card = cards.load("debit")
    answer = inserted(card)

    def contradictory(command: bytes) -> bytes:
        said = answer(command)
        return b"\x63\x00" if command[:2] == b"\x00\x82" else said

    result = bench.run({}, contradictory, Issuer(card))
    assert result["tags"]["9F27"] == "40"
    assert (result["decision"], result["reversal"]) == ("declined", "06")


def test_reply_without_issuer_data_is_declined_by_the_card(bench: Bench) -> None:
    result = bench.run({}, inserted(cards.load("debit")), lambda _: {"code": "00", "field55": ""})
    assert (result["decision"], result["reversal"]) == ("declined", "06")


def test_malformed_issuer_data_is_named(bench: Bench) -> None:
    reply = {"code": "00", "field55": "910A0102"}
    result = bench.run({}, inserted(cards.load("debit")), lambda _: reply)
    assert result["error"] == "IssuerDataError"


def test_host_declines(bench: Bench) -> None:
    card = cards.load("debit")
    result = bench.run({}, inserted(card), Issuer(card, "51"))
    assert (result["decision"], result["code"]) == ("declined", "51")
    assert result["reversal"] is None
    assert result["apdus"][-1][0].startswith("80ae00")


def test_no_answer_from_the_host_is_z3(bench: Bench) -> None:
    result = bench.run({}, inserted(cards.load("debit")))
    assert (result["decision"], result["code"]) == ("declined", "Z3")


def test_no_answer_with_lenient_codes_asks_for_y3_and_the_card_decides(bench: Bench) -> None:
    card = cards.load("debit")
    card.applications[0].records[2, 1] = card.applications[0].records[2, 1].replace(
        bytes.fromhex("9F0D05DC4000A800"), bytes.fromhex("9F0D050000000000")
    )
    result = bench.run({"application": {"tac_default": "0000000000"}}, inserted(card))
    assert result["apdus"][-1][0].startswith("80ae40") and "5933" in result["apdus"][-1][0]
    assert (result["decision"], result["code"]) == ("declined", "Z3")


def test_card_that_always_declines(bench: Bench) -> None:
    result, _ = sale(bench, "declines")
    assert (result["first"], result["decision"], result["code"]) == ("declined", "declined", "Z1")


def test_expired_card_is_marked(bench: Bench) -> None:
    result, _ = sale(bench, "expired")
    assert bit(result, 2, 0x40)
    assert not bit(sale(bench, "debit")[0], 2, 0x40)


def test_blocked_application_is_named(bench: Bench) -> None:
    assert sale(bench, "blocked")[0]["error"] == "ApplicationBlocked"


def test_blocked_card_is_named(bench: Bench) -> None:
    card = cards.load("debit")
    card.blocked = True
    assert bench.run({}, inserted(card))["error"] == "CardBlocked"


def test_mute_card_and_pulled_card_pass_through(bench: Bench) -> None:
    assert sale(bench, "mute")[0]["error"] == "CardSilent"
    result, _ = sale(bench, "pulled")
    assert result["error"] == "CardRemoved"
    assert result["apdus"][-1][0].startswith("80ae80")


def test_removal_at_every_apdu_is_a_removal(bench: Bench) -> None:
    whole = len(sale(bench, "debit")[0]["apdus"])
    for at in range(1, whole + 1):
        card = cards.load("debit")
        card.leave_at = at
        result = bench.run({}, inserted(card), Issuer(card))
        assert result["error"] == "CardRemoved" and "decision" not in result
        assert not result["left"]


def test_cardholder_chooses_among_three(bench: Bench) -> None:
    result, issuer = sale(bench, "multi", choice=1)
    assert result["asked"][0] == ["UnionPay Debit", "UnionPay Credit", "UnionPay QuasiCr"]
    assert result["receipt"]["aid"] == "A000000333010102" and issuer.genuine
    assert sale(bench, "multi", choice=None)[0]["error"] == "SelectionCancelled"


def test_a_card_without_a_directory_is_found_by_its_aids(bench: Bench) -> None:
    for name in ("debit", "multi"):
        card = cards.load(name)
        card.facts = card.facts.__class__(**{**vars(card.facts), "directory": False})
        issuer = Issuer(card)
        result = bench.run({}, inserted(card), issuer)
        assert result["decision"] == "approved" and issuer.genuine


def test_offline_pin_falls_back_to_online_pin(bench: Bench) -> None:
    result, _ = sale(bench, "offline-pin")
    assert result["asked"] == ["online_pin"] and result["decision"] == "approved"


def test_bypassed_pin_fails_the_list(bench: Bench) -> None:
    result, _ = sale(bench, "debit", pin="bypassed")
    assert result["cvm"] == "failed" and result["tags"]["9F34"] == "020301"
    assert bit(result, 3, 0x80) and bit(result, 3, 0x08) and not bit(result, 3, 0x04)


def test_broken_pin_pad_is_marked(bench: Bench) -> None:
    assert bit(sale(bench, "debit", pin="fault")[0], 3, 0x10)


def test_scripts_run_and_are_reported(bench: Bench) -> None:
    card = cards.load("script")
    issuer = Issuer(card)
    issuer.scripts = [(str(tag), bytes.fromhex(it)) for tag, it in card.facts.scripts.items()]
    result = bench.run({}, inserted(card), issuer)
    assert result["decision"] == "approved" and bytes.fromhex(result["tsi"])[0] & 0x04
    assert result["tags"]["DF31"] == "20000000712000000072"
    own = card.applications[0]
    assert own.scripts.data == {"9F58": b"\x00\x00\x64", "9F59": b"\x00\x0c\x80"}
    assert own.pin.tries == 3 and own.scripts.count == 3


@pytest.mark.parametrize(("template", "mask"), [("71", 0x20), ("72", 0x10)])
def test_a_script_that_fails_is_marked(bench: Bench, template: str, mask: int) -> None:
    card = cards.load("script")
    issuer = Issuer(card)
    issuer.scripts = [(template, bytes.fromhex("9F1804000000018605FFDA9F5800"))]
    result = bench.run({}, inserted(card), issuer)
    assert result["decision"] == "approved" and bit(result, 5, mask)
    assert result["tags"]["DF31"] == "1100000001"


def test_t0_and_t1_say_the_same(bench: Bench) -> None:
    for name in ("debit", "credit", "multi"):
        first = cards.load(name)
        plain = bench.run({}, inserted(first), Issuer(first))
        second = cards.load(name)
        converted = bench.run({}, over_t0(inserted(second)), Issuer(second))
        assert plain["tags"] == converted["tags"] and converted["decision"] == "approved"
        assert any(answer.startswith("61") for _, answer in converted["apdus"])
        assert any(answer.startswith("6c") for _, answer in converted["apdus"])


def test_velocity_and_new_card(bench: Bench) -> None:
    card = velocity_card()
    result = bench.run({}, inserted(card), Issuer(card))
    assert bit(result, 2, 0x08) and not bit(result, 4, 0x40)  # never online, one transaction
    card.applications[0].atc = 10
    result = bench.run({}, inserted(card), Issuer(card))
    assert bit(result, 4, 0x40) and bit(result, 4, 0x20) and not bit(result, 2, 0x08)


def velocity_card() -> cards.Card:
    """debit with consecutive offline limits of 2 and 4."""
    card = cards.load("debit")
    own = card.applications[0]
    record = own.records[2, 2]
    own.records[2, 2] = ber.tlv("70", record[2:], bytes.fromhex("9F1401029F230104"))
    own.atc = 0
    return card


def test_counter_lives_with_the_card_and_starts_from_its_file(bench: Bench) -> None:
    card = cards.load("debit")
    counters = [
        bench.run({}, inserted(card), Issuer(card))["receipt"]["atc"] for _ in range(3)
    ]
    assert counters == ["0002", "0003", "0004"]
    assert sale(bench, "debit")[0]["receipt"]["atc"] == "0002"


def test_nothing_of_the_card_is_left_after_the_wipe(bench: Bench) -> None:
    assert sale(bench, "debit")[0]["left"] is False


# ---- contactless


def tap(bench: Bench, name: str, **wish: Any) -> dict[str, Any]:
    """A tap with a deck card."""
    return bench.run({"interface": "contactless", **wish}, tapped(cards.load(name)))


def test_debit_tap_asks_for_a_pin_and_its_cryptogram_is_genuine(bench: Bench) -> None:
    card = cards.load("debit")
    result = bench.run({"interface": "contactless"}, tapped(card))
    assert (result["outcome"], result["verify"]) == ("online", "online_pin")
    issuer = Issuer(card)
    issuer({"field55": result["field55"], "text": result["text"]})
    assert issuer.genuine
    assert elements(bytes.fromhex(result["field55"]))["9F27"] == b"\x80"
    assert len(result["apdus"]) == 4


@pytest.mark.parametrize(
    ("name", "amount", "verify"),
    [
        ("quick", 100_000, "none"),
        ("quick", 100_001, "online_pin"),
        ("credit", 100_000, "none"),
        ("credit", 100_001, "signature"),
        ("debit", 1, "online_pin"),
        ("phone", 1_000_000, "device"),
        ("mute", 1234, "online_pin"),
    ],
)
def test_verification_follows_card_and_amount(
    bench: Bench, name: str, amount: int, verify: str
) -> None:
    result = tap(bench, name, amount=amount)
    assert (result["outcome"], result["verify"]) == ("online", verify)


def test_phone_that_is_locked_says_see_phone(bench: Bench) -> None:
    card = cards.load("phone")
    card.verified = False
    assert bench.run({"interface": "contactless"}, tapped(card))["outcome"] == "see_phone"
    card.verified = True
    assert bench.run({"interface": "contactless"}, tapped(card))["outcome"] == "online"


def test_taps_that_go_elsewhere(bench: Bench) -> None:
    assert tap(bench, "declines")["outcome"] == "declined"
    assert tap(bench, "blocked")["outcome"] == "try_another_interface"
    assert tap(bench, "pulled")["outcome"] == "present_again"


def test_amount_above_every_limit_never_reaches_the_card(bench: Bench) -> None:
    result = tap(bench, "debit", application={"contactless_limit": 1234})
    assert result["outcome"] == "try_another_interface" and result["apdus"] == []
    assert tap(bench, "debit", application={"contactless_limit": 1235})["outcome"] == "online"


def test_offline_approval_without_proof_is_not_believed(bench: Bench) -> None:
    card = cards.load("quick")
    answer = tapped(card)

    def approving(command: bytes) -> bytes:
        said = answer(command)
        return said.replace(bytes.fromhex("06011203A00000"), bytes.fromhex("06011203900000"))

    result = bench.run({"interface": "contactless"}, approving)
    assert result["outcome"] == "declined"


# ---- anything a card may say


def blocks(count: int) -> list[Any]:
    """The first of them is quick."""
    return [pytest.param(at, marks=[pytest.mark.long] if at else []) for at in range(count)]


@pytest.mark.parametrize("block", blocks(8))
def test_garbled_contact_cards_end_in_a_defined_outcome(bench: Bench, block: int) -> None:
    damaged = 0
    for seed in range(block * 400, block * 400 + 400):
        card = cards.garbage(seed)
        if not card.contact:
            continue
        issuer = Honest(card)
        result = bench.run({"seed": seed}, inserted(card), issuer)
        damaged += card.damaged
        if "error" in result:
            assert result["error"] in KNOWN, (seed, result)
        assert result.get("first") != "approved", (seed, result)
        if result.get("decision") == "approved":
            assert issuer.genuine, (seed, result)
            assert int(result["tags"]["9F27"], 16) & 0xC0 == 0x40, (seed, result)
        assert not result["left"], seed
    assert damaged > 100


@pytest.mark.parametrize("block", blocks(4))
def test_garbled_taps_end_in_a_defined_outcome(bench: Bench, block: int) -> None:
    damaged = 0
    for seed in range(block * 600, block * 600 + 600):
        card = cards.garbage(seed)
        result = bench.run({"seed": seed, "interface": "contactless"}, tapped(card))
        damaged += card.damaged
        assert result["outcome"] in OUTCOMES, (seed, result)
        assert "6225880000" not in result["words"]
        assert not result["left"], seed
    assert damaged > 100


class Honest(Issuer):
    """Declines what it cannot verify, as a host does."""

    def __call__(self, request: dict[str, str]) -> dict[str, str]:
        try:
            reply = super().__call__(request)
        except (KeyError, StopIteration, ValueError):
            return {"code": "05", "field55": ""}
        return reply if self.genuine else {"code": "05", "field55": ""}

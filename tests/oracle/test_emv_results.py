"""Each bit of TVR and TSI: set by the situation that the book names (Book 3 Annex C5, C6), alone.

Every case starts from a card with whom nothing is wrong (TVR 0000000000) and changes one thing.
Where the book sets two bits for one situation, both are named and no other is set.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from emv_bench import Bench, Issuer, inserted
from emv_cards import CA_KEYS, changed, element, flipped, rewrite

from tools.sim import cards
from tools.sim.cards import Card

NO_LIMITS = "0000000000000000"
BELOW = {"floor_limit": 100_000}
PAN = "6225880000080011"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One interpreter for all of this file's sessions."""
    bench = Bench()
    yield bench
    bench.close()


def plain(**facts: Any) -> Card:
    """CDA, no CVM asked for, nothing to mark."""
    return changed("credit", **{"cvm": NO_LIMITS + "1F00", **facts})


def limited(lower: int, upper: int, atc: int, last: int) -> Card:
    """A card with velocity limits, its counter and its last online one."""
    card = plain(lower_limit=lower, upper_limit=upper)
    card.applications[0].atc, card.applications[0].last_online = atc - 1, last
    return card


def static_spoiled() -> Card:
    card = quiet("contact-only")
    return rewrite(card, "93", flipped(element(card, "93"), 40))


def offline_pin(tries: int) -> Card:
    card = changed("offline-pin", cvm=NO_LIMITS + "44001F00")
    card.applications[0].pin.tries = tries
    return card


def without(card: Card, tag: str) -> Card:
    return rewrite(card, tag, None)


def wrong_key() -> Card:
    return quiet("debit", {"wrong": True})


@dataclass
class Case:
    """marks: TVR bits as byte.bit. wish: what the terminal is told. issuer: changes the host."""

    name: str
    marks: str
    card: Callable[[], Card] = plain
    wish: dict[str, Any] = field(default_factory=dict)
    issuer: Callable[[Issuer], None] | None = None


def spoil_arpc(issuer: Issuer) -> None:
    issuer.spoil = True


def bad_script(template: str) -> Callable[[Issuer], None]:
    def add(issuer: Issuer) -> None:
        issuer.scripts = [(template, bytes.fromhex("9F180400000001860584E2000000"))]

    return add


def pin_or_none() -> Card:
    return plain(cvm=NO_LIMITS + "42001F00")


def authenticating() -> Card:
    """The issuer is authenticated by EXTERNAL AUTHENTICATE."""
    return plain(verify="external", aip="1C00")


def quiet(name: str, oda: dict[str, Any] | None = None) -> Card:
    """Another card of the deck, without a CVM."""
    return changed(name, oda, cvm=NO_LIMITS + "1F00")


CASES = [
    Case("nothing is wrong", ""),
    Case("the terminal has no method", "1.8", wish={"data": {"9F33": "207800"}}),
    Case("the card has no method", "1.8", lambda: quiet("pickup")),
    Case("SDA succeeds", "1.2", lambda: quiet("contact-only")),
    Case("SDA fails", "1.7 1.2", static_spoiled),
    Case("DDA fails", "1.4", wrong_key),
    Case("CDA fails", "1.3", lambda: quiet("credit", {"wrong": True})),
    Case("SDA lacks data", "1.7 1.6 1.2",
         lambda: without(quiet("contact-only"), "93")),
    Case("DDA lacks data", "1.6 1.4", lambda: without(quiet("debit"), "9F46")),
    Case("CDA lacks data", "1.6 1.3", lambda: without(plain(), "9F46")),
    Case("the CVM list is missing", "1.8 1.6",
         lambda: without(changed("pickup"), "8E"), {"data": {"9F33": "2078C8"}}),
    Case("on the exception file", "1.5", wish={"exceptions": [PAN]}),
    Case("versions differ", "2.8", lambda: plain(version="0021")),
    Case("expired", "2.7", lambda: plain(expiry="2610")),
    Case("not yet effective", "2.6", lambda: plain(effective="261124")),
    Case("service not allowed", "2.5",
         lambda: plain(usage_control="FE00", action_denial="0000000000"),
         {"application": {**BELOW, "tac_denial": "0000000000"}}),
    Case("CDA is left undone by a decline", "1.8 2.5", lambda: plain(usage_control="FE00")),
    Case("new card", "2.4", lambda: limited(9, 9, 5, 0)),
    Case("CVM failed", "3.8", lambda: plain(cvm=NO_LIMITS + "0000")),
    Case("CVM unknown", "3.7", lambda: plain(cvm=NO_LIMITS + "47001F00")),
    Case("PIN tries exceeded before", "3.6", lambda: offline_pin(0)),
    Case("PIN tries exceeded now", "3.6", lambda: offline_pin(1), {"pins": ["9999"]}),
    Case("no PIN pad for it", "3.5", lambda: plain(cvm=NO_LIMITS + "41001F00")),
    Case("the PIN pad is broken", "3.5", pin_or_none, {"pin": "fault"}),
    Case("PIN not entered", "3.4", pin_or_none, {"pin": "bypassed"}),
    Case("offline PIN not entered", "3.4", lambda: offline_pin(3), {"pins": [""]}),
    Case("offline PIN right", "", lambda: offline_pin(3), {"pins": ["1234"]}),
    Case("online PIN entered", "3.3", lambda: plain(cvm=NO_LIMITS + "0200")),
    Case("floor limit", "4.8", wish={"application": {"floor_limit": 1234}}),
    Case("below the floor limit", "", wish={"application": {"floor_limit": 1235}}),
    Case("lower limit", "4.7", lambda: limited(2, 9, 7, 4)),
    Case("at the lower limit", "", lambda: limited(3, 9, 7, 4)),
    Case("both limits", "4.7 4.6", lambda: limited(2, 2, 7, 4)),
    Case("upper limit alone", "4.6", lambda: limited(9, 2, 7, 4)),
    Case("counters that contradict", "4.7 4.6", lambda: limited(9, 9, 4, 4)),
    Case("random selection", "4.5", wish={"application": {
         **BELOW, "threshold": 99_999, "target_percent": 99, "max_percent": 99}}),
    Case("the merchant forces it online", "4.4", wish={"forced": True}),
    Case("default TDOL", "5.8", lambda: plain(cdol1="98:20 9F02:6 9F03:6 9F1A:2 95:5 5F2A:2 9A:3 "
                                              "9C:1 9F37:4")),
    Case("issuer authentication failed", "5.7",
         authenticating, issuer=spoil_arpc),
    Case("a script failed before", "5.6", issuer=bad_script("71")),
    Case("a script failed after", "5.5", issuer=bad_script("72")),
]  # fmt: skip


def run(bench: Bench, case: Case) -> dict[str, Any]:
    card = case.card()
    issuer = Issuer(card)
    if case.issuer is not None:
        case.issuer(issuer)
    wish = {"ca": CA_KEYS, "application": BELOW, **case.wish}
    return bench.run(wish, inserted(card), issuer)


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_situation_sets_its_bits_and_no_other(bench: Bench, case: Case) -> None:
    result = run(bench, case)
    found = bytes.fromhex(result["tvr"])
    marks = {f"{byte + 1}.{bit + 1}" for byte in range(5) for bit in range(8)
             if found[byte] >> bit & 1}  # fmt: skip
    assert marks == set(case.marks.split()), result


def test_every_bit_that_the_book_defines_has_its_case() -> None:
    lowest = {1: 2, 2: 4, 3: 3, 4: 4, 5: 5}
    defined = {f"{byte}.{bit}" for byte, low in lowest.items() for bit in range(low, 9)}
    assert {mark for case in CASES for mark in case.marks.split()} == defined


# ---- TSI: what was performed, whatever came of it

ODA, CVM, CARD_RISK, ISSUER, TERMINAL_RISK, SCRIPTS = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04
ALWAYS = ODA | CVM | CARD_RISK | TERMINAL_RISK


def no_terminal_risk() -> Card:
    return plain(aip="1000")


def no_verification() -> Card:
    return plain(aip="0800")


def approved_script(issuer: Issuer) -> None:
    issuer.scripts = [("72", bytes.fromhex("9F180400000001"))]


PERFORMED = [
    (Case("everything but the issuer", "", plain), ALWAYS),
    (Case("authentication failed", "", wrong_key), ALWAYS | ISSUER),
    (Case("no authentication", "", lambda: quiet("pickup")),
     ALWAYS & ~ODA | ISSUER),
    (Case("CDA left undone by a decline", "", lambda: plain(usage_control="FE00")),
     ALWAYS & ~ODA),
    (Case("verification not wanted", "", no_verification), ALWAYS & ~CVM),
    (Case("verification failed", "", lambda: plain(cvm=NO_LIMITS + "0000")), ALWAYS),
    (Case("risk management not wanted", "", no_terminal_risk), ALWAYS & ~TERMINAL_RISK),
    (Case("EXTERNAL AUTHENTICATE", "", authenticating), ALWAYS | ISSUER),
    (Case("it failed", "", authenticating, issuer=spoil_arpc),
     ALWAYS | ISSUER),
    (Case("a script", "", issuer=approved_script), ALWAYS | SCRIPTS),
    (Case("a script failed", "", issuer=bad_script("71")), ALWAYS | SCRIPTS),
]  # fmt: skip


@pytest.mark.parametrize(("case", "wanted"), PERFORMED, ids=[case.name for case, _ in PERFORMED])
def test_tsi_says_what_was_performed(bench: Bench, case: Case, wanted: int) -> None:
    result = run(bench, case)
    assert result["tsi"] == f"{wanted:02x}00", result


def test_card_risk_management_is_said_after_the_first_cryptogram(bench: Bench) -> None:
    card = cards.load("credit")
    card.leave_at = 1 + next(
        number for number, (command, _) in enumerate(run(bench, CASES[0])["apdus"])
        if command.startswith("80ae")
    )  # fmt: skip
    result = bench.run({"ca": CA_KEYS, "application": BELOW}, inserted(card), Issuer(card))
    assert result["error"] == "CardRemoved"
    assert int(result["tsi"][:2], 16) & CARD_RISK == 0

"""The enciphered offline PIN: lib/emv and pinmac against the deck's cards, which decipher it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from emv_bench import Bench, Issuer, inserted, over_t0
from emv_cards import CA_KEYS, changed, element, flipped, rewrite, tampered

from tools.sim import cards
from tools.sim.cards import Card

RULES = "0000000000000000"
RIGHT, WRONG = "1234", "1111"


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One interpreter for all of this file's sessions."""
    bench = Bench()
    yield bench
    bench.close()


def sale(bench: Bench, card: Card, pins: list[str], **wish: Any) -> dict[str, Any]:
    """A contact sale; `pins` are the payer's entries in their order, '' passes over."""
    wish = {"ca": CA_KEYS, "pins": pins, **wish}
    return bench.run(wish, inserted(card), Issuer(card))


def said(result: dict[str, Any]) -> tuple[str, str, int, str]:
    """CVM, 9F34, third byte of the TVR, decision."""
    return (
        result["cvm"], result["tags"]["9F34"], bytes.fromhex(result["tvr"])[2],
        result.get("decision", ""),
    )  # fmt: skip


def test_the_right_pin_at_once(bench: Bench) -> None:
    card = cards.load("offline-pin")
    result = sale(bench, card, [RIGHT])
    assert said(result) == ("offline_pin", "440302", 0x00, "approved")
    assert result["tries"] == [3] and card.applications[0].pin.verified
    sent = next(command for command, _ in result["apdus"] if command.startswith("0020"))
    assert sent.startswith("0020008880") and len(sent) == 2 * (5 + 128)


def test_t0_cards_get_the_pin_alike(bench: Bench) -> None:
    card = cards.load("offline-pin")
    wish = {"ca": CA_KEYS, "pins": [RIGHT]}
    result = bench.run(wish, over_t0(inserted(card)), Issuer(card))
    assert said(result) == ("offline_pin", "440302", 0x00, "approved")


@pytest.mark.parametrize("digits", ["1234", "12345", "123456789", "123456789012"])
def test_pins_of_every_length(bench: Bench, digits: str) -> None:
    card = cards.load("offline-pin")
    card.applications[0].pin.pin = digits
    assert said(sale(bench, card, [digits]))[:2] == ("offline_pin", "440302")


def test_every_try_is_asked_afresh_with_what_is_left(bench: Bench) -> None:
    card = cards.load("offline-pin")
    result = sale(bench, card, [WRONG, WRONG, RIGHT])
    assert said(result) == ("offline_pin", "440302", 0x00, "approved")
    assert result["tries"] == [3, 2, 1] and card.applications[0].pin.tries == 3
    challenges = [answer for command, answer in result["apdus"] if command.startswith("0084")]
    sent = [command for command, _ in result["apdus"] if command.startswith("0020")]
    assert len(set(challenges)) == 3 and len(set(sent)) == 3


def test_the_last_try_wrong_blocks_the_pin_and_the_list_goes_on(bench: Bench) -> None:
    card = cards.load("offline-pin")
    result = sale(bench, card, [WRONG] * 3)
    assert result["asked"] == ["offline_pin"] * 3 + ["online_pin"]
    assert said(result) == ("online_pin", "020300", 0x24, "approved")
    assert card.applications[0].pin.tries == 0


def test_a_blocked_pin_is_not_asked(bench: Bench) -> None:
    card = cards.load("offline-pin")
    card.applications[0].pin.tries = 0
    result = sale(bench, card, [RIGHT])
    assert result["asked"] == ["online_pin"] and result["tries"] == []
    assert said(result) == ("online_pin", "020300", 0x24, "approved")
    assert not any(command.startswith("0020") for command, _ in result["apdus"])


def test_where_the_list_ends_a_blocked_pin_fails_it(bench: Bench) -> None:
    card = changed("offline-pin", cvm=RULES + "0403")
    card.applications[0].pin.tries = 1
    result = sale(bench, card, [WRONG])
    assert said(result)[:3] == ("failed", "040301", 0xA0) and result["tries"] == [1]


@pytest.mark.parametrize("status", ["6983", "6984"])
def test_a_card_that_hides_its_counter_says_so_at_verify(bench: Bench, status: str) -> None:
    card = cards.load("offline-pin")
    answer = inserted(card)

    def hiding(command: bytes) -> bytes:
        if command[:4] == bytes.fromhex("80CA9F17"):
            return b"\x6a\x88"
        return bytes.fromhex(status) if command[1] == 0x20 else answer(command)

    result = bench.run({"ca": CA_KEYS, "pins": [RIGHT]}, hiding, Issuer(card))
    assert result["tries"] == [None] and said(result)[:3] == ("online_pin", "020300", 0x24)


@pytest.mark.parametrize("status", ["6A80", "6700", "6300", "9001"])
def test_any_other_answer_fails_the_method_only(bench: Bench, status: str) -> None:
    card = cards.load("offline-pin")
    answer = inserted(card)

    def refusing(command: bytes) -> bytes:
        return bytes.fromhex(status) if command[1] == 0x20 else answer(command)

    result = bench.run({"ca": CA_KEYS, "pins": [RIGHT]}, refusing, Issuer(card))
    assert result["tries"] == [3] and said(result)[:3] == ("online_pin", "020300", 0x04)


def test_a_card_that_never_counts_down_cannot_ask_for_ever(bench: Bench) -> None:
    card = cards.load("offline-pin")
    answer = inserted(card)

    def endless(command: bytes) -> bytes:
        return b"\x63\xc3" if command[1] == 0x20 else answer(command)

    result = bench.run({"ca": CA_KEYS, "pins": [RIGHT] * 99}, endless, Issuer(card))
    assert len(result["tries"]) == 15 and result["cvm"] == "online_pin"


def test_a_pin_passed_over_is_passed_over_for_the_whole_list(bench: Bench) -> None:
    result = sale(bench, cards.load("offline-pin"), [""])
    assert result["asked"] == ["offline_pin"]
    assert said(result)[:3] == ("failed", "020301", 0x88)
    lenient = RULES + "440342031E03"
    result = sale(bench, changed("offline-pin", cvm=lenient), [""])
    assert result["asked"] == ["offline_pin"]
    assert said(result) == ("signature", "1E0300", 0x08, "approved")
    result = sale(bench, changed("offline-pin", cvm=lenient), [WRONG, ""])
    assert result["tries"] == [3, 2] and said(result)[:3] == ("signature", "1E0300", 0x08)


@pytest.mark.parametrize(("said_", "asked"), [(b"\x6a\x81", 1), (b"\x01" * 7 + b"\x90\x00", 1)])
def test_without_a_challenge_nothing_is_enciphered(
    bench: Bench, said_: bytes, asked: int
) -> None:
    card = cards.load("offline-pin")
    answer = tampered(inserted(card), 0x84, lambda _: said_)
    result = bench.run({"ca": CA_KEYS, "pins": [RIGHT]}, answer, Issuer(card))
    assert len(result["tries"]) == asked and result["cvm"] == "online_pin"
    assert not any(command.startswith("0020") for command, _ in result["apdus"])


def test_removal_while_the_pin_is_open_leaves_none_behind(bench: Bench) -> None:
    whole = [command for command, _ in sale(bench, cards.load("offline-pin"), [RIGHT])["apdus"]]
    for instruction in ("0084", "0020"):
        at = next(n for n, command in enumerate(whole, 1) if command.startswith(instruction))
        card = cards.load("offline-pin")
        card.leave_at = at
        result = sale(bench, card, [RIGHT])
        assert result["error"] == "CardRemoved" and not result["left"]
        assert result["entry"] == 0, "a PIN is still open in pinmac"


# ---- whose key


def test_the_card_s_own_key_serves_where_there_is_none_for_pins(bench: Bench) -> None:
    card = changed("offline-pin", {"pin": 0})
    result = sale(bench, card, [RIGHT])
    assert said(result) == ("offline_pin", "440302", 0x00, "approved")
    sent = next(command for command, _ in result["apdus"] if command.startswith("0020"))
    assert len(sent) == 2 * (5 + 144)


def test_a_card_that_only_dda_s_takes_a_pin_too(bench: Bench) -> None:
    for oda in ({"method": "dda"}, {"method": "dda", "pin": 0}):
        assert sale(bench, changed("offline-pin", oda), [RIGHT])["cvm"] == "offline_pin"


def test_an_uncertified_pin_key_never_gets_a_pin(bench: Bench) -> None:
    for tag in ("9F2D", "9F2E"):
        card = cards.load("offline-pin")
        rewrite(card, tag, flipped(element(card, tag), 0, 0x02))
        result = sale(bench, card, [RIGHT])
        assert result["tries"] == [] and result["cvm"] == "online_pin", tag
    card = rewrite(cards.load("offline-pin"), "9F2E", None)
    assert sale(bench, card, [RIGHT])["tries"] == []
    assert sale(bench, cards.load("offline-pin"), [RIGHT], ca=CA_KEYS[:1])["tries"] == []


def test_a_terminal_that_does_not_promise_it_does_not_ask(bench: Bench) -> None:
    result = sale(bench, cards.load("offline-pin"), [RIGHT], data={"9F33": "2068C8"})
    assert result["asked"] == ["online_pin"] and result["tries"] == []


def test_pin_and_signature_together(bench: Bench) -> None:
    card = changed("offline-pin", cvm=RULES + "450302031E03")
    result = sale(bench, card, [WRONG, RIGHT])
    assert said(result) == ("offline_pin_signature", "450300", 0x00, "approved")
    card = changed("offline-pin", cvm=RULES + "450302031E03")
    assert said(sale(bench, card, [WRONG] * 3))[:3] == ("online_pin", "020300", 0x24)

"""The deck as cards: their state machine, their files, and what outlives a reset."""

from __future__ import annotations

import pytest
from emv_cards import changed
from pyemv import tlv

from tools.sim import cards
from tools.sim.cards import ber
from tools.sim.chips import atr

# SIMULATOR.md, "The deck".
DECK = {
    "bad-oda", "blocked", "contact-only", "credit", "debit", "declines", "expired", "mute",
    "multi", "offline-pin", "phone", "pickup", "prepaid", "pulled", "quick", "script", "slow",
    "two",
}  # fmt: skip
SELECT = "00A4040008A00000033301010100"
OPTIONS = "80A8000002830000"
FIRST = "80AE8000" + "20" + "000000001234" + "000000000000" + "0156" + "0000000000" + "0156"
FIRST += "261123" + "00" + "11223344" + "120000" + "00"


def ask(card: cards.Card, *commands: str) -> list[str]:
    """Status words, in hex."""
    return [card.apdu(bytes.fromhex(command))[-2:].hex().upper() for command in commands]


def test_every_name_of_the_deck_is_a_card() -> None:
    assert set(cards.names()) == DECK
    for name in cards.names():
        card = cards.load(name)
        assert card.name == name and card.facts.purpose["zh"] and card.facts.purpose["en"]
        for application in card.applications:
            assert application.facts.expiry.isdecimal()


def test_card_numbers_are_valid_and_each_is_one_accounts() -> None:
    numbers: dict[str, str] = {}
    for name in cards.names():
        for application in cards.load(name).applications:
            pan = application.facts.pan
            assert numbers.setdefault(pan, name) == name and len(pan) == 16
            if name != "debit":
                assert luhn(pan), name
    assert cards.load("debit").applications[0].facts.pan == "6225880000071234"


def luhn(pan: str) -> bool:
    """ISO 7812-1 Annex B."""
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(pan)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def test_both_protocols_are_there_and_their_resets_are_valid() -> None:
    seen = set()
    for name in cards.names():
        card = cards.load(name)
        if card.atr:
            seen.add(atr.parse(card.atr).protocols)
            if atr.parse(card.atr).protocols == (1,):
                check = 0
                for byte in card.atr[1:]:
                    check ^= byte
                assert check == 0, name
        assert bool(card.uid) == card.contactless
    assert seen == {(0,), (1,)}
    assert cards.load("mute").atr == b"" and cards.load("phone").atr == b""


def test_unknown_names_are_named() -> None:
    with pytest.raises(cards.UnknownCard, match="debit"):
        cards.load("../debit")


def test_commands_out_of_their_order_are_refused() -> None:
    card = cards.load("debit")
    assert ask(card, OPTIONS, FIRST, "00B2011400") == ["6985", "6985", "6985"]
    assert ask(card, SELECT, FIRST, "0082000008" + "00" * 8) == ["9000", "6985", "6985"]
    assert ask(card, OPTIONS, OPTIONS, FIRST) == ["9000", "6985", "9000"]
    authenticate = "008200000A" + "00" * 8 + "3030"
    assert ask(card, authenticate, authenticate) == ["6300", "6985"]
    second = "80AE4000" + "22" + "3030" + FIRST[10:]
    assert ask(card, second, second, FIRST) == ["9000", "6985", "6985"]


def test_issuer_authentication_is_refused_by_a_card_that_does_not_offer_it() -> None:
    """AIP byte 1, bit 3 (Book 3 Annex C1): such a card has its 91 in the second GENERATE AC."""
    card = cards.load("credit")
    select = SELECT.replace("010101", "010102")
    assert ask(card, select, OPTIONS, FIRST) == ["9000", "9000", "9000"]
    assert ask(card, "008200000A" + "00" * 10) == ["6D00"]
    assert card.applications[0].authenticated is None


def test_a_reset_forgets_the_transaction_but_not_the_counter() -> None:
    card = cards.load("debit")
    ask(card, SELECT, OPTIONS)
    card.reset("contact")
    assert ask(card, FIRST) == ["6985"]
    ask(card, SELECT)
    assert card.apdu(bytes.fromhex("80CA9F3600")).hex().upper() == "9F360200029000"
    assert cards.load("debit").applications[0].atc == 1


def test_wrong_commands_have_the_books_answers() -> None:
    card = cards.load("debit")
    ask(card, SELECT)
    assert ask(card, "00A4", "00A404", "F0B2010C00") == ["6700", "6700", "6E00"]
    assert ask(card, "0020008008" + "00" * 8, "00B2010D00") == ["6D00", "6A86"]
    assert ask(card, "00B2090C00", "80CA9F9900", "00A40400020102") == ["6A83", "6A88", "6A82"]
    # A file that has no such record, and no such file (ISO 7816-4 7.3.3).
    assert ask(card, SELECT, "00B2030C00", "00B2012C00") == ["9000", "6A83", "6A82"]
    assert ask(card, SELECT, "80A80000048302000000") == ["9000", "6700"]
    assert ask(card, OPTIONS, "80AE800002000000") == ["9000", "6700"]


def test_values_that_no_terminal_should_send_have_an_answer() -> None:
    """An amount that is no number, and issuer authentication data without a response code."""
    card = cards.load("quick")
    strange = "80AE4000" + "20" + "FFFFFFFFFFFF" + FIRST[22:]
    assert ask(card, SELECT, OPTIONS, strange) == ["9000", "9000", "9000"]
    assert card.applications[0].first == 0x80
    assert ask(card, "0082000008" + "00" * 8) == ["6300"]
    second = "80AE4000" + "22" + "5933" + strange[10:]
    assert ask(card, second) == ["9000"] and card.applications[0].second == 0x00
    card.reset("contactless")
    tap = "80A80000" + "23" + "8321" + "36004000" + strange[10:-8] + "00"
    assert ask(card, SELECT, tap) == ["9000", "9000"]
    assert card.applications[0].first == 0x80


@pytest.mark.parametrize("size", [127, 128, 252])
def test_a_long_list_of_processing_options_has_a_long_length(size: int) -> None:
    """Book 3 Annex B2: from 128 bytes on, template 83 has a length of two bytes."""
    card = changed("debit", pdol=f"9F4E:{size}")
    data = ber.tlv("83", bytes(size))
    command = b"\x80\xa8\x00\x00" + ber.counted(data) + b"\x00"
    assert ask(card, SELECT, command.hex()) == ["9000", "9000"]


def test_counters_that_the_terminal_may_read() -> None:
    card = cards.load("offline-pin")
    ask(card, SELECT)
    for command, answer in (("80CA9F1700", "9F170103"), ("80CA9F1300", "9F13020000")):
        assert card.apdu(bytes.fromhex(command)).hex().upper() == answer + "9000"
    assert ask(card, "80CA9F4F00") == ["9000"]


def test_challenges_differ_and_repeat_with_the_card() -> None:
    drawn = []
    for _ in range(2):
        card = cards.load("debit")
        ask(card, SELECT)
        drawn.append([card.apdu(bytes.fromhex("0084000000")) for _ in range(3)])
    assert drawn[0] == drawn[1] and len(set(drawn[0])) == 3
    assert all(len(answer) == 10 for answer in drawn[0])


def test_pyemv_reads_every_answer_of_a_tap() -> None:
    card = cards.load("phone")
    card.reset("contactless")
    directory = tlv.decode(card.apdu(b"\x00\xa4\x04\x00\x0e2PAY.SYS.DDF01\x00")[:-2])
    entry = directory["6F"]["A5"]["BF0C"]["61"]
    assert entry["4F"].hex().upper() == "A000000333010101"
    ask(card, SELECT)
    terminal = bytes.fromhex("36804000" + FIRST[10:-8])
    command = b"\x80\xa8\x00\x00" + bytes((len(terminal) + 2, 0x83, len(terminal)))
    answer = card.apdu(command + terminal + b"\x00")
    said = tlv.decode(answer[:-2])["77"]
    wanted = {"82", "94", "9F36", "9F26", "9F10", "57", "5F34", "9F6C", "9F27", "9F6E"}
    assert set(said) == wanted and said["9F6C"] == b"\x00\x80"


def test_a_card_without_antenna_offers_nothing_there() -> None:
    card = cards.load("contact-only")
    assert card.uid == b"" and card.ats == b"" and not card.contactless


def test_two_cards_come_together() -> None:
    card = cards.load("two")
    assert [each.name for each in card.companions] == ["debit"]
    assert card.companions[0].uid != card.uid


def test_a_card_leaves_when_it_is_told_to() -> None:
    card = cards.load("debit")
    card.leave_at = 2
    ask(card, SELECT)
    with pytest.raises(cards.Gone):
        ask(card, OPTIONS)
    card.reset("contact")
    assert ask(card, SELECT) == ["9000"]


def test_a_mute_chip_answers_only_over_the_antenna() -> None:
    card = cards.load("mute")
    card.reset("contact")
    with pytest.raises(cards.Mute):
        ask(card, SELECT)
    card.reset("contactless")
    assert ask(card, SELECT) == ["9000"]


def test_the_slow_card_takes_its_time() -> None:
    slow, debit = cards.load("slow"), cards.load("debit")
    command = bytes.fromhex(FIRST)
    assert slow.delay_us(command) == 900_000 and debit.delay_us(command) == 60_000
    assert slow.delay_us(bytes.fromhex(SELECT)) == 300_000


def test_garbage_is_the_same_for_the_same_seed() -> None:
    def conversation(seed: int) -> list[bytes]:
        card = cards.garbage(seed)
        return [card.apdu(bytes.fromhex(SELECT)) for _ in range(30)]

    assert conversation(4) == conversation(4)
    assert conversation(4) != conversation(10)


def test_lists_are_written_and_read() -> None:
    listed = ber.dol("9F02:6 95:5 9F37:4")
    assert listed.hex().upper() == "9F020695059F3704"
    assert ber.split(listed, bytes(range(15)))["95"] == bytes(range(6, 11))
    with pytest.raises(ber.ListMismatch):
        ber.split(listed, bytes(14))

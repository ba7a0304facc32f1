"""What the issuer does to a card from afar, and the offline PIN; pyemv plays the issuer.

For card numbers of 16 digits pyemv's CVN 22 has this deck's derivations (options A and B agree)
and its secure messaging.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from pyemv.cvn import VisaCVN22
from test_cards_dynamic import asked, command, initiated, listed

from tools.acquirer import scripts
from tools.acquirer.testbed import ISSUER_MAC_KEY, ISSUER_MASTER_KEY
from tools.sim import cards
from tools.sim.cards import Card, ber, crypto, files
from tools.sim.cards.application import Application

AAC, TC, ARQC = "00", "40", "80"


def at_work(name: str, kind: str = ARQC) -> tuple[Card, Application, Issuer]:
    """A card after its first GENERATE AC, and its issuer."""
    card = cards.load(name)
    asked(card, command("00A40400", card.applications[0].aid))
    return transacted(card, kind)


def asked_first(card: Card, kind: str) -> None:
    application = card.applications[0]
    asked(card, command("80A80000", b"\x83\x00"))
    asked(card, command(f"80AE{kind}00", listed(ber.dol(application.facts.cdol1))))


def transacted(card: Card, kind: str = ARQC) -> tuple[Card, Application, Issuer]:
    asked_first(card, kind)
    return card, card.applications[0], Issuer(card)


class Issuer:
    """pyemv's issuer for the transaction a card is in."""

    def __init__(self, card: Card) -> None:
        application = card.applications[0]
        keys = (card.facts.imk, card.facts.imk_mac, card.facts.imk_cipher)
        facts = application.facts
        own = (bytes.fromhex(key) for key in keys)
        self.cvn = VisaCVN22(*own, facts.pan, f"{facts.psn:02d}")
        self.atc = application.atc.to_bytes(2, "big")
        self.ac = application.first_cryptogram

    def sealed(self, header: str, data: bytes = b"") -> bytes:
        """A command of four bytes of header with its MAC."""
        whole = bytes.fromhex(header) + bytes((len(data) + 8,))
        return whole + data + self.cvn.generate_command_mac(whole, self.ac, self.atc, data)

    def pin(self, pin: str) -> bytes:
        """PIN CHANGE with that PIN."""
        return self.cvn.generate_pin_change_command(pin, self.ac, self.atc)


def status(card: Card, *commands: bytes) -> list[str]:
    return [card.apdu(each)[-2:].hex().upper() for each in commands]


def counted(card: Card) -> int:
    """The last byte of the card verification results as a second GENERATE AC would tell it."""
    return card.applications[0].application_data()[6]


# ---- secure messaging


def test_a_sealed_command_is_done_and_counted() -> None:
    card, application, issuer = at_work("script")
    assert status(card, issuer.sealed("84DA9F58", b"\x00\x00\x64")) == ["9000"]
    assert card.apdu(bytes.fromhex("80CA9F5800")).hex() == "9f5803000064" + "9000"
    assert status(card, issuer.sealed("8CDA9F59", b"\x00\x0c\x80")) == ["9000"]
    assert counted(card) == 0x20


@pytest.mark.parametrize("at", range(16))
def test_any_changed_bit_is_refused(at: int) -> None:
    card, application, issuer = at_work("script")
    good = issuer.sealed("84DA9F58", b"\x00\x00\x64")
    bad = bytearray(good)
    bad[at] ^= 0x08
    answer = status(card, bytes(bad))
    assert answer != ["9000"] and application.scripts.data["9F58"] == b"\x00\x00\x32"
    if at > 4:
        assert answer == ["6988"] and counted(card) == 0x08


def test_another_transactions_seal_is_refused() -> None:
    card, _, issuer = at_work("script")
    stale = issuer.sealed("84DA9F58", b"\x00\x00\x64")
    asked(card, command("00A40400", card.applications[0].aid))
    asked_first(card, ARQC)
    assert status(card, stale) == ["6988"]


def test_scripts_have_their_time_their_class_and_their_seal() -> None:
    card = cards.load("script")
    assert status(card, bytes.fromhex("841E000008" + "00" * 8)) == ["6985"]
    asked(card, command("00A40400", card.applications[0].aid))
    asked(card, command("80A80000", b"\x83\x00"))
    assert status(card, bytes.fromhex("841E000008" + "00" * 8)) == ["6985"]
    card, _, issuer = at_work("script")
    assert status(card, bytes.fromhex("801E0000"), bytes.fromhex("841E0000")) == ["6E00", "6987"]
    assert status(card, issuer.sealed("84DA9F57", b"\x00")) == ["6A88"]
    assert status(card, issuer.sealed("84DA9F58", b"\x00")) == ["6700"]
    assert status(card, issuer.sealed("841E0100")) == ["6A86"]
    assert status(card, issuer.sealed("841E0000", b"\x00")) == ["6700"]


def test_the_application_is_blocked_and_unblocked() -> None:
    card, application, issuer = at_work("script")
    assert status(card, issuer.sealed("841E0000")) == ["9000"]
    card.reset("contact")
    select = command("00A40400", application.aid)
    assert status(card, select) == ["6283"]
    # Book 3 6.5.1.1: an invalidated application answers GENERATE AC with an AAC only.
    _, _, issuer = transacted(card, TC)
    assert application.first == 0x00
    assert status(card, issuer.sealed("84180000")) == ["9000"]
    assert status(card, select) == ["9000"]
    transacted(card)
    assert application.first == 0x80


def test_a_blocked_application_takes_no_tap() -> None:
    card = cards.load("blocked")
    card.reset("contactless")
    own = card.applications[0]
    assert status(card, command("00A40400", own.aid)) == ["6283"]
    data = listed(ber.dol(own.facts.pdol_tap), **{"9F66": "36004000"})
    assert status(card, command("80A80000", ber.tlv("83", data))) == ["6985"]


def test_the_card_is_blocked_for_good() -> None:
    card, _, issuer = at_work("script")
    assert status(card, issuer.sealed("84160000")) == ["9000"]
    card.reset("contact")
    assert status(card, command("00A40400", card.applications[0].aid)) == ["6A81"]
    card.reset("contactless")
    assert status(card, command("00A40400", b"2PAY.SYS.DDF01")) == ["6A81"]


def test_the_issuer_learns_of_scripts_once() -> None:
    card, application, issuer = at_work("script")
    assert status(card, issuer.sealed("84DA9F58", b"\x00\x00\x64")) == ["9000"]
    for expected in (0x10, 0x00):
        asked(card, command("00A40400", application.aid))
        asked_first(card, ARQC)
        assert counted(card) == expected
        session = crypto.session_key(application.key, application.atc)
        proof = crypto.issuer_answer(session, application.first_cryptogram, b"00") + b"00"
        asked(card, bytes.fromhex("008200000A") + proof)
        data = listed(ber.dol(files.cdol2(application.facts)))
        asked(card, command("80AE4000", data))
        assert counted(card) == 0


# ---- what the acquirer sends


@pytest.mark.parametrize("seed", range(20))
def test_the_acquirer_seals_as_pyemv_does(seed: int) -> None:
    dice = random.Random(seed)
    pan, psn = f"{dice.randrange(10**15, 10**16)}", f"{dice.randrange(100):02d}"
    atc, ac, data = dice.randbytes(2), dice.randbytes(8), dice.randbytes(dice.randrange(20))
    cvn = VisaCVN22(ISSUER_MASTER_KEY, ISSUER_MAC_KEY, ISSUER_MAC_KEY, pan, psn)
    plain = bytes.fromhex("84DA9F58") + (bytes((len(data),)) + data if data else b"")
    content = ber.tlv("9F18", b"\x00\x00\x00\x71") + ber.tlv("86", plain)
    content += ber.tlv("86", bytes.fromhex("80DA9F5800"))
    header = plain[:4] + bytes((len(data) + 8,))
    wanted = header + data + cvn.generate_command_mac(header, ac, atc, data)
    key = scripts.integrity_key(ISSUER_MAC_KEY, pan, psn)
    sealed = scripts.sealed(content, key, atc, ac)
    assert sealed == content[:7] + ber.tlv("86", wanted) + ber.tlv("86", b"\x80\xda\x9f\x58\x00")


def test_the_decks_script_is_done_as_its_host_sends_it() -> None:
    card, application, _ = at_work("script")
    key = scripts.integrity_key(ISSUER_MAC_KEY, application.facts.pan, "01")
    atc = application.atc.to_bytes(2, "big")
    for content in card.facts.scripts.values():
        sent = scripts.sealed(bytes.fromhex(content), key, atc, application.first_cryptogram)
        at = 7
        while at < len(sent):
            assert status(card, sent[at + 2 : at + 2 + sent[at + 1]]) == ["9000"]
            at += 2 + sent[at + 1]
    assert application.scripts.data == {"9F58": b"\x00\x00\x64", "9F59": b"\x00\x0c\x80"}
    assert application.pin.tries == 3


# ---- the offline PIN


def enciphered(held: Any, challenge: bytes, pin: str, seed: int = 1, head: int = 0x7F) -> bytes:
    """VERIFY's data as a terminal makes them (Book 2 7.2), for the key the card certified."""
    key = held.pin or held.card
    block = bytes.fromhex(f"2{len(pin):X}{pin}".ljust(16, "F"))
    padding = random.Random(seed).randbytes(key.size - 17)
    plain = bytes((head,)) + block + challenge + padding
    number = pow(int.from_bytes(plain, "big"), key.exponent, key.modulus)
    return number.to_bytes(key.size, "big")


def tried(card: Card, held: Any, pin: str, **other: Any) -> str:
    """GET CHALLENGE and VERIFY; the status word."""
    challenge = asked(card, bytes.fromhex("0084000000"))
    data = enciphered(held, challenge, pin, **other)
    return status(card, bytes.fromhex("00200088") + bytes((len(data),)) + data)[0]


def left(card: Card) -> int:
    return asked(card, bytes.fromhex("80CA9F1700"))[-1]


def test_the_right_pin_is_right_and_the_results_say_so() -> None:
    card, application, held = initiated("offline-pin")
    assert held.pin is not None and held.pin.size == 128 and left(card) == 3
    assert tried(card, held, "1234") == "9000"
    assert application.application_data()[4] & 0x06 == 0x04


def test_three_wrong_ones_block_it_over_a_reset_until_the_issuer_unblocks() -> None:
    card, application, held = initiated("offline-pin")
    assert [tried(card, held, "4321") for _ in range(3)] == ["63C2", "63C1", "63C0"]
    assert left(card) == 0 and application.application_data()[4:6].hex() == "8640"
    assert tried(card, held, "1234") == "6983"
    card.reset("contact")
    asked(card, command("00A40400", application.aid))
    _, _, issuer = transacted(card)
    assert status(card, issuer.sealed("84240000")) == ["9000"] and left(card) == 3


def test_a_right_pin_brings_the_tries_back() -> None:
    card, _, held = initiated("offline-pin")
    assert [tried(card, held, "4321"), tried(card, held, "1234")] == ["63C2", "9000"]
    assert left(card) == 3


def test_the_issuer_changes_the_pin() -> None:
    card, application, issuer = at_work("offline-pin")
    assert status(card, issuer.pin("987654")) == ["9000"]
    card.reset("contact")
    asked(card, command("00A40400", application.aid))
    asked(card, command("80A80000", b"\x83\x00"))
    held = initiated("offline-pin")[2]
    assert tried(card, held, "1234") == "63C2" and tried(card, held, "987654") == "9000"


def test_a_pin_under_another_key_is_not_taken() -> None:
    card, application, issuer = at_work("offline-pin")
    issuer.cvn.icc_mk_smc = issuer.cvn.icc_mk_smi
    assert status(card, issuer.pin("987654")) == ["6A80"]
    assert application.pin.pin == "1234" and counted(card) == 0x08


def test_each_challenge_serves_the_very_next_command_only() -> None:
    card, _, held = initiated("offline-pin")
    challenge = asked(card, bytes.fromhex("0084000000"))
    data = enciphered(held, challenge, "1234")
    verify = bytes.fromhex("00200088") + bytes((len(data),)) + data
    assert status(card, verify, verify) == ["9000", "6985"]
    assert tried(card, held, "1234") == "9000"
    asked(card, bytes.fromhex("0084000000"))
    assert left(card) == 3 and status(card, verify) == ["6985"]
    asked(card, bytes.fromhex("0084000000"))
    assert status(card, verify) == ["63C2"], "enciphered for another challenge"


@pytest.mark.parametrize("between", ["00B2010C00", "00A4040005A00000000400", "F000000000", "00A4"])
def test_a_command_that_is_none_of_the_applications_uses_a_challenge_up_as_well(
    between: str,
) -> None:
    card, _, held = initiated("offline-pin")
    data = enciphered(held, asked(card, bytes.fromhex("0084000000")), "1234")
    status(card, bytes.fromhex(between))
    assert status(card, bytes.fromhex("00200088") + bytes((len(data),)) + data) == ["6985"]
    assert left(card) == 3


def test_what_is_no_enciphered_pin_is_refused() -> None:
    card, _, held = initiated("offline-pin")
    assert tried(card, held, "1234", head=0x6A) == "63C2"
    asked(card, bytes.fromhex("0084000000"))
    plaintext = bytes.fromhex("0020008008241234FFFFFFFFFF")
    assert status(card, plaintext) == ["6A86"], "no plaintext PIN"
    asked(card, bytes.fromhex("0084000000"))
    assert status(card, bytes.fromhex("0020008808241234FFFFFFFFFF")) == ["6700"]
    asked(card, bytes.fromhex("0084000000"))
    too_large = bytes.fromhex("0020008880") + b"\xff" * 128
    assert status(card, too_large) == ["63C1"]
    for name in ("debit", "credit"):
        card, _, held = initiated(name)
        assert tried(card, held, "1234") == "6D00"
        assert status(card, bytes.fromhex("80CA9F1700")) == ["6A88"]


def test_a_card_may_decipher_by_its_own_key() -> None:
    card, _, held = initiated("script")
    assert held.pin is None and left(card) == 1
    assert tried(card, held, "1234") == "9000" and left(card) == 3


def test_the_pin_has_its_time() -> None:
    card = cards.load("offline-pin")
    asked(card, command("00A40400", card.applications[0].aid))
    held = initiated("offline-pin")[2]
    assert tried(card, held, "1234") == "6985"
    card, _, _ = at_work("offline-pin")
    assert tried(card, held, "1234") == "6985"

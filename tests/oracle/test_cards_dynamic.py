"""What the deck's cards sign in a conversation: DDA, CDA, fDDA. `oda.py` is the terminal."""

from __future__ import annotations

import hashlib

import oda
import pytest
from pyemv import tlv

from tools.sim import cards
from tools.sim.cards import Card, ber, crypto
from tools.sim.cards.application import Application
from tools.sim.cards.authority import authority_keys

RID, MONTH = "A000000333", "2611"
NUMBER = bytes.fromhex("11223344")
VALUES = {
    "9F02": "000000001234", "9F03": "000000000000", "9F1A": "0156", "95": "0000000000",
    "5F2A": "0156", "9A": "261123", "9C": "00", "9F37": NUMBER.hex(), "9F21": "120000",
    "8A": "3030", "91": "00" * 10,
}  # fmt: skip
DYNAMIC = ("debit", "credit", "quick", "offline-pin", "phone", "prepaid", "bad-oda")
COMBINED = ("credit", "offline-pin", "bad-oda")

AAC, TC, ARQC, CDA = 0x00, 0x40, 0x80, 0x10


def command(header: str, data: bytes = b"") -> bytes:
    """A short APDU with Le."""
    return bytes.fromhex(header) + (bytes((len(data),)) + data if data else b"") + b"\x00"


def listed(dol: bytes, **other: str) -> bytes:
    """The terminal's values for a DOL."""
    values = VALUES | other
    return b"".join(bytes.fromhex(values[tag]) for tag, _ in ber.entries(dol))


def asked(card: Card, apdu: bytes) -> bytes:
    """The data of an answer that is 9000."""
    answer = card.apdu(apdu)
    assert answer[-2:] == b"\x90\x00", (apdu.hex(), answer.hex())
    return answer[:-2]


def read(card: Card, locator: bytes) -> list[tuple[int, bool, bytes]]:
    """The AFL's records over READ RECORD."""
    found = []
    for at in range(0, len(locator), 4):
        first, last, protected = locator[at + 1 : at + 4]
        for number in range(first, last + 1):
            record = asked(card, bytes((0x00, 0xB2, number, locator[at] | 4, 0)))
            found.append((locator[at] >> 3, number < first + protected, record))
    return found


def known() -> dict[tuple[str, str], oda.PublicKey]:
    return oda.authorities([each.public() for each in authority_keys().values()])


def initiated(name: str) -> tuple[Card, Application, oda.Chain]:
    """A card on the contacts after GET PROCESSING OPTIONS and its records."""
    card = cards.load(name)
    application = card.applications[0]
    asked(card, command("00A40400", application.aid))
    answer = asked(card, command("80A80000", b"\x83\x00"))
    if answer[0] == 0x80:
        profile, locator = answer[2:4], answer[4:]
    else:
        found = tlv.decode(answer)["77"]
        profile, locator = found["82"], found["94"]
    assert profile == application.aip
    return card, application, oda.chain(known(), RID, read(card, locator), profile, MONTH)


def judged(
    name: str, held: oda.Chain, signature: bytes, terminal: bytes, kind: int = 5
) -> bytes | None:
    """The dynamic data; None for the card whose signature has to fail, and did."""
    assert held.card is not None
    if name != "bad-oda":
        return oda.signed_dynamic(held.card, signature, terminal, kind)
    with pytest.raises(oda.NotGenuine, match="trailer|header|format"):
        oda.signed_dynamic(held.card, signature, terminal, kind)
    return None


# ---- DDA


@pytest.mark.parametrize("name", [name for name in DYNAMIC if name != "phone"])
def test_internal_authenticate_signs_the_terminals_number(name: str) -> None:
    card, _, held = initiated(name)
    assert held.elements["9F49"] == bytes.fromhex("9F3704")
    answers = []
    for _ in range(2):
        answer = asked(card, command("00880000", NUMBER))
        found = tlv.decode(answer)
        signature = found["80"] if "80" in found else found["77"]["9F4B"]
        answers.append(signature)
        dynamic = judged(name, held, signature, NUMBER)
        if dynamic is not None:
            assert dynamic[0] == len(dynamic) - 1 == 8
    assert answers[0] != answers[1]


def test_a_replayed_signature_is_another_numbers(name: str = "debit") -> None:
    card, _, held = initiated(name)
    answer = tlv.decode(asked(card, command("00880000", NUMBER)))
    with pytest.raises(oda.NotGenuine, match="hash"):
        judged(name, held, answer["80"], b"\x99" + NUMBER[1:])


def test_internal_authenticate_has_its_time_and_its_length() -> None:
    card = cards.load("debit")
    asked(card, command("00A40400", card.applications[0].aid))
    assert card.apdu(command("00880000", NUMBER)) == b"\x69\x85"
    card, application, _ = initiated("debit")
    assert card.apdu(command("00880000", NUMBER + b"\x00")) == b"\x67\x00"
    assert card.apdu(command("00880100", NUMBER)) == b"\x6a\x86"
    asked(card, command("80AE8000", listed(ber.dol(application.facts.cdol1))))
    assert card.apdu(command("00880000", NUMBER)) == b"\x69\x85"
    for other in ("contact-only", "pickup"):
        card = cards.load(other)
        asked(card, command("00A40400", card.applications[0].aid))
        asked(card, command("80A80000", b"\x83\x00"))
        assert card.apdu(command("00880000", NUMBER)) == b"\x6d\x00", other


def test_the_verification_results_say_that_dda_was_performed() -> None:
    card, application, _ = initiated("debit")
    asked(card, command("00880000", NUMBER))
    answer = asked(card, command("80AE8000", listed(ber.dol(application.facts.cdol1))))
    assert answer[-7:].hex() == "06011203a00002"


# ---- CDA


def combined(card: Card, application: Application, kind: int, data: bytes) -> dict[str, bytes]:
    """GENERATE AC with CDA: the answer's elements."""
    answer = asked(card, command(f"80AE{kind | CDA:02X}00", data))
    assert len(answer) <= 256
    return dict(tlv.decode(answer)["77"])


def hashed(said: bytes, found: dict[str, bytes]) -> bytes:
    """The transaction data hash code, from the answer's elements in their order."""
    listed_ = (ber.tlv(tag, value) for tag, value in found.items() if tag != "9F4B")
    return hashlib.sha1(said + b"".join(listed_)).digest()


@pytest.mark.parametrize("name", COMBINED)
def test_both_cryptograms_are_signed_when_that_is_asked_for(name: str) -> None:
    card, application, held = initiated(name)
    first = listed(held.elements["8C"])
    found = combined(card, application, ARQC, first)
    assert "9F26" not in found and found["9F27"] == b"\x80"
    dynamic = judged(name, held, found["9F4B"], NUMBER)
    session = crypto.session_key(application.key, application.atc)
    arqc = application.first_cryptogram
    if dynamic is not None:
        assert dynamic[0] == 8 and dynamic[9] == 0x80 and dynamic[10:18] == arqc
        assert dynamic[18:] == hashed(first, found) and len(dynamic) == 38
    proof = crypto.issuer_answer(session, arqc, b"00") + b"00"
    if application.facts.verify == "external":
        asked(card, bytes.fromhex("008200000A") + proof)
    second = listed(held.elements["8D"], **{"91": proof.hex()})
    found = combined(card, application, TC, second)
    assert found["9F27"] == b"\x40"
    dynamic = judged(name, held, found["9F4B"], NUMBER)
    if dynamic is not None:
        assert dynamic[9] == 0x40 and dynamic[18:] == hashed(first + second, found)
        values = ber.split(held.elements["8D"], second)
        assert dynamic[10:18] == application.cryptogram(values)


def test_a_decline_is_never_signed() -> None:
    card, _, held = initiated("offline-pin")
    answer = asked(card, command("80AE1000", listed(held.elements["8C"])))
    found = tlv.decode(answer)["77"]
    assert found["9F27"] == b"\x00" and "9F26" in found and "9F4B" not in found


def test_a_card_without_cda_refuses_it() -> None:
    card, application, _ = initiated("debit")
    data = listed(ber.dol(application.facts.cdol1))
    assert card.apdu(command("80AE9000", data)) == b"\x6a\x86"
    assert card.apdu(command("80AEC000", data)) == b"\x6a\x86"
    assert card.apdu(command("80AE8000", data))[-2:] == b"\x90\x00"


# ---- fDDA

ONLINE, OFFLINE, PROVE = "36804000", "36004000", "37804000"


def tapped(name: str, qualifiers: str, amount: int = 1234) -> tuple[Card, dict[str, bytes]]:
    """A tap's answer to GET PROCESSING OPTIONS."""
    card = cards.load(name)
    application = card.applications[0]
    card.reset("contactless")
    asked(card, command("00A40400", application.aid))
    values = {"9F66": qualifiers, "9F02": f"{amount:012d}"}
    data = listed(ber.dol(application.facts.pdol_tap), **values)
    answer = asked(card, command("80A80000", ber.tlv("83", data)))
    assert len(answer) <= 256
    return card, dict(tlv.decode(answer)["77"])


@pytest.mark.parametrize(
    ("name", "qualifiers", "kind"),
    [
        ("quick", OFFLINE, TC), ("bad-oda", OFFLINE, TC), ("quick", PROVE, ARQC),
        ("debit", PROVE, ARQC), ("credit", PROVE, ARQC), ("phone", PROVE, ARQC),
        ("prepaid", PROVE, ARQC),
    ],
)  # fmt: skip
def test_a_tap_proves_itself_by_fdda(name: str, qualifiers: str, kind: int) -> None:
    card, found = tapped(name, qualifiers)
    records = read(card, found["94"])
    held = oda.chain(known(), RID, records, found["82"], MONTH)
    elements = held.elements | found
    related = elements["9F69"]
    assert related[0] == 1 and related[5:7] == found["9F6C"] and len(related) == 7
    assert (found["9F10"][4] & 0x30) << 2 == kind
    amount, currency = bytes.fromhex("000000001234"), b"\x01\x56"
    terminal = NUMBER + amount + currency + related
    dynamic = judged(name, held, elements["9F4B"], terminal, 0x95)
    assert dynamic in (None, b"\x02" + found["9F36"])
    assert all(protected for sfi, protected, _ in records if sfi == 2)


def test_a_long_signature_has_a_record_of_its_own() -> None:
    card, found = tapped("credit", PROVE)
    assert "9F4B" not in found and found["94"][-4:].hex() == "20010100"
    card.reset("contactless")
    asked(card, command("00A40400", card.applications[0].aid))
    assert card.apdu(bytes.fromhex("00B2012400")) == b"\x6a\x82"
    assert "9F4B" in tapped("quick", PROVE)[1]


def test_without_need_a_tap_is_short() -> None:
    for name in ("debit", "quick", "phone"):
        _, found = tapped(name, ONLINE)
        assert found["94"].hex() == "10010100" and not {"9F4B", "9F69"} & set(found)


def test_what_a_reader_does_with_an_unproven_card_is_in_the_qualifiers() -> None:
    assert tapped("bad-oda", OFFLINE)[1]["9F6C"][0] & 0x30 == 0x10
    assert tapped("quick", OFFLINE)[1]["9F6C"][0] & 0x30 == 0x00


def test_above_its_limit_a_quick_card_goes_online() -> None:
    assert tapped("quick", OFFLINE, 20_000)[1]["9F10"][4] & 0x30 == 0x10
    assert tapped("quick", OFFLINE, 20_001)[1]["9F10"][4] & 0x30 == 0x20


# ---- wallets


def test_a_phone_verifies_its_holder_itself_and_shows_it() -> None:
    _, found = tapped("phone", ONLINE, 5_000_000)
    assert found["9F6C"] == b"\x00\x80" and found["9F6E"].hex() == "23880000"
    assert found["9F10"].hex() == "07011203a0000001" + "06" + "010000000000"
    card = cards.load("phone")
    card.verified = False
    card.reset("contactless")
    asked(card, command("00A40400", card.applications[0].aid))
    wanted = ber.dol(card.applications[0].facts.pdol_tap)
    data = listed(wanted, **{"9F66": ONLINE})
    assert card.apdu(command("80A80000", ber.tlv("83", data))) == b"\x69\x86"
    assert card.applications[0].atc == 1, "a refused tap is no transaction"



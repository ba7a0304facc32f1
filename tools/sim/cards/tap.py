"""What an application does when tapped: qVSDC as kernels 3 and 7 know it (Books C-3, C-7)."""

from __future__ import annotations

from tools.sim.cards import ber, dynamic, files
from tools.sim.cards.application import AAC, ARQC, TC, Application
from tools.sim.cards.status import NOT_ALLOWED, OK, SEE_PHONE, WRONG_LENGTH

# Terminal transaction qualifiers (Book A 5.7), bytes 1 and 2.
_PROOF_FOR_ONLINE = 0x01
_CVM_REQUIRED = 0x40
_ONLINE_REQUIRED = 0x80

_PIN, _SIGNATURE, _DEVICE = b"\x80\x00", b"\x40\x00", b"\x00\x80"
# Card transaction qualifiers, byte 1: what to do when the data authentication fails.
_UNPROVEN = {"online": 0x20, "contact": 0x10, "decline": 0x00}
_LARGEST = 256  # bytes of an answer's data


def processing_options(card_application: Application, data: bytes, verified: bool) -> bytes:
    """GET PROCESSING OPTIONS over the antenna: the whole transaction in one answer.

    `verified` is whether the phone's owner has proven themselves; a plastic card ignores it. What
    a card approves offline it also signs (fDDA), and an ARQC when the terminal wants that proven.
    """
    facts = card_application.facts
    try:
        values = ber.split(ber.dol(facts.pdol_tap), data)
    except ber.ListMismatch:
        return WRONG_LENGTH
    if facts.contactless == "device" and not verified:
        return SEE_PHONE
    if card_application.blocked or not card_application.start():
        return NOT_ALLOWED
    qualifiers = _qualifiers(facts.contactless, facts.unproven, values["9F66"])
    kind = _decision(card_application, values)
    card_application.first = kind
    card_application.state = "ended"
    return _answer(card_application, kind, values, qualifiers) + OK


def _answer(
    card_application: Application, kind: int, values: dict[str, bytes], qualifiers: bytes
) -> bytes:
    facts, tlv = card_application.facts, ber.tlv
    signature, related = _proof(card_application, kind, values, qualifiers)
    parts = [
        tlv("9F36", card_application.atc.to_bytes(2, "big")),
        tlv("9F26", card_application.cryptogram(values)),
        tlv("9F10", card_application.application_data()),
        tlv("57", files.track2(facts)),
        tlv("5F34", bytes.fromhex(f"{facts.psn:02d}")),
        tlv("9F6C", qualifiers),
        tlv("9F27", bytes((kind,))) if facts.format == 2 else b"",
        tlv("9F6E", bytes.fromhex("23880000")) if facts.contactless == "device" else b"",
        related,
    ]
    profile, held = tlv("82", card_application.aip), card_application.credentials
    locator = tlv("94", files.tap_file_locator(held, bool(signature), dynamic=False))
    whole = tlv("77", profile, locator, *parts, signature)
    if len(whole) <= _LARGEST:
        return whole
    card_application.dynamic_record = tlv("70", signature)
    locator = tlv("94", files.tap_file_locator(held, proven=True, dynamic=True))
    return tlv("77", profile, locator, *parts)


def _proof(
    card_application: Application, kind: int, values: dict[str, bytes], qualifiers: bytes
) -> tuple[bytes, bytes]:
    """9F4B and 9F69 as TLVs, both empty when the card does not prove itself."""
    key = card_application.credentials.key
    wanted = kind == TC or (kind == ARQC and values["9F66"][0] & _PROOF_FOR_ONLINE)
    if key is None or not wanted:
        return b"", b""
    number = card_application.randomness.randbytes(4)
    related = bytes((dynamic.FDDA_VERSION,)) + number + qualifiers
    atc = card_application.atc.to_bytes(2, "big")
    signature = dynamic.fast(key, atc, values, related)
    return ber.tlv("9F4B", signature), ber.tlv("9F69", related)


def _qualifiers(rule: str, unproven: str, terminal: bytes) -> bytes:
    """CTQ: how this card wants its holder verified, given the TTQ, and what if it is unproven."""
    required = bool(terminal[1] & _CVM_REQUIRED)
    chosen = b"\x00\x00"
    if rule == "pin" or (rule == "limit" and required):
        chosen = _PIN
    elif rule == "signature" and required:
        chosen = _SIGNATURE
    elif rule == "device":
        chosen = _DEVICE
    return bytes((chosen[0] | _UNPROVEN[unproven], chosen[1]))


def _decision(card_application: Application, values: dict[str, bytes]) -> int:
    if card_application.declines:
        return AAC
    online = values["9F66"][1] & _ONLINE_REQUIRED
    return TC if card_application.small(values) and not online else ARQC

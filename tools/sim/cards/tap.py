"""What an application does when tapped: qVSDC as kernels 3 and 7 know it (Books C-3, C-7)."""

from __future__ import annotations

from tools.sim.cards import ber
from tools.sim.cards.application import (
    AAC,
    ARQC,
    NOT_ALLOWED,
    OK,
    TC,
    WRONG_LENGTH,
    Application,
)

SEE_PHONE = b"\x69\x86"
CONDITIONS = b"\x69\x84"

_CVM_REQUIRED = 0x40  # TTQ byte 2
_ONLINE_REQUIRED = 0x80
_PIN, _SIGNATURE, _DEVICE = b"\x80\x00", b"\x40\x00", b"\x00\x80"


def processing_options(card_application: Application, data: bytes, verified: bool) -> bytes:
    """GET PROCESSING OPTIONS over the antenna: the whole transaction in one answer.

    `verified` is whether the phone's owner has proven themselves; a plastic card ignores it.
    """
    facts = card_application.facts
    try:
        values = ber.split(ber.dol(facts.pdol_tap), data)
    except ber.ListMismatch:
        return WRONG_LENGTH
    if facts.contactless == "device" and not verified:
        return SEE_PHONE
    if not card_application.start():
        return NOT_ALLOWED
    qualifiers = _qualifiers(facts.contactless, values["9F66"])
    kind = _decision(card_application, values)
    card_application.first = kind
    card_application.state = "ended"
    tlv = ber.tlv
    return (
        tlv(
            "77",
            tlv("82", card_application.aip),
            tlv("94", bytes.fromhex("10010100")),
            tlv("9F36", card_application.atc.to_bytes(2, "big")),
            tlv("9F26", card_application.cryptogram(values)),
            tlv("9F10", card_application.application_data()),
            tlv("57", card_application.track2()),
            tlv("5F34", bytes.fromhex(f"{facts.psn:02d}")),
            tlv("9F6C", qualifiers),
            tlv("9F27", bytes((kind,))) if facts.format == 2 else b"",
            tlv("9F6E", bytes.fromhex("23880000")) if facts.contactless == "device" else b"",
        )
        + OK
    )


def _qualifiers(rule: str, terminal: bytes) -> bytes:
    """CTQ: how this card wants its holder verified, given the TTQ."""
    required = bool(terminal[1] & _CVM_REQUIRED)
    if rule == "pin" or (rule == "limit" and required):
        return _PIN
    if rule == "signature":
        return _SIGNATURE if required else b"\x00\x00"
    return _DEVICE if rule == "device" else b"\x00\x00"


def _decision(card_application: Application, values: dict[str, bytes]) -> int:
    if card_application.declines:
        return AAC
    online = values["9F66"][1] & _ONLINE_REQUIRED
    small = int(values["9F02"].hex()) <= card_application.facts.offline_limit
    return TC if small and not online else ARQC

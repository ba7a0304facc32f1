"""A card in facts that may be shown to anyone: what it is for, and how it proves itself.

Card numbers are masked (first six, last four digits); keys and PINs do not appear.
"""

from __future__ import annotations

from typing import Any

from tools.sim.cards import personalisation
from tools.sim.cards.authority import authority_keys
from tools.sim.cards.personalisation import Application, Authentication, Personalisation


def deck() -> list[dict[str, Any]]:
    """Every card of the deck, by name."""
    return [
        entry(personalisation.read(personalisation.file_of(name)))
        for name in personalisation.names()
    ]


def entry(card: Personalisation) -> dict[str, Any]:
    """name, purpose (zh, en), pan, interfaces, applications; what `pos cards --json` prints."""
    return {
        "name": card.name,
        "purpose": dict(card.purpose),
        "pan": masked(card.applications[0].pan),
        "interfaces": interfaces(card),
        "applications": [_application(card, each) for each in card.applications],
    }


def masked(pan: str) -> str:
    """The first six digits and the last four."""
    return pan[:6] + "*" * (len(pan) - 10) + pan[-4:]


def interfaces(card: Personalisation) -> list[str]:
    """Of `T=0`, `T=1` (contacts; `mute` when they do not answer), `contactless`, `phone`."""
    found = []
    if card.contact:
        found.append("mute" if card.mute else card.protocol)
    if card.contactless:
        found.append("phone" if card.phone else "contactless")
    return found


def _application(card: Personalisation, facts: Application) -> dict[str, Any]:
    return {
        "aid": facts.aid,
        "label": facts.label,
        "pan": masked(facts.pan),
        "expiry": facts.expiry,
        "authentication": None if facts.oda is None else _authentication(facts, facts.oda),
        "offline_pin": bool(card.offline_pin and facts.oda and facts.oda.card),
    }


def _authentication(facts: Application, oda: Authentication) -> dict[str, Any]:
    """Lengths are bits; `card` and `pin` are 0 where there is no such key. fdda: on a tap."""
    return {
        "method": oda.method.upper(),
        "fdda": bool(oda.card) and facts.contactless != "none",
        "index": oda.ca,
        "authority": authority_keys()[oda.ca].bits,
        "issuer": oda.issuer,
        "card": oda.card,
        "pin": oda.pin,
        "exponent": oda.exponent,
        "genuine": not oda.wrong,
    }

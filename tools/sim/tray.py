"""The card tray: what stands on the face of each card of the deck."""

from typing import Any

from tools.sim.cards import personalisation

# The order in which a newcomer wants to meet them; any other card comes after, by its name.
FIRST = ["debit", "credit", "quick", "offline-pin", "contact-only", "multi"]


def face(name: str) -> dict[str, Any]:
    """One card: name, its PAN in groups, PINs, purpose (zh, en), and which ways it can be used.

    These are the deck's own test cards, so the whole PAN is on their face, as on any card.
    """
    facts = personalisation.read(personalisation.DECK / f"{name}.yaml")
    pan = facts.applications[0].pan if facts.applications else ""
    return {
        "name": name,
        "pan": " ".join(pan[at : at + 4] for at in range(0, len(pan), 4)),
        "expiry": _expiry(facts.applications[0].expiry) if facts.applications else "",
        "pin": facts.pin,
        "offline_pin": facts.offline_pin,
        "purpose": dict(facts.purpose),
        "contact": facts.contact,
        "contactless": facts.contactless,
        "phone": facts.phone,
    }


def deck() -> list[dict[str, Any]]:
    """All faces, in the tray's order."""
    names = personalisation.names()
    first = [name for name in FIRST if name in names]
    return [face(name) for name in [*first, *(name for name in names if name not in first)]]


def _expiry(value: str) -> str:
    """YYMM as a card shows it: MM/YY."""
    return f"{value[2:]}/{value[:2]}"

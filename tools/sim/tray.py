"""The card tray: what stands on the face of each card of the deck."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tools.sim.cards import personalisation

# The order in which a newcomer wants to meet them; any other card comes after, by its name.
FIRST = ["debit", "credit", "quick", "offline-pin", "contact-only", "multi"]


def face(path: Path) -> dict[str, Any]:
    """One card by its file: name, PAN in groups, PINs, purpose (zh, en), and its ways of use.

    These are test cards, so the whole PAN is on their face, as on any card.
    """
    facts = personalisation.read(path)
    pan = facts.applications[0].pan if facts.applications else ""
    return {
        "name": facts.name,
        "pan": " ".join(pan[at : at + 4] for at in range(0, len(pan), 4)),
        "expiry": _expiry(facts.applications[0].expiry) if facts.applications else "",
        "pin": facts.pin,
        "offline_pin": facts.offline_pin,
        "purpose": dict(facts.purpose),
        "contact": facts.contact,
        "contactless": facts.contactless,
        "phone": facts.phone,
    }


def deck(own: Iterable[Path] = ()) -> list[dict[str, Any]]:
    """All faces, in the tray's order; `own` are the files of cards beside the deck's."""
    names = personalisation.names()
    first = [name for name in FIRST if name in names]
    ordered = [*first, *(name for name in names if name not in first)]
    return [face(path) for path in (*(personalisation.file_of(name) for name in ordered), *own)]


def _expiry(value: str) -> str:
    """YYMM as a card shows it: MM/YY."""
    return f"{value[2:]}/{value[:2]}"

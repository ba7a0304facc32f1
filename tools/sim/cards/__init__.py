"""The card deck: real card applications, personalised from readable files.

`load("debit")` gives a card as every reader model takes it; its counters start from its file.
"""

from __future__ import annotations

from pathlib import Path

from tools.sim.cards import personalisation
from tools.sim.cards.card import Card, Gone, Mute
from tools.sim.cards.garbled import GarbledCard
from tools.sim.cards.personalisation import PersonalisationError, names

__all__ = [
    "Card",
    "GarbledCard",
    "Gone",
    "Mute",
    "PersonalisationError",
    "UnknownCard",
    "garbage",
    "load",
    "load_file",
    "names",
]

# What `garbage` takes its cards from: one of each kind of conversation.
_SPOILT = ("debit", "credit", "multi", "offline-pin", "quick", "phone")


class UnknownCard(KeyError):
    """There is no card of this name; the message lists those there are."""

    def __str__(self) -> str:
        return str(self.args[0])


def load(name: str) -> Card:
    """A fresh card of the deck. `companions` are presented together with it (`two`)."""
    if name not in names():
        raise UnknownCard(f"no card is called {name!r}; there are {', '.join(names())}")
    return load_file(personalisation.file_of(name))


def load_file(path: Path) -> Card:
    """A fresh card of any file. PersonalisationError when it describes none."""
    facts = personalisation.read(path)
    card = Card(facts)
    card.companions = [load(each) for each in facts.companions]
    return card


def garbage(seed: int, name: str = "") -> GarbledCard:
    """A card that spoils its answers, the same way for the same seed; `name` is a deck card."""
    chosen = name or _SPOILT[seed % len(_SPOILT)]
    return GarbledCard(personalisation.read(personalisation.file_of(chosen)), seed)

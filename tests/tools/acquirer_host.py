"""Acquirers for the tests: a small deck of their own, a fixed clock, randomness from a seed."""

from __future__ import annotations

import random
from datetime import datetime
from pathlib import Path

import yaml
from acquirer_terminal import Terminal

from tools.acquirer.server import Acquirer

NOW = datetime(2026, 11, 23, 9, 30, 15)

DECK = [
    {"name": "debit", "pan": "6225880000071234", "balance": 1_000_000},
    {"name": "credit", "pan": "6225880000080011", "balance": 500_000,
     "applications": [{"aid": "A000000333010102"}]},
    {"name": "phone", "pan": "6225880000080177", "balance": 1_000_000, "phone": True},
    {"name": "expired", "pan": "6225880000080060", "expiry": "2406", "status": "expired"},
    {"name": "stale", "pan": "6225880000080300", "expiry": "2610"},
    {"name": "blocked", "pan": "6225880000080078", "status": "blocked"},
    {"name": "lost", "pan": "6225880000080201", "status": "lost"},
    {"name": "pickup", "pan": "6225880000080086", "status": "pickup"},
    {"name": "rich", "pan": "6225880000080409", "balance": 999_999_999_999},
    {"name": "script", "pan": "6225880000080128", "balance": 1000,
     "scripts": {71: "9F180400000071", 72: "9F180400000072"}},
    {"name": "multi", "pan": "6225880000080052", "balance": 1_000_000, "applications": [
        {"aid": "A000000333010101", "psn": 1}, {"aid": "A000000333010102", "psn": 2}]},
]  # fmt: skip


def write_deck(folder: Path, cards: list[dict] = DECK) -> Path:
    """Card files in `folder`, with the usual facts filled in."""
    folder.mkdir(exist_ok=True)
    for card in cards:
        facts = {"psn": 1, "expiry": "3012", "pin": "123456", **card}
        (folder / f"{card['name']}.yaml").write_text(yaml.safe_dump(facts), encoding="utf-8")
    return folder


def open_host(folder: Path, url: str | None = None, seed: int = 1) -> Acquirer:
    """An acquirer on a database in `folder` (or at `url`)."""
    return Acquirer(
        url or f"sqlite:///{folder}/host.db",
        clock=lambda: NOW,
        random=random.Random(seed).randbytes,
        deck_folder=write_deck(folder / "deck"),
    )


def till(acquirer: Acquirer) -> Terminal:
    """A terminal that speaks to the acquirer in this process, frame by frame."""

    async def send(frame: bytes) -> bytes | None:
        sent = await acquirer.respond_to(frame)
        return sent[0].data[2:] if sent else None

    return Terminal(send)


def balance(acquirer: Acquirer, last_four: str = "1234") -> int:
    """What is left on the account whose number ends so, in fen."""
    (row,) = [row for row in acquirer.accounts() if row["card"].endswith(last_four)]
    return row["balance"]

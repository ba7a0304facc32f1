"""Conversations of the deck's cards with lib/emv, recorded for the mutations of `emv_fuzz.py`.

Terminal randomness is a counter and the deck's keys are fixed, so that a replay asks the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.sim import cards
from tools.sim.cards import Card

sys.path.append(str(Path(__file__).resolve().parents[1] / "oracle"))
from emv_bench import Bench, Issuer, inserted, over_t0, tapped
from emv_cards import CA_KEYS, changed

LIMIT = 20_000  # fen that the cards made for offline approvals take by themselves
OFFLINE = {"floor_limit": 100_000, "tac_online": "dc4000f800"}
TAP_OFFLINE = {"contactless_floor": 100_000}
UNABLE = {"tac_default": "0000000000"}

Make = Callable[[], Card]


def deck(name: str) -> Make:
    """A card as its file says."""
    return lambda: cards.load(name)


def offline(name: str) -> Make:
    """A card that approves small amounts by itself, and wants no PIN for them."""
    return lambda: changed(name, offline_limit=LIMIT, cvm="00000000000000001F00")


# Name → card, how it is presented ("contact", "T=0" or "contactless"), what else the session has.
CONVERSATIONS: dict[str, tuple[Make, str, dict[str, Any]]] = {
    **{name: (deck(name), "contact", {}) for name in
       ("debit", "credit", "contact-only", "offline-pin", "multi", "prepaid", "expired",
        "blocked", "declines", "bad-oda")},
    "script": (deck("script"), "contact", {"scripts": True}),
    "unable": (offline("debit"), "contact", {"silent": True, "forced": True,
               "application": OFFLINE | UNABLE}),
    "offline DDA": (offline("debit"), "contact", {"application": OFFLINE}),
    "offline CDA": (offline("credit"), "contact", {"application": OFFLINE}),
    "offline SDA": (offline("contact-only"), "contact", {"application": OFFLINE}),
    **{f"{name} T=0": (deck(name), "T=0", {}) for name in ("debit", "credit", "offline-pin")},
    **{f"tap {name}": (deck(name), "contactless", {}) for name in
       ("debit", "credit", "phone", "multi", "declines")},
    "tap quick": (deck("quick"), "contactless", {"application": TAP_OFFLINE}),
    "tap bad-oda": (deck("bad-oda"), "contactless", {"application": TAP_OFFLINE}),
}  # fmt: skip


def recorded() -> list[dict[str, Any]]:
    """Every conversation; see `one`."""
    bench = Bench()
    try:
        return [one(bench, name) for name in CONVERSATIONS]
    finally:
        bench.close()


def one(bench: Bench, name: str) -> dict[str, Any]:
    """A conversation: name, wish, steps [request, answer], the host's reply, what it came to.

    `signed` are the READ RECORD commands for what the card's certificate or signature covers.
    """
    make, manner, more = CONVERSATIONS[name]
    card = make()
    answer = tapped(card) if manner == "contactless" else inserted(card)
    issuer = Issuer(card)
    if more.get("scripts"):
        contents = card.facts.scripts.values()
        issuer.scripts = [("72", bytes.fromhex(content)) for content in contents]
    replies: list[dict[str, str] | None] = []

    def host(request: dict[str, str]) -> dict[str, str] | None:
        replies.append(None if more.get("silent") else issuer(request))
        assert more.get("silent") or issuer.genuine, f"{name}: the ARQC is not pyemv's"
        return replies[-1]

    wish = {"interface": "contactless" if manner == "contactless" else "contact", "ca": CA_KEYS,
            "pins": ["1234"], "application": more.get("application", {}), "amount": 1234,
            "forced": more.get("forced", False),
            "date": "261123", "seed": 1}  # fmt: skip
    result = bench.run(wish, over_t0(answer) if manner == "T=0" else answer, host)
    steps = [list(step) for step in result["apdus"]]
    return {
        "name": name, "wish": wish, "steps": steps,
        "reply": replies[0] if replies else None,
        "decision": result.get("decision") or result.get("outcome") or result["error"],
        "elements": {tag: result["tags"][tag] for tag in result.get("tags", {})},
        "text": result.get("text", ""),
        "arqc": result.get("receipt", {}).get("arqc", ""),
        "signed": signed(result.get("tags", {}).get("94", "")),
    }  # fmt: skip


def signed(locator: str) -> list[str]:
    """READ RECORD commands for the signed records of an AFL (Book 3 10.2)."""
    afl = bytes.fromhex(locator)
    return [
        bytes((0x00, 0xB2, afl[at + 1] + n, afl[at] & 0xF8 | 0x04, 0x00)).hex()
        for at in range(0, len(afl), 4)
        for n in range(afl[at + 3])
    ]

"""Cards of the deck with something changed: what their files say, or what their records hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pyemv import tlv

from tools.sim import cards
from tools.sim.cards import Card, ber
from tools.sim.cards.authority import authority_keys

CA_KEYS = [each.public() for each in authority_keys().values()]

Answer = Callable[[bytes], bytes]


def changed(name: str, oda: dict[str, Any] | None = None, **facts: Any) -> Card:
    """The deck's card with other facts of its first application. `oda`: of its authentication."""
    card = cards.load(name).facts
    first = replace(card.applications[0], **facts)
    if oda is not None:
        first = replace(first, oda=replace(first.oda, **oda))
    return Card(replace(card, applications=(first, *card.applications[1:])))


def where(card: Card, tag: str) -> tuple[int, int]:
    """The record of the first application that holds the element."""
    records = card.applications[0].records
    return next(place for place, data in records.items() if tag in tlv.decode(data)["70"])


def rewrite(card: Card, tag: str, value: bytes | None) -> Card:
    """Give an element another value in its record, or take it out (None)."""
    records, place = card.applications[0].records, where(card, tag)
    found = tlv.decode(records[place])["70"] | {tag: value}
    parts = [ber.tlv(name, held) for name, held in found.items() if held is not None]
    records[place] = ber.tlv("70", *parts)
    return card


def element(card: Card, tag: str) -> bytes:
    """An element of the first application's records."""
    value: bytes = tlv.decode(card.applications[0].records[where(card, tag)])["70"][tag]
    return value


def flipped(value: bytes, at: int, mask: int = 0x01) -> bytes:
    """`value` with bits of one byte inverted."""
    return value[:at] + bytes((value[at] ^ mask,)) + value[at + 1 :]


def tampered(answer: Answer, instruction: int, change: Callable[[bytes], bytes]) -> Answer:
    """A card whose good answers to one instruction are changed on their way."""

    def converse(command: bytes) -> bytes:
        said = answer(command)
        if command[1] == instruction and said[-2:] == b"\x90\x00":
            return change(said)
        return said

    return converse

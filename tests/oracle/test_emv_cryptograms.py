"""Random transactions: every cryptogram is pyemv's over what lib/emv sent (Book 2 8.1).

The values are read from the APDUs on the wire and from field 55, not from the library's memory;
the card is the deck's, with keys derived by pyemv.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from emv_bench import Bench, Issuer, elements, inserted, tapped
from emv_cards import CA_KEYS
from pyemv import ac, kd, tlv

from tools.sim import cards
from tools.sim.cards import Card, ber

INPUT = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37")  # the deck's CVN 12


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """One interpreter for all of this file's sessions."""
    bench = Bench()
    yield bench
    bench.close()


def wished(source: random.Random) -> dict[str, Any]:
    """A transaction and a terminal that nobody foresaw."""
    day = "".join(f"{source.randrange(low, end):02d}" for low, end in ((25, 28), (1, 13), (1, 29)))
    return {
        "seed": source.randrange(1 << 29),
        "amount": source.randrange(10 ** source.randrange(1, 12)),
        "other": source.randrange(10 ** source.randrange(1, 6)), "date": day,
        "time": f"{source.randrange(24):02d}{source.randrange(60):02d}{source.randrange(60):02d}",
        "kind": source.choice((0x00, 0x01, 0x09, 0x20)), "forced": source.random() < 0.2,
        "data": {"9F1A": source.choice(("0156", "0840")), "5F2A": source.choice(("0156", "0344"))},
        "application": {"floor_limit": source.choice((0, 10**12))},
        "ca": CA_KEYS if source.random() < 0.25 else [], "pins": ["1234"],
        "pin": source.choice(("entered", "bypassed", "fault")),
    }  # fmt: skip


def genuine(card: Card, values: dict[str, bytes]) -> bytes:
    """pyemv's cryptogram for the first application of a card."""
    facts = card.applications[0].facts
    key = kd.derive_icc_mk_a(bytes.fromhex(card.facts.imk), facts.pan, f"{facts.psn:02d}")
    session = kd.derive_common_sk(key, values["9F36"] + bytes(6))
    data = b"".join(values[tag] for tag in (*INPUT, "82", "9F36", "9F10"))
    return bytes(ac.generate_ac(session, data, ac.PaddingType.EMV))


def on_the_wire(card: Card, result: dict[str, Any]) -> int:
    """Check the cryptogram of each GENERATE AC; how many there were."""
    facts, count = card.applications[0].facts, 0
    profile = bytes.fromhex(result["tags"]["82"])
    for command, answer in result["apdus"]:
        if not command.startswith("80ae"):
            continue
        sent = bytes.fromhex(command)
        wanted = facts.cdol1 if not count else f"8A:2 91:10 {facts.cdol1}"
        if count and facts.verify != "cdol2":
            wanted = f"8A:2 {facts.cdol1}"
        values = ber.split(ber.dol(wanted), sent[5 : 5 + sent[4]])
        found = tlv.decode(bytes.fromhex(answer[:-4]))
        if "80" in found:
            said = found["80"]
            values |= {"9F36": said[1:3], "9F26": said[3:11], "9F10": said[11:]}
        else:
            values |= found["77"]
        if "9F26" not in values:  # in a signature (CDA): what the library took out of it
            last = command == [c for c, _ in result["apdus"] if c.startswith("80ae")][-1]
            taken = result["tags"]["9F26"] if last else result["receipt"]["arqc"]
            values["9F26"] = bytes.fromhex(taken)
        assert values["9F26"] == genuine(card, values | {"82": profile}), (command, answer)
        count += 1
    return count


def play(bench: Bench, seed: int) -> int:
    """One random transaction; how many cryptograms it had."""
    source = random.Random(seed)
    wish, name = wished(source), source.choice(("debit", "credit", "offline-pin", "prepaid"))
    card = cards.load(name)
    issuer = Issuer(card, source.choice(("00", "51")), spoil=source.random() < 0.1)
    if source.random() < 0.2:
        result = bench.run({**wish, "interface": "contactless"}, tapped(card))
        if result["outcome"] != "online":
            return 0
        values = elements(bytes.fromhex(result["field55"]))
        assert values["9F26"] == genuine(card, values), (seed, result)
        return 1
    result = bench.run(wish, inserted(card), issuer if source.random() < 0.8 else None)
    if issuer.request:
        assert issuer.request["9F26"] == genuine(card, issuer.request), (seed, "field 55")
    assert not result["left"], seed
    return on_the_wire(card, result)


def test_a_thousand_random_transactions_have_pyemv_s_cryptograms(bench: Bench) -> None:
    assert sum(play(bench, seed) for seed in range(1000)) > 1200


@pytest.mark.long
@pytest.mark.parametrize("block", range(20))
def test_a_hundred_thousand_random_transactions_have_pyemv_s_cryptograms(
    bench: Bench, block: int
) -> None:
    first = 1000 + block * 5000
    assert sum(play(bench, seed) for seed in range(first, first + 5000)) > 6000

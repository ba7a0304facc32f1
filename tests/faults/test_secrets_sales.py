"""Ten thousand sales with random PINs leave no PIN, key or track behind (the nightly).

Each shop is one terminal from power-on to a batch that is nearly full. Its sales are by chip or
by tap, each with a PIN of its own that the acquirer learns just before. Every SCAN_EVERY sales and
at the end, the firmware's whole memory is searched for every PIN, PIN block, track and key so far;
at the end also the flash image, the console, the trace, the paper and the acquirer's books. PINs
of 12 digits are searched for in every form, shorter ones by their clear and enciphered blocks.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import os
import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from searching import (
    Secrets,
    Wire,
    judge_memory,
    judge_writings,
    pin_forms,
    searchable,
    track_forms,
    writings,
    written,
)
from whole import PIN, PRESENT, Shop, played

from tools.acquirer import server, testbed
from tools.acquirer.host import Answer
from tools.acquirer.wire import Message
from tools.sim import simulation

SALES = int(os.environ.get("SUANPAN_SALES", "10000"))
A_SHOP, SCAN_EVERY = 800, 100
PAN = "6225880000071234"  # of the deck's debit card
PRESS_S = 0.020  # five scans: three that agree, and one to spare on each side
SHOPS = -(-SALES // A_SHOP)


class Till:
    """The sales of one shop, and what none of them may leave behind."""

    def __init__(self, shop: Shop, wire: Wire, rng: random.Random) -> None:
        self._shop, self._wire, self._rng = shop, wire, rng
        self.memory, self.texts = Secrets(), Secrets()
        self.pin_blocks: set[str] = set()
        self._issued: set[str] = set()

    def _issue_pin(self) -> str:
        """A new PIN for the card, known to its issuer. 000…1 would leave nothing to search for.

        None comes twice: it would have the same PIN block as before, under the same key.
        """
        pin = ""
        while not pin or pin in self._issued or not searchable(pin_forms(pin, PAN)):
            length = self._rng.choice((4, 5, 6, 6, 6, 8, 10, 12, 12, 12))
            pin = "".join(self._rng.choice("0123456789") for _ in range(length))
        self._issued.add(pin)
        cards = self._shop.sim.acquirer._host._cards
        cards[PAN] = dataclasses.replace(cards[PAN], pin=pin)
        return pin

    async def _press(self, keys: str) -> None:
        """Keys as short as the driver takes them: each millisecond of a press is scanned for."""
        for key in keys.split():
            self._shop.sim.keypad.press(key)
            await asyncio.sleep(PRESS_S)
            self._shop.sim.keypad.release(key)
            await asyncio.sleep(PRESS_S)

    async def sell(self) -> None:
        """One sale with PIN, to idle; what it must not leave behind is kept."""
        shop, pin = self._shop, self._issue_pin()
        await self._press(" ".join(str(self._rng.randrange(300, 1000))) + " ENTER")
        assert await shop.see(PRESENT)
        await shop.do(card={self._rng.choice(("insert", "tap")): "debit"})
        assert await shop.see(PIN)
        await self._press(" ".join(pin) + " ENTER")
        assert await shop._paper()
        assert self._wire.pin_block not in self.pin_blocks
        self.pin_blocks.add(self._wire.pin_block)
        forms = {**pin_forms(pin, PAN), **self._wire.pin_blocks()}
        self.memory.add({**forms, **track_forms(self._wire.track)})
        tracks = track_forms(self._wire.track).items()
        forms.update((name, form) for name, form in tracks if "number" not in name)
        self.texts.add(written(forms))


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("number", range(SHOPS))
def test_ten_thousand_sales(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire()

    class Overheard(server.Acquirer):
        def _answer(self, request: Message, forced: str | None) -> Answer:
            answer = super()._answer(request, forced)
            wire.note(request, answer)
            return answer

    monkeypatch.setattr(simulation, "Acquirer", functools.partial(Overheard))
    count = min(A_SHOP, SALES - number * A_SHOP)

    async def story(shop: Shop) -> None:
        till = Till(shop, wire, random.Random(number))
        for sale in range(1, count + 1):
            await till.sell()
            if sale % SCAN_EVERY == 0 or sale == count:
                judge_memory(shop, wire, till.memory)
        assert len(till.pin_blocks) == count
        shop.judge_settled()
        shop.timeline.write(tmp_path / "trace")
        till.texts.add(written({"master key": testbed.TMK, **wire.working_keys()}))
        judge_writings(writings(shop, tmp_path / "trace"), till.texts, [PAN])

    played(tmp_path / "simulation", story)

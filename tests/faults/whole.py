"""A shopkeeper for the fault tests: works a simulated terminal by its keys, and counts the money.

Everything is done as a merchant would, and seen as one would see it; the books of both sides are
read only to judge. A terminal may lose its power at any moment of what is done here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tools.sim import clock, glyphs
from tools.sim.actions import perform
from tools.sim.expectations import Stage, until
from tools.sim.scenario import START_DEFAULTS
from tools.sim.simulation import Simulation
from tools.sim.start import bring_up
from tools.sim.timeline import Timeline

IDLE, PRESENT, PIN, TEAR = "请输入金额", "请插卡", "请输入密码", "请撕下商户存根"
LOGIN, PASSWORD, TAKE = "请输入操作员号", "请输入操作员密码", "请取卡"
BROKEN = "程序异常"  # the screen of an error that nobody gave words to


class Shop:
    """One terminal and its acquirer, from power-on to the last look into the books.

    `falls` is how often its counter may fall over an error that nobody gave words to: never,
    unless the test makes a device raise one. `board` goes to the Simulation: `path`, `images`.
    """

    def __init__(self, folder: Path, falls: int = 0, **board: Any) -> None:
        self.start = dict(START_DEFAULTS)
        self.falls = falls
        self.sim = Simulation(True, int(self.start["seed"]), folder, self.start, **board)
        self.timeline = Timeline()
        self.sim.events.subscribe(self.timeline.add)
        self.sim.events.subscribe(self._count_drawings)
        self._drawings = 0
        self.stage = Stage(self.sim, self.timeline, None)

    async def open(self) -> None:
        """Power on, log in, sign on, idle."""
        await bring_up(self.stage, self.start)

    async def close(self) -> None:
        """End it. AssertionError if the counter's task fell oftener than the test made it."""
        await self.sim.stop()
        console = (self.sim.folder / "console.log").read_text(encoding="utf-8")
        assert console.count("fault: counter") == self.falls, console[-3000:]

    def _count_drawings(self, event: dict[str, Any]) -> None:
        self._drawings += event["kind"] == "screen"

    def shows(self, *texts: str) -> bool:
        """One of the texts stands on the display."""
        pixels = self.sim.lcd.pixels()
        return any(glyphs.find(pixels, text) for text in texts)

    async def see(self, *texts: str, limit: float = 130) -> bool:
        """Wait for one of the texts; False when the power went. AssertionError if none comes."""
        looked = -1

        def reached_it() -> bool:
            """Reading glyphs off the display costs more than all else: only what is new is."""
            nonlocal looked
            if not self.sim.powered:
                return True
            if looked == self._drawings:
                return False
            looked = self._drawings
            return self.shows(*texts)

        reached = await until(self.stage, reached_it, limit)
        self.sim.check()
        assert reached, f"none of {texts} came; the screen shows {self.stage.screen_text()}"
        return bool(self.sim.powered)

    async def do(self, **step: Any) -> None:
        """One scenario step."""
        await perform(self.sim, step)

    async def key(self, keys: str) -> None:
        """Press keys."""
        await perform(self.sim, {"key": keys})

    async def present(self, card: Any) -> None:
        """Put a card object, made for the test, into the slot."""
        self.sim.cards[card.name] = card
        self.sim.reader.insert(card)

    async def take_back(self) -> None:
        """The payer takes whatever card is there."""
        if self.sim.reader.card is not None:
            self.sim.reader.remove()
        for card in list(self.sim.nfc.cards):
            self.sim.nfc.untap(card)
        await asyncio.sleep(1)

    async def chip_sale(self, amount: str = "5 00", card: str = "debit") -> bool:
        """A sale with PIN, to idle; False when the power went meanwhile."""
        await self.key(amount + " ENTER")
        if not await self.see(PRESENT):
            return False
        await self.do(card={"insert": card})
        if not await self.see(PIN):
            return False
        await self.key("1 2 3 4 5 6 ENTER")
        return await self._paper()

    async def tap_sale(self, amount: str = "1 00", card: str = "quick") -> bool:
        """A small sale by tap, to idle; False when the power went meanwhile."""
        await self.key(amount + " ENTER")
        if not await self.see(PRESENT):
            return False
        await self.do(card={"tap": card})
        return await self._paper()

    async def _paper(self) -> bool:
        if not await self.see(TEAR):
            return False
        await self.key("ENTER")
        await self.take_back()
        return await self.see(IDLE)

    async def to_idle(self) -> None:
        """Whatever the screen says: take the card back, read and close until idle."""
        await self.take_back()
        for _ in range(8):
            if self.shows(IDLE):
                return
            assert not self.shows(BROKEN), self.stage.screen_text()
            await self.key("CANCEL")
            await asyncio.sleep(4)
        raise AssertionError("never idle again: " + self.stage.screen_text())

    async def power_again(self) -> bool:
        """After a cut: the card is taken, the power comes back, 01 logs in; False: cut again."""
        await self.take_back()
        await self.sim.power_on()
        if not await self.see(LOGIN):
            return False
        await self.key("0 1 ENTER")
        if not await self.see(PASSWORD):
            return False
        await self.key("0 0 0 1 ENTER")
        return await self.see(IDLE)

    def judge_owed(self) -> None:
        """What the books differ by is what the terminal says that it owes, or part of it."""
        books, owed = self.sim.comparison(), self.sim.owed()
        assert not books["only_terminal"], books
        known = {(row["batch"], row["trace"], row["amount"]) for row in owed}
        for row in books["only_host"]:
            assert (row["batch"], row["trace"], row["amount"]) in known, (row, owed)

    def judge_settled(self) -> None:
        """Nothing is owed, both books are equal, and nothing was posted twice."""
        assert not self.sim.owed(), self.sim.owed()
        books = self.sim.comparison()
        assert books["difference"] == 0, books
        assert not books["only_host"], books
        assert not books["only_terminal"], books
        posted = [(row["batch"], row["trace"]) for row in self.sim.postings()]
        assert len(posted) == len(set(posted)), posted


def played(
    folder: Path,
    story: Callable[[Shop], Coroutine[Any, Any, None]],
    path: str = ".frozen",
    falls: int = 0,
) -> None:
    """Run a story in a shop of its own (see Shop) on the virtual clock."""

    async def whole() -> None:
        shop = Shop(folder, falls, path=path)
        try:
            await shop.open()
            await story(shop)
        finally:
            await shop.close()

    clock.run(whole())

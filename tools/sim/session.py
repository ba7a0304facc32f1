"""One sitting at the simulated terminal: up to idle, on in real time, and through crashes.

The morning (boot, login, sign-on) runs as fast as it can; then the clock runs at `speed`. Whatever
stops the firmware is kept in words, and the terminal can be powered on again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.sim.actions import ActionError
from tools.sim.books import BooksError
from tools.sim.clock import ClockStopped
from tools.sim.expectations import ExpectationError, Stage
from tools.sim.goldens import Pictures
from tools.sim.provision import ProvisionFailed
from tools.sim.scenario import START_DEFAULTS
from tools.sim.simulation import Simulation, SimulationError
from tools.sim.start import bring_up
from tools.sim.timeline import Timeline

LANGUAGES = ("zh", "en")
SPEEDS = {"1": 1, "10": 10, "max": 0}
STATE = "session.json"


def remembered(folder: Path) -> dict[str, Any]:
    """What an earlier session left about the terminal in `folder`; empty when there is none."""
    try:
        return dict(json.loads((folder / STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return {}


class Session:
    """The simulation with its timeline and its clock. `changed()` is called when `state()` is new.

    `own_books`: the acquirer's database belongs to this simulation and may start anew with it.
    """

    def __init__(self, sim: Simulation, timeline: Timeline, start: dict[str, Any],
                 own_books: bool = True) -> None:
        self.sim, self.timeline = sim, timeline
        self.stage = Stage(sim, timeline, Pictures("page"))
        self.start_values = {**START_DEFAULTS, **start}
        self.own_books = own_books
        self.speed = "1"
        self.trouble = ""
        self.ready = False
        self._flash: list[Any] = []
        self.changed: Callable[[], None] = lambda: None
        sim.events.subscribe(timeline.add)
        sim.events.subscribe(self._event)
        sim.flash.on_operation = self._flash_operation

    def state(self) -> dict[str, Any]:
        """What the page says about the terminal: power, readiness, trouble, language, speed."""
        return {"type": "state", "on": self.sim.powered, "ready": self.ready,
                "trouble": self.trouble, "language": self.sim.language, "speed": self.speed}

    async def bring_up(self) -> None:
        """Boot, log in and sign on with time running freely, then at the chosen speed."""
        self.ready, self.trouble = False, ""
        self.changed()
        try:
            with self.free_running():
                await bring_up(self.stage, self.start_values)
        except (ExpectationError, SimulationError, ClockStopped) as error:
            self._fail(f"the terminal did not come up: {error}")
        self.ready = True
        self._remember()
        self.changed()

    def free_running(self) -> contextlib.AbstractContextManager[None]:
        """A stretch in which nothing waits on the host's clock."""
        return self._at_speed(0)

    def playing(self) -> contextlib.AbstractContextManager[None]:
        """A stretch in which a scenario plays: `max` counts only here, hands need real time."""
        return self._at_speed(SPEEDS[self.speed])

    @contextlib.contextmanager
    def _at_speed(self, speed: int) -> Any:
        self.sim.clock.speed = speed
        try:
            yield
        finally:
            self.sim.clock.speed = self._by_hand()

    def _by_hand(self) -> int:
        return SPEEDS[self.speed] or 1

    def set_speed(self, word: str) -> None:
        """'1', '10' or 'max' (as fast as it goes while a scenario plays). ActionError."""
        if word not in SPEEDS:
            raise ActionError(f"no speed '{word}'; there are {', '.join(SPEEDS)}")
        self.speed = word
        self.sim.clock.speed = self._by_hand()
        self.changed()

    async def speak(self, language: str) -> None:
        """Go on with a terminal of that language: a new one, so both sides' books start anew."""
        if language not in LANGUAGES:
            raise ActionError(f"no language '{language}'; there are {', '.join(LANGUAGES)}")
        if not self.ready:
            raise ActionError("the terminal is still starting")
        if not self.own_books:
            raise ActionError("the acquirer's books are in a database of yours, and a terminal in "
                              "another language needs empty ones: start again with --language")
        self.ready = False
        self.changed()
        self.take_cards_away()
        self.sim.cards.clear()
        self.sim.failure = None
        self.start_values["language"] = language
        try:
            await self.sim.speak(language)
        except ProvisionFailed as error:
            self._fail(f"no terminal could be provisioned: {error}")
            self.ready = True
            return
        await self.bring_up()

    def take_cards_away(self) -> None:
        """No card in the slot or in the field."""
        self.sim.reader.remove()
        for card in list(self.sim.nfc.cards):
            self.sim.nfc.untap(card)

    async def power_on(self) -> None:
        """Power, also after a crash: what went wrong then is over."""
        self.trouble, self.sim.failure, self.sim.network.failure = "", None, None
        await self.sim.power_on()
        self.changed()

    def books(self) -> dict[str, Any]:
        """The acquirer's postings and how the terminal's journal compares; trouble in words."""
        postings = self.sim.postings()
        try:
            comparison, owed = self.sim.comparison(), self.sim.owed()
        except (BooksError, UnicodeDecodeError, IndexError) as error:
            return {"type": "books", "postings": postings, "difference": None, "owed": [],
                    "trouble": f"the terminal's journal cannot be read: {error}"}
        only = {side: {(row["batch"], row["trace"]) for row in comparison[f"only_{side}"]}
                for side in ("host", "terminal")}
        for row in postings:
            row["alone"] = (row["batch"], row["trace"]) in only["host"]
        return {"type": "books", "postings": postings, "host": comparison["host"],
                "terminal": comparison["terminal"], "difference": comparison["difference"],
                "only_terminal": comparison["only_terminal"], "owed": owed, "trouble": ""}

    async def watch(self) -> None:
        """Show what a host or the firmware died of; ends only when cancelled."""
        while True:
            await asyncio.sleep(0.5)
            failure = self.sim.network.failure
            if failure is not None and not self.trouble:
                self._fail(f"a host failed: {type(failure).__name__}: {failure}")

    def _flash_operation(self, kind: str, address: int, length: int) -> None:
        """Tell the pages or blocks of one access, which come in one go, as one event."""
        if self._flash and self._flash[0] == kind and sum(self._flash[1:]) == address:
            self._flash[2] += length
            return
        self._tell_flash()
        self._flash = [kind, address, length]
        asyncio.get_running_loop().call_soon(self._tell_flash)

    def _tell_flash(self) -> None:
        if not self._flash:
            return
        kind, address, length = self._flash
        self._flash = []
        for part in self.sim.flash.partitions:
            if part.offset <= address < part.offset + part.size:
                self.sim.events.emit("flash", operation=kind, partition=part.label,
                                     address=f"{address - part.offset:06X}", length=length)

    def _fail(self, words: str) -> None:
        self.trouble = words
        self.changed()

    def _event(self, event: dict[str, Any]) -> None:
        if event["kind"] == "crash":
            self._fail(str(event["error"]))
        elif event["kind"] in ("power", "reset"):
            self.changed()

    def _remember(self) -> None:
        path = self.sim.folder / STATE
        path.write_text(json.dumps({"language": self.sim.language}), encoding="utf-8")

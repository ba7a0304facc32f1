"""The simulated terminal: the machine with every chip of the board, and the acquirer it calls.

Runs on a BoardLoop: `tools.sim.clock.run(story())` for virtual time, `run(…, speed=1)` for real.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from ssl import SSLContext
from typing import Any

from tools.acquirer import pki, testbed
from tools.acquirer.server import Acquirer
from tools.sim import books, provision
from tools.sim.chips.buzzer import Buzzer
from tools.sim.chips.ccid import CcidReader
from tools.sim.chips.keypad import Keypad
from tools.sim.chips.lamps import Lamps
from tools.sim.chips.pn532 import Pn532
from tools.sim.chips.st7789 import ST7789
from tools.sim.chips.thermal import ThermalPrinter
from tools.sim.machine import Events, FirmwareCrashed, Machine, SimulationError
from tools.sim.process import HEAP, INTERPRETER

__all__ = ["Events", "FirmwareCrashed", "Simulation", "SimulationError"]

BOOKS = "acquirer.db"
START_LOCAL = datetime(2026, 11, 23, 9, 0)  # provision.START in the shop's time
HOSTS = {testbed.PRIMARY_HOST: "10.85.83.1", testbed.BACKUP_HOST: "10.85.83.2"}
CERTIFICATES = {
    testbed.PRIMARY_HOST: "primary",
    testbed.BACKUP_HOST: "backup",
}


class Simulation(Machine):
    """A provisioned terminal on the bench, with its acquirer.

    `start` is a scenario's (merchant, language, fresh, clock, pins); `folder` keeps flash, secret
    and console, and is used again as it is when it holds a flash image already. Chips: `keypad`,
    `lcd`, `printer`, `reader`, `nfc`, `lamps`, `buzzer`. Call `start()`, and `stop()` at the end.
    `database` is the URL of the acquirer's books; a file BOOKS in the folder goes with `speak`.
    `cards`: what was presented, by name; `own_cards`: files of cards beside the deck's, by name.
    """

    def __init__(
        self,
        virtual: bool = True,
        seed: int = 1,
        folder: Path = Path("build/simulation"),
        start: Mapping[str, Any] | None = None,
        interpreter: Path = INTERPRETER,
        path: str = ".frozen",
        database: str = "sqlite://",
        images: Mapping[str, str] | None = None,
        console: bool = False,
        heap: str = HEAP,
    ):
        self._database = database
        folder = folder.resolve()  # the firmware runs in a folder of its own
        self._wanted = dict(start or {})
        if not (folder / "flash.bin").exists():
            provision.copy(provision.made(self._wanted, interpreter), folder)
        super().__init__(
            folder,
            seed,
            interpreter=interpreter,
            path=path,
            environment={
                "SUANPAN_DEVICE_SECRET": str(folder / provision.SECRET),
                **_pin_policy(self._wanted.get("pins")),
            },
            images=images,
            console=console,
            heap=heap,
        )
        if virtual != (self.clock.speed == 0):
            raise SimulationError("the loop's time is not the kind that the simulation wants")
        if self._wanted.get("clock", False):
            self.wall = provision.START
        self.language = str(self._wanted.get("language", "zh"))
        self.faults: dict[str, Any] = {}
        self.cards: dict[str, Any] = {}
        self.own_cards: dict[str, Path] = {}
        self._random = random.Random(f"acquirer {seed}")
        self._attach()
        self._open_books()

    def local_time(self) -> datetime:
        """What the clocks on the wall say, in the shop's time."""
        return START_LOCAL + timedelta(microseconds=self.clock.now())

    async def start(self) -> None:
        """Power on."""
        await self.power_on()

    async def stop(self) -> None:
        """End the firmware, the hosts and the acquirer; the flash image stays in the folder."""
        await super().stop()
        self.acquirer.close()

    async def speak(self, language: str) -> None:
        """Go on with a terminal provisioned in 'zh' or 'en', and empty books on both sides."""
        await self.power_off()
        self._wanted["language"] = self.language = language
        made = await asyncio.to_thread(provision.made, self._wanted)
        for name in provision.FILES:
            (self.folder / name).unlink(missing_ok=True)
        provision.copy(made, self.folder)
        self.flash.load()
        self.acquirer.close()
        for file in self.folder.glob(f"{BOOKS}*"):
            file.unlink()
        self._open_books()
        await self.power_on()

    # ---- the books

    def postings(self) -> list[dict[str, Any]]:
        """The acquirer's postings of this terminal, oldest first."""
        return self.acquirer.ledger(testbed.TERMINAL)

    def comparison(self) -> dict[str, Any]:
        """The acquirer's books against the terminal's journal (acquirer.ledger.compare)."""
        return self.acquirer.difference(testbed.TERMINAL, books.counted(self.flash))

    def difference(self) -> int:
        """The acquirer's total less the terminal's, in fen."""
        return int(self.comparison()["difference"])

    def owed(self) -> list[dict[str, Any]]:
        """What the terminal has still to settle with the acquirer."""
        return books.owed(self.flash)

    # ---- wiring

    def _open_books(self) -> None:
        """An acquirer with empty books behind both of its names."""
        self.acquirer = Acquirer(
            self._database, clock=self.local_time, random=self._random.randbytes
        )
        self.acquirer.subscribe(self._acquirer_event)
        for name, address in HOSTS.items():
            certificates = _certificates(CERTIFICATES[name])
            self.network.listen(name, address, testbed.PORT, self.acquirer.serve, certificates)
        for path in self.own_cards.values():
            self.acquirer.issue_card(path)

    def _attach(self) -> None:
        board = self.board
        self.keypad = Keypad()
        self.lcd = ST7789()
        self.printer = ThermalPrinter()
        self.reader = CcidReader()
        self.nfc = Pn532()
        self.lamps = Lamps()
        self.buzzer = Buzzer()
        board.attach_lines(
            "keypad",
            self.keypad,
            {f"ROW{i}": f"KEY_ROW{i}" for i in range(5)},
            {f"COL{i}": f"KEY_COL{i}" for i in range(4)},
        )
        board.attach_spi("lcd", "LCD_CS", self.lcd, {"DC": "LCD_DC"}, {})
        board.attach_pwm("LCD_BACKLIGHT", self._backlight)
        board.attach_spi("nfc", "NFC_CS", self.nfc, {}, {"irq": "NFC_IRQ"})
        board.attach_uart("PRINTER", self.printer)
        board.attach_uart("READER", self.reader)
        board.attach_bits("lamps", "LAMPS", self.lamps)
        board.attach_lines("buzzer", self.buzzer, {}, {})
        board.attach_pwm("BUZZER", self.buzzer.tone)

    def _backlight(self, frequency: int, duty: int) -> None:
        self.lcd.line("BACKLIGHT", round(duty * 100 / 65535))

    def _acquirer_event(self, event: dict[str, Any]) -> None:
        if event["kind"] == "iso8583":
            direction = "request" if event["direction"] == "in" else "reply"
            event = {**event, "kind": "iso", "direction": direction}
        self.events.emit(**event)


def _pin_policy(limits: Mapping[str, int] | None) -> dict[str, str]:
    """pinmac's limits of PIN entry, for the sim board's port; None: as it comes, without any."""
    if limits is None:
        return {}
    policy = (limits["per-hour"], limits["at-once"], 1000 * limits["seconds"])
    return {"SUANPAN_PIN_POLICY": ",".join(map(str, policy))}


def _certificates(good: str) -> Any:
    contexts: dict[str, SSLContext] = {}

    def context(kind: str) -> SSLContext:
        name = good if kind == "good" else kind
        if name not in contexts:
            contexts[name] = pki.server_context(name)
        return contexts[name]

    return context


def forget(folder: Path) -> None:
    """Remove a simulation's folder, so that the next one starts with a new terminal."""
    shutil.rmtree(folder, ignore_errors=True)

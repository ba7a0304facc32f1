"""One device gets its numbers, papers and master key, tests itself, and is recorded and labelled.

The order: who it is → the record admits it → begin → key, and its check value → papers →
self-test → finish, which reads the keys back from flash → record → label. Whatever fails, the
device is told to forget all: it holds no keys, and says so at its next start. One that went away
when it was told to finish may hold them, for its answer is lost: the record says so.
"""

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tools.workshop import injection, label
from tools.workshop.console import LIMIT_S, Console, StepRefused
from tools.workshop.custody import MasterKey
from tools.workshop.faults import (
    DEVICE_STOPPED,
    KEY_NOT_KEPT,
    KEY_REFUSED,
    PAPERS_REFUSED,
    SELF_TEST_FAILED,
    WRONG_KCV,
    DeviceFault,
    Fault,
)
from tools.workshop.papers import Shop
from tools.workshop.records import Records
from tools.workshop.station import Show, Try

Answer = TypeVar("Answer")
MASTER_SLOT = "0"  # the firmware's, in the answer to `finish`
# The fault of a step that the device refuses; those of the papers are PAPERS_REFUSED.
REFUSALS = {
    "identity": DEVICE_STOPPED,
    "begin": DEVICE_STOPPED,
    "component": KEY_REFUSED,
    "block": KEY_REFUSED,
    "selftest": SELF_TEST_FAILED,
    "finish": KEY_NOT_KEPT,
}


@dataclass(frozen=True)
class Injection:
    """What this station gives to every device.

    serial, terminal: a number, or one with '+' to count on from. again: also a device that has its
    keys. every_part: a part that is missing fails the self-test even if it is not essential.
    labels: the folder for them.
    """

    operator: str
    shop: Shop
    key: MasterKey
    serial: str
    terminal: str
    again: bool = False
    every_part: bool = True
    labels: Path = Path("labels")
    limit_s: float = LIMIT_S

    def device(self, port: str, records: Records, show: Show) -> "Provisioning":
        """One try at the device at a port."""
        return Provisioning(port, self, records, show)


class Provisioning(Try):
    """One try at one device."""

    def __init__(self, port: str, order: Injection, records: Records, show: Show) -> None:
        super().__init__(port, "provision", order.operator, records, show)
        self._order = order
        self._console = Console(port, order.limit_s)
        # A thread of its own: asyncio's few are not enough for many devices that let wait.
        self._thread = ThreadPoolExecutor(1, f"console {port}")
        self._notes: dict[str, Any] = {}
        self._step = 0
        self._doing = ""  # the step that was last sent

    def _facts(self) -> dict[str, Any]:
        order = self._order
        return {"custodians": order.key.custodians, **order.shop.facts()}

    def _results(self) -> dict[str, Any]:
        return self._notes

    async def _talk(self) -> None:
        try:
            await self._wait(self._console.open)
            await self._meet()
            try:
                await self._inject()
            except DeviceFault as failure:
                failure.detail += await self._forget()
                raise
        except asyncio.CancelledError:
            self._console.stop()
            raise
        finally:
            await self._wait(self._console.close)
            self._thread.shutdown(wait=False)

    async def _wait(self, do: Callable[..., Answer], *arguments: Any) -> Answer:
        """Do what blocks, beside everything else."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, do, *arguments)

    async def _forget(self) -> str:
        """Have the device wipe what it got; '' or what is to be said where that is not sure.

        One that was not told to finish, and cannot hear this, forgets at its next start. After
        that step its program may be over: started anew, it empties the device as well.
        """
        finishing = self._doing == injection.FINISH["step"]
        for again in (False, True)[: 1 + finishing]:
            with contextlib.suppress(DeviceFault, StepRefused):
                if again:
                    await self._wait(self._console.open)
                await self._wait(self._console.ask, injection.ABANDON)
                return ""
        return "; it may hold its keys" if finishing else ""

    async def _meet(self) -> None:
        """Who it is; nothing was changed on it so far."""
        answer = await self._ask(injection.IDENTITY)
        serial = str(answer.get("serial", ""))
        if len(serial) != 12:
            raise DeviceFault(DEVICE_STOPPED, f"its own number is {serial!r}")
        outcome = self.outcome
        outcome.mac = ":".join(serial[at : at + 2] for at in range(0, 12, 2)).lower()
        self._notes["version"] = answer.get("version", "")
        outcome.serial, outcome.terminal = self._records.admit(
            self._attempt, outcome.mac, self._order.serial, self._order.terminal, self._order.again
        )

    async def _inject(self) -> None:
        await self._ask(injection.BEGIN)
        await self._give_key()
        for step in self._order.shop.papers(self.outcome.serial, self.outcome.terminal).steps():
            await self._ask(step)
        await self._self_test()
        kept = await self._ask(injection.FINISH)
        kcv = kept.get("kcv", {}).get(MASTER_SLOT)
        if kcv != self._order.key.kcv:
            raise DeviceFault(KEY_NOT_KEPT, f"{kcv} came back, {self._order.key.kcv} went in")
        self._notes["kcv"] = kept["kcv"]

    async def _give_key(self) -> None:
        """The master key; WRONG_KCV unless it is the one of the letter."""
        key, answer = self._order.key, {}
        for part in key.components:
            step = injection.component(len(part), key.protects)
            answer = await self._ask(step, part)
        if key.block:
            answer = await self._ask(injection.key_block(key.block))
        if answer.get("kcv") != key.kcv:
            raise DeviceFault(WRONG_KCV, f"the device says {answer.get('kcv')}, not {key.kcv}")

    async def _self_test(self) -> None:
        results = (await self._ask(injection.SELF_TEST))["results"]
        self._notes["selftest"] = {r["name"]: r["error"] or "ok" for r in results}
        wanted = [r for r in results if r["essential"] or self._order.every_part]
        failed = [f"{r['name']}: {r['error']}" for r in wanted if r["error"] is not None]
        if failed or not results:
            raise DeviceFault(SELF_TEST_FAILED, "; ".join(failed))

    async def _ask(self, step: injection.Step, secret: bytearray | None = None) -> dict[str, Any]:
        """One step, shown; a refusal as the fault of that step."""
        name = self._doing = step["step"]
        self._step += 1
        steps = len(REFUSALS) + 4 + (not self._order.key.block) + len(self._order.shop.card_keys)
        event = {"event": "progress", "done": self._step, "total": steps + 1, "doing": name}
        self._show(self.outcome.port, event)
        try:
            return await self._wait(self._console.ask, step, secret)
        except StepRefused as refused:
            raise DeviceFault(_fault_of(name), str(refused)) from refused

    def _afterwards(self) -> None:
        """Draw the label; a full disk does not unmake the device."""
        outcome = self.outcome
        if outcome.fault is None:
            numbers = (outcome.serial, outcome.mac, outcome.terminal)
            try:
                outcome.label = str(label.save(self._order.labels, *numbers))
            except OSError as error:
                outcome.detail = f"no label: {error}; pos label draws it again"


def _fault_of(step: str) -> Fault:
    return REFUSALS.get(step, PAPERS_REFUSED)

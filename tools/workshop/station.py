"""A station: runs the programmer for each port, keeps the record, and says what happens.

What the programmer process claims is not enough for a success: its last word must be `verified`
with every hash of the manifest and the MAC it was let go on with, and it must have ended well.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from serial.tools import list_ports

from tools.workshop.faults import (
    FAULTS,
    INTERRUPTED,
    SECURED,
    TOOL_FAILED,
    UNPLUGGED,
    DeviceFault,
    Fault,
)
from tools.workshop.job import Job
from tools.workshop.manifest import Manifest
from tools.workshop.records import Records

ROOT = Path(__file__).resolve().parents[2]
RATES = (921_600, 460_800, 115_200)
# eFuses that esptool respects, for good reason: an image that is not encrypted does not start on a
# chip that decrypts, and erasing takes what it would start away.
LOCKS = ("flash_encryption", "secure_boot")
# USB makers of what ESP32-S3 boards carry: Espressif itself, CP210x, CH34x, FTDI.
MAKERS = {0x303A, 0x10C4, 0x1A86, 0x0403}


@dataclass(frozen=True)
class Order:
    """What this station does to every device.

    manifest: None when erasing. serial: '' for none, a number, or one with '+' to count on from.
    again: also devices that are finished already. loader, reset, rates: as in `Job`.
    """

    task: str
    manifest: Manifest | None
    flash_size: int
    operator: str
    serial: str = ""
    again: bool = False
    loader: str = "stub"
    reset: str = "default-reset"
    rates: tuple[int, ...] = RATES

    def device(self, port: str, records: Records, show: "Show") -> "Device":
        """One try at the device at a port."""
        return Device(port, self, records, show)

    def job(self, port: str) -> Job:
        """The programmer's job for one port."""
        regions = self.manifest.regions if self.manifest else ()
        return Job(port, self.task, self.loader, self.reset, self.rates, self.flash_size, regions)


@dataclass
class Outcome:
    """How one device went: fault is None once it is verified (or erased), and only then."""

    port: str
    task: str
    mac: str = ""
    serial: str = ""
    terminal: str = ""
    label: str = ""  # path of its label's PNG
    fault: Fault | None = TOOL_FAILED
    detail: str = ""
    rate: int = 0
    fallbacks: list[int] = field(default_factory=list)  # rates that were given up
    seconds: float = 0.0

    def as_json(self) -> dict[str, Any]:
        """For `--json`: the fault as code, name, and sentences in both languages."""
        tree = {k: v for k, v in vars(self).items() if k != "fault"}
        tree["seconds"] = round(self.seconds, 3)
        tree["result"] = self.fault.name if self.fault else "ok"
        if self.fault:
            tree["code"] = self.fault.code
            tree["cause"], tree["remedy"] = self.fault.cause, self.fault.remedy
        return tree


Show = Callable[[str, dict[str, Any]], None]


def found_ports() -> list[str]:
    """Ports whose USB maker is one of those that ESP32-S3 boards have."""
    return sorted(p.device for p in list_ports.comports() if p.vid in MAKERS)


@asynccontextmanager
async def _programmer() -> AsyncIterator[asyncio.subprocess.Process]:
    """The process for one port; it does not outlive this."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tools.workshop.programmer",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        limit=1 << 20,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


class Try:
    """One try at one device at one port: recorded from its beginning to its end."""

    def __init__(
        self, port: str, task: str, operator: str, records: Records, show: Show
    ) -> None:
        self.outcome = Outcome(port, task)
        self._operator = operator
        self._records = records
        self._show = show
        self._attempt = ""

    async def run(self) -> Outcome:
        """Do it, record how it went, and tell."""
        outcome = self.outcome
        began = time.monotonic()
        self._attempt = self._records.begin(
            outcome.task, outcome.port, self._operator, **self._facts()
        )
        try:
            await self._talk()
            outcome.fault = None
        except DeviceFault as failure:
            outcome.fault, outcome.detail = failure.fault, failure.detail
        except asyncio.CancelledError:
            outcome.fault = INTERRUPTED
            raise
        finally:
            outcome.seconds = time.monotonic() - began
            self._record()
            self._afterwards()
            self._show(outcome.port, {"event": "ended", "outcome": outcome})
        return outcome

    def _record(self) -> None:
        outcome = self.outcome
        facts = {"seconds": round(outcome.seconds, 3), **self._results()}
        if outcome.mac:
            facts["mac"] = outcome.mac
        if outcome.fault:
            facts["detail"] = outcome.detail
        result = outcome.fault.name if outcome.fault else "ok"
        self._records.end(self._attempt, result, **facts)

    def _facts(self) -> dict[str, Any]:
        """What the record says of its beginning."""
        return {}

    def _results(self) -> dict[str, Any]:
        """What the record says of its end, beside the result."""
        return {}

    def _afterwards(self) -> None:
        """What is left to do when the record has it."""

    async def _talk(self) -> None:
        """The work; DeviceFault unless everything was as it must be."""
        raise NotImplementedError


class Work(Protocol):
    """What a station does to every device."""

    def device(self, port: str, records: Records, show: Show) -> Try:
        """One try at the device at a port."""
        ...


class Device(Try):
    """One try at flashing or erasing: a programmer process does it."""

    def __init__(self, port: str, order: Order, records: Records, show: Show) -> None:
        super().__init__(port, order.task, order.operator, records, show)
        self._order = order
        self._done = False
        self._efuses: dict[str, Any] = {}

    def _facts(self) -> dict[str, Any]:
        order = self._order
        facts: dict[str, Any] = {"loader": order.loader, "rates": list(order.rates)}
        if order.manifest:
            facts |= {"image": order.manifest.sha256, "hashes": order.manifest.hashes()}
        return facts

    def _results(self) -> dict[str, Any]:
        results = {"rate": self.outcome.rate, "fallbacks": self.outcome.fallbacks}
        return results | ({"efuses": self._efuses} if self._efuses else {})

    async def _talk(self) -> None:
        """Until the programmer ends; DeviceFault unless everything was as it must be."""
        async with _programmer() as process:
            assert process.stdin and process.stdout and process.stderr
            errors = asyncio.create_task(process.stderr.read())
            await self._tell(process.stdin, self._order.job(self.outcome.port).to_json())
            async for line in process.stdout:
                event = json.loads(line)
                if event["event"] == "identified":
                    self._efuses = event["efuses"]
                    await self._answer(process, event["mac"])
                else:
                    self._take(event)
                self._show(self.outcome.port, event)
            code = await process.wait()
            if not self._done or code:
                words = (await errors).decode(errors="replace").strip().split("\n")
                raise DeviceFault(TOOL_FAILED, f"exit code {code}: {words[-1]}")
            errors.cancel()

    async def _answer(self, process: asyncio.subprocess.Process, mac: str) -> None:
        """Let it go on with this device, or let it go and pass the refusal on."""
        assert process.stdin
        try:
            await self._tell(process.stdin, json.dumps(self._let_go(mac)))
        except DeviceFault:
            await self._tell(process.stdin, json.dumps({"go": False}))
            await process.wait()
            raise

    @staticmethod
    async def _tell(pipe: asyncio.StreamWriter, line: str) -> None:
        with suppress(BrokenPipeError, ConnectionResetError):  # its end will say why
            pipe.write(line.encode() + b"\n")
            await pipe.drain()

    def _let_go(self, mac: str) -> dict[str, bool]:
        """Note the device's identity before its flash is touched; DeviceFault to refuse it."""
        order, outcome = self._order, self.outcome
        outcome.mac = mac
        locks = ("flash_encryption",) if order.task == "flash" else LOCKS
        if on := [name for name in locks if self._efuses[name]]:
            raise DeviceFault(SECURED, f"{mac}: {', '.join(on)}")
        if order.task == "erase":
            outcome.serial = self._records.identify(self._attempt, mac, again=True)
            return {"go": True}
        image = order.manifest.sha256 if order.manifest else ""
        resume = self._records.resumes(self._attempt, mac, image)
        outcome.serial = self._records.identify(self._attempt, mac, order.serial, order.again)
        return {"go": True, "resume": resume}

    def _take(self, event: dict[str, Any]) -> None:
        """Note an event; DeviceFault for a failed one."""
        outcome = self.outcome
        match event["event"]:
            case "connecting":
                outcome.rate = event["rate"]
            case "fallback":
                outcome.fallbacks.append(event["from"])
            case "failed":
                raise DeviceFault(FAULTS[event["fault"]], event["detail"])
            case "verified" | "erased":
                if event["mac"] != outcome.mac:
                    raise DeviceFault(UNPLUGGED, f"{event['mac']} answered in its place")
                manifest = self._order.manifest
                if manifest and event["hashes"] != manifest.hashes():
                    raise DeviceFault(TOOL_FAILED, "it verified something else")
                self._done = True


async def program(ports: list[str], order: Work, records: Records, show: Show) -> list[Outcome]:
    """All these ports at once, once; the outcomes in their order."""
    devices = [order.device(port, records, show) for port in ports]
    tasks = [asyncio.create_task(device.run()) for device in devices]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await _end(tasks)


async def _end(tasks: Collection[asyncio.Task[Outcome]]) -> None:
    """Stop those that run: when one cannot be recorded, the others cannot, and it has said so."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


class Watch:
    """Which ports have a device that has not been done yet.

    named: the ports to watch; none means all that are found. A board that restarts may leave the
    bus for a moment, so a port must be empty for `settle` seconds before what appears is new.
    """

    def __init__(self, named: list[str], settle: float = 2.0) -> None:
        self._named = named
        self._settle = settle
        self._last_seen: dict[str, float] = {}
        self._lost: set[str] = set()  # ports whose device left, and that were not empty since

    def fresh(self, at: float, busy: Collection[str] = ()) -> list[str]:
        """The ports with a new device at this time (seconds); never one that is busy."""
        here = [p for p in self._named if os.path.exists(p)] if self._named else found_ports()
        new = {p for p in here if at - self._last_seen.get(p, -1e9) > self._settle}
        self._lost.intersection_update(here)
        waiting = new.intersection(busy)  # it is new still when the port is free
        self._last_seen.update((port, at) for port in here if port not in waiting)
        return sorted(new - waiting)

    def left(self, port: str) -> None:
        """The device went away in the middle: what is at this port next is new, however soon.

        Only once while the port is not seen empty: a loose contact is not tried for ever.
        """
        if port not in self._lost:
            self._lost.add(port)
            self._last_seen.pop(port, None)


async def serve(
    watch: Watch, order: Work, records: Records, show: Show, count: int, poll: float = 0.2
) -> list[Outcome]:
    """Program each device as it is plugged in, until `count` of them ended (0: for ever)."""
    outcomes: list[Outcome] = []
    running: dict[str, asyncio.Task[Outcome]] = {}
    try:
        while not count or len(outcomes) < count:
            for port in watch.fresh(time.monotonic(), running):
                device = order.device(port, records, show)
                running[port] = asyncio.create_task(device.run(), name=port)
            if not running:
                await asyncio.sleep(poll)
                continue
            done, _ = await asyncio.wait(
                running.values(), timeout=poll, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                del running[task.get_name()]
                outcomes.append(task.result())
                if outcomes[-1].fault is UNPLUGGED:
                    watch.left(task.get_name())
    finally:
        await _end(running.values())
    return outcomes

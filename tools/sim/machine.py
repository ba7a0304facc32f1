"""A machine: the virtual board with power, flash, network and a firmware process, without chips.

Runs on a BoardLoop (tools.sim.clock.run). Everything worth seeing is an event on `events`.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tools.sim import clock as board_clock
from tools.sim.board import Board
from tools.sim.flash import Flash
from tools.sim.link import (
    TURN_LIMIT_S,
    Channel,
    FirmwareEnded,
    FirmwareHung,
    Link,
    LinkError,
    PowerLost,
)
from tools.sim.network import Network
from tools.sim.ota import SlotError, Slots
from tools.sim.process import HEAP, INTERPRETER, Firmware, Typing

EPOCH_2000_US = 946_684_800_000_000
CHIP_ID = bytes.fromhex("7CDFA1535041")

RESET_POWER, RESET_PIN, RESET_WATCHDOG, RESET_SOFTWARE = 1, 2, 3, 5


class SimulationError(Exception):
    """The simulation cannot go on; the message says what happened to the firmware."""


class FirmwareCrashed(SimulationError):
    """The firmware's process died; the message holds its traceback."""


class Events:
    """The timeline: every event is {"t": microseconds of board time, "kind": …, …}."""

    def __init__(self, now: Callable[[], int]):
        self._now = now
        self._listeners: list[Callable[[dict[str, Any]], None]] = []

    def subscribe(self, listener: Callable[[dict[str, Any]], None]) -> Callable[[], None]:
        """Call `listener(event)` for each event from now on; returns what ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def emit(self, kind: str, **fields: Any) -> None:
        """One event, now."""
        event = {"t": self._now(), "kind": kind, **fields}
        for listener in list(self._listeners):
            listener(event)


class Machine:
    """The virtual board with power and a firmware process.

    `program` is what the interpreter runs, `path` its MICROPYPATH, `stdin` a file for it to read.
    With `once` the program's end is no failure: `status` says how it ended. `images` gives the
    MICROPYPATH of what another application slot holds, by its label, where it is not `path`.
    With `console` somebody is at the USB console, and `type` is what they do there. `heap` is the
    interpreter's, as "256K".
    """

    def __init__(
        self,
        folder: Path,
        seed: int = 0,
        program: list[str] | None = None,
        path: str = ".frozen",
        interpreter: Path = INTERPRETER,
        environment: dict[str, str] | None = None,
        stdin: Path | None = None,
        once: bool = False,
        turn_limit_s: float = TURN_LIMIT_S,
        images: Mapping[str, str] | None = None,
        console: bool = False,
        heap: str = HEAP,
    ):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.seed = seed
        self.clock = board_clock.current()
        self.events = Events(self.clock.now)
        self.board = Board(self.clock, self._tell, self.events.emit)
        self.network = Network(self.clock, self._tell, self.events.emit, seed)
        self.flash = Flash(folder / "flash.bin", seed)
        self.slots = Slots(self.flash)
        self.failure: SimulationError | None = None
        self.status: int | None = None
        self.wall: int | None = None
        self._once = once
        self._off = asyncio.Event()
        self._turn_limit_s = turn_limit_s
        # Sees each frame of the firmware: channel, payload, microseconds of board time.
        self.on_frame: Callable[[int, bytes, int], None] | None = None
        self._firmware: Firmware | None = None
        self._link: Link | None = None
        self._boots = 0
        self._wall = 0
        self._memory = b""
        self._cause = RESET_POWER
        self._watchdog: Any = None
        self._watchdog_us = 0
        self._path = path
        self._images = dict(images or {})
        self._typing = Typing(folder / "console.in") if console else None
        self._start = {
            "program": program or ["-m", "start"],
            "interpreter": interpreter,
            "environment": environment,
            "stdin": self._typing.path if self._typing else stdin,
            "heap": heap,
        }

    @property
    def powered(self) -> bool:
        """The firmware runs."""
        return self._link is not None

    async def power_on(self) -> None:
        """Power. The real-time clock starts at 2000-01-01, unless `wall` (seconds since 1970 at
        board time 0) says that it was set before."""
        if self.powered:
            return
        if self.wall is None:
            self._wall = EPOCH_2000_US - self.clock.now()
        else:
            self._wall = self.wall * 1_000_000
        self._memory = b""
        self.events.emit("power", on=True)
        self._boot(RESET_POWER)

    async def power_off(self) -> None:
        """Cut the power at this moment."""
        if self.powered:
            self._lose_power()

    def cut_at_write(self, operation: int | None) -> None:
        """Cut the power in the n-th flash operation from now (1: the next)."""
        self.flash.cut_at(operation)

    async def advance(self, seconds: float) -> None:
        """Let board time pass. Raises what stopped the firmware, if something did."""
        await asyncio.sleep(seconds)
        self.check()

    async def until(self, condition: Callable[[], bool], seconds: float = 60) -> None:
        """Let board time pass until the condition holds; TimeoutError after so many seconds."""
        limit = self.clock.now() + int(seconds * 1_000_000)
        while not condition():
            self.check()
            if self.clock.now() >= limit:
                raise TimeoutError(f"not within {seconds:g} s of board time")
            await asyncio.sleep(0.01)
        self.check()

    def check(self) -> None:
        """Raise FirmwareCrashed or SimulationError if the firmware died or hung."""
        if self.failure is not None:
            raise self.failure
        if self.network.failure is not None:
            raise SimulationError("a host failed") from self.network.failure

    async def off(self, seconds: float = 60) -> None:
        """Wait until the firmware runs no more; TimeoutError after so many seconds of board time.

        Raises what stopped it, unless that was a power cut or a program's clean end.
        """
        if self.powered:
            await asyncio.wait_for(self._off.wait(), seconds)
        self.check()

    async def stop(self) -> None:
        """End everything; the flash image stays in the folder."""
        if self.powered:
            self._end_firmware()
        await self.network.close()
        if self._typing is not None:
            self._typing.close()
        self.flash.save()

    def type(self, line: str) -> None:
        """One line on the console."""
        assert self._typing is not None, "nobody is at the console"
        self._typing.send(line)
        self._tell(Channel.SYSTEM, b"")  # something happened: the firmware looks

    def output(self) -> str:
        """The end of what the running or last firmware printed."""
        return self._firmware.output() if self._firmware is not None else ""

    # ---- the firmware's life

    def _boot(self, cause: int) -> None:
        self._cause = cause
        self._boots += 1
        self._off.clear()
        if self._typing is not None:
            self._typing.forget()
        try:
            slot = self.slots.start()
        except PowerLost:  # the bootloader's own writes can be cut as well
            self._power_lost()
            return
        self._firmware = Firmware(
            console=self.folder / "console.log",
            seed=self.seed * 1_000_003 + self._boots,
            path=self._images.get(slot, self._path),
            **self._start,  # type: ignore[arg-type]
        )
        self._link = Link(self._firmware.sock, self._handle, self._turn_limit_s)
        self.clock.link = self._link
        self.clock.on_link_error = self._link_failed
        try:
            self._link.start(self.clock.now())
        except LinkError as error:
            self._link_failed(error)

    def _end_firmware(self) -> None:
        assert self._firmware is not None and self._link is not None
        self._stop_watchdog()
        self._link.close()
        self._link = None
        self.clock.link = None
        self._firmware.kill()
        self.board.reset()

    def _lose_power(self) -> None:
        self._end_firmware()
        self._power_lost()

    def _power_lost(self) -> None:
        self.network.power_off()
        self.flash.save()
        self.events.emit("power", on=False)
        self._off.set()

    def _restart(self, cause: int) -> None:
        if self.powered:
            self._end_firmware()
            self.network.power_off()
            self.events.emit("reset", cause=cause)
            self._boot(cause)

    def _link_failed(self, error: LinkError) -> None:
        assert self._firmware is not None
        firmware = self._firmware
        self.status = firmware.ended() if isinstance(error, FirmwareEnded) else None
        self._end_firmware()
        self._off.set()
        if self._once and self.status == 0:
            return
        said = firmware.output()
        if isinstance(error, FirmwareHung):
            self.failure = SimulationError(f"{error}; it last printed:\n{said}")
        else:
            self.failure = FirmwareCrashed(f"the firmware ended (status {self.status}):\n{said}")
        self.events.emit("crash", error=str(self.failure))

    # ---- accesses

    def _tell(self, channel: int, payload: bytes) -> None:
        if self._link is not None:
            self._link.event(channel, payload)

    def _handle(self, channel: int, payload: bytes, call: bool) -> bytes:
        if self.on_frame is not None:
            self.on_frame(channel, payload, self.clock.now())
        if channel == Channel.FLASH:
            return self._flash_access(payload)
        if channel == Channel.SYSTEM:
            return self._system_access(payload)
        if channel == Channel.WIFI:
            return self.network.handle_wifi(payload)
        if channel == Channel.DNS:
            return self.network.handle_dns(payload)
        if channel == Channel.TCP:
            return self.network.handle_tcp(payload)
        return self.board.handle(channel, payload, call)

    def _flash_access(self, payload: bytes) -> bytes:
        command = payload[:1]
        if command == b"t":
            rows = (f"{p.label},{p.type},{p.subtype},{p.offset},{p.size}"
                    for p in self.flash.partitions)
            return "\n".join(rows).encode()
        if command == b"b":
            return (self.slots.running if payload[1] else self.slots.chosen()).encode()
        if command == b"r":
            data, us = self.flash.read(*struct.unpack_from("<II", payload, 1))
            self.clock.spend(us)
            return data
        try:
            if command == b"e":
                us = self.flash.erase(*struct.unpack_from("<II", payload, 1))
            elif command == b"s":
                us = self.slots.choose(payload[1:].decode())
            elif command == b"v":
                us = self.slots.confirm()
            else:
                us = self.flash.program(struct.unpack_from("<I", payload, 1)[0], payload[5:])
        except SlotError as error:
            return struct.pack("<i", error.code)
        except PowerLost:
            self._lose_power()
            raise
        self.clock.spend(us)
        return b""

    def _system_access(self, payload: bytes) -> bytes:
        command, rest = payload[:1], payload[1:]
        if command == b"h":
            return struct.pack("<qB6s", self._wall, self._cause, CHIP_ID)
        if command == b"p":
            return self.board.table().encode()
        if command == b"m":
            return self._memory
        if command == b"M":
            self._memory = rest
        elif command == b"c":
            (self._wall,) = struct.unpack("<q", rest)
        elif command == b"w":
            self._watchdog_us = struct.unpack("<I", rest)[0] * 1000
            self._feed()
        elif command == b"f":
            self._feed()
        elif command == b"r":
            self.clock.call_later(0, self._restart, RESET_SOFTWARE)
        return b""

    def _feed(self) -> None:
        self._stop_watchdog()
        self._watchdog = self.clock.call_later(self._watchdog_us, self._restart, RESET_WATCHDOG)

    def _stop_watchdog(self) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
            self._watchdog = None

"""The terminal's memory, measured on the 32-bit sim board: at idle, and while a sale is taken.

Objects there have the ESP32's sizes. TLS takes its memory from libc, as it does from ESP-IDF's
heap on the device: it is not counted. A probe beside the terminal's tasks collects and looks every
few milliseconds; that the sale succeeds in this heap says the rest.
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tools.sim import clock
from tools.sim.actions import perform
from tools.sim.expectations import Stage
from tools.sim.scenario import START_DEFAULTS
from tools.sim.simulation import Simulation, SimulationError
from tools.sim.start import bring_up
from tools.sim.timeline import Timeline

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ROOT / "build" / "sim32" / "micropython"
HEAP_KB = 256
STEP_KB = 8
CELL = 16  # bytes of a block of MicroPython's heap on a 32-bit machine
PROBE_MS = 20
PROBE = f"""
import asyncio, gc, micropython
import board
from firmware import app

async def probe():
    while True:
        gc.collect()
        micropython.mem_info()
        await asyncio.sleep_ms({PROBE_MS})

asyncio.create_task(probe())
app.run(board.open())
"""
USED = re.compile(r"^GC: total: \d+, used: (\d+), free: \d+$", re.MULTILINE)
LARGEST = re.compile(r"max free sz: (\d+)$", re.MULTILINE)


class MemoryFault(Exception):
    """It could not be measured; the message says why."""


@dataclass(frozen=True)
class Memory:
    """Bytes of MicroPython's heap, of `heap` in all."""

    heap: int
    idle: int
    sale: int
    idle_largest_free: int
    sale_largest_free: int


class _Probed:
    """A terminal with the probe in it."""

    def __init__(self, folder: Path, heap_kb: int):
        (folder / "probe").mkdir()
        (folder / "probe" / "main.py").write_text(PROBE, encoding="utf-8")
        start = dict(START_DEFAULTS)
        self.start = start
        self.sim = Simulation(
            True, int(start["seed"]), folder, start, interpreter=INTERPRETER,
            path=f"{folder}/probe:.frozen", heap=f"{heap_kb}K",
        )  # fmt: skip
        timeline = Timeline()
        self.sim.events.subscribe(timeline.add)
        self.stage = Stage(self.sim, timeline, None)
        self._console = folder / "console.log"
        self._at = 0

    async def sees(self, text: str) -> None:
        """Wait for it on the screen."""
        from tools.sim.expectations import EXPECTATIONS

        await EXPECTATIONS["expect-screen"](self.stage, text)

    def looks(self) -> tuple[list[int], list[int]]:
        """What the probe printed since the last call: used bytes, largest free blocks."""
        text = self._console.read_bytes()[self._at :].decode("utf-8", "replace")
        self._at += len(text.encode())
        used = [int(n) for n in USED.findall(text)]
        return used, [int(n) * CELL for n in LARGEST.findall(text)]


async def _sale(terminal: _Probed) -> Memory:
    sim, heap = terminal.sim, HEAP_KB * 1024
    await bring_up(terminal.stage, terminal.start)
    terminal.looks()
    await sim.advance(5)
    idle, idle_free = terminal.looks()
    for step in (
        {"key": "1 2 3 4 ENTER"}, "请插卡", {"card": {"insert": "debit"}}, "输入密码",
        {"key": "1 2 3 4 5 6 ENTER"}, "交易成功", "请撕下商户存根", {"key": "ENTER"},
        "请取卡", {"card": {"remove": "debit"}}, "请输入金额",
    ):  # fmt: skip
        if isinstance(step, str):
            await terminal.sees(step)
        else:
            await perform(sim, step)
    sale, sale_free = terminal.looks()
    return Memory(heap, max(idle), max(sale), min(idle_free), min(sale_free))


def taken(heap_kb: int) -> Memory:
    """Bring a terminal up in a heap of this size and take a sale. MemoryFault when it fails."""
    if not INTERPRETER.exists():
        raise MemoryFault(f"{INTERPRETER.relative_to(ROOT)} is not there: run 'make bench'")
    found: list[Memory] = []

    async def story() -> None:
        with tempfile.TemporaryDirectory(prefix="suanpan-") as folder:
            terminal = _Probed(Path(folder), heap_kb)
            try:
                found.append(await _sale(terminal))
            finally:
                await terminal.sim.stop()

    try:
        clock.run(story())
    except (SimulationError, AssertionError, ValueError) as error:
        raise MemoryFault(f"no sale in a heap of {heap_kb} KB: {error}") from error
    return found[0]

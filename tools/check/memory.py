"""The terminal's memory: its heap at idle and while a sale is taken, and the size of an image.

The heap is measured on the 32-bit sim board, where the whole terminal runs. Objects there have the
ESP32's sizes. TLS takes its memory from libc, as it does from ESP-IDF's heap on the device: it is
not counted. A probe beside the terminal's tasks collects and looks every few milliseconds; that
the sale succeeds in this heap says the rest. The start is main.py's own.

Flash and static RAM are those of the bare board's image: MicroPython, pinmac and all that is
frozen, but no TLS and no ESP-IDF. Run as `python -m tools.check.memory`.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.check.sizes import budgets
from tools.sim import clock
from tools.sim.actions import ActionError, perform
from tools.sim.expectations import EXPECTATIONS, ExpectationError, Stage
from tools.sim.provision import ProvisionFailed
from tools.sim.scenario import START_DEFAULTS
from tools.sim.simulation import Simulation, SimulationError
from tools.sim.start import bring_up
from tools.sim.timeline import Timeline

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ROOT / "build" / "sim32" / "micropython"
IMAGE = ROOT / "build" / "qemu" / "firmware.elf"
SIZE, NM = "riscv64-unknown-elf-size", "riscv64-unknown-elf-nm"
# What lies in the image's RAM in place of a device's own: the heap, and the flash chips.
NOT_RAM = ("gc_heap", "flash_bytes", "test_only_storage")
HEAP_KB = 256
CELL = 16  # bytes of a block of MicroPython's heap on a 32-bit machine
PROBE_MS = 50
PROBE = f"""
import asyncio, gc, micropython, sys

async def probe():
    while True:
        gc.collect()
        micropython.mem_info()
        await asyncio.sleep_ms({PROBE_MS})

asyncio.create_task(probe())
sys.path.pop(0)  # behind this file is the terminal's own main.py
sys.modules.pop("main", None)
import main
"""
USED = re.compile(r"^GC: total: \d+, used: (\d+), free: \d+$", re.MULTILINE)
LARGEST = re.compile(r"max free sz: (\d+)$", re.MULTILINE)


class MemoryFault(Exception):
    """It could not be measured; the message says why."""


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
        await EXPECTATIONS["expect-screen"](self.stage, text)

    def looks(self) -> tuple[list[int], list[int]]:
        """What the probe printed since the last call: used bytes, largest free blocks."""
        text = self._console.read_bytes()[self._at :].decode("utf-8", "replace")
        self._at += len(text.encode())
        used = [int(n) for n in USED.findall(text)]
        return used, [int(n) * CELL for n in LARGEST.findall(text)]


async def _sale(terminal: _Probed) -> dict[str, int]:
    sim = terminal.sim
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
    return {
        "heap_idle": max(idle),
        "heap_sale": max(sale),
        "free_block_idle": min(idle_free),
        "free_block_sale": min(sale_free),
    }


def measured(heap_kb: int = HEAP_KB) -> dict[str, int]:
    """Bring a terminal up in a heap of this size and take a sale: bytes used and free.

    Nothing where the 32-bit board is not built; MemoryFault when the sale fails.
    """
    if not INTERPRETER.exists():
        return {}
    found: list[dict[str, int]] = []

    async def story() -> None:
        with tempfile.TemporaryDirectory(prefix="suanpan-") as folder:
            terminal = _Probed(Path(folder), heap_kb)
            try:
                found.append(await _sale(terminal))
            finally:
                await terminal.sim.stop()

    try:
        clock.run(story())
    except (SimulationError, ProvisionFailed, ActionError, ExpectationError) as error:
        raise MemoryFault(f"no sale in a heap of {heap_kb} KB: {error}") from error
    return found[0]


def image() -> dict[str, int]:
    """Flash and static RAM of the bare board's image; nothing where it is not built."""
    if not IMAGE.exists() or shutil.which(SIZE) is None:
        return {}
    sizes = _words(SIZE, IMAGE)[1]
    text, data, bss = (int(number) for number in sizes[:3])
    others = sum(int(row[1], 16) for row in _words(NM, "-S", IMAGE) if row[-1] in NOT_RAM)
    return {"flash": text + data, "ram": data + bss - others}


def _words(tool: str, *arguments: str | Path) -> list[list[str]]:
    done = subprocess.run(
        [tool, *arguments], capture_output=True, text=True, check=True
    )
    return [line.split() for line in done.stdout.split("\n") if line]


def wrong(found: dict[str, int]) -> list[str]:
    """A sentence for each figure on the wrong side of `budget.toml`."""
    limits = budgets()["terminal_bytes"]
    return [
        f"{name} is {size:,} bytes, the budget says {'at least' if _least(name) else 'at most'} "
        f"{limits[name]:,}"
        for name, size in found.items()
        if (size < limits[name] if _least(name) else size > limits[name])
    ]


def _least(name: str) -> bool:
    return name.startswith("free_block")


def main() -> None:
    """A line for each figure; exit with the sentences of those that are wrong."""
    try:
        found = image() | measured()
    except MemoryFault as error:
        sys.exit(f"memory: {error}")
    for name, limit in budgets()["terminal_bytes"].items():
        bound = "at least" if _least(name) else "at most"
        size = f"{found[name]:9,} bytes" if name in found else "not built, not measured:"
        print(f"  {name:<16} {size} {bound} {limit:,}")
    if wrong(found):
        sys.exit("memory: " + "; ".join(wrong(found)))


if __name__ == "__main__":
    main()

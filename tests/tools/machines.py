"""Machines for the tests of the link: a small firmware program on a virtual board of one's own."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from tools.sim import clock
from tools.sim.machine import Machine

T = TypeVar("T")


class Bench:
    """Writes programs into a folder and makes machines that run them."""

    def __init__(self, folder: Path):
        self.folder = folder

    def machine(self, program: str, name: str = "machine", **options: Any) -> Machine:
        """A machine whose firmware is `program`; once it ends, that is no failure."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        source = folder / "program.py"
        source.write_text(program, encoding="utf-8")
        options.setdefault("once", True)
        return Machine(folder, program=[str(source)], **options)


def run(story: Callable[[], Coroutine[Any, Any, T]], speed: int = 0) -> T:
    """Run a test's story on a board loop of its own."""
    return clock.run(story(), speed)


async def to_its_end(machine: Machine, seconds: float = 3600) -> str:
    """Power on and let the program end; what it printed."""
    await machine.power_on()
    await machine.off(seconds)
    return machine.output()


class Echo:
    """A UART chip that sends back what it hears, and tells the timeline."""

    def attach(self, host: Any) -> None:
        """Give it its world."""
        self.host = host

    def receive(self, data: bytes) -> None:
        """Bytes from the board."""
        self.host.event("uart", data=data.hex())
        self.host.send(data)


class Inverter:
    """An SPI chip that answers every bit inverted and pulls its `irq` line afterwards."""

    def attach(self, host: Any) -> None:
        """Give it its world; the line rests high."""
        self.host = host
        host.line("irq", 1)

    def select(self, active: bool) -> None:
        """Chip select."""
        self.host.event("select", active=active)

    def transfer(self, data: bytes) -> bytes:
        """The other bits; the line falls half a millisecond later."""
        self.host.call_later(500, self.host.line, "irq", 0)
        self.host.call_later(900, self.host.line, "irq", 1)
        return bytes(byte ^ 0xFF for byte in data)

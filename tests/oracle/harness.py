"""Chip models on real time: on a pty for foreign drivers, on sockets for our own drivers.

`World` runs one thread with an event loop in which all models live. Our drivers run in the sim
board's MicroPython (`Device`, whose other end is bench.py) and reach the models by TCP.
"""

import asyncio
import contextlib
import json
import os
import queue
import socket
import subprocess
import threading
import tty
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[2]
MICROPYTHON = REPO / "build/sim/micropython"


class Wire:
    """A Host (tools/sim/chips) whose bytes go to `deliver` and whose lines go to `signal`."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.deliver: Callable[[bytes], Any] = lambda data: None
        self.signal: Callable[[int], Any] = lambda level: None
        self.levels: dict[str, int] = {}
        self.events: list[dict[str, Any]] = []
        self.sent = bytearray()

    def send(self, data: bytes) -> None:
        self.sent += data
        self.deliver(data)

    def line(self, name: str, level: int) -> None:
        if self.levels.get(name) != level:
            self.levels[name] = level
            self.signal(level)

    def call_later(self, us: int, call: Callable[..., Any], *args: Any) -> asyncio.TimerHandle:
        return self._loop.call_later(us / 1e6, call, *args)

    def event(self, kind: str, **fields: Any) -> None:
        self.events.append({"kind": kind, **fields})


class World:
    """A thread in which models live; a context manager that closes every pty and socket."""

    def __enter__(self) -> "World":
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="models")
        self._thread.start()
        self._closing = contextlib.ExitStack()
        return self

    def __exit__(self, *error: object) -> None:
        self.call(self._closing.close)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(5)
        self.loop.close()

    def call(self, what: Callable[..., Any], *args: Any) -> Any:
        """Run `what` where the models live and return its result."""

        async def run() -> Any:
            return what(*args)

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(5)

    def pty(self, model: Any) -> tuple[str, Wire]:
        """Attach a UART model to a pty that stays open until the world ends; its path."""
        master, slave = os.openpty()
        tty.setraw(slave)
        os.set_blocking(master, False)
        wire = Wire(self.loop)
        wire.deliver = lambda data: os.write(master, data)
        self.call(model.attach, wire)
        self.call(self.loop.add_reader, master, lambda: model.receive(os.read(master, 4096)))
        self._closing.callback(os.close, slave)
        self._closing.callback(os.close, master)
        self._closing.callback(self.loop.remove_reader, master)
        return os.ttyname(slave), wire

    def uart(self, model: Any) -> tuple[int, Wire]:
        """Attach a UART model to a TCP port of this machine; the port."""
        wire = Wire(self.loop)
        self.call(model.attach, wire)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire.deliver = writer.write
            while data := await _read(reader, 4096):
                model.receive(data)
            wire.deliver = lambda data: None

        return self._listen(serve), wire

    def spi(self, model: Any) -> tuple[int, int, Wire]:
        """Attach an SPI model to two TCP ports: one for transfers, one on which `irq` is told."""
        wire = Wire(self.loop)
        self.call(model.attach, wire)

        async def transfers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while order := await _read(reader, 1):
                if order == b"S":
                    model.select((await reader.readexactly(1)) == b"\x01")
                elif order == b"T":
                    length = int.from_bytes(await reader.readexactly(2), "big")
                    writer.write(model.transfer(await reader.readexactly(length)))
                else:
                    writer.write(bytes((wire.levels["irq"],)))

        async def lines(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            wire.signal = lambda level: writer.write(bytes((level,)))
            await _read(reader, 1)
            wire.signal = lambda level: None

        return self._listen(transfers), self._listen(lines), wire

    def _listen(self, serve: Callable[..., Any]) -> int:
        server = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(serve, "127.0.0.1", 0), self.loop
        ).result(5)
        self._closing.callback(server.close)
        return int(server.sockets[0].getsockname()[1])


async def _read(reader: asyncio.StreamReader, most: int) -> bytes:
    """Read from a driver; nothing when its process is gone."""
    try:
        return await reader.read(most)
    except ConnectionError:
        return b""


class DeviceFault(Exception):
    """A driver's call ended in an error; `kind` is its class in lib/errors.py."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}: {text}")
        self.kind = kind


class Device:
    """One of our drivers in the sim board's interpreter; its methods are called by name.

    `Device('ccid', port)` or `Device('pn532', transfers_port, lines_port)`; a context manager."""

    def __init__(self, driver: str, *ports: int) -> None:
        if not MICROPYTHON.exists():
            raise FileNotFoundError("build/sim/micropython is missing: run `make build` first.")
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(10)
        control = self._listening.getsockname()[1]
        words = [str(MICROPYTHON), str(Path(__file__).with_name("bench.py")), driver]
        self._process = subprocess.Popen(
            [*words, str(control), *map(str, ports)],
            cwd=REPO,
            env={**os.environ, "MICROPYPATH": "lib:.frozen"},
        )
        self._next = 0
        self._results: dict[int, queue.Queue[dict[str, Any]]] = {}

    def __enter__(self) -> "Device":
        try:
            connection, _ = self._listening.accept()
        except TimeoutError:
            self._process.kill()
            raise
        self._file = connection.makefile("rw")
        self._connection = connection
        self._reader = threading.Thread(target=self._read, name="device")
        self._reader.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)
        self._reader.join(5)
        self._file.close()
        self._connection.close()
        self._listening.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def _read(self) -> None:
        for line in self._file:
            result = json.loads(line)
            self._results[result["id"]].put(result)

    def start(self, method: str, *args: bytes) -> int:
        """Begin a call; the number to ask for its result or to cancel it by."""
        self._next += 1
        self._results[self._next] = queue.Queue()
        self._tell({"id": self._next, "call": method, "args": [a.hex() for a in args]})
        return self._next

    def cancel(self, number: int) -> None:
        """Cancel a call; its result is then the fault `CancelledError`."""
        self._tell({"id": number, "cancel": True})

    def result(self, number: int, timeout: float = 10) -> Any:
        """Wait for a call: bytes, bool or None; DeviceFault when it raised."""
        result = self._results[number].get(timeout=timeout)
        if "error" in result:
            raise DeviceFault(result["error"], result["text"])
        value = result["value"]
        return bytes.fromhex(value) if isinstance(value, str) else value

    def call(self, method: str, *args: bytes, timeout: float = 10) -> Any:
        """Call a method and wait for its result."""
        return self.result(self.start(method, *args), timeout)

    def fault(self, method: str, *args: bytes, timeout: float = 10) -> str:
        """Call a method that must fail; the error's class."""
        try:
            value = self.call(method, *args, timeout=timeout)
        except DeviceFault as fault:
            return fault.kind
        raise AssertionError(f"{method} returned {value!r} where a fault was due.")

    def _tell(self, order: dict[str, Any]) -> None:
        self._file.write(json.dumps(order) + "\n")
        self._file.flush()

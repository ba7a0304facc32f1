"""TCP in memory: one connection of the firmware, and the host's end as an asyncio transport."""

from __future__ import annotations

import asyncio
import errno
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tools.sim.clock import Clock

if TYPE_CHECKING:
    from tools.sim.network import Network

# Errors of the ESP32's lwIP, as the firmware sees them.
ECONNRESET = 104
ECONNREFUSED = 111


class Connection:
    """One TCP connection of the firmware, with the segments under way in both directions."""

    def __init__(self, network: Network, clock: Clock, number: int):
        self.number = number
        self.transport: MemoryTransport | None = None
        self._network = network
        self._clock = clock
        self._over = False
        self._arrivals = {"there": 0, "back": 0}

    def sent(self, data: bytes) -> None:
        """The firmware sent a segment."""
        self._travel("there", self._to_host, data)

    def closed_by_firmware(self) -> None:
        """The firmware closed its socket."""
        self._travel("there", self._to_host, b"")

    def answer(self, data: bytes) -> None:
        """The host sent a segment; b'' is the end of its stream."""
        if self._network.faults.mute:
            return
        if data and self._network.faults.reset == "mid-frame":
            self._network.faults.reset = None
            self._travel("back", self._to_firmware, data[: len(data) // 2])
            self._travel("back", self.break_off, ECONNRESET)
            return
        self._travel("back", self._to_firmware, data)

    def abort(self) -> None:
        """The host resets the connection."""
        self._travel("back", self.break_off, ECONNRESET)

    def break_off(self, number: int) -> None:
        """Both ends see an error."""
        if not self._over:
            self._network.tell_socket("error", self.number, struct.pack("<H", number))
            self.vanish()

    def vanish(self) -> None:
        """No more segments; the host's end sees a lost connection."""
        if self._over:
            return
        self._over = True
        self._network.forget(self.number)
        if self.transport is not None:
            self.transport.lost(ConnectionResetError(errno.ECONNRESET, "connection lost"))

    def _travel(self, way: str, arrive: Callable[[Any], None], what: Any) -> None:
        delay = self._network.delay()
        if delay is None or self._over:
            return
        arrival = max(self._arrivals[way], self._clock.now() + delay)
        self._arrivals[way] = arrival
        self._clock.call_at(arrival, self._arrive, arrive, what)

    def _arrive(self, arrive: Callable[[Any], None], what: Any) -> None:
        if not self._over:
            arrive(what)

    def _to_host(self, data: bytes) -> None:
        if self.transport is not None:
            self.transport.arrived(data)

    def _to_firmware(self, data: bytes) -> None:
        if data:
            self._network.tell_socket("data", self.number, data)
        else:
            self._network.tell_socket("end", self.number)


class MemoryTransport(asyncio.Transport):
    """The host's end of a connection, for asyncio's protocols and `start_tls`."""

    _start_tls_compatible = True

    def __init__(self, connection: Connection, protocol: asyncio.BaseProtocol):
        super().__init__()
        self._connection = connection
        self._protocol: Any = protocol
        self._waiting: list[bytes] = []
        self._paused = False
        self._closing = False

    def arrived(self, data: bytes) -> None:
        """A segment, or b'' for the end of the stream; kept while reading is paused."""
        if self._closing:
            return
        if self._paused:
            self._waiting.append(data)
        elif not data:
            self._protocol.eof_received()
        elif isinstance(self._protocol, asyncio.BufferedProtocol):
            while data:
                buffer: Any = self._protocol.get_buffer(len(data))
                count = min(len(buffer), len(data))
                buffer[:count] = data[:count]
                self._protocol.buffer_updated(count)
                data = data[count:]
        else:
            self._protocol.data_received(data)

    def lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        if not self._closing:
            self._closing = True
            self._protocol.connection_lost(error)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a segment."""
        if not self._closing and len(data):
            self._connection.answer(bytes(data))

    def close(self) -> None:
        """End the stream after what was written."""
        if not self._closing:
            self._connection.answer(b"")
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    def abort(self) -> None:
        """Reset the connection."""
        self._force_close(None)

    def _force_close(self, error: BaseException | None) -> None:
        """asyncio's TLS calls this by its private name when it gives a connection up."""
        if not self._closing:
            self._connection.abort()
            self._closing = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, error)

    def is_closing(self) -> bool:
        """Nothing can be written any more."""
        return self._closing

    def pause_reading(self) -> None:
        """Keep what arrives."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand on what was kept, and what arrives from now on."""
        self._paused = False
        waiting, self._waiting = self._waiting, []
        for data in waiting:
            self.arrived(data)

    def is_reading(self) -> bool:
        """Whether what arrives is handed on."""
        return not self._paused

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Change who is told."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who is told."""
        return self._protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Segments leave at once; there is no buffer."""

    def get_write_buffer_size(self) -> int:
        """Segments leave at once."""
        return 0

    def can_write_eof(self) -> bool:
        """The stream can be ended."""
        return False

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The peer is the terminal."""
        return ("terminal", self._connection.number) if name == "peername" else default

"""The network between the terminal and the hosts: Wi-Fi, names, TCP in memory, and its faults.

A host is an asyncio server function behind an in-memory transport, with TLS by the loop's own
`start_tls`. Each segment takes `latency_ms` one way, whatever its length, and segments keep their
order; a lost one comes after TCP's retransmission time.
"""

from __future__ import annotations

import asyncio
import random
import ssl
import struct
from collections.abc import Awaitable, Callable
from typing import Any

from tools.sim.clock import Clock
from tools.sim.link import Channel
from tools.sim.tcp import ECONNREFUSED, ECONNRESET, Connection, MemoryTransport

LATENCY_MS = 20
RETRANSMIT_US = 1_000_000
RETRIES = 6
JOIN_US = 1_200_000
STATIONS = {"suanpan-test": "suanpan-test"}
ADDRESS = "192.168.4.20"
RSSI = -52

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Certificates = Callable[[str], ssl.SSLContext]


class NetworkError(Exception):
    """A fault or host that the network does not know."""


class Faults:
    """What is wrong with the network now; the values that `Network.set` takes."""

    def __init__(self) -> None:
        self.off = False
        self.mute = False
        self.latency_ms: float = LATENCY_MS
        self.loss: float = 0
        self.reset: str | None = None
        self.dns: str | None = None
        self.tls: str | None = None


_CHOICES = {
    "reset": (None, "always", "now", "mid-frame"),
    "dns": (None, "fail", "silent"),
    "tls": (None, "expired", "wrong-host", "untrusted"),
}


class Network:
    """Wi-Fi station, resolver and TCP hosts; the firmware's frames come through `handle_*`."""

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[int, bytes], None],
        emit: Callable[..., None],
        seed: int = 0,
    ):
        self.faults = Faults()
        self.names: dict[str, str] = {}
        self.failure: BaseException | None = None
        self._clock = clock
        self._tell = tell
        self._emit = emit
        self._random = random.Random(f"network {seed}")
        self._hosts: dict[tuple[str, int], tuple[Serve, Certificates | None]] = {}
        self._connections: dict[int, Connection] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._ssid = ""
        self._joined = False
        self._join: Any = None

    def listen(
        self, name: str, address: str, port: int, serve: Serve, certificates: Certificates | None
    ) -> None:
        """Put a host on the network; `certificates(kind)` gives its TLS context, None: plain TCP.

        `kind` is 'good' or the active TLS fault.
        """
        self.names[name] = address
        self._hosts[address, port] = (serve, certificates)

    def set(self, **faults: Any) -> None:
        """Change faults. NetworkError if one is unknown.

        off: the access point is gone. mute: hosts accept and never answer. latency_ms: one way.
        loss: percent of segments. reset: 'now' (what is open), 'always' (True: what is open and
        every new connection) or 'mid-frame' (in the middle of the next answer). dns: 'fail' (True)
        or 'silent'. tls: 'expired', 'wrong-host' or 'untrusted'.
        """
        for name, value in faults.items():
            if value is True:
                value = {"reset": "always", "dns": "fail"}.get(name, True)
            elif value is False:
                value = None if name in _CHOICES else False
            if name not in vars(self.faults):
                known = ", ".join(vars(self.faults))
                raise NetworkError(f"no network fault {name!r}; there are {known}")
            if name in _CHOICES and value not in _CHOICES[name]:
                raise NetworkError(f"{name} cannot be {value!r}; it is one of {_CHOICES[name]}")
            setattr(self.faults, name, value)
            self._emit("network", fault=name, value=value)
        if self.faults.reset in ("now", "always"):
            for connection in list(self._connections.values()):
                connection.break_off(ECONNRESET)
        if self.faults.reset == "now":
            self.faults.reset = None
        if "off" in faults:
            self._wifi_changed()

    def clear(self) -> None:
        """Take every fault back."""
        self.set(**vars(Faults()))

    def delay(self) -> int | None:
        """Microseconds until the next segment arrives one way; None: never."""
        if self.faults.off or self.faults.loss >= 100:
            return None
        delay = int(self.faults.latency_ms * 1000)
        wait = RETRANSMIT_US
        for _ in range(RETRIES):
            if not self.faults.loss or self._random.random() * 100 >= self.faults.loss:
                return delay
            delay += wait
            wait *= 2
        return None

    def power_off(self) -> None:
        """The terminal lost power: its connections vanish without a word."""
        for connection in list(self._connections.values()):
            connection.vanish()
        self._connections.clear()
        self._ssid, self._joined = "", False
        self._cancel_join()

    async def close(self) -> None:
        """End the servers that still run."""
        self.power_off()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # ---- Wi-Fi

    def handle_wifi(self, payload: bytes) -> bytes:
        """The station's frames: activate, connect, disconnect, ask for the network's name."""
        command, rest = payload[:1], payload[1:]
        if command == b"s":
            return self._ssid.encode()
        if command == b"c":
            ssid, _, key = rest.partition(b"\x00")
            self._ssid = ssid.decode()
            self._start_join(key.decode())
        elif command == b"d" or rest == b"\x00":
            self._ssid, self._joined = "", False
            self._cancel_join()
        return b""

    def _start_join(self, key: str) -> None:
        self._cancel_join()
        if self.faults.off or self._ssid not in STATIONS:
            self._join = self._clock.call_later(JOIN_US, self._wifi_state, 201, 0, "")
        elif STATIONS[self._ssid] != key:
            self._join = self._clock.call_later(JOIN_US, self._wifi_state, 202, 0, "")
        else:
            self._join = self._clock.call_later(JOIN_US, self._got_address)

    def _got_address(self) -> None:
        self._joined = True
        self._wifi_state(1010, RSSI, ADDRESS)

    def _wifi_state(self, status: int, rssi: int, address: str) -> None:
        self._emit("wifi", status=status)
        self._tell(Channel.WIFI, struct.pack("<Hb", status, rssi) + address.encode())

    def _wifi_changed(self) -> None:
        """The access point went or came back; the ESP32's station joins again by itself."""
        if self.faults.off and self._joined:
            self._joined = False
            self._wifi_state(200, 0, "0.0.0.0")
        elif not self.faults.off and self._ssid and not self._joined:
            self._start_join(STATIONS.get(self._ssid, ""))

    def _cancel_join(self) -> None:
        if self._join is not None:
            self._join.cancel()
            self._join = None

    # ---- names

    def handle_dns(self, payload: bytes) -> bytes:
        """A look-up: answered after one round trip, or empty after lwIP's patience."""
        query, name = payload[:4], payload[4:].decode()
        there, back = self.delay(), self.delay()
        address = "" if self.faults.dns == "fail" else self.names.get(name, "")
        if self.faults.dns == "silent" or there is None or back is None or not self._joined:
            there, back, address = 5_000_000, 0, ""
        self._clock.call_later(there + back, self._tell, Channel.DNS, query + address.encode())
        return b""

    # ---- TCP

    def handle_tcp(self, payload: bytes) -> bytes:
        """A socket's frames: connect, send, close."""
        command, number = payload[:1], struct.unpack_from("<I", payload, 1)[0]
        if command == b"c":
            (port,) = struct.unpack_from("<H", payload, 5)
            self._connect(number, payload[7:].decode(), port)
        elif number in self._connections:
            if command == b"s":
                self._connections[number].sent(payload[5:])
            elif command == b"x":
                self._connections.pop(number).closed_by_firmware()
        return b""

    def tell_socket(self, what: str, number: int, data: bytes = b"") -> None:
        """An event for a socket of the firmware: open, data, end or error."""
        code = {"open": b"o", "data": b"d", "end": b"e", "error": b"f"}[what]
        self._tell(Channel.TCP, code + struct.pack("<I", number) + data)

    def forget(self, number: int) -> None:
        """The connection is over."""
        self._connections.pop(number, None)

    def _connect(self, number: int, address: str, port: int) -> None:
        connection = Connection(self, self._clock, number)
        self._connections[number] = connection
        there, back = self.delay(), self.delay()
        if there is None or back is None or not self._joined:
            return
        host = self._hosts.get((address, port))
        if host is None or self.faults.reset == "always":
            self._clock.call_later(there + back, connection.break_off, ECONNREFUSED)
            return
        self._emit("tcp", state="connect", address=address, port=port)
        self._clock.call_later(there, self._accept, connection, *host)
        self._clock.call_later(there + back, self.tell_socket, "open", number)

    def _accept(
        self, connection: Connection, serve: Serve, certificates: Certificates | None
    ) -> None:
        context = certificates(self.faults.tls or "good") if certificates else None
        task = asyncio.get_running_loop().create_task(
            self._serve(connection, serve, context), name=f"host of socket {connection.number}"
        )
        self._tasks.append(task)

    async def _serve(
        self, connection: Connection, serve: Serve, context: ssl.SSLContext | None
    ) -> None:
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        connection.transport = MemoryTransport(connection, protocol)
        transport: asyncio.Transport | None = connection.transport
        if context is not None:
            try:
                transport = await loop.start_tls(
                    connection.transport, protocol, context, server_side=True
                )
            except (OSError, ssl.SSLError) as error:
                self._emit("tls", failed=type(error).__name__)
                connection.vanish()
                return
        assert transport is not None
        protocol.connection_made(transport)
        writer = asyncio.StreamWriter(transport, protocol, reader, loop)
        try:
            await serve(reader, writer)
        except ConnectionError:
            self._emit("tcp", state="lost")
        except Exception as error:  # noqa: BLE001 - a host's own fault is reported, not hidden
            self.failure = error
            self._emit("host-failed", error=f"{type(error).__name__}: {error}")
        finally:
            writer.close()

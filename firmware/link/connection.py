"""One TLS connection to the acquirer, kept open, and frames over it.

Our own opening instead of asyncio's: it keeps the raw socket, so that a failed handshake does not
leak it; one limit covers connecting and handshake; and nothing of a message is sent before the
host has proved who it is.
"""

import asyncio
import socket

import tls

from firmware.link.errors import (
    CertificateFault,
    ConnectTimeout,
    Disconnected,
    LinkError,
    MalformedReply,
    NoRoute,
    ReplyTimeout,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from typing import Any

    from firmware.link.config import Config

    MaybeNone = Any  # in a union: None only while nothing is open

_FRAME = const(1600)  # the largest message: every field at its limit
_BAD_CERTIFICATE = const(0x2700)  # MBEDTLS_ERR_X509_CERT_VERIFY_FAILED
_EINPROGRESS = (115, 119)  # Linux; lwIP on the ESP32


class Connection:
    """config: estate.Parameters. log: callable(str)."""

    def __init__(self, config: "Config", log: "Callable[[str], None]") -> None:
        self._config = config
        self._log = log
        self._raw: socket.socket | MaybeNone = None
        self._secure: Any = None  # the stub's SSLSocket has no methods
        self._stream: Any = None  # asyncio's Stream, which the stub splits into two classes
        self._buffer = bytearray(_FRAME)
        self._view = memoryview(self._buffer)
        self._filled = 0
        self._taken = 0

    @property
    def is_open(self) -> bool:
        """A handshake was done and nobody has hung up since, as far as we were told."""
        return self._stream is not None

    async def open(self) -> None:
        """Connect unless connected: the hosts in turn, as many tries as the parameters say.

        CertificateFault if any host was there with a wrong certificate; else the last error,
        NoRoute or ConnectTimeout."""
        if self.is_open and self._alive():
            return
        self.close()
        fault: LinkError = NoRoute("no host is set")
        hosts = self._config.hosts
        for attempt in range(self._config.connect_tries if hosts else 0):
            host, port = hosts[attempt % len(hosts)]
            try:
                await asyncio.wait_for_ms(self._connect(host, port), self._config.connect_ms)
                return
            except asyncio.TimeoutError:  # noqa: UP041 - MicroPython has no other
                error: LinkError = ConnectTimeout(
                    f"{host} did not answer in {self._config.connect_ms} ms"
                )
            except ValueError as refused:
                error = CertificateFault(f"{host}: {refused}")
            except OSError as broken:
                error = _reason(host, broken)
            finally:
                if not self.is_open:
                    self.close()
            self._log(f"connection: {error}")
            if not isinstance(fault, CertificateFault):
                fault = error
        raise fault

    async def send(self, frame: memoryview) -> None:
        """Put a whole frame on the line. Disconnected. Half a frame, when cancelled, ends the
        line."""
        whole = False
        try:
            self._stream.write(frame)
            await self._stream.drain()
            whole = True
        except (OSError, ValueError) as error:
            raise Disconnected(f"the line broke while sending ({error})") from error
        finally:
            if not whole:
                self.close()

    async def receive(self, limit: int) -> memoryview:
        """The next whole frame, valid until the next call. `limit` is in milliseconds.

        ReplyTimeout, Disconnected; MalformedReply for a length no message has. All three close the
        connection: what comes later belongs to nobody."""
        try:
            return await asyncio.wait_for_ms(self._frame(), limit)
        except asyncio.TimeoutError:  # noqa: UP041 - MicroPython has no other
            self.close()
            raise ReplyTimeout("the host did not answer in time") from None
        except (OSError, ValueError) as error:
            self.close()
            raise Disconnected(f"the line broke while waiting ({error})") from error
        except LinkError:
            self.close()
            raise

    def close(self) -> None:
        """Hang up. Both sockets, whichever exists."""
        secure, raw = self._secure, self._raw
        self._secure = self._raw = self._stream = None
        self._filled = self._taken = 0
        for i in range(len(self._buffer)):
            self._buffer[i] = 0
        try:
            if secure is not None:
                secure.close()
        except OSError as error:
            self._log(f"connection: closing said {error}")
        finally:
            if raw is not None:
                raw.close()

    async def _connect(self, host: str, port: int) -> None:
        address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        self._raw = socket.socket()
        self._raw.setblocking(False)
        try:
            self._raw.connect(address)
        except OSError as error:
            if error.errno not in _EINPROGRESS:
                raise
        await _writable(self._raw)  # type: ignore[misc]  # awaitable here
        context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
        context.verify_mode = tls.CERT_REQUIRED  # type: ignore[attr-defined]  # not in stub
        context.load_verify_locations(self._config.ca())
        self._secure = context.wrap_socket(
            self._raw, server_hostname=host, do_handshake_on_connect=False
        )
        self._secure.setblocking(False)
        await self._handshake()

    async def _handshake(self) -> None:
        """Reading drives the handshake; it is over when the host's certificate was accepted."""
        stream = asyncio.StreamReader(self._secure)
        count = self._secure.readinto(self._view[:1])
        while self._secure.getpeercert(True) is None:
            if count is not None:
                raise OSError("hung up in the handshake")
            count = await stream.readinto(self._view[:1])
        self._filled = count or 0
        self._stream = stream

    async def _frame(self) -> memoryview:
        self._shift()
        while self._filled < self._expected():
            count = await self._stream.readinto(self._view[self._filled :])
            if count == 0:
                raise Disconnected("the host hung up")
            self._filled += count or 0
        self._taken = self._expected()
        return self._view[: self._taken]

    def _expected(self) -> int:
        """Length of the frame that is coming in; 2 as long as its own length is not known."""
        if self._filled < 2:
            return 2
        size = (self._buffer[0] << 8 | self._buffer[1]) + 2
        if size > len(self._buffer) or size == 2:
            raise MalformedReply(f"length: {size - 2} is no length of a message")
        return size

    def _shift(self) -> None:
        """Forget the frame that was handed out; what came behind it moves to the front."""
        rest = self._filled - self._taken
        self._view[:rest] = bytes(self._view[self._taken : self._filled])
        self._filled, self._taken = rest, 0

    def _alive(self) -> bool:
        """Look for a hang-up without waiting; what arrived meanwhile is kept for `receive`."""
        self._shift()
        try:
            count = self._secure.readinto(self._view[self._filled :])
        except (OSError, ValueError):
            return False
        self._filled += count or 0
        return count != 0


def _reason(host: str, error: OSError) -> LinkError:
    """mbedTLS reports a refused certificate as a number when it has no words for it."""
    if error.errno == _BAD_CERTIFICATE or error.errno == -_BAD_CERTIFICATE:
        return CertificateFault(f"{host}: {error}")
    return NoRoute(f"{host} cannot be reached ({error})")


def _writable(stream: object) -> "Generator":
    """Awaited: until a socket that is connecting is connected, or failed to."""
    yield asyncio.core._io_queue.queue_write(stream)  # type: ignore[attr-defined]  # not in stub

"""The board's end of the link: frames on one socket, and the turn.

Either the firmware runs or the board, never both. The board hands the turn over with `give`, which
serves the firmware's accesses until it gives the turn back with its deadline. The frame codec is
`<IBBQ` (payload length, kind, channel, sender's time in microseconds) and the payload;
board/sim/modules/virtual/wire.py is the other end.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from enum import IntEnum

HEAD = struct.Struct("<IBBQ")
NEVER = 0xFFFF_FFFF_FFFF_FFFF
TURN_LIMIT_S = 5.0


class Kind(IntEnum):
    """What a frame is."""

    TURN = 1
    WAIT = 2
    CALL = 3
    REPLY = 4
    POST = 5
    EVENT = 6
    ERROR = 7


class Channel(IntEnum):
    """Which part of the board a frame is for."""

    PIN = 1
    PWM = 2
    BITS = 3
    UART = 4
    SPI = 5
    I2C = 6
    FLASH = 7
    WIFI = 8
    DNS = 9
    TCP = 10
    SYSTEM = 11


class LinkError(Exception):
    """The link to the firmware is broken."""


class FirmwareEnded(LinkError):
    """The firmware's process closed its end of the link."""


class FirmwareHung(LinkError):
    """The firmware kept its turn for too long in real time."""


class PowerLost(Exception):
    """Raised by a handler when the power goes in the middle of an access; nothing is answered."""


def encode(kind: int, channel: int, now: int, payload: bytes = b"") -> bytes:
    """One frame."""
    return HEAD.pack(len(payload), kind, channel, now) + payload


# Handler of the firmware's accesses: (channel, payload, is a call) -> the answer to a call.
# OSError refuses a call with its errno; PowerLost leaves it unanswered.
Handler = Callable[[int, bytes, bool], bytes]


class Link:
    """The connection to one firmware process, from its start to its end."""

    def __init__(self, sock: socket.socket, handler: Handler, limit_s: float = TURN_LIMIT_S):
        self.deadline: int = NEVER
        self.waiter = ""
        self.waiting = False
        self.closed = False
        self._sock = sock
        self._handler = handler
        self._limit_s = limit_s
        self._outbox: list[tuple[int, bytes]] = []
        self._received = bytearray()

    @property
    def pending(self) -> bool:
        """There are events for the firmware."""
        return bool(self._outbox)

    def event(self, channel: int, payload: bytes) -> None:
        """Tell the firmware something; it goes out with the next answer or turn."""
        if not self.closed:
            self._outbox.append((channel, payload))

    def start(self, now: int) -> None:
        """Wait for the new process's first word, which gives its turn away."""
        self._serve(time.monotonic() + self._limit_s, lambda moment: now)

    def give(self, now: int, horizon: int, speed: int, advance: Callable[[int], int]) -> None:
        """Hand the turn over and serve accesses until it comes back.

        `horizon` is how far the firmware may advance alone; `advance(moment)` moves the board's
        time to the sender's and returns what time it is. Raises FirmwareEnded and FirmwareHung.
        """
        self.waiting = False
        self.deadline = NEVER
        self._send(encode(Kind.TURN, 0, now, struct.pack("<QI", horizon, speed)), now)
        self._serve(time.monotonic() + self._limit_s, advance)

    def close(self) -> None:
        """The process is gone or about to be; nothing is sent or taken any more."""
        self.closed = True
        self.waiting = False
        self._outbox.clear()
        self._sock.close()

    def _serve(self, limit: float, advance: Callable[[int], int]) -> None:
        while not self.closed:
            kind, channel, moment, payload = self._receive(limit)
            now = advance(moment)
            if self.closed:  # a reset or power cut was due on the way
                return
            if kind == Kind.WAIT:
                self.deadline = struct.unpack_from("<Q", payload)[0]
                self.waiter = payload[8:].decode()
                self.waiting = True
                return
            try:
                answer = self._handler(channel, payload, kind == Kind.CALL)
            except PowerLost:
                return
            except OSError as error:
                reply = encode(Kind.ERROR, channel, now, struct.pack("<i", error.errno or 5))
            else:
                reply = encode(Kind.REPLY, channel, advance(moment), answer or b"")
            if kind == Kind.CALL and not self.closed:
                self._send(reply, now)

    def _send(self, frame: bytes, now: int) -> None:
        """The events that wait, then the frame."""
        outbox, self._outbox = self._outbox, []
        events = [encode(Kind.EVENT, channel, now, payload) for channel, payload in outbox]
        try:
            self._sock.sendall(b"".join((*events, frame)))
        except OSError as error:
            raise FirmwareEnded("the firmware closed the link") from error

    def _receive(self, limit: float) -> tuple[int, int, int, bytes]:
        self._fill(HEAD.size, limit)
        size, kind, channel, moment = HEAD.unpack_from(self._received)
        self._fill(HEAD.size + size, limit)
        payload = bytes(self._received[HEAD.size : HEAD.size + size])
        del self._received[: HEAD.size + size]
        return kind, channel, moment, payload

    def _fill(self, size: int, limit: float) -> None:
        while len(self._received) < size:
            left = limit - time.monotonic()
            try:
                self._sock.settimeout(max(left, 0.001))
                data = self._sock.recv(262144)
            except TimeoutError as error:
                raise FirmwareHung(
                    f"the firmware kept its turn for {self._limit_s:g} s of real time"
                ) from error
            except OSError as error:
                raise FirmwareEnded("the firmware closed the link") from error
            if not data:
                raise FirmwareEnded("the firmware closed the link")
            self._received += data

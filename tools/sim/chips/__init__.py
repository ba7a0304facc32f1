"""Chip models: byte-in, byte-out objects without a clock or a transport of their own.

A model is attached to a `Host`. The simulator's host carries bytes over the link and time on the
virtual clock; `tests/oracle` attaches the same model to a pty on real time.

- A UART chip has `attach(host)` and `receive(data: bytes)`; it answers through `host.send`.
- An SPI chip has `attach(host)`, `select(active: bool)` and `transfer(data: bytes) -> bytes`
  (full duplex, same length), bytes as they stand on the wire, most significant bit first.
- An I2C chip has `attach(host)`, `write(data: bytes) -> bool` (False: NACK) and
  `read(n) -> bytes`.
- A chip with plain lines has `attach(host)`, `line(name: str, level: int)` for lines the board
  drives and answers through `host.line`.
"""

from typing import Any, Protocol


class Handle(Protocol):
    """A call that was asked for and has not happened yet."""

    def cancel(self) -> None: ...


class Host(Protocol):
    """What a chip model may ask of the world it is attached to."""

    def send(self, data: bytes) -> None:
        """Bytes out of a UART chip, towards the board."""

    def line(self, name: str, level: int | None) -> None:
        """Drive one of the chip's output lines (for example `irq`) to 0 or 1; None floats."""

    def call_later(self, us: int, call: Any, *args: Any) -> Handle:
        """Call back after `us` microseconds of the host's time."""

    def event(self, kind: str, **fields: Any) -> None:
        """Tell the timeline something worth seeing (a masked, JSON-able fact)."""

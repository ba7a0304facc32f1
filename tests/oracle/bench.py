"""Runs in the sim board's interpreter: puts one driver between a control socket and a chip model.

    micropython bench.py ccid CONTROL UART
    micropython bench.py pn532 CONTROL TRANSFERS LINES

Each line from the control socket is an order: `{"id", "call", "args": [hex]}` or
`{"id", "cancel"}`; each line back is `{"id", "value"}` or `{"id", "error", "text"}`.
"""

import asyncio
import json
import socket
import sys

IPPROTO_TCP, TCP_NODELAY = 6, 1


def connect(port: int) -> socket.socket:
    """A socket to a port of this machine."""
    line = socket.socket()
    line.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
    line.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
    return line


REVERSED = bytes(int("".join(reversed(f"{value:08b}")), 2) for value in range(256))


class Spi:
    """machine.SPI with firstbit=LSB as far as a driver uses it: transfers by request and reply.

    The models' bytes stand as a controller that sends the high bit first would see them."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def write(self, data: bytes) -> None:
        self._line.write(b"T" + len(data).to_bytes(2, "big"))
        self._line.write(bytes([REVERSED[byte] for byte in data]))
        self._line.readinto(bytearray(len(data)))

    def readinto(self, into: bytearray) -> None:
        self._line.write(b"T" + len(into).to_bytes(2, "big") + bytes(len(into)))
        self._line.readinto(into)
        into[:] = bytes([REVERSED[byte] for byte in into])


class ChipSelect:
    """The output pin that selects the chip: low is active."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def __call__(self, level: int) -> None:
        self._line.write(b"S" + bytes((0 if level else 1,)))


class Irq:
    """The input pin `irq`: its level is asked for, its falling edge is told by another socket."""

    IRQ_FALLING = 2

    def __init__(self, line: socket.socket, edges: socket.socket) -> None:
        self._line, self._edges = line, edges
        edges.setblocking(False)

    def value(self) -> int:
        self._line.write(b"L")
        return self._line.read(1)[0]

    def irq(self, handler: object, trigger: int) -> None:
        if trigger != self.IRQ_FALLING:
            raise ValueError("Only the falling edge is told.")
        self._handler = handler

    async def watch(self) -> None:
        """Call the handler at each falling edge, for ever."""
        stream = asyncio.StreamReader(self._edges)
        while True:
            levels = await stream.read(1)
            if levels == b"\x00":
                self._handler(self)


async def answer(control: socket.socket, number: int, call: object, args: list) -> None:
    """Await one call of the driver and tell how it ended."""
    try:
        value = await call(*args)
    except asyncio.CancelledError:
        result = {"id": number, "error": "CancelledError", "text": ""}
    except Exception as error:  # noqa: BLE001 - whatever a driver raises is the test's business
        result = {"id": number, "error": type(error).__name__, "text": str(error)}
    else:
        if isinstance(value, (bytes, bytearray)):
            value = value.hex()
        result = {"id": number, "value": value}
    control.write(json.dumps(result) + "\n")


async def serve(control: socket.socket, driver: object) -> None:
    """Obey orders until the control socket closes."""
    stream = asyncio.StreamReader(control)
    tasks = {}
    while True:
        line = await stream.readline()
        if not line:
            return
        order = json.loads(line)
        number = order["id"]
        if "cancel" in order:
            tasks[number].cancel()
            continue
        args = [bytes.fromhex(arg) for arg in order["args"]]
        call = getattr(driver, order["call"])
        tasks[number] = asyncio.create_task(answer(control, number, call, args))


async def main(kind: str, control: int, first: int, second: int = 0) -> None:
    """Build the driver on its wires and serve."""
    line = connect(first)
    if kind == "ccid":
        from drivers.ccid import Ccid

        line.setblocking(False)
        driver = Ccid(line)
    else:
        from drivers.pn532 import Pn532

        irq = Irq(line, connect(second))
        driver = Pn532(Spi(line), ChipSelect(line), irq)
        watching = asyncio.create_task(irq.watch())
    await serve(connect(control), driver)
    if kind != "ccid":
        watching.cancel()


asyncio.run(main(sys.argv[1], *[int(word) for word in sys.argv[2:]]))

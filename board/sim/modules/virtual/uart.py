"""Serial ports: bytes take their time on the wire, and a full receive buffer loses them."""

import io
import struct

import simclock
from virtual import pins, wire

_POLL = const(3)
_READABLE = const(1)
_WRITABLE = const(4)

_ports = {}


class UART(io.IOBase):
    """A hardware serial port, 0 to 2. Streams as the ESP32's: `read` returns None for nothing."""

    INV_TX = 32
    INV_RX = 4
    INV_RTS = 64
    INV_CTS = 8
    RTS = 1
    CTS = 2
    IRQ_RX = 1
    IRQ_RXIDLE = 4096
    IRQ_BREAK = 2

    def __init__(self, _id, baudrate=115200, bits=8, parity=None, stop=1, *, tx=None, rx=None,
                 rts=None, cts=None, txbuf=256, rxbuf=256, timeout=0, timeout_char=0, invert=0,
                 flow=0):
        if _id not in (0, 1, 2):
            raise ValueError(f"UART({_id}) doesn't exist")
        if _id in _ports:
            raise ValueError(f"UART({_id}) is used twice")
        if tx is None or rx is None:
            raise ValueError("give the pins: the ESP32's defaults are not this board's")
        _ports[_id] = self
        self._id = _id
        self._handler = None
        self._trigger = 0
        self._role = f"UART({_id})"
        self._tx = pins.claim(tx, self._role)
        self._rx = pins.claim(rx, self._role)
        self._sent = 0
        self._setup(baudrate, bits, parity, stop, txbuf, rxbuf, timeout, timeout_char,
                    rts, cts, invert, flow)

    def init(self, baudrate=-1, bits=8, parity=None, stop=1, *, txbuf=256, rxbuf=256, timeout=0,
             timeout_char=0, rts=None, cts=None, invert=0, flow=0):
        """Change the line's settings; the pins stay."""
        self._setup(self._baudrate if baudrate == -1 else baudrate, bits, parity, stop, txbuf,
                    rxbuf, timeout, timeout_char, rts, cts, invert, flow)

    def _setup(self, baudrate, bits, parity, stop, txbuf, rxbuf, timeout, timeout_char,
               rts, cts, invert, flow):
        if not 0 < baudrate <= 5000000:
            raise ValueError("baudrate out of range")
        if bits not in (5, 6, 7, 8) or parity not in (None, 0, 1) or stop not in (1, 2):
            raise ValueError("invalid frame format")
        if rts is not None or cts is not None or invert or flow:
            raise ValueError("this board has no handshake lines and inverts none")
        if txbuf < 0 or rxbuf < 0:
            raise ValueError("invalid buffer size")
        self._baudrate = baudrate
        self._bits = 1 + bits + (parity is not None) + stop
        self._txbuf = txbuf
        self._capacity = rxbuf if rxbuf > 128 else 128
        self._timeout = timeout
        self._buffer = bytearray()
        wire.post(wire.UART, b"o" + struct.pack(
            "<BBBIB", self._id, self._tx, self._rx, self._baudrate, self._bits))

    def deinit(self):
        """Let the port and its pins go."""
        _ports.pop(self._id, None)
        pins.release(self._role)

    def any(self):
        """How many bytes can be read now."""
        return len(self._buffer)

    def read(self, *_nbytes):
        """Up to `_nbytes` bytes (default: all there are); None when there are none."""
        wanted = _nbytes[0] if _nbytes and _nbytes[0] >= 0 else None
        self._wait_for(1 if wanted is None else wanted)
        if not self._buffer:
            return None
        return self._take(len(self._buffer) if wanted is None else wanted)

    def readinto(self, _buf, *_nbytes):
        """As `read`, into a buffer; how many bytes."""
        wanted = min(len(_buf), _nbytes[0]) if _nbytes else len(_buf)
        self._wait_for(wanted)
        if not self._buffer:
            return None
        data = self._take(wanted)
        _buf[: len(data)] = data
        return len(data)

    def readline(self):
        """Bytes up to a newline, or all there are; None when there are none."""
        self._wait_for(1)
        if not self._buffer:
            return None
        newline = self._buffer.find(b"\n")
        return self._take(len(self._buffer) if newline < 0 else newline + 1)

    def write(self, _buf):
        """Send; blocks while more than the transmit buffer is under way. How many bytes."""
        data = bytes(_buf)
        now = simclock.now()
        self._sent = max(self._sent, now) + self._wire_us(len(data))
        wire.post(wire.UART, b"w" + bytes((self._id,)) + data)
        room = self._sent - self._wire_us(self._txbuf + 128)
        if room > now:
            wire.sleep_until(room, self._role)
        return len(data)

    def txdone(self):
        """Everything has left the wire."""
        return simclock.now() >= self._sent

    def flush(self):
        """Wait until everything has left the wire."""
        wire.sleep_until(self._sent, self._role)

    def irq(self, _handler=None, _trigger=0, _hard=False):
        """Call `_handler(uart)` when bytes came in (IRQ_RX or IRQ_RXIDLE)."""
        if _hard or _trigger & ~(UART.IRQ_RX | UART.IRQ_RXIDLE):
            raise ValueError("the simulator's UART interrupts on received bytes only")
        self._handler = _handler
        self._trigger = _trigger
        return _handler

    def ioctl(self, _request, _flags):
        """The stream protocol's poll; nothing else is asked of a UART."""
        if _request != _POLL:
            return -22
        ready = _flags & _WRITABLE
        if self._buffer:
            ready |= _flags & _READABLE
        return ready

    def _received(self, data):
        """Bytes came in; what does not fit is lost."""
        room = self._capacity - len(self._buffer)
        self._buffer.extend(data[:room])
        if self._handler is not None and self._trigger:
            wire.interrupt(self._handler, self)

    def _wait_for(self, wanted):
        if not self._timeout:
            return
        deadline = simclock.now() + self._timeout * 1000
        while len(self._buffer) < wanted and simclock.now() < deadline:
            wire.wait(deadline, self._role)

    def _take(self, count):
        data = bytes(self._buffer[:count])
        self._buffer = self._buffer[count:]
        return data

    def _wire_us(self, count):
        return count * self._bits * 1000000 // self._baudrate


def _event(payload):
    port = _ports.get(payload[0])
    if port is not None:
        port._received(payload[1:])


wire.on_event(wire.UART, _event)

"""TCP clients and name look-ups through the virtual board's network.

The stream protocol's `read`, `readinto` and `write` return None for not ready and -errno for an
error, since raising would unwind through mbedTLS; `recv`, `send` and `connect` raise OSError.
"""

import io
import struct

import simclock
from virtual import wire

_EAGAIN = const(11)
_EINVAL = const(22)
_ENOTCONN = const(128)
_EALREADY = const(114)
_EINPROGRESS = const(115)
_ETIMEDOUT = const(116)
_EAI_FAIL = const(-202)

_CLOSE = const(4)
_POLL = const(3)
_READABLE = const(1)
_WRITABLE = const(4)
_ERROR = const(8)
_HANGUP = const(16)

_sockets = {}
_next = [1]
_answers = {}


def getaddrinfo(_host, _port, _af=0, _type=0, _proto=0, _flags=0):
    """[(family, type, protocol, name, (address, port))]; blocks. OSError(-202): no such name."""
    query = _next[0]
    _next[0] += 1
    wire.post(wire.DNS, struct.pack("<I", query) + _host.encode())
    while query not in _answers:
        wire.wait(None, "look-up of " + _host)
    address = _answers.pop(query)
    if not address:
        raise OSError(_EAI_FAIL)
    return [(2, 1, 0, "", (address, _port))]


def _answered(payload):
    _answers[struct.unpack("<I", payload[:4])[0]] = payload[4:].decode()


wire.on_event(wire.DNS, _answered)


class socket(io.IOBase):
    """A TCP client socket."""

    def __init__(self, _af=2, _type=1, _proto=0):
        if _af != 2 or _type != 1:
            raise OSError(106)
        self._id = _next[0]
        _next[0] += 1
        _sockets[self._id] = self
        self._state = "new"
        self._error = 0
        self._ended = False
        self._received = bytearray()
        self._timeout = None

    def connect(self, _address):
        """Connect to (address, port); a non-blocking socket raises OSError(EINPROGRESS)."""
        if self._state != "new":
            raise OSError(_EALREADY)
        address, port = _address
        self._state = "connecting"
        wire.post(wire.TCP, b"c" + struct.pack("<IH", self._id, port) + address.encode())
        if self._timeout == 0:
            raise OSError(_EINPROGRESS)
        self._block(lambda: self._state != "connecting")
        if self._error:
            raise OSError(self._error)

    def setblocking(self, _flag):
        """True: calls wait without limit; False: they raise OSError(EAGAIN)."""
        self._timeout = None if _flag else 0

    def settimeout(self, _value):
        """Seconds that a call may wait; None: no limit."""
        self._timeout = _value

    def setsockopt(self, _level, _optname, _value):
        """Accepted: TCP_NODELAY and the like change nothing here."""

    def fileno(self):
        """The socket's number."""
        return self._id

    def makefile(self, *_args):
        """The socket is a stream already."""
        return self

    def recv(self, _bufsize):
        """Up to so many bytes; b'' at the end of the stream."""
        self._wait_readable()
        data = self.read(_bufsize)
        if data is None:
            raise OSError(_EAGAIN if self._timeout == 0 else _ETIMEDOUT)
        if isinstance(data, int):
            raise OSError(-data)
        return data

    def send(self, _data):
        """Send; how many bytes were taken."""
        if self._state == "connecting":
            self._block(lambda: self._state != "connecting")
        sent = self.write(_data)
        if sent is None:
            raise OSError(_EAGAIN)
        if sent < 0:
            raise OSError(-sent)
        return sent

    def sendall(self, _data):
        """Send all of it."""
        self.send(_data)

    def read(self, *_size):
        """The stream's read: bytes, None for not ready, -errno for an error."""
        self._wait_readable()
        if self._received:
            count = _size[0] if _size and _size[0] >= 0 else len(self._received)
            data = bytes(self._received[:count])
            self._received = self._received[count:]
            return data
        if self._error:
            return -self._error
        if self._ended:
            return b""
        return None if self._state != "new" else -_ENOTCONN

    def readinto(self, _buf, *_nbytes):
        """The stream's readinto: how many bytes, None for not ready, -errno for an error."""
        data = self.read(min(len(_buf), _nbytes[0]) if _nbytes else len(_buf))
        if data is None or isinstance(data, int):
            return data
        _buf[: len(data)] = data
        return len(data)

    def readline(self):
        """Bytes up to a newline; None when there is no whole line yet."""
        self._wait_readable()
        newline = self._received.find(b"\n")
        if newline < 0 and not self._ended:
            return None
        return self.read(newline + 1 if newline >= 0 else -1)

    def write(self, _buf):
        """The stream's write: how many bytes, None for not ready, -errno for an error."""
        if self._error:
            return -self._error
        if self._state == "connecting":
            return None
        if self._state != "open":
            return -_ENOTCONN
        data = bytes(_buf)
        wire.post(wire.TCP, b"s" + struct.pack("<I", self._id) + data)
        return len(data)

    def close(self):
        """Close; what was sent still arrives."""
        if self._state != "closed":
            self._state = "closed"
            self._error = _ENOTCONN
            _sockets.pop(self._id, None)
            wire.post(wire.TCP, b"x" + struct.pack("<I", self._id))

    def ioctl(self, _request, _arg):
        """The stream protocol's poll and close."""
        if _request == _CLOSE:
            self.close()
            return 0
        if _request != _POLL:
            return -_EINVAL
        ready = 0
        if self._received or self._ended or self._error:
            ready |= _arg & _READABLE
        if self._state == "open" or self._error:
            ready |= _arg & _WRITABLE
        if self._error:
            ready |= _HANGUP
        return ready

    def _event(self, what, data):
        if what == 111:
            self._state = "open"
        elif what == 100:
            self._received.extend(data)
        elif what == 101:
            self._ended = True
        else:
            self._error = struct.unpack("<H", data)[0]
            self._state = "failed"

    def _wait_readable(self):
        if self._timeout == 0 or self._state not in ("open", "connecting"):
            return
        self._block(lambda: self._received or self._ended or self._error)

    def _block(self, ready):
        deadline = None
        if self._timeout is not None:
            deadline = simclock.now() + int(self._timeout * 1000) * 1000
        while not ready():
            if deadline is not None and simclock.now() >= deadline:
                return
            wire.wait(deadline, f"socket {self._id}")


def _event(payload):
    what, number = payload[0], struct.unpack("<I", payload[1:5])[0]
    found = _sockets.get(number)
    if found is not None:
        found._event(what, payload[5:])


wire.on_event(wire.TCP, _event)

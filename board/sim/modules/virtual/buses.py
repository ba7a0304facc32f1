"""SPI and I2C: an access is answered at once and takes the time its bits need on the wire."""

import struct

from virtual import pins, wire

_SETUP_US = const(5)
_REVERSED = bytes(int("".join(reversed(f"{value:08b}")), 2) for value in range(256))
_DEFAULT_PINS = {1: (12, 11, 13), 2: (36, 35, 37)}


class SPI:
    """A hardware SPI controller (1 or 2); which chip hears it is decided by the select lines."""

    MSB = 0
    LSB = 1

    def __init__(self, _id, baudrate=500000, *, polarity=0, phase=0, bits=8, firstbit=MSB,
                 sck=None, mosi=None, miso=None):
        if _id not in (1, 2):
            raise ValueError(f"SPI({_id}) doesn't exist")
        self._id = _id
        defaults = _DEFAULT_PINS[_id]
        role = f"SPI({_id})"
        for given, default in ((sck, defaults[0]), (mosi, defaults[1]), (miso, defaults[2])):
            pins.claim(default if given is None else given, role)
        self._baudrate = 0
        self._reversed = False
        self.init(baudrate, polarity=polarity, phase=phase, bits=bits, firstbit=firstbit)

    def init(self, baudrate=-1, *, polarity=-1, phase=-1, bits=-1, firstbit=-1,
             sck=None, mosi=None, miso=None):
        """Change the clock or the mode; the pins stay."""
        if sck is not None or mosi is not None or miso is not None:
            raise ValueError("the pins are given when the bus is made")
        if polarity not in (-1, 0, 1) or phase not in (-1, 0, 1):
            raise ValueError("polarity and phase are 0 or 1")
        if bits not in (-1, 8):
            raise ValueError("the simulator's SPI moves bytes of 8 bits")
        if firstbit not in (-1, SPI.MSB, SPI.LSB):
            raise ValueError("firstbit is MSB or LSB")
        if firstbit != -1:
            self._reversed = firstbit == SPI.LSB
        if baudrate != -1:
            if not 0 < baudrate <= 80000000:
                raise ValueError("baudrate out of range")
            self._baudrate = baudrate

    def deinit(self):
        """Let the bus and its pins go."""
        pins.release(f"SPI({self._id})")

    def write(self, _buf):
        """Send; what comes in is dropped."""
        data = self._turned(bytes(_buf))
        wire.post(wire.SPI, b"w" + bytes((self._id,)) + data, self._cost(len(data)))

    def read(self, _nbytes, _write=0):
        """Receive while sending `_write`."""
        return self._transfer(bytes((_write,)) * _nbytes)

    def readinto(self, _buf, _write=0):
        """As `read`, into a buffer."""
        _buf[:] = self._transfer(bytes((_write,)) * len(_buf))

    def write_readinto(self, _write_buf, _read_buf):
        """Full duplex; the buffers are of one length."""
        if len(_write_buf) != len(_read_buf):
            raise ValueError("buffers must be the same length")
        _read_buf[:] = self._transfer(bytes(_write_buf))

    def _transfer(self, data):
        data = self._turned(data)
        return self._turned(
            wire.call(wire.SPI, b"x" + bytes((self._id,)) + data, self._cost(len(data)))
        )

    def _turned(self, data):
        """On the wire the most significant bit goes first; with LSB each byte is turned round."""
        return bytes([_REVERSED[byte] for byte in data]) if self._reversed else data

    def _cost(self, length):
        return _SETUP_US + length * 8000000 // self._baudrate


class I2C:
    """A hardware I2C controller (0 or 1)."""

    def __init__(self, _id, *, scl, sda, freq=400000, timeout=50000):
        if _id not in (0, 1):
            raise ValueError(f"I2C({_id}) doesn't exist")
        self._freq = freq
        for pin in (scl, sda):
            pins.claim(pin, f"I2C({_id})")

    def scan(self):
        """The addresses that answer."""
        return [a for a in range(0x08, 0x78) if self._write(a, b"")]

    def writeto(self, _addr, _buf, _stop=True):
        """Write; how many bytes were taken. OSError(ENODEV) when nobody answers."""
        if not self._write(_addr, bytes(_buf)):
            raise OSError(19)
        return len(_buf)

    def writevto(self, _addr, _vector, _stop=True):
        """Write several buffers as one message."""
        return self.writeto(_addr, b"".join(bytes(b) for b in _vector), _stop)

    def readfrom(self, _addr, _nbytes, _stop=True):
        """Read. OSError(ENODEV) when nobody answers."""
        return wire.call(wire.I2C, struct.pack("<BBH", 114, _addr, _nbytes), self._cost(_nbytes))

    def readfrom_into(self, _addr, _buf, _stop=True):
        """As `readfrom`, into a buffer."""
        _buf[:] = self.readfrom(_addr, len(_buf), _stop)

    def writeto_mem(self, _addr, _memaddr, _buf, *, addrsize=8):
        """Write a register."""
        self.writeto(_addr, _register(_memaddr, addrsize) + bytes(_buf))

    def readfrom_mem(self, _addr, _memaddr, _nbytes, *, addrsize=8):
        """Read a register."""
        self.writeto(_addr, _register(_memaddr, addrsize), False)
        return self.readfrom(_addr, _nbytes)

    def readfrom_mem_into(self, _addr, _memaddr, _buf, *, addrsize=8):
        """As `readfrom_mem`, into a buffer."""
        _buf[:] = self.readfrom_mem(_addr, _memaddr, len(_buf), addrsize=addrsize)

    def _write(self, address, data):
        taken = wire.call(wire.I2C, b"w" + bytes((address,)) + data, self._cost(len(data)))
        return taken == b"\x01"

    def _cost(self, length):
        return (length + 1) * 9000000 // self._freq


def _register(address, bits):
    return address.to_bytes(bits // 8, "big")

"""What belongs to the chip as a whole: resets, identity, wall clock, watchdog, timers."""

import struct
import sys

import simclock
from virtual import wire

_HELLO = "<qB6s"

_wall, RESET_CAUSE, UNIQUE_ID = struct.unpack(_HELLO, wire.call(wire.SYSTEM, b"h"))
PINS = {}
for _row in wire.call(wire.SYSTEM, b"p").decode().split("\n"):
    _name, _gpio = _row.split(",")
    PINS[_name] = int(_gpio)
simclock.wall(_wall)


def reset():
    """Restart the chip; does not return."""
    wire.post(wire.SYSTEM, b"r")
    wire.wait(None, "reset")
    sys.exit(0)


def unix_seconds():
    """Seconds since 1970 on the wall clock."""
    return (simclock.now() + simclock.wall()) // 1000000


class RTC:
    """The real-time clock: starts at 2000-01-01 at power-on and outlives a reset."""

    def __init__(self, _id=0):
        if _id != 0:
            raise ValueError("there is one RTC, 0")

    def init(self, _datetime):
        """Set the clock; `_datetime` as `datetime` takes it."""
        self.datetime(_datetime)

    def datetime(self, datetimetuple=None):
        """Get or set (year, month, day, weekday, hours, minutes, seconds, subseconds)."""
        import utime

        if datetimetuple is None:
            now = simclock.now() + simclock.wall()
            year, month, day, hour, minute, second, weekday = utime.gmtime(now // 1000000)[:7]
            return (year, month, day, weekday, hour, minute, second, now % 1000000)
        year, month, day, _, hour, minute, second, subsecond = datetimetuple
        unix = utime.mktime((year, month, day, hour, minute, second, 0, 0, 0))
        wall = unix * 1000000 + subsecond - simclock.now()
        simclock.wall(wall)
        wire.post(wire.SYSTEM, b"c" + struct.pack("<q", wall))
        return None

    def memory(self, data=None):
        """Get or set up to 2048 bytes that outlive a reset, but no power cut."""
        if data is None:
            return wire.call(wire.SYSTEM, b"m")
        data = bytes(data)
        if len(data) > 2048:
            raise ValueError("buffer too long")
        wire.post(wire.SYSTEM, b"M" + data)
        return None


class WDT:
    """The watchdog: once started it cannot be stopped, and resets the chip unless it is fed."""

    def __init__(self, *, id=0, timeout=5000):
        if id != 0:
            raise ValueError("there is one WDT, 0")
        if timeout <= 0:
            raise ValueError("WDT timeout too short")
        self._timeout = timeout
        wire.post(wire.SYSTEM, b"w" + struct.pack("<I", timeout))

    def feed(self):
        """Start the time again."""
        wire.post(wire.SYSTEM, b"f")

    def timeout_ms(self, _timeout):
        """Change the time."""
        wire.post(wire.SYSTEM, b"w" + struct.pack("<I", _timeout))


class Timer:
    """A hardware timer, 0 to 3; its callback runs as the interrupt scheduler would run it."""

    ONE_SHOT = 0
    PERIODIC = 1
    _taken = {}

    def __init__(self, _id, *, mode=PERIODIC, period=-1, callback=None, freq=0, tick_hz=1000):
        if not 0 <= _id <= 3:
            raise ValueError("invalid Timer number")
        if _id in Timer._taken:
            Timer._taken[_id].deinit()
        Timer._taken[_id] = self
        self._id = _id
        self._entry = None
        if period >= 0 or freq:
            self.init(mode=mode, period=period, callback=callback, freq=freq, tick_hz=tick_hz)

    def init(self, *, mode=PERIODIC, period=-1, callback=None, freq=0, tick_hz=1000):
        """Start; the period is in ticks of `tick_hz`, or `freq` in hertz is given."""
        self._stop()
        self._us = 1000000 // freq if freq else period * 1000000 // tick_hz
        if self._us <= 0:
            raise ValueError("the period must be positive")
        self._periodic = mode == Timer.PERIODIC
        self._callback = callback
        self._entry = wire.add_timer(simclock.now() + self._us, self._fire)

    def deinit(self):
        """Stop."""
        self._stop()
        Timer._taken.pop(self._id, None)

    def value(self):
        """Microseconds since the period began, in milliseconds."""
        if self._entry is None:
            return 0
        return (self._us - (self._entry[0] - simclock.now())) // 1000

    def _stop(self):
        if self._entry is not None:
            wire.drop_timer(self._entry)
            self._entry = None

    def _fire(self, due):
        self._entry = wire.add_timer(due + self._us, self._fire) if self._periodic else None
        if self._callback is not None:
            wire.interrupt(self._callback, self)

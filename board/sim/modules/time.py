"""The virtual board's `time`: epoch 2000, sleeps that give the turn away, charged busy waits.

Without a virtual board (a plain start of the interpreter) it is the unix port's own.
"""
# ruff: noqa: F401, F403 - this module is a face

import simclock

if simclock.link() < 0:
    from utime import *
else:
    import utime as _utime
    from utime import ticks_add, ticks_diff, ticks_ms
    from virtual import system as _system  # sets the wall clock
    from virtual import wire as _wire

    _EPOCH_2000 = const(946684800)

    def time():
        """Seconds since 2000-01-01 00:00:00."""
        return _utime.time() - _EPOCH_2000

    def time_ns():
        """Nanoseconds since 2000-01-01 00:00:00."""
        return _utime.time_ns() - _EPOCH_2000 * 1000000000

    def gmtime(_secs=None):
        """(year, month, day, hour, minute, second, weekday, yearday) of `time()` or `_secs`."""
        return tuple(_utime.gmtime((time() if _secs is None else _secs) + _EPOCH_2000)[:8])

    localtime = gmtime

    def mktime(_local_time):
        """Seconds since 2000 of a tuple as `gmtime` gives it."""
        year, month, day, hour, minute, second = _local_time[:6]
        unix = _utime.mktime((year, month, day, hour, minute, second, 0, 0, 0))
        return int(unix) - _EPOCH_2000

    def sleep(_seconds):
        """Sleep; the board has the turn meanwhile."""
        sleep_us(int(_seconds * 1000) * 1000)

    def sleep_ms(_ms):
        """Sleep for milliseconds."""
        sleep_us(_ms * 1000)

    def sleep_us(_us):
        """Sleep for microseconds."""
        if _us > 0:
            _wire.sleep_until(simclock.now() + _us)

    def ticks_us():
        """Microseconds; reading them costs one, or a busy wait would never end."""
        _wire.busy(1)
        return _utime.ticks_us()

    def ticks_cpu():
        """The finest counter there is: microseconds here."""
        return ticks_us()

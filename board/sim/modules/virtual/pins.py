"""GPIO: pins, PWM and the one-wire lamp signal. Each pin has one owner; a second is an error."""

import struct

from virtual import system, wire

_owners = {}
_handlers = {}


def claim(pin, role):
    """Give a pin to a peripheral; its GPIO number. ValueError when it is taken or not wired."""
    if not isinstance(pin, Pin):
        pin = Pin(pin)
    if pin._role is not None and pin._role != role:
        raise ValueError(f"GPIO {pin._gpio} is used twice: {pin._role} and {role}")
    pin._role = role
    return pin._gpio


def release(role):
    """Let a peripheral's pins go."""
    for gpio in list(_owners):
        if _owners[gpio]._role == role:
            del _owners[gpio]


class Pin:
    """One GPIO of the chip, wired as board/esp32s3/pins.csv says."""

    IN = 1
    OUT = 3
    OPEN_DRAIN = 7
    PULL_DOWN = 1
    PULL_UP = 2
    IRQ_RISING = 1
    IRQ_FALLING = 2
    WAKE_LOW = 4
    WAKE_HIGH = 5
    DRIVE_0 = 0
    DRIVE_1 = 1
    DRIVE_2 = 2
    DRIVE_3 = 3

    def __init__(self, _id, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        if isinstance(_id, str):
            _id = system.PINS.get(_id, -1)
        if _id not in system.PINS.values():
            raise ValueError("no such pin on this board")
        if _id in _owners:
            raise ValueError(f"GPIO {_id} is used twice")
        _owners[_id] = self
        self._gpio = _id
        self._role = None
        self._mode = 0
        self._trigger = 0
        self._handler = None
        self.init(mode, pull, value=value, drive=drive, hold=hold)

    def __repr__(self):
        return f"Pin({self._gpio})"

    def init(self, mode=-1, pull=-1, *, value=None, drive=None, hold=None):
        """Set direction (IN, OUT, OPEN_DRAIN), pull (None, PULL_UP, PULL_DOWN) and level."""
        if mode not in (-1, None, Pin.IN, Pin.OUT, Pin.OPEN_DRAIN):
            raise ValueError("invalid pin mode")
        if pull not in (-1, None, Pin.PULL_UP, Pin.PULL_DOWN):
            raise ValueError("invalid pull")
        if drive not in (None, 0, 1, 2, 3):
            raise ValueError("invalid drive")
        self._mode = self._mode if mode in (-1, None) else mode
        level = 255 if value is None else int(bool(value))
        pulls = 255 if pull == -1 else pull or 0
        wire.post(wire.PIN, b"m" + bytes((self._gpio, self._mode, pulls, level)))

    def value(self, *_x):
        """The level, or set it."""
        if not _x:
            return wire.call(wire.PIN, b"r" + bytes((self._gpio,)))[0]
        (level,) = _x
        wire.post(wire.PIN, b"w" + bytes((self._gpio, int(bool(level)))))
        return None

    def __call__(self, *_x):
        return self.value(*_x)

    def on(self):
        """High."""
        self.value(1)

    def off(self):
        """Low."""
        self.value(0)

    def toggle(self):
        """The other level."""
        self.value(1 - self.value())

    def irq(self, handler=None, trigger=IRQ_FALLING | IRQ_RISING, *, wake=None):
        """Call `handler(pin)` at the given edges; None stops it."""
        if wake is not None:
            raise ValueError("the simulator's chip does not sleep")
        if trigger not in (Pin.IRQ_RISING, Pin.IRQ_FALLING, Pin.IRQ_RISING | Pin.IRQ_FALLING):
            raise ValueError("only edges raise an interrupt without wake")
        self._handler = handler
        self._trigger = trigger if handler is not None else 0
        _handlers[self._gpio] = self
        wire.post(wire.PIN, b"i" + bytes((self._gpio, self._trigger)))
        return self._handler


def _edge(payload):
    gpio, level = payload
    pin = _handlers.get(gpio)
    edge = Pin.IRQ_RISING if level else Pin.IRQ_FALLING
    if pin is not None and pin._trigger & edge:
        wire.interrupt(pin._handler, pin)


wire.on_event(wire.PIN, _edge)


class PWM:
    """A square wave on a pin."""

    def __init__(self, _dest, *, freq=-1, duty_u16=-1, duty_ns=-1, duty=-1, invert=-1):
        self._gpio = claim(_dest, "PWM")
        self._freq = 5000
        self._duty = 32768
        self.init(freq=freq, duty_u16=duty_u16, duty_ns=duty_ns, duty=duty, invert=invert)

    def init(self, *, freq=-1, duty_u16=-1, duty_ns=-1, duty=-1, invert=-1):
        """Set the frequency in hertz and the duty in 65535ths, 1023rds, or as high time."""
        if invert not in (-1, 0):
            raise ValueError("the simulator's PWM does not invert")
        if freq != -1:
            if not 1 <= freq <= 40000000:
                raise ValueError("frequency must be from 1Hz to 40MHz")
            self._freq = freq
        if duty != -1:
            duty_u16 = duty * 65535 // 1023
        if duty_ns != -1:
            duty_u16 = duty_ns * self._freq * 65535 // 1000000000
        if duty_u16 != -1:
            if not 0 <= duty_u16 <= 65535:
                raise ValueError("duty_u16 must be from 0 to 65535")
            self._duty = duty_u16
        self._tell()

    def freq(self, *_value):
        """The frequency, or set it."""
        if not _value:
            return self._freq
        return self.init(freq=_value[0])

    def duty_u16(self, *_value):
        """The duty in 65535ths, or set it."""
        if not _value:
            return self._duty
        return self.init(duty_u16=_value[0])

    def duty(self, *_value):
        """The duty in 1023rds, or set it."""
        if not _value:
            return self._duty * 1023 // 65535
        return self.init(duty=_value[0])

    def duty_ns(self, *_value):
        """The high time in nanoseconds, or set it."""
        if not _value:
            return self._duty * 1000000000 // self._freq // 65535
        return self.init(duty_ns=_value[0])

    def deinit(self):
        """Stop; the pin is low."""
        self._duty = 0
        self._tell()

    def _tell(self):
        wire.post(wire.PWM, struct.pack("<BIH", self._gpio, self._freq, self._duty))


def bitstream(_pin, _encoding, _timing, _data):
    """Send bytes as long and short pulses; `_timing` is four times in nanoseconds."""
    if _encoding != 0:
        raise ValueError("the only encoding is 0, high and low")
    if len(_timing) != 4:
        raise ValueError("four times are needed")
    gpio = claim(_pin, "bitstream")
    data = bytes(_data)
    nanoseconds = len(data) * 8 * max(_timing[0] + _timing[1], _timing[2] + _timing[3])
    wire.post(wire.BITS, bytes((gpio,)) + data, cost=nanoseconds // 1000)

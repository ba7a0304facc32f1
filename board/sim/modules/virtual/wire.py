"""The firmware's end of the link: one socket to the virtual board, and the turn.

Either the firmware runs or the board, never both. An access (`call`) is answered at once; a `post`
needs no answer; `wait` gives the turn away with a deadline, and returns when the board is done.
Frames are `<IBBQ` (payload length, kind, channel, sender's time in microseconds) and the payload;
tools/sim/link.py is the other end. In virtual time each turn says how far the firmware may advance
alone (the horizon: nothing can happen before it); any frame sent cancels that.
"""

import struct

import simclock

_HEAD = const("<IBBQ")
_HEAD_SIZE = const(14)
_NEVER = const(0xFFFFFFFFFFFFFFFF)

_TURN = const(1)
_WAIT = const(2)
_CALL = const(3)
_REPLY = const(4)
_POST = const(5)
_EVENT = const(6)
_ERROR = const(7)

PIN = const(1)
PWM = const(2)
BITS = const(3)
UART = const(4)
SPI = const(5)
I2C = const(6)
FLASH = const(7)
WIFI = const(8)
DNS = const(9)
TCP = const(10)
SYSTEM = const(11)

_stream = open(simclock.link(), "r+b")
_horizon = 0
_speed = 0
_handlers = {SYSTEM: lambda _: None}  # a line came on the console: whoever polls it sees it there
_pending = []
_delivering = False
_timers = []


def on_event(channel, handler):
    """Let `handler(payload)` take the channel's events; it only stores what they say."""
    _handlers[channel] = handler


def interrupt(function, argument):
    """Run an interrupt handler as soon as the access under way is over, as the scheduler would."""
    _pending.append((function, argument))


def call(channel, payload, cost=1):
    """Ask the board; its answer. `cost` is what the access takes, in microseconds.

    Raises OSError with the number that the board answers for a refused access.
    """
    _send(_CALL, channel, payload, cost)
    answer = _receive(_REPLY)
    _deliver()
    return answer


def post(channel, payload, cost=1):
    """Tell the board; nothing comes back."""
    _send(_POST, channel, payload, cost)


def wait(deadline, who=""):
    """Give the turn away until something happened or time reached `deadline` (None: no limit).

    `who` names the waiter, for the board's report when nobody has a deadline.
    """
    now = simclock.now()
    nearest = deadline
    if _timers and (nearest is None or _timers[0][0] < nearest):
        nearest = _timers[0][0]
    if nearest is not None and nearest < _horizon:
        if nearest > now:
            simclock.set(nearest, 0)
    else:
        due = struct.pack("<Q", _NEVER if nearest is None else nearest)
        _send(_WAIT, 0, due + who.encode(), 0)
        _receive(_TURN)
    _run_timers()
    _deliver()


def sleep_until(deadline, who="sleep"):
    """Let board time reach `deadline`, serving interrupts meanwhile."""
    while simclock.now() < deadline:
        wait(deadline, who)


def busy(us):
    """Charge a busy wait, and let the board have its turn when something could have happened."""
    simclock.spend(us)
    now = simclock.now()
    if now >= _horizon:
        wait(now, "a busy wait")


def add_timer(due, function):
    """Call `function(due)` when board time reaches `due`; returns a handle for `drop_timer`."""
    entry = (due, function)
    place = len(_timers)
    while place > 0 and _timers[place - 1][0] > due:
        place -= 1
    _timers.insert(place, entry)
    return entry


def drop_timer(entry):
    """Forget a timer; one that ran already is no error."""
    if entry in _timers:
        _timers.remove(entry)


def _run_timers():
    while _timers and _timers[0][0] <= simclock.now():
        due, function = _timers.pop(0)
        function(due)


def _deliver():
    global _delivering
    if _delivering:
        return
    _delivering = True
    try:
        while _pending:
            function, argument = _pending.pop(0)
            function(argument)
    finally:
        _delivering = False


def _send(kind, channel, payload, cost):
    global _horizon
    _horizon = 0
    if cost:
        simclock.spend(cost)
    _stream.write(struct.pack(_HEAD, len(payload), kind, channel, simclock.now()) + payload)


def _read(size):
    data = _stream.read(size)
    if len(data) < size:
        raise SystemExit("the virtual board is gone")
    return data


def _receive(wanted):
    """Take frames up to the wanted one; events on the way are stored by their handlers."""
    global _horizon, _speed
    while True:
        size, kind, channel, now = struct.unpack(_HEAD, _read(_HEAD_SIZE))
        body = _read(size) if size else b""
        if kind == _EVENT:
            _handlers[channel](body)
            continue
        if kind == _TURN:
            _horizon, _speed = struct.unpack("<QI", body)
        simclock.set(now, _speed)
        if kind == _ERROR:
            raise OSError(struct.unpack("<i", body)[0])
        if kind != wanted:
            raise SystemExit(f"the virtual board sent a frame of kind {kind}")
        return body


# The board starts the firmware by handing it the first turn; then it says what it is.
_send(_WAIT, 0, struct.pack("<Q", 0), 0)
_receive(_TURN)

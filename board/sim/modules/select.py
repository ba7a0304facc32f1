"""The virtual board's `select`: a poll that finds nothing gives the turn away until its deadline.

Without a virtual board (a plain start of the interpreter) it is the unix port's own.
"""
# ruff: noqa: F401, F403 - this module is a face

import simclock

if simclock.link() < 0:
    from uselect import *
else:
    import uselect as _uselect
    from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT
    from virtual import wire as _wire

    _POLL_US = const(10)

    class poll:
        """Polls streams. Answers come in the order of registration, never of memory addresses."""

        def __init__(self):
            self._inner = _uselect.poll()
            self._order = {}
            self._count = 0

        def register(self, obj, eventmask=POLLIN | POLLOUT):
            """Watch a stream, or change what is watched for."""
            if id(obj) not in self._order:
                self._order[id(obj)] = self._count
                self._count += 1
            self._inner.register(obj, eventmask)

        def unregister(self, obj):
            """Watch it no longer."""
            self._inner.unregister(obj)
            self._order.pop(id(obj), None)

        def modify(self, obj, eventmask):
            """Change what is watched for."""
            self._inner.modify(obj, eventmask)

        def poll(self, _timeout=-1):
            """A list of (stream, events), after at most `_timeout` milliseconds (-1: no limit)."""
            deadline = None if _timeout < 0 else simclock.now() + _timeout * 1000
            if _timeout == 0:
                _wire.busy(_POLL_US)
            while True:
                ready = self._inner.poll(0)
                if ready:
                    if len(ready) > 1:
                        ready.sort(key=self._registered)
                    return ready
                if deadline is not None and simclock.now() >= deadline:
                    return ready
                _wire.wait(deadline, f"poll of {len(self._order)} streams")

        def ipoll(self, _timeout=-1, _flags=0):
            """As `poll`, as an iterator."""
            if _flags:
                raise ValueError("one-shot polls are not used here")
            return iter(self.poll(_timeout))

        def _registered(self, answer):
            return self._order[id(answer[0])]

"""The fault log: what went wrong, named, counted, durable and bounded.

One small file in /data, replaced whole by a rename. A fault is its place and class; the same one
again only counts up. No card number gets in: a long run of digits is masked.
"""

import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.devices import Clock

_FILE = "faults.json"
_MOST = const(32)
_LONGEST = const(96)
_PAN_DIGITS = const(13)


class Fault:
    """One kind of fault. name: 'place: Class'. text: its newest sentence. last: Clock seconds."""

    def __init__(self, name: str, text: str, count: int, last: int) -> None:
        self.name = name
        self.text = text
        self.count = count
        self.last = last


class FaultLog:
    """At most 32 kinds of fault in `folder`/faults.json; the one seen longest ago gives way."""

    def __init__(self, folder: str, clock: "Clock") -> None:
        self._path = folder + "/" + _FILE
        self._clock = clock
        self._faults: list[Fault] = []
        self._load()

    def faults(self) -> list[Fault]:
        """Newest first."""
        return sorted(self._faults, key=lambda fault: -fault.last)

    def record(self, place: str, error: "BaseException | None") -> None:
        """Count a fault; durable when this returns, unless the storage itself is the fault.

        `place` is a task or device. None: the task simply ended.
        """
        kind = "Ended" if error is None else type(error).__name__
        text = masked("" if error is None else str(error))[:_LONGEST]
        print("fault:", place, kind, text)
        self._count(place + ": " + kind, text)

    def record_unexpected(self, place: str, error: BaseException) -> None:
        """As `record`, with the traceback on the console for the engineer."""
        sys.print_exception(error)
        self.record(place, error)

    def note(self, place: str, sentence: str) -> None:
        """Count something that was repaired or refused, and is no exception here."""
        print("note:", place, masked(sentence))
        self._count(place, masked(sentence)[:_LONGEST])

    def _count(self, name: str, text: str) -> None:
        now = self._clock.now()
        for fault in self._faults:
            if fault.name == name:
                fault.count += 1
                fault.text, fault.last = text, now
                break
        else:
            if len(self._faults) >= _MOST:
                self._faults.remove(min(self._faults, key=lambda fault: fault.last))
            self._faults.append(Fault(name, text, 1, now))
        self._save()

    def _load(self) -> None:
        """A log that does not read is begun anew: it must not keep the terminal from starting."""
        try:
            with open(self._path) as file:
                rows = json.load(file)
            if not isinstance(rows, list):
                raise ValueError("the fault log is no list")
            self._faults = [
                Fault(str(name), str(text), int(count), int(last))
                for name, text, count, last in rows[:_MOST]
            ]
        except OSError:
            return
        except (ValueError, TypeError, UnicodeError) as error:
            self._faults = []
            self.record("fault log", error)

    def _save(self) -> None:
        rows = [[fault.name, fault.text, fault.count, fault.last] for fault in self._faults]
        try:
            with open(self._path + ".new", "w") as file:
                json.dump(rows, file)
            os.rename(self._path + ".new", self._path)
        except OSError as error:
            print("fault: the log cannot be kept:", error)


def masked(text: str) -> str:
    """`text` with every run of 13 and more digits reduced to its first six and last four."""
    out, run = [], ""
    for character in text + "\0":
        if character.isdigit():
            run += character
            continue
        if len(run) >= _PAN_DIGITS:
            run = run[:6] + "*" * (len(run) - 10) + run[-4:]
        out.append(run)
        run = ""
        out.append(character)
    return "".join(out)[:-1]

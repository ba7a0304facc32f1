"""The record of what was made: append-only JSON lines, each holding the hash of the one before.

Lines and not a database, because the chain is over bytes that anyone can check with `sha256sum`,
an append is one write and one sync, and a torn end is seen by eye. An entry is JSON with sorted
keys and no spaces; `hash` is the SHA-256 of the entry without it; `before` is the hash of the line
above. Kinds: `begun`, `identified` (before the first byte goes to the flash), `ended`, `repair`.

Nothing is ever cut off or rewritten. A last line torn by a crash is closed with a line feed and
named, by its SHA-256, in the `repair` entry that follows; an attempt that has no end gets one,
`interrupted`. Any other line that does not fit the chain makes the record refuse. What a chain
cannot show is that its last lines are missing altogether: note the last hash elsewhere
(`pos report` prints it).
"""

import fcntl
import hashlib
import json
import os
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

from tools.workshop.faults import (
    DUPLICATE_MAC,
    DUPLICATE_SERIAL,
    DUPLICATE_TERMINAL,
    INTERRUPTED,
    NOT_FLASHED,
    DeviceFault,
    Fault,
    WorkshopError,
)

FIRST = "0" * 64
OPENING = b'{"at":"'  # of every line: the keys are sorted
Entry = dict[str, Any]


class RecordError(WorkshopError):
    """The record was altered, is in use by another station, or cannot be written."""


@dataclass
class Attempt:
    """One try at one device. `result` is '' while it has no end, then 'ok' or a fault's name.

    efuses: their summary (`efuses.summary`); empty where they were not read.
    """

    id: str
    task: str
    port: str
    operator: str
    began: str
    image: str = ""
    mac: str = ""
    serial: str = ""
    terminal: str = ""
    result: str = ""
    detail: str = ""
    ended: str = ""
    rate: int = 0
    efuses: Entry = field(default_factory=dict)


@dataclass
class Book:
    """What the record says, entry by entry.

    made: MAC → serial number of devices that are flashed and verified. provisioned: MAC → the good
    attempt at it, of devices that hold keys.
    """

    attempts: dict[str, Attempt] = field(default_factory=dict)
    serials: dict[str, str] = field(default_factory=dict)  # MAC → serial number
    owners: dict[str, str] = field(default_factory=dict)  # serial number → MAC
    terminals: dict[str, str] = field(default_factory=dict)  # MAC → terminal number
    holders: dict[str, str] = field(default_factory=dict)  # terminal number → MAC
    made: dict[str, str] = field(default_factory=dict)
    provisioned: dict[str, Attempt] = field(default_factory=dict)
    repairs: int = 0
    entries: int = 0
    torn: bool = False  # its last line is no whole one: a crash, unless someone did it
    head: str = FIRST

    def take(self, entry: Entry) -> None:
        """Add an entry that is already proven to be in the chain."""
        self.entries += 1
        self.head = entry["hash"]
        kind = entry["kind"]
        if kind == "repair":
            self.repairs += 1
            return
        if kind == "begun":
            names = ("task", "port", "operator", "image")
            self.attempts[entry["attempt"]] = Attempt(
                entry["attempt"], began=entry["at"], **{name: entry[name] for name in names}
            )
            return
        attempt = self.attempts[entry["attempt"]]
        attempt.mac = entry.get("mac", attempt.mac)
        attempt.serial = entry.get("serial", attempt.serial)
        attempt.terminal = entry.get("terminal", attempt.terminal)
        if kind == "identified":
            self._touch(attempt)
        if kind == "ended":
            attempt.result, attempt.ended = entry["result"], entry["at"]
            attempt.detail, attempt.rate = entry.get("detail", ""), entry.get("rate", 0)
            attempt.efuses = entry.get("efuses", {})
            if attempt.result == "ok" and attempt.task == "flash":
                self.made[attempt.mac] = attempt.serial
            if attempt.result == "ok" and attempt.task == "provision":
                self.provisioned[attempt.mac] = attempt

    def _touch(self, attempt: Attempt) -> None:
        """From here on the device is changed, and is not what it was."""
        if attempt.task != "provision":
            self.made.pop(attempt.mac, None)
        if attempt.task != "flash":  # an image leaves keys and parameters as they are
            self.provisioned.pop(attempt.mac, None)
        if attempt.serial:
            self.serials[attempt.mac] = attempt.serial
            self.owners[attempt.serial] = attempt.mac
        if attempt.terminal:
            self.holders.pop(self.terminals.get(attempt.mac, ""), None)
            self.terminals[attempt.mac] = attempt.terminal
            self.holders[attempt.terminal] = attempt.mac

    def open_attempts(self) -> list[Attempt]:
        """Those without an end."""
        return [attempt for attempt in self.attempts.values() if not attempt.result]


def read(path: Path) -> Book:
    """The record as it stands, without repairing it; RecordError: altered, or not to be read."""
    book = Book()
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return book
    except OSError as error:
        raise RecordError(f"{path}: {error.strerror}") from error
    book.torn = bool(_scan(data, book))
    return book


def _canonical(entry: Entry) -> bytes:
    return json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _parsed(line: bytes) -> Entry | None:
    """The line as an entry, or None when it is no JSON object: torn."""
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _scan(data: bytes, book: Book) -> bytes:
    """Take all entries; gives what is torn at the end (with its line feeds), or nothing.

    RecordError for a line that is neither in the chain nor torn and named by a repair, and for
    what never was a record: nothing is to be added to somebody's other file.
    """
    if data and not data.startswith(OPENING[: len(data)]):
        raise RecordError("it is no record of devices, or its first line was altered")
    torn = b""
    for number, line in enumerate(data.splitlines(keepends=True), 1):
        entry = _parsed(line)
        if entry is None:
            torn += line
            continue
        stated = entry.pop("hash", None)
        if (
            stated != hashlib.sha256(_canonical(entry)).hexdigest()
            or entry.get("before") != book.head
            or _canonical(entry | {"hash": stated}) != line.rstrip(b"\n")
        ):
            raise RecordError(f"line {number} of the record does not fit the chain: altered")
        if torn and entry.get("torn") != hashlib.sha256(torn).hexdigest():
            raise RecordError(f"the line before {number} of the record is damaged: altered")
        torn = b""
        book.take(entry | {"hash": stated})
    return torn


def _assigned(mac: str, wanted: str, own: str, owners: dict[str, str], fault: Fault) -> str:
    """The number of this device: its own, the wanted one, or the next. DeviceFault `fault`."""
    if wanted.endswith("+"):
        return own or _next(wanted[:-1], owners)
    if wanted and own not in ("", wanted):
        raise DeviceFault(fault, f"{mac} is {own} already")
    if wanted and owners.get(wanted, mac) != mac:
        raise DeviceFault(fault, f"{wanted} is {owners[wanted]}")
    return wanted or own


def _next(first: str, owners: dict[str, str]) -> str:
    """The lowest number from `first` on that is above all given ones of its form."""
    head, digits = re.fullmatch(r"(.*?)(\d+)", first).groups()  # type: ignore[union-attr]
    taken = [int(digits) - 1]
    for number in owners:
        rest = number.removeprefix(head)
        if number.startswith(head) and rest.isdigit():
            taken.append(int(rest))
    return f"{head}{max(taken) + 1:0{len(digits)}}"


def now() -> str:
    """The time as the record writes it: UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Records:
    """The record, open for writing by this station alone. A context manager.

    Opening repairs a torn end and closes attempts that a crash left open; both are entries.
    RecordError when it was altered or another station holds it.
    """

    def __init__(self, path: Path, clock: Callable[[], str] = now) -> None:
        self.path = path
        self.book = Book()
        self._clock = clock
        self._file = -1
        self._shut = f"{path} is closed"  # why nothing more can be written

    def __enter__(self) -> "Records":
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(self.path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise RecordError(f"{self.path}: {error.strerror}") from error
        try:
            self._take_over()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._file >= 0:
            os.close(self._file)
        self._file = -1

    def _take_over(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise RecordError(f"{self.path} is in use by another station") from error
        folder = os.open(self.path.parent, os.O_RDONLY)
        os.fsync(folder)  # a new file's name must last as well
        os.close(folder)
        data = self.path.read_bytes()
        torn = _scan(data, self.book)
        closing = b"" if data.endswith(b"\n") or not data else b"\n"
        if closing:
            self._write(closing)
        if torn:
            digest = hashlib.sha256(torn + closing).hexdigest()
            self._append("repair", torn=digest, bytes=len(torn + closing))
        for attempt in self.book.open_attempts():
            self.end(attempt.id, INTERRUPTED.name, found_at=self._clock())

    def begin(self, task: str, port: str, operator: str, **facts: Any) -> str:
        """A try begins; gives its id. facts: image, hashes, loader and the like."""
        attempt = uuid.uuid4().hex
        facts.setdefault("image", "")
        self._append("begun", attempt=attempt, task=task, port=port, operator=operator, **facts)
        return attempt

    def identify(self, attempt: str, mac: str, serial: str = "", again: bool = False) -> str:
        """The device is known; gives its serial number ('' when it has none and needs none).

        serial: a number it must get, or one ending in digits and '+' to count on from
        ('SP-000001+'). A device keeps the number that it has. DeviceFault DUPLICATE_MAC when it is
        finished (unless `again`) or being made at another port; DUPLICATE_SERIAL.
        """
        self._refuse_repeated(attempt, mac, again)
        number = self._number(mac, serial)
        entry = {"attempt": attempt, "mac": mac} | ({"serial": number} if number else {})
        self._append("identified", **entry)
        return number

    def admit(
        self, attempt: str, mac: str, serial: str, terminal: str, again: bool = False
    ) -> tuple[str, str]:
        """A device is about to get its keys; gives its serial and its terminal number.

        serial, terminal: as in `identify`; a device keeps the numbers that it has, save that
        `again` may give it another terminal number. DeviceFault NOT_FLASHED, DUPLICATE_MAC when it
        has its keys (unless `again`), DUPLICATE_SERIAL, DUPLICATE_TERMINAL.
        """
        self._refuse_twice(attempt, mac)
        if mac in self.book.provisioned and not again:
            raise DeviceFault(DUPLICATE_MAC, f"{mac} is {self.book.terminals[mac]}")
        if mac not in self.book.made:
            raise DeviceFault(NOT_FLASHED, mac)
        number = self._number(mac, serial)
        own = "" if again and not terminal.endswith("+") else self.book.terminals.get(mac, "")
        name = _assigned(mac, terminal, own, self.book.holders, DUPLICATE_TERMINAL)
        if terminal.endswith("+") and len(name) >= len(terminal):  # its length is fixed (field 41)
            raise DeviceFault(DUPLICATE_TERMINAL, f"{name} is too long; none before it is left")
        self._append("identified", attempt=attempt, mac=mac, serial=number, terminal=name)
        return number, name

    def _refuse_twice(self, attempt: str, mac: str) -> None:
        for other in self.book.open_attempts():
            if other.mac == mac and other.id != attempt:
                raise DeviceFault(DUPLICATE_MAC, f"{mac} is being done at {other.port}")

    def _refuse_repeated(self, attempt: str, mac: str, again: bool) -> None:
        self._refuse_twice(attempt, mac)
        if mac in self.book.made and not again:
            raise DeviceFault(DUPLICATE_MAC, f"{mac} is {self.book.made[mac] or 'made'}")

    def _number(self, mac: str, serial: str) -> str:
        own = self.book.serials.get(mac, "")
        return _assigned(mac, serial, own, self.book.owners, DUPLICATE_SERIAL)

    def resumes(self, attempt: str, mac: str, image: str) -> bool:
        """True when an earlier try at this device with this image did not come to a good end."""
        tries = [a for a in self.book.attempts.values() if a.mac == mac and a.id != attempt]
        return bool(tries) and tries[-1].result != "ok" and tries[-1].image == image

    def end(self, attempt: str, result: str, **facts: Any) -> None:
        """A try ends: 'ok' or a fault's name. facts: detail, rate, seconds, mac, efuses, kcv, …"""
        self._append("ended", attempt=attempt, result=result, **facts)

    def _append(self, kind: str, **facts: Any) -> None:
        """Write an entry and wait until it lasts."""
        entry = {"kind": kind, "at": self._clock(), "before": self.book.head, **facts}
        entry["hash"] = hashlib.sha256(_canonical(entry)).hexdigest()
        self._write(_canonical(entry) + b"\n")
        self.book.take(entry)

    def _write(self, data: bytes) -> None:
        if self._file < 0:
            raise RecordError(self._shut)
        try:
            written = os.write(self._file, data)
            os.fdatasync(self._file)
        except OSError as error:
            self._fail(f"{self.path}: {error.strerror}")
        if written != len(data):
            self._fail(f"{self.path}: the disk is full")

    def _fail(self, why: str) -> NoReturn:
        """Nothing is written after a failure; whoever tries is told the first reason."""
        self.__exit__()
        self._shut = why
        raise RecordError(why)

"""Who may use the terminal: numbers, roles, and passwords as salted keyed hashes.

99 is the administrator (8 digits), 00 the supervisor (6), 01-20 are cashiers (4). A hash is made
with a key that only the C module holds, so the file alone cannot be searched for passwords of four
digits; another covers the whole file, so no entry can be moved, changed or left out unnoticed.
Failures are counted durably and slow the next try down, across power cuts as well.
"""

import json
import os
import time

from firmware.care.errors import (
    BackOff,
    OperatorsCorrupt,
    OperatorUnknown,
    PasswordForm,
    PasswordWrong,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from typing_extensions import Buffer

ADMINISTRATOR = "99"
SUPERVISOR = "00"
FACTORY = {"99": "12345678", "00": "123456", "01": "0000"}

_FILE = "operators.json"
_FREE_TRIES = const(3)
_FIRST_WAIT_S = const(30)
_LONGEST_WAIT_S = const(900)
_SALT_BYTES = const(8)


def role(number: str) -> str:
    """'administrator', 'supervisor' or 'cashier'. OperatorUnknown outside 00, 01-20, 99."""
    if number == ADMINISTRATOR:
        return "administrator"
    if number == SUPERVISOR:
        return "supervisor"
    if len(number) == 2 and number.isdigit() and 1 <= int(number) <= 20:
        return "cashier"
    raise OperatorUnknown("no operator has the number " + number)


def digits_of(number: str) -> int:
    """How many digits this operator's password has: 8, 6 or 4."""
    return {"administrator": 8, "supervisor": 6}.get(role(number), 4)


class Operators:
    """The operators of this terminal, kept in `folder`/operators.json.

    `mac(data: bytes) -> bytes` is a keyed hash (Vault.mac); `random(n) -> bytes` makes salts.
    """

    def __init__(
        self, folder: str, mac: "Callable[[Buffer], bytes]", random: "Callable[[int], bytes]"
    ) -> None:
        self._path = folder + "/" + _FILE
        self._mac = mac
        self._random = random
        self._entries: dict[str, dict[str, Any]] = {}
        self._blocked_until: dict[str, int] = {}

    def load(self) -> None:
        """Read the file. OperatorsCorrupt if it is missing, does not read or was tampered with."""
        try:
            with open(self._path) as file:
                seal, text = file.readline().strip(), file.read()
            if seal != self._seal(text):
                raise OperatorsCorrupt("the file of operators does not verify")
            entries = json.loads(text)
        except OSError:
            raise OperatorsCorrupt("the file of operators cannot be opened") from None
        except (ValueError, UnicodeError):
            raise OperatorsCorrupt("the file of operators does not read") from None
        self._entries = entries
        for number, entry in entries.items():
            self._block(number, entry["failures"])

    def provision(self, values: "list[dict[str, Any]]") -> None:
        """Write a new file from [{'number': '01', 'password': '0001', 'change': False}, ...].

        `change` True forces a new password at the first login. OperatorUnknown, PasswordForm.
        """
        entries = {}
        for value in values:
            number = value["number"]
            password = bytearray(value["password"].encode())
            entries[number] = self._entry(number, password, value.get("change", True))
        self._entries = entries
        self._blocked_until = {}
        self._save()

    def numbers(self) -> "list[str]":
        """The operators there are, sorted."""
        return sorted(self._entries)

    def check(self, number: str, password: bytearray) -> bool:
        """Whether `password` (ASCII digits; wiped here) may log in; True if it must be changed.

        Raises OperatorUnknown, PasswordWrong (counted), BackOff.
        """
        try:
            entry = self._entries.get(number)
            if entry is None:
                raise OperatorUnknown("no operator has the number " + number)
            wait = self.wait(number)
            if wait:
                raise BackOff(wait)
            if self._hash(number, entry["salt"], password) != entry["hash"]:
                self._count_failure(number, entry)
                raise PasswordWrong("wrong password for operator " + number)
        finally:
            _wipe(password)
        if entry["failures"]:
            entry["failures"] = 0
            self._save()
        return entry["change"]

    def matches(self, number: str, password: bytearray) -> bool:
        """Whether `password` (wiped here) is the one `number` has; counts nothing."""
        entry = self._entries[number]
        same = self._hash(number, entry["salt"], password) == entry["hash"]
        _wipe(password)
        return same

    def wait(self, number: str) -> int:
        """Seconds until this operator may try again; 0 for now."""
        until = self._blocked_until.get(number)
        if until is None:
            return 0
        left = time.ticks_diff(until, time.ticks_ms())
        if left <= 0:
            del self._blocked_until[number]
            return 0
        return (left + 999) // 1000

    def change(self, number: str, password: bytearray) -> None:
        """Set a new password (wiped here). OperatorUnknown, PasswordForm."""
        if number not in self._entries:
            _wipe(password)
            raise OperatorUnknown("no operator has the number " + number)
        self._entries[number] = self._entry(number, password, False)
        self._save()

    def _count_failure(self, number: str, entry: "dict[str, Any]") -> None:
        entry["failures"] += 1
        self._save()
        self._block(number, entry["failures"])

    def _block(self, number: str, failures: int) -> None:
        if failures < _FREE_TRIES:
            return
        seconds = min(_FIRST_WAIT_S << min(failures - _FREE_TRIES, 8), _LONGEST_WAIT_S)
        self._blocked_until[number] = time.ticks_add(time.ticks_ms(), 1000 * seconds)

    def _entry(self, number: str, password: bytearray, change: bool) -> "dict[str, Any]":
        try:
            wanted = digits_of(number)
            if len(password) != wanted or not all(0x30 <= byte <= 0x39 for byte in password):
                raise PasswordForm(f"operator {number} has {wanted} digits")
            salt = self._random(_SALT_BYTES).hex()
            hashed = self._hash(number, salt, password)
        finally:
            _wipe(password)
        return {"salt": salt, "hash": hashed, "change": bool(change), "failures": 0}

    def _hash(self, number: str, salt: str, password: bytearray) -> str:
        text = bytearray(f"password|{number}|{salt}|".encode())
        text.extend(password)
        hashed = self._mac(text).hex()
        _wipe(text)
        return hashed

    def _seal(self, text: str) -> str:
        return self._mac(b"operators|" + text.encode()).hex()

    def _save(self) -> None:
        """Durable when this returns: written beside the old file, then renamed over it."""
        text = json.dumps(self._entries)
        with open(self._path + ".new", "w") as file:
            file.write(self._seal(text) + "\n" + text)
        os.rename(self._path + ".new", self._path)


def _wipe(buffer: bytearray) -> None:
    for index in range(len(buffer)):
        buffer[index] = 0

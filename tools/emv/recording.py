"""A recorded conversation: a YAML list of `{req: hex, res: hex}`, as a reader logs it.

Blanks between the digits mean nothing. An answer that is empty, or `gone`, is a card that left;
`silent` is one that fell silent. A map with one list in it is taken for that list.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.emv import apdu, plain_yaml
from tools.emv.errors import DecodeError, RecordingError

GONE = "gone"
SILENT = "silent"

_REQUEST = ("req", "request", "command", "capdu", "c-apdu")
_RESPONSE = ("res", "resp", "response", "answer", "rapdu", "r-apdu")
_LEFT = ("", "~", "null", "none", "gone", "removed")
_MUTE = ("silent", "mute", "timeout")


@dataclass(frozen=True)
class Exchange:
    """One command and its answer. `answer`: with SW1 SW2, or GONE or SILENT. `number`: from 1."""

    number: int
    command: bytes
    answer: bytes | str

    @property
    def parts(self) -> apdu.Command:
        """The command's parts."""
        return apdu.command(self.command)

    @property
    def status(self) -> int | None:
        """SW1 SW2, or None when there was no answer."""
        return None if isinstance(self.answer, str) else int.from_bytes(self.answer[-2:], "big")

    @property
    def data(self) -> bytes:
        """The answer without its status word."""
        return b"" if isinstance(self.answer, str) else self.answer[:-2]


def read(file: Path) -> list[Exchange]:
    """The file's exchanges. RecordingError names the entry and what is wrong with it."""
    document = plain_yaml.read(file, RecordingError)
    if isinstance(document, dict):
        lists = [value for value in document.values() if isinstance(value, list)]
        document = lists[0] if len(lists) == 1 else document
    if not isinstance(document, list):
        raise RecordingError(f"{file}: this is no list of {{req: hex, res: hex}}")
    if not document:
        raise RecordingError(f"{file}: the list is empty, there is nothing to replay")
    return [_exchange(file, at + 1, entry) for at, entry in enumerate(document)]


def _exchange(file: Path, number: int, entry: Any) -> Exchange:
    place = f"{file}: entry {number}"
    if not isinstance(entry, dict):
        raise RecordingError(f"{place} is no {{req: hex, res: hex}}")
    keys = {str(key).lower(): value for key, value in entry.items()}
    request = next((keys[key] for key in _REQUEST if key in keys), None)
    if request is None:
        raise RecordingError(f"{place} has no req")
    response = next((keys[key] for key in _RESPONSE if key in keys), None)
    if response is None:
        raise RecordingError(f"{place} has no res; an empty one is a card that left")
    command = _bytes(place, "req", request)
    try:
        apdu.command(command)
    except DecodeError as error:
        raise RecordingError(f"{place}, req: {error}") from None
    said = response.strip().lower() if isinstance(response, str) else "no text"
    if said in _LEFT:
        return Exchange(number, command, GONE)
    if said in _MUTE:
        return Exchange(number, command, SILENT)
    answer = _bytes(place, "res", response)
    if len(answer) < 2:
        raise RecordingError(f"{place}, res: an answer ends with the two bytes SW1 SW2")
    if len(answer) > 258:
        raise RecordingError(f"{place}, res: {len(answer)} bytes are more than an answer may have")
    return Exchange(number, command, answer)


def _bytes(place: str, name: str, value: Any) -> bytes:
    if not isinstance(value, str):
        raise RecordingError(f"{place}, {name}: hex digits are needed")
    try:
        return plain_yaml.hexadecimal(value)
    except ValueError:
        raise RecordingError(f"{place}, {name}: {_fault(value)}") from None


def _fault(text: str) -> str:
    """What is wrong with hex digits, without the digits: they may be a card's."""
    digits = "".join(text.replace("0x", "").replace(":", "").split())
    strange = next((c for c in digits if c not in "0123456789abcdefABCDEF"), None)
    if strange is not None:
        return f"{strange!r} is no hex digit"
    return f"{len(digits)} hex digits make no whole bytes"

"""The terminal's own books, read from its flash: what stands in the journal, without its keys.

The journal is littlefs files of entries: `J`, version, payload length 2, sequence 4, check 2,
payload, MAC 16. A record's payload is `R`, trace 4, state 1 and fields of number 1, length 2 and
value. Card data are sealed there and stay so.
"""

from __future__ import annotations

import struct
from typing import Any

from littlefs import LittleFS, LittleFSError

from tools.sim.flash import BLOCK, Flash

_HEAD = struct.Struct(">cBHIH")
_MAC = 16
_KIND, _AMOUNT = 0, 1
_STATES = ("opened", "sent", "approved", "completed", "declined", "cancelled", "reversing",
           "reversed", "by hand")  # fmt: skip
_OWED = ("sent", "approved", "reversing")
_COUNTED = {"completed": "approved", "reversed": "reversed", "by hand": "reversed"}


class BooksError(Exception):
    """The journal cannot be read."""


def records(flash: Flash) -> list[dict[str, Any]]:
    """The transactions of the current journal, oldest first.

    Keys: batch and trace (six digits), type, amount (fen), state (a word of the journal).
    BooksError when the flash holds no readable journal.
    """
    found: dict[tuple[str, int], dict[str, Any]] = {}
    batch = 0
    for payload in _payloads(_newest(flash)):
        if payload[:1] == b"B":
            batch = struct.unpack_from(">I", payload, 1)[0]
        elif payload[:1] == b"R":
            trace, state = struct.unpack_from(">IB", payload, 1)
            key = (f"{batch:06}", trace)
            row = found.setdefault(
                key, {"batch": key[0], "trace": f"{trace:06}", "type": "", "amount": 0}
            )
            row["state"] = _STATES[state]
            row.update(_fields(payload[6:]))
    return list(found.values())


def counted(flash: Flash) -> list[dict[str, Any]]:
    """The records that count as money, with the acquirer's words for their states."""
    rows = records(flash)
    return [{**r, "state": _COUNTED[r["state"]]} for r in rows if r["state"] in _COUNTED]


def owed(flash: Flash) -> list[dict[str, Any]]:
    """The records that the terminal still has to settle with the acquirer."""
    return [row for row in records(flash) if row["state"] in _OWED]


def _newest(flash: Flash) -> bytes:
    part = flash.partition("journal")
    try:
        system = LittleFS(
            block_size=BLOCK, block_count=part.size // BLOCK, prog_size=1024, cache_size=BLOCK,
            read_size=32, lookahead_size=32, mount=False,
        )
        system.context.buffer = bytearray(flash.image("journal"))
        system.mount()
        names = sorted(name for name in system.listdir("/") if name.endswith(".jnl"))
        if not names:
            raise BooksError("there is no journal on the flash")
        with system.open(f"/{names[-1]}", "rb") as file:
            return file.read()
    except LittleFSError as error:
        raise BooksError(f"the journal's file system cannot be read: {error}") from error


def _payloads(data: bytes) -> list[bytes]:
    found, at = [], 0
    while at + _HEAD.size <= len(data):
        mark, _, length, _, _ = _HEAD.unpack_from(data, at)
        end = at + _HEAD.size + length
        if mark != b"J" or end + _MAC > len(data):
            break  # a torn tail: never acknowledged, so it is not in the books
        found.append(data[at + _HEAD.size : end])
        at = end + _MAC
    return found


def _fields(data: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    while len(data) >= 3:
        number, length = struct.unpack_from(">BH", data)
        value, data = data[3 : 3 + length], data[3 + length :]
        if number == _KIND:
            fields["type"] = value.decode()
        elif number == _AMOUNT:
            fields["amount"] = int.from_bytes(value, "big")
    return fields

"""Searching for secrets: in every writable byte of the firmware's process, and in what it wrote.

All secrets of a run are looked for at once: their first bytes are the keys of a dictionary, and a
window moves over everything that is not zero. So ten thousand sales' secrets cost one pass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from psec import des
from whole import Shop

from tools.acquirer import testbed
from tools.acquirer.host import Answer
from tools.acquirer.wire import Message

LONGEST_PIN = 12  # digits; a shorter one stands in any memory by chance
TERMINAL_KEYS = 20  # bytes of F62 a key: 16 and a check value of 4
_START = 6  # bytes of a secret that are looked up


class Secrets:
    """Named byte strings, found in any number of places by one pass over each."""

    def __init__(self) -> None:
        self._known: dict[bytes, dict[bytes, str]] = {}

    def add(self, secrets: dict[str, bytes]) -> None:
        """Look for these too. Zeros at a secret's ends are left off: they stand anywhere."""
        for name, secret in secrets.items():
            assert searchable({name: secret}), f"{name} is too short to be searched for"
            core = secret.strip(b"\0")
            self._known.setdefault(core[:_START], {})[core] = name

    def found(self, content: bytes) -> list[str]:
        """The name of every occurrence."""
        known, hits = self._known, []
        for piece in re.split(rb"\0{64,}", content):
            for at in range(len(piece) - _START + 1):
                if piece[at : at + _START] in known:
                    same = known[piece[at : at + _START]]
                    hits += [name for core, name in same.items() if piece.startswith(core, at)]
        return hits


def searchable(secrets: dict[str, bytes]) -> bool:
    """Whether each is long enough, without the zeros at its ends, not to stand there by chance."""
    return all(len(secret.strip(b"\0")) >= _START for secret in secrets.values())


class Wire:
    """What went over the line in clear: the acquirer's view."""

    def __init__(self) -> None:
        self.keys = self.pin_block = self.track = ""

    def note(self, request: Message, answer: Answer) -> None:
        """Keep what is to be searched for."""
        self.keys = answer.reply.fields.get(62, self.keys)
        self.pin_block = request.fields.get(52, self.pin_block)
        self.track = request.fields.get(35, self.track)

    def working_keys(self) -> dict[str, bytes]:
        """Field 62 under the master key."""
        field = bytes.fromhex(self.keys)
        names = ("PIN key", "MAC key", "track key")[: len(field) // TERMINAL_KEYS]
        return {
            name: des.decrypt_tdes_ecb(testbed.TMK, field[at : at + 16])
            for name, at in zip(names, range(0, len(field), TERMINAL_KEYS), strict=True)
        }

    def pin_blocks(self) -> dict[str, bytes]:
        """The enciphered PIN block that was sent; nothing before one was."""
        return {"PIN block": bytes.fromhex(self.pin_block)} if self.pin_block else {}


def pin_forms(pin: str, pan: str) -> dict[str, bytes]:
    """A PIN's clear blocks and, if it is a long one, every shape a program gives to a PIN."""
    digits = [int(digit) for digit in pin]
    field = bytes.fromhex(f"0{len(pin):X}" + pin.ljust(14, "F"))
    account = bytes.fromhex("0000" + pan[-13:-1])
    forms = {
        "clear PIN field": field,
        "clear PIN block": bytes(a ^ b for a, b in zip(field, account, strict=True)),
    }
    if len(pin) < LONGEST_PIN:
        return forms
    forms["PIN as text"] = pin.encode()
    forms["PIN as BCD"] = bytes.fromhex(pin)
    forms["PIN, a byte a digit"] = bytes(digits)
    for size in (2, 4, 8):
        forms[f"PIN, {size} bytes a digit"] = b"".join(d.to_bytes(size, "little") for d in digits)
        small = b"".join((2 * d + 1).to_bytes(size, "little") for d in digits)
        forms[f"PIN as MicroPython's integers of {size} bytes"] = small
    return forms


def track_forms(track: str) -> dict[str, bytes]:
    """Track 2 (`PAN=…` or `PANd…`, as field 35 has it), its part behind the PAN, and the PAN."""
    text = track.upper().replace("=", "D")
    pan, discretionary = text.split("D")
    forms = {"card number as text": pan.encode(), "card number as BCD": _bcd(pan)}
    for name, part in (("track", text), ("track's end", "D" + discretionary)):
        for separator in "=Dd":
            forms[f"{name} as text ({separator})"] = part.replace("D", separator).encode()
        forms[name + " as BCD"] = _bcd(part)
        forms[name + " as BCD, half a byte further"] = _bcd(part[1:])
    return forms


def _bcd(digits: str) -> bytes:
    """Digits and D, two a byte; the last is left off when it is alone."""
    return bytes.fromhex(digits[: len(digits) // 2 * 2])


def written(secrets: dict[str, bytes]) -> dict[str, bytes]:
    """The secrets as they are, and in hex of both kinds: how they would stand in a text."""
    forms = dict(secrets)
    for name, secret in secrets.items():
        forms[name + " in hex"] = secret.hex().encode()
        forms[name + " in HEX"] = secret.hex().upper().encode()
    return forms


def memory(pid: int) -> Iterator[tuple[bool, bytes]]:
    """The writable regions of a process: whether it is the program's own static data, and it."""
    before = ""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as content:
        for line in maps:
            found = re.match(r"(\w+)-(\w+) (\S+) \S+ \S+ \S+ *(.*)", line)
            assert found is not None, line
            start, end, name = int(found[1], 16), int(found[2], 16), found[4]
            # .bss is the nameless region right behind the program's own.
            static = "micropython" in name or (not name and "micropython" in before)
            before = name
            if "w" in found[3] and not name.startswith("[v"):
                content.seek(start)
                yield static, content.read(end - start)


def found_in(pid: int, secrets: Secrets | dict[str, bytes]) -> list[tuple[str, bool]]:
    """Every occurrence in a process: the secret's name, and whether it is in static data."""
    if isinstance(secrets, dict):
        wanted = Secrets()
        wanted.add(secrets)
        secrets = wanted
    return [(name, static) for static, part in memory(pid) for name in secrets.found(part)]


def pid_of(shop: Shop) -> int:
    """The firmware's process."""
    firmware = shop.sim._firmware
    assert firmware is not None
    return firmware._process.pid


def judge_keys(shop: Shop, wire: Wire) -> None:
    """Each key is there, and in static data alone."""
    keys = {"master key": testbed.TMK, **wire.working_keys()}
    places = found_in(pid_of(shop), keys)
    assert {name for name, _ in places} == set(keys)
    assert all(static for _, static in places), places


def judge_memory(shop: Shop, wire: Wire, secrets: Secrets | dict[str, bytes]) -> None:
    """None of the secrets anywhere in the process, and keys in static data alone."""
    judge_keys(shop, wire)
    components = {f"component {i}": part for i, part in enumerate(testbed.TMK_COMPONENTS)}
    assert found_in(pid_of(shop), components) == []
    assert found_in(pid_of(shop), secrets) == []


def writings(shop: Shop, trace: Path) -> dict[str, bytes]:
    """Flash image, console, trace, paper and the acquirer's books."""
    database = shop.sim.acquirer._engine.raw_connection().driver_connection
    assert database is not None
    shop.sim.flash.save()
    files = [path for path in shop.sim.folder.iterdir() if path.is_file()]
    assert {"flash.bin", "console.log"} <= {path.name for path in files}
    return {
        "trace": trace.read_bytes(),
        "paper": "\n".join(shop.sim.printer.text).encode(),
        "books": "\n".join(database.iterdump()).encode(),
        **{path.name: path.read_bytes() for path in files},
    }


def judge_writings(texts: dict[str, bytes], secrets: Secrets, pans: Iterable[str]) -> None:
    """None of the secrets in any of them; a whole card number in the acquirer's accounts alone."""
    hits = [(place, name) for place, text in texts.items() for name in secrets.found(text)]
    assert hits == []
    for pan in pans:
        assert [place for place, text in texts.items() if pan.encode() in text] == ["books"]

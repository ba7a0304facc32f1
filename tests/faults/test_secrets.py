"""Secrets stay where they belong: the firmware's whole memory and everything written is searched.

A 12-digit PIN is typed three times: to a sale's end, to 取消, and until nobody answers. After each
the writable memory of the firmware's process is read from outside. Keys may lie in pinmac's static
slots and nowhere else; a PIN and its clear block nowhere at all.

MicroPython does not clear what it frees, so bytes of the card's answers may lie in the free heap
until something else needs the room; what is searched for there is what lives on by itself: the
request's buffer, with the track and the PIN block side by side with their neighbour fields.
"""

from __future__ import annotations

import asyncio
import functools
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from psec import des

sys.path.insert(0, str(Path(__file__).parent))

from whole import PIN, PRESENT, Shop, played

from tools.acquirer import deck, server, testbed
from tools.acquirer.host import Answer
from tools.acquirer.wire import Message
from tools.sim import simulation

SECRET = "907153846291"
PAN = "6225880000071234"  # of the deck's debit card
TRACK = PAN + "D3012"
# Field 35's length (29 digits) before the track: a whole request, not a card's answer.
SENT_TRACK = bytes.fromhex("29" + TRACK[:20])
TERMINAL_KEYS = 20  # bytes of F62 a key: 16 and a check value of 4


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


def pin_forms(pin: str) -> dict[str, bytes]:
    """A PIN in every shape a program gives it, and its clear blocks."""
    digits = [int(digit) for digit in pin]
    field = bytes.fromhex(f"0{len(pin):X}" + pin.ljust(14, "F"))
    account = bytes.fromhex("0000" + PAN[-13:-1])
    forms = {
        "PIN as text": pin.encode(),
        "PIN as BCD": bytes.fromhex(pin),
        "PIN, a byte a digit": bytes(digits),
        "clear PIN field": field,
        "clear PIN block": bytes(a ^ b for a, b in zip(field, account, strict=True)),
    }
    for size in (2, 4, 8):
        forms[f"PIN, {size} bytes a digit"] = b"".join(d.to_bytes(size, "little") for d in digits)
        small = b"".join((2 * d + 1).to_bytes(size, "little") for d in digits)
        forms[f"PIN as MicroPython's integers of {size} bytes"] = small
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


def found_in(pid: int, secrets: dict[str, bytes]) -> list[tuple[str, bool]]:
    """Every occurrence of a secret: its name, and whether it is in static data."""
    hits = []
    for static, content in memory(pid):
        for name, secret in secrets.items():
            hits += [(name, static)] * content.count(secret)
    return hits


def pid_of(shop: Shop) -> int:
    """The firmware's process."""
    firmware = shop.sim._firmware
    assert firmware is not None
    return firmware._process.pid


def judge_memory(shop: Shop, wire: Wire) -> None:
    """No PIN anywhere; each key once, in pinmac; the request's buffer is empty."""
    pid = pid_of(shop)
    keys = {"master key": testbed.TMK, **wire.working_keys()}
    assert sorted(found_in(pid, keys)) == sorted((name, True) for name in keys)
    components = {f"component {i}": part for i, part in enumerate(testbed.TMK_COMPONENTS)}
    assert found_in(pid, {**pin_forms(SECRET), **components}) == []
    sent = {"track of the request": SENT_TRACK}
    if wire.pin_block:
        # Field 49 stands before field 52.
        sent["PIN block of the request"] = b"156" + bytes.fromhex(wire.pin_block)
    assert found_in(pid, sent) == []


def judge_writings(shop: Shop, wire: Wire, folder: Path) -> None:
    """Flash, console, trace, paper and the acquirer's books."""
    shop.timeline.write(folder / "trace")
    database = shop.sim.acquirer._engine.raw_connection().driver_connection
    assert database is not None
    texts = {
        "trace": (folder / "trace").read_bytes(),
        "paper": "\n".join(shop.sim.printer.text).encode(),
        "books": "\n".join(database.iterdump()).encode(),
        **{path.name: path.read_bytes() for path in shop.sim.folder.iterdir()},
    }
    secrets = {
        "PIN": SECRET.encode(), "PIN as BCD": bytes.fromhex(SECRET),
        "PIN block": bytes.fromhex(wire.pin_block), "track": wire.track.encode(),
        "track as BCD": bytes.fromhex(TRACK[:20]), "master key": testbed.TMK,
        **wire.working_keys(),
    }
    for name, secret in [*secrets.items()]:
        secrets[name + " in hex"] = secret.hex().encode()
        secrets[name + " in HEX"] = secret.hex().upper().encode()
    hits = [(place, name) for place, text in texts.items()
            for name, secret in secrets.items() if secret in text]
    assert hits == []
    # The acquirer's accounts go by their numbers; nobody else writes a whole one.
    whole = [place for place, text in texts.items() if PAN.encode() in text]
    assert whole == ["books"]


@pytest.fixture
def wire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wire:
    """An acquirer whose debit card has the long PIN, and a listener inside it."""
    folder = tmp_path / "deck"
    shutil.copytree(deck.DECK, folder)
    card = folder / "debit.yaml"
    text = card.read_text("utf-8")
    assert 'pin: "123456"' in text
    card.write_text(text.replace('pin: "123456"', f'pin: "{SECRET}"'), "utf-8")
    listener = Wire()

    class Overheard(server.Acquirer):
        def _answer(self, request: Message, forced: str | None) -> Answer:
            answer = super()._answer(request, forced)
            listener.note(request, answer)
            return answer

    monkeypatch.setattr(simulation, "Acquirer", functools.partial(Overheard, deck_folder=folder))
    return listener


async def _type_pin(shop: Shop) -> None:
    await shop.key("5 00 ENTER")
    assert await shop.see(PRESENT)
    await shop.do(card={"insert": "debit"})
    assert await shop.see(PIN)
    await shop.key(" ".join(SECRET))
    await asyncio.sleep(1)


def test_secrets_stay_in_the_module_that_guards_them(tmp_path: Path, wire: Wire) -> None:
    async def story(shop: Shop) -> None:
        await _type_pin(shop)
        # The control: while it is being typed the PIN lies in pinmac, and the search finds it.
        assert found_in(pid_of(shop), pin_forms(SECRET)) == [("PIN, a byte a digit", True)]
        await shop.key("ENTER")
        assert await shop._paper()
        assert wire.pin_block and wire.track.startswith(TRACK)
        judge_memory(shop, wire)
        await _type_pin(shop)
        await shop.key("CANCEL")
        await asyncio.sleep(3)
        await shop.to_idle()
        judge_memory(shop, wire)
        await _type_pin(shop)
        await asyncio.sleep(80)
        await shop.to_idle()
        judge_memory(shop, wire)
        judge_writings(shop, wire, tmp_path)

    played(tmp_path / "simulation", story)

"""Secrets stay where they belong: the firmware's whole memory and everything written is searched.

A 12-digit PIN is typed to a sale's end, to 取消, until nobody answers, and until the program falls
over a device that breaks; a tap is broken off. After each the writable memory of the firmware's
process, C heap and stack included, is read from outside. Keys may lie in static data (pinmac's)
and nowhere else; a PIN, its blocks, the track and the card number nowhere at all.
"""

from __future__ import annotations

import asyncio
import functools
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from searching import (
    Secrets,
    Wire,
    found_in,
    judge_memory,
    judge_writings,
    pid_of,
    pin_forms,
    track_forms,
    writings,
    written,
)
from whole import BROKEN, IDLE, PIN, PRESENT, Shop, played

from tools.acquirer import deck, server, testbed
from tools.acquirer.host import Answer
from tools.acquirer.wire import Message
from tools.sim import actions, simulation

SECRET = "907153846291"
PAN = "6225880000071234"  # of the deck's debit card
TRACK = PAN + "D301222012345"  # field 35 of its chip
LOGIN_KEYS, AMOUNT_KEYS = 8, 3

# A device that breaks when the payer's last key was pressed: whose beep it is, counts them.
FALLING = """
import board
from firmware import app

class Breaking:
    keys = 0

    def __init__(self, device, name):
        self._device, self._name = device, name

    def __getattr__(self, attribute):
        return getattr(self._device, attribute)

    def fail(self, name):
        if name == self._name and Breaking.keys == {keys}:
            Breaking.keys += 1
            raise ValueError("a part that breaks")

    def beep(self, kind):
        Breaking.keys += kind == "key"
        self.fail("buzzer")
        self._device.beep(kind)

    def connected(self):
        self.fail("radio")
        return self._device.connected()

parts = board.open()
parts.buzzer = Breaking(parts.buzzer, "{part}")
parts.radio = Breaking(parts.radio, "{part}")
app.run(parts)
"""


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


def secrets_of(wire: Wire) -> dict[str, bytes]:
    """What a payment of this file must not leave behind."""
    return {**pin_forms(SECRET, PAN), **track_forms(TRACK), **wire.pin_blocks()}


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
        # The control: while a payment runs its PIN lies in pinmac, its track in the session's
        # buffer, and the search finds both.
        assert found_in(pid_of(shop), pin_forms(SECRET, PAN)) == [("PIN, a byte a digit", True)]
        assert ("track as BCD", False) in found_in(pid_of(shop), track_forms(TRACK))
        await shop.key("ENTER")
        assert await shop._paper()
        assert wire.pin_block
        assert wire.track.upper().replace("=", "D") == TRACK
        judge_memory(shop, wire, secrets_of(wire))
        await _type_pin(shop)
        await shop.key("CANCEL")
        await asyncio.sleep(3)
        await shop.to_idle()
        judge_memory(shop, wire, secrets_of(wire))
        await _type_pin(shop)
        await asyncio.sleep(80)
        await shop.to_idle()
        judge_memory(shop, wire, secrets_of(wire))
        shop.timeline.write(tmp_path / "trace")
        secrets = Secrets()
        forms = {name: form for name, form in secrets_of(wire).items() if "number" not in name}
        secrets.add(written({**forms, "master key": testbed.TMK, **wire.working_keys()}))
        judge_writings(writings(shop, tmp_path / "trace"), secrets, [PAN])

    played(tmp_path / "simulation", story)


def test_the_pin_that_a_card_checks_itself_leaves_no_secret(tmp_path: Path, wire: Wire) -> None:
    """Enciphered for the card, wrong and right; the certificates that were recovered hold its
    number."""
    wrong, pan = SECRET[::-1], "6225880000080037"

    async def story(shop: Shop) -> None:
        actions.find_card(shop.sim, "offline-pin").applications[0].pin.pin = SECRET
        await shop.key("5 00 ENTER")
        assert await shop.see(PRESENT)
        await shop.do(card={"insert": "offline-pin"})
        assert await shop.see(PIN)
        await shop.key(" ".join(wrong) + " ENTER")
        assert await shop.see("密码错误")
        assert found_in(pid_of(shop), pin_forms(wrong, pan)) == []
        await shop.key(" ".join(SECRET))
        await asyncio.sleep(1)
        assert found_in(pid_of(shop), pin_forms(SECRET, pan)) == [("PIN, a byte a digit", True)]
        await shop.key("ENTER")
        assert await shop._paper()
        assert not wire.pin_block and wire.track
        track = wire.track.upper().replace("=", "D")
        forms = {**pin_forms(SECRET, pan), **track_forms(track)}
        judge_memory(shop, wire, forms)
        judge_memory(shop, wire, pin_forms(wrong, pan))

    played(tmp_path / "simulation", story)


@pytest.mark.parametrize("part", ["buzzer", "radio"])
def test_a_fall_of_the_program_leaves_no_secret(part: str, tmp_path: Path, wire: Wire) -> None:
    """An error without words falls out of the counter's task: at the PIN's last key, when the PIN
    lies in pinmac, or on the way to the acquirer, when the request is being made."""

    async def story(shop: Shop) -> None:
        await _type_pin(shop)
        await shop.key("ENTER")
        assert await shop.see(BROKEN)
        await shop.take_back()
        assert await shop.see(IDLE)
        assert not wire.pin_block
        judge_memory(shop, wire, secrets_of(wire))

    broken = tmp_path / "broken"
    broken.mkdir()
    keys = LOGIN_KEYS + AMOUNT_KEYS + len(SECRET) + 1
    (broken / "main.py").write_text(FALLING.format(part=part, keys=keys), "utf-8")
    played(tmp_path / "simulation", story, path=f"{broken}:.frozen", falls=1)


def test_a_fall_within_a_tap_leaves_no_secret(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bus to the contactless reader fails when the card's data have been read."""
    held: list[tuple[str, bool]] = []

    async def story(shop: Shop) -> None:
        whole = shop.sim.nfc.transfer

        def failing(data: bytes) -> bytes:
            # The firmware waits for what it reads; a write is told to the bus and forgotten.
            reading = not any(data)
            if reading and not held and len(shop.timeline.of("apdu")) == 4:
                held.extend(found_in(pid_of(shop), track_forms(TRACK)))
                raise OSError(5, "the bus fails")
            return whole(data)

        monkeypatch.setattr(shop.sim.nfc, "transfer", failing)
        await shop.key("5 00 ENTER")
        assert await shop.see(PRESENT)
        await shop.do(card={"tap": "debit"})
        assert await shop.see("系统故障")
        assert held
        await shop.take_back()
        assert await shop.see(IDLE)
        judge_memory(shop, wire, secrets_of(wire))

    played(tmp_path / "simulation", story, falls=1)


@pytest.mark.parametrize("key", ["CANCEL", ""])
def test_a_tap_that_was_broken_off_leaves_no_secret(key: str, tmp_path: Path, wire: Wire) -> None:
    """The card leaves the field after its track was read; the payer gives up, or walks away."""

    async def story(shop: Shop) -> None:
        await shop.key("5 00 ENTER")
        assert await shop.see(PRESENT)
        await shop.do(card={"tap": "debit", "at": 4})
        assert await shop.see("请再挥一次")
        assert found_in(pid_of(shop), track_forms(TRACK))
        if key:
            await shop.key(key)
        assert await shop.see(IDLE)
        judge_memory(shop, wire, secrets_of(wire))

    played(tmp_path / "simulation", story)

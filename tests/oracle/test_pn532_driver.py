"""lib/drivers/pn532.py in the sim board's MicroPython, against the chip's model on SPI.

No foreign host sends extended frames or bit MI, so this is where both are exercised.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import Device, World
from plain_card import FCI, PlainCard, pattern

from tools.sim.chips import pn532_frames as frames
from tools.sim.chips.pn532 import Pn532

pytestmark = pytest.mark.timeout(60)

SELECT = bytes.fromhex("00A4040008A00000033301010200")


class Spied(Pn532):
    """The model, with every frame from the host kept, and a filter on what goes out."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.filter: Callable[[bytes], bytes | None] = lambda frame: frame
        super().__init__()

    def _feed(self, data: bytes) -> None:
        self.heard.append(data)
        super()._feed(data)

    def _out(self, frame: bytes) -> None:
        passed = self.filter(frame)
        if passed is not None:
            super()._out(passed)


class Bench:
    """The driver, the model, and the world between them."""

    def __init__(self, world: World) -> None:
        self.world, self.model = world, Spied()
        transfers, lines, self.wire = world.spi(self.model)
        self.device = Device("pn532", transfers, lines)

    def tap(self, *cards: PlainCard) -> None:
        """Bring cards into the field at the same moment."""
        self.world.call(lambda: [self.model.tap(card) for card in cards])

    def untap(self, card: PlainCard) -> None:
        """Take a card away."""
        self.world.call(self.model.untap, card)

    def activated(self, card: PlainCard | None = None) -> PlainCard:
        """A card that is in the field and selected."""
        card = card or PlainCard()
        self.tap(card)
        assert self.device.call("activate") == card.ats
        return card

    def field(self) -> list[bool]:
        """The field's history: each time it went on or off."""
        return [event["on"] for event in self.wire.events if event["kind"] == "field"]


@pytest.fixture
def bench() -> Iterator[Bench]:
    with World() as world:
        bench = Bench(world)
        with bench.device:
            yield bench


def test_a_card_is_waited_for_and_read(bench: Bench) -> None:
    """The chip sleeps at first; some polls find nothing; then a card comes."""
    waiting = bench.device.start("activate")
    time.sleep(0.4)
    card = PlainCard()
    bench.tap(card)
    assert bench.device.result(waiting) == card.ats
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"
    assert bench.device.call("exchange", bytes.fromhex("80E0000500")) == pattern(5) + b"\x90\x00"


def test_the_field_is_on_only_between_activate_and_release(bench: Bench) -> None:
    bench.activated()
    assert bench.field()[-1] is True
    bench.device.call("release")
    assert bench.field()[-1] is False
    assert bench.device.fault("exchange", SELECT) == "CardRemoved"
    assert bench.device.call("activate") == PlainCard.ats


def test_whether_a_card_is_there(bench: Bench) -> None:
    """One look each, with the field off after it; two cards are there as well."""
    card, other = PlainCard(), PlainCard(uid=bytes.fromhex("04665544332211"))
    assert bench.device.call("present") is False
    bench.tap(card)
    assert bench.device.call("present") is True
    bench.tap(other)
    assert bench.device.call("present") is True
    assert bench.field()[-1] is False
    bench.untap(card)
    bench.untap(other)
    assert bench.device.call("present") is False
    assert bench.field() == 4 * [True, False]


@pytest.mark.parametrize("length", [1, 5, 250, 251, 252, 253, 254, 255, 256])
def test_answers_of_every_frame_size(bench: Bench, length: int) -> None:
    """From normal frames over the border at 255 bytes to extended ones."""
    bench.activated()
    command = bytes((0x80, 0xE0, length >> 8, length & 0xFF, 0))
    assert bench.device.call("exchange", command) == pattern(length) + b"\x90\x00"


@pytest.mark.parametrize("length", [1, 240, 245, 246, 247, 248, 249, 250, 255])
def test_commands_of_every_frame_size(bench: Bench, length: int) -> None:
    """Extended frames from here to the chip, with the length check of user manual 6.2.1.2."""
    bench.activated()
    data = pattern(length)
    command = bytes((0x80, 0xEC, 0, 0, length)) + data + b"\x00"
    assert bench.device.call("exchange", command) == data + b"\x90\x00"
    extended = [sent for sent in bench.model.heard if sent[3:5] == b"\xff\xff"]
    assert bool(extended) == (3 + len(command) > 255)


@pytest.mark.parametrize("length", [262, 263, 524, 525, 700])
def test_bit_mi_both_ways(bench: Bench, length: int) -> None:
    """Longer than one InDataExchange: pieces of 262 bytes there, and back."""
    bench.activated()
    command = bytes((0x80, 0xEC, 0, 0, 0)) + pattern(length - 5)
    assert bench.device.call("exchange", command) == pattern(length - 5) + b"\x90\x00"
    marked = [sent for sent in bench.model.heard if sent[9:11] == b"\x40\x41"]
    assert len(marked) == (length - 1) // 262


def test_an_answer_too_long_for_the_buffer(bench: Bench) -> None:
    bench.activated()
    assert bench.device.fault("exchange", bytes.fromhex("80E0040000")) == "DeviceProtocolError"


def test_two_cards(bench: Bench) -> None:
    """A collision, the field off; with one of them taken away the other one works."""
    other = PlainCard(uid=bytes.fromhex("04665544332211"))
    bench.tap(PlainCard(), other)
    assert bench.device.fault("activate") == "CardCollision"
    assert bench.field()[-1] is False
    bench.untap(other)
    assert bench.device.call("activate") == PlainCard.ats


def test_a_card_without_iso_dep_is_passed_over(bench: Bench) -> None:
    memory = PlainCard(sak=0x08)
    bench.tap(memory)
    waiting = bench.device.start("activate")
    time.sleep(0.3)
    bench.untap(memory)
    bench.tap(PlainCard())
    assert bench.device.result(waiting) == PlainCard.ats


def test_a_card_that_leaves(bench: Bench) -> None:
    bench.activated()
    assert bench.device.fault("exchange", bytes.fromhex("80F0000000")) == "CardRemoved"
    card = bench.activated()
    bench.untap(card)
    assert bench.device.fault("exchange", SELECT) == "CardRemoved"


def test_a_card_that_falls_silent_is_still_there(bench: Bench) -> None:
    """The attention request tells silence from absence."""
    bench.activated()
    assert bench.device.fault("exchange", bytes.fromhex("80F1000000")) == "CardSilent"


def test_a_slow_card_is_waited_for(bench: Bench) -> None:
    bench.activated()
    answer = bench.device.call("exchange", bytes.fromhex("80D0780003AABBCC00"))
    assert answer == b"\xaa\xbb\xcc\x90\x00"


def test_a_card_that_never_finishes(bench: Bench) -> None:
    """The driver's own limit: 6 s, then the chip's command is ended and the next one works."""
    card = PlainCard()
    card.patience_us = 60_000_000
    bench.activated(card)
    assert bench.device.fault("exchange", bytes.fromhex("80E0000500"), timeout=9) == "CardSilent"
    bench.device.call("release")
    bench.device.call("activate")
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"


def test_cancelled_activation_turns_the_field_off(bench: Bench) -> None:
    waiting = bench.device.start("activate")
    time.sleep(0.3)
    bench.device.cancel(waiting)
    with pytest.raises(Exception, match="CancelledError"):
        bench.device.result(waiting)
    assert bench.field()[-1] is False
    bench.tap(PlainCard())
    time.sleep(0.3)
    assert bench.field()[-1] is False
    assert bench.device.call("activate") == PlainCard.ats


def test_cancelled_exchange_ends_the_command(bench: Bench) -> None:
    bench.activated()
    slow = bench.device.start("exchange", bytes.fromhex("80D0640003AABBCC00"))
    time.sleep(0.2)
    bench.device.cancel(slow)
    with pytest.raises(Exception, match="CancelledError"):
        bench.device.result(slow)
    bench.device.call("release")
    bench.device.call("activate")
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"


def test_a_chip_without_power(bench: Bench) -> None:
    """No frame ever comes: an error in bounded time, and back to work when the chip is."""
    bench.model.filter = lambda frame: None
    assert bench.device.fault("activate") == "DeviceSilent"
    bench.model.filter = lambda frame: frame
    assert bench.activated().resets == ["contactless"]


def test_a_chip_that_restarted_is_set_up_again(bench: Bench) -> None:
    """It sleeps and knows no card: the exchange fails, the next activation works."""
    bench.activated()
    bench.world.call(bench.model.power_cycle)
    assert bench.device.fault("exchange", SELECT) in ("DeviceSilent", "CardRemoved")
    assert bench.device.call("activate") == PlainCard.ats
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"


def test_a_lost_ack_is_asked_for_again(bench: Bench) -> None:
    bench.activated()
    lost: list[bytes] = []

    def drop_first_ack(frame: bytes) -> bytes | None:
        if frame == frames.ACK and not lost:
            lost.append(frame)
            return b"\x00\x00\xff\x01\xff\x00"
        return frame

    bench.model.filter = drop_first_ack
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"
    assert lost


@pytest.mark.parametrize("at", [3, 4, 5, 8, -2])
def test_a_damaged_answer_is_asked_for_again(bench: Bench, at: int) -> None:
    """Length, its check, direction, data and the check sum: each is noticed, and NACK repeats."""
    bench.activated()
    damaged: list[bytes] = []

    def damage(frame: bytes) -> bytes:
        if len(frame) > 8 and not damaged:
            damaged.append(frame)
            wrong = bytearray(frame)
            wrong[at] ^= 0x04
            return bytes(wrong)
        return frame

    bench.model.filter = damage
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"
    assert damaged


@pytest.mark.parametrize(
    "answer",
    [
        frames.SYNTAX_ERROR,
        frames.build(b"\x03\x32\x01\x06\x07"),
        frames.build(b"\x41"),
        frames.build(b"\x41\x00"),
        bytes(20),
        b"\xff" * 20,
    ],
    ids=["syntax-error", "other-command", "no-status", "no-data", "zeros", "ones"],
)
def test_a_chip_that_talks_nonsense(bench: Bench, answer: bytes) -> None:
    bench.activated()
    bench.model.filter = lambda frame: frame if frame == frames.ACK else answer
    assert bench.device.fault("exchange", SELECT) == "DeviceProtocolError"
    bench.model.filter = lambda frame: frame
    bench.device.call("release")
    bench.device.call("activate")
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"


def described(*parts: str) -> bytes:
    """A response to InListPassiveTarget from hex."""
    return frames.build(b"\x4b" + bytes.fromhex("".join(parts)))


@pytest.mark.parametrize(
    "answer",
    [described("01"), described("01 01 0044 20"), described("01 01 0044 20 07 0411")],
    ids=["nothing", "no-uid", "short-uid"],
)
def test_a_card_described_with_too_few_bytes(bench: Bench, answer: bytes) -> None:
    def filtered(frame: bytes) -> Any:
        return answer if len(frame) > 8 and frame[6:7] == b"\x4b" else frame

    bench.model.filter = filtered
    bench.tap(PlainCard())
    assert bench.device.fault("activate") == "DeviceProtocolError"
    assert bench.field()[-1] is False

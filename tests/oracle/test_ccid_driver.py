"""lib/drivers/ccid.py in the sim board's MicroPython, against a model and broken readers."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from harness import Device, Wire, World
from plain_card import FCI, PlainCard, pattern

from tools.sim.chips.ccid import CcidReader

pytestmark = pytest.mark.timeout(60)

SELECT = bytes.fromhex("00A4040008A00000033301010200")


class Bench:
    """The driver, the model, and the world between them."""

    def __init__(self, world: World, model: Any) -> None:
        self.world, self.model = world, model
        port, self.wire = world.uart(model)
        self.device = Device("ccid", port)

    def insert(self, card: PlainCard) -> PlainCard:
        """Put a card in."""
        self.world.call(self.model.insert, card)
        return card

    def remove(self) -> None:
        """Take the card out."""
        self.world.call(self.model.remove)


@pytest.fixture
def bench() -> Iterator[Bench]:
    with World() as world:
        bench = Bench(world, CcidReader())
        with bench.device:
            yield bench


class BrokenReader:
    """A reader that answers each frame by `answer(frame)`, without an echo unless that says so."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def attach(self, host: Wire) -> None:
        self._host = host

    def receive(self, data: bytes) -> None:
        self._host.send(self._answer(data))


def test_t0_leaves_61_and_6c_to_the_caller(bench: Bench) -> None:
    card = bench.insert(PlainCard())
    call = bench.device.call
    assert call("present") is True
    assert call("power_on") == card.atr
    assert call("exchange", SELECT) == bytes((0x61, len(FCI)))
    assert call("exchange", bytes.fromhex("00C000000C")) == FCI + b"\x90\x00"
    assert call("exchange", bytes.fromhex("80E0000A00")) == b"\x6c\x0a"
    assert call("exchange", bytes.fromhex("80E0000A0A")) == pattern(10) + b"\x90\x00"
    call("power_off")


def test_t1_gives_whole_responses(bench: Bench) -> None:
    """258 bytes back and 261 bytes there are the longest short APDUs."""
    card = bench.insert(PlainCard(t1=True))
    call = bench.device.call
    assert call("power_on") == card.atr
    assert call("exchange", SELECT) == FCI + b"\x90\x00"
    assert call("exchange", bytes.fromhex("80E0010000")) == pattern(256) + b"\x90\x00"
    sent = bytes(range(255))
    assert call("exchange", bytes.fromhex("80EC0000FF") + sent + b"\x00") == sent + b"\x90\x00"


def test_the_timeline_has_the_card_s_apdus(bench: Bench) -> None:
    bench.insert(PlainCard())
    bench.device.call("power_on")
    bench.device.call("exchange", SELECT)
    seen = [event for event in bench.wire.events if event["kind"] == "apdu"]
    assert seen == [
        {
            "kind": "apdu",
            "interface": "contact",
            "command": SELECT[:13].hex().upper(),
            "response": (FCI + b"\x90\x00").hex().upper(),
        }
    ]


def test_insertion_and_removal_are_waited_for(bench: Bench) -> None:
    waiting = bench.device.start("wait_inserted")
    time.sleep(0.3)
    bench.insert(PlainCard())
    assert bench.device.result(waiting) is None
    waiting = bench.device.start("wait_removed")
    bench.remove()
    assert bench.device.result(waiting) is None
    assert bench.device.call("present") is False


def test_slow_card_is_waited_for(bench: Bench) -> None:
    """2.5 s; the reader asks for more time (status 80, error 1) every 400 ms."""
    bench.insert(PlainCard(t1=True))
    bench.device.call("power_on")
    answer = bench.device.call("exchange", bytes.fromhex("80D0FA0003AABBCC00"))
    assert answer == b"\xaa\xbb\xcc\x90\x00"
    assert bench.wire.sent.count(b"\x80\x01\x00") == 6


def test_card_that_leaves_inside_a_command(bench: Bench) -> None:
    bench.insert(PlainCard())
    bench.device.call("power_on")
    assert bench.device.fault("exchange", bytes.fromhex("80F0000000")) == "CardRemoved"
    assert bench.device.call("present") is False


def test_card_taken_while_it_thinks(bench: Bench) -> None:
    bench.insert(PlainCard())
    bench.device.call("power_on")
    thinking = bench.device.start("exchange", bytes.fromhex("80D0FF0003AABBCC"))
    time.sleep(0.3)
    bench.remove()
    with pytest.raises(Exception, match="CardRemoved"):
        bench.device.result(thinking)


def test_card_swapped_between_commands(bench: Bench) -> None:
    """The new card has no power: what was asked belongs to the one that left."""
    bench.insert(PlainCard())
    bench.device.call("power_on")
    bench.remove()
    bench.insert(PlainCard())
    assert bench.device.fault("exchange", SELECT) == "CardRemoved"
    bench.device.call("power_on")
    assert bench.device.call("exchange", SELECT) == bytes((0x61, len(FCI)))


def test_empty_slot_and_mute_chip(bench: Bench) -> None:
    assert bench.device.fault("power_on") == "CardRemoved"
    card = PlainCard()
    card.atr = b""
    bench.insert(card)
    assert bench.device.fault("power_on") == "CardSilent"
    assert bench.device.call("present") is True


def test_card_that_falls_silent(bench: Bench) -> None:
    bench.insert(PlainCard())
    bench.device.call("power_on")
    assert bench.device.fault("exchange", bytes.fromhex("80F1000000")) == "CardSilent"
    assert bench.device.call("present") is True


def test_silent_reader_comes_back(bench: Bench) -> None:
    bench.model.mute = True
    assert bench.device.fault("present") == "DeviceSilent"
    bench.model.mute = False
    assert bench.device.call("present") is False


def test_reader_that_restarted_is_set_up_again(bench: Bench) -> None:
    """A reader that lost power is at TPDU level; the fault before makes the driver ask again."""
    bench.device.call("present")
    bench.model.mute = True
    bench.device.fault("present")
    bench.model.mute = False
    bench.world.call(bench.model.power_cycle)
    bench.insert(PlainCard(t1=True))
    bench.device.call("power_on")
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"


def test_cancelled_exchange_leaves_the_reader_usable(bench: Bench) -> None:
    """The reader is still busy; the next command waits for that and gets its own answer."""
    bench.insert(PlainCard(t1=True))
    bench.device.call("power_on")
    slow = bench.device.start("exchange", bytes.fromhex("80D0780003AABBCC00"))
    time.sleep(0.2)
    bench.device.cancel(slow)
    with pytest.raises(Exception, match="CancelledError"):
        bench.device.result(slow)
    assert bench.device.call("exchange", SELECT) == FCI + b"\x90\x00"


def test_calls_at_the_same_time_take_turns(bench: Bench) -> None:
    bench.insert(PlainCard(t1=True))
    bench.device.call("power_on")
    slow = bench.device.start("exchange", bytes.fromhex("80D0140003AABBCC00"))
    present = bench.device.start("present")
    assert bench.device.result(slow) == b"\xaa\xbb\xcc\x90\x00"
    assert bench.device.result(present) is True


def test_an_apdu_of_the_wrong_length_is_refused(bench: Bench) -> None:
    for length in (0, 3, 262):
        assert bench.device.fault("exchange", bytes(length)) == "DeviceProtocolError"


HEAD = bytes.fromhex("0306")


@pytest.mark.parametrize(
    "answer",
    [
        lambda frame: b"\x00" * 40,
        lambda frame: b"\x03\x07" + frame[2:],
        lambda frame: frame + HEAD + b"\x83\xff\xff\xff\xff" + bytes(6),
        lambda frame: frame + HEAD + b"\x83" + bytes(10),
        lambda frame: frame[:-1] + bytes((frame[-1] ^ 1,)),
        lambda frame: (
            frame[:12] + bytes((frame[12] ^ 1,)) + frame[13:-1] + bytes((frame[-1] ^ 1,))
        ),
        lambda frame: b"\x03\x15\x16",
    ],
    ids=["noise", "control", "length", "check", "echo-check", "echo", "refusals"],
)
def test_a_reader_that_talks_nonsense(answer: Any) -> None:
    with World() as world:
        bench = Bench(world, BrokenReader(answer))
        with bench.device:
            assert bench.device.fault("present") == "DeviceProtocolError"


def test_half_a_frame_is_silence() -> None:
    with World() as world:
        bench = Bench(world, BrokenReader(lambda frame: frame[:7]))
        with bench.device:
            assert bench.device.fault("present") == "DeviceSilent"


def test_endless_noise_is_no_reader() -> None:
    """Bytes that never stop: the driver gives up instead of listening for ever."""

    class Noise:
        def attach(self, host: Wire) -> None:
            self._host = host
            host.call_later(0, self._babble)

        def _babble(self) -> None:
            self._host.send(b"\x55")
            self._host.call_later(5_000, self._babble)

        def receive(self, data: bytes) -> None:
            raise AssertionError("The driver speaks although the line is not quiet.")

    with World() as world:
        bench = Bench(world, Noise())
        with bench.device:
            assert bench.device.fault("present", timeout=20) == "DeviceProtocolError"

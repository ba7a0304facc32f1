"""The contact reader's model against Debian's pcscd and libccid, with pyscard on top.

`pcsc_bed.py` says how they are brought together. What the cards of the deck say over them is in
`test_cards_pcsc.py`.
"""

from collections.abc import Iterator

import pytest
from harness import World
from pcsc_bed import Bed, PcscFault
from plain_card import ATR_BOTH, FCI, PlainCard, pattern, with_check

pytestmark = pytest.mark.timeout(90)


@pytest.fixture(scope="module", params=[None, "0x0002"], ids=["tpdu", "apdu"])
def bed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    with World() as world:
        bed = Bed(world, tmp_path_factory.mktemp("pcsc"), request.param)
        try:
            assert bed.pcsc.answer() == "ready"
            yield bed
        finally:
            bed.pcsc.close()


@pytest.fixture(autouse=True)
def disconnected(bed: Bed) -> Iterator[None]:
    """No test leaves its connection to the next one."""
    yield
    bed.pcsc.ask("disconnect")


def test_the_level_is_the_one_the_options_ask_for(
    bed: Bed, request: pytest.FixtureRequest
) -> None:
    """Escape `1F 02` is seen exactly with driver option 2: the second pass is no repeat."""
    assert (b"\x1f\x02" in bed.wire.sent) == ("apdu" in request.node.name)


def test_t0_card(bed: Bed) -> None:
    """Selection with GET RESPONSE, wrong Le, 255 bytes out, 256 bytes in, on T=0."""
    card = PlainCard()
    bed.insert(card)
    assert bytes.fromhex(bed.pcsc.ask("connect", protocol=0)) == card.atr
    assert bed.pcsc.transmit("00A4040008A000000333010102") == bytes((0x61, len(FCI)))
    assert bed.pcsc.transmit(f"00C00000{len(FCI):02X}") == FCI + b"\x90\x00"
    assert bed.pcsc.transmit("80E0002000") == b"\x6c\x20"
    assert bed.pcsc.transmit("80E0002020") == pattern(0x20) + b"\x90\x00"
    assert bed.pcsc.transmit("80E0010000") == pattern(256) + b"\x90\x00"
    sent = bytes(range(255))
    assert bed.pcsc.transmit("80ED0000FF" + sent.hex()) == b"\x90\x00"
    assert card.taken == sent


def test_t1_card(bed: Bed) -> None:
    """Whole responses on T=1; commands and responses longer than a block are chained."""
    card = PlainCard(t1=True)
    bed.insert(card)
    assert bytes.fromhex(bed.pcsc.ask("connect", protocol=1)) == card.atr
    assert bed.pcsc.transmit("00A4040008A00000033301010200") == FCI + b"\x90\x00"
    assert bed.pcsc.transmit("80E0010000") == pattern(256) + b"\x90\x00"
    sent = bytes(range(255))
    assert bed.pcsc.transmit("80EC0000FF" + sent.hex() + "00") == sent + b"\x90\x00"


@pytest.mark.parametrize("protocol", [0, 1])
def test_card_of_two_protocols(bed: Bed, protocol: int, request: pytest.FixtureRequest) -> None:
    """The host's choice holds; at TPDU level it chooses T=1 by a PPS (ISO 7816-3 clause 9)."""
    card = PlainCard()
    card.atr = with_check(ATR_BOTH)
    bed.insert(card)
    bed.wire.sent.clear()
    bed.pcsc.ask("connect", protocol=protocol)
    whole = FCI + b"\x90\x00"
    answer = bed.pcsc.transmit("00A4040008A000000333010102")
    assert answer == (whole if protocol else bytes((0x61, len(FCI))))
    asked = bytes.fromhex("FF01FE") in bed.wire.sent
    assert asked == (protocol == 1)


@pytest.mark.parametrize("t1", [False, True], ids=["t0", "t1"])
def test_slow_card_is_waited_for(bed: Bed, t1: bool) -> None:
    """2.5 s for one command: CCID time extensions, or S(WTX) blocks."""
    bed.insert(PlainCard(t1=t1))
    bed.pcsc.ask("connect", protocol=int(t1))
    answer = bed.pcsc.transmit("80D0FA0003AABBCC" + ("00" if t1 else ""))
    assert answer == (b"\xaa\xbb\xcc\x90\x00" if t1 else b"\x61\x03")


@pytest.mark.parametrize("t1", [False, True], ids=["t0", "t1"])
def test_pulled_card(bed: Bed, t1: bool) -> None:
    """A card that leaves inside a command fails that command; the next card works."""
    bed.insert(PlainCard(t1=t1))
    bed.pcsc.ask("connect", protocol=int(t1))
    with pytest.raises(PcscFault):
        bed.pcsc.transmit("80F0000000")
    bed.pcsc.ask("disconnect")
    bed.insert(PlainCard(t1=t1))
    bed.pcsc.ask("connect", protocol=int(t1))
    expected = pattern(5) + b"\x90\x00"
    assert bed.pcsc.transmit("80E0000505") == expected


def test_mute_chip_is_seen_and_not_connected(bed: Bed) -> None:
    """A chip without an ATR is in the slot, and no connection to it succeeds."""
    card = PlainCard()
    card.atr = b""
    bed.insert(card)
    with pytest.raises(PcscFault):
        bed.pcsc.ask("connect", protocol=0)

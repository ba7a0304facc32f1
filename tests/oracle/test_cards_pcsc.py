"""The deck over pcscd and libccid: what pyscard hears from a card is what the card says itself.

Whole transactions (`card_conversation.py`) on T=0 and T=1: certificates longer than a block, DDA,
CDA, enciphered PINs, sealed scripts. Each is cut once by pulling the card, and then done again.
"""

from collections.abc import Iterator

import pytest
from card_conversation import Conversation
from harness import World
from pcsc_bed import Bed, PcscFault

from tools.sim.cards import Card, load, names
from tools.sim.cards.card import atr

pytestmark = pytest.mark.timeout(90)

CHIPS = [name for name in names() if load(name).atr]
SILENT = [name for name in names() if name not in CHIPS]
# On the wire these are as `debit`: they are heard in the nightly.
AS_DEBIT = ("blocked", "declines", "expired", "pickup", "prepaid", "two")
# The slow card's patience would be half a minute: it is heard up to its processing options.
HEARD = {"slow": 6}


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


def replayed(bed: Bed, card: Card, same: Card, t1: bool) -> int:
    """Insert the card and say what its twin heard; how many answers there were."""
    said = Conversation(same).said[: HEARD.get(card.name)]
    bed.swap(card)
    assert bytes.fromhex(bed.pcsc.ask("connect", protocol=int(t1))) == card.atr
    for place, (command, expected) in enumerate(said):
        if expected is None:
            with pytest.raises(PcscFault):
                bed.pcsc.exchange(command)
            bed.pcsc.ask("disconnect")
            return place
        assert bed.pcsc.exchange(command) == expected, (place, command.hex())
    bed.pcsc.ask("disconnect")
    return len(said)


def pair(name: str, t1: bool) -> tuple[Card, Card]:
    """A card on that protocol and its twin."""
    card = load(name)
    card.atr = atr("T=1" if t1 else "T=0", b"SUANPAN")
    return card, load(name)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.long] if name in AS_DEBIT else []) for name in CHIPS],
)
def test_a_card_says_over_pcsc_what_it_says_itself(bed: Bed, name: str) -> None:
    """On its own protocol; at TPDU level, where libccid speaks it, on the other one as well.

    There the card is pulled first, each at another command, and starts again where it stood.
    """
    own = load(name).facts.protocol == "T=1"
    card, same = pair(name, own)
    if not bed.short and name not in ("pulled", "slow"):
        place = 5 + 3 * CHIPS.index(name) % 10
        card.leave_at = same.leave_at = place
        assert replayed(bed, card, same, own) == place - 1
        card.leave_at = same.leave_at = None
    heard = replayed(bed, card, same, own)
    assert heard == (8 if name == "pulled" else HEARD.get(name, heard)) and heard > 5
    assert card.applications[0].atc == same.applications[0].atc
    if not bed.short:
        assert replayed(bed, *pair(name, not own), not own) == heard


@pytest.mark.parametrize("name", SILENT)
def test_no_connection_to_what_has_no_chip_that_answers(bed: Bed, name: str) -> None:
    bed.swap(load(name))
    with pytest.raises(PcscFault):
        bed.pcsc.ask("connect", protocol=0)

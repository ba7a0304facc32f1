"""PyPI's `emv` 1.0.14, which nobody here wrote, reads cards of the deck through pcscd and libccid.

It speaks T=0 and knows no PDOL, no authentication and no second cryptogram; what it reads is held
against the card's records as pyemv decodes them, and its first GENERATE AC against pyemv's ARQC.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import World
from pcsc_bed import Bed, PcscFault
from pyemv import ac, kd, tlv

from tools.sim.cards import Card, files, load
from tools.sim.cards.ber import dol, split

pytestmark = pytest.mark.timeout(120)

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ROOT / "build" / "emv-client" / "bin" / "python"


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    if not INTERPRETER.exists():
        pytest.fail("build/emv-client is missing: make build/emv-client/.ready")
    script = Path(__file__).with_name("emv_client.py")
    with World() as world:
        folder = tmp_path_factory.mktemp("pcsc")
        bed = Bed(world, folder, script=script, interpreter=INTERPRETER)
        try:
            assert bed.pcsc.answer() == "ready"
            yield bed
        finally:
            bed.pcsc.close()


def elements(card: Card) -> dict[str, str]:
    """What a terminal that follows the AFL has read, as pyemv decodes it."""
    application = card.applications[0]
    locator = files.file_locator(application.facts, application.credentials)
    found: dict[str, str] = {}
    for at in range(0, len(locator), 4):
        for number in range(locator[at + 1], locator[at + 2] + 1):
            record = application.records[locator[at] >> 3, number]
            found |= {tag: value.hex().upper() for tag, value in tlv.decode(record)["70"].items()}
    return found


def arqc(card: Card, sent: str) -> str:
    """The request cryptogram by pyemv, over what the client sent (CVN 12: Book 2 8.1)."""
    application = card.applications[0]
    facts = application.facts
    values = split(dol(facts.cdol1), bytes.fromhex(sent))
    key = kd.derive_icc_mk_a(bytes.fromhex(card.facts.imk), facts.pan, f"{facts.psn:02d}")
    session = kd.derive_common_sk(key, b"\x00\x02" + bytes(6))
    tags = ("9F02", "9F03", "9F1A", "95", "5F2A", "9A", "9C", "9F37")
    data = b"".join(values[tag] for tag in tags) + application.aip + b"\x00\x02"
    return ac.generate_ac(session, data + bytes.fromhex("06011203A00000")).hex().upper()


@pytest.mark.parametrize("name", ["debit", "quick", "contact-only"])
def test_it_reads_a_card_up_to_its_first_cryptogram(bed: Bed, name: str) -> None:
    card = load(name)
    bed.insert(card)
    told: dict[str, Any] = bed.pcsc.ask("read", place=0)
    facts = card.applications[0].facts
    assert [each["4F"] for each in told["applications"]] == [facts.aid]
    assert bytes.fromhex(told["selected"]["50"]).decode() == facts.label
    assert told["profile"] == card.applications[0].aip.hex().upper()
    known = elements(load(name))
    assert set(told["elements"]) == set(known)
    for tag, value in told["elements"].items():
        # Lists, rules and the usage control it has turned into words; the rest are bytes.
        assert value == known[tag] or tag in ("8C", "8D", "8E", "9F07", "9F49", "9F4A")
    assert told["counters"] == {"atc": 2, "last_online_atc": 0}
    values = split(dol(facts.cdol1), bytes.fromhex(told["sent"]))
    assert values["9F02"].hex() == "000000001234" and values["9F37"].hex() == "11223344"
    answer = told["cryptogram"]["80"]
    assert answer[:6] == "800002" and answer[6:22] == arqc(card, told["sent"])


def test_it_speaks_no_t1(bed: Bed) -> None:
    """Why the other cards are not here: a refusal, not a silence."""
    bed.insert(load("credit"))
    with pytest.raises(PcscFault, match="CardConnectionException|NoCardException"):
        bed.pcsc.ask("read", place=0)

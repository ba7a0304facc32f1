"""Debian's `cardpeek`, which nobody here wrote, reads cards of the deck through pcscd and libccid.

Its EMV script follows directory, processing options and AFL on T=0 and T=1, takes each element
apart and names it. It holds no keys and asks for no cryptogram.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from harness import World
from pcsc_bed import Bed
from test_cards_emv_client import elements

from tools.sim.cards import load

pytestmark = pytest.mark.timeout(180)

CLIENT = Path(__file__).with_name("cardpeek_client.py")


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bed]:
    if shutil.which("cardpeek") is None:
        pytest.fail("cardpeek is missing: install Debian's cardpeek.")
    with World() as world:
        bed = Bed(world, tmp_path_factory.mktemp("pcsc"), script=CLIENT)
        try:
            assert bed.pcsc.answer() == "ready"
            yield bed
        finally:
            bed.pcsc.close()


def seen(view: str) -> tuple[dict[str, str], set[str]]:
    """Values by tag (hex), and the words that the view has for what is in them."""
    root = ElementTree.fromstring(view.split("\n", 1)[1])  # its XML declaration is none
    values: dict[str, str] = {}
    words: set[str] = set()
    for node in root.iter("node"):
        attributes = {each.get("name"): each for each in node.findall("attr")}
        tag, value = attributes.get("id"), attributes.get("val")
        if tag is not None and value is not None and value.get("encoding") == "bytes":
            values[str(tag.text)] = str(value.text).split(":")[1]
        words |= {str(attributes[key].text) for key in ("val", "alt") if key in attributes}
    return values, words


@pytest.mark.parametrize("name", ["debit", "offline-pin"])
def test_it_sees_every_element_that_the_card_has(
    bed: Bed, name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    card = load(name)
    bed.insert(card)
    folder = tmp_path_factory.getbasetemp() / "cardpeek"
    folder.mkdir(exist_ok=True)
    values, words = seen(bed.pcsc.ask("peek", folder=str(folder)))
    known = elements(load(name))
    assert {tag: values.get(tag) for tag in known} == known
    application = card.applications[0]
    assert values["82"] == application.aip.hex().upper() and application.atc == 2
    assert values["9F36"] == "0002" and values["4F"] == application.facts.aid
    assert {"TEST/CARD", "UnionPay Debit", "SDA failed", "12/31/30"} <= words

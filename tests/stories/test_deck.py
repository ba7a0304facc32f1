"""Every card of the deck is presented in some story."""

from collections.abc import Iterable
from pathlib import Path

from tools.sim import cards
from tools.sim.player import WORDS
from tools.sim.scenario import load

STORIES = sorted(Path(__file__).parent.glob("*.yaml"))


def untold(stories: Iterable[Path]) -> set[str]:
    """The deck's cards that none of these stories inserts or taps."""
    steps = [step for story in stories for step in load(story, WORDS).steps]
    presented = {
        step.argument.get(way)
        for step in steps
        if step.word in ("card", "phone")
        for way in ("insert", "tap")
    }
    return set(cards.names()) - presented


def test_every_card_of_the_deck_has_a_story() -> None:
    assert not untold(STORIES)


def test_a_card_without_a_story_is_named() -> None:
    here = Path(__file__).parent
    left = untold([here / "two_cards.yaml", here / "sale_phone.yaml"])
    assert "pickup" in left and not left & {"two", "phone"}

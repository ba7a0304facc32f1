"""Every scenario of this folder, through the whole system, on the virtual clock."""

from pathlib import Path

import pytest

from tools.sim import goldens
from tools.sim.player import play

STORIES = sorted(Path(__file__).parent.glob("*.yaml"))


@pytest.mark.parametrize("story", STORIES, ids=lambda path: path.stem)
def test_story(story: Path) -> None:
    """Every expectation holds and every picture is the golden one."""
    result = play(story)
    assert not result.failure, result.failure
    if result.pictures:
        page = goldens.report(result.pictures)
        pytest.fail(f"not the golden pictures: {', '.join(result.pictures)}; side by side: {page}")

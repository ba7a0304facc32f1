"""The handbook says what the code says."""

from pathlib import Path

import pytest

from tools.workshop import handbook
from tools.workshop.faults import FAULTS, LANGUAGES


def test_pages_and_picture_are_what_their_sources_say() -> None:
    assert handbook.PICTURE.read_text(encoding="utf-8") == handbook.wiring()
    for language in LANGUAGES:
        text = handbook.PAGES[language].read_text(encoding="utf-8")
        assert text == handbook.page(language)
        assert all(f"| {fault.code} `{name}` |" in text for name, fault in FAULTS.items())


def test_every_picture_of_the_pages_is_there() -> None:
    for page in handbook.PAGES.values():
        for part in page.read_text(encoding="utf-8").split("](")[1:]:
            link = part.partition(")")[0]
            assert (page.parent / link).exists(), link


def test_a_wire_that_no_part_has_is_named(tmp_path: Path) -> None:
    pins = tmp_path / "pins.csv"
    pins.write_text(handbook.PINS.read_text(encoding="utf-8") + "HORN,GPIO45\n")
    with pytest.raises(handbook.WiringUnclear, match="HORN"):
        handbook.wiring(pins)

"""Two clones build the same images; and where two images differ, the section is named."""

import shutil
from pathlib import Path

import pytest

from tools.check import reproducible

ROOT = Path(__file__).resolve().parents[2]


def test_the_first_section_that_differs_is_named(tmp_path: Path) -> None:
    image, other = ROOT / "build/sim/micropython", tmp_path / "other"
    assert reproducible.difference(image, image) == ""
    name, at, size = next(row for row in reproducible.sections(image) if row[0] == ".rodata")
    changed = bytearray(image.read_bytes())
    changed[at + size // 2] ^= 1
    other.write_bytes(changed)
    said = reproducible.difference(image, other)
    assert said.startswith(f"section {name} differs from byte {size // 2:,} on")


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_two_clones_build_the_same_images(capsys: pytest.CaptureFixture[str]) -> None:
    assert shutil.which("riscv64-unknown-elf-gcc"), "the bare board's compiler is missing"
    reproducible.main()
    assert capsys.readouterr().out.count("bytes, identical") == len(reproducible.IMAGES)

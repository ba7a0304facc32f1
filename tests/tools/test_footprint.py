"""The size of pinmac's core: what is counted, and a budget that bites."""

import subprocess
from pathlib import Path

import pytest

from tools.check import footprint, sizes
from tools.check.pinmac import COMPILERS

SOURCE = """
const unsigned char in_code[100] = {1};
unsigned char set_at_start[20] = {1};
unsigned char zeroed[3000];
"""


def test_constants_are_code_and_variables_are_ram(tmp_path: Path) -> None:
    source = tmp_path / "sample.c"
    source.write_text(SOURCE, encoding="utf-8")
    target = tmp_path / "sample.o"
    subprocess.run([*COMPILERS[footprint.MACHINE], "-c", "-o", target, source], check=True)
    files = footprint.footprints([target])
    assert files == {"sample.c": footprint.Footprint(code=100, ram=3020)}
    twice = files | {"again.c": files["sample.c"]}
    assert footprint.total(twice) == footprint.Footprint(code=200, ram=6040)


def test_the_core_is_within_its_budget() -> None:
    assert sizes.over_budget(sizes.core_sizes(), sizes.budgets()["riscv_bytes"]) == []


def test_one_byte_over_the_budget_is_named() -> None:
    limits = sizes.budgets()["riscv_bytes"]
    code, ram = limits["core_code"], limits["core_ram"]
    assert sizes.over_budget({"core_code": code, "core_ram": ram + 1}, limits) == ["core_ram"]
    assert sizes.over_budget({"core_code": code + 1, "core_ram": ram}, limits) == ["core_code"]


def test_a_missing_compiler_is_said_and_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    sizes.main()
    assert capsys.readouterr().out.count(sizes.NOT_MEASURED) == 2

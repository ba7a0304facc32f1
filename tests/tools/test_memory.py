"""The terminal's memory: a budget that bites, and a sale in a heap of 256 KB."""

import pytest

from tools.check import memory, sizes


def test_a_sale_fits_a_small_heap() -> None:
    """The whole terminal on the 32-bit board, from power-on to the receipt."""
    found = memory.measured()
    assert found, "the 32-bit sim board is missing: make build/sim32/micropython"
    assert memory.wrong(found) == []
    assert 40_000 < found["heap_idle"] <= found["heap_sale"] < memory.HEAP_KB * 1024
    assert found["heap_sale"] + found["free_block_sale"] <= memory.HEAP_KB * 1024


def test_a_sale_in_too_small_a_heap_is_a_fault() -> None:
    with pytest.raises(memory.MemoryFault, match="128 KB"):
        memory.measured(128)


def test_every_figure_over_or_under_its_budget_is_named() -> None:
    limits = sizes.budgets()["terminal_bytes"]
    assert memory.wrong(limits) == []
    for name, limit in limits.items():
        worse = limit - 1 if name.startswith("free_block") else limit + 1
        (said,) = memory.wrong({name: worse})
        assert name in said and f"{limit:,}" in said

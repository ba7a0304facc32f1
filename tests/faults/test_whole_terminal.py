"""The whole terminal under power cuts, cards that leave and cards that talk rubbish.

After each of them: what differs between the books is owed, the next sale settles it, and no money
is lost or doubled. On the virtual clock, through keys and screens only.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from whole import IDLE, PIN, PRESENT, Shop, played

from tools.sim import books, cards

MOST_WRITES = 200  # more than any sale takes; a cut that far off never happens
CHIP, TAP = "chip", "tap"
# Cuts of the quick suite: the journal's entries and the receipt's mark, early and late.
SAMPLE = {CHIP: (1, 2, 3, 5, 8, 11, 14, 17, 20, 24, 28, 33, 38), TAP: (1, 2, 4, 6, 9, 12, 15, 19)}


async def _sale(shop: Shop, kind: str) -> bool:
    return await (shop.chip_sale() if kind == CHIP else shop.tap_sale("5 00"))


async def _cut(shop: Shop, kind: str, write: int) -> bool:
    """Cut the power at a flash write of a sale, start again and settle; False: never that far."""
    completed, copies = len(_completed(shop)), _copies(shop)
    shop.sim.cut_at_write(write)
    reached = not await _sale(shop, kind)
    shop.sim.cut_at_write(None)
    if not reached:
        return False
    shop.judge_owed()
    assert await shop.power_again()
    shop.judge_owed()
    if len(_completed(shop)) > completed and _copies(shop) == copies:
        assert shop.shows("请重打"), "a payment was taken, and nobody is told"
    before = len(shop.sim.postings())
    assert await shop.tap_sale()
    shop.judge_settled()
    assert len(shop.sim.postings()) == before + 1
    return True


def _completed(shop: Shop) -> list[dict[str, Any]]:
    return [row for row in books.counted(shop.sim.flash) if row["state"] == "approved"]


def _copies(shop: Shop) -> int:
    return "".join(shop.sim.printer.text).count("持卡人存根")


@pytest.mark.parametrize("kind", [CHIP, TAP])
def test_power_cuts_lose_and_double_nothing(kind: str, tmp_path: Path) -> None:
    """A sample of the cuts, one after the other on the same terminal."""

    async def story(shop: Shop) -> None:
        reached = [write for write in SAMPLE[kind] if await _cut(shop, kind, write)]
        assert len(reached) >= len(SAMPLE[kind]) - 2, reached

    played(tmp_path, story)


@pytest.mark.long
@pytest.mark.parametrize("kind", [CHIP, TAP])
def test_power_cut_at_every_flash_write(kind: str, tmp_path: Path) -> None:
    """Every cut on a terminal of its own, until one is past the end of the sale."""
    for write in range(1, MOST_WRITES):
        reached: list[bool] = []

        async def story(shop: Shop, write: int = write, reached: list[bool] = reached) -> None:
            reached.append(await _cut(shop, kind, write))

        played(tmp_path / str(write), story)
        if not reached[0]:
            assert write > 10
            return
    raise AssertionError(f"a sale takes more than {MOST_WRITES} flash writes")


@pytest.mark.long
@pytest.mark.parametrize("first", [6, 10, 17, 23, 27])
def test_a_second_cut_while_the_books_recover(first: int, tmp_path: Path) -> None:
    """The power goes in the sale, and again at every third write of the start and the settling.

    The five first cuts begin at different thirds, so that every write has its turn.
    """
    for second in range(1 + first % 3, MOST_WRITES, 3):
        reached: list[bool] = []

        async def story(
            shop: Shop, second: int = second, reached: list[bool] = reached
        ) -> None:
            shop.sim.cut_at_write(first)
            assert not await shop.chip_sale()
            shop.sim.cut_at_write(second)
            whole = await shop.power_again() and await shop.tap_sale()
            shop.sim.cut_at_write(None)
            reached.append(not whole)
            if not whole:
                shop.judge_owed()
                assert await shop.power_again()
                assert await shop.tap_sale("2 00")
            shop.judge_settled()

        played(tmp_path / str(second), story)
        if not reached[0]:
            assert second > 10
            return
    raise AssertionError(f"a start and a sale take more than {MOST_WRITES} flash writes")


@pytest.mark.parametrize("interface", ["contact", "contactless"])
def test_a_card_pulled_at_every_command(interface: str, tmp_path: Path) -> None:
    """The card leaves before it answers its n-th command; the next sale settles whatever is owed.

    Until it stays to the end: then the sale is good.
    """

    async def story(shop: Shop) -> None:
        for command in range(1, 40):
            completed = await _pulled(shop, interface, command)
            shop.judge_owed()
            assert await shop.tap_sale()
            shop.judge_settled()
            if completed:
                assert command > 3
                reversed_ones = [r for r in shop.sim.postings() if r["state"] == "reversed"]
                assert len(reversed_ones) == (2 if interface == "contact" else 0)
                return
        raise AssertionError("the card never stayed to the end")

    played(tmp_path, story)


async def _pulled(shop: Shop, interface: str, command: int) -> bool:
    """One sale whose card leaves at that command; True when it was paid all the same."""
    paid = _approved(shop)
    await shop.key("5 00 ENTER")
    await shop.see(PRESENT)
    if interface == "contact":
        await shop.do(card={"insert": "debit", "at": command})
        if await _first(shop, PIN, "卡片已拔出") == PIN:
            await shop.key("1 2 3 4 5 6 ENTER")
    else:
        await shop.do(card={"tap": "phone", "at": command})
    await _first(shop, "卡片已拔出", "请再挥一次", "请撕下商户存根")
    await shop.to_idle()
    return _approved(shop) > paid and not shop.sim.owed()


async def _first(shop: Shop, *texts: str) -> str:
    await shop.see(*texts)
    return next(text for text in texts if shop.shows(text))


def _approved(shop: Shop) -> int:
    return sum(row["state"] == "approved" for row in shop.sim.postings())


async def _rubbish(shop: Shop, seed: int) -> None:
    """A card that spoils its answers is put in and, if asked for, a PIN is typed."""
    card = cards.garbage(seed)
    if not card.contact:
        return
    shop.sim.acquirer.reissue_cards()  # this one's transaction counter starts over
    await shop.key("5 00 ENTER")
    await shop.see(PRESENT)
    await shop.present(card)
    await asyncio.sleep(4)
    if shop.shows("请选择应用"):
        await shop.key("ENTER")
        await asyncio.sleep(2)
    if shop.shows(PIN):
        await shop.key("1 2 3 4 5 6 ENTER")
        await asyncio.sleep(4)
    await shop.to_idle()
    shop.judge_owed()


def _garbage(tmp_path: Path, seeds: range) -> None:
    async def story(shop: Shop) -> None:
        for seed in seeds:
            await _rubbish(shop, seed)
        assert await shop.chip_sale(card="contact-only")
        shop.judge_settled()
        assert shop.shows(IDLE)

    played(tmp_path, story)


def test_cards_that_answer_rubbish(tmp_path: Path) -> None:
    """Whatever the card says: a screen in words, idle again, nothing posted beside the journal."""
    _garbage(tmp_path, range(20))


@pytest.mark.long
@pytest.mark.parametrize("first", range(20, 320, 30))
def test_many_cards_that_answer_rubbish(first: int, tmp_path: Path) -> None:
    """Thirty more on one terminal."""
    _garbage(tmp_path, range(first, first + 30))

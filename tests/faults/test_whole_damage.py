"""Damaged flash, a lost host, a host with wishes and one with another time: the whole terminal.

What the story language has no word for, on the virtual clock, through keys and screens.
"""

from __future__ import annotations

import asyncio
import struct
import sys
from datetime import timedelta
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from whole import IDLE, LOGIN, PRESENT, Shop, played

from tools.acquirer import testbed
from tools.sim import books, clock, simulation
from tools.sim.simulation import HOSTS

OPENED, COMPLETED = 0, 3  # states in the journal
SIGNED_ON = "签到成功"


def _spoil(shop: Shop, trace: int, state: int) -> None:
    """Clear bits in a journal entry, in every copy of it on the flash: worn-out cells."""
    part, content = shop.sim.flash.partition("journal"), shop.sim.flash.image("journal")
    mark, at = struct.pack(">cIB", b"R", trace, state), -1
    assert mark in content
    while (at := content.find(mark, at + 1)) >= 0:
        shop.sim.flash.program(part.offset + at, bytes(len(mark)))


def _wipe(shop: Shop, partition: str) -> None:
    part = shop.sim.flash.partition(partition)
    shop.sim.flash.erase(part.offset, part.size)


@pytest.mark.parametrize(("sale", "state"), [(0, OPENED), (0, COMPLETED), (1, COMPLETED)])
def test_a_damaged_journal_stops_payments_and_says_so(
    sale: int, state: int, tmp_path: Path
) -> None:
    """An old entry or the newest: nothing is thrown away, nothing is paid on top of it."""

    async def story(shop: Shop) -> None:
        assert await shop.tap_sale()
        assert await shop.tap_sale("2 00")
        traces = [int(row["trace"]) for row in books.records(shop.sim.flash)]
        await shop.sim.power_off()
        _spoil(shop, traces[sale], state)
        damaged = shop.sim.flash.image("journal")
        await shop.sim.power_on()
        assert await shop.see("交易流水损坏")
        assert shop.shows("停止交易")
        await shop.key("5 00 ENTER ENTER")
        assert await shop.see("交易流水损坏")
        assert shop.sim.flash.image("journal") == damaged
        assert len(shop.sim.postings()) == 2

    played(tmp_path, story)


def test_an_erased_journal_is_no_empty_one(tmp_path: Path) -> None:
    """A journal that is gone is named; the terminal does not begin a new one by itself."""

    async def story(shop: Shop) -> None:
        assert await shop.tap_sale()
        await shop.sim.power_off()
        _wipe(shop, "journal")
        await shop.sim.power_on()
        assert await shop.see("交易流水损坏", "系统故障", "终端未下装")
        assert not shop.shows(IDLE, LOGIN)

    played(tmp_path, story)


def test_damaged_keys_stop_payments_and_say_so(tmp_path: Path) -> None:
    """The device's own keys do not open: the workshop's matter."""

    async def story(shop: Shop) -> None:
        await shop.sim.power_off()
        (shop.sim.folder / "device.secret").write_bytes(b"another device's secret, 32 long")
        await shop.sim.power_on()
        assert await shop.see("密钥文件损坏", "密钥校验失败")
        assert shop.shows("请联系维护人员")
        assert not shop.shows(IDLE, LOGIN)

    played(tmp_path, story)


def test_erased_keys_are_named(tmp_path: Path) -> None:
    """No key file is there any more."""

    async def story(shop: Shop) -> None:
        await shop.sim.power_off()
        _wipe(shop, "keys")
        await shop.sim.power_on()
        assert await shop.see("终端未下装", "密钥文件损坏", "系统故障")
        assert not shop.shows(IDLE, LOGIN)

    played(tmp_path, story)


def test_erased_data_are_named(tmp_path: Path) -> None:
    """Parameters and operators are gone, keys and journal are not."""

    async def story(shop: Shop) -> None:
        await shop.sim.power_off()
        _wipe(shop, "data")
        await shop.sim.power_on()
        assert await shop.see("终端未下装", "参数文件损坏", "操作员文件损坏", "系统故障")
        assert not shop.shows(IDLE, LOGIN)

    played(tmp_path, story)


def test_the_backup_host_takes_over(tmp_path: Path) -> None:
    """The first host's name is gone from one minute to the next; the sale goes to the second."""

    async def story(shop: Shop) -> None:
        shop.sim.network.names.pop(testbed.PRIMARY_HOST)
        shop.sim.network.set(reset="now")
        await asyncio.sleep(1)
        assert await shop.tap_sale()
        shop.judge_settled()
        addresses = [e["address"] for e in shop.timeline.of("tcp") if e["state"] == "connect"]
        assert addresses == [HOSTS[testbed.PRIMARY_HOST], HOSTS[testbed.BACKUP_HOST]]

    played(tmp_path, story)


def test_the_host_wishes_a_sign_on(tmp_path: Path) -> None:
    """Digit 6 of the header is 3: after the sale the terminal signs on by itself."""

    async def story(shop: Shop) -> None:
        before = _sign_ons(shop)
        shop.sim.acquirer.ask_terminals(3)
        await shop.key("1 00 ENTER")
        assert await shop.see(PRESENT)
        await shop.do(card={"tap": "quick"})
        assert await shop.see("请撕下商户存根")
        await shop.take_back()
        shop.sim.acquirer.ask_terminals(0)
        await shop.key("ENTER")
        assert await shop.see(SIGNED_ON)
        assert await shop.see(IDLE)
        assert _sign_ons(shop) == before + 1
        assert await shop.tap_sale("2 00")
        shop.judge_settled()

    played(tmp_path, story)


def test_a_host_that_always_wishes_a_sign_on_gets_one_a_payment(tmp_path: Path) -> None:
    """The sign-on's own answer carries the wish again: the terminal must not turn in circles."""

    async def story(shop: Shop) -> None:
        before = _sign_ons(shop)
        shop.sim.acquirer.ask_terminals(3)
        assert await shop.tap_sale()
        await asyncio.sleep(30)
        assert shop.shows(IDLE)
        assert _sign_ons(shop) == before + 1

    played(tmp_path, story)


def _sign_ons(shop: Shop) -> int:
    return sum(e["mti"] == "0800" for e in shop.timeline.of("iso"))


@pytest.mark.parametrize(("days", "date"), [(-1, "2026/11/22"), (3, "2026/11/26")])
def test_a_host_with_another_time_is_followed_shown_and_recorded(
    days: int, date: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than a day ahead, or backwards: the merchant reads it, and the fault log keeps it."""
    hosts = simulation.START_LOCAL + timedelta(days=days)
    monkeypatch.setattr(simulation, "START_LOCAL", hosts)

    async def story() -> None:
        shop = Shop(tmp_path)
        try:
            await shop.sim.start()
            assert await shop.see(LOGIN)
            await shop.key("0 1 ENTER 0 0 0 1 ENTER")
            assert await shop.see("时钟已按主机校正")
            assert await shop.see(date, limit=20)
            await shop.key("ENTER")
            assert await shop.see(IDLE)
            await shop.key("MENU 5 8")
            assert await shop.see(LOGIN)
            await shop.key("0 0 ENTER 1 2 3 4 5 6 ENTER 3")
            assert await shop.see("clock")
        finally:
            await shop.close()

    clock.run(story())

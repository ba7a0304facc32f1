"""Both readers on the virtual board: its buses, pins and clock between driver and model."""

from pathlib import Path

import pytest
from plain_card import ATR_T0, FCI, PlainCard

from tools.sim import clock
from tools.sim.chips.ccid import CcidReader
from tools.sim.chips.pn532 import Pn532
from tools.sim.machine import Machine

SCRIPT = Path(__file__).with_name("readers_on_board.py")
LIMIT_S = 30


async def played(folder: Path) -> list[str]:
    """Play a payer's part for the script, in virtual time; the lines it printed."""
    machine = Machine(folder, program=[str(SCRIPT)], once=True)
    reader, nfc = CcidReader(), Pn532()
    machine.board.attach_uart("READER", reader)
    machine.board.attach_spi("nfc", "NFC_CS", nfc, {}, {"irq": "NFC_IRQ"})
    await machine.power_on()
    for at, act in (
        (1.0, lambda: reader.insert(PlainCard())),
        (1.0, reader.remove),
        (3.0, lambda: nfc.tap(PlainCard())),
    ):
        await machine.advance(at)
        act()
    for _ in range(LIMIT_S):
        await machine.advance(1.0)
        if machine.status is not None:
            break
    await machine.stop()
    assert machine.status == 0, (folder / "console.log").read_text()
    return (folder / "console.log").read_text().splitlines()


@pytest.mark.timeout(60)
def test_readers_on_the_virtual_board(tmp_path: Path) -> None:
    lines = clock.run(played(tmp_path))
    whole = (FCI + b"\x90\x00").hex().upper()
    assert lines == [
        "present False",
        "inserted None",
        f"atr {ATR_T0.hex().upper()}",
        f"contact 61{len(FCI):02X}",
        "off None",
        "removed None",
        "empty TimeoutError",
        f"ats {PlainCard.ats.hex().upper()}",
        f"contactless {whole}",
        f"long {'00' * 255}9000",
        "gone CardRemoved",
        "released None",
    ]

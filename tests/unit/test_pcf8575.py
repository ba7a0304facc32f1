"""The keypad's matrix on a PCF8575: what the expander is told, and which keys come out."""

import asyncio

from drivers.keypad import Keypad
from drivers.pcf8575 import Pcf8575

CLOCK = "virtual"

ADDRESS = 0x20


class Interrupt:
    """The pin that INT is on."""

    IN, PULL_UP, IRQ_FALLING = 0, 2, 2

    def __init__(self):
        self.handler = None
        self.falls = 0

    def init(self, mode, pull):
        assert (mode, pull) == (self.IN, self.PULL_UP)

    def irq(self, handler, trigger):
        assert trigger == self.IRQ_FALLING
        self.handler = handler

    def fall(self):
        self.falls += 1
        self.handler(self)


class Chip:
    """A PCF8575 on its bus, with contacts that join a line of P0x to one of P1x.

    Its lines are the data sheet's (NXP PCF8575, 8.1): a latch of 0 pulls low, one of 1 is a weak
    pull-up. INT is low from the moment that an input differs from the last reading (8.3) until the
    next transfer.
    """

    def __init__(self):
        self.latch = 0xFFFF
        self.closed = set()
        self.interrupt = Interrupt()
        self.transfers = []
        self.answers = True
        self._read = 0xFFFF
        self._asserted = False

    def levels(self):
        low = {line for line in range(16) if not self.latch >> line & 1}
        while True:
            ways = self.closed | {(b, a) for a, b in self.closed}
            reached = {b for a, b in ways if a in low}
            if reached <= low:
                return sum(1 << line for line in range(16) if line not in low)
            low |= reached

    def touch(self, row, column, down):
        (self.closed.add if down else self.closed.discard)((row, 8 + column))
        if self.levels() != self._read and not self._asserted:
            self._asserted = True
            self.interrupt.fall()

    def _transfer(self, kind, address):
        if address != ADDRESS or not self.answers:
            raise OSError(19)
        self.transfers.append(kind)
        self._asserted = False

    def writeto(self, address, data):
        self._transfer("w", address)
        assert len(data) == 2
        self.latch = data[0] | data[1] << 8
        self._read = self.levels()
        return 2

    def readfrom_into(self, address, buffer):
        self._transfer("r", address)
        self._read = self.levels()
        buffer[0], buffer[1] = self._read & 0xFF, self._read >> 8


def keypad(chip):
    lines = Pcf8575(chip, chip.interrupt)
    return Keypad([lines.pin(i) for i in range(5)], [lines.pin(8 + i) for i in range(4)])


async def press(chip, row, column, ms=60):
    chip.touch(row, column, True)
    await asyncio.sleep_ms(ms)
    chip.touch(row, column, False)
    await asyncio.sleep_ms(ms)


async def test_every_key_comes_out_once():
    chip = Chip()
    keys = keypad(chip)
    waiting = asyncio.create_task(keys.key())
    await asyncio.sleep_ms(20)
    await press(chip, 0, 0)
    assert await waiting == "1"
    seen = []
    for row in range(5):
        for column in range(4):
            if (row, column) != (4, 3):  # the spare contact is no key
                await press(chip, row, column)
                seen.append(await asyncio.wait_for_ms(keys.key(), 100))
    assert seen == [
        "1", "2", "3", "CANCEL", "4", "5", "6", "CLEAR", "7", "8", "9", "ENTER",
        "00", "0", ".", "MENU", "UP", "DOWN", "FUNC",
    ]  # fmt: skip


async def test_at_rest_the_bus_is_silent():
    chip = Chip()
    keys = keypad(chip)
    waiting = asyncio.create_task(keys.key())
    await asyncio.sleep_ms(20)
    assert chip.levels() == 0xFFFF & ~0b11111, "all rows low, so that any key is felt"
    before = len(chip.transfers)
    await asyncio.sleep_ms(10_000)
    assert len(chip.transfers) == before
    await press(chip, 2, 3, 500)
    assert await waiting == "ENTER"
    before = len(chip.transfers)
    await asyncio.sleep_ms(10_000)
    assert len(chip.transfers) == before


async def test_a_row_is_one_write_and_one_read():
    chip = Chip()
    lines = Pcf8575(chip, chip.interrupt)
    row, columns = lines.pin(1), [lines.pin(8 + i) for i in range(4)]
    chip.closed.add((1, 10))
    row.value(0)
    assert [column.value() for column in columns] == [1, 1, 0, 1]
    assert chip.transfers == ["w", "r"]
    chip.closed.clear()
    assert columns[2].value() == 1, "asking for the same line again takes a new reading"
    assert chip.transfers == ["w", "r", "r"]


def test_what_cannot_be_is_refused():
    chip = Chip()
    lines = Pcf8575(chip, chip.interrupt)
    for call in (lambda: lines.pin(16), lambda: lines.pin(-1), lambda: lines.pin(0).irq(print, 1)):
        try:
            call()
        except ValueError:
            continue
        raise AssertionError("taken")
    chip.answers = False
    try:
        lines.pin(8).value()
    except OSError:
        return
    raise AssertionError("a chip that does not answer was read")

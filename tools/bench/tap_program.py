"""A tap by lib/emv inside MicroPython; `tap.py` puts MODE and GIVEN before it.

record: each APDU is printed and its answer read. replay: lib/drivers/pn532 finds the recorded
answers at a chip that only replays them, and the figures of a warm tap are printed: instructions
until the field is off, those after it, the heap's peak over what was there before, and what is
left of it afterwards. The last two come from taps of their own, with a collection at each APDU, so
that they do not count garbage; instructions are those of a tap without one.
"""
# ruff: noqa: F821 - MODE and GIVEN are written before this text

import asyncio
import gc
import sys

from emv.authority import CaPublicKey
from emv.contactless import ContactlessSession
from emv.terminal import Terminal, Transaction, default_applications

_STATUS, _READ = 0x02, 0x03  # first bytes of a selection (UM0701-02 6.2.5)
_READY = 0x01
_LOOKS = 2


class Source:
    """A counter for random numbers: a replay asks what the recording asked."""

    value = 1

    def __call__(self, size: int) -> bytes:
        self.value = (self.value * 1103515245 + 12345) & 0x3FFFFFFF
        return self.value.to_bytes(4, "big")[-size:]


async def wire(command: bytes) -> bytes:
    """One APDU to the card at the other end of this program's input and output."""
    print(">", command.hex())
    return bytes.fromhex(sys.stdin.readline().strip())


class Chip:
    """SPI, select and interrupt line of a PN532 that gives for each frame what it was told to.

    count: a counter that stands still while this class is at work, so that it counts the driver.
    """

    IRQ_FALLING = 0

    def __init__(self, instructions: "Callable[[], int]") -> None:
        self._instructions = instructions
        self._own = 0
        self.expect([])

    def expect(self, frames: list) -> None:
        """frames: what stands in each frame to come, and what is answered; in hex."""
        self._frames = [(bytes.fromhex(ask), bytes.fromhex(said)) for ask, said in frames]
        self._at = self._place = self._operation = 0
        self._waiting: list[bytes] = []
        self._looks = 0
        self.over = 0  # the count when the last frame was sent

    def count(self) -> int:
        """Instructions of everything but this class."""
        return self._instructions() - self._own

    def irq(self, handler: "Callable[[Chip], None]", trigger: int) -> None:
        """Whom to call when a frame waits."""
        self._handler = handler

    def value(self) -> int:
        """The line; it falls when it has been looked at twice, so that the driver has to wait."""
        begun = self._instructions()
        level = 1 if self._looks or not self._waiting else 0
        self._looks -= 1 if self._looks else 0
        falls = level and self._waiting and not self._looks
        self._own += self._instructions() - begun
        if falls:
            self._handler(self)
        return level

    def __call__(self, level: int) -> None:
        """Select; a frame that was read is gone."""
        begun = self._instructions()
        if level:
            if self._operation == _READ:
                self._waiting.pop(0)
                self._looks = _LOOKS if self._waiting else 0
            self._operation = self._place = 0
        self._own += self._instructions() - begun

    def write(self, data: "bytes | memoryview") -> None:
        """The first byte of a selection, or a frame. ValueError for one that was not foreseen."""
        begun = self._instructions()
        self._operation = data[0]
        if len(data) > 1:
            ask, said = self._frames[self._at]
            if ask not in bytes(data):
                raise ValueError(f"{data.hex()} was not sent when this was recorded")
            self._at += 1
            self._waiting = [bytes.fromhex(GIVEN["ack"]), said]
            self._looks = _LOOKS
            self.over = begun - self._own
        self._own += self._instructions() - begun

    def readinto(self, into: memoryview) -> None:
        """The status, or the next bytes of the frame that waits."""
        begun = self._instructions()
        if self._operation == _STATUS:
            into[0] = _READY if self._waiting else 0
        else:
            into[:] = self._waiting[0][self._place : self._place + len(into)]
            self._place += len(into)
        self._own += self._instructions() - begun


class Replay:
    """Taps of one recorded card, one like the other."""

    def __init__(self, chip: Chip) -> None:
        from drivers.pn532 import Pn532

        self.chip = chip
        self.nfc = Pn532(chip, chip, chip)
        self.metered = False
        self.before = self.live = 0

    async def exchange(self, command: bytes) -> bytes:
        """One APDU."""
        if self.metered:
            gc.collect()
            self.live = max(self.live, gc.mem_alloc() - self.before)
        return await self.nfc.exchange(command)

    async def tap(self) -> "tuple[int, int]":
        """Instructions until the field is off, and after it."""
        pos.random = Source()
        self.chip.expect(GIVEN["tap"])
        session = ContactlessSession(self.exchange, pos, transaction)
        session.pre_processing()
        await self.nfc.activate()
        begun = self.chip.count()
        await session.perform(self.nfc.release)
        ended, field_off = self.chip.count(), self.chip.over
        session.wipe()
        return field_off - begun, ended - field_off

    async def figures(self) -> "tuple[int, int, int, int]":
        """See this program's first lines."""
        self.chip.expect(GIVEN["begin"])
        await self.nfc.release()
        for _ in range(2):
            gc.collect()
            gc.collect()
            inside, after = await self.tap()
        self.metered = True
        for _ in range(2):
            gc.collect()
            self.live, self.before = 0, gc.mem_alloc()
            await self.tap()
            gc.collect()
            kept = gc.mem_alloc() - self.before
        return inside, after, self.live, kept


applications = default_applications()
for each in applications:
    each.contactless_floor = 100_000  # a small tap may end without the host
keys = [CaPublicKey.from_text(key) for key in GIVEN["ca"]]
pos = Terminal(Source(), applications=applications, authorities=keys)
transaction = Transaction(1234, "261123", "120000")
if MODE == "record":
    print("=", asyncio.run(ContactlessSession(wire, pos, transaction).perform()).kind)
else:
    import cpu

    print("figures", *asyncio.run(Replay(Chip(cpu.instructions)).figures()))

"""Runs inside MicroPython: the power goes at every flash operation of a scene, and again at every
one of the recovery that follows. Prints one line of JSON; test_ledger_power.py reads it.

Started as `micropython ledger_power.py SCENE ordered|reordered`.

The wire is a list: a trace number in it may have reached the host. What must hold after any cut,
however torn or reordered the writes, is said once, in `judge`.
"""

import asyncio
import json
import sys

import pinmac
import vfs

from firmware.ledger import record
from firmware.ledger.errors import JournalCorrupt, JournalFull
from firmware.ledger.ledger import Ledger
from firmware.ledger.record import CHIP, SALE, TAP, CardData
from firmware.ledger.vault import STORE, STORE_MAC, Vault
from tests.unit.flashbed import Clock, Flash, PowerCut

# How much of the last write lands, in bytes; None: all of it, and the power goes right after.
TORN = (0, 1, 256, 512, 768, None)


class World:
    """What really happened, outside the terminal: it survives every cut."""

    def __init__(self):
        self.wire = []  # traces whose request may have left
        self.approved = []  # traces that the host approved
        self.seen_whole = []  # traces whose completion was durable before the cut
        self.settled = []  # traces whose reversal the host settled
        self.begun = []  # every trace number that was ever handed out


def mounted(flash):
    try:
        vfs.umount("/bed")
    except OSError:
        pass
    flash.mount("/bed")


def opened():
    return Ledger("/bed", Vault(), Clock())


async def sale(ledger, world, entry, amount=1234, answer="00"):
    """As Link.authorise and a flow do it; the wire is the line that appends to `world.wire`."""
    async with ledger.begin(SALE, amount, "01") as txn:
        world.begun.append(txn.trace)
        txn.card = CardData(entry, "6225880000071234", "3012", "001", chip=bytes(150))
        ledger.send(txn)
        world.wire.append(txn.trace)
        if answer is None:
            return
        if answer != "00":
            txn.advance(record.DECLINED, response_code=answer)
            return
        world.approved.append(txn.trace)
        whole = {"response_code": "00", "reference": "012345678901", "host_time": "120000"}
        if entry == TAP:
            txn.advance(record.COMPLETED, **whole)
        else:
            txn.advance(record.APPROVED, **whole)
            txn.complete(cryptogram="0102030405060708", tvr="0000008000", tsi="E800")
        world.seen_whole.append(txn.trace)


async def settle(ledger, world):
    """Every reversal that is owed goes out and is answered."""
    for txn in ledger.owed():
        txn.advance(record.REVERSING, tries=txn.tries + 1)
        world.settled.append(txn.trace)
        txn.advance(record.REVERSED, reversal_code="00")


async def chip(ledger, world):
    await sale(ledger, world, CHIP)


async def tap(ledger, world):
    await sale(ledger, world, TAP)


async def declined(ledger, world):
    await sale(ledger, world, CHIP, answer="51")


async def unanswered_then_settled(ledger, world):
    await sale(ledger, world, TAP, answer=None)
    await settle(ledger, world)
    await sale(ledger, world, TAP)


async def management(ledger, world):
    world.begun.append(ledger.take_trace())
    await settle(ledger, world)
    if ledger.may_adopt:
        ledger.adopt_batch(9)
    world.begun.append(ledger.take_trace())


SCENES = {
    "chip": chip, "tap": tap, "declined": declined, "settled": unanswered_then_settled,
    "management": management,
}  # fmt: skip


def judge(ledger, world):
    """The money's invariants, after recovery."""
    records = {txn.trace: txn for txn in ledger.transactions()}
    owed = [txn.trace for txn in ledger.owed()]
    for trace in world.wire:
        txn = records.get(trace)
        if txn is None:  # an adopted batch may leave behind only what is settled
            assert trace in world.settled, f"{trace} reached the host and is not recorded"
            continue
        assert txn.state != record.CANCELLED, f"{trace} reached the host and is called cancelled"
        assert txn.finished or trace in owed, f"{trace} is undecided and not owed"
    for trace in world.approved:
        txn = records[trace]
        whole = txn.state == record.COMPLETED
        assert whole or trace in owed or trace in world.settled, f"{trace} is approved and lost"
    for trace in world.seen_whole:
        assert records[trace].state == record.COMPLETED, f"{trace} was whole and is not any more"
    for trace in world.settled:
        assert trace not in records or records[trace].state in (record.REVERSING, record.REVERSED)
    whole = [txn for txn in records.values() if txn.state == record.COMPLETED]
    assert ledger.totals().debit_amount == sum(txn.amount for txn in whole)
    assert ledger.totals().debit_count == len(whole)
    trace = ledger.take_trace()
    assert trace not in world.begun, f"trace {trace} was handed out twice"
    assert trace > max(world.begun), f"trace {trace} is behind {max(world.begun)}"


def base():
    """A flash chip with the first journal."""
    flash = Flash(32)
    flash.format()
    mounted(flash)
    world = World()
    ledger = Ledger.create("/bed", Vault(), Clock())
    return flash, world, ledger


def prepared(name):
    """A chip that has traded: two sales, or one reversal that is owed; and the world with it."""
    flash, world, ledger = base()
    if name == "management":
        asyncio.run(sale(ledger, world, CHIP, answer=None))
    else:
        asyncio.run(sale(ledger, world, TAP))
        asyncio.run(sale(ledger, world, CHIP))
    return bytes(flash.data), world


def copy_of(world):
    again = World()
    for name in ("wire", "approved", "seen_whole", "settled", "begun"):
        setattr(again, name, list(getattr(world, name)))
    return again


def operations_of(scene, image, world):
    """How many flash operations the scene takes without a cut."""
    flash = Flash(image=image)
    mounted(flash)
    ledger = opened()
    before = flash.operations
    asyncio.run(SCENES[scene](ledger, copy_of(world)))
    return before, flash.operations


def cut_once(scene, image, world, at, torn, reorder):
    """Run the scene until the power goes at operation `at`; the chip as it is then."""
    flash = Flash(image=image)
    flash.cut_at, flash.landed, flash.reorder = at, torn, reorder
    mounted(flash)
    cut = False
    try:
        asyncio.run(SCENES[scene](opened(), world))
    except (PowerCut, JournalFull, OSError):
        cut = True
    assert cut, "the power was to go and did not"
    return flash.power_on()


def recover(flash):
    mounted(flash)
    ledger = opened()
    ledger.recover()
    return ledger


def recover_under_cuts(image, world, reorder):
    """The power goes at every operation of the recovery too; how many there were."""
    cuts = 0
    while True:
        flash = Flash(image=image)
        flash.cut_at, flash.reorder = cuts + 1, reorder
        try:
            recover(flash)
        except (PowerCut, JournalFull, OSError):
            cuts += 1
            judge(recover(flash.power_on()), world)
            continue
        return cuts


def run(scene, reorder):
    """Every cut of one scene. With `reorder` a fault may be named instead of all being whole:
    littlefs 2.8 does not sync a file's data before the metadata that points to it."""
    image, before = prepared(scene)
    first, last = operations_of(scene, image, before)
    cuts = second = named = 0
    for at in range(first + 1, last + 1):
        for torn in TORN:
            world = copy_of(before)
            flash = cut_once(scene, image, world, at, torn, reorder)
            cuts += 1
            try:
                second += recover_under_cuts(bytes(flash.data), world, reorder)
                judge(recover(flash), world)
            except JournalCorrupt:
                assert reorder, f"a cut at operation {at} ({torn} bytes landed) broke the journal"
                named += 1
    return {
        "scene": scene, "operations": last - first, "cuts": cuts, "second_cuts": second,
        "named": named,
    }  # fmt: skip


pinmac.generate(STORE, "D0", pinmac.AES)
pinmac.generate(STORE_MAC, "M6", pinmac.AES)
print(json.dumps(run(sys.argv[1], sys.argv[2] == "reordered")))

"""The books: states move forward, entries are durable, damage is named, no number comes twice."""

import gc
import os

import pinmac
import vfs

from firmware.ledger import record
from firmware.ledger.errors import (
    BatchFull,
    JournalCorrupt,
    JournalFull,
    LedgerError,
    StateBackwards,
    StillOwed,
)
from firmware.ledger.ledger import Ledger
from firmware.ledger.record import CHIP, SALE, TAP, CardData
from firmware.ledger.vault import (
    STORE,
    STORE_MAC,
    FileCorrupt,
    FileMissing,
    Vault,
    VaultError,
    masked,
    write_whole,
)
from tests.unit.flashbed import BLOCK, Clock, Flash

PAN = "6225880000071234"
CHIP_DATA = bytes(range(120))
FILE = "/bed/00000001.jnl"

pinmac.generate(STORE, "D0", pinmac.AES)
pinmac.generate(STORE_MAC, "M6", pinmac.AES)


def bed(blocks=64):
    """A fresh chip at /bed."""
    try:
        vfs.umount("/bed")
    except OSError:
        pass
    flash = Flash(blocks)
    flash.format()
    flash.mount("/bed")
    return flash


def holds(flash, text):
    """The text stands somewhere in the chip, which is read block by block: it is large."""
    view = memoryview(flash.data)
    windows = (view[at : at + BLOCK + len(text)] for at in range(0, len(view), BLOCK))
    return any(bytes(window).find(text) >= 0 for window in windows)


def fresh(batch=1, trace=0, **options):
    bed(**options)
    return Ledger.create("/bed", Vault(), Clock(), batch, trace)


def reopened():
    return Ledger("/bed", Vault(), Clock())


def card(entry):
    return CardData(entry, PAN, "3012", "001", bytearray(b"\x62\x25"), CHIP_DATA, b"12345678")


async def sale(ledger, amount=1234, entry=CHIP):
    """A whole approved sale."""
    async with ledger.begin(SALE, amount, "01") as txn:
        txn.card = card(entry)
        ledger.send(txn)
        if entry == TAP:
            txn.advance(record.COMPLETED, response_code="00", reference="012345678901")
        else:
            txn.advance(record.APPROVED, response_code="00", reference="012345678901")
            txn.complete(cryptogram="0102030405060708", tvr="0000000000")
    return txn


def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        assert str(error)
        return error
    raise AssertionError("no " + kind.__name__)


async def test_a_sale_by_chip_is_read_back():
    ledger = fresh()
    done = await sale(ledger)
    assert done.state == record.COMPLETED and done.finished and not done.owed
    for books in (ledger, reopened()):
        txn = books.last()
        assert (txn.trace, txn.batch, txn.amount, txn.state) == (1, 1, 1234, record.COMPLETED)
        assert txn.masked == "622588******1234" and txn.operator == "01" and txn.entry == CHIP
        assert txn.tvr == "0000000000" and txn.pin_entered == 1
        assert books.card(txn) == (PAN, "3012", "001")
        assert books.chip(txn) == CHIP_DATA
        assert books.find(1).reference == "012345678901"
        assert books.find(2) is None
        assert books.owed() == [] and books.recover() == []


async def test_amounts_past_two_to_the_thirty():
    ledger = fresh()
    amounts = (2**30, 2**31 + 5, 2**39, 999_999_999_999)
    for amount in amounts:
        await sale(ledger, amount, TAP)
    for books in (ledger, reopened()):
        assert books.totals().debit_amount == sum(amounts)
        assert books.totals().debit_count == 4 and books.totals().credit_count == 0
        assert [txn.amount for txn in books.transactions()] == list(amounts)


async def test_nothing_of_the_card_lies_open_in_flash():
    flash = bed()
    ledger = Ledger.create("/bed", Vault(), Clock())
    async with ledger.begin(SALE, 1) as txn:
        txn.card = card(CHIP)
        ledger.send(txn)
        kept = txn.card
    assert kept.pan == "" and kept.track2 is None and kept.pin_block is None
    for secret in (PAN.encode(), bytes.fromhex(PAN), CHIP_DATA[:16], b"12345678"):
        assert not holds(flash, secret)
    assert holds(flash, b"622588******1234")


async def test_leaving_the_block_decides():
    ledger = fresh()

    class Stop(Exception):
        pass

    async def leave_at(state):
        try:
            async with ledger.begin(SALE, 100) as txn:
                if state is not None:
                    txn.card = card(CHIP)
                    ledger.send(txn)
                if state == record.APPROVED:
                    txn.advance(record.APPROVED, response_code="00")
                raise Stop
        except Stop:
            return txn

    txn = await leave_at(None)
    assert txn.state == record.CANCELLED and ledger.owed() == []
    txn = await leave_at(record.SENT)
    assert txn.state == record.REVERSING and txn.reason == "98"
    txn = await leave_at(record.APPROVED)
    assert txn.state == record.REVERSING and txn.reason == "96"
    for books in (ledger, reopened()):
        assert [(t.trace, t.reason) for t in books.owed()] == [(2, "98"), (3, "96")]
        assert books.empty and not books.may_adopt
        assert books.totals().debit_amount == 0


async def test_boot_decides_what_a_cut_left():
    ledger = fresh()
    ledger.open_record(SALE, 100, "")
    sent = ledger.open_record(SALE, 200, "")
    sent.card = card(TAP)
    ledger.send(sent)
    approved = ledger.open_record(SALE, 300, "")
    approved.card = card(CHIP)
    ledger.send(approved)
    approved.advance(record.APPROVED, response_code="00", authorisation_code="112233")
    books = reopened()
    changed = books.recover()
    assert [(t.trace, t.state_name, t.reason) for t in changed] == [
        (1, "cancelled", ""), (2, "reversing", "98"), (3, "reversing", "96"),
    ]  # fmt: skip
    assert reopened().recover() == []
    owed = reopened().owed()
    assert [(t.trace, t.reason, t.authorisation_code) for t in owed] == [
        (2, "98", ""), (3, "96", "112233"),
    ]  # fmt: skip
    owed = books.owed()
    owed[0].advance(record.REVERSING, tries=1)
    owed[0].advance(record.REVERSED, reversal_code="25")
    assert not books.may_adopt
    owed[1].advance(record.BY_HAND, supervisor="00")
    for once in (books, reopened()):
        # Listed apart at settlement: another batch number must not make it vanish before.
        assert once.owed() == [] and once.empty and not once.may_adopt
        raises(StillOwed, once.adopt_batch, 7)
    assert reopened().find(2).tries == 1 and reopened().find(3).supervisor == "00"


async def test_states_only_move_forward():
    ledger = fresh()
    txn = await sale(ledger)
    for state in range(len(record.NAMES)):
        raises(StateBackwards, txn.advance, state)
    opened = ledger.open_record(SALE, 5, "")
    for state in (record.APPROVED, record.COMPLETED, record.DECLINED, record.REVERSING):
        raises(StateBackwards, opened.advance, state)
    raises(StateBackwards, lambda: opened.advance(record.SENT, colour="red"))
    assert opened.state == record.OPENED and reopened().find(2).state == record.OPENED


async def test_amounts_and_kinds_are_checked():
    ledger = fresh()
    for kind, amount in ((SALE, 0), (SALE, -1), (SALE, 10**12), ("tea", 1)):
        raises(LedgerError, ledger.begin, kind, amount)


async def test_traces_of_management_messages_are_never_given_again():
    ledger = fresh(trace=41)
    assert ledger.take_trace() == 42
    assert (await sale(ledger)).trace == 43
    books = reopened()
    assert books.take_trace() == 44
    assert reopened().take_trace() == 45
    assert (await sale(reopened())).trace == 46


async def test_traces_wrap_and_stop_at_the_batchs_own():
    ledger = fresh(trace=999_997)
    taken = [ledger.take_trace() for _ in range(4)]
    assert taken == [999_998, 999_999, 1, 2]
    books = reopened()
    assert books.take_trace() == 3
    books._trace = 999_997  # as after a million messages
    raises(BatchFull, books.take_trace)


async def test_a_batch_is_adopted_only_when_nothing_hangs_on_it():
    ledger = fresh()
    txn = ledger.open_record(SALE, 5, "")
    raises(StillOwed, ledger.adopt_batch, 7)
    txn.give_up()
    raises(LedgerError, ledger.adopt_batch, 0)
    ledger.adopt_batch(7)
    assert ledger.batch == 7 and reopened().batch == 7
    assert (await sale(ledger)).trace == 2
    raises(StillOwed, ledger.adopt_batch, 8)
    assert os.listdir("/bed") == ["00000002.jnl"]


async def test_the_last_receipt_outlives_its_batch():
    ledger = fresh()
    await sale(ledger, 77, TAP)
    entry = [b"B" + bytes((0, 0, 0, 2, 0, 0, 0, 1)) + bytes(8)]
    from firmware.ledger.ledger import _last_entry

    ledger._journal.rotate(entry + [_last_entry(ledger.last())])
    books = reopened()
    assert books.batch == 2 and books.empty
    assert (books.last().amount, books.last().batch, books.last().masked) == (
        77, 1, "622588******1234",
    )  # fmt: skip
    assert books.card(books.last())[0] == PAN


async def test_a_full_batch_says_so():
    ledger = fresh()
    for _ in range(3):
        await sale(ledger, entry=TAP)
    ledger._totals.debit_count = 998
    raises(BatchFull, ledger.open_record, SALE, 1, "")
    ledger._totals.debit_count = 3
    size = ledger._journal.size
    assert size == os.stat(FILE)[6] == reopened()._journal.size
    ledger._journal.size = 460_000
    raises(BatchFull, ledger.open_record, SALE, 1, "")
    ledger.take_trace()


async def test_no_journal_is_a_fault():
    bed()
    raises(JournalCorrupt, reopened)
    open(FILE, "wb").close()
    raises(JournalCorrupt, reopened)


async def test_the_books_stay_small():
    """A batch's records are on flash; memory holds what is undecided, and the last one."""
    ledger = fresh(blocks=128)
    for _ in range(5):
        await sale(ledger)
    gc.collect()
    before = gc.mem_alloc()
    for _ in range(100):
        await sale(ledger)
    gc.collect()
    assert gc.mem_alloc() - before < 1000
    assert ledger.count == 105 and len(ledger.transactions()) == 105


async def test_a_torn_tail_is_cut_off_and_noted():
    ledger = fresh()
    await sale(ledger)
    whole = open(FILE, "rb").read()
    ledger.take_trace()
    longer = open(FILE, "rb").read()
    for size in range(len(whole) + 1, len(longer)):
        with open(FILE, "wb") as file:
            file.write(longer[:size])
        books = reopened()
        assert len(books.notices) == 1 and books.count == 1
        assert os.stat(FILE)[6] == len(whole)
        assert reopened().notices == []
    assert books.take_trace() == 6 - 4


async def test_every_damaged_byte_is_named_and_nothing_dropped():
    ledger = fresh()
    await sale(ledger, entry=TAP)
    whole = open(FILE, "rb").read()
    for at in range(len(whole)):
        damaged = bytearray(whole)
        damaged[at] ^= 0x10
        with open(FILE, "wb") as file:
            file.write(damaged)
        raises(JournalCorrupt, reopened)
        assert open(FILE, "rb").read() == damaged


async def test_a_missing_or_moved_entry_is_found():
    ledger = fresh()
    sizes = [os.stat(FILE)[6]]
    for _ in range(3):
        ledger.take_trace()
        sizes.append(os.stat(FILE)[6])
    whole = open(FILE, "rb").read()
    parts = [whole[a:b] for a, b in zip([0] + sizes, sizes)]
    for order in ((0, 1, 3), (0, 2, 1, 3), (1, 2, 3), (0, 0, 1)):
        with open(FILE, "wb") as file:
            file.write(b"".join(parts[i] for i in order))
        raises(JournalCorrupt, reopened)


async def test_a_full_flash_is_named_and_nothing_durable_is_lost():
    ledger = fresh(blocks=6)
    txn = None
    try:
        for _ in range(2000):
            txn = ledger.open_record(SALE, 5, "")
            txn.give_up()
    except JournalFull:
        pass
    else:
        raise AssertionError("the flash never filled")
    raises(JournalFull, ledger.take_trace)
    books = reopened()
    assert books.find(txn.trace) is not None
    assert books.find(txn.trace + 2) is None
    books.recover()


def test_masks():
    assert masked(PAN) == "622588******1234"
    assert masked("6225880000071") == "622588***0071"
    assert masked("6225880000071234567") == "622588*********4567"


def test_the_vault_opens_what_it_sealed_and_nothing_else():
    vault = Vault()
    for size in (0, 1, 15, 16, 17, 255):
        data = bytes(range(size))
        sealed = vault.seal(data)
        assert vault.open(sealed) == data
        assert vault.seal(data) != sealed
        assert len(sealed) % 16 == 0
    for wrong in (b"", bytes(16), bytes(33), bytes(48)):
        raises(VaultError, vault.open, wrong)


def test_a_file_with_a_mac():
    bed()
    vault = Vault()
    vault.save("/bed/a", b"one")
    vault.save("/bed/a", b"two")
    assert vault.load("/bed/a") == b"two" and os.listdir("/bed") == ["a"]
    raises(FileMissing, vault.load, "/bed/b")
    os.rename("/bed/a", "/bed/b")
    raises(FileCorrupt, vault.load, "/bed/b")
    write_whole("/bed/a", b"")
    raises(FileCorrupt, vault.load, "/bed/a")

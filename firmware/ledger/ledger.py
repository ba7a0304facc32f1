"""The books: the current batch, replayed from the journal at boot, and everything that is owed.

    ledger = Ledger("/journal", Vault(), clock)      # replays; JournalCorrupt
    for txn in ledger.recover(): ...                 # what a power cut left, now owed or cancelled
    async with ledger.begin(SALE, 1234, operator="01") as txn:
        txn.card = CardData(CHIP, pan, ...)
        reply = await link.authorise(txn)            # OPENED → SENT → APPROVED/COMPLETED/DECLINED
        ...second GENERATE AC...
        txn.complete(cryptogram="...", tvr="...")    # chip only
    # leaving the block: still OPENED → CANCELLED; SENT → REVERSING 98; APPROVED → REVERSING 96

Whatever changes is durable when the call returns; no call awaits. Only unfinished records live in
memory: finished ones are read from the journal again when somebody asks.
"""

import struct

from firmware.ledger import record
from firmware.ledger.errors import BatchFull, JournalCorrupt, LedgerError, StillOwed
from firmware.ledger.journal import Journal
from firmware.ledger.record import COMPLETED, OPENED, Txn
from firmware.ledger.vault import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.devices import Clock
    from firmware.ledger.record import CardData
    from firmware.ledger.vault import Vault

WRAP = const(999_999)
BATCH_LIMIT = const(998)  # a settlement counts in three digits: say so before 999
# Bytes of journal at which a batch is full however few it counts: declined ones take room too. The
# partition holds the file twice, since a torn tail is cut off by writing the file again.
JOURNAL_LIMIT = const(460_000)
# Types of journal entries.
_BATCH = const(0x42)  # batch 4, trace high-water mark 4, clock 8
_TRACE = const(0x54)  # trace 4, clock 8: a number taken for a management message
_RECORD = const(0x52)  # trace 4, state 1, then record.pack
_LAST = const(0x4C)  # batch 4, trace 4, state 1, then record.pack: the last sale of an older batch


class Totals:
    """Sums of what is COMPLETED in the batch: counts, and amounts in fen."""

    def __init__(self) -> None:
        self.debit_count = self.debit_amount = 0
        self.credit_count = self.credit_amount = 0

    def add(self, txn: Txn) -> None:
        """Count one completed transaction on its side."""
        if txn.side == "debit":
            self.debit_count += 1
            self.debit_amount += txn.approved_amount
        else:
            self.credit_count += 1
            self.credit_amount += txn.approved_amount


class Ledger:
    """The current batch. Opening it replays the journal: JournalCorrupt.

    folder: a mounted littlefs folder; vault: Vault with its keys in place; clock: devices.Clock.
    Attributes: `batch` (1-999999), `stamp` (newest clock value in the journal, 0 if none),
    `notices` (what opening repaired, one sentence each, for the fault log).
    """

    batch: int
    stamp: int
    _trace: int
    _live: "dict[int, Txn]"
    _last: "Txn | None"

    def __init__(self, folder: str, vault: "Vault", clock: "Clock") -> None:
        self.vault = vault
        self._clock = clock
        self._journal = Journal(folder, vault)
        self._forget()
        self._journal.open(self._replay)
        self.notices = self._journal.notices

    @classmethod
    def create(
        cls, folder: str, vault: "Vault", clock: "Clock", batch: int = 1, trace: int = 0
    ) -> "Ledger":
        """The first journal of a device, at provisioning: batch number and trace high-water
        mark."""
        Journal(folder, vault).rotate([_batch_entry(batch, trace, clock.now())], first=True)
        return cls(folder, vault, clock)

    def recover(self) -> "list[Txn]":
        """At boot: decide every record that a power cut left undecided, durably; those that
        changed.

        Never sent → CANCELLED; unanswered → reversal 98; approved, second GENERATE AC not
        journalled → reversal 96."""
        undecided = [t for t in self._live_in_order() if t.state != record.REVERSING]
        for txn in undecided:
            txn.give_up()
        return undecided

    def begin(self, kind: str, amount: int, operator: str = "") -> "_Begin":
        """`async with` gives a Txn in state OPENED, its trace number taken for good.

        amount: fen, 1 to 999,999,999,999. BatchFull, JournalFull."""
        if kind not in record.KINDS:
            raise LedgerError(f"there is no transaction kind {kind}")
        if not 0 < amount < 10**12:
            raise LedgerError("the amount does not fit field 4")
        return _Begin(self, kind, amount, operator)

    def open_record(self, kind: str, amount: int, operator: str) -> Txn:
        """Take a trace number and make the record durable. What `begin` does on entering."""
        if self.full:
            raise BatchFull(f"batch {self.batch} is full: settle first")
        txn = Txn(self.batch, self._next_trace(), self)
        fields = {"kind": kind, "amount": amount, "time": self._clock.now()}
        if operator:
            fields["operator"] = operator
        self.advance(txn, OPENED, fields)
        return txn

    def advance(self, txn: Txn, state: int, fields: dict) -> None:
        """Journal a record's next state, then move it. Use Txn.advance."""
        txn.check(state, fields)
        view = self._journal.payload
        struct.pack_into(">BIB", view, 0, _RECORD, txn.trace, state)
        sequence = self._journal.append(record.pack(view, 6, fields))
        self._note(txn, state, fields, sequence)

    def send(self, txn: Txn) -> None:
        """OPENED → SENT with what `txn.card` says, PAN and chip data sealed. Before the wire."""
        card: CardData = txn.card  # type: ignore[assignment]  # the caller has set it
        fields = {
            "entry": card.entry,
            "masked": masked(card.pan),
            "sealed_card": self.vault.seal(f"{card.pan}={card.expiry}={card.psn}".encode()),
            "pin_entered": 0 if card.pin_block is None else 1,
            "aid": card.aid,
            "label": card.label,
        }
        if card.chip:
            fields["sealed_chip"] = self.vault.seal(card.chip)
        fields.update(card.notes)
        txn.advance(record.SENT, **fields)

    def owed(self) -> "list[Txn]":
        """Everything owed to the host, in the order of sequence."""
        return [txn for txn in self._live_in_order() if txn.owed]

    def totals(self) -> Totals:
        """What is completed in this batch."""
        return self._totals

    @property
    def count(self) -> int:
        """How many transactions the settlement of this batch would count."""
        return self._totals.debit_count + self._totals.credit_count

    @property
    def empty(self) -> bool:
        """Nothing completed in this batch yet."""
        return self.count == 0

    @property
    def full(self) -> bool:
        """No further transaction may begin in this batch."""
        counted = self.count + len(self._live)
        return counted >= BATCH_LIMIT or self._journal.size >= JOURNAL_LIMIT

    def find(self, trace: int) -> "Txn | None":
        """The record of a trace number in this batch."""
        return self._read(trace).get(trace)

    def transactions(self) -> "list[Txn]":
        """All records of this batch, oldest first. Reads the whole journal: keep it briefly."""
        return sorted(self._read(None).values(), key=lambda txn: txn.sequence)

    def last(self) -> "Txn | None":
        """The newest completed transaction, for the reprint; it outlives its batch."""
        return self._last

    def card(self, txn: Txn) -> "tuple[str, str, str]":
        """PAN, expiry (YYMM or '') and sequence number ('' if none) of a record. VaultError."""
        pan, expiry, psn = self.vault.open(txn.sealed_card).decode().split("=")
        return pan, expiry, psn

    def chip(self, txn: Txn) -> bytes:
        """The F55 that went into the request; b'' if none. VaultError."""
        return self.vault.open(txn.sealed_chip) if txn.sealed_chip else b""

    def take_trace(self) -> int:
        """A trace number for a message that is no transaction; never given again in this batch."""
        trace = self._next_trace()
        struct.pack_into(">BIQ", self._journal.payload, 0, _TRACE, trace, self._clock.now())
        self._journal.append(13)
        self._took(trace)
        self.stamp = max(self.stamp, self._clock.now())
        return trace

    @property
    def may_adopt(self) -> bool:
        """Nothing to settle and nothing owed: another batch number may take its place.

        What a supervisor settled by hand is listed at settlement, so it holds the batch too."""
        return self.empty and not self._live and not self._by_hand

    def adopt_batch(self, number: int) -> None:
        """Go on under the host's batch number. StillOwed unless the batch is empty, nothing
        owed."""
        if not 1 <= number <= WRAP:
            raise LedgerError(f"{number} is no batch number")
        if not self.may_adopt:
            raise StillOwed("the batch holds transactions: settle it under its own number first")
        entries = [_batch_entry(number, self._trace, self._clock.now())]
        if self._last is not None:
            entries.append(_last_entry(self._last))
        self._journal.rotate(entries)
        self._forget()
        self._journal.read(self._replay)

    def _forget(self) -> None:
        self.batch = 0
        self.stamp = 0
        self._trace = 0
        self._first_trace = 0
        self._live = {}
        self._last = None
        self._by_hand = 0
        self._totals = Totals()

    def _live_in_order(self) -> "list[Txn]":
        return sorted(self._live.values(), key=lambda txn: txn.sequence)

    def _next_trace(self) -> int:
        """The number after the high-water mark; 999999 wraps to 1, never into this batch's own."""
        trace = self._trace + 1 if self._trace < WRAP else 1
        if self._first_trace and trace == self._first_trace:
            raise BatchFull("every trace number of this batch is used: settle first")
        return trace

    def _note(self, txn: Txn, state: int, fields: dict, sequence: int) -> None:
        """A durable step of a record, in memory: at replay and right after an append."""
        txn.apply(state, fields)
        if state == OPENED:
            txn.sequence = sequence
            self._took(txn.trace)
            self._live[txn.trace] = txn
            self.stamp = max(self.stamp, txn.time)
        if state == COMPLETED:
            self._totals.add(txn)
            self._last = txn
        if state == record.BY_HAND:
            self._by_hand += 1
        if txn.finished:
            self._live.pop(txn.trace)

    def _took(self, trace: int) -> None:
        self._trace = trace
        if not self._first_trace:
            self._first_trace = trace

    def _replay(self, payload: memoryview, sequence: int) -> None:
        """One journal entry into memory. JournalCorrupt for what no firmware of this format
        wrote."""
        try:
            self._replay_entry(payload, sequence)
        except (ValueError, LedgerError, UnicodeError, KeyError) as error:
            raise JournalCorrupt(f"entry {sequence} makes no sense: {error}") from error

    def _replay_entry(self, payload: memoryview, sequence: int) -> None:
        kind = payload[0]
        if kind == _RECORD:
            _, trace, state = struct.unpack_from(">BIB", payload)
            fields = record.unpack(payload, 6)
            txn = self._live.get(trace) or Txn(self.batch, trace, self)
            txn.check(state, fields)
            self._note(txn, state, fields, sequence)
        elif kind == _TRACE:
            _, trace, time = struct.unpack_from(">BIQ", payload)
            self._took(trace)
            self.stamp = max(self.stamp, time)
        elif kind == _BATCH:
            _, self.batch, self._trace, self.stamp = struct.unpack_from(">BIIQ", payload)
        elif kind == _LAST:
            _, batch, trace, state = struct.unpack_from(">BIIB", payload)
            self._last = Txn(batch, trace, self)
            self._last.apply(state, record.unpack(payload, 10))
        else:
            raise ValueError(f"type {kind}")

    def _read(self, wanted: "int | None") -> "dict[int, Txn]":
        """Records of this batch by trace, from the journal; only `wanted` if given."""
        found: dict[int, Txn] = {}

        def collect(payload: memoryview, sequence: int) -> None:
            if payload[0] != _RECORD:
                return
            _, trace, state = struct.unpack_from(">BIB", payload)
            if (wanted is None or trace == wanted) and trace not in self._live:
                if trace not in found:
                    found[trace] = Txn(self.batch, trace, self)
                    found[trace].sequence = sequence
                found[trace].apply(state, record.unpack(payload, 6))

        self._journal.read(collect)
        for trace, txn in self._live.items():
            if wanted is None or trace == wanted:
                found[trace] = txn
        return found


class _Begin:
    """The block of a transaction: opened on entering, decided on leaving."""

    _txn: Txn

    def __init__(self, ledger: Ledger, kind: str, amount: int, operator: str) -> None:
        self._ledger = ledger
        self._what = (kind, amount, operator)

    async def __aenter__(self) -> Txn:
        self._txn = self._ledger.open_record(*self._what)
        return self._txn

    async def __aexit__(self, kind: "type | None", error: object, trace: object) -> bool:
        self._txn.give_up()
        return False


def _batch_entry(batch: int, trace: int, time: int) -> bytes:
    return struct.pack(">BIIQ", _BATCH, batch, trace, time)


def _last_entry(txn: Txn) -> bytes:
    """The last completed sale, carried over so that its receipt can be printed again."""
    fields = {name: getattr(txn, name) for name, _ in record.FIELDS if getattr(txn, name)}
    buffer = bytearray(1200)
    struct.pack_into(">BIIB", buffer, 0, _LAST, txn.batch, txn.trace, txn.state)
    return bytes(buffer[: record.pack(memoryview(buffer), 10, fields)])

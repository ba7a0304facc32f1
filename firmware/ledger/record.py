"""One transaction is one record, and its state only moves forward.

    OPENED ── request journalled ──► SENT ── good reply ──► COMPLETED            (tap)
      │                               │ └─ good reply ──► APPROVED ── 2nd AC ──► COMPLETED   (chip)
      │                               ├─ declined ──► DECLINED
      ▼                               ▼                      │
    CANCELLED (nothing ever left)   REVERSING ◄──────────────┘  (98 no answer, 96 cut, 06, A0)
                                      ├─ host settled it ──► REVERSED
                                      └─ by a supervisor ──► BY_HAND

SENT, APPROVED and REVERSING are *owed*: the host may have posted what the payer may not have paid.
PROTOCOL.md, "What is owed, and the rules of reversal".
"""

from firmware.ledger.errors import StateBackwards

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from firmware.ledger.ledger import Ledger

    MaybeNone = Any  # in a union: None until the ledger opens the record

SALE = "sale"

# kind → (MTI, processing code F3, condition F25, F60.1, side in the totals)
KINDS = {SALE: ("0200", "000000", "00", "22", "debit")}

OPENED = const(0)
SENT = const(1)
APPROVED = const(2)
COMPLETED = const(3)
DECLINED = const(4)
CANCELLED = const(5)
REVERSING = const(6)
REVERSED = const(7)
BY_HAND = const(8)

NAMES = ("opened", "sent", "approved", "completed", "declined", "cancelled", "reversing",
         "reversed", "by hand")  # fmt: skip

FORWARD = {
    None: (OPENED,),
    OPENED: (SENT, CANCELLED),
    SENT: (APPROVED, COMPLETED, DECLINED, REVERSING),
    APPROVED: (COMPLETED, REVERSING),
    REVERSING: (REVERSING, REVERSED, BY_HAND),  # to itself: a try was counted
}
OWED = (SENT, APPROVED, REVERSING)

NO_ANSWER = "98"
TERMINAL_FAULT = "96"
MAC_ERROR = "A0"
REFUSED_BY_CARD = "06"

CHIP = "chip"
TAP = "tap"


class CardData:
    """What the payer presented, for as long as the flow runs. `wipe()` when it ends.

    pan: str of 13-19 digits. expiry: 'YYMM' or ''. psn: '000'-'099' (field 23) or ''.
    entry: CHIP or TAP. track2: bytearray of tag 57 as the card sent it (BCD, D, F padding) or
    None; never stored. pin_block: the 8 encrypted bytes of pinmac.pin_block, or None; never
    stored.
    chip: bytes, the TLVs of F55 as they go into the request (first GENERATE AC or GPO).
    aid, label: for the receipt (hex str, str). notes: further FIELDS to journal with the request
    (cryptogram, tvr, tsi, atc, no_cvm, signature): a tap is whole at the reply and takes no more.
    """

    def __init__(
        self,
        entry: str,
        pan: str,
        expiry: str = "",
        psn: str = "",
        track2: "bytearray | None" = None,
        chip: bytes = b"",
        pin_block: "bytes | None" = None,
        aid: str = "",
        label: str = "",
        notes: "dict | None" = None,
    ) -> None:
        self.entry = entry
        self.pan = pan
        self.expiry = expiry
        self.psn = psn
        self.track2 = track2
        self.chip = chip
        self.pin_block = pin_block
        self.aid = aid
        self.label = label
        self.notes = {} if notes is None else notes

    def wipe(self) -> None:
        """Overwrite what can be overwritten, forget the rest."""
        if self.track2 is not None:
            for i in range(len(self.track2)):
                self.track2[i] = 0
        self.pan = self.expiry = self.psn = ""
        self.track2 = self.pin_block = None
        self.chip = b""


# The journal's field table: position is the number on flash, so entries are only ever appended.
# 'n' a non-negative integer, 's' text, 'b' bytes.
FIELDS = (
    ("kind", "s"),
    ("amount", "n"),  # fen
    ("time", "n"),  # devices.Clock seconds at the time of opening
    ("operator", "s"),
    ("entry", "s"),  # CHIP or TAP
    ("masked", "s"),  # first 6, stars, last 4
    ("sealed_card", "b"),  # Vault.seal of 'PAN=YYMM=PSN'
    ("sealed_chip", "b"),  # Vault.seal of the request's F55
    ("pin_entered", "n"),  # 1 when F22 and F26 said so
    ("aid", "s"),
    ("label", "s"),
    ("response_code", "s"),  # F39
    ("authorisation_code", "s"),  # F38
    ("reference", "s"),  # F37
    ("host_time", "s"),  # F12 hhmmss
    ("host_date", "s"),  # F13 MMDD
    ("institutions", "s"),  # F44: issuer 11 + acquirer 11, as it came
    ("reason", "s"),  # F39 of the reversal
    ("tries", "n"),  # of the reversal
    ("reversal_code", "s"),  # F39 of the 0410
    ("sealed_result", "b"),  # Vault.seal of the F55 after the second GENERATE AC
    ("cryptogram", "s"),  # ARQC or TC for the receipt, hex
    ("tvr", "s"),
    ("tsi", "s"),
    ("atc", "s"),
    ("supervisor", "s"),  # who settled a reversal by hand
    ("no_cvm", "n"),  # 1: neither PIN nor signature was asked (免密免签)
    ("signature", "n"),  # 1: the cardholder signs the slip
    ("settlement_date", "s"),  # F15
    ("partial", "n"),  # approved amount in fen when F39 = 10, else 0
)
NUMBERS = {name: number for number, (name, _) in enumerate(FIELDS)}
_EMPTY = {"n": 0, "s": "", "b": b""}


class Txn:
    """A transaction: `trace`, `batch`, `sequence`, `state` and every name of FIELDS as attributes.

    Made by `Ledger.begin`, changed only by `advance`. `card` is the CardData of the flow that is
    running (None for a record read back); it is never written to flash as it stands.
    """

    kind: str
    amount: int
    time: int
    operator: str
    entry: str
    masked: str
    sealed_card: bytes
    sealed_chip: bytes
    pin_entered: int
    aid: str
    label: str
    response_code: str
    authorisation_code: str
    reference: str
    host_time: str
    host_date: str
    institutions: str
    reason: str
    tries: int
    reversal_code: str
    sealed_result: bytes
    cryptogram: str
    tvr: str
    tsi: str
    atc: str
    supervisor: str
    no_cvm: int
    signature: int
    settlement_date: str
    partial: int
    state: "int | MaybeNone"
    _ledger: "Ledger | MaybeNone"

    def __init__(self, batch: int, trace: int, ledger: "Ledger | None" = None) -> None:
        self.batch = batch
        self.trace = trace
        self.sequence = 0
        self.state = None
        self.card: CardData | None = None
        self._ledger = ledger
        for name, form in FIELDS:
            setattr(self, name, _EMPTY[form])

    @property
    def owed(self) -> bool:
        """The host may stand otherwise than the payer; goes out before the next online payment."""
        return self.state in OWED

    @property
    def finished(self) -> bool:
        """No arrow leads on from here."""
        return self.state not in FORWARD

    @property
    def state_name(self) -> str:
        """The state in a word, for the log and the query screen."""
        return NAMES[self.state]

    @property
    def side(self) -> str:
        """'debit' or 'credit': where a completed one counts."""
        return KINDS[self.kind][4]

    @property
    def approved_amount(self) -> int:
        """What the host approved, in fen: less than `amount` for a partial approval."""
        return self.partial or self.amount

    def check(self, state: int, fields: dict) -> None:
        """StateBackwards if the arrows at the top do not lead to `state`, or a field has no
        name."""
        if state not in FORWARD.get(self.state, ()):
            here = "nothing" if self.state is None else self.state_name
            raise StateBackwards(f"trace {self.trace}: {here} to {NAMES[state]}")
        for name in fields:
            if name not in NUMBERS:
                raise StateBackwards(f"a record has no field {name}")

    def apply(self, state: int, fields: dict) -> None:
        """Move in memory: the ledger calls it when the entry is durable."""
        self.state = state
        for name, value in fields.items():
            setattr(self, name, value)

    def advance(self, state: int, **fields: object) -> None:
        """Move to `state` with `fields` (names of FIELDS); durable when this returns.

        StateBackwards, JournalFull: the record in memory is then as it was."""
        self._ledger.advance(self, state, fields)

    def complete(self, **fields: object) -> None:
        """The second GENERATE AC gave a TC: the chip sale is whole once this returns."""
        self.advance(COMPLETED, **fields)

    def reverse(self, reason: str) -> None:
        """A reversal is owed from here on. `reason` is its F39: '98', '96', 'A0' or '06'."""
        self.advance(REVERSING, reason=reason)

    def give_up(self) -> None:
        """The flow ends here, in whatever state: nothing stays undecided.

        Never sent → CANCELLED; sent and unanswered → a reversal 98 is owed; approved but not
        completed → 96. A record that is finished or already being reversed stays as it is."""
        if self.state == OPENED:
            self.advance(CANCELLED)
        elif self.state == SENT:
            self.reverse(NO_ANSWER)
        elif self.state == APPROVED:
            self.reverse(TERMINAL_FAULT)
        if self.card is not None:
            self.card.wipe()


def pack(view: memoryview, at: int, fields: dict) -> int:
    """Write fields as number 1, length 2, value; the place after them. ValueError when too
    long."""
    for name in sorted(fields):
        number = NUMBERS[name]
        value = _to_bytes(FIELDS[number][1], fields[name])
        end = at + 3 + len(value)
        if end > len(view):
            raise ValueError(f"the record's {name} is too long")
        view[at] = number
        view[at + 1] = len(value) >> 8
        view[at + 2] = len(value) & 0xFF
        view[at + 3 : end] = value
        at = end
    return at


def unpack(view: memoryview, at: int) -> dict:
    """Read them back. ValueError for a number this firmware does not know or a length past the
    end."""
    fields = {}
    while at < len(view):
        number = view[at]
        end = at + 3 + (view[at + 1] << 8 | view[at + 2])
        if number >= len(FIELDS) or end > len(view):
            raise ValueError(f"the record's field {number} is unknown or cut")
        name, form = FIELDS[number]
        fields[name] = _from_bytes(form, bytes(view[at + 3 : end]))
        at = end
    return fields


def _to_bytes(form: str, value: "Any") -> bytes:
    if form == "n":
        return value.to_bytes(8, "big")
    return value.encode() if form == "s" else value


def _from_bytes(form: str, value: bytes) -> "int | str | bytes":
    if form == "n":
        return int.from_bytes(value, "big")
    return value.decode() if form == "s" else value

"""What the terminal says to its acquirer, as fields; and which answer belongs to which question.

PROTOCOL.md: "Transactions", "Sign-on and working keys", "What is owed, and the rules of reversal".
"""

from firmware.ledger.record import CHIP, KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from iso8583 import Message

    from firmware.ledger.record import CardData, Txn
    from firmware.link.config import Config

CURRENCY = "156"
NO_MAC = "00000000"  # field 64 before its MAC is known
CAPABILITY = "6"  # F60.4: chip and contactless

SIGN_ON = "003"  # F60.3: TDES, double length
SIGN_OFF = "002"
ECHO = "301"

# A reversal's F55 carries only these of the request's (F55 in PROTOCOL.md, "Transactions").
_REVERSAL_TAGS = (0x95, 0x9F1E, 0x9F10, 0x9F36, 0xDF31)


class Request:
    """A message to send: `mti`, `fields`; `keyed` when it carries a MAC."""

    def __init__(self, mti: str, fields: dict) -> None:
        self.mti = mti
        self.fields = fields

    @property
    def keyed(self) -> bool:
        """Whether field 64 is asked for, and due in the answer too."""
        return 64 in self.fields

    @property
    def reply_mti(self) -> str:
        """0200 → 0210 and so on."""
        return f"{self.mti[:2]}{int(self.mti[2]) + 1}0"


def management(
    mti: str, what: str, trace: int, batch: int, operator: str, shop: "Config"
) -> Request:
    """Sign-on (0800), sign-off and echo (0820). shop: Parameters. F63 is the operator, an3."""
    return Request(
        mti,
        {
            11: _digits(trace, 6),
            41: shop.terminal,
            42: shop.merchant,
            60: "00" + _digits(batch, 6) + what,
            63: f"{operator:<3}",
        },
    )


def payment(txn: "Txn", card: "CardData", shop: "Config") -> Request:
    """The request of an opened transaction; journal it before it leaves, `wipe` it after."""
    fields = _common(txn, card.entry, card.pin_block is not None, shop)
    fields[2] = card.pan
    if card.expiry:
        fields[14] = card.expiry
    if card.psn:
        fields[23] = card.psn
    if card.track2 is not None:
        fields[35] = _track(card.track2)
    if card.pin_block is not None:
        fields[26] = "12"
        fields[52] = card.pin_block
        fields[53] = "2600000000000000"  # PIN block with PAN, TDES
    if card.chip:
        fields[55] = card.chip
    return Request(KINDS[txn.kind][0], fields)


def reversal(txn: "Txn", card: "tuple[str, str, str]", chip: bytes, shop: "Config") -> Request:
    """0400 of a record. card: PAN, expiry, sequence number; chip: the request's F55."""
    fields = _common(txn, txn.entry, bool(txn.pin_entered), shop)
    fields[2], expiry, psn = card
    if expiry:
        fields[14] = expiry
    if psn:
        fields[23] = psn
    if txn.authorisation_code:
        fields[38] = txn.authorisation_code
    fields[39] = txn.reason
    picked = pick(chip, _REVERSAL_TAGS)
    if picked:
        fields[55] = picked
    return Request("0400", fields)


def wipe(request: Request) -> None:
    """Overwrite the track that a payment request carried."""
    track = request.fields.pop(35, None)
    if track is not None:
        for i in range(len(track)):
            track[i] = 0


def mismatch(request: Request, reply: "Message") -> "str | None":
    """Why a reply is not this request's, or None if it is."""
    if reply.mti != request.reply_mti:
        return f"MTI {reply.mti}"
    for number in (3, 4, 11, 41, 42):
        if request.fields.get(number) != reply.fields.get(number):
            return f"field {number}"
    batch = reply.fields.get(60, "")[2:8]
    # A sign-on is answered with the host's batch, which may be another one than ours.
    if request.keyed and batch and batch != request.fields[60][2:8]:
        return "batch"
    return None


def pick(chip: bytes, tags: "tuple[int, ...]") -> bytes:
    """Of a string of TLVs, the ones with these tags, in their order there.

    It ends where the string is cut: a reversal goes out with less chip data rather than never."""
    out = b""
    at = 0
    while at < len(chip):
        size = 2 if chip[at] & 0x1F == 0x1F else 1
        value = at + size + 1
        if value > len(chip):
            break
        end = value + chip[value - 1]
        if end > len(chip):
            break
        if int.from_bytes(chip[at : at + size], "big") in tags:
            out += chip[at:end]
        at = end
    return out


def _common(txn: "Txn", entry: str, with_pin: bool, shop: "Config") -> dict:
    """What a request and its reversal share."""
    _, processing_code, condition, kind, _ = KINDS[txn.kind]
    return {
        3: processing_code,
        4: _digits(txn.amount, 12),
        11: _digits(txn.trace, 6),
        22: ("05" if entry == CHIP else "07") + ("1" if with_pin else "2"),
        25: condition,
        41: shop.terminal,
        42: shop.merchant,
        49: CURRENCY,
        60: kind + _digits(txn.batch, 6) + "000" + CAPABILITY + "0",
        64: NO_MAC,
    }


def _digits(number: int, count: int) -> str:
    """Zero-padded decimal."""
    text = str(number)
    return "0" * (count - len(text)) + text


def _track(track2: bytearray) -> bytearray:
    """Tag 57 (BCD, D for '=', F padding) as field 35's ASCII, in a buffer that can be wiped."""
    out = bytearray(2 * len(track2))
    count = 0
    for octet in track2:
        for nibble in (octet >> 4, octet & 0xF):
            if nibble != 0xF:
                out[count] = 0x3D if nibble == 0xD else 0x30 + nibble
                count += 1
    if count == len(out):
        return out
    short = bytearray(memoryview(out)[:count])
    for i in range(len(out)):
        out[i] = 0
    return short

"""What the terminal knows: its own data elements, the applications it takes, and one transaction.

Values are those of an attended shop terminal in China; an acquirer's download replaces any of
them. Nothing here is read from a card.
"""

from emv import elements as e
from emv.keys import RecoveredKeys
from emv.store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from emv.authority import CaPublicKey

# 9F33 (Book 4 Annex A2): contacts; online PIN, signature, no CVM. With a CA key also the
# enciphered offline PIN, SDA, DDA and CDA; without one every card would only fail them.
_WITHOUT_KEYS = b"\x20\x68\x00"
_WITH_KEYS = b"\x20\x78\xc8"


class Application:
    """The parameters of one AID (Book 4 10.2; Book A for contactless limits). Money is in fen.

    aid: 5-16 bytes. partial: a card's longer AID matches (ASI, Book 1 12.3.1). version: 9F09.
    tac_*: 5 bytes each. floor_limit: at or above it, online. target_percent, threshold,
    max_percent: random selection (Book 3 10.6.2). ddol, tdol: defaults. kernel: 0 is contact only.
    contactless_*: a tap below the floor limit may stay offline, at the CVM limit needs a CVM, at
    contactless_limit (None: there is none) is not taken. ttq: 9F66, 4 bytes.
    """

    def __init__(
        self,
        aid: bytes,
        *,
        partial: bool = True,
        version: bytes = b"\x00\x20",
        tac_denial: bytes = b"\x00\x10\x00\x00\x00",
        tac_online: bytes = b"\xdc\x40\x04\xf8\x00",
        tac_default: bytes = b"\xdc\x40\x00\xa8\x00",
        floor_limit: int = 0,
        threshold: int = 0,
        target_percent: int = 0,
        max_percent: int = 0,
        ddol: bytes = b"\x9f\x37\x04",
        tdol: bytes = b"",
        kernel: int = 0,
        contactless_floor: int = 0,
        contactless_cvm_limit: int = 100_001,
        contactless_limit: "int | None" = None,
        ttq: bytes = b"\x36\x00\x40\x00",
    ) -> None:
        self.aid = aid
        self.partial = partial
        self.version = version
        self.tac_denial = tac_denial
        self.tac_online = tac_online
        self.tac_default = tac_default
        self.floor_limit = floor_limit
        self.threshold = threshold
        self.target_percent = target_percent
        self.max_percent = max_percent
        self.ddol = ddol
        self.tdol = tdol
        self.kernel = kernel
        self.contactless_floor = contactless_floor
        self.contactless_cvm_limit = contactless_cvm_limit
        self.contactless_limit = contactless_limit
        self.ttq = ttq


def default_applications() -> "list[Application]":
    """UnionPay debit, credit and quasi-credit, and Visa: what the test bed's acquirer takes."""
    return [
        Application(b"\xa0\x00\x00\x03\x33\x01\x01\x01", kernel=e.KERNEL_7),
        Application(b"\xa0\x00\x00\x03\x33\x01\x01\x02", kernel=e.KERNEL_7),
        Application(b"\xa0\x00\x00\x03\x33\x01\x01\x03", kernel=e.KERNEL_7),
        Application(b"\xa0\x00\x00\x00\x03\x10\x10", version=b"\x00\x8c", kernel=e.KERNEL_3),
    ]


class Terminal:
    """The terminal as cards see it.

    random: `random(n) -> bytes` from a generator fit for 9F37. data: {tag: bytes} that replaces
    the defaults. exceptions: `exceptions(pan_digits, psn) -> bool`, the hot list. recent:
    `recent(pan_digits) -> int`, fen spent with this card lately, for the floor limit (10.6.1).
    authorities: the CA public keys; with one, 9F33 offers offline data authentication and the
    offline PIN unless `data` says otherwise. revoked: issuers' certificates that stand no more,
    each RID, CA key index and serial number (9 bytes; Book 2 5.1). One session at a time uses it:
    `store` and `keys` are the buffers that sessions take turns with.
    """

    def __init__(
        self,
        random: "Callable[[int], bytes]",
        data: "dict[int, bytes] | None" = None,
        applications: "list[Application] | None" = None,
        exceptions: "Callable[[str, int], bool] | None" = None,
        recent: "Callable[[str], int] | None" = None,
        authorities: "tuple[CaPublicKey, ...] | list[CaPublicKey]" = (),
        revoked: "tuple[bytes, ...]" = (),
    ) -> None:
        self.random = random
        self.store = Store()
        self.keys = RecoveredKeys()
        self.authorities = authorities
        self.revoked = revoked
        self.applications = default_applications() if applications is None else applications
        self.exceptions = exceptions
        self.recent = recent
        self.data = {
            e.TERMINAL_CAPABILITIES: _WITH_KEYS if authorities else _WITHOUT_KEYS,
            e.TERMINAL_TYPE: b"\x22",  # attended, offline with online capability, merchant's
            e.ADDITIONAL_TERMINAL_CAPABILITIES: b"\x60\x00\xb0\xf0\x01",
            e.TERMINAL_COUNTRY_CODE: b"\x01\x56",
            e.TRANSACTION_CURRENCY_CODE: b"\x01\x56",
            e.TRANSACTION_CURRENCY_EXPONENT: b"\x02",
            e.IFD_SERIAL_NUMBER: b"00000001",
            e.MERCHANT_NAME: b"SUANPAN",
        }
        if data:
            self.data.update(data)


class Transaction:
    """One transaction's own elements.

    amount, other: fen. date: 'YYMMDD'. time: 'HHMMSS'. kind: 9C as in field 3's first two digits
    (00 sale, 20 refund...). sequence: 9F41. forced_online: the merchant wants it so (10.6).
    """

    def __init__(
        self,
        amount: int,
        date: str,
        time: str,
        *,
        other: int = 0,
        kind: int = 0x00,
        sequence: int = 1,
        forced_online: bool = False,
    ) -> None:
        if amount < 0 or other < 0 or amount > 999_999_999_999 or other > 999_999_999_999:
            raise ValueError("an amount has 12 digits")
        self.amount = amount
        self.other = other
        self.forced_online = forced_online
        self.data = {
            e.AMOUNT_AUTHORISED: bcd(amount, 6),
            e.AMOUNT_OTHER: bcd(other, 6),
            e.TRANSACTION_DATE: _digits(date, 3),
            e.TRANSACTION_TIME: _digits(time, 3),
            e.TRANSACTION_TYPE: bytes((kind,)),
            e.TRANSACTION_SEQUENCE_COUNTER: bcd(sequence, 4),
        }


def bcd(number: int, size: int) -> bytes:
    """`number` as `size` bytes of packed digits, right-justified."""
    return _digits("0" * (size * 2 - len(str(number))) + str(number), size)


def _digits(text: str, size: int) -> bytes:
    if len(text) != size * 2 or not text.isdigit():
        raise ValueError(f"{size * 2} digits are needed")
    return bytes(int(text[i : i + 2], 16) for i in range(0, size * 2, 2))

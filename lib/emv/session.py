"""What contact and contactless share: data, status words, field 55, the receipt."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from emv.store import Store
    from emv.terminal import Terminal, Transaction

REQUEST = "request"
REVERSAL = "reversal"


class Track2:
    """Track 2 equivalent data (57), or what 5A and 5F24 give when the card has none.

    pan: digits. expiry: 'YYMM'. service_code: 3 digits or ''. text: digits with 'D' as separator,
    for field 35. masked: first 6, asterisks, last 4.
    """

    pan: str
    expiry: str
    service_code: str
    text: str
    masked: str


class Session:
    """What the flow reads.

    data: Store, `data.get(tag) -> bytes | None`. tvr: 5 bytes. tsi: 2 bytes. cvm: elements.CVM_*.
    aid: the selected DF name. label: preferred name or label as the receipt prints it. psn: 0-99
    or None (field 23). track2: Track2. reversal_reason: '06' once the card refused what the host
    approved.
    """

    data: "Store"
    tvr: bytes
    tsi: bytes
    cvm: str
    aid: bytes
    label: str
    psn: "int | None"
    track2: "Track2 | None"
    reversal_reason: "str | None"

    def __init__(
        self,
        exchange: "Callable[[bytes], Awaitable[bytes]]",
        terminal: "Terminal",
        transaction: "Transaction",
    ) -> None:
        raise NotImplementedError

    def field55(self, kind: str = REQUEST) -> bytes:
        """Field 55 of a request or of a reversal (REVERSAL), tags in the protocol's order."""
        raise NotImplementedError

    def receipt(self) -> "dict[str, str]":
        """For the receipt's remarks, hex in capitals: arqc, tc, tvr, tsi, aid, atc, label, cid."""
        raise NotImplementedError

    def wipe(self) -> None:
        """Overwrite everything that came from the card."""
        raise NotImplementedError

"""The contactless entry point: pre-processing and combination selection (Book B 3.1, 3.3)."""

from emv import elements as e
from emv.errors import CardDataError, NoApplication
from emv.select import Candidate, match

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session
    from emv.store import Store
    from emv.terminal import Application, Terminal, Transaction

PPSE = b"2PAY.SYS.DDF01"

_OK = 0x9000
_SELECT = b"\x00\xa4\x04\x00"
_ENTRIES = 16

# Terminal transaction qualifiers, byte 2 (Book A 5.7).
ONLINE_REQUIRED = 0x80
_CVM_REQUIRED = 0x40

# Which kernel an AID's first five bytes mean when the card does not say (Book B 3.3.2.5).
_KERNELS = {
    b"\xa0\x00\x00\x00\x03": 3,
    b"\xa0\x00\x00\x00\x04": 2,
    b"\xa0\x00\x00\x00\x25": 4,
    b"\xa0\x00\x00\x00\x65": 5,
    b"\xa0\x00\x00\x03\x33": 7,
}


def qualifiers(application: "Application", transaction: "Transaction") -> "bytes | None":
    """The TTQ for this amount, or None when the application may not be used (Book B 3.1.1)."""
    amount, limit = transaction.amount, application.contactless_limit
    if limit is not None and amount >= limit:
        return None
    result = bytearray(application.ttq)
    result[1] &= ~(ONLINE_REQUIRED | _CVM_REQUIRED) & 0xFF
    if amount > application.contactless_floor or amount == 0 or transaction.forced_online:
        result[1] |= ONLINE_REQUIRED
    if amount >= application.contactless_cvm_limit:
        result[1] |= _CVM_REQUIRED
    return bytes(result)


def allowed(terminal: "Terminal", transaction: "Transaction") -> bool:
    """Whether any application takes this amount by tap."""
    return any(
        application.kernel and qualifiers(application, transaction) is not None
        for application in terminal.applications
    )


async def combinations(session: "Session") -> "list[Candidate]":
    """SELECT PPSE and list what both sides can do, best first (3.3.2).

    NoApplication when there is nothing in common; CardDataError for a malformed directory.
    """
    store, mark = session.data, session.data.used
    status, begin, end = await session.transmit(_SELECT, PPSE)
    if status != _OK:
        raise NoApplication(f"the card has no contactless directory ({status:04X})")
    found: list[Candidate] = []
    for at, finish in _entries(store, begin, end):
        candidate = _candidate(session, at, finish, len(found))
        if candidate is not None:
            found.append(candidate)
    store.release(mark)
    if not found:
        raise NoApplication("the card has no application this terminal takes by tap")
    return sorted(found, key=Candidate.rank)


def _entries(store: "Store", begin: int, end: int) -> "list[tuple[int, int]]":
    """Where the directory entries (61) stand: 6F / A5 / BF0C / 61."""
    path, level = (e.FCI_TEMPLATE, e.FCI_PROPRIETARY_TEMPLATE, 0xBF0C), (begin, end)
    for template in path:
        inside = [(at, to) for tag, at, to in store.walk(*level) if tag == template]
        if len(inside) != 1:
            raise CardDataError("the contactless directory is malformed")
        level = inside[0]
    entries = [(at, to) for tag, at, to in store.walk(*level) if tag == e.APPLICATION_TEMPLATE]
    return entries[:_ENTRIES]


def _candidate(session: "Session", at: int, end: int, order: int) -> "Candidate | None":
    """One entry as a combination; None when it is not ours, not allowed, or malformed."""
    store = session.data
    name, label, priority, asked = b"", "", 0, b""
    for tag, first, last in store.walk(at, end):
        value = bytes(store.buffer[first:last])
        if tag == e.APPLICATION_IDENTIFIER_CARD:
            name = value
        elif tag == e.APPLICATION_LABEL:
            label = "".join(chr(byte) for byte in value if 0x20 <= byte < 0x7F)
        elif tag == e.APPLICATION_PRIORITY_INDICATOR and len(value) == 1:
            priority = value[0] & 0x0F  # nobody is asked to confirm a tap
        elif tag == e.KERNEL_IDENTIFIER:
            asked = value
    if not 5 <= len(name) <= 16:
        return None
    application = match(session.terminal, name)
    if application is None or application.kernel == 0:
        return None
    if kernel(name, asked) != application.kernel:
        return None
    if qualifiers(application, session.transaction) is None:
        return None
    return Candidate(name, label or name.hex().upper(), priority, application, order)


def kernel(name: bytes, asked: bytes) -> int:
    """The kernel of a directory entry: 9F2A if it says one, else by RID; 0 is none of ours."""
    if asked and asked[0] & 0x3F:
        if asked[0] & 0x80:
            return 0  # a domestic kernel, named by more bytes
        return asked[0] & 0x3F
    return _KERNELS.get(name[:5], 0)

"""Application selection on contacts (Book 1 12.3-12.4), and what contactless shares of it."""

from emv import elements as e
from emv.errors import (
    ApplicationBlocked,
    CardBlocked,
    CardDataError,
    NoApplication,
    SelectionCancelled,
)
from emv.session import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from emv.session import Session
    from emv.store import Store
    from emv.terminal import Application, Terminal

    Choose = Callable[[list[str]], Awaitable[int | None]]

PSE = b"1PAY.SYS.DDF01"

_OK = 0x9000
_CARD_BLOCKED = 0x6A81
_APPLICATION_BLOCKED = 0x6283
_SELECT_FIRST = b"\x00\xa4\x04\x00"
_SELECT_NEXT = b"\x00\xa4\x04\x02"
_RECORDS = 16  # of a directory; Book 1 has no limit, every card keeps far below
_CANDIDATES = 16


class Candidate:
    """An application both sides know. name: the card's DF name. order: as the card listed it."""

    def __init__(
        self, name: bytes, label: str, priority: int, application: "Application", order: int
    ) -> None:
        self.name = name
        self.label = label
        self.priority = priority & 0x0F
        self.confirm = bool(priority & 0x80)
        self.application = application
        self.order = order

    def rank(self) -> "tuple[int, int]":
        """Lower comes first; priority 0 is none and comes last (Book 1 12.4)."""
        return self.priority or 16, self.order


async def candidates(session: "Session") -> "list[Candidate]":
    """The candidate list, by the PSE or by the list of AIDs (12.3.2, 12.3.3), best first.

    CardBlocked; ApplicationBlocked when all that fits is blocked; NoApplication.
    """
    session.owned()
    found = await _by_directory(session)
    blocked = False
    if not found:
        found, blocked = await _by_names(session)
    if not found:
        if blocked:
            raise ApplicationBlocked("every application that fits is blocked")
        raise NoApplication("the card has no application this terminal takes")
    return sorted(found, key=Candidate.rank)


async def _by_directory(session: "Session") -> "list[Candidate]":
    """12.3.2; anything wrong with the directory leads to the list of AIDs."""
    store, mark = session.data, session.data.used
    status, begin, end = await session.transmit(_SELECT_FIRST, PSE)
    if status == _CARD_BLOCKED:
        raise CardBlocked("the card is blocked")
    found: list[Candidate] = []
    try:
        if status == _OK:
            await _read_directory(session, _short_file(store, begin, end), found)
    except CardDataError:
        found = []
    store.release(mark)
    return found


def _short_file(store: "Store", begin: int, end: int) -> int:
    """The directory's SFI (88), 1-10."""
    for tag, at, _ in store.leaves(begin, end):
        if tag == e.SHORT_FILE_IDENTIFIER and 1 <= store.buffer[at] <= 10:
            return store.buffer[at]
    raise CardDataError("the directory has no file")


async def _read_directory(session: "Session", sfi: int, found: "list[Candidate]") -> None:
    store = session.data
    for number in range(1, _RECORDS + 1):
        mark = store.used
        header = bytes((0x00, 0xB2, number, sfi << 3 | 0x04))
        status, begin, end = await session.transmit(header)
        if status != _OK:
            return
        for template, first, last in store.walk(begin, end):
            if template != e.RECORD_TEMPLATE:
                raise CardDataError("a directory record is no template 70")
            for tag, at, finish in store.walk(first, last):
                if tag == e.APPLICATION_TEMPLATE:
                    add_entry(session.terminal, store, at, finish, found)
        store.release(mark)


def add_entry(
    terminal: "Terminal", store: "Store", at: int, end: int, found: "list[Candidate]"
) -> None:
    """Take one directory entry (61) into the list, if the terminal knows its application."""
    name, label, preferred, priority = b"", "", "", 0
    for tag, first, last in store.walk(at, end):
        value = bytes(store.buffer[first:last])
        if tag == e.APPLICATION_IDENTIFIER_CARD:
            name = value
        elif tag == e.APPLICATION_LABEL:
            label = printable(value)
        elif tag == e.APPLICATION_PREFERRED_NAME:
            preferred = printable(value)
        elif tag == e.APPLICATION_PRIORITY_INDICATOR and len(value) == 1:
            priority = value[0]
    if not 5 <= len(name) <= 16:
        raise CardDataError("a directory entry has no name")
    application = match(terminal, name)
    if application is not None and len(found) < _CANDIDATES:
        shown = preferred or label or name.hex().upper()
        found.append(Candidate(name, shown, priority, application, len(found)))


def match(terminal: "Terminal", name: bytes) -> "Application | None":
    """The terminal's application for a DF name: the whole AID, or its beginning if partial."""
    for application in terminal.applications:
        if name == application.aid or (application.partial and name.startswith(application.aid)):
            return application
    return None


async def _by_names(session: "Session") -> "tuple[list[Candidate], bool]":
    """12.3.3: SELECT each AID, and next for longer names. (list, whether one is blocked)."""
    found: list[Candidate] = []
    names: list[bytes] = []
    blocked = False
    for application in session.terminal.applications:
        header = _SELECT_FIRST
        while len(names) < _CANDIDATES:
            mark = session.data.used
            status, begin, end = await session.transmit(header, application.aid)
            entry = None
            if status == _OK:
                entry = _candidate(session.data, begin, end, application, len(found))
            session.data.release(mark)
            if status == _CARD_BLOCKED and not names and not blocked:
                raise CardBlocked("the card is blocked")
            blocked = blocked or status == _APPLICATION_BLOCKED
            if status not in (_OK, _APPLICATION_BLOCKED):
                break
            if entry is not None and entry.name in names:
                break
            if entry is not None:
                names.append(entry.name)
                found.append(entry)
            whole = entry is None or entry.name == application.aid
            if not application.partial or (header == _SELECT_NEXT and whole):
                break
            header = _SELECT_NEXT
    return found, blocked


def _candidate(
    store: "Store", begin: int, end: int, application: "Application", order: int
) -> "Candidate | None":
    """A candidate out of an FCI; None when it is malformed or is not what was asked for."""
    name, label, preferred, priority = b"", "", "", 0
    try:
        for tag, first, last in store.leaves(begin, end):
            value = bytes(store.buffer[first:last])
            if tag == e.DEDICATED_FILE_NAME:
                name = value
            elif tag == e.APPLICATION_LABEL:
                label = printable(value)
            elif tag == e.APPLICATION_PREFERRED_NAME:
                preferred = printable(value)
            elif tag == e.APPLICATION_PRIORITY_INDICATOR and value:
                priority = value[0]
    except CardDataError:
        return None
    fits = name == application.aid or (application.partial and name.startswith(application.aid))
    if not fits or len(name) > 16:
        return None
    return Candidate(name, preferred or label or name.hex().upper(), priority, application, order)


async def final(session: "Session", listed: "list[Candidate]", choose: "Choose | None") -> None:
    """Choose and SELECT (12.4); the chosen one leaves `listed`, and so does one that fails."""
    blocked = False
    while listed:
        chosen = await _choice(listed, choose)
        listed.remove(chosen)
        status = await select(session, chosen)
        if status == _OK:
            return
        blocked = blocked or status == _APPLICATION_BLOCKED
    if blocked:
        raise ApplicationBlocked("every application that fits is blocked")
    raise NoApplication("no application of the card could be selected")


async def _choice(listed: "list[Candidate]", choose: "Choose | None") -> Candidate:
    """The cardholder's choice, or the best that needs no confirmation."""
    if choose is not None and (len(listed) > 1 or listed[0].confirm):
        index = await choose([candidate.label for candidate in listed])
        if index is None or not 0 <= index < len(listed):
            raise SelectionCancelled("the cardholder chose no application")
        return listed[index]
    for candidate in listed:
        if choose is not None or not candidate.confirm:
            return candidate
    raise NoApplication("the card wants its cardholder to choose, and nobody can be asked")


async def select(session: "Session", candidate: Candidate) -> int:
    """SELECT the application; its FCI's elements are known afterwards. The status word.

    A malformed FCI, or one of another application, counts as 6A82: the next one is tried.
    """
    store = session.data
    mark = store.used
    forget = (0x84, 0x50, 0x87, 0x9F38, 0x5F2D, 0x9F11, 0x9F12, 0x9F4D, 0x9F5A)
    for tag in forget:
        store.drop(tag)
    status, begin, end = await session.transmit(_SELECT_FIRST, candidate.name)
    if status != _OK:
        store.release(mark)
        return status
    try:
        store.learn(x for x in _fci(store, begin, end) if x[0] in forget)
        if session.aid != candidate.name:
            raise CardDataError("another application answered")
    except CardDataError:
        for tag in forget:
            store.drop(tag)
        store.release(mark)
        return 0x6A82
    application = candidate.application
    session.application = application
    store.put(e.APPLICATION_IDENTIFIER_TERMINAL, application.aid)
    store.put(e.APPLICATION_VERSION_TERMINAL, application.version)
    store.put(e.TERMINAL_FLOOR_LIMIT, min(application.floor_limit, 0xFFFFFFFF).to_bytes(4, "big"))
    return status


def _fci(store: "Store", begin: int, end: int) -> "list[tuple[int, int, int]]":
    """The leaves of an FCI, which is one template 6F and nothing else."""
    level = store.walk(begin, end)
    if len(level) != 1 or level[0][0] != e.FCI_TEMPLATE:
        raise CardDataError("SELECT was not answered with an FCI")
    return store.leaves(begin, end)

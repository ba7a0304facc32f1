"""Read application data: the AFL and its records (Book 3 10.2, 6.5.11, 7.5)."""

from emv import elements as e
from emv.errors import CardDataError, CardStatusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

_OK = 0x9000
_RECORDS = 64  # more would not fit the store anyway; an AFL of FF records ends here
MANDATORY = (
    e.APPLICATION_EXPIRATION_DATE,
    e.APPLICATION_PAN,
    e.CDOL1,
    e.CDOL2,
)


async def read(session: "Session", repeats: bool = False) -> None:
    """Read every record of the AFL; `session.signed_spans` are those for offline authentication.

    CardDataError for an AFL or record against the rules, CardStatusError for any answer but 9000.
    """
    locator = session.data.view(e.APPLICATION_FILE_LOCATOR)
    if locator is None:
        return
    for sfi, first, last, signed in entries(locator):
        for number in range(first, last + 1):
            header = bytes((0x00, 0xB2, number, sfi << 3 | 0x04))
            status, begin, end = await session.transmit(header)
            if status != _OK:
                raise CardStatusError("READ RECORD", status)
            _learn(session, sfi, begin, end, number < first + signed, repeats)


def entries(locator: "memoryview | bytes") -> "list[tuple[int, int, int, int]]":
    """(SFI, first record, last, how many of them are signed) of each AFL entry (10.2)."""
    if not locator or len(locator) % 4:
        raise CardDataError("the AFL is not made of four-byte entries")
    result, total = [], 0
    for at in range(0, len(locator), 4):
        sfi, first, last, signed = locator[at : at + 4]
        sfi, flags = sfi >> 3, sfi & 0x07
        if flags or not 1 <= sfi <= 30:
            raise CardDataError("the AFL names a file that cannot be")
        if first == 0 or last < first or signed > last - first + 1:
            raise CardDataError("the AFL names records that cannot be")
        total += last - first + 1
        result.append((sfi, first, last, signed))
    if total > _RECORDS:
        raise CardDataError("the AFL names too many records")
    return result


def _learn(
    session: "Session", sfi: int, begin: int, end: int, signed: bool, repeats: bool
) -> None:
    """Files 1-10 hold template 70 and nothing else; above, only what looks like it is read."""
    store = session.data
    if sfi > 10 and (begin == end or store.buffer[begin] != e.RECORD_TEMPLATE):
        # Nothing in it is known here, and signed it fails the authentication (Book 3 10.3).
        session.static_malformed = session.static_malformed or signed
        return
    level = store.walk(begin, end)
    if len(level) != 1 or level[0][0] != e.RECORD_TEMPLATE:
        raise CardDataError("a record is no template 70")
    _, first, last = level[0]
    if signed:
        # Book 3 10.3: without the template's tag and length for files 1-10, whole above.
        session.signed_spans.append((first, last) if sfi <= 10 else (begin, end))
    store.learn(store.leaves(first, last), repeats)


def check_mandatory(session: "Session") -> None:
    """CardDataError when an element is missing without which there is no transaction (7.2)."""
    for tag in MANDATORY:
        if tag not in session.data:
            raise CardDataError(f"the card has no {tag:X}")

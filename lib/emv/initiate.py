"""Initiate application processing: GET PROCESSING OPTIONS (Book 3 10.1, 6.5.8)."""

import tlv

from emv import elements as e
from emv.errors import CardDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

_GPO = b"\x80\xa8\x00\x00"
_OK = 0x9000


async def processing_options(session: "Session", repeats: bool = False) -> int:
    """Send the PDOL's data; the answer's elements are known afterwards. The status word.

    CardDataError when the answer is neither template 80 nor 77, or lacks the AIP; the caller
    says which other elements it needs.
    """
    values = session.list_data(e.PDOL)
    session.said.clear()
    session.said.append(values)
    template = tlv.encode(e.COMMAND_TEMPLATE, values)
    if len(template) > 255:
        raise CardDataError("the PDOL asks for too much")
    status, begin, end = await session.transmit(_GPO, template)
    if status == _OK:
        _learn(session, begin, end, repeats)
    return status


def _learn(session: "Session", begin: int, end: int, repeats: bool) -> None:
    store = session.data
    level = store.walk(begin, end)
    if len(level) != 1:
        raise CardDataError("GET PROCESSING OPTIONS was answered with more than one object")
    tag, first, last = level[0]
    if tag == e.RESPONSE_TEMPLATE_1:
        if last - first < 2:
            raise CardDataError("no application interchange profile")
        leaves = [(e.APPLICATION_INTERCHANGE_PROFILE, first, first + 2)]
        store.learn(leaves + [(e.APPLICATION_FILE_LOCATOR, first + 2, last)])
    elif tag == e.RESPONSE_TEMPLATE_2:
        store.learn(store.leaves(first, last), repeats)
    else:
        raise CardDataError("GET PROCESSING OPTIONS was answered with an unknown template")
    if e.APPLICATION_INTERCHANGE_PROFILE not in store:
        raise CardDataError("no application interchange profile")

"""GENERATE AC, first and second: asking and reading (Book 3 6.5.5, 10.8, 10.11)."""

import hashlib

from emv import combined
from emv import elements as e
from emv.errors import CardDataError, CardStatusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

_OK = 0x9000
_AAC = 0x00
_TC = 0x40
_ARQC = 0x80
_KIND = 0xC0

_ASKED = {e.DECLINED: _AAC, e.APPROVED: _TC, e.ONLINE: _ARQC}
_DECIDED = {_AAC: e.DECLINED, _TC: e.APPROVED, _ARQC: e.ONLINE}
# A card may decide more strictly than it was asked, never less (10.8).
_ALLOWED = {_AAC: (_AAC,), _TC: (_TC, _ARQC, _AAC), _ARQC: (_ARQC, _AAC)}


async def generate(session: "Session", decision: str, second: bool) -> str:
    """GENERATE AC for `decision`; the card's own decision. 9F27, 9F36, 9F26, 9F10 are known then.

    With CDA the answer is asked to be signed and the signature is checked: `combined.failed` says
    what came of it. CardStatusError for any answer but 9000; CardDataError for a cryptogram of a
    kind that the card may not answer with, or without its mandatory elements.
    """
    asked = _ASKED[decision]
    objects = e.CDOL2 if second else e.CDOL1
    if session.combine and asked == _AAC and not second:
        # CDA was chosen and is not performed then, which CDOL1's TVR has to say (10.3).
        session.set_tvr(e.TVR_ODA_NOT_PERFORMED)
    _transaction_hash(session, objects)
    values = session.list_data(objects)
    session.said.append(values)
    # A decline is never signed (Book 2 6.6), neither asked for nor given.
    signed = session.combine and asked != _AAC
    header = bytes((0x80, 0xAE, asked | (combined.REQUESTED if signed else 0), 0x00))
    status, begin, end = await session.transmit(header, values or None)
    session.set_tsi(e.TSI_CARD_RISK)
    if status != _OK:
        raise CardStatusError("GENERATE AC", status)
    _learn(session, begin, end)
    kind = session.data.need(e.CRYPTOGRAM_INFORMATION_DATA)[0] & _KIND
    if kind not in _ALLOWED[asked] or (second and kind == _ARQC):
        raise CardDataError("the card answered with a cryptogram it may not give")
    if signed and kind != _AAC:
        combined.verify(session, begin, end)
    elif e.APPLICATION_CRYPTOGRAM not in session.data:
        raise CardDataError("GENERATE AC was answered without 9F26")
    if kind == _ARQC:
        session.arqc = session.data.get(e.APPLICATION_CRYPTOGRAM) or b""
    return _DECIDED[kind]


def _learn(session: "Session", begin: int, end: int) -> None:
    """Format 1 or 2 (6.5.5.4). What an earlier GENERATE AC gave is forgotten first."""
    store = session.data
    wanted = (0x9F27, 0x9F36, 0x9F26, 0x9F10, 0x9F4B)
    for tag in wanted:
        store.drop(tag)
    level = store.walk(begin, end)
    if len(level) != 1:
        raise CardDataError("GENERATE AC was answered with more than one object")
    tag, first, last = level[0]
    if tag == e.RESPONSE_TEMPLATE_1:
        if not 11 <= last - first <= 43:
            raise CardDataError("GENERATE AC was answered with the wrong length")
        bounds = ((0x9F27, 0, 1), (0x9F36, 1, 3), (0x9F26, 3, 11), (0x9F10, 11, last - first))
        store.learn((found, first + at, first + to) for found, at, to in bounds)
    elif tag == e.RESPONSE_TEMPLATE_2:
        store.learn(leaf for leaf in store.leaves(first, last) if leaf[0] in wanted)
    else:
        raise CardDataError("GENERATE AC was answered with an unknown template")
    for needed in (0x9F27, 0x9F36):
        if needed not in store:
            raise CardDataError(f"GENERATE AC was answered without {needed:X}")


def _transaction_hash(session: "Session", objects: int) -> None:
    """98, if the list asks for it: SHA-1 over the TDOL's data (10.8, Book 2 B3.1)."""
    store = session.data
    if not session.asks_for(objects, e.TC_HASH_VALUE):
        return
    template = store.get(e.TDOL)
    if template is None:
        template = session.application.tdol
        session.set_tvr(e.TVR_DEFAULT_TDOL)
    store.put(e.TC_HASH_VALUE, hashlib.sha1(session.concatenate(template)).digest())

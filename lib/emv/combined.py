"""CDA: the card's signature with its cryptogram (Book 2 6.6; Book 4 6.3.2)."""

import hashlib

from emv import dynamic_data
from emv import elements as e
from emv.errors import CardDataError, NotAuthentic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

REQUESTED = 0x10  # GENERATE AC, P1 (Book 3 6.5.5.2)

_CRYPTOGRAM = 8
_HASH = 20


def prepare(session: "Session") -> None:
    """The card's key is recovered: from now on GENERATE AC asks for a signature. NotAuthentic."""
    if not session.asks_for(e.CDOL1, e.UNPREDICTABLE_NUMBER):
        raise NotAuthentic("CDOL1 does not ask for the unpredictable number")
    session.combine = True


def verify(session: "Session", begin: int, end: int) -> None:
    """Check the signature of the answer that stands at `begin`; 9F26 is known afterwards.

    A failure is in the TVR and in `session.oda_fault`; then there is no cryptogram to rely on.
    """
    session.set_tsi(e.TSI_ODA)
    try:
        cryptogram = _signed(session, begin, end)
    except NotAuthentic as error:
        session.set_tvr(e.TVR_CDA_FAILED)
        session.oda_fault = str(error)
    else:
        session.data.put(e.APPLICATION_CRYPTOGRAM, cryptogram)


def failed(session: "Session") -> bool:
    """Whether an answer was asked to be signed and was not, or not rightly."""
    return session.combine and session.has_tvr(e.TVR_CDA_FAILED)


def _signed(session: "Session", begin: int, end: int) -> memoryview:
    """The cryptogram in the ICC dynamic data (6.6.2 steps 1 to 12)."""
    store = session.data
    if e.SIGNED_DYNAMIC_APPLICATION_DATA not in store:
        raise NotAuthentic("the card's answer to GENERATE AC is not signed")
    inside = dynamic_data.verify(session, [store.need(e.UNPREDICTABLE_NUMBER)])
    if len(inside) < 1 + _CRYPTOGRAM + _HASH:
        raise NotAuthentic("the card's signature holds no cryptogram")
    if inside[0] != store.need(e.CRYPTOGRAM_INFORMATION_DATA)[0]:
        raise NotAuthentic("the card's signature holds another 9F27")
    behind = 1 + _CRYPTOGRAM
    if bytes(inside[behind : behind + _HASH]) != _transaction_hash(session, begin, end):
        raise NotAuthentic("the card's signature is for another transaction")
    return inside[1:behind]


def _transaction_hash(session: "Session", begin: int, end: int) -> bytes:
    """SHA-1 over what PDOL and CDOLs carried and over the answer's objects but 9F4B (6.6.2)."""
    store = session.data
    digest = hashlib.sha1()
    for values in session.said:
        digest.update(values)
    level = store.walk(begin, end)
    if len(level) != 1:
        raise CardDataError("GENERATE AC was answered with more than one object")
    _, at, last = level[0]
    for tag, _, finish in store.walk(at, last):
        while not store.buffer[at]:
            at += 1  # zero bytes between objects are no object (Book 3 Annex B1)
        if tag != e.SIGNED_DYNAMIC_APPLICATION_DATA:
            digest.update(store.memory[at:finish])
        at = finish
    return digest.digest()

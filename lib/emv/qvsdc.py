"""One kernel for UnionPay (7) and Visa (3): GPO gives the cryptogram, CTQ the CVM (C-3, C-7).

What a card claims is not believed beyond its proof: an offline approval stands on fDDA and on what
the reader asked for; one that does not goes online, to the contacts, or is declined, as the card's
issuer wants it.
"""

from emv import elements as e
from emv import fdda, initiate, records, restrictions, select
from emv.entry_point import ONLINE_REQUIRED, qualifiers
from emv.errors import CardDataError, NotAuthentic
from emv.outcome import (
    APPROVED,
    DECLINED,
    END,
    GO_ONLINE,
    SEE_PHONE,
    TRY_ANOTHER_INTERFACE,
    Outcome,
)
from emv.session import Track2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.contactless import LetGo
    from emv.select import Candidate
    from emv.session import Session

_OK = 0x9000
_SWITCH = 0x6984
_NEXT = 0x6985
_PHONE = 0x6986

# Card transaction qualifiers (C-3 Annex A), byte 1 and byte 2.
_CTQ_PIN = 0x80
_CTQ_SIGNATURE = 0x40
_CTQ_ONLINE_IF_UNPROVEN = 0x20
_CTQ_SWITCH_IF_UNPROVEN = 0x10
_CTQ_ONLINE_IF_EXPIRED = 0x08
_CTQ_DEVICE = 0x80

# Terminal transaction qualifiers (Book A 5.7), bytes 1, 2 and 3.
_TTQ_PIN = 0x04
_TTQ_SIGNATURE = 0x02
_TTQ_CVM_REQUIRED = 0x40
_TTQ_DEVICE = 0x40

_KIND = 0xC0
_AAC, _TC, _ARQC = 0x00, 0x40, 0x80
_MANDATORY = (0x82, 0x9F36, 0x9F26, 0x9F10)


async def perform(
    session: "Session", candidate: "Candidate", let_go: "LetGo | None"
) -> "Outcome | None":
    """SELECT, GET PROCESSING OPTIONS, READ RECORD; None: try the next combination.

    let_go: as ContactlessSession.perform. EmvError for a card against the rules.
    """
    terms = qualifiers(candidate.application, session.transaction)
    if terms is None:
        return None
    status = await select.select(session, candidate)
    if status != _OK:
        return None
    session.data.put(e.TERMINAL_TRANSACTION_QUALIFIERS, terms)
    if not session.asks_for(e.PDOL, e.TERMINAL_TRANSACTION_QUALIFIERS):
        return Outcome(TRY_ANOTHER_INTERFACE, reason="the card's PDOL is that of a contact card")
    status = await initiate.processing_options(session, repeats=True)
    if status == _NEXT:
        return None
    if status != _OK:
        return _refused(status)
    await records.read(session, repeats=True)
    if let_go is not None:
        await let_go()  # the proof of an offline approval takes longer than its reading
    _check(session)
    return _decide(session, terms)


def _refused(status: int) -> Outcome:
    """A refused GET PROCESSING OPTIONS (C-3 3.4)."""
    reason = f"GET PROCESSING OPTIONS was answered {status:04X}"
    if status == _PHONE:
        return Outcome(SEE_PHONE, reason=reason)
    if status == _SWITCH:
        return Outcome(TRY_ANOTHER_INTERFACE, reason=reason)
    return Outcome(END, reason=reason)


def _check(session: "Session") -> None:
    """Everything without which there is no payment; then the track is the session's."""
    store = session.data
    for tag in _MANDATORY:
        if tag not in store:
            raise CardDataError(f"the card has no {tag:X}")
    if e.TRACK_2_EQUIVALENT_DATA not in store:
        raise CardDataError("the card has no 57")
    track2 = Track2(store)
    track2.check()
    session.track2 = track2


def cryptogram_kind(session: "Session") -> int:
    """AAC, TC or ARQC: by 9F27, else by the card verification results in 9F10 (C-3 3.5).

    Only the form with a CVR of three bytes behind key index and CVN is understood; of any other
    form the cryptogram is taken to be an ARQC, which approves nothing by itself.
    """
    information = session.data.view(e.CRYPTOGRAM_INFORMATION_DATA)
    if information is not None:
        return information[0] & _KIND
    issuer = session.data.need(e.ISSUER_APPLICATION_DATA)
    if len(issuer) < 7 or issuer[0] not in (6, 7) or issuer[3] != 3:
        return _ARQC
    return (issuer[4] & 0x30) << 2


def _decide(session: "Session", terms: bytes) -> Outcome:
    """From the cryptogram's kind and the qualifiers to an outcome (C-3 5.7, 5.8)."""
    kind = cryptogram_kind(session)
    if kind not in (_AAC, _TC, _ARQC):
        raise CardDataError("a cryptogram of an unknown kind")
    session.data.put(e.CRYPTOGRAM_INFORMATION_DATA, bytes((kind,)))
    if kind == _AAC:
        return Outcome(DECLINED, reason="the card declined")
    cvm = verification(session, terms)
    if cvm is None:
        return Outcome(DECLINED, reason="a verification is required that the card does not offer")
    session.cvm = cvm
    if kind == _TC and cvm != e.CVM_ONLINE_PIN:
        return _offline(session, terms, cvm)
    return _online(session, cvm)


def _online(session: "Session", cvm: str, reason: str = "") -> Outcome:
    session.arqc = bytes(session.data.need(e.APPLICATION_CRYPTOGRAM))
    return Outcome(GO_ONLINE, cvm, reason)


def _offline(session: "Session", terms: bytes, cvm: str) -> Outcome:
    """An offline approval: proof first, then the date and the hot list (C-3 5.5, 5.6)."""
    card = session.data.view(e.CARD_TRANSACTION_QUALIFIERS)
    wishes = 0 if card is None else card[0]
    try:
        if terms[1] & ONLINE_REQUIRED:
            raise NotAuthentic("an offline approval where an online one was asked for")
        fdda.verify(session)
    except NotAuthentic as error:
        session.oda_fault = str(error)
        if wishes & _CTQ_ONLINE_IF_UNPROVEN:
            return _online(session, cvm, str(error))
        if wishes & _CTQ_SWITCH_IF_UNPROVEN:
            return Outcome(TRY_ANOTHER_INTERFACE, reason=str(error))
        return Outcome(DECLINED, reason=str(error))
    if restrictions.expired(session):
        if wishes & _CTQ_ONLINE_IF_EXPIRED:
            return _online(session, cvm, "the card has expired")
        return Outcome(DECLINED, reason="the card has expired")
    exceptions = session.terminal.exceptions
    if exceptions is not None and exceptions(session.pan(), session.psn or 0):
        return Outcome(DECLINED, reason="the card is on the exception file")
    return Outcome(APPROVED, cvm)


def verification(session: "Session", terms: bytes) -> "str | None":
    """How the payer is verified (C-3 5.7): elements.CVM_*, or None when the card offers nothing.

    Consumer-device verification counts for an ARQC as the CTQ says it, and must agree with 9F69
    where the card sends that.
    """
    required = bool(terms[1] & _TTQ_CVM_REQUIRED)
    card = session.data.view(e.CARD_TRANSACTION_QUALIFIERS)
    if card is None:
        if not required:
            return e.CVM_NONE
        return e.CVM_SIGNATURE if terms[0] & _TTQ_SIGNATURE else None
    if card[0] & _CTQ_PIN and terms[0] & _TTQ_PIN:
        return e.CVM_ONLINE_PIN
    if card[1] & _CTQ_DEVICE and terms[2] & _TTQ_DEVICE:
        proof = session.data.view(e.CARD_AUTHENTICATION_RELATED_DATA)
        if proof is None or (len(proof) >= 7 and bytes(proof[5:7]) == bytes(card)):
            return e.CVM_DEVICE
        return None
    if card[0] & _CTQ_SIGNATURE and terms[0] & _TTQ_SIGNATURE:
        return e.CVM_SIGNATURE
    if required or card[0] & (_CTQ_PIN | _CTQ_SIGNATURE):
        return None
    return e.CVM_NONE

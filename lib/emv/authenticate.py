"""Offline data authentication (Book 3 10.3, Book 2 5 and 6): which method, and its marks."""

from emv import combined, dynamic_data, icc_certificate, issuer_certificate, static_data
from emv import elements as e
from emv.errors import CardDataError, CardStatusError, DataMissing, NotAuthentic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

SDA = "SDA"
DDA = "DDA"
CDA = "CDA"

# Terminal capabilities, byte 3 (Book 4 Annex A2).
_SDA = 0x80
_DDA = 0x40
_CDA = 0x08

_FAILED = {SDA: e.TVR_SDA_FAILED, DDA: e.TVR_DDA_FAILED, CDA: e.TVR_CDA_FAILED}
_OK = 0x9000


def method(profile: int, capabilities: int) -> "str | None":
    """CDA, else DDA, else SDA: the best that the AIP's first byte and 9F33's third both have."""
    if profile & e.AIP_CDA and capabilities & _CDA:
        return CDA
    if profile & e.AIP_DDA and capabilities & _DDA:
        return DDA
    if profile & e.AIP_SDA and capabilities & _SDA:
        return SDA
    return None


async def offline_data_authentication(session: "Session") -> "str | None":
    """Authenticate the card's data. The method, or None when neither side has one in common.

    What fails is in the TVR, its sentence in `session.oda_fault`. CDA is only prepared here: its
    signature comes with a cryptogram. CardStatusError when INTERNAL AUTHENTICATE is refused, and
    CardDataError for a malformed answer to it (Book 3 6.5.9.4: terminate).
    """
    profile = session.data.need(e.APPLICATION_INTERCHANGE_PROFILE)[0]
    capabilities = session.data.need(e.TERMINAL_CAPABILITIES)[2]
    chosen = session.oda = method(profile, capabilities)
    if chosen is None:
        session.set_tvr(e.TVR_ODA_NOT_PERFORMED)
        return None
    try:
        if chosen == CDA:
            card_key(session)
            combined.prepare(session)
            return chosen
        if chosen == DDA:
            card_key(session)
            await _dynamic(session)
        else:
            session.set_tvr(e.TVR_SDA_SELECTED)
            _static(session)
    except NotAuthentic as error:
        if isinstance(error, DataMissing):
            session.set_tvr(e.TVR_ICC_DATA_MISSING)
        session.set_tvr(_FAILED[chosen])
        session.oda_fault = str(error)
    session.set_tsi(e.TSI_ODA)
    return chosen


def card_key(session: "Session") -> None:
    """Recover the issuer's and the card's key; the static data are authentic then (6.1-6.4)."""
    if session.keys.card.size:
        return
    _need(session, issuer_certificate.MANDATORY + icc_certificate.MANDATORY)
    issuer_certificate.recover_key(session)
    icc_certificate.recover_key(session)


def pin_key(session: "Session") -> None:
    """Recover the issuer's key and the one for the PIN's encipherment (7.1)."""
    _need(session, issuer_certificate.MANDATORY + icc_certificate.PIN_MANDATORY)
    if not session.keys.issuer.size:
        issuer_certificate.recover_key(session)
    icc_certificate.recover_pin_key(session)


def _need(session: "Session", tags: "tuple[int, ...]") -> None:
    """Book 3 table 30: what is missing is told apart from what is wrong."""
    for tag in tags:
        if tag not in session.data:
            raise DataMissing(f"the card has no {tag:X}")


def _static(session: "Session") -> None:
    _need(session, issuer_certificate.MANDATORY + (e.SIGNED_STATIC_APPLICATION_DATA,))
    issuer_certificate.recover_key(session)
    static_data.verify_signature(session)


async def _dynamic(session: "Session") -> None:
    """INTERNAL AUTHENTICATE over the DDOL's data, or the default DDOL's (Book 2 6.5)."""
    store = session.data
    wanted = store.view(e.DDOL) or session.application.ddol
    try:
        # The list is the issuer's: a bad one fails DDA and nothing else (6.5.1).
        asked = session.names(wanted, e.UNPREDICTABLE_NUMBER)
        values = session.concatenate(wanted)
    except CardDataError as error:
        raise NotAuthentic(str(error)) from None
    if not asked:
        raise NotAuthentic("the DDOL does not ask for the unpredictable number")
    status, begin, end = await session.transmit(b"\x00\x88\x00\x00", values)
    if status != _OK:
        raise CardStatusError("INTERNAL AUTHENTICATE", status)
    _learn(session, begin, end)
    dynamic_data.verify(session, [values])


def _learn(session: "Session", begin: int, end: int) -> None:
    """9F4B out of format 1 or 2 (Book 3 6.5.9.4)."""
    store = session.data
    store.drop(e.SIGNED_DYNAMIC_APPLICATION_DATA)
    level = store.walk(begin, end)
    if len(level) != 1:
        raise CardDataError("INTERNAL AUTHENTICATE was answered with more than one object")
    tag, first, last = level[0]
    signed = e.SIGNED_DYNAMIC_APPLICATION_DATA
    if tag == e.RESPONSE_TEMPLATE_1:
        store.learn([(signed, first, last)])
    elif tag == e.RESPONSE_TEMPLATE_2:
        store.learn(leaf for leaf in store.leaves(first, last) if leaf[0] == signed)
    if signed not in store:
        raise CardDataError("INTERNAL AUTHENTICATE was answered without 9F4B")

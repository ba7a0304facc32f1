"""Processing restrictions: version, usage control, dates (Book 3 10.4)."""

from emv import elements as e
from emv.errors import CardDataError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

# Application usage control (Annex C2), byte 1 and byte 2.
_DOMESTIC_CASH = 0x8000
_FOREIGN_CASH = 0x4000
_DOMESTIC_PURCHASE = 0x2800  # goods, services
_FOREIGN_PURCHASE = 0x1400
_AT_ATMS = 0x0200
_ELSEWHERE = 0x0100
_DOMESTIC_CASHBACK = 0x0080
_FOREIGN_CASHBACK = 0x0040

CASH = (0x01, 0x17)  # transaction types (9C)
PURCHASE = (0x00, 0x09)
CASHBACK = 0x09


def processing_restrictions(session: "Session") -> None:
    """Set the second byte of the TVR, bits 8 to 5."""
    _version(session)
    _usage(session)
    _dates(session)


def _version(session: "Session") -> None:
    """10.4.1: a card without a version number is taken to fit."""
    card = session.data.get(e.APPLICATION_VERSION_CARD)
    if card is not None and card != session.data.get(e.APPLICATION_VERSION_TERMINAL):
        session.set_tvr(e.TVR_VERSIONS_DIFFER)


def _usage(session: "Session") -> None:
    """10.4.2: what the issuer lets this card be used for, here and abroad."""
    data = session.data
    control = data.view(e.APPLICATION_USAGE_CONTROL)
    if control is None:
        return
    allowed = control[0] << 8 | control[1]
    machine = _is_atm(data.need(e.TERMINAL_TYPE)[0])
    if not allowed & (_AT_ATMS if machine else _ELSEWHERE):
        session.set_tvr(e.TVR_SERVICE_NOT_ALLOWED)
    country = data.get(e.ISSUER_COUNTRY_CODE)
    if country is None:
        return
    home = country == data.get(e.TERMINAL_COUNTRY_CODE)
    kind = data.need(e.TRANSACTION_TYPE)[0]
    needed = []
    if kind in CASH:
        needed.append(_DOMESTIC_CASH if home else _FOREIGN_CASH)
    if kind in PURCHASE:
        needed.append(_DOMESTIC_PURCHASE if home else _FOREIGN_PURCHASE)
    if kind == CASHBACK:
        needed.append(_DOMESTIC_CASHBACK if home else _FOREIGN_CASHBACK)
    if not all(allowed & bits for bits in needed):
        session.set_tvr(e.TVR_SERVICE_NOT_ALLOWED)


def _is_atm(kind: int) -> bool:
    """An unattended machine of a bank (Book 4 Annex A1) is the one kind that hands out cash."""
    return kind in (0x14, 0x15, 0x16)


def _dates(session: "Session") -> None:
    """10.4.3."""
    today = _day(session.data.need(e.TRANSACTION_DATE))
    effective = session.data.get(e.APPLICATION_EFFECTIVE_DATE)
    if effective is not None and _day(effective) > today:
        session.set_tvr(e.TVR_NOT_YET_EFFECTIVE)
    if expired(session):
        session.set_tvr(e.TVR_EXPIRED)


def expired(session: "Session") -> bool:
    """Whether 5F24 is behind 9A."""
    today = _day(session.data.need(e.TRANSACTION_DATE))
    return _day(session.data.need(e.APPLICATION_EXPIRATION_DATE)) < today


def _day(value: "bytes | memoryview") -> int:
    """YYMMDD as a number that orders dates: years 50-99 are of the last century (Book 4 6.7.3)."""
    text = value.hex()
    if not text.isdigit():
        raise CardDataError("a date has other than digits")
    if not 1 <= int(text[2:4]) <= 12 or not 1 <= int(text[4:6]) <= 31:
        raise CardDataError("there is no such date")
    century = 1900 if int(text[:2]) >= 50 else 2000
    return (century + int(text[:2])) * 10_000 + int(text[2:])

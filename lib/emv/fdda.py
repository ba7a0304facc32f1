"""fDDA: a tap's proof, signed before the card knew whether it would be asked (C-3, C-7)."""

from emv import authenticate, dynamic_data
from emv import elements as e
from emv.errors import DataMissing, NotAuthentic
from emv.signature import FAST_DYNAMIC_DATA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

_VERSION = 0x01


def verify(session: "Session") -> None:
    """Check the card's key and 9F4B over 9F37, 9F02, 5F2A and 9F69. NotAuthentic.

    Version 00 leaves amount and currency unsigned and counts as no proof.
    """
    data = session.data
    session.oda = authenticate.DDA
    if not data.need(e.APPLICATION_INTERCHANGE_PROFILE)[0] & e.AIP_DDA:
        raise NotAuthentic("the card does not offer dynamic data authentication")
    authenticate.card_key(session)
    related = data.view(e.CARD_AUTHENTICATION_RELATED_DATA)
    if related is None or e.SIGNED_DYNAMIC_APPLICATION_DATA not in data:
        raise DataMissing("the card has no 9F69 or no 9F4B")
    if related[0] != _VERSION:
        raise NotAuthentic("the card signs by an fDDA version that this terminal does not know")
    signed = (e.UNPREDICTABLE_NUMBER, e.AMOUNT_AUTHORISED, e.TRANSACTION_CURRENCY_CODE)
    given = [data.need(tag) for tag in signed] + [related]
    dynamic_data.verify(session, given, FAST_DYNAMIC_DATA)

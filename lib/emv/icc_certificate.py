"""The card's public keys: 9F46 for authentication (Book 2 6.4), 9F2D for the PIN (7.1)."""

from emv import certificate, static_data
from emv import elements as e
from emv.errors import NotAuthentic
from emv.signature import ICC_CERTIFICATE, recover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.keys import PublicKey
    from emv.session import Session

MANDATORY = (e.ICC_PUBLIC_KEY_CERTIFICATE, e.ICC_PUBLIC_KEY_EXPONENT)
PIN_MANDATORY = (e.ICC_PIN_KEY_CERTIFICATE, e.ICC_PIN_KEY_EXPONENT)

_PAN = 2  # where the PAN stands in the block; ten bytes, F to fill
_EXPIRY = 12


def recover_key(session: "Session") -> None:
    """Fill `session.keys.card` and with it authenticate the static data. NotAuthentic.

    The issuer's key is recovered and the MANDATORY elements are there.
    """
    _recover(
        session,
        MANDATORY + (e.ICC_PUBLIC_KEY_REMAINDER,),
        static_data.pieces(session),
        session.keys.card,
    )


def recover_pin_key(session: "Session") -> None:
    """Fill `session.keys.pin`: a certificate over no static data. NotAuthentic; as above."""
    _recover(session, PIN_MANDATORY + (e.ICC_PIN_KEY_REMAINDER,), [], session.keys.pin)


def _recover(
    session: "Session", tags: "tuple[int, int, int]", static: "list[memoryview]", into: "PublicKey"
) -> None:
    data, issuer = session.data, session.keys.issuer
    signed, exponent, remainder = data.need(tags[0]), data.need(tags[1]), data.view(tags[2])
    extras = [exponent] if remainder is None else [remainder, exponent]
    block = recover(issuer.modulus, issuer.exponent, signed, ICC_CERTIFICATE, extras + static)
    if block[_PAN:_EXPIRY].hex().upper().rstrip("F") != session.pan():
        raise NotAuthentic("the card's certificate is another card's")
    certificate.take(session, block, _EXPIRY, remainder, exponent, into)

"""The issuer's public key: from the authority's key and 90, 92, 9F32 (Book 2 5.2, 5.3, 6.3)."""

from emv import authority, certificate
from emv import elements as e
from emv.errors import NotAuthentic
from emv.signature import ISSUER_CERTIFICATE, recover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

MANDATORY = (
    e.CA_PUBLIC_KEY_INDEX_CARD,
    e.ISSUER_PUBLIC_KEY_CERTIFICATE,
    e.ISSUER_PUBLIC_KEY_EXPONENT,
)

_IDENTIFIER = 2  # where the issuer's identifier stands in the block; four bytes
_EXPIRY = 6


def recover_key(session: "Session") -> None:
    """Fill `session.keys.issuer` and 9F22. NotAuthentic; the MANDATORY elements are there."""
    data = session.data
    index = data.need(e.CA_PUBLIC_KEY_INDEX_CARD)[0]
    key = authority.find(session.terminal.authorities, session.aid[:5], index)
    if key is None:
        rid = session.aid[:5].hex().upper()
        raise NotAuthentic(f"this terminal has no CA key {rid} {index:02X}")
    if key.expired(data.need(e.TRANSACTION_DATE)):
        raise NotAuthentic(f"the CA key {key.name} has expired")
    data.put(e.CA_PUBLIC_KEY_INDEX_TERMINAL, bytes((index,)))
    remainder = data.view(e.ISSUER_PUBLIC_KEY_REMAINDER)
    exponent = data.need(e.ISSUER_PUBLIC_KEY_EXPONENT)
    block = recover(
        key.modulus,
        key.exponent,
        data.need(e.ISSUER_PUBLIC_KEY_CERTIFICATE),
        ISSUER_CERTIFICATE,
        (exponent,) if remainder is None else (remainder, exponent),
    )
    identifier = block[_IDENTIFIER:_EXPIRY].hex().upper().rstrip("F")
    if not 3 <= len(identifier) or not session.pan().startswith(identifier):
        raise NotAuthentic("the issuer's certificate is another issuer's")
    certificate.take(session, block, _EXPIRY, remainder, exponent, session.keys.issuer)

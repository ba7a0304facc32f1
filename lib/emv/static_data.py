"""The static data to be authenticated (Book 3 10.3), and their signature 93 (Book 2 5.4)."""

from emv import elements as e
from emv.errors import NotAuthentic
from emv.signature import SHA1, STATIC_DATA, recover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.session import Session

_ALGORITHM = 2
_CODE = 3  # where the data authentication code stands in the block; two bytes


def pieces(session: "Session") -> "list[memoryview]":
    """Where the static data stand: the signed records in the AFL's order, then the AIP.

    Records of files 1-10 count without the template's tag and length, those above whole. The AIP
    counts if 9F4A names it; NotAuthentic when that names anything else, or a record is no
    template 70.
    """
    if session.static_malformed:
        raise NotAuthentic("a record to be authenticated is no template 70")
    store = session.data
    found = [store.memory[begin:end] for begin, end in session.signed_spans]
    listed = store.view(e.SDA_TAG_LIST)
    if listed is not None:
        if bytes(listed) != bytes((e.APPLICATION_INTERCHANGE_PROFILE,)):
            raise NotAuthentic("9F4A names more than the AIP")
        found.append(store.need(e.APPLICATION_INTERCHANGE_PROFILE))
    return found


def verify_signature(session: "Session") -> None:
    """SDA: check 93 with the issuer's key; 9F45 is known then. NotAuthentic."""
    store, issuer = session.data, session.keys.issuer
    block = recover(
        issuer.modulus,
        issuer.exponent,
        store.need(e.SIGNED_STATIC_APPLICATION_DATA),
        STATIC_DATA,
        pieces(session),
    )
    if block[_ALGORITHM] != SHA1:
        raise NotAuthentic("the static data's signature is for an unknown algorithm")
    store.put(e.DATA_AUTHENTICATION_CODE, block[_CODE : _CODE + 2])

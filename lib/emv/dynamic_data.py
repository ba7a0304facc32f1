"""The card's own signature, 9F4B: what it holds (Book 2 6.5.2, 6.6.2; Books C-3, C-7 for fDDA)."""

from emv import elements as e
from emv.errors import NotAuthentic
from emv.signature import BEHIND, DYNAMIC_DATA, SHA1, recover

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from emv.session import Session

    Buffer = bytes | memoryview

_ALGORITHM = 2
_LENGTH = 3
_DATA = 4


def verify(
    session: "Session", terminal: "Iterable[Buffer]", kinds: bytes = DYNAMIC_DATA
) -> memoryview:
    """Check 9F4B with the card's key; the ICC dynamic data behind the ICC dynamic number.

    terminal: what the card was given to sign: the DDOL's data, for CDA 9F37. kinds: the formats
    it may have. 9F4C is known then. NotAuthentic.
    """
    store, card = session.data, session.keys.card
    signature = store.need(e.SIGNED_DYNAMIC_APPLICATION_DATA)
    block = recover(card.modulus, card.exponent, signature, kinds, terminal)
    if block[_ALGORITHM] != SHA1:
        raise NotAuthentic("the card's signature is for an unknown algorithm")
    end = _DATA + block[_LENGTH]
    if end > len(block) - BEHIND:
        raise NotAuthentic("the card's signature holds more than it has room for")
    number = _DATA + 1
    behind = number + (block[_DATA] if end > _DATA else 0)
    if not 2 <= behind - number <= 8 or behind > end:
        raise NotAuthentic("the card's signature has no dynamic number")
    store.put(e.ICC_DYNAMIC_NUMBER, block[number:behind])
    return block[behind:end]

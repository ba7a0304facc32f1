"""The enciphered offline PIN (Book 2 chapter 7; Book 3 10.5.1, 6.5.6, 6.5.12).

The PIN is typed into pinmac and leaves it enciphered for one challenge of the card; here is only
that cryptogram. An entry that is open when anything fails is wiped.
"""

import pinmac

from emv import authenticate
from emv import elements as e
from emv.errors import NotAuthentic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.keys import PublicKey
    from emv.session import Session

_OK = 0x9000
_CHALLENGE = 8
_BLOCKED = (0x6983, 0x6984)

# What VERIFY came to: tries left (0: none), or one of these.
RIGHT = -1
REFUSED = -2


def encipherment_key(session: "Session") -> "PublicKey | None":
    """The key of 9F2D if the card has one, else its own (7.1). None: no PIN can be enciphered."""
    keys = session.keys
    try:
        if e.ICC_PIN_KEY_CERTIFICATE in session.data:
            authenticate.pin_key(session)
            return keys.pin
        authenticate.card_key(session)
    except NotAuthentic as error:
        session.oda_fault = session.oda_fault or str(error)
        return None
    return keys.card


async def tries(session: "Session") -> "int | None":
    """The PIN try counter (9F17), None when the card does not tell."""
    return await session.get_data(e.PIN_TRY_COUNTER, 1)


async def verify(session: "Session", key: "PublicKey") -> int:
    """GET CHALLENGE, encipher the PIN that pinmac holds, VERIFY: RIGHT, REFUSED or tries left.

    pinmac.StateError passes through when its limits refuse the encipherment.
    """
    try:
        challenge = await _challenge(session)
        if challenge is None:
            return REFUSED
        data = pinmac.pin_enciphered(key.modulus, key.exponent, challenge)
    except ValueError:
        return REFUSED  # a key too short for a PIN (7.1)
    finally:
        pinmac.pin_cancel()
    status, _, _ = await session.transmit(b"\x00\x20\x00\x88", data, answer=False)
    if status == _OK:
        return RIGHT
    if status in _BLOCKED:
        return 0
    return status & 0x0F if status & 0xFFF0 == 0x63C0 else REFUSED


async def _challenge(session: "Session") -> "bytes | None":
    """Eight bytes that the card will see again (6.5.6), or None."""
    store, mark = session.data, session.data.used
    status, begin, end = await session.transmit(b"\x00\x84\x00\x00")
    if status != _OK or end - begin != _CHALLENGE:
        store.release(mark)
        return None
    challenge = bytes(store.memory[begin:end])
    store.release(mark)
    return challenge

"""What issuer and card certificates have in common: expiry date to key (Book 2 5.3, 6.4)."""

from emv import elements as e
from emv.authority import EXPONENTS, LONGEST, SHORTEST
from emv.errors import NotAuthentic
from emv.signature import BEHIND, SHA1

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.keys import PublicKey
    from emv.session import Session

_RSA = 0x01  # public key algorithm indicator (Annex B2.1)


def take(
    session: "Session",
    block: memoryview,
    at: int,
    remainder: "memoryview | None",
    exponent: memoryview,
    into: "PublicKey",
) -> None:
    """Check what follows `at` in a recovered certificate and keep the key in `into`.

    There stand expiry (MMYY), serial number (3), hash and key algorithm, lengths of modulus and
    exponent, and as much of the modulus as has room. NotAuthentic.
    """
    _in_time(session, block[at + 1], block[at])
    if block[at + 5] != SHA1 or block[at + 6] != _RSA:
        raise NotAuthentic("a certificate is for an algorithm that this terminal does not know")
    _not_revoked(session, block[at + 2 : at + 5])
    size, first = block[at + 7], at + 9
    room = len(block) - BEHIND - first
    power = int.from_bytes(bytes(exponent), "big")
    if block[at + 8] != len(exponent) or power not in EXPONENTS:
        raise NotAuthentic("a certificate is for another exponent")
    rest = b"" if remainder is None else remainder
    if not SHORTEST <= size <= LONGEST or len(rest) != max(size - room, 0):
        raise NotAuthentic("a certificate is for a key of another length")
    into.take(block[first : first + min(size, room)], rest, power)


def _in_time(session: "Session", year: int, month: int) -> None:
    """The certificate is good through its month; years 50-99 are of the last century."""
    today = session.data.need(e.TRANSACTION_DATE)
    until = (year - 0x50 & 0xFF) << 8 | month
    if until < (today[0] - 0x50 & 0xFF) << 8 | today[1]:
        raise NotAuthentic("a certificate has expired")
    if month & 0x0F > 9 or not 1 <= month <= 0x12 or year >> 4 > 9 or year & 0x0F > 9:
        raise NotAuthentic("the expiry date of a certificate is no date")


def _not_revoked(session: "Session", serial: memoryview) -> None:
    """Book 2 5.3 step 10: RID, index and serial number on the certificate revocation list."""
    revoked = session.terminal.revoked
    if revoked:
        name = session.aid[:5] + bytes(session.data.need(e.CA_PUBLIC_KEY_INDEX_CARD))
        if name + bytes(serial) in revoked:
            raise NotAuthentic("a certificate has been revoked")

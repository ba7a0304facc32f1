"""Recovery of what an EMV signature holds (Book 2 Annex A2.1; ISO/IEC 9796-2 scheme 1)."""

import hashlib

import pinmac

from emv.errors import NotAuthentic

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    Buffer = bytes | memoryview

# Signed data formats (5.1, 6.1): which structures it may be. A tap's own is 95: a live Visa card
# signs so. 05 is put up with there: what a DDOL makes a card sign is of another length.
ISSUER_CERTIFICATE = b"\x02"
STATIC_DATA = b"\x03"
ICC_CERTIFICATE = b"\x04"
DYNAMIC_DATA = b"\x05"
FAST_DYNAMIC_DATA = b"\x95\x05"

SHA1 = 0x01  # hash algorithm indicator (Annex B2.1)

_HEADER, _TRAILER = 0x6A, 0xBC
_HASH = 20
BEHIND = _HASH + 1  # hash and trailer


def recover(
    modulus: "Buffer", exponent: int, signature: "Buffer", kinds: bytes, extras: "Iterable[Buffer]"
) -> memoryview:
    """The block of a signature, as long as the modulus, `6A format ... hash BC`, all checked.

    kinds: the formats it may have. extras: what is hashed behind the block's own data.
    NotAuthentic names the check that failed.
    """
    if len(signature) != len(modulus):
        raise NotAuthentic("a signature is not as long as the key")
    try:
        block = memoryview(pinmac.rsa_recover(modulus, exponent, signature))
    except ValueError:
        raise NotAuthentic("a key or a signature that cannot be") from None
    end = len(block) - BEHIND
    if block[end + _HASH] != _TRAILER or block[0] != _HEADER:
        raise NotAuthentic("a signature was not made with this key")
    if block[1] not in kinds:
        raise NotAuthentic("a signature is of another format")
    digest = hashlib.sha1(block[1:end])
    for extra in extras:
        digest.update(extra)
    if digest.digest() != bytes(block[end : end + _HASH]):
        raise NotAuthentic("a signature is for other data")
    return block

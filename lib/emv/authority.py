"""Certification authority public keys as terminal data (Book 2 5.2, 11.2; Book 4 10.2).

They are public, so they are not wiped. That they are the scheme's is for whoever loads them to
know: a check sum protects against a slip, not against an enemy.
"""

import hashlib
from binascii import unhexlify

from emv.errors import CaKeyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SHORTEST, LONGEST = 64, 248  # bytes of a modulus (Book 2 Annex D1)
EXPONENTS = (3, 65537)


class CaPublicKey:
    """One key. rid: 5 bytes. index: 8F of the card. modulus: 64-248 bytes. exponent: 3 or 65537.

    expiry: 'YYMMDD', the last day on which the key is used. check: SHA-1 over RID, index, modulus
    and exponent (11.2). CaKeyError names the key and what is wrong with it.
    """

    def __init__(
        self, rid: bytes, index: int, modulus: bytes, exponent: int, expiry: str, check: bytes
    ) -> None:
        self.name = f"{rid.hex().upper()} {index:02X}"
        if len(rid) != 5 or not 0 <= index <= 0xFF:
            raise CaKeyError(f"the CA key {self.name} has no RID of five bytes or no index")
        if not SHORTEST <= len(modulus) <= LONGEST or not modulus[0] or not modulus[-1] & 1:
            raise CaKeyError(f"the modulus of the CA key {self.name} cannot be")
        if exponent not in EXPONENTS:
            raise CaKeyError(f"the exponent of the CA key {self.name} is not 3 or 65537")
        if not _is_day(expiry):
            raise CaKeyError(f"the expiry date of the CA key {self.name} is no date")
        power = exponent.to_bytes(1 if exponent == 3 else 3, "big")
        digest = hashlib.sha1(rid + bytes((index,)))
        digest.update(modulus)
        digest.update(power)
        if digest.digest() != check:
            raise CaKeyError(f"the check sum of the CA key {self.name} is wrong")
        self.rid = rid
        self.index = index
        self.modulus = modulus
        self.exponent = exponent
        self.expiry = expiry

    @classmethod
    def from_text(cls, entry: "dict[str, str]") -> "CaPublicKey":
        """From strings of hex: rid, index, modulus, exponent, sha1; and expiry 'YYMMDD'.

        CaKeyError for one that is missing or no hex, as for everything the key itself refuses.
        """
        try:
            rid, index, modulus, exponent, check = (
                unhexlify(entry[name]) for name in ("rid", "index", "modulus", "exponent", "sha1")
            )
            expiry = entry["expiry"]
        except KeyError as error:
            raise CaKeyError(f"a CA key has no {error.args[0]}") from None
        except (TypeError, ValueError):
            raise CaKeyError("a CA key has other than hex digits") from None
        if len(index) != 1 or not isinstance(expiry, str):
            raise CaKeyError("the index of a CA key is one byte, its expiry date text")
        return cls(rid, index[0], modulus, int.from_bytes(exponent, "big"), expiry, check)

    def expired(self, today: "bytes | memoryview") -> bool:
        """Whether 9A, `today`, is behind the key's last day. All such keys end in this century."""
        return today.hex() > self.expiry


def find(keys: "Iterable[CaPublicKey]", rid: bytes, index: int) -> "CaPublicKey | None":
    """The key of a RID and an index, or None."""
    for key in keys:
        if key.index == index and key.rid == rid:
            return key
    return None


def _is_day(text: str) -> bool:
    if len(text) != 6 or not text.isdigit():
        return False
    return 1 <= int(text[2:4]) <= 12 and 1 <= int(text[4:]) <= 31

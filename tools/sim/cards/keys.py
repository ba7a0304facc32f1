"""RSA keys of the test cards: made from a name, so that every build has the same ones.

The generator is seeded with the key's name, length and exponent; nobody may use such a key for
anything but these cards. What was found is kept under `build/cards/keys`, which only saves time.
"""

from __future__ import annotations

import json
import math
import os
import random
import tempfile
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[3] / "build" / "cards" / "keys"

# Book 2 Annex B2.1: moduli of 1024 to 1984 bits here, exponents 3 and 2^16 + 1.
SHORTEST, LONGEST = 1024, 1984
EXPONENTS = (3, 65537)

_ROUNDS = 8  # of Miller-Rabin; a composite of this size passes one by chance of 2^-40 and less
_SMALL = math.prod(n for n in range(3, 2000, 2) if all(n % each for each in range(3, n, 2)))


@dataclass(frozen=True)
class RsaKey:
    """A key pair by its primes. Values of it are as long as the modulus, big-endian."""

    p: int = field(repr=False)
    q: int = field(repr=False)
    exponent: int

    @cached_property
    def modulus(self) -> int:
        """n, with its highest bit set."""
        return self.p * self.q

    @property
    def size(self) -> int:
        """Bytes of the modulus: N of Book 2."""
        return (self.modulus.bit_length() + 7) // 8

    @cached_property
    def private_exponent(self) -> int:
        """d."""
        return pow(self.exponent, -1, (self.p - 1) * (self.q - 1))

    @cached_property
    def _parts(self) -> tuple[int, int, int]:
        d = self.private_exponent
        return d % (self.p - 1), d % (self.q - 1), pow(self.q, -1, self.p)

    @property
    def modulus_bytes(self) -> bytes:
        """n as a certificate carries it."""
        return self.modulus.to_bytes(self.size, "big")

    @property
    def exponent_bytes(self) -> bytes:
        """e in one byte or three (Book 2 Annex B2.1)."""
        return self.exponent.to_bytes(1 if self.exponent == 3 else 3, "big")

    def private(self, block: bytes) -> bytes:
        """block^d mod n: signs and deciphers. ValueError unless 0 <= block < n and N bytes."""
        value = int.from_bytes(block, "big")
        if len(block) != self.size or value >= self.modulus:
            raise ValueError("a block is as long as the modulus and smaller than it")
        first, second, inverse = self._parts
        by_p, by_q = pow(value % self.p, first, self.p), pow(value % self.q, second, self.q)
        whole = by_q + self.q * (inverse * (by_p - by_q) % self.p)
        return whole.to_bytes(self.size, "big")


@cache
def key(name: str, bits: int, exponent: int = 3, folder: Path | None = FOLDER) -> RsaKey:
    """The key of that name, length and exponent; from `folder` when it was made before.

    `name` is letters, digits and hyphens. ValueError for a length or exponent that EMV does not
    know; `folder` None makes it anew and keeps nothing.
    """
    if bits % 8 or not SHORTEST <= bits <= LONGEST or exponent not in EXPONENTS:
        raise ValueError(f"no EMV key has {bits} bits and the exponent {exponent}")
    if folder is None:
        return make(name, bits, exponent)
    path = folder / f"{name}-{bits}-{exponent}.json"
    if path.exists():
        kept = json.loads(path.read_text(encoding="ascii"))
        return RsaKey(int(kept["p"], 16), int(kept["q"], 16), exponent)
    made = make(name, bits, exponent)
    _keep(path, json.dumps({"p": f"{made.p:X}", "q": f"{made.q:X}"}))
    return made


def make(name: str, bits: int, exponent: int) -> RsaKey:
    """The key, found anew: the same one for the same arguments on every machine."""
    source = random.Random(f"suanpan test key {name} {bits} {exponent}")
    p = _prime(source, bits // 2, exponent)
    q = _prime(source, bits - bits // 2, exponent)
    return RsaKey(max(p, q), min(p, q), exponent)


def _prime(source: random.Random, bits: int, exponent: int) -> int:
    """A prime with its two highest bits set, so that the modulus has its full length."""
    while True:
        found = source.getrandbits(bits) | 3 << bits - 2 | 1
        if math.gcd(found, _SMALL) == 1 and math.gcd(found - 1, exponent) == 1:
            if all(_passes(found, source.randrange(2, found - 1)) for _ in range(_ROUNDS)):
                return found


def _passes(number: int, base: int) -> bool:
    """One round of Miller-Rabin (FIPS 186-4 C.3.1)."""
    twos = (number - 1 & 1 - number).bit_length() - 1
    value = pow(base, number - 1 >> twos, number)
    if value in (1, number - 1):
        return True
    for _ in range(twos - 1):
        value = value * value % number
        if value == number - 1:
            return True
    return False


def _keep(path: Path, text: str) -> None:
    """Write in one step: processes that make the same key at once write the same thing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(prefix=".key-", dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(text + "\n")
    os.replace(draft, path)

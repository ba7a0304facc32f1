"""The test certification authority: its keys, and the file from which a terminal learns them.

The file (`pos cards --keys DIR` writes `DIR/ca-keys.yaml`) is YAML, a list of

    - rid: A000000333          # 5 bytes
      index: F1                # 8F of the card, 1 byte
      modulus: B4...           # 128 to 248 bytes
      exponent: '03'           # '03' or '010001'
      expiry: '311231'         # YYMMDD, the last day on which the key is used
      sha1: 5E...              # SHA-1 of RID, index, modulus, exponent (Book 2 11.2)

all values hex or digits as strings. A key whose `sha1` does not fit is refused by whoever reads.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from tools.sim.cards import keys
from tools.sim.cards.keys import RsaKey

DESCRIPTION = Path(__file__).with_name("authority.yaml")
CA_FILE = keys.FOLDER.parent / "ca-keys.yaml"


@dataclass(frozen=True)
class AuthorityKey:
    """One key of the authority. index: 8F as two hex digits. expiry: YYMMDD."""

    rid: str
    index: str
    bits: int
    exponent: int
    expiry: str

    @property
    def pair(self) -> RsaKey:
        """The key pair, made when first asked for."""
        return keys.key(f"ca-{self.index}", self.bits, self.exponent)

    def public(self) -> dict[str, str]:
        """The entry of the CA public key file."""
        pair = self.pair
        return {
            "rid": self.rid,
            "index": self.index,
            "modulus": pair.modulus_bytes.hex().upper(),
            "exponent": pair.exponent_bytes.hex().upper(),
            "expiry": self.expiry,
            "sha1": check_sum(self.rid, self.index, pair).hex().upper(),
        }


def check_sum(rid: str, index: str, pair: RsaKey) -> bytes:
    """The certification authority public key check sum, 20 bytes (Book 2 11.2)."""
    data = bytes.fromhex(rid + index) + pair.modulus_bytes + pair.exponent_bytes
    return hashlib.sha1(data, usedforsecurity=False).digest()


@lru_cache(maxsize=1)
def authority_keys() -> dict[str, AuthorityKey]:
    """All of the authority's keys by index."""
    described = yaml.safe_load(DESCRIPTION.read_text(encoding="utf-8"))
    return {
        index: AuthorityKey(described["rid"], index, **each)
        for index, each in described["keys"].items()
    }


def write_public_keys(path: Path = CA_FILE) -> Path:
    """Write the file that a terminal learns the authority's keys from; its path."""
    listed = [each.public() for each in authority_keys().values()]
    text = "# Public keys of the test bed's certification authority. Not any scheme's.\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + yaml.safe_dump(listed, sort_keys=False, width=600), encoding="utf-8")
    return path

"""What the tests of the core begin with: a core whose slots hold keys that the test knows.

The keys are those of PINMAC.md's worked example and bytes made for these tests; the cryptograms
and check values are computed by psec, not by the core.
"""

from collections.abc import Callable
from typing import Any

from psec import des

from tests.core.pinmac_core import TDES, Answer, Core

MASTER = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
PIN_KEY = bytes.fromhex("807A23AD32B36D457AE91FDF927570EA")
PAN = "6222021234567890123"
SLOT_MASTER, SLOT_PIN = 0, 1


def load_master(core: Core, slot: int = SLOT_MASTER, key: bytes = MASTER, algorithm: int = TDES,
                usage: str = "K0") -> bytes:
    """Put a key-encrypting key into a slot by two components; its KCV."""
    first = bytes(range(1, len(key) + 1))
    second = bytes(a ^ b for a, b in zip(key, first))
    assert core.load_component(slot, usage, algorithm, first) == ("OK", None)
    result, kcv = core.load_component(slot, usage, algorithm, second)
    assert result == "OK"
    return kcv


def under(master: bytes, key: bytes) -> tuple[bytes, bytes]:
    """A DES or TDES key as a working key: (cryptogram, KCV of four bytes)."""
    kcv = des.encrypt_tdes_ecb(key if len(key) > 8 else key * 2, bytes(8))[:4]
    return des.encrypt_tdes_ecb(master, key), kcv


def load_working(core: Core, slot: int, usage: str, key: bytes) -> None:
    """Load a key that is known in clear, under MASTER."""
    cryptogram, kcv = under(MASTER, key)
    assert core.load_working(slot, usage, cryptogram, SLOT_MASTER, kcv) == ("OK", None)


def working_core() -> Core:
    """A core with MASTER in slot 0 and PIN_KEY, as P0, in slot 1."""
    core = Core()
    load_master(core)
    load_working(core, SLOT_PIN, "P0", PIN_KEY)
    return core


def enter(core: Core, pin: str) -> None:
    """Open a PIN entry and press these digits."""
    assert core.pin_begin()[0] == "OK"
    for number, digit in enumerate(pin, 1):
        assert core.pin_digit(int(digit)) == ("OK", number)


def refused(core: Core, result: str, call: Callable[..., Answer], *args: Any,
            **named: Any) -> None:
    """The call ends with this result, and nothing that can be seen from outside has changed."""
    before = core.snapshot()
    assert call(*args, **named) == (result, None)
    assert core.snapshot() == before


def flipped(data: bytes, at: int = 0) -> bytes:
    """The same bytes with one bit wrong in the byte at `at`."""
    changed = bytearray(data)
    changed[at] ^= 1
    return bytes(changed)

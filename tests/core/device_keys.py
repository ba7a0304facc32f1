"""The device's own keys, and blocks under them, computed apart from the core."""

from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

from tests.core.key_blocks import authentic, clear_of
from tests.core.pinmac_core import Core


def device_key(core: Core, label: bytes = b"sealing ") -> bytes:
    """The AES-256 key of a label (core/device.c): NIST SP 800-108r1 4.1, counter mode, CMAC."""
    stores = core.board.stores
    # Given whole: KBKDFCMAC itself would write the length in four bytes.
    fixed = label + b"\0" + bytes(stores.salt) + b"\x01\x00"
    kdf = KBKDFCMAC(algorithms.AES, Mode.CounterMode, 32, 1, None, CounterLocation.BeforeFixed,
                    None, None, fixed)
    return kdf.derive(bytes(stores.secret))


def sealed(core: Core, usage: str, algorithm: str, mode: str, key: bytes,
           bits: int | None = None) -> bytes:
    """A sealed block of this device, as `seal` would write it; `bits` to lie about the length."""
    size = 48 if algorithm == "A" else 32
    header = f"D#{usage}{algorithm}{mode}00N0000"
    return authentic("D", device_key(core), header, clear_of(key, size, bits))

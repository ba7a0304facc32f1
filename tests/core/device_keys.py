"""The device's own keys and any key block under them, computed apart from the core.

With these a test can make blocks that are authentic and yet wrong: the checks behind the MAC are
reached only so.
"""

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.kbkdf import KBKDFCMAC, CounterLocation, Mode

from tests.core.pinmac_core import Core


def cmac(key: bytes, *pieces: bytes) -> bytes:
    """AES-CMAC of the pieces one after the other."""
    state = CMAC(algorithms.AES(key))
    for piece in pieces:
        state.update(piece)
    return state.finalize()


def device_key(core: Core, label: bytes = b"sealing ") -> bytes:
    """The AES-256 key of a label (core/device.c): NIST SP 800-108r1 4.1, counter mode, CMAC."""
    stores = core.board.stores
    # Given whole: KBKDFCMAC itself would write the length in four bytes.
    fixed = label + b"\0" + bytes(stores.salt) + b"\x01\x00"
    kdf = KBKDFCMAC(algorithms.AES, Mode.CounterMode, 32, 1, None, CounterLocation.BeforeFixed,
                    None, None, fixed)
    return kdf.derive(bytes(stores.secret))


def key_block(protection: bytes, header: str, clear: bytes) -> bytes:
    """A TR-31 version D block around any clear data (ANSI X9.143 7.2), AES-256 protection key.

    `header` is the sixteen characters; `clear` the length field, key and padding, whole blocks.
    """
    derived = {}
    for use in (0, 1):
        derived[use] = b"".join(
            cmac(protection, bytes([counter, 0, use, 0, 0, 4, 1, 0])) for counter in (1, 2))
    mac = cmac(derived[1], header.encode(), clear)
    cipher = Cipher(algorithms.AES(derived[0]), modes.CBC(mac)).encryptor()
    return (header + (cipher.update(clear) + mac).hex().upper()).encode()


def sealed(core: Core, usage: str, algorithm: str, mode: str, key: bytes,
           bits: int | None = None) -> bytes:
    """A sealed block of this device, as `seal` would write it; `bits` to lie about the length."""
    size = 48 if algorithm == "A" else 32
    clear = (len(key) * 8 if bits is None else bits).to_bytes(2, "big") + key
    header = f"D0{16 + 2 * (size + 16):03}{usage}{algorithm}{mode}00N0000"
    return key_block(device_key(core), header, clear.ljust(size, b"\xA5"))

"""TR-31 blocks around any header and any data, computed apart from the core.

With these a test can make blocks that are authentic and yet wrong: the checks behind the MAC are
reached only so.
"""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC


def mac_of(version: str, key: bytes, data: bytes) -> bytes:
    """CMAC under AES (version D) or TDES (B)."""
    mac = CMAC(algorithms.AES(key) if version == "D" else TripleDES(key))
    mac.update(data)
    return mac.finalize()


def authentic(version: str, kbpk: bytes, header: str, clear: bytes) -> bytes:
    """A block with whatever header and clear data, by X9.143 7.2 on cryptography's CMAC and CBC.

    A '#' in the header's place for the length of the block stands for the right one."""
    unit, algorithm = (16, len(kbpk) // 8) if version == "D" else (8, len(kbpk) // 8 - 2)
    tail = bytes([0, 0, algorithm]) + (8 * len(kbpk)).to_bytes(2, "big")
    derived = [b"".join(mac_of(version, kbpk, bytes([counter, 0, use]) + tail)
                        for counter in (1, 2, 3))[:len(kbpk)] for use in (0, 1)]
    whole = len(header) + 2 * (len(clear) + unit) + (3 if "#" in header else 0)
    head = header.replace("#", f"{whole:04}").encode("latin-1")
    mac = mac_of(version, derived[1], head + clear)
    cipher = algorithms.AES(derived[0]) if version == "D" else TripleDES(derived[0])
    encryptor = Cipher(cipher, modes.CBC(mac)).encryptor()
    return head + (encryptor.update(clear) + mac).hex().upper().encode()


def clear_of(key: bytes, size: int, bits: int | None = None) -> bytes:
    """The length field (the key's own unless told), the key, and padding to `size` bytes."""
    field = (8 * len(key) if bits is None else bits).to_bytes(2, "big")
    return field + key + b"\xb5" * (size - 2 - len(key))

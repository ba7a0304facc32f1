"""TR-31 blocks around any header and any data, computed apart from the core.

With these a test can make blocks that are authentic and yet wrong: the checks behind the MAC are
reached only so.
"""

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC

# Headers of good form and of every bad form, as `authentic` reads them.
KS12 = "KS0C12345678"
PB14 = "PB14" + 16 * "0"
GOOD_HEADERS = {
    "none": "D#P0TE00N0000",
    "one": "D#P0TE00N0100LB10 <any>~LABEL",
    "empty": "D#P0TE00N0400KS04KC04TS04KP04",
    "two with padding": f"D#P0TE00N0200{KS12}{PB14}",
    "padding alone": "D#P0TE00N0100PB10" + 12 * "~",
    "extended": "D#P0TE00N0100CT00020010ABCDEF",
    "extended and long": "D#P0TE00N0100CT00020150" + 326 * "x",
    "extended padding": "D#P0TE00N0100PB00020010ABCDEF",
    "small letters": "D#p0Te0cn0100kS10" + 12 * "f",
    "numeric": "D#10T10010100" + "1110" + 12 * "1",
}
BAD_HEADERS = {
    "usage space": "D#P TE00N0000",
    "usage @": "D#P@TE00N0000",
    "usage [": "D#[0TE00N0000",
    "algorithm R": "D#P0RE00N0000",
    "algorithm zero": "D#P00E00N0000",
    "mode": "D#P0T-00N0000",
    "version": "D#P0TE0:N0000",
    "exportability": "D#P0TE00/0000",
    "exportability above ASCII": "D#P0TE00\xe10000",
    "count of nothing": "D#P0TE00N0100",
    "count, blocks uncounted": "D#P0TE00N0000KS10" + 12 * "1",
    "count too small": f"D#P0TE00N0100{KS12}{PB14}",
    "count too large": f"D#P0TE00N0300{KS12}{PB14}",
    "count 99": f"D#P0TE00N9900{KS12}{PB14}",
    "count not a number": f"D#P0TE00N0:00{KS12}{PB14}",
    "count hexadecimal": f"D#P0TE00N0A00{KS12}{PB14}",
    "reserved 01": "D#P0TE00N0001",
    "reserved 10": "D#P0TE00N0010",
    "identifier": "D#P0TE00N0100K 10" + 12 * "1",
    "identifier twice": "D#P0TE00N0200KS08AAAAKS08BBBB",
    "identifier twice apart": f"D#P0TE00N0400{KS12}KP04{KS12}KC04",
    "small hexadecimal": "D#P0TE00N0200KS0c12345678" + PB14,
    "no hexadecimal": "D#P0TE00N0100KS1G" + 12 * "1",
    "length 3": "D#P0TE00N0200KS03KP0D" + 9 * "1",
    "length 1": "D#P0TE00N0100KS01" + 12 * "1",
    "length past the end": "D#P0TE00N0100KSFF" + 12 * "1",
    "length to the MAC": "D#P0TE00N0100KS30" + 12 * "1",
    "not whole blocks": "D#P0TE00N0100KS0C" + 8 * "1",
    "character below": "D#P0TE00N0100KS10" + 11 * "1" + "\x1f",
    "character above": "D#P0TE00N0100KS10" + 11 * "1" + "\x7f",
    "character beyond ASCII": "D#P0TE00N0100KS10" + 11 * "1" + "\xe9",
    "padding first": f"D#P0TE00N0200{PB14}{KS12}",
    "extended by one": "D#P0TE00N0100CT00010010ABCDEF",
    "extended by three": "D#P0TE00N0100CT00030010ABCDEF",
    "extended by three digits": "D#P0TE00N0100CT0003000010ABCD",
    "extended with a space": "D#P0TE00N0100CT00020 10ABCDEF",
    "extended, no hexadecimal": "D#P0TE00N0100CT0002000GABCDEF",
    "extended, small hexadecimal": "D#P0TE00N0100CT0002001a" + 16 * "1",
    "extended length 9": "D#P0TE00N0100CT00020009ABCDEF",
    "extended past the end": "D#P0TE00N0100CT0002FFFFABCDEF",
    "extended cut off": "D#P0TE00N0200KS0C12345678CT00",
    "length of the block": "D0113P0TE00N0000",
    "length of the block, not a number": "D011AP0TE00N0000",
    "version A": "A#P0TE00N0000",
    "version E": "E#P0TE00N0000",
}


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

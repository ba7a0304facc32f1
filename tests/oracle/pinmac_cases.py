"""What the families of random cases share: keys, the calls that load them, other people's ciphers.

A case is (calls, judge): the calls made in MicroPython through the face the firmware uses
(pinmac_bench.py), and what the last answer must be: bytes, or a function of the answer. MASTER is
in slot 0 before the first case, and a new key comes every KEY_EVERY cases.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from psec import des as psec_des

from tests.oracle.pinmac_bench import AES, DES, SM4, TDES, master

MASTER = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
AES_MASTER = bytes(range(1, 33))
SM4_MASTER = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
KEY_EVERY = 40
Calls = list[tuple[Any, ...]]
Judge = bytes | Callable[[bytes], bool]
Case = tuple[Calls, Judge]
Family = Callable[[random.Random, int], list[Case]]


def digits(rng: random.Random, count: int) -> str:
    """Decimal digits."""
    return "".join(rng.choice("0123456789") for _ in range(count))


def block_cipher(alg: int, key: bytes) -> algorithms.AES | algorithms.SM4:
    """cryptography's cipher of 16-byte blocks."""
    return algorithms.SM4(key) if alg == SM4 else algorithms.AES(key)


def ecb(alg: int, key: bytes, data: bytes) -> bytes:
    """Whole blocks in ECB: DES and TDES by psec, AES and SM4 by cryptography."""
    if alg in (DES, TDES):
        return psec_des.encrypt_tdes_ecb(key, data)
    encryptor = Cipher(block_cipher(alg, key), modes.ECB()).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def cmac(alg: int, key: bytes, data: bytes) -> bytes:
    """CMAC by cryptography."""
    mac = CMAC(TripleDES(key) if alg == TDES else block_cipher(alg, key))
    mac.update(data)
    return mac.finalize()


def check_value(alg: int, key: bytes) -> bytes:
    """A key's whole check value block."""
    return cmac(AES, key, bytes(16)) if alg == AES else ecb(alg, key, bytes(16))


def working(slot: int, usage: str, alg: int, key: bytes) -> Calls:
    """The calls that load a known key: under MASTER, or the masters of AES and SM4 in slot 30."""
    kcv = check_value(alg, key)[:4]
    if alg in (DES, TDES):
        return [("load_working", slot, usage, ecb(TDES, MASTER, key), 0, kcv)]
    under = AES_MASTER if alg == AES else SM4_MASTER
    return [*master(30, under, alg), ("load_working", slot, usage, ecb(alg, under, key), 30, kcv)]


def keys(rng: random.Random, count: int, sizes: dict[int, tuple[int, ...]]) -> Iterator[
        tuple[int, bytes, bool]]:
    """For each case its algorithm and key, and whether the key is new."""
    alg, key = 0, b""
    for number in range(count):
        if number % KEY_EVERY == 0:
            alg = rng.choice(list(sizes))
            key = rng.randbytes(rng.choice(sizes[alg]))
            if key[8:] == bytes(len(key) - 8):
                key = key[:8] + b"\x01" * (len(key) - 8)
        yield alg, key, number % KEY_EVERY == 0


def entry(pin: str) -> Calls:
    """Begin, and the digits."""
    return [("pin_begin",), *[("pin_digit", int(digit)) for digit in pin]]

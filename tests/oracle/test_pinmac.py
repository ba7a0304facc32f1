"""pinmac against psec and cryptography on random vectors, through the face the firmware uses."""

import random
from typing import Any

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from psec import des as psec_des
from psec import pinblock

from tests.oracle.pinmac_bench import AES, MAC_CMAC, MAC_CUP, TDES, ask, master

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

SEED = 8583
MASTER = bytes.fromhex("CA5D92598DCA48CE8A4C76361A9269E9")
Case = list[tuple[Any, ...]]


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choice("0123456789") for _ in range(count))


def working(slot: int, usage: str, key: bytes) -> tuple[Any, ...]:
    """The call that loads a key, enciphered under MASTER by psec."""
    kcv = psec_des.encrypt_tdes_ecb(key, bytes(8))[:4]
    return ("load_working", slot, usage, psec_des.encrypt_tdes_ecb(MASTER, key), 0, kcv)


def cup(key: bytes, data: bytes) -> bytes:
    """MAC_CUP as PROTOCOL.md states it, on psec's DES."""
    folded = 0
    data += bytes(-len(data) % 8)
    for at in range(0, len(data), 8):
        folded ^= int.from_bytes(data[at:at + 8], "big")
    text = f"{folded:016X}".encode()
    first = psec_des.encrypt_tdes_ecb(key, text[:8])
    mixed = bytes(a ^ b for a, b in zip(first, text[8:]))
    return psec_des.encrypt_tdes_ecb(key, mixed).hex().upper()[:8].encode()


def cmac_aes(key: bytes, data: bytes) -> bytes:
    mac = CMAC(algorithms.AES(key))
    mac.update(data)
    return mac.finalize()


def cbc_aes(key: bytes, iv: bytes, data: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()


def check(cases: list[Case], wanted: list[bytes]) -> None:
    """The last answer of each case is what the other implementation said."""
    answers = ask([master(0, MASTER, TDES), *cases])[1:]
    for case, answer, want in zip(cases, answers, wanted):
        assert answer[-1] == want, (case, answer)


def test_pin_blocks_like_psec() -> None:
    """PIN lengths 4 to 12, PAN lengths 13 to 19, TDES keys of two and three parts."""
    rng = random.Random(SEED)
    cases: list[Case] = []
    wanted = []
    key = b""
    for number in range(4000):
        load: Case = []
        if number % 40 == 0:
            key = rng.randbytes(16 if number % 80 else 24)
            load = [working(1, "P0", key)]
        pin, pan = digits(rng, 4 + number % 9), digits(rng, 13 + number % 7)
        enter: Case = [("pin_digit", int(digit)) for digit in pin]
        cases.append([*load, ("pin_begin",), *enter, ("pin_block", 1, 0, pan)])
        wanted.append(psec_des.encrypt_tdes_ecb(key, pinblock.encode_pinblock_iso_0(pin, pan)))
    check(cases, wanted)


@pytest.mark.parametrize("size", [8, 16, 24])
def test_mac_cup_like_the_statement_on_psec(size: int) -> None:
    """DES and TDES keys, data of 0 to 300 bytes; the zero-length tail and every remainder of 8."""
    rng = random.Random(SEED + size)
    key = rng.randbytes(size)
    cases: list[Case] = [[working(2, "M0", key), ("mac", 2, MAC_CUP, b"")]]
    wanted = [cup(key, b"")]
    for _ in range(1000):
        data = rng.randbytes(rng.randrange(301))
        cases.append([("mac", 2, MAC_CUP, data)])
        wanted.append(cup(key, data))
    check(cases, wanted)


@pytest.mark.parametrize("size", [16, 32])
def test_cmac_like_cryptography(size: int) -> None:
    """AES keys of two sizes under an AES master key; data in one piece and in pieces."""
    rng = random.Random(SEED + size)
    key, aes_master = rng.randbytes(size), rng.randbytes(32)
    ecb = Cipher(algorithms.AES(aes_master), modes.ECB()).encryptor()
    load = ("load_working", 4, "M6", ecb.update(key), 3, cmac_aes(key, bytes(16))[:4])
    cases: list[Case] = [[*master(3, aes_master, AES), load, ("mac", 4, MAC_CMAC, b"")]]
    wanted = [cmac_aes(key, b"")]
    for number in range(1000):
        data = rng.randbytes(rng.randrange(200))
        cut = rng.randrange(len(data) + 1)
        pieces: Case = [("mac_init", 4, MAC_CMAC), ("mac_update", data[:cut]),
                        ("mac_update", data[cut:]), ("mac_final",)]
        cases.append(pieces if number % 2 else [("mac", 4, MAC_CMAC, data)])
        wanted.append(cmac_aes(key, data))
    check(cases, wanted)


@pytest.mark.parametrize("size", [16, 24])
def test_cmac_of_tdes_like_cryptography(size: int) -> None:
    """SP 800-38B with a 64-bit block."""
    rng = random.Random(SEED + size)
    key = rng.randbytes(size)
    cases: list[Case] = []
    wanted = []
    for _ in range(500):
        data = rng.randbytes(rng.randrange(60))
        cases.append([working(5, "M6", key), ("mac", 5, MAC_CMAC, data)])
        mac = CMAC(TripleDES(key))
        mac.update(data)
        wanted.append(mac.finalize())
    check(cases, wanted)


@pytest.mark.parametrize("size", [16, 24])
def test_tdes_cbc_like_psec(size: int) -> None:
    rng = random.Random(SEED + size)
    key = rng.randbytes(size)
    cases: list[Case] = []
    wanted = []
    for _ in range(500):
        iv, data = rng.randbytes(8), rng.randbytes(8 * rng.randrange(1, 9))
        cases.append([working(6, "D0", key), ("encrypt", 6, iv, data)])
        wanted.append(psec_des.encrypt_tdes_cbc(key, iv, data))
    check(cases, wanted)


@pytest.mark.parametrize("size", [16, 32])
def test_aes_cbc_like_cryptography(size: int) -> None:
    rng = random.Random(SEED + size)
    key, aes_master = rng.randbytes(size), rng.randbytes(24)
    ecb = Cipher(algorithms.AES(aes_master), modes.ECB()).encryptor()
    load = ("load_working", 8, "D0", ecb.update(key), 7, cmac_aes(key, bytes(16))[:4])
    cases: list[Case] = [[*master(7, aes_master, AES), load, ("encrypt", 8, bytes(16), key[:16])]]
    wanted = [cbc_aes(key, bytes(16), key[:16])]
    for _ in range(1000):
        iv, data = rng.randbytes(16), rng.randbytes(16 * rng.randrange(1, 7))
        cases.append([("encrypt", 8, iv, data)])
        wanted.append(cbc_aes(key, iv, data))
    check(cases, wanted)


@pytest.mark.parametrize("alg", [AES, TDES])
def test_decrypt_undoes_encrypt(alg: int) -> None:
    """With a key nobody knows: the encryption is compared above, this closes the circle."""
    rng = random.Random(SEED + alg)
    block = 16 if alg == AES else 8
    cases: list[Case] = [[("generate", 9, "D0", alg)]]
    wanted = []
    for _ in range(500):
        iv, data = rng.randbytes(block), rng.randbytes(block * rng.randrange(1, 9))
        cases.append([("encrypt", 9, iv, data), ("decrypt", 9, iv, {"answer": 0})])
        wanted.append(data)
    answers = ask(cases)[1:]
    assert [opened for _, opened in answers] == wanted
    assert all(sealed != data for (sealed, _), data in zip(answers, wanted))


@pytest.mark.parametrize("size", [8, 16])
def test_tracks_like_the_guide_on_psec(size: int) -> None:
    """PROTOCOL.md: leave the last byte, encipher the eight before it."""
    rng = random.Random(SEED + size)
    key = rng.randbytes(size)
    cases: list[Case] = []
    wanted = []
    for _ in range(500):
        track = digits(rng, 16) + "=" + digits(rng, rng.randrange(4, 21))
        packed = bytes.fromhex(track.replace("=", "D") + "0" * (len(track) % 2))
        middle = psec_des.encrypt_tdes_ecb(key, packed[-9:-1])
        cases.append([working(10, "D0", key), ("encrypt_track", 10, track)])
        wanted.append(packed[:-9] + middle + packed[-1:])
    check(cases, wanted)


def test_check_values_like_cryptography() -> None:
    rng = random.Random(SEED)
    cases: list[Case] = []
    wanted = []
    for number in range(600):
        if number % 2:
            key = rng.randbytes(16 + number % 3 * 8)
            cases.append(master(11, key, AES))
            wanted.append(cmac_aes(key, bytes(16))[:3])
        else:
            key = rng.randbytes(16 + number % 4 // 2 * 8)
            cases.append(master(11, key, TDES, "K1"))
            wanted.append(psec_des.encrypt_tdes_ecb(key, bytes(8))[:3])
    check(cases, wanted)


def test_aes_check_value_of_the_specification() -> None:
    """PINMAC.md, KCV: 3F419E1CB7079442AA37474C2EFBF8B8 gives 08793E25AB."""
    key = bytes.fromhex("3F419E1CB7079442AA37474C2EFBF8B8")
    assert ask([master(0, key, AES)])[0][-1] == bytes.fromhex("08793E")

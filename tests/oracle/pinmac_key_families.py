"""Random cases of keys and what comes of them: key blocks, exports, DUKPT, RSA.

Families as in pinmac_families.py. psec judges key blocks, the package dukpt keys of TDES DUKPT,
cryptography AES and the private side of RSA.
"""

import random

from bitstring import BitArray
from cryptography.hazmat.primitives.asymmetric import rsa
from dukpt import DUKPT
from psec import des as psec_des
from psec import pinblock, tr31

from tests.oracle.pinmac_bench import AES, DES, MAC_CMAC, TDES, master
from tests.oracle.pinmac_cases import (
    KEY_EVERY,
    Calls,
    Case,
    check_value,
    cmac,
    digits,
    ecb,
    entry,
)


def key_blocks(rng: random.Random, count: int) -> list[Case]:
    """Blocks that psec wrapped: versions B and D, every usage, algorithm and size."""
    uses = [("P0", "E", "TA"), ("M0", "C", "DT"), ("M1", "G", "DT"), ("M3", "V", "T"),
            ("M6", "C", "TA"), ("D0", "B", "DTA"), ("K0", "D", "TA"), ("K1", "N", "TA")]
    sizes = {"D": (8,), "T": (16, 24), "A": (16, 24, 32)}
    algs = {"D": DES, "T": TDES, "A": AES}
    cases: list[Case] = []
    kbpk, version, load = b"", "D", []
    for number in range(count):
        if number % KEY_EVERY == 0:
            version = "BD"[number // KEY_EVERY % 2]
            kbpk = rng.randbytes(rng.choice((16, 24) if version == "B" else (16, 24, 32)))
            load = master(28, kbpk, AES if version == "D" else TDES, "K1")
        usage, mode, letters = rng.choice(uses)
        letter = rng.choice(letters)
        key = rng.randbytes(16 if usage == "M3" else rng.choice(sizes[letter]))
        header = tr31.Header(version, usage, letter, mode, digits(rng, 2), rng.choice("NES"))
        if rng.randrange(3) == 0:
            header.blocks["KC"] = digits(rng, 8)
        block = tr31.KeyBlock(kbpk, header).wrap(key).encode()
        calls = [*load, ("erase", 9), ("load_block", 9, block, 28)]
        cases.append((calls, check_value(algs[letter], key)[:3]))
        load = []
    return cases


def exports(rng: random.Random, count: int) -> list[Case]:
    """Generated keys, exported and opened by psec."""
    cases: list[Case] = []
    load: Calls = []
    kbpk = b""
    for number in range(count):
        if number % KEY_EVERY == 0:
            kbpk = rng.randbytes(rng.choice((16, 24, 32)))
            load = master(27, kbpk, AES, "K1")
        alg = (TDES, AES)[number % 2]

        def judge(block: bytes, kbpk: bytes = kbpk, alg: int = alg) -> bool:
            header, key = tr31.unwrap(kbpk, block.decode("ascii"))
            return (header.key_usage, header.exportability) == ("D0", "E") and len(key) == (
                24 if alg == TDES else 32)

        cases.append(([*load, ("generate", 10, "D0", alg), ("export_block", 10, 27)], judge))
        load = []
    return cases


def tdes_derive(key: bytes, ksn: bytes) -> bytes:
    """X9.24-1:2009 A.2, "Non-reversible Key Generation Process", on psec's DES."""
    def half(key: bytes) -> bytes:
        mixed = bytes(a ^ b for a, b in zip(ksn[2:], key[8:]))
        return bytes(a ^ b for a, b in zip(ecb(DES, key[:8], mixed), key[8:]))

    masked = bytes(b ^ (0xC0 if i % 8 < 4 else 0) for i, b in enumerate(key))
    return half(masked) + half(key)


def transaction_key(key: bytes, base: int, counter: int) -> bytes:
    """The TDES key of a counter. The package dukpt must agree where it can: it sees nine bits."""
    ksn, reached, derived = base.to_bytes(10, "big"), 0, key
    for bit in range(20, -1, -1):
        if counter >> bit & 1:
            reached |= 1 << bit
            ksn = (base | reached).to_bytes(10, "big")
            derived = tdes_derive(derived, ksn)
    if counter < 1 << 9:
        server = DUKPT(ipek=key, ksn=ksn)
        assert server.derive_key(BitArray(bytes=key), BitArray(bytes=ksn)).bytes == derived
    return derived


def dukpt_of_tdes(rng: random.Random, count: int) -> list[Case]:
    """The PIN block after a jump to any counter; every second one within the package's reach."""
    cases: list[Case] = []
    kbpk = rng.randbytes(32)
    for number in range(count):
        key, base = rng.randbytes(16), rng.getrandbits(59) << 21
        counter = rng.getrandbits(21 if number % 2 else 8)
        while counter.bit_count() >= 10:
            counter &= rng.getrandbits(21)
        transaction = transaction_key(key, base, counter + 1)
        pin, pan = digits(rng, 4 + number % 9), digits(rng, 13 + number % 7)
        pin_key = bytes(b ^ (0xFF if i % 8 == 7 else 0) for i, b in enumerate(transaction))
        wanted = psec_des.encrypt_tdes_ecb(pin_key, pinblock.encode_pinblock_iso_0(pin, pan))
        block = tr31.KeyBlock(kbpk, tr31.Header("D", "B1", "T", "X", "00", "N")).wrap(key)
        calls = [*(master(29, kbpk, AES, "K1") if number == 0 else []),
                 ("load_dukpt", 11, block.encode(), 29, (base | counter).to_bytes(10, "big")),
                 ("dukpt_next", 11), *entry(pin), ("pin_block", 11, 0, pan)]
        cases.append((calls, wanted))
    return cases


def aes_derive(key: bytes, usage: int, base: bytes, counter: int) -> bytes:
    """X9.24-3 6.3 for AES-128, on cryptography's AES."""
    data = bytes((1, 1)) + usage.to_bytes(2, "big") + bytes((0, 2, 0, 128)) + base[4:]
    return ecb(AES, key, data + counter.to_bytes(4, "big"))


def dukpt_of_aes(rng: random.Random, count: int) -> list[Case]:
    """The CMAC after a jump to any counter; the derivation is the statement of the standard."""
    cases: list[Case] = []
    kbpk = rng.randbytes(32)
    for number in range(count):
        key, base = rng.randbytes(16), rng.randbytes(8)
        counter = rng.getrandbits(32)
        while counter.bit_count() >= 16:
            counter &= rng.getrandbits(32)
        ksn = base + counter.to_bytes(4, "big")
        transaction, reached = key, 0
        for bit in range(31, -1, -1):
            if (counter + 1) >> bit & 1:
                reached |= 1 << bit
                transaction = aes_derive(transaction, 0x8000, base, reached)
        data = rng.randbytes(rng.randrange(40))
        wanted = cmac(AES, aes_derive(transaction, 0x2000, base, counter + 1), data)
        block = tr31.KeyBlock(kbpk, tr31.Header("D", "B1", "A", "X", "00", "N")).wrap(key)
        calls = [*(master(29, kbpk, AES, "K1") if number == 0 else []),
                 ("load_dukpt", 12, block.encode(), 29, ksn), ("dukpt_next", 12),
                 ("mac", 12, MAC_CMAC, data)]
        cases.append((calls, wanted))
    return cases


_RSA: dict[tuple[int, int], rsa.RSAPrivateNumbers] = {}


def rsa_key(rng: random.Random) -> rsa.RSAPrivateNumbers:
    """One of a few RSA keys of 1024 to 1984 bits (cryptography's own randomness)."""
    sort = rng.choice((1024, 1280, 1408, 1984)), rng.choice((3, 65537))
    if sort not in _RSA:
        _RSA[sort] = rsa.generate_private_key(sort[1], sort[0]).private_numbers()
    return _RSA[sort]


def enciphered_pins(rng: random.Random, count: int) -> list[Case]:
    """EMV Book 2 7.2, deciphered with the private key."""
    cases: list[Case] = []
    for number in range(count):
        numbers = rsa_key(rng)
        public = numbers.public_numbers
        size = (public.n.bit_length() + 7) // 8
        pin, challenge = digits(rng, 4 + number % 9), rng.randbytes(8)

        def judge(data: bytes, numbers: rsa.RSAPrivateNumbers = numbers, size: int = size,
                  pin: str = pin, challenge: bytes = challenge) -> bool:
            clear = pow(int.from_bytes(data, "big"), numbers.d, numbers.public_numbers.n)
            opened = clear.to_bytes(size, "big")
            return opened[:17] == b"\x7f" + pinblock.encode_pinblock_iso_2(pin) + challenge

        exponent = public.e if number % 2 else public.e.to_bytes(3 if public.e > 3 else 1, "big")
        calls = [*entry(pin), ("pin_enciphered", public.n.to_bytes(size, "big"), exponent,
                               challenge)]
        cases.append((calls, judge))
    return cases


def recovered_data(rng: random.Random, count: int) -> list[Case]:
    """S^e mod n against Python's pow, for odd moduli of every size."""
    cases: list[Case] = []
    for _ in range(count):
        size = rng.randrange(64, 257)
        modulus = int.from_bytes(rng.randbytes(size), "big") | 1 << 8 * size - 8 | 1
        data, exponent = rng.randrange(modulus), rng.choice((3, 65537))
        wanted = pow(data, exponent, modulus).to_bytes(size, "big")
        cases.append(([("rsa_recover", modulus.to_bytes(size, "big"), exponent,
                        data.to_bytes(size, "big"))], wanted))
    return cases

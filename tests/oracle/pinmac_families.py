"""Random cases for pinmac, by families, each judged by software that nobody here wrote.

A family is a function `(rng, count) -> [(calls, judge)]`: the calls of one case, made in
MicroPython through the face the firmware uses (pinmac_bench.py), and what the last answer must be:
bytes, or a function of the answer. MASTER is in slot 0 before the first case, and a new key comes
every KEY_EVERY cases. psec judges PIN blocks, MACs of DES and TDES, TDES and key blocks;
cryptography AES, SM4, CMAC and RSA's keys; pyemv the retail MAC; dukpt keys of TDES DUKPT.
"""

import random
from collections.abc import Callable, Iterator
from typing import Any

from bitstring import BitArray
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from dukpt import DUKPT
from psec import des as psec_des
from psec import mac as psec_mac
from psec import pinblock, tr31
from pyemv import mac as pyemv_mac

from tests.oracle.pinmac_bench import (
    AES,
    DES,
    MAC_CMAC,
    MAC_CUP,
    MAC_CUP_SM4,
    MAC_X99,
    MAC_X919,
    SM4,
    TDES,
    master,
)

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


def pin_blocks_of_tdes(rng: random.Random, count: int) -> list[Case]:
    """Formats 0, 1 and 3: PINs of 4 to 12 digits, PANs of 13 to 19."""
    cases: list[Case] = []
    for number, (_, key, new) in enumerate(keys(rng, count, {TDES: (16, 24)})):
        pin, pan = digits(rng, 4 + number % 9), digits(rng, 13 + number % 7)
        fmt = (0, 1, 3)[number % 3]
        load = working(1, "P0", TDES, key) if new else []
        calls = [*load, *entry(pin), ("pin_block", 1, fmt, pan)]
        if fmt == 0:
            clear = pinblock.encode_pinblock_iso_0(pin, pan)
            cases.append((calls, psec_des.encrypt_tdes_ecb(key, clear)))
        else:
            cases.append((calls, opens_to(fmt, key, pin, pan)))
    return cases


def opens_to(fmt: int, key: bytes, pin: str, pan: str) -> Callable[[bytes], bool]:
    """A judge of a block with random fill: psec deciphers it and reads the PIN back."""
    def judge(block: bytes) -> bool:
        clear = psec_des.decrypt_tdes_ecb(key, block)
        if fmt == 3:
            return pinblock.decode_pinblock_iso_3(clear, pan) == pin
        return clear.hex().upper().startswith(f"1{len(pin):X}{pin}")
    return judge


def pin_blocks_of_format_4(rng: random.Random, count: int) -> list[Case]:
    """Format 4 under AES, read back by psec: PANs of 1 to 19 digits."""
    cases: list[Case] = []
    for number, (_, key, new) in enumerate(keys(rng, count, {AES: (16, 32)})):
        pin, pan = digits(rng, 4 + number % 9), digits(rng, 1 + number % 19)

        def judge(block: bytes, key: bytes = key, pin: str = pin, pan: str = pan) -> bool:
            return pinblock.decipher_pinblock_iso_4(key, block, pan) == pin

        load = working(2, "P0", AES, key) if new else []
        cases.append(([*load, *entry(pin), ("pin_block", 2, 4, pan)], judge))
    return cases


def pin_blocks_of_sm4(rng: random.Random, count: int) -> list[Case]:
    """Format 4 under SM4, this project's rule: psec's fields around cryptography's cipher."""
    cases: list[Case] = []
    for number, (_, key, new) in enumerate(keys(rng, count, {SM4: (16,)})):
        pin, pan = digits(rng, 4 + number % 9), digits(rng, 1 + number % 19)

        def judge(block: bytes, key: bytes = key, pin: str = pin, pan: str = pan) -> bool:
            decryptor = Cipher(algorithms.SM4(key), modes.ECB()).decryptor()
            inner = decryptor.update(block)
            account = pinblock.encode_pan_field_iso_4(pan)
            field = decryptor.update(bytes(a ^ b for a, b in zip(inner, account)))
            return pinblock.decode_pin_field_iso_4(field) == pin

        load = working(3, "P0", SM4, key) if new else []
        cases.append(([*load, *entry(pin), ("pin_block", 3, 4, pan)], judge))
    return cases


def cup(alg: int, key: bytes, data: bytes) -> bytes:
    """MAC_CUP as PROTOCOL.md states it, on other people's ciphers."""
    size = 16 if alg == SM4 else 8
    folded = 0
    data += bytes(-len(data) % size)
    for at in range(0, len(data), size):
        folded ^= int.from_bytes(data[at:at + size], "big")
    text = f"{folded:0{2 * size}X}".encode()
    first = ecb(alg, key, text[:size])
    mixed = bytes(a ^ b for a, b in zip(first, text[size:]))
    return ecb(alg, key, mixed).hex().upper()[:8].encode()


def in_pieces(slot: int, alg: int, data: bytes, cut: int) -> Calls:
    """A MAC over two pieces."""
    return [("mac_init", slot, alg), ("mac_update", data[:cut]), ("mac_update", data[cut:]),
            ("mac_final",)]


def macs(usage: str, mac: Callable[[int], int], sizes: dict[int, tuple[int, ...]], longest: int,
         judge: Callable[[int, bytes, bytes], bytes]) -> Family:
    """A family of MACs: every second one in two pieces."""
    def family(rng: random.Random, count: int) -> list[Case]:
        cases: list[Case] = []
        for number, (alg, key, new) in enumerate(keys(rng, count, sizes)):
            data = rng.randbytes(rng.randrange(longest + 1))
            load = working(4, usage, alg, key) if new else []
            pieces = in_pieces(4, mac(alg), data, rng.randrange(len(data) + 1))
            calls = pieces if number % 2 else [("mac", 4, mac(alg), data)]
            cases.append(([*load, *calls], judge(alg, key, data)))
        return cases
    return family


def retail(alg: int, key: bytes, data: bytes) -> bytes:
    """Algorithm 3 by psec, which must agree with pyemv where there are data."""
    mac = psec_mac.generate_retail_mac(key[:8], key[8:], data, 1)
    if data:
        assert mac == pyemv_mac.mac_iso9797_3(key[:8], key[8:], data + bytes(-len(data) % 8), 1)
    return mac


def data_keys(rng: random.Random, count: int) -> list[Case]:
    """CBC under TDES, AES and SM4."""
    cases: list[Case] = []
    for alg, key, new in keys(rng, count, {TDES: (16, 24), AES: (16, 32), SM4: (16,)}):
        size = 8 if alg == TDES else 16
        iv, data = rng.randbytes(size), rng.randbytes(size * rng.randrange(1, 9))
        if alg == TDES:
            wanted = psec_des.encrypt_tdes_cbc(key, iv, data)
        else:
            encryptor = Cipher(block_cipher(alg, key), modes.CBC(iv)).encryptor()
            wanted = encryptor.update(data) + encryptor.finalize()
        load = working(5, "D0", alg, key) if new else []
        cases.append(([*load, ("encrypt", 5, iv, data)], wanted))
    return cases


def deciphering(rng: random.Random, count: int) -> list[Case]:
    """CBC backwards, by keys that psec wrapped for deciphering in version D blocks."""
    cases: list[Case] = []
    kbpk = rng.randbytes(32)
    sizes = {TDES: (16, 24), AES: (16, 24, 32)}
    for number, (alg, key, new) in enumerate(keys(rng, count, sizes)):
        size = 8 if alg == TDES else 16
        iv, data = rng.randbytes(size), rng.randbytes(size * rng.randrange(1, 9))
        if alg == TDES:
            sealed = psec_des.encrypt_tdes_cbc(key, iv, data)
        else:
            encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
            sealed = encryptor.update(data)
        load: Calls = []
        if new:
            header = tr31.Header("D", "D0", "T" if alg == TDES else "A", "D", "00", "N")
            block = tr31.KeyBlock(kbpk, header).wrap(key).encode()
            load = [*(master(29, kbpk, AES, "K1") if number == 0 else []),
                    ("load_block", 6, block, 29)]
        cases.append(([*load, ("decrypt", 6, iv, sealed)], data))
    return cases


def tracks(rng: random.Random, count: int) -> list[Case]:
    """PROTOCOL.md: leave the last byte, encipher the eight before it."""
    cases: list[Case] = []
    for alg, key, new in keys(rng, count, {DES: (8,), TDES: (16,)}):
        track = digits(rng, 16) + "=" + digits(rng, rng.randrange(4, 21))
        packed = bytes.fromhex(track.replace("=", "D") + "0" * (len(track) % 2))
        middle = psec_des.encrypt_tdes_ecb(key, packed[-9:-1])
        load = working(7, "D0", alg, key) if new else []
        cases.append(([*load, ("encrypt_track", 7, track)], packed[:-9] + middle + packed[-1:]))
    return cases


def check_values(rng: random.Random, count: int) -> list[Case]:
    """Components of every algorithm and size."""
    sizes = {TDES: (16, 24), AES: (16, 24, 32), SM4: (16,)}
    cases: list[Case] = []
    for _ in range(count):
        alg = rng.choice(list(sizes))
        key = rng.randbytes(rng.choice(sizes[alg]))
        cases.append((master(8, key, alg), check_value(alg, key)[:3]))
    return cases


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


# Each family and its share of the cases, in thousandths.
FAMILIES: dict[str, tuple[Family, int]] = {
    "pin blocks, TDES": (pin_blocks_of_tdes, 180),
    "pin blocks, format 4": (pin_blocks_of_format_4, 60),
    "pin blocks, SM4": (pin_blocks_of_sm4, 30),
    "MAC_CUP": (macs("M0", lambda alg: MAC_CUP, {DES: (8,), TDES: (16, 24)}, 300, cup), 150),
    "MAC_CUP_SM4": (macs("M0", lambda alg: MAC_CUP_SM4, {SM4: (16,)}, 300, cup), 40),
    "MAC_X99": (macs("M1", lambda alg: MAC_X99, {DES: (8,), TDES: (16, 24)}, 90, lambda alg, key,
                     data: psec_mac.generate_cbc_mac(key, data, 1)), 80),
    "MAC_X919": (macs("M3", lambda alg: MAC_X919, {TDES: (16,)}, 90, retail), 80),
    "MAC_CMAC": (macs("M6", lambda alg: MAC_CMAC, {TDES: (16, 24), AES: (16, 32)}, 90, cmac), 90),
    "data": (data_keys, 90),
    "deciphering": (deciphering, 50),
    "tracks": (tracks, 50),
    "check values": (check_values, 30),
    "key blocks": (key_blocks, 30),
    "exports": (exports, 8),
    "DUKPT, TDES": (dukpt_of_tdes, 10),
    "DUKPT, AES": (dukpt_of_aes, 14),
    "enciphered PINs": (enciphered_pins, 3),
    "recovered data": (recovered_data, 5),
}

"""Random cases for pinmac, by families, each judged by software that nobody here wrote.

A family is a function `(rng, count) -> [(calls, judge)]` (pinmac_cases.py); those of key blocks,
DUKPT and RSA are in pinmac_key_families.py. psec judges PIN blocks, MACs of DES and TDES, TDES;
cryptography AES, SM4 and CMAC; pyemv the retail MAC.
"""

import random
from collections.abc import Callable

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
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
from tests.oracle.pinmac_cases import (
    Calls,
    Case,
    Family,
    block_cipher,
    check_value,
    cmac,
    digits,
    ecb,
    entry,
    keys,
    working,
)
from tests.oracle.pinmac_key_families import (
    dukpt_of_aes,
    dukpt_of_tdes,
    enciphered_pins,
    exports,
    key_blocks,
    recovered_data,
)


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

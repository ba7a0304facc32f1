"""pinmac's ciphers and RSA, file by file: against cryptography and Python's own arithmetic."""

import ctypes
import random
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.oracle.pinmac_bench import REPO

LIBRARY = REPO / "lib" / "pinmac"
LEAVES = [LIBRARY / "core" / name
          for name in ("aes.c", "sm4.c", "planes.c", "rsa.c", "secure.c")]
STRICT = ["-std=c99", "-Wall", "-Wextra", "-Wconversion", "-Werror"]

# GB/T 32907-2016, 6.2 a): the table as printed, sixteen columns a row.
SM4_S_BOX = bytes.fromhex(
    "d690e9fecce13db716b614c228fb2c05 2b679a762abe04c3aa44132649860699"
    "9c4250f491ef987a33540b43edcfac62 e4b31ca9c908e89580df94fa758f3fa6"
    "4707a7fcf37317ba83593c19e6854fa8 686b81b27164da8bf8eb0f4b70569d35"
    "1e240e5e6358d1a225227c3b01217887 d40046579fd327524c3602e7a0c4c89e"
    "eabf8ad240c738b5a3f7f2cef96115a1 e0ae5da49b341a55ad933230f58cb1e3"
    "1df6e22e8266ca60c02923ab0d534e6f d5db3745defd8e2f03ff6a726d6c5b51"
    "8d1baf92bbddbc7f11d95c411f105ad8 0ac13188a5cd7bbd2d74d012b8e5b4b0"
    "8969974a0c96777e65b9f109c56ec684 18f07dec3adc4d2079ee5f3ed7cb3948")
FAMILY_KEY = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)
FIRST_ROUND_CONSTANT = 0x00070E15

# GB/T 32907-2016, A.1: key and plaintext, and the first and the last round key.
SM4_KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
SM4_CIPHERTEXT = bytes.fromhex("681EDF34D206965E86B3E94F536E4246")
SM4_ROUND_KEYS = (0xF12186F9, 0x9124A012)

Sm4 = ctypes.c_uint32 * 32


class Aes(ctypes.Structure):
    """struct pinmac_aes of core/aes.h."""

    _fields_ = [("rounds", ctypes.c_uint), ("round_key", ctypes.c_uint32 * 4 * 15)]


class Rsa(ctypes.Structure):
    """struct pinmac_rsa of core/rsa.h, 1,200 bytes."""

    _fields_ = [("memory", ctypes.c_uint32 * 300)]


@pytest.fixture(scope="module")
def leaves(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    """The leaves as a shared library, watched by the undefined-behaviour sanitizer."""
    path = tmp_path_factory.mktemp("pinmac") / "leaves.so"
    subprocess.run(["gcc", *STRICT, "-O2", "-fsanitize=undefined", "-fno-sanitize-recover=all",
                    "-shared", "-fPIC", "-o", path, *LEAVES], check=True)
    library = ctypes.CDLL(str(path))
    library.pinmac_rsa_public.restype = ctypes.c_bool
    return library


def sm4_schedule(leaves: ctypes.CDLL, key: bytes) -> "ctypes.Array[ctypes.c_uint32]":
    schedule = Sm4()
    leaves.pinmac_sm4_init(schedule, key)
    return schedule


def test_sm4_standard_example(leaves: ctypes.CDLL) -> None:
    schedule = sm4_schedule(leaves, SM4_KEY)
    assert (schedule[0], schedule[31]) == SM4_ROUND_KEYS
    block = ctypes.create_string_buffer(SM4_KEY, 16)
    leaves.pinmac_sm4_encrypt(schedule, block)
    assert block.raw == SM4_CIPHERTEXT
    leaves.pinmac_sm4_decrypt(schedule, block)
    assert block.raw == SM4_KEY


def test_sm4_s_box_is_the_printed_one(leaves: ctypes.CDLL) -> None:
    """The first round key of a chosen key is L' of four equal S-box outputs; L' is injective."""
    for index, output in enumerate(SM4_S_BOX):
        word = index * 0x01010101
        chosen = (0, word ^ FIRST_ROUND_CONSTANT, 0, 0)
        key = b"".join((a ^ b).to_bytes(4, "big") for a, b in zip(chosen, FAMILY_KEY, strict=True))
        turned = output ^ (output << 5 | output >> 3) ^ (output << 7 | output >> 1)
        assert sm4_schedule(leaves, key)[0] == (turned & 0xFF) * 0x01010101, index


def test_sm4_against_cryptography(leaves: ctypes.CDLL) -> None:
    rng = random.Random(41)
    for _ in range(2000):
        key, plaintext = rng.randbytes(16), rng.randbytes(16)
        schedule = sm4_schedule(leaves, key)
        block = ctypes.create_string_buffer(plaintext, 16)
        leaves.pinmac_sm4_encrypt(schedule, block)
        theirs = Cipher(algorithms.SM4(key), modes.ECB()).encryptor()
        assert block.raw == theirs.update(plaintext)
        leaves.pinmac_sm4_decrypt(schedule, block)
        assert block.raw == plaintext


def times(a: int, b: int) -> int:
    """FIPS 197 4.2: the product of two bytes modulo x^8 + x^4 + x^3 + x + 1."""
    product = 0
    for bit in range(8):
        product ^= (a if b >> bit & 1 else 0)
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
    return product


def test_aes_s_box_is_the_defined_one(leaves: ctypes.CDLL) -> None:
    """One round under a zero key is SubBytes and ShiftRows; of equal bytes, SubBytes alone."""
    schedule = Aes(rounds=1)
    for byte in range(256):
        inverse = next((other for other in range(256) if times(byte, other) == 1), 0)
        # Equation 5.1: the inverse plus its four left turns, plus {63}.
        output = 0x63
        for turn in range(5):
            output ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
        block = ctypes.create_string_buffer(bytes([byte] * 16), 16)
        leaves.pinmac_aes_encrypt(ctypes.byref(schedule), block)
        assert block.raw == bytes([output] * 16), byte
        leaves.pinmac_aes_decrypt(ctypes.byref(schedule), block)
        assert block.raw == bytes([byte] * 16), byte


def test_aes_against_cryptography(leaves: ctypes.CDLL) -> None:
    rng = random.Random(42)
    for number in range(1500):
        key, plaintext = rng.randbytes((16, 24, 32)[number % 3]), rng.randbytes(16)
        schedule = Aes()
        leaves.pinmac_aes_init(ctypes.byref(schedule), key, ctypes.c_size_t(len(key)))
        block = ctypes.create_string_buffer(plaintext, 16)
        leaves.pinmac_aes_encrypt(ctypes.byref(schedule), block)
        theirs = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
        assert block.raw == theirs.update(plaintext)
        leaves.pinmac_aes_decrypt(ctypes.byref(schedule), block)
        assert block.raw == plaintext


def rsa(leaves: ctypes.CDLL, modulus: bytes, exponent: int, data: bytes) -> bytes | None:
    """What pinmac_rsa_public makes of the data; None where it refuses, which changes nothing."""
    work, buffer = Rsa(), ctypes.create_string_buffer(data, len(data))
    done = leaves.pinmac_rsa_public(ctypes.byref(work), modulus, ctypes.c_size_t(len(modulus)),
                                    ctypes.c_uint32(exponent), buffer)
    assert done or buffer.raw == data
    return buffer.raw if done else None


def powered(modulus: int, exponent: int, data: int, size: int) -> bytes:
    return pow(data, exponent, modulus).to_bytes(size, "big")


def odd_modulus(rng: random.Random, size: int) -> int:
    """An odd number of `size` bytes, the first of which has any number of leading zero bits."""
    first = rng.randrange(1 << rng.randrange(8), 256)
    return int.from_bytes(bytes([first]) + rng.randbytes(size - 1), "big") | 1


def test_rsa_against_python(leaves: ctypes.CDLL) -> None:
    """Each byte length five times and more."""
    rng = random.Random(43)
    sizes = [64 + number % 193 for number in range(1000)]
    for number, size in enumerate(sizes):
        modulus = odd_modulus(rng, size)
        exponent = (3, 65537, (1 << rng.randrange(1, 32)) + 1)[number % 3]
        data = rng.randrange(modulus)
        assert rsa(leaves, modulus.to_bytes(size, "big"), exponent,
                   data.to_bytes(size, "big")) == powered(modulus, exponent, data, size)


@pytest.mark.parametrize("size", [64, 65, 67, 96, 127, 128, 131, 144, 248, 253, 256])
def test_rsa_edges(leaves: ctypes.CDLL, size: int) -> None:
    rng = random.Random(size)
    ends = (256 ** size - 1, 256 ** size // 2 + 1, 256 ** (size - 1) + 1)
    for modulus in (*ends, odd_modulus(rng, size)):
        name = modulus.to_bytes(size, "big")
        for exponent in (3, 5, 65537, 0x80000001):
            for data in (0, 1, 2, modulus - 2, modulus - 1):
                assert rsa(leaves, name, exponent, data.to_bytes(size, "big")) == powered(
                    modulus, exponent, data, size)
        two = (2).to_bytes(size, "big")
        for data in {modulus, min(modulus + 1, 256 ** size - 1), 256 ** size - 1}:
            assert rsa(leaves, name, 3, data.to_bytes(size, "big")) is None
        assert rsa(leaves, (modulus - 1).to_bytes(size, "big"), 3, two) is None
        assert rsa(leaves, b"\0" + name[1:], 3, two) is None


@pytest.mark.parametrize("size", [1, 63, 257, 260])
def test_rsa_refuses_other_sizes(leaves: ctypes.CDLL, size: int) -> None:
    assert rsa(leaves, b"\xFF" * size, 3, b"\x02" * size) is None


COMPILERS = {
    "gcc": ["gcc"],
    "gcc-32": ["gcc", "-m32"],
    "riscv32": ["riscv64-unknown-elf-gcc", "-march=rv32imac", "-mabi=ilp32",
                "--specs=picolibc.specs"],
    "xtensa": ["xtensa-lx106-elf-gcc", "-ffreestanding"],
}


@pytest.mark.parametrize("optimisation", ["-O2", "-Os"])
@pytest.mark.parametrize("compiler", COMPILERS)
def test_leaves_compile_without_a_warning(compiler: str, optimisation: str,
                                          tmp_path: Path) -> None:
    """And none pulls in a division: its time would depend on the operands."""
    command = COMPILERS[compiler]
    for source in LEAVES:
        target = tmp_path / "object.o"
        subprocess.run([*command, *STRICT, optimisation, "-c", "-o", target, source], check=True)
        symbols = subprocess.run([command[0].removesuffix("gcc") + "nm", "-u", target],
                                 capture_output=True, text=True, check=True).stdout
        assert "div" not in symbols and "mod" not in symbols, (source.name, symbols)


def test_leaves_are_constant_time(tmp_path: Path) -> None:
    harness = Path(__file__).with_name("pinmac_leaves.c")
    for optimisation in ("-O0", "-O2", "-Os"):
        program = tmp_path / f"leaves{optimisation}"
        subprocess.run(["gcc", *STRICT, optimisation, "-g", "-DPINMAC_MEMCHECK", f"-I{LIBRARY}",
                        "-o", program, harness, *LEAVES], check=True)
        command = ["valgrind", "--error-exitcode=9", "--leak-check=no", "-q", program]
        honest = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert honest.returncode == 0, honest.stderr
        caught = subprocess.run([*command, "leak"], capture_output=True, text=True, timeout=60,
                                check=False)
        assert caught.returncode == 9, caught.stderr

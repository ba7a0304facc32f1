"""pinmac's DES: its tables are the printed ones, written another way, and it agrees with psec."""

import ctypes
import random
import re
import subprocess
from pathlib import Path

import pytest
from psec import des as psec_des

from tests.oracle.pinmac_bench import REPO

CORE = REPO / "lib" / "pinmac" / "core"
SOURCE = (CORE / "des.c").read_text("utf-8")

# FIPS 46-3 as printed; 1 is the leftmost bit.
PERMUTATION_P = (16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10,
                 2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25)
PERMUTED_CHOICE_2 = (14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10,
                     23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2,
                     41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48,
                     44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32)
INITIAL_PERMUTATION = [column - 8 * row for column in (58, 60, 62, 64, 57, 59, 61, 63)
                       for row in range(8)]


def turns(name: str) -> dict[int, int]:
    """A table of rotations in des.c as output bit → input bit, both counted from the lowest."""
    table = re.search(name + r"\[\] = \{(.*?)\n\};", SOURCE, re.DOTALL)
    assert table is not None
    bits: dict[int, int] = {}
    for mask, left in re.findall(r"\{0x([0-9A-F]{8}), (\d+)\}", table[1]):
        for bit in range(32):
            if int(mask, 16) >> bit & 1:
                assert bit not in bits, f"{name} names bit {bit} twice"
                bits[bit] = (bit - int(left)) % 32
    return bits


@pytest.mark.parametrize(("name", "size", "printed"), [
    ("permutation_p", 32, PERMUTATION_P),
    ("permuted_choice_2_c", 28, PERMUTED_CHOICE_2[:24]),
    ("permuted_choice_2_d", 28, [bit - 28 for bit in PERMUTED_CHOICE_2[24:]]),
])
def test_rotations_make_the_printed_table(name: str, size: int, printed: list[int]) -> None:
    wanted = {len(printed) - 1 - at: size - bit for at, bit in enumerate(printed)}
    assert turns(name) == wanted


def test_exchanges_make_the_initial_permutation() -> None:
    """The five exchanges of des.c, played on the numbers of the bits."""
    steps = re.findall(r"\{([01]), (\d+), 0x([0-9A-F]{8})\}", SOURCE)
    assert len(steps) == 5
    # half[h][b] is the printed number of the bit that stands at b, counted from the lowest.
    half = [[32 - bit for bit in range(32)], [64 - bit for bit in range(32)]]
    for start, shift, mask in ((int(f), int(s), int(m, 16)) for f, s, m in steps):
        for bit in range(32):
            if mask >> bit & 1:
                one, other = half[start], half[1 - start]
                one[bit + shift], other[bit] = other[bit], one[bit + shift]
    assert half[0][::-1] + half[1][::-1] == INITIAL_PERMUTATION


class Tdes(ctypes.Structure):
    """struct pinmac_tdes of core/des.h."""

    _fields_ = [("keys", ctypes.c_uint), ("schedule", ctypes.c_uint8 * (3 * 16 * 8))]


def test_random_blocks_like_psec(tmp_path: Path) -> None:
    path = tmp_path / "des.so"
    subprocess.run(["gcc", "-std=c99", "-O2", "-shared", "-fPIC", "-o", path, CORE / "des.c"],
                   check=True)
    des = ctypes.CDLL(str(path))
    rng, tdes = random.Random(46), Tdes()
    for number in range(3000):
        key, clear = rng.randbytes((8, 16, 24)[number % 3]), rng.randbytes(8)
        block = ctypes.create_string_buffer(clear, 8)
        des.pinmac_tdes_init(ctypes.byref(tdes), key, ctypes.c_size_t(len(key)))
        des.pinmac_tdes_encrypt(ctypes.byref(tdes), block)
        assert block.raw == psec_des.encrypt_tdes_ecb(key, clear)
        des.pinmac_tdes_decrypt(ctypes.byref(tdes), block)
        assert block.raw == clear

"""pinmac against psec, cryptography, pyemv and dukpt on random cases, by the firmware's face."""

import random

import pytest

from tests.oracle.pinmac_bench import AES, TDES, ask, master
from tests.oracle.pinmac_cases import MASTER
from tests.oracle.pinmac_families import FAMILIES

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

SEED = 8583
QUICK, LONG, BATCH = 10_000, 1_000_000, 4_000


def judge(family: str, seed: int, count: int) -> None:
    """Each case's last answer is what the other implementation said."""
    make, _ = FAMILIES[family]
    cases = make(random.Random(seed), count)
    answers = ask([master(0, MASTER, TDES), *[calls for calls, _ in cases]])[1:]
    for (calls, wanted), answer in zip(cases, answers, strict=True):
        right = wanted == answer[-1] if isinstance(wanted, bytes) else wanted(answer[-1])
        assert right, (family, seed, calls, answer)


def test_the_shares_make_a_whole() -> None:
    assert sum(share for _, share in FAMILIES.values()) == 1000


@pytest.mark.parametrize("family", FAMILIES)
def test_random_cases(family: str) -> None:
    """Ten thousand in all."""
    judge(family, SEED, QUICK * FAMILIES[family][1] // 1000)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("family", FAMILIES)
def test_a_million_random_cases(family: str) -> None:
    """A million in all, none of them those of the quick test."""
    left = LONG * FAMILIES[family][1] // 1000
    for batch in range(-(-left // BATCH)):
        judge(family, SEED + 1 + batch, min(BATCH, left - batch * BATCH))


def test_aes_check_value_of_the_specification() -> None:
    """PINMAC.md, KCV: 3F419E1CB7079442AA37474C2EFBF8B8 gives 08793E25AB."""
    key = bytes.fromhex("3F419E1CB7079442AA37474C2EFBF8B8")
    assert ask([master(0, key, AES)])[0][-1] == bytes.fromhex("08793E")


def test_decrypt_undoes_encrypt() -> None:
    """With keys nobody knows, of every algorithm."""
    rng = random.Random(SEED)
    for alg, block in ((TDES, 8), (AES, 16), (4, 16)):
        data = [rng.randbytes(block * rng.randrange(1, 9)) for _ in range(50)]
        answers = ask([[("generate", 9, "D0", alg), *[
            call for clear in data for call in (
                ("encrypt", 9, bytes(block), clear),
                ("decrypt", 9, bytes(block), {"answer": -1}))]]])[0][1:]
        assert answers[1::2] == data
        assert all(sealed != clear for sealed, clear in zip(answers[::2], data))

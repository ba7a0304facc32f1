"""The key slots: what each call gives, and that each of its refusals changes nothing."""

import pytest
from psec import des

from tests.core.desk import (
    MASTER,
    PIN_KEY,
    SLOT_MASTER,
    SLOT_PIN,
    flipped,
    load_master,
    load_working,
    refused,
    under,
    working_core,
)
from tests.core.pinmac_core import AES, DES, SLOTS, TDES, Core

FIELD, KCV = under(MASTER, PIN_KEY)
AES_MASTER = bytes(range(0x40, 0x60))


def described(core: Core, slot: int) -> tuple[bool, bool, str, str, str, int, int]:
    info = core.info(slot)[1]
    return (info.empty, info.complete, info.usage.decode(), info.mode.decode(),
            info.exportability.decode(), info.algorithm, info.size)


def test_components_make_a_key() -> None:
    core = Core()
    assert load_master(core) == des.encrypt_tdes_ecb(MASTER, bytes(8))[:3]
    assert described(core, SLOT_MASTER) == (False, True, "K0", "D", "N", TDES, 16)
    load_master(core, 1, AES_MASTER, AES, "K1")
    assert described(core, 1) == (False, True, "K1", "B", "N", AES, 32)


def test_one_component_is_no_key() -> None:
    core = Core()
    assert core.load_component(2, "K0", TDES, bytes(range(16))) == ("OK", None)
    assert described(core, 2)[:2] == (False, False)
    assert core.kcv(2) == ("KEY_INCOMPLETE", None)
    refused(core, "SLOT_TAKEN", core.generate, 2, "D0", AES)
    assert core.erase(2) == ("OK", None) and core.kcv(2)[0] == "SLOT_EMPTY"


@pytest.mark.parametrize(
    ("result", "slot", "usage", "algorithm", "size"),
    [
        ("BAD_SLOT", SLOTS, "K0", TDES, 16),
        ("BAD_USAGE", 5, "XX", TDES, 16),
        ("WRONG_USAGE", 5, "P0", TDES, 16),
        ("BAD_ALGORITHM", 5, "K0", DES, 8),
        ("BAD_ALGORITHM", 5, "K0", 0, 16),
        ("BAD_ALGORITHM", 5, "K0", 99, 16),
        ("BAD_SIZE", 5, "K0", TDES, 15),
        ("BAD_SIZE", 5, "K0", TDES, 32),
        ("BAD_SIZE", 5, "K0", AES, 0),
        ("SLOT_TAKEN", SLOT_MASTER, "K0", TDES, 16),
    ],
)
def test_components_refused(result: str, slot: int, usage: str, algorithm: int, size: int) -> None:
    core = working_core()
    part = bytes([7]) * size
    refused(core, result, core.load_component, slot, usage, algorithm, part)


@pytest.mark.parametrize(
    ("result", "usage", "algorithm", "part"),
    [
        ("WRONG_USAGE", "K1", TDES, bytes(16)),
        ("BAD_SIZE", "K0", AES, bytes(16)),
        ("BAD_SIZE", "K0", TDES, bytes(24)),
        ("BAD_COMPONENTS", "K0", TDES, bytes(range(16))),
    ],
)
def test_second_components_refused(result: str, usage: str, algorithm: int, part: bytes) -> None:
    core = working_core()
    core.load_component(5, "K0", TDES, bytes(range(16)))
    refused(core, result, core.load_component, 5, usage, algorithm, part)
    # The first component still waits for its fellow.
    assert core.load_component(5, "K0", TDES, bytes([1]) * 16)[0] == "OK"


def test_components_only_in_the_power_cycle_that_made_the_salt() -> None:
    core = Core()
    core.board.switches.components_only_fresh = 1
    load_master(core)
    core.reboot()
    refused(core, "COMPONENTS_CLOSED", core.load_component, 3, "K0", TDES, bytes(16))
    assert core.zeroize() == ("OK", None)
    load_master(core)


@pytest.mark.parametrize(
    ("usage", "key", "mode", "algorithm"),
    [
        ("P0", bytes(range(1, 17)), "E", TDES),
        ("P0", bytes(range(1, 25)), "E", TDES),
        ("M0", bytes(range(1, 9)), "C", DES),
        ("M6", bytes(range(1, 17)), "C", TDES),
        ("D0", bytes(range(1, 9)), "E", DES),
    ],
)
def test_working_keys(usage: str, key: bytes, mode: str, algorithm: int) -> None:
    core = working_core()
    load_working(core, 4, usage, key)
    assert described(core, 4) == (False, True, usage, mode, "N", algorithm, len(key))
    assert core.kcv(4) == ("OK", under(MASTER, key)[1][:3])


def test_a_field_whose_second_half_is_zero_is_a_single_length_key() -> None:
    core = working_core()
    cryptogram, kcv = under(MASTER, bytes(range(1, 9)))
    assert core.load_working(4, "M0", cryptogram + bytes(8), SLOT_MASTER, kcv) == ("OK", None)
    assert described(core, 4)[5:] == (DES, 8)


@pytest.mark.parametrize(
    ("result", "change"),
    [
        ("BAD_USAGE", {"usage": "XX"}),
        ("WRONG_USAGE", {"usage": "K0"}),
        ("SAME_SLOT", {"slot": SLOT_MASTER}),
        ("SLOT_TAKEN", {"slot": 6}),
        ("BAD_SLOT", {"slot": SLOTS}),
        ("BAD_SLOT", {"master": SLOTS}),
        ("SLOT_EMPTY", {"master": 9}),
        ("KEY_INCOMPLETE", {"master": 7}),
        ("WRONG_USAGE", {"master": SLOT_PIN}),
        ("BAD_SIZE", {"kcv": KCV[:3]}),
        ("BAD_SIZE", {"cryptogram": FIELD[:15]}),
        ("BAD_SIZE", {"cryptogram": FIELD * 2}),
        ("BAD_SIZE", {"cryptogram": b""}),
        ("WRONG_ALGORITHM", {"cryptogram": FIELD[:8]}),
        ("BAD_CHECK_VALUE", {"kcv": flipped(KCV)}),
        ("BAD_CHECK_VALUE", {"kcv": flipped(KCV, 3)}),
        ("BAD_CHECK_VALUE", {"cryptogram": flipped(FIELD, 9)}),
        ("BOUND_ELSEWHERE", {"usage": "M6"}),
    ],
)
def test_working_keys_refused(result: str, change: dict[str, object]) -> None:
    core = working_core()
    load_master(core, 6, AES_MASTER, AES)
    core.load_component(7, "K0", TDES, bytes(16))
    call = {"slot": 4, "usage": "P0", "cryptogram": FIELD, "master": SLOT_MASTER, "kcv": KCV}
    refused(core, result, core.load_working, **(call | change))


def test_an_aes_master_takes_keys_of_16_and_32_bytes() -> None:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
    from cryptography.hazmat.primitives.cmac import CMAC

    core = working_core()
    load_master(core, 6, AES_MASTER, AES)
    wrap = Cipher(algorithms.AES(AES_MASTER), modes.ECB()).encryptor()
    for size in (16, 32):
        key = bytes(range(size))
        cmac = CMAC(algorithms.AES(key))
        cmac.update(bytes(16))
        kcv = cmac.finalize()[:4]
        assert core.load_working(4, "M6", wrap.update(key), 6, kcv) == ("OK", None)
        assert core.kcv(4) == ("OK", kcv[:3])
    refused(core, "BAD_SIZE", core.load_working, 4, "M6", bytes(24), 6, kcv)


@pytest.mark.parametrize(
    ("result", "slot", "usage", "algorithm"),
    [
        ("BAD_USAGE", 5, "XX", AES),
        ("WRONG_USAGE", 5, "K0", AES),
        ("BAD_SLOT", SLOTS, "D0", AES),
        ("SLOT_TAKEN", SLOT_MASTER, "D0", AES),
        ("BAD_ALGORITHM", 5, "D0", DES),
        ("BAD_ALGORITHM", 5, "M0", AES),
        ("BAD_ALGORITHM", 5, "D0", 0),
    ],
)
def test_generate_refused(result: str, slot: int, usage: str, algorithm: int) -> None:
    core = working_core()
    refused(core, result, core.generate, slot, usage, algorithm)


def test_generated_keys_differ_and_have_odd_parity() -> None:
    core = Core()
    values = set()
    for slot, (usage, algorithm) in enumerate([("D0", AES), ("D0", TDES), ("M6", TDES)] * 3):
        assert core.generate(slot, usage, algorithm)[0] == "OK"
        assert described(core, slot)[3:] == (
            "C" if usage == "M6" else "B", "E", algorithm, 32 if algorithm == AES else 24)
        values.add(core.kcv(slot)[1])
    assert len(values) == 9


@pytest.mark.parametrize("call", ["kcv", "info", "erase", "seal"])
def test_slots_out_of_range(call: str) -> None:
    core = working_core()
    for slot in (SLOTS, 0xFFFFFFFF):
        refused(core, "BAD_SLOT", getattr(core, call), slot)
    refused(core, "BAD_SLOT", core.unseal, SLOTS, b"")


def test_sealed_keys_come_back_and_nothing_else_does() -> None:
    core = working_core()
    load_working(core, 4, "M0", bytes(range(1, 9)))
    core.generate(5, "D0", AES)
    for slot in (SLOT_MASTER, SLOT_PIN, 4, 5):
        block = core.seal(slot)[1]
        before = described(core, slot)
        assert core.unseal(slot + 10, block) == core.kcv(slot)
        assert described(core, slot + 10) == before
    refused(core, "SLOT_EMPTY", core.seal, 9)
    refused(core, "SLOT_TAKEN", core.unseal, SLOT_MASTER, block)
    for size in (0, 15, 16, len(block) - 1):
        refused(core, "BAD_BLOCK", core.unseal, 20, block[:size])


def test_every_changed_character_of_a_sealed_block_is_refused() -> None:
    core = working_core()
    block = core.seal(SLOT_PIN)[1]
    before = core.snapshot()
    for at in range(len(block)):
        for other in b"0A5TDEfgz:/@G ":
            if other != block[at]:
                changed = block[:at] + bytes([other]) + block[at + 1:]
                assert core.unseal(20, changed) == ("BAD_BLOCK", None)
    assert core.snapshot() == before


def test_zeroize_leaves_nothing() -> None:
    core = working_core()
    block = core.seal(SLOT_PIN)[1]
    core.mac_init(SLOT_PIN, 1)
    core.pin_begin()
    assert core.zeroize() == ("OK", None)
    assert [core.info(slot)[1].empty for slot in range(SLOTS)] == [True] * SLOTS
    assert core.pin_length()[0] == "NO_PIN_ENTRY"
    refused(core, "NO_SALT", core.unseal, SLOT_PIN, block)
    load_master(core)
    refused(core, "BAD_BLOCK", core.unseal, SLOT_PIN, block)

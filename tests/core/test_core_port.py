"""What the core does when its board fails: each store, the secret, the entropy, the self-test."""

import pytest

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
from tests.core.pinmac_core import AES, RECORDS, TDES, Core

FIELD, KCV = under(MASTER, PIN_KEY)
PART = bytes(range(16))


def test_no_secret() -> None:
    core = Core()
    core.board.switches.secret_missing = 1
    assert core.load_component(0, "K0", TDES, PART) == ("NO_SECRET", None)
    core.board.switches.secret_missing = 0
    load_master(core)


def test_no_storage_for_the_salt() -> None:
    core = Core()
    core.board.switches.salt_create_fails = 1
    refused(core, "NO_STORAGE", core.load_component, 0, "K0", TDES, PART)
    refused(core, "NO_STORAGE", core.generate, 0, "D0", AES)


def test_zeroize_wipes_even_when_the_salt_stays() -> None:
    core = working_core()
    core.board.switches.salt_destroy_fails = 1
    assert core.zeroize() == ("NO_STORAGE", None)
    assert core.kcv(SLOT_PIN)[0] == core.kcv(SLOT_MASTER)[0] == "SLOT_EMPTY"
    core.board.switches.salt_destroy_fails = 0
    assert core.zeroize() == ("OK", None)
    assert core.board.stores.salt_there == 0 and bytes(core.board.stores.salt) == bytes(32)


def test_no_entropy() -> None:
    core = Core()
    core.board.switches.random_left = 0
    refused(core, "NO_ENTROPY", core.generate, 0, "D0", AES)
    refused(core, "NO_ENTROPY", core.random, 16)
    core.board.switches.random_left = 1  # enough for the salt
    assert core.generate(0, "D0", AES) == ("NO_ENTROPY", None)
    core = working_core()
    core.board.switches.random_left = 0
    refused(core, "NO_ENTROPY", core.seal, SLOT_PIN)


@pytest.mark.parametrize(
    ("switch", "value"),
    [("random_left", 0), ("random_left", 1), ("random_constant", 256), ("random_constant", 0x1A5),
     ("random_flat", 1), ("random_biased", 3), ("random_repeats", 1)],
)
def test_a_bad_source_of_entropy_fails_the_self_test(switch: str, value: int) -> None:
    core = working_core()
    setattr(core.board.switches, switch, value)
    assert core.self_test() == ("SELF_TEST_FAILED", None)
    assert core.self_tested() == ("SELF_TEST_FAILED", None)
    assert core.pin_begin() == ("SELF_TEST_FAILED", None)
    assert core.pin_digit(1)[0] == "NO_PIN_ENTRY"
    core.board.switches.random_left = 100
    core.board.switches.random_constant = core.board.switches.random_flat = 0
    core.board.switches.random_biased = core.board.switches.random_repeats = 0
    assert core.self_test() == core.self_tested() == core.pin_begin() == ("OK", None)


# One known answer of each algorithm, as core/self_test.c quotes it from the source it names.
KNOWN_ANSWERS = {
    "DES": "3FA40E8A984D4815",
    "TDES, two keys": "6701EAD6A9AD51E5",
    "TDES, three keys": "A826FD8CE53B855F",
    "AES-128": "69C4E0D86A7B0430D8CDB78070B4C55A",
    "AES-256": "8EA2B7CA516745BFEAFC49904B496089",
    "CMAC": "DFA66747DE9AE63030CA32611497C827",
    "MAC_CUP": "42334130",
    "ISO 9797-1 algorithm 1": "F1D30F6849312CA4",
    "ISO 9797-1 algorithm 3": "78DA3D3DEB48FD4D",
    "SM4": "681EDF34D206965E86B3E94F536E4246",
    "PIN block, format 0": "041261AAAAEDCBA9",
    "PIN block, format 4": "28B41FDDD29B743E93124BD8E32D921E",
    "DUKPT of TDES": "042666B49184CFA368DE9628D0397BC9",
    "DUKPT of AES": "4F21B565BAD9835E112B6465635EAE44",
    "DUKPT of AES, PIN": "AF8CB133A78F8DC2D1359F18527593FB",
    "key block": "807A23AD32B36D457AE91FDF927570EA",
    "key block, its MAC": b"25EC8FEA8658065969ADE3B998938142".hex(),
}


@pytest.mark.parametrize("name", KNOWN_ANSWERS)
def test_a_wrong_answer_fails_the_self_test(name: str) -> None:
    """One bit of the library's image is flipped: the answer no longer fits the algorithm."""
    core = Core(damage=bytes.fromhex(KNOWN_ANSWERS[name]))
    assert core.self_test() == ("SELF_TEST_FAILED", None)
    assert core.pin_begin() == ("SELF_TEST_FAILED", None)


def reload(core: Core) -> str:
    return core.load_working(SLOT_PIN, "P0", FIELD, SLOT_MASTER, KCV)[0]


def test_a_full_log_takes_no_new_key_and_serves_the_old() -> None:
    core = working_core()
    core.board.switches.record_capacity = core.board.stores.records
    cryptogram, kcv = under(MASTER, bytes(range(16)))
    refused(core, "NO_STORAGE",
            core.load_working, 4, "P0", cryptogram, SLOT_MASTER, kcv)
    assert reload(core) == "OK"


@pytest.mark.parametrize("written", [0, 1])
def test_power_goes_between_the_records(written: int) -> None:
    """A key of two blocks whose second record did not land: not loaded, and loadable later."""
    core = Core()
    load_master(core)
    core.board.switches.writes_left = written
    assert reload(core) == "NO_STORAGE" and core.kcv(SLOT_PIN)[0] == "SLOT_EMPTY"
    core.board.switches.writes_left = 0xFFFFFFFF
    core.reboot()
    load_master(core)
    assert reload(core) == "OK" and core.board.stores.records == 2


def test_blocks_are_bound_one_by_one() -> None:
    """Half of a PIN key's cryptogram does not pass as another key."""
    core = working_core()
    single, kcv = under(MASTER, PIN_KEY[:8])
    assert single == FIELD[:8]
    refused(core, "BOUND_ELSEWHERE",
            core.load_working, 4, "D0", single, SLOT_MASTER, kcv)


@pytest.mark.parametrize("number", [0, 1, 4])
@pytest.mark.parametrize("at", [0, 7, 8, 9, 10, 15])
def test_an_altered_record_is_refused(number: int, at: int) -> None:
    core = working_core()
    for first in range(2, 6):
        load_working(core, 4, "D0", bytes(range(first, first + 16)))
    record = core.board.stores.record[number]
    record[:] = flipped(bytes(record), at)
    refused(core, "BAD_LOG", core.load_working, SLOT_PIN, "P0", FIELD, SLOT_MASTER, KCV)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_a_log_whose_end_is_cut_off_is_refused(kept: int) -> None:
    """Without its newest records a cryptogram could serve a second usage."""
    core = working_core()
    load_working(core, 4, "D0", bytes(range(2, 18)))
    core.board.stores.records = kept
    refused(core, "BAD_LOG", core.load_working, SLOT_PIN, "P0", FIELD, SLOT_MASTER, KCV)


def test_the_counter_of_the_log_fails() -> None:
    core = working_core()
    core.board.switches.counters_unreadable = 1
    refused(core, "NO_STORAGE", core.load_working, SLOT_PIN, "P0", FIELD, SLOT_MASTER, KCV)
    core.board.switches.counters_unreadable = 0
    # A record too many, whose counter was not raised: power went between the two. No harm.
    core.board.switches.counters_stuck = 1
    cryptogram, kcv = under(MASTER, bytes(range(16)))
    assert core.load_working(4, "P0", cryptogram, SLOT_MASTER, kcv) == ("NO_STORAGE", None)
    assert core.kcv(4)[0] == "SLOT_EMPTY"
    core.board.switches.counters_stuck = 0
    assert core.load_working(4, "P0", cryptogram, SLOT_MASTER, kcv) == ("OK", None)
    assert core.board.stores.records == core.board.stores.counter[0] == 4


def test_a_torn_last_record_is_passed_over() -> None:
    core = working_core()
    for fill in (0x00, 0xFF, 0xA5):
        core.board.stores.record[core.board.stores.records][:] = bytes([fill]) * 16
        core.board.stores.records += 1
        load_working(core, 4, "D0", bytes(range(fill, fill + 16) if fill < 200 else range(9, 25)))
    assert reload(core) == "OK"


def test_the_log_of_another_device_is_refused() -> None:
    core = working_core()
    for first in range(2, 6):
        load_working(core, 4, "D0", bytes(range(first, first + 16)))
    core.board.stores.secret[0] ^= 1
    core.reboot()
    load_master(core)
    assert reload(core) == "BAD_LOG"


def test_the_fake_log_has_room() -> None:
    assert working_core().board.stores.records < RECORDS // 2

"""PIN entry, MACs and data: what each call gives; its refusals change nothing."""

import pytest
from psec import des, pinblock

from tests.core.desk import (
    PAN,
    PIN_KEY,
    SLOT_MASTER,
    SLOT_PIN,
    enter,
    flipped,
    load_master,
    load_working,
    refused,
    working_core,
)
from tests.core.key_blocks import authentic, clear_of
from tests.core.pinmac_core import AES, MAC_CMAC, MAC_CUP, MAC_CUP_SM4, SLOTS, SM4, TDES, Core

(MAC_KEY, TRACK_KEY, AES_DATA, TDES_DATA, AES_MAC, AES_PIN, DES_DATA, TDES_MAC, SM4_DATA, SM4_MAC,
 SM4_PIN) = range(10, 21)


AES_KBPK = bytes(range(0x80, 0xA0))


@pytest.fixture
def core() -> Core:
    core = working_core()
    load_working(core, MAC_KEY, "M0", bytes(range(0x11, 0x19)))
    load_working(core, TRACK_KEY, "D0", bytes(range(0x21, 0x31)))
    load_working(core, DES_DATA, "D0", bytes(range(0x31, 0x39)))
    for slot, usage, algorithm in ((AES_DATA, "D0", AES), (TDES_DATA, "D0", TDES),
                                   (AES_MAC, "M6", AES), (TDES_MAC, "M6", TDES),
                                   (AES_PIN, "P0", AES), (SM4_DATA, "D0", SM4),
                                   (SM4_MAC, "M0", SM4), (SM4_PIN, "P0", SM4)):
        assert core.generate(slot, usage, algorithm)[0] == "OK"
    return core


# ---- PIN entry


def test_pin_block(core: Core) -> None:
    enter(core, "1234569")
    assert core.pin_back() == ("OK", 6)
    assert core.pin_block(SLOT_PIN, 0, PAN) == ("OK", bytes.fromhex("BDFD42DCF960C8B6"))
    assert core.pin_length() == ("NO_PIN_ENTRY", None)


@pytest.mark.parametrize("lengths", [(3, 12), (4, 13), (8, 7), (0, 0)])
def test_pin_lengths_refused(core: Core, lengths: tuple[int, int]) -> None:
    enter(core, "12")
    refused(core, "BAD_PIN_LENGTHS", core.pin_begin, *lengths)
    assert core.pin_length()[0] == "NO_PIN_ENTRY"


def test_digits(core: Core) -> None:
    refused(core, "NO_PIN_ENTRY", core.pin_digit, 1)
    refused(core, "NO_PIN_ENTRY", core.pin_back)
    refused(core, "NO_PIN_ENTRY", core.pin_block, SLOT_PIN, 0, PAN)
    assert core.pin_begin(4, 6) == ("OK", None)
    assert core.pin_back() == ("OK", 0)
    for number, digit in enumerate((0, 9, 5, 1, 2, 3), 1):
        for bad in (10, 15, 16, 0x80, 0x10005, 0xFFFFFFFF):
            assert core.pin_digit(bad) == ("BAD_DIGIT", None)
        assert core.pin_digit(digit) == ("OK", number)
    assert core.pin_digit(4) == ("PIN_FULL", None)
    assert core.pin_length() == ("OK", 6)
    core.pin_cancel()
    assert core.pin_digit(1)[0] == "NO_PIN_ENTRY"


@pytest.mark.parametrize(
    ("result", "pin", "slot", "form", "pan"),
    [
        ("BAD_SLOT", "1234", SLOTS, 0, PAN),
        ("SLOT_EMPTY", "1234", 9, 0, PAN),
        ("WRONG_USAGE", "1234", SLOT_MASTER, 0, PAN),
        ("WRONG_ALGORITHM", "1234", AES_PIN, 0, PAN),
        ("WRONG_ALGORITHM", "1234", AES_PIN, 1, PAN),
        ("WRONG_ALGORITHM", "1234", AES_PIN, 3, PAN),
        ("WRONG_ALGORITHM", "1234", SLOT_PIN, 4, PAN),
        ("WRONG_ALGORITHM", "1234", SM4_PIN, 0, PAN),
        ("BAD_FORMAT", "1234", SLOT_PIN, 2, PAN),
        ("BAD_FORMAT", "1234", SLOT_PIN, 5, PAN),
        ("BAD_FORMAT", "1234", SLOT_PIN, -1, PAN),
        ("BAD_PAN", "1234", SLOT_PIN, 0, "123456789012"),
        ("BAD_PAN", "1234", SLOT_PIN, 0, "1" * 20),
        ("BAD_PAN", "1234", SLOT_PIN, 0, "123456789012/"),
        ("BAD_PAN", "1234", SLOT_PIN, 0, "123456789012:"),
        ("BAD_PAN", "1234", SLOT_PIN, 3, "123456789012"),
        ("BAD_PAN", "1234", AES_PIN, 4, ""),
        ("BAD_PAN", "1234", AES_PIN, 4, "1" * 20),
        ("PIN_TOO_SHORT", "123", SLOT_PIN, 0, PAN),
        ("PIN_TOO_SHORT", "123", SLOT_PIN, 1, PAN),
        ("PIN_TOO_SHORT", "123", AES_PIN, 4, PAN),
    ],
)
def test_pin_block_refused(core: Core, result: str, pin: str, slot: int, form: int,
                           pan: str) -> None:
    enter(core, pin)
    refused(core, result, core.pin_block, slot, form, pan)
    assert core.pin_length()[0] == "NO_PIN_ENTRY"


def test_formats_of_the_standard_against_psec(core: Core) -> None:
    """Each format in turn, its block deciphered by psec or cryptography and read by psec."""
    aes_pin = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
    load_master(core, 25, AES_KBPK, AES, "K1")
    block = authentic("D", AES_KBPK, "D#P0AE00N0000", clear_of(aes_pin, 48))
    assert core.load_block(26, block, 25)[0] == "OK"
    for pin in ("1234", "12345", "123456789012"):
        for pan in ("6222021234567890123", "1234567890123"):
            for form, slot in ((0, SLOT_PIN), (1, SLOT_PIN), (3, SLOT_PIN), (4, 26)):
                enter(core, pin)
                result, block = core.pin_block(slot, form, pan)
                assert result == "OK"
                if form == 4:
                    assert pinblock.decipher_pinblock_iso_4(aes_pin, block, pan) == pin
                    continue
                clear = des.decrypt_tdes_ecb(PIN_KEY, block)
                if form == 1:
                    assert clear.hex().upper().startswith(f"1{len(pin):X}{pin}")
                else:
                    decode = {0: pinblock.decode_pinblock_iso_0, 3: pinblock.decode_pinblock_iso_3}
                    assert decode[form](clear, pan) == pin
        enter(core, pin)
        short = core.pin_block(26, 4, "7")[1]
        assert len(short) == 16


@pytest.mark.parametrize(("form", "slot"), [(1, SLOT_PIN), (3, SLOT_PIN), (4, AES_PIN),
                                            (4, SM4_PIN)])
def test_the_fill_is_random_and_needs_entropy(core: Core, form: int, slot: int) -> None:
    blocks = set()
    for _ in range(20):
        enter(core, "1234")
        blocks.add(core.pin_block(slot, form, PAN)[1])
    assert len(blocks) == 20 and None not in blocks
    enter(core, "1234")
    core.board.switches.random_left = 0
    refused(core, "NO_ENTROPY", core.pin_block, slot, form, PAN)
    assert core.pin_length()[0] == "NO_PIN_ENTRY"


# ---- MACs


@pytest.mark.parametrize(("slot", "algorithm", "size"), [(MAC_KEY, MAC_CUP, 8),
                                                         (AES_MAC, MAC_CMAC, 16),
                                                         (TDES_MAC, MAC_CMAC, 8),
                                                         (SM4_MAC, MAC_CUP_SM4, 8)])
@pytest.mark.parametrize("length", [0, 1, 8, 15, 16, 17, 48])
def test_macs(core: Core, slot: int, algorithm: int, size: int, length: int) -> None:
    data = bytes(range(length))
    result, mac = core.mac(slot, algorithm, data)
    assert result == "OK" and len(mac) == size
    assert core.mac_verify(slot, algorithm, data, mac) == ("OK", None)
    refused(core, "BAD_MAC", core.mac_verify, slot, algorithm, data, flipped(mac))
    refused(core, "BAD_MAC", core.mac_verify, slot, algorithm, data, flipped(mac, -1))
    for wrong in (b"", mac[:3], mac + b"0"):
        refused(core, "BAD_SIZE", core.mac_verify, slot, algorithm, data, wrong)
    assert core.mac_verify(slot, algorithm, data, mac[:4])[0] == (
        "OK" if algorithm == MAC_CMAC else "BAD_SIZE")
    for finish in (lambda: core.mac_final_verify(mac) == ("OK", None),
                   lambda: core.mac_final() == ("OK", mac)):
        assert core.mac_init(slot, algorithm) == ("OK", None)
        for at in range(0, length, 7):
            assert core.mac_update(data[at:at + 7]) == ("OK", None)
        assert finish()


def test_macs_refused(core: Core) -> None:
    for call in (core.mac, core.mac_init):
        more = (b"",) if call == core.mac else ()
        refused(core, "BAD_ALGORITHM", call, MAC_KEY, 0, *more)
        refused(core, "BAD_ALGORITHM", call, MAC_KEY, 99, *more)
        refused(core, "WRONG_USAGE", call, MAC_KEY, MAC_CMAC, *more)
        refused(core, "WRONG_USAGE", call, SLOT_PIN, MAC_CUP, *more)
        refused(core, "WRONG_ALGORITHM", call, SM4_MAC, MAC_CUP, *more)
        refused(core, "WRONG_ALGORITHM", call, MAC_KEY, MAC_CUP_SM4, *more)
        refused(core, "BAD_SLOT", call, SLOTS, MAC_CUP, *more)
    refused(core, "SLOT_EMPTY", core.mac_verify, 9, MAC_CUP, b"", bytes(8))
    refused(core, "NO_MAC_OPEN", core.mac_update, b"1")
    refused(core, "NO_MAC_OPEN", core.mac_final)
    refused(core, "NO_MAC_OPEN", core.mac_final_verify, bytes(8))


def test_one_mac_at_a_time(core: Core) -> None:
    assert core.mac_init(MAC_KEY, MAC_CUP)[0] == "OK"
    refused(core, "MAC_OPEN", core.mac_init, AES_MAC, MAC_CMAC)
    assert core.mac(AES_MAC, MAC_CMAC, b"beside it")[0] == "OK"
    core.mac_forget(AES_MAC)
    assert core.mac_update(b"still open") == ("OK", None)
    core.mac_forget(MAC_KEY)
    assert core.mac_update(b"gone")[0] == "NO_MAC_OPEN"


@pytest.mark.parametrize("act", ["erase", "load", "zeroize"])
def test_a_new_key_in_the_slot_ends_the_mac(core: Core, act: str) -> None:
    assert core.mac_init(MAC_KEY, MAC_CUP)[0] == "OK"
    if act == "erase":
        core.erase(MAC_KEY)
    elif act == "load":
        core.generate(MAC_KEY, "M0", TDES)
    else:
        core.zeroize()
    assert core.mac_final()[0] == "NO_MAC_OPEN"


# ---- data, tracks, random


@pytest.mark.parametrize(("slot", "block"), [(AES_DATA, 16), (TDES_DATA, 8), (SM4_DATA, 16)])
def test_data_goes_there_and_back(core: Core, slot: int, block: int) -> None:
    iv, data = bytes(range(block)), bytes(range(48))
    secret = core.encrypt(slot, iv, data)[1]
    assert secret != data and core.decrypt(slot, iv, secret) == ("OK", data)
    for call in (core.encrypt, core.decrypt):
        refused(core, "BAD_SIZE", call, slot, iv[1:], data)
        refused(core, "BAD_SIZE", call, slot, iv, b"")
        refused(core, "BAD_SIZE", call, slot, iv, data[1:])
        refused(core, "WRONG_USAGE", call, AES_MAC, iv, data)
        refused(core, "SLOT_EMPTY", call, 9, iv, data)


def test_a_working_key_never_deciphers(core: Core) -> None:
    refused(core, "WRONG_MODE", core.decrypt, TRACK_KEY, bytes(8), bytes(8))
    refused(core, "WRONG_ALGORITHM", core.encrypt, DES_DATA, bytes(8), bytes(8))


@pytest.mark.parametrize("slot", [TRACK_KEY, DES_DATA, TDES_DATA])
def test_tracks(core: Core, slot: int) -> None:
    for track in ("1" * 18, "6225880000071234=3012", "6225880000071234D3012", "9" * 104):
        result, packed = core.encrypt_track(slot, track)
        assert result == "OK" and len(packed) == (len(track) + 1) // 2
    for bad in ("1" * 17, "1" * 105, "1" * 20 + "A", "1" * 20 + "/", ":" + "1" * 20):
        refused(core, "BAD_TRACK", core.encrypt_track, slot, bad)


def test_tracks_refused(core: Core) -> None:
    refused(core, "WRONG_ALGORITHM", core.encrypt_track, AES_DATA, "1" * 20)
    refused(core, "WRONG_ALGORITHM", core.encrypt_track, SM4_DATA, "1" * 20)
    refused(core, "WRONG_USAGE", core.encrypt_track, SLOT_PIN, "1" * 20)


def test_random_never_repeats(core: Core) -> None:
    assert len({core.random(16)[1] for _ in range(100)}) == 100
    assert core.random(0) == ("OK", b"")

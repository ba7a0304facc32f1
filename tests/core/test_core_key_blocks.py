"""Key blocks through the core's calls: what goes in, what comes out, and what is refused whole.

The blocks are made by cryptography (key_blocks.py) or by psec 1.3.0 under the bytes 00 to 1F.
"""

import pytest
from psec import tr31

from tests.core.desk import SLOT_MASTER, flipped, load_master, refused
from tests.core.key_blocks import BAD_HEADERS, GOOD_HEADERS, authentic, clear_of
from tests.core.pinmac_core import AES, DES, MAC_CMAC, MAC_X99, SLOTS, SM4, TDES, Core

KBPK_AES, KBPK_TDES, KEY, OTHER, HALF = range(1, 6)
AES_VALUE, TDES_VALUE = bytes(range(32)), bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
CLEAR = bytes(range(0x60, 0x80))


@pytest.fixture
def core() -> Core:
    core = Core()
    load_master(core)
    load_master(core, KBPK_AES, AES_VALUE, AES, "K1")
    load_master(core, KBPK_TDES, TDES_VALUE, TDES, "K1")
    assert core.load_component(HALF, "K1", AES, bytes(32)) == ("OK", None)
    return core


def block_of(terms: str, size: int = 16, version: str = "D") -> bytes:
    """A block of psec's, of these header terms: usage, algorithm, mode, version, exportability."""
    header = tr31.Header(version, terms[:2], terms[2], terms[3], terms[4:6], terms[6])
    kbpk = AES_VALUE if version == "D" else TDES_VALUE
    return tr31.KeyBlock(kbpk, header).wrap(CLEAR[:size]).encode()


@pytest.mark.parametrize(
    ("terms", "size", "algorithm"),
    [("P0TE00N", 16, TDES), ("P0AB00E", 32, AES), ("M0DN12S", 8, DES), ("M1DC00N", 8, DES),
     ("M3TG00E", 16, TDES), ("M6AV99E", 24, AES), ("D0TD00N", 24, TDES), ("K0TE00N", 16, TDES),
     ("K1AB00E", 16, AES)],
)
def test_a_block_brings_its_terms(core: Core, terms: str, size: int, algorithm: int) -> None:
    for version, kbpk in (("D", KBPK_AES), ("B", KBPK_TDES)):
        core.erase(KEY)
        result, kcv = core.load_block(KEY, block_of(terms, size, version), kbpk)
        assert result == "OK" and core.kcv(KEY) == ("OK", kcv)
        info = core.info(KEY)[1]
        assert (info.usage + info.mode + info.version + info.exportability).decode() == (
            terms[:2] + terms[3:])
        assert (info.algorithm, info.size, info.complete) == (algorithm, size, True)


@pytest.mark.parametrize(
    ("result", "terms", "size"),
    [
        ("WRONG_USAGE", "B1TX00N", 16),
        ("WRONG_USAGE", "V2TC00N", 16),
        ("WRONG_USAGE", "p0TE00N", 16),
        ("WRONG_MODE", "P0TD00N", 16),
        ("WRONG_MODE", "M6AE00N", 16),
        ("WRONG_MODE", "D0TX00N", 16),
        ("WRONG_ALGORITHM", "P0DE00N", 8),
        ("WRONG_ALGORITHM", "K1DB00N", 8),
        ("WRONG_ALGORITHM", "M0AC00N", 16),
        ("BAD_SIZE", "M3TC00N", 24),
    ],
)
def test_authentic_blocks_that_no_slot_takes(core: Core, result: str, terms: str,
                                             size: int) -> None:
    refused(core, result, core.load_block, KEY, block_of(terms, size), KBPK_AES)
    refused(core, result, core.load_block, KEY, block_of(terms, size, "B"), KBPK_TDES)


@pytest.mark.parametrize(
    ("result", "slot", "kbpk"),
    [
        ("BAD_SLOT", SLOTS, KBPK_AES),
        ("BAD_SLOT", KEY, SLOTS),
        ("SAME_SLOT", KBPK_AES, KBPK_AES),
        ("SLOT_TAKEN", KBPK_TDES, KBPK_AES),
        ("SLOT_TAKEN", HALF, KBPK_AES),
        ("SLOT_EMPTY", KEY, OTHER),
        ("KEY_INCOMPLETE", KEY, HALF),
        ("WRONG_USAGE", KEY, SLOT_MASTER),
        ("BAD_BLOCK", KEY, KBPK_TDES),
    ],
)
def test_slots_for_blocks(core: Core, result: str, slot: int, kbpk: int) -> None:
    refused(core, result, core.load_block, slot, block_of("P0TE00N"), kbpk)
    if result != "BAD_BLOCK":
        refused(core, result, core.load_dukpt, slot, block_of("B1TX00N"), kbpk, bytes(10))


def test_a_protection_key_that_only_opens_does_not_close(core: Core) -> None:
    for slot, mode in ((KEY, "D"), (OTHER, "E")):
        assert core.load_block(slot, block_of(f"K1A{mode}00E", 32), KBPK_AES)[0] == "OK"
    assert core.generate(9, "D0", AES)[0] == "OK"
    refused(core, "WRONG_MODE", core.export_block, 9, KEY)
    refused(core, "WRONG_MODE", core.load_block, 10, block_of("P0TE00N"), OTHER)
    assert core.export_block(9, OTHER)[0] == "OK"


@pytest.mark.parametrize("version", "DB")
def test_headers_and_the_bodies_behind_them(core: Core, version: str) -> None:
    """Authentic all of them; what refuses is the form, and it refuses before anything changes."""
    kbpk, value, size = ((KBPK_AES, AES_VALUE, 32) if version == "D"
                         else (KBPK_TDES, TDES_VALUE, 24))
    clear = clear_of(CLEAR[:16], size)
    for header in GOOD_HEADERS.values():
        text = authentic(version, value, version + header[1:], clear)
        # The form is good: what is then said is about the key's terms alone.
        assert core.load_block(KEY, text, kbpk)[0] in ("OK", "WRONG_USAGE")
    assert core.erase(KEY)[0] == "OK"
    before = core.snapshot()
    for name, header in BAD_HEADERS.items():
        text = authentic(version, value, header.replace("D", version, 1), clear)
        assert core.load_block(KEY, text, kbpk) == ("BAD_BLOCK", None), name
    assert core.snapshot() == before


@pytest.mark.parametrize("version", "DB")
def test_data_longer_than_any_key_is_padding(core: Core, version: str) -> None:
    kbpk, value = (KBPK_AES, AES_VALUE) if version == "D" else (KBPK_TDES, TDES_VALUE)
    for size in range(0, 272, 8 if version == "B" else 16):
        text = authentic(version, value, f"{version}#P0TE00N0000",
                         clear_of(CLEAR[:24], max(size, 26))[:size])
        fits = size >= 26 and len(text) <= 512
        assert core.load_block(KEY, text, kbpk)[0] == ("OK" if fits else "BAD_BLOCK"), size


def test_lengths_that_lie(core: Core) -> None:
    for letter, bits in (("T", 127), ("T", 64), ("T", 0), ("A", 0xFFFF), ("S", 192), ("D", 128)):
        text = authentic("D", AES_VALUE, f"D#D0{letter}B00N0000", clear_of(CLEAR, 48, bits))
        refused(core, "BAD_BLOCK", core.load_block, KEY, text, KBPK_AES)


def test_optional_blocks_are_not_read_past_the_end(core: Core) -> None:
    """The header of an optional block cut off anywhere, the block's length made good."""
    for whole in (b"D0000P0TE00N0100KS10", b"D0000P0TE00N0100CT00020010"):
        for size in range(len(whole) + 1):
            cut = (b"D%04d" % size + whole[5:])[:size]
            refused(core, "BAD_BLOCK", core.load_block, KEY, cut, KBPK_AES)


def test_every_changed_or_missing_byte(core: Core) -> None:
    block = block_of("M3TN00E")
    before = core.snapshot()
    for at in range(len(block)):
        head, tail = block[:at], block[at + 1:]
        for changed in (flipped(block, at), head + bytes([block[at] ^ 0x20]) + tail, head,
                        head + tail):
            assert core.load_block(KEY, changed, KBPK_AES) == ("BAD_BLOCK", None)
    assert core.snapshot() == before


# ---- export


@pytest.mark.parametrize(("usage", "algorithm"), [("D0", AES), ("M6", TDES), ("M3", TDES)])
def test_what_is_exported_opens_elsewhere(core: Core, usage: str, algorithm: int) -> None:
    kcv = core.generate(KEY, usage, algorithm)[1]
    block = core.export_block(KEY, KBPK_AES)[1]
    header, value = tr31.unwrap(AES_VALUE, block.decode())
    assert (header.key_usage, header.exportability) == (usage, "E")
    assert len(value) == core.info(KEY)[1].size
    if algorithm == TDES:
        assert all(byte.bit_count() % 2 for byte in value)
    assert core.load_block(OTHER, block, KBPK_AES) == ("OK", kcv)


def test_export_refused(core: Core) -> None:
    core.generate(KEY, "D0", AES)
    core.generate(OTHER, "D0", SM4)
    core.load_block(10, block_of("P0TE00N"), KBPK_AES)
    core.load_block(11, block_of("P0TE00S"), KBPK_AES)
    for result, slot, kbpk in (
        ("BAD_SLOT", SLOTS, KBPK_AES), ("SLOT_EMPTY", 20, KBPK_AES),
        ("KEY_INCOMPLETE", HALF, KBPK_AES), ("SAME_SLOT", KBPK_AES, KBPK_AES),
        ("BAD_SLOT", KEY, SLOTS), ("WRONG_USAGE", KEY, OTHER), ("WRONG_ALGORITHM", KEY, KBPK_TDES),
        ("WRONG_ALGORITHM", OTHER, KBPK_AES), ("NOT_EXPORTABLE", 10, KBPK_AES),
        ("NOT_EXPORTABLE", KBPK_TDES, KBPK_AES),
    ):
        refused(core, result, core.export_block, slot, kbpk)
    assert core.export_block(11, KBPK_AES)[0] == "OK"
    core.board.switches.random_left = 0
    refused(core, "NO_ENTROPY", core.export_block, KEY, KBPK_AES)


def test_the_macs_of_iso_9797(core: Core) -> None:
    """PINMAC.md: algorithm 1 and algorithm 3 with zero padding."""
    x99 = authentic("D", AES_VALUE, "D#M1DC00N0000", clear_of(TDES_VALUE[:8], 32))
    x919 = authentic("D", AES_VALUE, "D#M3TN00N0000", clear_of(b"\xAA" * 8 + b"\xBB" * 8, 32))
    core.load_block(KEY, x99, KBPK_AES)
    core.load_block(OTHER, x919, KBPK_AES)
    text = b"7654321 Now is the time for "
    assert core.mac(KEY, MAC_X99, text) == ("OK", bytes.fromhex("F1D30F6849312CA4"))
    mac = bytes.fromhex("78DA3D3DEB48FD4D")
    assert core.mac(OTHER, 4, b"hello world") == ("OK", mac)
    assert core.mac_verify(OTHER, 4, b"hello world", mac[:4]) == ("OK", None)
    refused(core, "WRONG_USAGE", core.mac, KEY, MAC_CMAC, text)
    assert core.mac_init(OTHER, 4)[0] == "OK"
    for piece in (b"", b"hello w", b"o", b"rld"):
        assert core.mac_update(piece)[0] == "OK"
    assert core.mac_final() == ("OK", mac)

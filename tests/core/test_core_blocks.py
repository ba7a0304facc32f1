"""Sealed blocks made outside the core: what is authentic and right goes in, all else does not."""

import ctypes

import pytest

from tests.core.desk import SLOT_PIN, flipped, refused, working_core
from tests.core.device_keys import sealed
from tests.core.pinmac_core import AES, MAC_CMAC, SM4, TDES

KEY = bytes(range(0x60, 0x80))


@pytest.mark.parametrize(
    ("usage", "letter", "mode", "size"),
    [("P0", "T", "E", 16), ("D0", "T", "B", 24), ("M6", "A", "C", 32), ("M0", "D", "C", 8)],
)
def test_blocks_of_another_hand(usage: str, letter: str, mode: str, size: int) -> None:
    core = working_core()
    result, kcv = core.unseal(5, sealed(core, usage, letter, mode, KEY[:size]))
    assert result == "OK" and core.kcv(5)[1] == kcv
    info = core.info(5)[1]
    assert (info.usage, info.mode, info.size) == (usage.encode(), mode.encode(), size)


@pytest.mark.parametrize(
    ("letter", "size", "bits"),
    [("T", 16, 127), ("T", 16, 8), ("T", 16, 0), ("A", 32, 0xFFFF), ("A", 16, 192 + 64 * 2),
     ("D", 8, 128), ("T", 24, 256)],
)
def test_authentic_blocks_of_wrong_lengths(letter: str, size: int, bits: int) -> None:
    core = working_core()
    refused(core, "BAD_BLOCK", core.unseal, 5, sealed(core, "D0", letter, "B", KEY[:size], bits))


def test_a_block_of_another_salt_is_refused() -> None:
    core = working_core()
    block = sealed(core, "D0", "A", "B", KEY)
    core.board.stores.salt[:] = flipped(bytes(core.board.stores.salt))
    core.reboot()
    refused(core, "BAD_BLOCK", core.unseal, 5, block)


def test_modes_of_use_part_making_a_mac_from_checking_it() -> None:
    """X9.143 table 4: G only generates, V only verifies, whole or in pieces."""
    core = working_core()
    for slot, mode in ((5, "G"), (6, "V"), (7, "C")):
        assert core.unseal(slot, sealed(core, "M6", "A", mode, KEY))[0] == "OK"
    mac = core.mac(7, MAC_CMAC, b"text")[1]
    assert core.mac(5, MAC_CMAC, b"text") == ("OK", mac)
    assert core.mac_verify(6, MAC_CMAC, b"text", mac) == ("OK", None)
    refused(core, "WRONG_MODE", core.mac, 6, MAC_CMAC, b"text")
    refused(core, "WRONG_MODE", core.mac_verify, 5, MAC_CMAC, b"text", mac)
    for slot, finals in ((5, ("OK", "WRONG_MODE")), (6, ("WRONG_MODE", "OK"))):
        for final, result in zip(("generate", "verify"), finals):
            assert core.mac_init(slot, MAC_CMAC) == core.mac_update(b"text") == ("OK", None)
            answer = core.mac_final() if final == "generate" else core.mac_final_verify(mac)
            assert answer[0] == result
            assert core.mac_update(b"")[0] == "NO_MAC_OPEN"


def test_sizes_of_keys() -> None:
    """What no call lets through is refused by the leaf as well."""
    core = working_core()
    size_ok = core.function("pinmac_key_size_ok")
    size_ok.restype = ctypes.c_bool
    good = {(algorithm, size) for algorithm in range(6) for size in range(40)
            if size_ok(algorithm, ctypes.c_size_t(size))}
    assert good == {(1, 8), (TDES, 16), (TDES, 24), (AES, 16), (AES, 24), (AES, 32),
                    (SM4, 16)}
    assert core.kcv(SLOT_PIN)[0] == "OK"

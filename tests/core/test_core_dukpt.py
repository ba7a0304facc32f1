"""DUKPT through the core's calls: the standards' tables, counters of every shape, sealed states.

The blocks of the initial keys are made by psec under the bytes 00 to 1F. The tables are those of
X9.24-1:2009 A.4.2 and X9.24-3 Annex B; what they do not have is derived here from the initial key,
one of the counter after the other, on the ciphers of psec and cryptography.
"""

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from psec import des, mac, tr31

from tests.core import key_blocks
from tests.core.desk import enter, load_master, refused
from tests.core.pinmac_core import AES, MAC_CMAC, MAC_CUP, MAC_X919, SLOTS, Core

KBPK, KEY, OTHER, THIRD = range(1, 5)
KBPK_VALUE = bytes(range(32))
PAN, TEXT = "4012345678909", b"4012345678909D987"
IK_TDES = bytes.fromhex("6AC292FAA1315B4D858AB3A3D7D5933A")
IK_AES = bytes.fromhex("1273671EA26AC29AFA4D1084127652A1")
KSN_TDES = bytes.fromhex("FFFF9876543210E00000")
KSN_AES = bytes.fromhex("123456789012345600000000")
# Counter, PIN block of 1234, MAC of the request, of the response.
TDES_TABLE = (
    (1, "1B9C1845EB993A7A", "9CCC78173FC4FB64", "20364223C1FF00FA"),
    (2, "10A01C8D02C69107", "F608A9BCA6FFC311", "D1FCA6BEF05D24D2"),
    (3, "18DC07B94797B466", "20B59A4FEAC937E3", "BAD4CC9CC2AE326C"),
)
AES_TABLE = (
    (1, "A2EB5C1C35809E58404E873C3C411E31", "DD4E1895FD9BF53D8DAF25568ABF551D"),
    (2, "4D104704C53491A60944193DCAF6B411", "008CEAAE2B913BEEE76209EE9406DAC1"),
)


def initial(letter: str, key: bytes, mode: str = "X", exportability: str = "N") -> bytes:
    """A block of an initial key, of any value."""
    header = tr31.Header("D", "B1", letter, mode, "00", exportability)
    return tr31.KeyBlock(KBPK_VALUE, header).wrap(key).encode()


BLOCK_TDES, BLOCK_AES = initial("T", IK_TDES), initial("A", IK_AES)
KINDS = pytest.mark.parametrize(
    ("block", "ksn", "algorithm", "number"),
    [(BLOCK_TDES, KSN_TDES, MAC_X919, 1), (BLOCK_AES, KSN_AES, MAC_CMAC, 2)], ids=["TDES", "AES"])


@pytest.fixture
def core() -> Core:
    core = Core()
    load_master(core, KBPK, KBPK_VALUE, AES, "K1")
    return core


def derived_tdes(key: bytes, ksn: bytes) -> bytes:
    """X9.24-1:2009 A.2, non-reversible key generation, for every one of the counter in turn."""
    counter, mask = int.from_bytes(ksn[-3:], "big") & 0x1FFFFF, bytes.fromhex("C0C0C0C000000000")
    serial = bytearray(ksn[2:])
    serial[-3] &= 0xE0
    serial[-2:] = bytes(2)
    for bit in reversed(range(21)):
        if counter >> bit & 1:
            for at in range(3):
                serial[-1 - at] |= (1 << bit) >> 8 * at & 0xFF
            halves = []
            for left, right in ((bytes(a ^ b for a, b in zip(key[:8], mask)),
                                 bytes(a ^ b for a, b in zip(key[8:], mask))), (key[:8], key[8:])):
                data = bytes(a ^ b for a, b in zip(serial, right))
                data = des.encrypt_tdes_ecb(left * 2, data)
                halves.append(bytes(a ^ b for a, b in zip(data, right)))
            key = halves[0] + halves[1]
    return key


def derived_aes(key: bytes, ksn: bytes) -> bytes:
    """X9.24-3:2017 6.3, the derivation key, for every one of the counter in turn."""
    counter, reached = int.from_bytes(ksn[8:], "big"), 0
    for bit in reversed(range(32)):
        if counter >> bit & 1:
            reached |= 1 << bit
            data = bytes.fromhex("0101800000020080") + ksn[4:8] + reached.to_bytes(4, "big")
            key = Cipher(algorithms.AES(key), modes.ECB()).encryptor().update(data)
    return key


def mac_of(block: bytes, ksn: bytes) -> bytes:
    """The MAC of TEXT with the request key of a transaction."""
    if block == BLOCK_TDES:
        key = bytearray(derived_tdes(IK_TDES, ksn))
        key[6] ^= 0xFF
        key[14] ^= 0xFF
        return mac.generate_retail_mac(bytes(key[:8]), bytes(key[8:]), TEXT, 1)
    data = bytes.fromhex("0101200000020080") + ksn[4:]
    key = Cipher(algorithms.AES(derived_aes(IK_AES, ksn)), modes.ECB()).encryptor().update(data)
    return key_blocks.mac_of("D", key, TEXT)


def test_tdes_of_the_standard(core: Core) -> None:
    assert core.load_dukpt(KEY, BLOCK_TDES, KBPK, KSN_TDES)[1] == core.kcv(KEY)[1]
    for counter, pin, request, response in TDES_TABLE:
        assert core.dukpt_next(KEY) == ("OK", KSN_TDES[:-1] + bytes([counter]))
        enter(core, "1234")
        assert core.pin_block(KEY, 0, PAN) == ("OK", bytes.fromhex(pin))
        assert core.mac(KEY, MAC_X919, TEXT) == ("OK", bytes.fromhex(request))
        assert core.mac_verify(KEY, MAC_X919, TEXT, bytes.fromhex(response)) == ("OK", None)
        assert core.mac_init(KEY, MAC_X919) == core.mac_update(TEXT) == ("OK", None)
        assert core.mac_final() == ("OK", bytes.fromhex(request))
    # A.4.2: the data of the response to counter 1 is under another key than the request's.
    data = TEXT.ljust(24, b"\0")
    assert core.decrypt(KEY, bytes(8), core.encrypt(KEY, bytes(8), data)[1])[1] != data
    assert core.encrypt_track(KEY, "6225880000071234=3012")[0] == "OK"


def test_aes_of_the_standard(core: Core) -> None:
    assert core.load_dukpt(KEY, BLOCK_AES, KBPK, KSN_AES)[1] == core.kcv(KEY)[1]
    for counter, request, response in AES_TABLE:
        assert core.dukpt_next(KEY) == ("OK", KSN_AES[:-1] + bytes([counter]))
        assert core.mac(KEY, MAC_CMAC, TEXT) == ("OK", bytes.fromhex(request))
        assert core.mac_verify(KEY, MAC_CMAC, TEXT, bytes.fromhex(response)) == ("OK", None)
        enter(core, "1234")
        assert len(core.pin_block(KEY, 4, PAN)[1]) == 16
        assert core.encrypt(KEY, bytes(16), bytes(32))[0] == "OK"


@pytest.mark.parametrize("counter", [
    0, 1, 2, 3, 4, 7, 8, 0xFF, 0x100, 0x1FF, 0x3FF, 0x3FE, 0x400, 0x5FF, 0x7FC, 0x8000, 0xFFC0,
    0x10000, 0x0FF800, 0x100000, 0x155554, 0x1FF000, 0x1FF400])
def test_tdes_counters_of_every_shape(core: Core, counter: int) -> None:
    """A serial number with this counter, and the transaction after it, from the initial key."""
    ksn = (int.from_bytes(KSN_TDES, "big") | counter).to_bytes(10, "big")
    follow(core, BLOCK_TDES, ksn, counter, 21, 10, MAC_X919)


@pytest.mark.parametrize("counter", [
    0, 1, 3, 0x7FFF, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFE, 0x55555555, 0xAAAAAAAA, 0x80000000,
    0xFFFE0000, 0xFFFC0000, 0x12345678])
def test_aes_counters_of_every_shape(core: Core, counter: int) -> None:
    follow(core, BLOCK_AES, KSN_AES[:8] + counter.to_bytes(4, "big"), counter, 32, 16, MAC_CMAC)


def follow(core: Core, block: bytes, ksn: bytes, counter: int, bits: int, most: int,
           algorithm: int) -> None:
    assert core.load_dukpt(KEY, block, KBPK, ksn)[0] == "OK"
    base = int.from_bytes(ksn, "big") - counter
    for _ in range(3):
        counter += 1
        while counter.bit_count() > most:
            counter += counter & -counter
        if counter >> bits:
            refused(core, "COUNTER_SPENT", core.dukpt_next, KEY)
            return
        expected = (base | counter).to_bytes(len(ksn), "big")
        assert core.dukpt_next(KEY) == ("OK", expected)
        assert core.mac(KEY, algorithm, TEXT) == ("OK", mac_of(block, expected))


@KINDS
def test_without_a_transaction_there_is_no_key(
        core: Core, block: bytes, ksn: bytes, algorithm: int, number: int) -> None:
    core.load_dukpt(KEY, block, KBPK, ksn)
    enter(core, "1234")
    refused(core, "NO_TRANSACTION_KEY", core.pin_block, KEY, 0, PAN)
    refused(core, "NO_TRANSACTION_KEY", core.mac, KEY, algorithm, TEXT)
    refused(core, "NO_TRANSACTION_KEY", core.mac_verify, KEY, algorithm, TEXT, bytes(8))
    refused(core, "NO_TRANSACTION_KEY", core.mac_init, KEY, algorithm)
    refused(core, "NO_TRANSACTION_KEY", core.encrypt, KEY, bytes(8), bytes(8))
    refused(core, "NO_TRANSACTION_KEY", core.decrypt, KEY, bytes(8), bytes(8))
    refused(core, "NO_TRANSACTION_KEY", core.encrypt_track, KEY, "1" * 20)
    assert core.dukpt_next(KEY)[0] == "OK"
    # The first use, refused or not, spends the key and changes nothing else.
    before, blob = core.snapshot(), core.seal(KEY)[1]
    assert core.mac(KEY, MAC_CUP, TEXT)[0] == "WRONG_ALGORITHM"
    core.board.stores.counter[number] -= 1
    assert core.snapshot() == before
    core.board.stores.counter[number] += 1
    assert core.unseal(KEY, blob)[0] == core.dukpt_next(KEY)[0] == "OK"
    assert core.mac(KEY, algorithm, TEXT)[0] == "OK"
    for wrong in {MAC_CUP, MAC_X919, MAC_CMAC} - {algorithm}:
        refused(core, "WRONG_ALGORITHM", core.mac, KEY, wrong, TEXT)
    enter(core, "1234")
    refused(core, "WRONG_ALGORITHM", core.pin_block, KEY, 4 if number == 1 else 0, PAN)
    assert core.mac_init(KEY, algorithm)[0] == "OK"
    assert core.mac_final_verify(bytes(8)) == ("WRONG_MODE", None)
    refused(core, "WRONG_USAGE", core.load_working, OTHER, "P0", bytes(16), KEY, bytes(4))
    refused(core, "WRONG_USAGE", core.load_block, OTHER, block, KEY)
    for slot, result in ((KBPK, "WRONG_USAGE"), (OTHER, "SLOT_EMPTY"), (SLOTS, "BAD_SLOT")):
        refused(core, result, core.dukpt_next, slot)


def test_loading_refused(core: Core) -> None:
    core.load_dukpt(KEY, BLOCK_TDES, KBPK, KSN_TDES)
    core.dukpt_next(KEY)
    for result, arguments in (
        ("BAD_BLOCK", (KEY, BLOCK_TDES[:-1] + b"_", KBPK, KSN_TDES)),
        ("WRONG_USAGE", (KEY, tr31.wrap(KBPK_VALUE, "D0112M3TN00N0000", bytes(range(16))).encode(),
                         KBPK, KSN_TDES)),
        ("WRONG_MODE", (KEY, initial("T", IK_TDES, "B"), KBPK, KSN_TDES)),
        ("WRONG_ALGORITHM", (KEY, initial("D", IK_TDES[:8]), KBPK, KSN_TDES)),
        ("BAD_SIZE", (KEY, initial("T", bytes(range(24))), KBPK, KSN_TDES)),
        ("BAD_SIZE", (OTHER, initial("A", bytes(range(32))), KBPK, KSN_AES)),
        ("REGISTERS_TAKEN", (OTHER, BLOCK_TDES, KBPK, KSN_TDES)),
        ("BAD_KSN", (KEY, BLOCK_TDES, KBPK, KSN_AES)),
        ("BAD_KSN", (KEY, BLOCK_TDES, KBPK, KSN_TDES[:-1])),
        ("BAD_KSN", (KEY, BLOCK_TDES, KBPK, KSN_TDES[:-3] + bytes.fromhex("E007FF"))),
        ("BAD_KSN", (OTHER, BLOCK_AES, KBPK, KSN_TDES)),
        ("BAD_KSN", (OTHER, BLOCK_AES, KBPK, KSN_AES[:-4] + bytes.fromhex("0001FFFF"))),
        ("SAME_SLOT", (KBPK, BLOCK_TDES, KBPK, KSN_TDES)),
        ("SLOT_EMPTY", (OTHER, BLOCK_TDES, THIRD, KSN_TDES)),
        ("BAD_SLOT", (SLOTS, BLOCK_TDES, KBPK, KSN_TDES)),
    ):
        refused(core, result, core.load_dukpt, *arguments)
    # The old key goes on, and its sealed state stays the newest.
    assert core.mac(KEY, MAC_X919, TEXT) == ("OK", bytes.fromhex(TDES_TABLE[0][2]))
    blob = core.seal(KEY)[1]
    core.erase(KEY)
    assert core.unseal(KEY, blob)[0] == "OK"


def test_registers_of_both_algorithms_side_by_side(core: Core) -> None:
    core.load_dukpt(KEY, BLOCK_TDES, KBPK, KSN_TDES)
    core.load_dukpt(OTHER, BLOCK_AES, KBPK, KSN_AES)
    for _ in range(2):
        assert core.dukpt_next(KEY)[0] == core.dukpt_next(OTHER)[0] == "OK"
    assert core.mac(KEY, MAC_X919, TEXT)[1] == bytes.fromhex(TDES_TABLE[1][2])
    assert core.mac(OTHER, MAC_CMAC, TEXT)[1] == bytes.fromhex(AES_TABLE[1][1])
    for slot, block, ksn in ((KEY, BLOCK_TDES, KSN_TDES), (OTHER, BLOCK_AES, KSN_AES)):
        refused(core, "REGISTERS_TAKEN", core.load_dukpt, THIRD, block, KBPK, ksn)
        blob = core.seal(slot)[1]
        refused(core, "REGISTERS_TAKEN", core.unseal, THIRD, blob)
        assert core.generate(slot, "D0", AES)[0] == "OK"  # another key in the slot frees them
        assert core.unseal(THIRD, blob)[0] == "OK"
        core.erase(THIRD)


@pytest.mark.parametrize("exportability", "NSE")
def test_no_dukpt_key_is_exported(core: Core, exportability: str) -> None:
    """Whatever its header says: there is no initial key any more."""
    block = initial("T", IK_TDES, exportability=exportability)
    assert core.load_dukpt(KEY, block, KBPK, KSN_TDES)[0] == "OK"
    refused(core, "NOT_EXPORTABLE", core.export_block, KEY, KBPK)


# ---- the port's counter, and sealed states


@KINDS
def test_no_key_loads_while_the_counter_fails(
        core: Core, block: bytes, ksn: bytes, algorithm: int, number: int) -> None:
    for switch in ("counters_unreadable", "counters_stuck"):
        setattr(core.board.switches, switch, 1)
        refused(core, "NO_STORAGE", core.load_dukpt, KEY, block, KBPK, ksn)
        setattr(core.board.switches, switch, 0)
    core.board.stores.salt_there = 0
    core.reboot()
    core.board.stores.salt_there = 1
    load_master(core, KBPK, KBPK_VALUE, AES, "K1")
    assert core.load_dukpt(KEY, block, KBPK, ksn)[0] == "OK"


@KINDS
def test_a_key_is_spent_durably_before_its_first_use(
        core: Core, block: bytes, ksn: bytes, algorithm: int, number: int) -> None:
    core.load_dukpt(KEY, block, KBPK, ksn)
    blob = core.seal(KEY)[1]
    core.dukpt_next(KEY)
    core.board.switches.counters_stuck = 1
    refused(core, "NO_STORAGE", core.mac, KEY, algorithm, TEXT)
    refused(core, "NO_STORAGE", core.mac_init, KEY, algorithm)
    refused(core, "NO_STORAGE", core.encrypt, KEY, bytes(16), bytes(16))
    enter(core, "1234")
    refused(core, "NO_STORAGE", core.pin_block, KEY, 0 if number == 1 else 4, PAN)
    core.board.switches.counters_stuck = 0
    before = core.board.stores.counter[number]
    assert core.mac(KEY, algorithm, TEXT)[0] == "OK"
    assert core.board.stores.counter[number] == before + 1
    # Its second use needs no storage; the state from before the first is worth nothing.
    core.board.switches.counters_stuck = 1
    assert core.mac(KEY, algorithm, TEXT)[0] == "OK"
    refused(core, "ROLLED_BACK", core.unseal, KEY, blob)
    core.board.switches.counters_unreadable = 1
    refused(core, "NO_STORAGE", core.unseal, KEY, core.seal(KEY)[1])


@KINDS
def test_a_sealed_state_goes_on_after_a_reboot(
        core: Core, block: bytes, ksn: bytes, algorithm: int, number: int) -> None:
    core.load_dukpt(KEY, block, KBPK, ksn)
    for _ in range(5):
        core.dukpt_next(KEY)
    blob, facts, kcv = core.seal(KEY)[1], bytes(core.info(KEY)[1]), core.kcv(KEY)
    core.reboot()
    assert core.unseal(OTHER, blob) == kcv
    assert bytes(core.info(OTHER)[1]) == facts
    refused(core, "NO_TRANSACTION_KEY", core.mac, OTHER, algorithm, TEXT)
    ksn_next = ksn[:-1] + bytes([6])
    assert core.dukpt_next(OTHER) == ("OK", ksn_next)
    assert core.mac(OTHER, algorithm, TEXT) == ("OK", mac_of(block, ksn_next))
    core.board.switches.random_left = 0
    refused(core, "NO_ENTROPY", core.seal, OTHER)


@KINDS
def test_a_sealed_state_is_whole_or_refused(
        core: Core, block: bytes, ksn: bytes, algorithm: int, number: int) -> None:
    core.load_dukpt(KEY, block, KBPK, ksn)
    blob = core.seal(KEY)[1]
    before = core.snapshot()
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 4
        assert core.unseal(KEY, bytes(changed)) == ("BAD_BLOCK", None), at
        assert core.unseal(KEY, blob[:at]) == ("BAD_BLOCK", None)
    assert core.unseal(KEY, blob + b"0") == ("BAD_BLOCK", None)
    assert core.snapshot() == before

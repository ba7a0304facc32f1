"""DUKPT over every shape of counter in the standards' tables, through the firmware's face."""

import pytest
from psec import tr31

from tests.oracle.pinmac_bench import AES, MAC_CMAC, MAC_X919, ask, master
from tests.oracle.pinmac_cases import cmac
from tests.oracle.pinmac_key_families import aes_derive

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

KBPK = bytes(range(32))
PAN = "4012345678909"
MAC_TEXT = b"1234567890123456789012345678901234567890"

# X9.24-1 Annex A, initial key 6AC292FAA1315B4D858AB3A3D7D5933A, KSN FFFF9876543210E00000: the last
# six digits of the KSN, the PIN block of 1234 and the first half of the MAC of MAC_TEXT, as quoted
# by several public test suites.
TDES_INITIAL_KEY = bytes.fromhex("6AC292FAA1315B4D858AB3A3D7D5933A")
TDES_TABLE = """
E00001 1B9C1845EB993A7A BF3DF9F4  E00002 10A01C8D02C69107 1F05D23A
E00003 18DC07B94797B466 70D151A4  E00004 0BC79509D5645DF7 00B50910
E00005 5BC0AF22AD87B327 581ED2C6  E00006 A16DF70AE36158D8 39B5EE87
E00007 27711C16CB257F8E 226C141F  E00008 50E55547A5027551 40412159
E00009 536CF7F678ACFC8D 621F9B4F  E0000A EDABBA23221833FE 7B79E6A3
E0000B 2328981C57B4BDBA CC92E456  E0000C 038D03CC926CF286 1BA8BCA1
E0000D 6C8AA97088B62C68 A733F330  E0000E F17C9E1D72CD4950 8844EEAA
E0000F B170F6E7F7F2F64A 1B1A40E7  E00010 D5D9638559EF53D6 DB05312F
E00011 D544F8CDD292C863 9C4253EB  E00012 7A21BD10F36DC41D 9237DD4E
E00013 78649BD17D0DFA60 5402D529  E00014 7E7E16EA0C31AD56 99DC2A04
E00015 72105C22EBC791E6 2B42A5B7  E10000 19776D96D73AF1E2 D9DFF7D6
E20000 83F14581B8946B2D AB8E57A9  E40000 96B3ADCBF9F5219C B72B23BF
E80000 1E0F453FD55FCE45 B27DF964  EFF800 33365F5CC6F23C35 3F7A0CE1
EFF801 3A86BF003F835C9D 72653326  EFF802 3DB977D05C36DF3F FB38BE77
EFF804 BA83243305712099 22BFAA61  EFF808 B0DA04AC90A36D85 08602C13
EFF810 2CF02BD9C309EEDA 2E033EBC  EFF820 9D1E2F77AEEE81C6 A821E7C7
EFF840 40870B0F8BA2011C F765BD9E  EFF880 22E340D6ABB40981 393982DC
EFF900 1A4C10AFBA03A430 8A7D5738  EFFA00 849763B43E5F9CFF 2A15EFF9
EFFC00 DEFC6F09F8927B71 2EBFA205  F00000 73EC88AD0AC5830E E771B48A
"""

# X9.24-3 Annex B.1, initial key ID 1234567890123456: counter and derivation key.
AES_INITIAL_KEY = bytes.fromhex("1273671EA26AC29AFA4D1084127652A1")
AES_ID = bytes.fromhex("1234567890123456")
AES_TABLE = {
    0x00000001: "4F21B565BAD9835E112B6465635EAE44",
    0x00000002: "2F34D68DE10F68D38091A73B9E7C437C",
    0x00000003: "031504E530365CF81264238540518318",
    0x00000004: "0EEFC7ADA628BA68878DA9165A8A1887",
    0x00000005: "C2A7AC328A5DA2D6002D62465BFC028B",
    0x00000006: "D30F7D9351DA58448A2F5E92B4EE3B7D",
    0x00000007: "A8253CEED9AC042C54F75D35C8352278",
    0x00000008: "718EE6CF0B27E53D5F7AF99C4D8146A2",
    0xFFFE4000: "396C2C7CA1EA701C03B86B7D41F0C562",
    0xFFFE8000: "0387625F189B58AE03EF0E8CCA41105E",
    0xFFFF0000: "F6BA59389BD14A9855BE9727E7C52E3C",
}


def loading(letter: str, key: bytes, ksn: bytes) -> list[tuple[object, ...]]:
    """The calls that load an initial key with this KSN."""
    block = tr31.KeyBlock(KBPK, tr31.Header("D", "B1", letter, "X", "00", "N")).wrap(key)
    return [("load_dukpt", 1, block.encode(), 0, ksn), ("dukpt_next", 1)]


def before(counter: int, ones: int) -> int:
    """The counter before this one in a sequence in which none has more than so many ones."""
    previous = counter - 1
    while previous.bit_count() > ones:
        previous -= 1
    return previous


def test_tdes_over_the_printed_counters() -> None:
    rows = TDES_TABLE.split()
    table = list(zip(rows[::3], rows[1::3], rows[2::3], strict=True))
    assert len(table) == 38
    digits = [("pin_begin",), *[("pin_digit", digit) for digit in (1, 2, 3, 4)]]
    cases = [master(0, KBPK, AES, "K1")]
    for tail, _, _ in table:
        number = int(tail, 16)
        previous = number & 0xE00000 | before(number & 0x1FFFFF, 10)
        ksn = bytes.fromhex("FFFF9876543210") + previous.to_bytes(3, "big")
        cases.append([*loading("T", TDES_INITIAL_KEY, ksn), *digits, ("pin_block", 1, 0, PAN),
                      ("mac", 1, MAC_X919, MAC_TEXT)])
    for (tail, block, mac), answer in zip(table, ask(cases)[1:], strict=True):
        assert answer[1] == bytes.fromhex("FFFF9876543210" + tail)
        assert (answer[-2].hex().upper(), answer[-1][:4].hex().upper()) == (block, mac), tail


def test_aes_over_the_printed_counters() -> None:
    cases = [master(0, KBPK, AES, "K1")]
    for counter in AES_TABLE:
        ksn = AES_ID + before(counter, 16).to_bytes(4, "big")
        cases.append([*loading("A", AES_INITIAL_KEY, ksn), ("mac", 1, MAC_CMAC, MAC_TEXT)])
    for (counter, key), answer in zip(AES_TABLE.items(), ask(cases)[1:], strict=True):
        assert answer[1] == AES_ID + counter.to_bytes(4, "big")
        mac_key = aes_derive(bytes.fromhex(key), 0x2000, AES_ID, counter)
        assert answer[-1] == cmac(AES, mac_key, MAC_TEXT), hex(counter)


@pytest.mark.parametrize("letter", ["T", "A"])
def test_a_jump_and_a_walk_arrive_at_one_key(letter: str) -> None:
    """Six thousand steps one by one, and from there by a jump: the same KSN, the same MAC."""
    tdes = letter == "T"
    alg, key = (MAC_X919, TDES_INITIAL_KEY) if tdes else (MAC_CMAC, AES_INITIAL_KEY)
    start = bytes.fromhex("FFFF9876543210E00000") if tdes else AES_ID + bytes(4)
    steps = [[("dukpt_next", 1)] * 100] * 60
    walked = ask([[*master(0, KBPK, AES, "K1"), *loading(letter, key, start)], *steps,
                  [("dukpt_next", 1), ("mac", 1, alg, MAC_TEXT)]])
    jumped = ask([[*master(0, KBPK, AES, "K1"), *loading(letter, key, walked[-2][-1]),
                   ("mac", 1, alg, MAC_TEXT)]])[0]
    assert jumped[-2:] == walked[-1]

"""Key blocks, DUKPT and the MACs of pinmac inside MicroPython: published vectors and refusals.

The blocks were made by psec 1.3.0 under the bytes 00 to 1F (version D) and under
0123456789ABCDEFFEDCBA9876543210 (version B).
"""

import pinmac

KBPK, KBPK_TDES, KEY, OTHER, THIRD = range(5)
PAN = "4012345678909"
TEXT = b"4012345678909D987"

# The initial keys of X9.24-1:2009 A.4 and X9.24-3 Annex B.
IK_TDES = b"D0112B1TX00N000041049EB7775DC7865872DF9F53429E721459233D3817CB3F2F3150945C492CDFE9B3AE04D4AE7220BFE16BA33AC64A2E"  # noqa: E501
IK_TDES_B = b"B0096B1TX00N000059E6D1D131FD1483ED17D24F31F7FD3F4EF27B3347E4E214D0652AEDF2EC3DCB8B60968F4A5D53CE"  # noqa: E501
IK_AES = b"D0144B1AX00N0000B92365342E0EC7C4332F136C6C1E160F24A0BD0FD4A59039B40B776053CAF7DB9CCD53A4C93FC0558CFC2F9CE4C73AF4EA74DDCCF59EF3A52B42A5CF0FA96673"  # noqa: E501
KSN_TDES = bytes.fromhex("FFFF9876543210E00000")
KSN_AES = bytes.fromhex("123456789012345600000000")

# 0123456789ABCDEF for ISO 9797-1 algorithm 1, AAAAAAAAAAAAAAAA ‖ BBBBBBBBBBBBBBBB for algorithm 3.
X99 = b"D0112M1DC00N000023373F8DD204B7567A1298002C2700EDCF06870B67E82A42B596EE46E20D9ECB44D5869ECFB1942DC457C5A8AB9E4826"  # noqa: E501
X919 = b"D0112M3TN00N000077815239573A9C4D9E9E1284D512FAEB336144479ABFE7B57C517A631C4D00EC3AE40AD4DDEF30F4BC99B298467F7E9A"  # noqa: E501
# The key of RFC 4493, once for generating alone and once for verifying alone.
CMAC_G = b"D0144M6AG12E00002B814A1D227C2F69F458D6D10D477F9BAB52C40AF54BAA216461140FC90FF43A09C9E8B7792F708A36AB0D5FB9A429C2E0540CA3E94182D5298347C731E5F2EC"  # noqa: E501
CMAC_V = b"D0144M6AV12E00004C0603D74B6F1302381E0E44D4B82F56F63DDB61338B6BDC1592C9E323666DA78D8655AFC635E0292AC78C545F9E2BED6B6E8C81FB16FEB2E8C7FDC102A5E860"  # noqa: E501
CMAC_MESSAGE = bytes.fromhex("6BC1BEE22E409F96E93D7E117393172A")
CMAC_VALUE = bytes.fromhex("070A16B46B4D4144F79BDD9DD04A287C")
# Data, deciphering alone: 0123456789ABCDEFFEDCBA9876543210.
DATA_D = b"D0112D0TD00E000015FC79703DBCE8AC4BE463834C42B35EE68846EC76720EC15628BAFAAE81C3979903B024A0F42BF073D2394AC5412F5A"  # noqa: E501

# X9.24-1:2009 A.4.2: counter, PIN block of 1234, MAC of the request, of the response, data of the
# request enciphered (PAN and TEXT above, zeros to whole blocks, no chaining value).
TDES_TABLE = (
    (1, "1B9C1845EB993A7A", "9CCC78173FC4FB64", "20364223C1FF00FA",
     "FC0D53B7EA1FDA9EE68AAF2E70D9B9506229BE2AA993F04F"),
    (2, "10A01C8D02C69107", "F608A9BCA6FFC311", "D1FCA6BEF05D24D2",
     "A2B4E70F846E63D68775B7215EB4563DFD3037244C61CC13"),
    (3, "18DC07B94797B466", "20B59A4FEAC937E3", "BAD4CC9CC2AE326C",
     "BD751E65F10E75B6C1D5B1D283496A36C2DE21D993C387A7"),
    (4, "0BC79509D5645DF7", "C7BFA6CC44161828", "1EB08AEECE6FF0C2",
     "1118F50947441BBDA3C8C70220021A12EC31CC473F7215F4"),
    (5, "5BC0AF22AD87B327", "0202B96339022058", "5CBE3E81D1D2A0FB",
     "9FD7BD1EC28845ACA93367A9DA9317BD555C6B33AE22D365"),
)
# The data of the response to counter 1, which `decrypt` opens.
TDES_RESPONSE = bytes.fromhex("1FCC89AF66222F27B903898BB2BC8589CDBFDE5EC6AFCC25")

# X9.24-3 Annex B, AES-128 from AES-128: counter, CMAC of the request, of the response, data of the
# request (TEXT, zeros to whole blocks, no chaining value).
AES_TABLE = (
    (1, "A2EB5C1C35809E58404E873C3C411E31", "DD4E1895FD9BF53D8DAF25568ABF551D",
     "E5AFA5B408A3310E3D779C8A9A2AE29448BD5B4232582090DB703AF647205A79"),
    (2, "4D104704C53491A60944193DCAF6B411", "008CEAAE2B913BEEE76209EE9406DAC1",
     "A17A9658EE0F451D6CA11B65B592EF9C5F90BB175D926F1457B63B3273042476"),
    (3, "6A18904AA8E966A03505F5EEBDAEBD82", "40CB2F0C2E043D060063FAA916A849E1",
     "E289C32A084A39419A6C147DE40B53A67BABE2BD22DC3D5EE09B002E83B93ACE"),
    (4, "77BBD3FB827158B9B12880B0794D1C74", "51FDE192BC484F769AA0A86F8BC5CB30",
     "D074C0F81866781B92D008C8EA6A3947319B94361C7ECD3C1736020E0D57E629"),
    (5, "C0CE6DA1F4434AD16EEEBF486C9616CD", "4B508F51104D184A9190061ED854200E",
     "8F222D79AE7F942BF74D3EA9E364C0000D0C94AD7EA0A8CCF23330FCA4B1D0D0"),
    (6, "05222AE91471C590B3A9471523324C14", "ED90BD8AE4571C75CF08EA3EA195ABF8",
     "19C254B0498CBD32E597D882B7D993513994EE913836E65711EA41F8D4B34728"),
    (7, "37FA54258AAF805A44AA1273C0DF928C", "52D6C1D3A95B1D21761E20870D9A7E8C",
     "0710C8F0EB136629E30ADFB148562F6F80B786EC1074428B7C7511B7301EAAF0"),
    (8, "85C7CA68F55F51E7DCAC969B8C111130", "B45399DB90C0BA75DB4B86605758695A",
     "304EC254A7B528D9892E47F7C1315D498C0D88EA8CD71CA52D38F362721AEA67"),
)


def raises(kind, call, *args):
    """Call; fail unless it raises exactly this kind."""
    try:
        call(*args)
    except Exception as error:  # noqa: BLE001 - its type is what is tested
        assert type(error) is kind, repr(error)
        return
    raise AssertionError("no " + kind.__name__)


def inject(slot, usage, alg, key):
    """A key-encrypting key by two components."""
    mask = pinmac.random(len(key))
    pinmac.load_component(slot, usage, alg, bytearray(mask))
    pinmac.load_component(slot, usage, alg, bytearray(a ^ b for a, b in zip(mask, key)))


def fresh():
    """An empty module with both key block protection keys."""
    pinmac.zeroize()
    inject(KBPK, "K1", pinmac.AES, bytes(range(32)))
    inject(KBPK_TDES, "K1", pinmac.TDES, bytes.fromhex("0123456789ABCDEFFEDCBA9876543210"))


def enter(digits):
    pinmac.pin_begin()
    for digit in digits:
        pinmac.pin_digit(digit)


def padded(size):
    return TEXT + bytes(-len(TEXT) % size)


# ---- key blocks


def test_a_block_brings_its_header_terms():
    fresh()
    assert pinmac.load_block(KEY, CMAC_G, KBPK) == pinmac.kcv(KEY)
    assert pinmac.info(KEY) == {"usage": "M6", "alg": pinmac.AES, "mode": "G", "version": "12",
                                "exportability": "E", "length": 16, "complete": True}
    assert pinmac.mac(KEY, pinmac.MAC_CMAC, CMAC_MESSAGE) == CMAC_VALUE
    raises(pinmac.KeyUsageError, pinmac.mac_verify, KEY, pinmac.MAC_CMAC, CMAC_MESSAGE, CMAC_VALUE)
    pinmac.load_block(OTHER, CMAC_V, KBPK)
    assert pinmac.mac_verify(OTHER, pinmac.MAC_CMAC, CMAC_MESSAGE, CMAC_VALUE) is True
    raises(pinmac.KeyUsageError, pinmac.mac, OTHER, pinmac.MAC_CMAC, CMAC_MESSAGE)
    pinmac.mac_init(OTHER, pinmac.MAC_CMAC)
    raises(pinmac.KeyUsageError, pinmac.mac_final)
    pinmac.load_block(OTHER, DATA_D, KBPK)
    assert len(pinmac.decrypt(OTHER, bytes(8), bytes(16))) == 16
    raises(pinmac.KeyUsageError, pinmac.encrypt, OTHER, bytes(8), bytes(16))


def test_a_refused_block_changes_nothing():
    fresh()
    pinmac.load_block(KEY, CMAC_G, KBPK)
    before, value = pinmac.info(KEY), pinmac.kcv(KEY)
    for kind, args in (
        (pinmac.IntegrityError, (KEY, CMAC_V[:-1] + b"1", KBPK)),
        (pinmac.IntegrityError, (KEY, CMAC_V[:-1], KBPK)),
        (pinmac.IntegrityError, (KEY, b"", KBPK)),
        (pinmac.IntegrityError, (KEY, b"A" + CMAC_V[1:], KBPK)),
        (pinmac.IntegrityError, (KEY, b"C" + CMAC_V[1:], KBPK)),
        (pinmac.IntegrityError, (KEY, CMAC_V, KBPK_TDES)),
        (pinmac.IntegrityError, (KEY, IK_TDES_B, KBPK)),
        (pinmac.KeyUsageError, (KEY, IK_TDES, KBPK)),
        (pinmac.KeyUsageError, (KEY, CMAC_V, KEY)),
        (pinmac.KeyUsageError, (KEY, CMAC_V, OTHER)),
        (pinmac.KeyUsageError, (KBPK, CMAC_V, KBPK)),
        (pinmac.StateError, (KBPK_TDES, CMAC_V, KBPK)),
        (ValueError, (32, CMAC_V, KBPK)),
        (ValueError, (KEY, CMAC_V, 32)),
    ):
        raises(kind, pinmac.load_block, *args)
    assert pinmac.info(KEY) == before and pinmac.kcv(KEY) == value


def test_every_changed_byte_of_a_block_is_refused():
    fresh()
    for at in range(len(X99)):
        for wrong in (X99[at] ^ 1, X99[at] ^ 0x20, 0):
            block = bytearray(X99)
            block[at] = wrong
            raises(pinmac.IntegrityError, pinmac.load_block, KEY, block, KBPK)
    assert pinmac.info(KEY) is None


def test_export():
    fresh()
    pinmac.generate(KEY, "D0", pinmac.AES)
    block = pinmac.export_block(KEY, KBPK)
    assert block[:16] == b"D0144D0AB00E0000"
    assert pinmac.load_block(OTHER, block, KBPK) == pinmac.kcv(KEY)
    assert pinmac.info(OTHER) == pinmac.info(KEY)
    clear = bytes(range(32))
    assert pinmac.decrypt(OTHER, bytes(16), pinmac.encrypt(KEY, bytes(16), clear)) == clear
    # Not exportable, not under TDES, not under itself, no letter for SM4, no protection key.
    pinmac.load_block(OTHER, X99, KBPK)
    raises(pinmac.KeyUsageError, pinmac.export_block, OTHER, KBPK)
    raises(pinmac.KeyUsageError, pinmac.export_block, KEY, KBPK_TDES)
    raises(pinmac.KeyUsageError, pinmac.export_block, KBPK, KBPK)
    raises(pinmac.KeyUsageError, pinmac.export_block, KEY, OTHER)
    pinmac.generate(THIRD, "D0", pinmac.SM4)
    raises(pinmac.KeyUsageError, pinmac.export_block, THIRD, KBPK)
    raises(pinmac.KeyUsageError, pinmac.export_block, 31, KBPK)
    raises(ValueError, pinmac.export_block, 32, KBPK)


# ---- MACs


def test_macs_of_iso_9797():
    """PINMAC.md: algorithm 1 and algorithm 3 with zero padding."""
    fresh()
    pinmac.load_block(KEY, X99, KBPK)
    text = b"7654321 Now is the time for "
    assert pinmac.mac(KEY, pinmac.MAC_X99, text) == bytes.fromhex("F1D30F6849312CA4")
    pinmac.load_block(OTHER, X919, KBPK)
    mac = bytes.fromhex("78DA3D3DEB48FD4D")
    assert pinmac.mac(OTHER, pinmac.MAC_X919, b"hello world") == mac
    for size in (4, 5, 8):
        assert pinmac.mac_verify(OTHER, pinmac.MAC_X919, b"hello world", mac[:size]) is True
    raises(ValueError, pinmac.mac_verify, OTHER, pinmac.MAC_X919, b"hello world", mac[:3])
    raises(ValueError, pinmac.mac_verify, OTHER, pinmac.MAC_X919, b"hello world", mac + b"\x00")
    raises(pinmac.IntegrityError, pinmac.mac_verify, OTHER, pinmac.MAC_X919, b"hello_world", mac)
    pinmac.mac_init(OTHER, pinmac.MAC_X919)
    for piece in (b"", b"hello w", b"", b"o", b"rld"):
        pinmac.mac_update(piece)
    assert pinmac.mac_final() == mac
    raises(pinmac.KeyUsageError, pinmac.mac, KEY, pinmac.MAC_X919, b"")
    raises(pinmac.KeyUsageError, pinmac.mac, OTHER, pinmac.MAC_X99, b"")


def test_sm4_and_its_mac():
    """A key under an SM4 master key, and which MAC is whose."""
    fresh()
    key = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
    inject(THIRD, "K0", pinmac.SM4, key)
    # GB/T 32907-2016 A.1: under this key the key itself becomes 681EDF34…, and its check value is
    # that of the zero block.
    field = bytes.fromhex("681EDF34D206965E86B3E94F536E4246")
    kcv = pinmac.kcv(THIRD)
    raises(pinmac.IntegrityError, pinmac.load_working, KEY, "M0", field, THIRD, kcv + b"\x00")
    for last in range(256):
        try:
            pinmac.load_working(KEY, "M0", field, THIRD, kcv + bytes((last,)))
            break
        except pinmac.IntegrityError:
            pass
    assert pinmac.info(KEY)["alg"] == pinmac.SM4 and pinmac.kcv(KEY) == kcv
    mac = pinmac.mac(KEY, pinmac.MAC_CUP_SM4, b"a message of more than sixteen bytes")
    assert len(mac) == 8 and mac.upper() == mac
    assert pinmac.mac_verify(
        KEY, pinmac.MAC_CUP_SM4, b"a message of more than sixteen bytes", mac) is True
    raises(pinmac.KeyUsageError, pinmac.mac, KEY, pinmac.MAC_CUP, b"")
    for size in (8, 24, 32):
        raises(ValueError, pinmac.load_working, OTHER, "D0", bytes(size), THIRD, bytes(4))
    pinmac.generate(OTHER, "P0", pinmac.SM4)
    for fmt in (0, 1, 3):
        enter((1, 2, 3, 4))
        raises(pinmac.KeyUsageError, pinmac.pin_block, OTHER, fmt, PAN)
    enter((1, 2, 3, 4))
    assert len(pinmac.pin_block(OTHER, 4, PAN)) == 16


# ---- DUKPT


def test_dukpt_tdes_of_the_standard():
    for block, kbpk in ((IK_TDES, KBPK), (IK_TDES_B, KBPK_TDES)):
        fresh()
        kcv = pinmac.load_dukpt(KEY, block, kbpk, KSN_TDES)
        assert kcv == pinmac.kcv(KEY) and pinmac.info(KEY)["usage"] == "B1"
        for counter, pin, request, response, data in TDES_TABLE:
            assert pinmac.dukpt_next(KEY) == KSN_TDES[:-1] + bytes((counter,))
            enter((1, 2, 3, 4))
            assert pinmac.pin_block(KEY, 0, PAN) == bytes.fromhex(pin)
            assert pinmac.mac(KEY, pinmac.MAC_X919, TEXT) == bytes.fromhex(request)
            assert pinmac.mac_verify(KEY, pinmac.MAC_X919, TEXT, bytes.fromhex(response)) is True
            assert pinmac.encrypt(KEY, bytes(8), padded(8)) == bytes.fromhex(data)
            if counter == 1:
                assert pinmac.decrypt(KEY, bytes(8), TDES_RESPONSE) == padded(8)
            pinmac.mac_init(KEY, pinmac.MAC_X919)
            pinmac.mac_update(TEXT)
            assert pinmac.mac_final() == bytes.fromhex(request)


def test_dukpt_aes_of_the_standard():
    fresh()
    pinmac.load_dukpt(KEY, IK_AES, KBPK, KSN_AES)
    for counter, request, response, data in AES_TABLE:
        assert pinmac.dukpt_next(KEY) == KSN_AES[:-1] + bytes((counter,))
        assert pinmac.mac(KEY, pinmac.MAC_CMAC, TEXT) == bytes.fromhex(request)
        assert pinmac.mac_verify(KEY, pinmac.MAC_CMAC, TEXT, bytes.fromhex(response)) is True
        assert pinmac.encrypt(KEY, bytes(16), padded(16)) == bytes.fromhex(data)
        enter((1, 2, 3, 4))
        assert len(pinmac.pin_block(KEY, 4, PAN)) == 16


def test_dukpt_needs_a_transaction():
    fresh()
    pinmac.load_dukpt(KEY, IK_TDES, KBPK, KSN_TDES)
    raises(pinmac.StateError, pinmac.mac, KEY, pinmac.MAC_X919, TEXT)
    enter((1, 2, 3, 4))
    raises(pinmac.StateError, pinmac.pin_block, KEY, 0, PAN)
    raises(pinmac.StateError, pinmac.pin_len)
    pinmac.dukpt_next(KEY)
    raises(pinmac.KeyUsageError, pinmac.mac, KEY, pinmac.MAC_CMAC, TEXT)
    raises(pinmac.KeyUsageError, pinmac.mac, KEY, pinmac.MAC_CUP, TEXT)
    enter((1, 2, 3, 4))
    raises(pinmac.KeyUsageError, pinmac.pin_block, KEY, 4, PAN)
    pinmac.mac_init(KEY, pinmac.MAC_X919)
    raises(pinmac.KeyUsageError, pinmac.mac_final_verify, bytes(8))
    raises(pinmac.KeyUsageError, pinmac.load_working, OTHER, "P0", bytes(16), KEY, bytes(4))
    raises(pinmac.KeyUsageError, pinmac.load_block, OTHER, X99, KEY)
    raises(pinmac.KeyUsageError, pinmac.export_block, KEY, KBPK)
    for slot in (KBPK, OTHER):
        raises(pinmac.KeyUsageError, pinmac.dukpt_next, slot)
    raises(ValueError, pinmac.dukpt_next, 32)


def test_dukpt_loading_refusals():
    fresh()
    pinmac.load_dukpt(KEY, IK_TDES, KBPK, KSN_TDES)
    pinmac.dukpt_next(KEY)
    for kind, args in (
        (pinmac.IntegrityError, (KEY, IK_TDES[:-1] + b"0", KBPK, KSN_TDES)),
        (pinmac.KeyUsageError, (KEY, X99, KBPK, KSN_TDES)),
        (pinmac.StateError, (OTHER, IK_TDES, KBPK, KSN_TDES)),
        (ValueError, (KEY, IK_TDES, KBPK, KSN_AES)),
        (ValueError, (KEY, IK_TDES, KBPK, KSN_TDES[:-1])),
        (ValueError, (KEY, IK_TDES, KBPK, KSN_TDES[:-3] + b"\xe0\x07\xff")),
        (ValueError, (OTHER, IK_AES, KBPK, KSN_TDES)),
        (ValueError, (OTHER, IK_AES, KBPK, KSN_AES[:-4] + b"\x00\x01\xff\xff")),
    ):
        raises(kind, pinmac.load_dukpt, *args)
    # The old key goes on, and both algorithms live side by side.
    pinmac.load_dukpt(OTHER, IK_AES, KBPK, KSN_AES)
    assert pinmac.dukpt_next(KEY)[-1] == 2 and pinmac.dukpt_next(OTHER)[-1] == 1
    assert pinmac.mac(KEY, pinmac.MAC_X919, TEXT) == bytes.fromhex(TDES_TABLE[1][2])
    assert pinmac.mac(OTHER, pinmac.MAC_CMAC, TEXT) == bytes.fromhex(AES_TABLE[0][1])
    # Erasing frees the registers, and so does another key in the slot.
    pinmac.erase(KEY)
    pinmac.load_dukpt(THIRD, IK_TDES, KBPK, KSN_TDES)
    pinmac.load_block(THIRD, X99, KBPK)
    pinmac.load_dukpt(KEY, IK_TDES, KBPK, KSN_TDES)
    assert pinmac.info(THIRD)["usage"] == "M1"


def test_dukpt_is_spent_at_the_last_counter():
    fresh()
    # Ten ones at the top of 21 bits, and sixteen at the top of 32.
    pinmac.load_dukpt(KEY, IK_TDES, KBPK, KSN_TDES[:-3] + b"\xff\xf4\x00")
    ksn = pinmac.dukpt_next(KEY)
    assert ksn == KSN_TDES[:-3] + b"\xff\xf8\x00"
    for _ in range(2):
        raises(pinmac.StateError, pinmac.dukpt_next, KEY)
    # The last key still serves: a refused call changes nothing.
    assert len(pinmac.mac(KEY, pinmac.MAC_X919, TEXT)) == 8
    pinmac.load_dukpt(OTHER, IK_AES, KBPK, KSN_AES[:-4] + b"\xff\xfe\x80\x00")
    assert pinmac.dukpt_next(OTHER)[-4:] == b"\xff\xff\x00\x00"
    raises(pinmac.StateError, pinmac.dukpt_next, OTHER)


def test_dukpt_state_outlives_a_seal():
    for block, ksn, alg in (
        (IK_TDES, KSN_TDES, pinmac.MAC_X919), (IK_AES, KSN_AES, pinmac.MAC_CMAC),
    ):
        fresh()
        pinmac.load_dukpt(KEY, block, KBPK, ksn)
        before = pinmac.seal(KEY)
        pinmac.dukpt_next(KEY)
        first = pinmac.seal(KEY)
        facts, kcv = pinmac.info(KEY), pinmac.kcv(KEY)
        pinmac.erase(KEY)
        # Nothing was used yet: even the older state is good, and leads to the same transaction.
        assert pinmac.unseal(OTHER, before) == kcv and pinmac.info(OTHER) == facts
        assert pinmac.dukpt_next(OTHER)[-1] == 1
        mac = pinmac.mac(OTHER, alg, TEXT)
        pinmac.erase(OTHER)
        raises(pinmac.IntegrityError, pinmac.unseal, OTHER, before)
        # The state sealed before the use goes on with the next key, never with that one again.
        assert pinmac.unseal(KEY, first) == kcv
        raises(pinmac.StateError, pinmac.mac, KEY, alg, TEXT)
        assert pinmac.dukpt_next(KEY)[-1] == 2
        assert pinmac.mac(KEY, alg, TEXT) != mac
        raises(pinmac.IntegrityError, pinmac.unseal, KEY, first)
        # A key loaded anew ends all states before it.
        second = pinmac.seal(KEY)
        pinmac.load_dukpt(KEY, block, KBPK, ksn)
        raises(pinmac.IntegrityError, pinmac.unseal, KEY, second)
        raises(pinmac.StateError, pinmac.unseal, OTHER, pinmac.seal(KEY))


def test_every_changed_byte_of_a_sealed_state_is_refused():
    fresh()
    pinmac.load_dukpt(KEY, IK_TDES, KBPK, KSN_TDES)
    blob = pinmac.seal(KEY)
    for at in range(len(blob)):
        changed = bytearray(blob)
        changed[at] ^= 4
        raises(pinmac.IntegrityError, pinmac.unseal, KEY, changed)
    for size in (0, 5, 6, 7, 36, 52, len(blob) - 1):
        raises(pinmac.IntegrityError, pinmac.unseal, KEY, blob[:size])
    raises(pinmac.IntegrityError, pinmac.unseal, KEY, blob + b"\x00")
    assert pinmac.dukpt_next(KEY)[-1] == 1


# ---- RSA


def test_rsa_recover():
    modulus = b"\xff" * 64
    data = bytes(31) + b"\x01" + bytes(32)  # 2^256, whose cube is itself modulo 2^512 - 1
    assert pinmac.rsa_recover(modulus, 3, data) == data
    assert pinmac.rsa_recover(modulus, b"\x01\x00\x01", bytes(63) + b"\x01") == bytes(63) + b"\x01"
    for kind, args in (
        (ValueError, (modulus, 2, data)),
        (ValueError, (modulus, 5, data)),
        (ValueError, (modulus, b"", data)),
        (ValueError, (modulus, b"\x00\x00\x00\x00\x03", data)),
        (ValueError, (modulus, 1 << 40, data)),
        (ValueError, (modulus, 3, data[1:])),
        (ValueError, (modulus[1:], 3, data[1:])),
        (ValueError, (b"\x00" + modulus[1:], 3, data)),
        (ValueError, (modulus[1:] + b"\xfe", 3, data)),
        (ValueError, (modulus, 3, modulus)),
        (ValueError, (bytes(257), 3, bytes(257))),
        (TypeError, (modulus, None, data)),
    ):
        raises(kind, pinmac.rsa_recover, *args)


def test_the_enciphered_pin_ends_the_entry():
    modulus, number = b"\xff" * 128, bytes(range(8))
    enter((1, 2, 3, 4))
    first = pinmac.pin_enciphered(modulus, 3, number)
    assert len(first) == 128
    raises(pinmac.StateError, pinmac.pin_enciphered, modulus, 3, number)
    enter((1, 2, 3, 4))
    assert pinmac.pin_enciphered(modulus, b"\x03", number) != first  # the padding is random
    for kind, args in (
        (ValueError, (modulus[1:], 3, number)),
        (ValueError, (b"\xff" * 249, 3, number)),
        (ValueError, (b"\x00" + modulus[1:], 3, number)),
        (ValueError, (modulus[1:] + b"\xfe", 3, number)),
        (ValueError, (modulus, 5, number)),
        (ValueError, (modulus, 3, number[1:])),
        (TypeError, (modulus, 3, None)),
        (TypeError, (modulus, None, number)),
        (TypeError, (None, 3, number)),
    ):
        enter((1, 2, 3, 4))
        raises(kind, pinmac.pin_enciphered, *args)
        raises(pinmac.StateError, pinmac.pin_len)
    enter((1, 2, 3))
    raises(ValueError, pinmac.pin_enciphered, modulus, 3, number)
    raises(pinmac.StateError, pinmac.pin_len)

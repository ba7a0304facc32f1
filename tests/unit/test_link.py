"""The link's parts that need no line: the host's calendar, whose answer is whose, working keys."""

import os
from binascii import unhexlify

import iso8583
import pinmac
import vfs

from firmware.ledger import record, sealed
from firmware.ledger.record import CHIP, SALE, TAP, CardData, Txn
from firmware.ledger.vault import MAC, MASTER, PIN, TRACK, FileMissing
from firmware.link import calendar, codes, keys, messages
from firmware.link.errors import KeyFault
from tests.unit.flashbed import Flash

DAY = 86_400
# PROTOCOL.md, "Sign-on and working keys"; the PIN block is PINMAC.md's through that PIN key.
TMK = "CA5D92598DCA48CE8A4C76361A9269E9"
FIELD_62 = unhexlify(
    "6701EAD6A9AD51E51AA406E2C27FCFA98D0A74B8B651F9E9BACE9AE10000000000000000AB7153CA"
)


class Shop:
    """What messages take from the parameters."""

    terminal = "SP000001"
    merchant = "898610154110001"


def raises(kind, call, *arguments):
    try:
        call(*arguments)
    except kind as error:
        assert str(error)
        return error
    raise AssertionError("no " + kind.__name__)


def fresh():
    """A master key in its slot, an empty folder at /bed, no working keys."""
    try:
        vfs.umount("/bed")
    except OSError:
        pass
    flash = Flash(16)
    flash.format()
    flash.mount("/bed")
    pinmac.zeroize()
    first = bytearray(unhexlify("5E9BF1D0237A46B90DC28864EA7F1335"))
    second = bytearray(a ^ b for a, b in zip(unhexlify(TMK), first))
    assert pinmac.load_component(MASTER, "K0", pinmac.TDES, first) is None
    pinmac.load_component(MASTER, "K0", pinmac.TDES, second)


def pin_block():
    pinmac.pin_begin()
    for digit in b"123456":
        pinmac.pin_digit(digit - 48)
    return pinmac.pin_block(PIN, 0, "6222021234567890123")


def test_days_from_2000():
    assert calendar.days(2000, 1, 1) == 0
    assert calendar.days(2000, 3, 1) == 60
    assert calendar.days(2001, 1, 1) == 366
    assert calendar.days(2026, 11, 1) * DAY == 846_806_400
    assert calendar.days(2100, 3, 1) - calendar.days(2100, 2, 28) == 1


def test_the_year_of_a_moment():
    for year in (2000, 2001, 2024, 2025, 2026, 2099, 2100):
        assert calendar.year_of(calendar.days(year, 1, 1) * DAY) == year
        assert calendar.year_of(calendar.days(year + 1, 1, 1) * DAY - 1) == year


def test_the_hosts_year_is_the_nearest():
    eve = calendar.days(2026, 12, 31) * DAY + 86_390
    new_year = calendar.days(2027, 1, 1) * DAY
    assert calendar.host_moment("000005", "0101", eve) == new_year + 5
    assert calendar.host_moment("235950", "1231", new_year + 9) == eve
    noon = calendar.days(2026, 11, 23) * DAY + DAY // 2
    assert calendar.host_moment("120000", "1123", eve) == noon


def test_leap_day_is_taken_where_there_is_one():
    near = calendar.days(2028, 3, 1) * DAY
    assert calendar.host_moment("000000", "0229", near) == near - DAY


def test_times_and_dates_that_do_not_exist():
    near = calendar.days(2026, 6, 1) * DAY
    for time in ("240000", "006000", "000060"):
        assert raises(iso8583.Iso8583Error, calendar.host_moment, time, "0101", near).field == 12
    for date in ("0001", "1301", "0100", "0132", "0431", "0229"):
        assert raises(iso8583.Iso8583Error, calendar.host_moment, "000000", date, near).field == 13


def a_txn(entry=CHIP, pin=1):
    txn = Txn(3, 17)
    txn.apply(record.SENT, {"kind": SALE, "amount": 2**31, "entry": entry, "pin_entered": pin})
    return txn


def test_a_sale_as_the_protocol_lists_it():
    track = bytearray(unhexlify("6225880000071234D30122010000000000000F"))
    chip = b"\x82\x02\x7c\x00"
    card = CardData(CHIP, "6225880000071234", "3012", "001", track, chip, b"12345678")
    request = messages.payment(a_txn(), card, Shop)
    assert request.mti == "0200" and request.keyed and request.reply_mti == "0210"
    fields = dict(request.fields)
    kept = fields.pop(35)
    assert bytes(kept) == b"6225880000071234=30122010000000000000"
    assert fields == {
        2: "6225880000071234", 3: "000000", 4: "002147483648", 11: "000017", 14: "3012", 22: "051",
        23: "001", 25: "00", 26: "12", 41: "SP000001", 42: "898610154110001", 49: "156",
        52: b"12345678", 53: "2600000000000000", 55: chip, 60: "2200000300060",
        64: "00000000",
    }  # fmt: skip
    messages.wipe(request)
    assert 35 not in request.fields and not any(kept)


def test_a_tap_without_pin():
    card = CardData(TAP, "6225880000071234")
    fields = messages.payment(a_txn(TAP, 0), card, Shop).fields
    assert fields[22] == "072"
    for number in (14, 23, 26, 35, 52, 53, 55):
        assert number not in fields


def test_a_reversal_drops_what_it_must_and_says_why():
    chip = unhexlify(
        "9F2608AABBCCDDEEFF0011950500000080009F360200019F1007060112039000009F3704010203049C0100"
    )
    txn = a_txn()
    txn.apply(record.REVERSING, {"reason": "98", "authorisation_code": "123456"})
    request = messages.reversal(txn, ("6225880000071234", "3012", "001"), chip, Shop)
    assert request.mti == "0400" and request.reply_mti == "0410" and request.keyed
    fields = request.fields
    for number in (26, 35, 36, 37, 52, 53):
        assert number not in fields
    assert (fields[39], fields[38]) == ("98", "123456")
    assert (fields[11], fields[60][2:8]) == ("000017", "000003")
    assert fields[55] == unhexlify("950500000080009F360200019F100706011203900000")
    for size in range(len(chip)):
        picked = messages.pick(chip[:size], (0x95, 0x9C))
        assert unhexlify("95050000008000").startswith(picked[:7]) and len(picked) in (0, 7)


def a_reply(mti="0210", **changes):
    fields = {3: "000000", 4: "002147483648", 11: "000017", 41: "SP000001", 42: "898610154110001",
              60: "22000003000"}  # fmt: skip
    fields.update({int(name[1:]): value for name, value in changes.items()})
    return iso8583.Message(mti, {k: v for k, v in fields.items() if v is not None}, "", "0" * 12)


def test_only_its_own_answer_is_taken():
    request = messages.payment(a_txn(TAP, 0), CardData(TAP, "6225880000071234"), Shop)
    assert messages.mismatch(request, a_reply()) is None
    assert messages.mismatch(request, a_reply(f60=None)) is None
    assert messages.mismatch(request, a_reply("0410")) == "MTI 0410"
    for name, value in (
        ("f3", "200000"), ("f3", None), ("f4", "000000000001"), ("f4", None), ("f11", "000018"),
        ("f41", "SP000002"), ("f42", "898610154110002"),
    ):  # fmt: skip
        assert messages.mismatch(request, a_reply(**{name: value})) == "field " + name[1:]
    assert messages.mismatch(request, a_reply(f60="22000004000")) == "batch"


def test_a_sign_ons_answer_may_carry_another_batch():
    request = messages.management("0800", messages.SIGN_ON, 17, 3, "01", Shop)
    assert request.fields[60] == "00000003003" and request.fields[63] == "01 "
    reply = a_reply("0810", f3=None, f4=None, f60="00000009003")
    assert messages.mismatch(request, reply) is None


def test_working_keys_of_the_protocol():
    fresh()
    assert not keys.loaded()
    keys.install(FIELD_62, "/bed")
    assert keys.loaded() and pinmac.info(TRACK) is None
    assert pin_block() == unhexlify("BDFD42DCF960C8B6")
    assert pinmac.info(MAC)["length"] == 8
    pinmac.erase(PIN)
    pinmac.erase(MAC)
    assert sealed.load("/bed/working.key", sealed.WORKING_SLOTS) == [PIN, MAC]
    assert pin_block() == unhexlify("BDFD42DCF960C8B6")
    keys.forget("/bed")
    assert not keys.loaded() and os.listdir("/bed") == []
    raises(FileMissing, sealed.load, "/bed/working.key", sealed.WORKING_SLOTS)
    keys.forget("/bed")


def test_one_wrong_check_value_leaves_every_key_as_it_was():
    fresh()
    keys.install(FIELD_62, "/bed")
    with open("/bed/working.key", "rb") as file:
        before = file.read()
    for place in (0, 17, 20, 39):
        wrong = bytearray(FIELD_62)
        wrong[place] ^= 1
        raises(KeyFault, keys.install, bytes(wrong), "/bed")
        assert pin_block() == unhexlify("BDFD42DCF960C8B6")
        assert all(pinmac.info(slot) is None for slot in range(8, 12))
    for size in (0, 23, 39, 41, 59, 61):
        raises(KeyFault, keys.install, bytes(size), "/bed")
    with open("/bed/working.key", "rb") as file:
        assert file.read() == before


def test_a_damaged_key_file_is_named():
    fresh()
    keys.install(FIELD_62, "/bed")
    with open("/bed/working.key", "rb") as file:
        whole = file.read()
    changed = whole[:40] + bytes((whole[40] ^ 1,)) + whole[41:]
    for damaged in (b"", whole[:-1], whole[:2], changed, b"\x04" + whole[1:]):
        with open("/bed/working.key", "wb") as file:
            file.write(damaged)
        raises(sealed.KeyFileCorrupt, sealed.load, "/bed/working.key", sealed.WORKING_SLOTS)


def test_codes():
    assert codes.key("51") == "rc_51" and codes.key("ZZ") == "rc_unknown"
    assert codes.outcome("00") == codes.outcome("A6") == "approved"
    assert codes.outcome("04") == "capture" and codes.outcome("51") == "declined"
    assert codes.outcome("") == "declined"
    assert len(set(codes.KNOWN)) == len(codes.KNOWN)

"""BER-TLV and data object lists (Book 3 Annex B and 5.4)."""

import tlv


def refused(call, *arguments):
    """Whether a call is a TlvError, and not something else."""
    try:
        for _ in call(*arguments):
            pass
    except tlv.TlvError:
        return True
    return False


def test_tags_of_one_two_and_three_bytes():
    data = bytes.fromhex("9A032611239F02060000000012345F2A020156DF810101FF")
    found = [(tag, data[begin:end].hex()) for tag, begin, end in tlv.walk(data)]
    assert found == [
        (0x9A, "261123"),
        (0x9F02, "000000001234"),
        (0x5F2A, "0156"),
        (0xDF8101, "ff"),
    ]


def test_lengths_of_one_two_and_three_bytes():
    for size in (0, 1, 127, 128, 255, 256, 1000):
        data = tlv.encode(0x57, bytes(size))
        assert list(tlv.walk(data)) == [(0x57, len(data) - size, len(data))]
    assert tlv.encode(0x9F02, b"\x01").hex() == "9f020101"
    assert tlv.encode(0x71, bytes(200))[:3].hex() == "7181c8"
    assert tlv.encode(0x71, bytes(300))[:4].hex() == "7182012c"


def test_a_long_form_below_128_is_put_up_with():
    assert list(tlv.walk(bytes.fromhex("57810141"))) == [(0x57, 3, 4)]


def test_zeros_between_objects_are_skipped():
    assert [tag for tag, _, _ in tlv.walk(bytes.fromhex("000057014100005A010000"))] == [0x57, 0x5A]


def test_what_is_cut_short_is_refused():
    whole = bytes.fromhex("9F02060000000012345F2A820002015670035A0112")
    ends = {0, 9, 16, len(whole)}
    for size in range(len(whole) + 1):
        assert refused(tlv.walk, whole[:size]) == (size not in ends), size


def test_forms_that_are_not_allowed():
    for text in ("5780", "57830000001", "9F8181810141", "57FF", "9F", "5F", "57848000000041"):
        data = bytes.fromhex(text + "0" * (len(text) % 2))
        assert refused(tlv.walk, data), text


def test_nothing_is_read_behind_the_end():
    data = bytes.fromhex("5703414243")
    assert refused(tlv.walk, data, 0, 4)
    assert refused(tlv.leaves, bytes.fromhex("700357034142"), 0, 5)


def test_leaves_go_into_templates_but_not_for_ever():
    data = tlv.encode(0x70, tlv.encode(0x61, tlv.encode(0x4F, b"\xa0")) + b"\x50\x01A")
    assert [tag for tag, _, _ in tlv.leaves(data)] == [0x4F, 0x50]
    for _ in range(tlv.MAX_DEPTH):
        data = tlv.encode(0x70, data)
    assert refused(tlv.leaves, data)


def test_constructed_tags():
    for tag in (0x61, 0x6F, 0x70, 0x77, 0xA5, 0xBF0C, 0xFF8105):
        assert tlv.is_constructed(tag), tag
    for tag in (0x57, 0x5F2A, 0x82, 0x9F02, 0xDF31, 0xDF8101):
        assert not tlv.is_constructed(tag), tag


def test_lists_are_read_and_refused():
    assert list(tlv.dol(bytes.fromhex("9F02069C01DF810104"))) == [
        (0x9F02, 6),
        (0x9C, 1),
        (0xDF8101, 4),
    ]
    assert refused(tlv.dol, bytes.fromhex("9F02069C"))
    assert refused(tlv.dol, bytes.fromhex("9F02069F"))


def fitted(value, wanted, kind):
    """What a list's entry becomes."""
    target = bytearray(b"\xee" * (wanted + 2))
    tlv.fit(None if value is None else bytes.fromhex(value), wanted, kind, target, 1)
    assert target[0] == 0xEE and target[-1] == 0xEE
    return bytes(target[1:-1]).hex()


def test_values_are_cut_and_filled_by_their_format():
    # Book 3 5.4, rules 2c and 2d.
    assert fitted("0156", 1, "n") == "56"
    assert fitted("0156", 4, "n") == "00000156"
    assert fitted("41424344", 2, "an") == "4142"
    assert fitted("4142", 4, "ans") == "41420000"
    assert fitted("1234", 4, "b") == "12340000"
    assert fitted("123f", 4, "cn") == "123fffff"
    assert fitted("123456", 2, "cn") == "1234"
    assert fitted(None, 3, "cn") == "000000"
    assert not fitted(None, 0, "b")

"""The codec: PROTOCOL.md's frame, and everything that is not quite a frame."""

from binascii import unhexlify

import iso8583

# PROTOCOL.md, "MAC": a whole frame.
FRAME = unhexlify(
    "007F"
    "6000030000"
    "603210320072"
    "02003020048000C08015"
    "000000000000001234000002030099"
    "3030303030303031393532373138313832323137383735313536"
    "001926000001000600000000"
    "00435F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031"
    "4233413039324145"
)
FIELDS = {
    3: "000000",
    4: "000000001234",
    11: "000002",
    22: "030",
    25: "99",
    41: "00000001",
    42: "952718182217875",
    49: "156",
    60: "2600000100060000000",
    62: FRAME[78:121],
    64: "B3A092AE",
}


def refused(call, *arguments):
    """The field that an Iso8583Error names."""
    try:
        call(*arguments)
    except iso8583.Iso8583Error as error:
        assert str(error.field) in str(error)
        return error.field
    raise AssertionError("was taken")


def encode(fields, size=1600):
    buffer = bytearray(size)
    length = iso8583.encode(buffer, "0200", fields, "6000030000", "603210320072")
    return bytes(buffer[:length])


def test_the_protocols_frame_decodes():
    message = iso8583.decode(FRAME)
    assert message.mti == "0200"
    assert message.tpdu == "6000030000"
    assert message.header == "603210320072"
    assert message.wish == 0
    assert message.fields == FIELDS


def test_the_protocols_frame_encodes():
    assert encode(FIELDS) == FRAME


def test_the_mac_covers_mti_to_the_byte_before_field_64():
    data = bytes(iso8583.mac_data(bytearray(FRAME), len(FRAME)))
    assert data == FRAME[13:-8]
    assert refused(iso8583.mac_data, bytearray(FRAME[:-8]), 20) == 64
    without = {number: value for number, value in FIELDS.items() if number != 64}
    frame = bytearray(encode(without))
    assert refused(iso8583.mac_data, frame, len(frame)) == 64


def test_a_mac_is_put_in_place():
    frame = bytearray(FRAME)
    iso8583.set_mac(frame, len(frame), b"01234567")
    assert iso8583.decode(frame).fields[64] == "01234567"
    assert refused(iso8583.set_mac, frame, len(frame), b"0123456") == 64


def test_the_hosts_wish_is_digit_six():
    frame = bytearray(FRAME)
    frame[9] = 0x13
    assert iso8583.decode(frame).wish == 3


def test_odd_digits_lie_where_the_protocol_says():
    frame = encode({2: "6225880000071234567", 22: "051", 23: "001", 32: "99020", 35: "12=3"})
    assert frame[23:34] == unhexlify("1962258800000712345670")
    assert frame[34:36] == unhexlify("0510")
    assert frame[36:38] == unhexlify("0001")
    assert frame[38:42] == unhexlify("05099020")
    assert frame[42:] == unhexlify("0412D3")
    fields = iso8583.decode(frame).fields
    assert fields[2] == "6225880000071234567"
    assert fields[22] == "051"
    assert fields[23] == "001"
    assert fields[32] == "99020"
    assert fields[35] == "12=3"


def test_every_truncation_is_refused():
    for size in range(len(FRAME)):
        refused(iso8583.decode, FRAME[:size])
        whole = bytearray(FRAME[:size])
        if size >= 2:
            whole[0], whole[1] = (size - 2) >> 8, (size - 2) & 0xFF
            refused(iso8583.decode, whole)


def test_extra_bytes_are_refused():
    frame = bytearray(FRAME + b"\0")
    assert refused(iso8583.decode, frame) == "length"
    frame[1] += 1
    assert refused(iso8583.decode, frame) == "frame"


def test_what_decodes_badly_names_the_field():
    cases = ((2, 0x6A, "tpdu"), (7, 0xF0, "header"), (13, 0x0A, "mti"), (15, 0xB0, "bitmap"))
    for at, value, field in cases:
        frame = bytearray(FRAME)
        frame[at] = value
        assert refused(iso8583.decode, frame) == field, field
    for at, value, field in ((23, 0xA0, 3), (70, 0x1A, 60), (65, 0x99, 60), (64, 0xA0, 60)):
        frame = bytearray(FRAME)
        frame[at] = value
        assert refused(iso8583.decode, frame) == field, (at, field)
    frame = bytearray(FRAME)
    frame[15] |= 0x08  # field 5 is not in use
    assert refused(iso8583.decode, frame) == 5


def test_a_length_past_its_limit_is_refused():
    frame = bytearray(encode({63: "x" * 163}))
    frame[23:25] = unhexlify("0164")
    frame += b"x"
    frame[1] += 1
    assert refused(iso8583.decode, frame) == 63


def test_padding_of_a_right_justified_field_is_zero():
    frame = bytearray(encode({23: "001"}))
    frame[23] = 0x10
    assert refused(iso8583.decode, frame) == 23


def test_values_that_do_not_fit_are_refused():
    cases = (
        (4, "1234"), (3, "00000a"), (2, "1" * 20), (41, "SP00001"), (52, b"1234567"),
        (52, "12345678"), (55, b"x" * 256), (62, b"x" * 513), (63, "算盘"), (7, "0101"),
        (35, "1E1"),
    )  # fmt: skip
    for number, value in cases:
        assert refused(encode, {number: value}) == number, number


def test_a_buffer_too_short_is_refused():
    for size in range(len(FRAME)):
        refused(encode, FIELDS, size)
    assert encode(FIELDS, len(FRAME)) == FRAME


def test_largest_amount_survives():
    assert iso8583.decode(encode({4: "999999999999"})).fields[4] == "999999999999"

"""`pos decode`: kinds named and guessed, secrets masked, any bytes end in words or an error."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from tools.acquirer import events
from tools.emv import bits, decode, decode_command, dictionary, words
from tools.emv.errors import DecodeError
from tools.sim import decode as timeline
from tools.sim.chips import masking

# PROTOCOL.md, "MAC": a whole frame.
FRAME = (
    "007F 6000030000 603210320072 0200 3020048000C08015 000000 000000001234 000002 0300 99 "
    "3030303030303031 393532373138313832323137383735 313536 0019 26000001000600000000 0043 "
    "5F01123238343431323334353637383930313233345F03063136303033365F04063230303832365C023031 "
    "4233413039324145"
)
RECORD = "7023" + "5A086225880000071234" + "5F340101" + "5713" + (
    "6225880000071234D3012220000001230000F0")[:38]


def run(*arguments: str, given_input: bytes | None = None) -> tuple[int, str]:
    """Exit code and what was said."""
    app = decode_command.typer.Typer()
    app.command()(decode_command.command)
    result = CliRunner().invoke(app, list(arguments), input=given_input)
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


# What is given, the kind that it is taken for, and words that must come.
GUESSES = [
    ("8000048000", "tvr", ["ODA not performed", "online PIN entered", "floor limit exceeded"]),
    ("E800", "tsi", ["ODA performed", "CVM performed", "card risk management performed"]),
    ("1C00", "aip", ["CVM supported", "issuer authentication supported"]),
    ("420302", "cvm-results", ["enciphered PIN online", "if the terminal supports it",
                               "successful"]),
    ("0801010010010200", "afl", ["SFI 1 records 1-1", "SFI 2 records 1-2"]),
    ("000000000000000042031E031F00", "cvm-list", ["enciphered PIN online", "try the next",
                                                  "no CVM always"]),
    ("9F02069F03069F1A0295055F2A029A039C019F3704", "dol", ["Amount, Authorised", "29 bytes"]),
    ("9F3704", "dol", ["Unpredictable Number"]),
    ("00A4040007A0000000031010", "command", ["SELECT", "A0000000031010"]),
    ("00B2010C00", "command", ["READ RECORD, SFI 1 record 1", "up to 256 bytes"]),
    ("80CA9F1700", "command", ["GET DATA", "Personal Identification Number (PIN) Try Counter"]),
    ("6985", "response", ["conditions not satisfied"]),
    ("63C2", "response", ["2 tries left"]),
    ("6988", "response", ["secure messaging data incorrect"]),
    ("6C1F", "response", ["Le must be 31"]),
    ("9F1701039000", "response", ["Try Counter", "ok"]),
    ("9F2701809F360200199F2608E15A26B0E68AB4B19F100706010A03A4A002", "tlv",
     ["ARQC", "25", "cryptogram version 10"]),
    ("0084000000", "command", ["GET CHALLENGE", "Le: 00"]),
    ("6110", "response", ["16 bytes wait"]),
    ("6119", "response", ["25 bytes wait"]),
    (FRAME, "iso", ["financial request", "12.34", "trace number", "type 26"]),
]


@pytest.mark.parametrize("given_hex, kind, said", GUESSES, ids=[row[1] for row in GUESSES])
def test_the_kind_is_guessed_and_said(given_hex: str, kind: str, said: list[str]) -> None:
    code, text = run(given_hex)
    assert code == 0 and text.startswith(f"{kind} (guessed)"), text
    for part in said:
        assert part in text, part
    code, text = run("--json", kind, given_hex)
    result = json.loads(text)
    assert code == 0 and result["kind"] == kind and result["guessed"] is False


def test_an_element_can_be_named_by_its_tag() -> None:
    assert "enciphered offline PIN" in run("9F33", "E0F8C8")[1]
    assert "switch interface if ODA fails" in run("ctq", "1000")[1]
    assert "consumer device CVM" in run("ttq", "36004000")[1]
    assert "numeric keys" in run("9f40", "6000B0F001")[1]
    assert "first ARQC" in run("iad", "07010103A0A002010A01000000000012345678")[1]
    text = run("5F30", "0226")[1]
    assert "chip first" in text and "by the issuer" in text and "where there is a PIN pad" in text
    for label in ("D2F8C1AABDE8BCC7", "E993B6E88194E5809FE8AEB0"):
        assert "银联借记" in run("50", label)[1]
    text = run("61", "4F07A0000000031010 8701 01")[1]
    assert "61 Application Template" in text and "Visa" in text and "priority 1" in text
    assert "malformed: 2 bytes are needed, not 1" in run("tlv", "9F07 01 FF")[1]


def test_a_whole_action_code_and_every_bit_of_the_library_has_words() -> None:
    for kind, table in (("TVR", bits.TVR), ("TSI", bits.TSI)):
        named = dictionary.bits(kind)
        assert len(named) >= 6
        for byte, mask in named.values():
            value = bytes(mask if at == byte - 1 else 0 for at in range(len(table)))
            [said] = bits.words(table, value)
            assert not said.startswith("byte ")


def test_names_are_those_of_the_library() -> None:
    assert dictionary.name(0x9F33) == "Terminal Capabilities"
    assert dictionary.label(0x95) == "Terminal Verification Results (TVR)"
    assert dictionary.tags_by_name()["terminal_country_code"] == 0x9F1A
    assert set(bits.TABLES) <= set(dictionary.elements())


def test_the_timeline_says_the_same() -> None:
    [row] = timeline.tlv_rows("95058000048000")
    assert row[0] == "95" and row[2].endswith(", ".join(words.table(0x95, b"\x80\0\x04\x80\0")))
    shown = timeline.tlv_rows("5A0862258800****1234"[:8] + "8800****1234")
    assert shown == [] or "*" in shown[0][2]


def test_secrets_are_not_shown() -> None:
    for kind in ("tlv", "response", None):
        data = RECORD + ("9000" if kind == "response" else "")
        text = run(*([kind] if kind else []), data)[1]
        assert "622588******1234" in text and "6225880000071234" not in text
        assert "D3012" not in text
    text = run("0020008008241234FFFFFFFFFF")[1]
    assert "VERIFY" in text and "241234" not in text and "****************" in text
    assert "6225880000071234" not in run("5A", "6225880000071234")[1]
    assert "D3012" not in run("57", "6225880000071234D3012220000001230000F0")[1]
    assert "0592389FFFFFFFFF" not in run("99", "0592389FFFFFFFFF")[1]


PAN = "6225880000071234"
UNTOLD = [
    ("tlv", "8008" + PAN), ("80", PAN), (None, "700FDF7F08" + PAN + "5F340101"),
    ("response", "8008" + PAN + "9000"), ("response", PAN + "9000"),
    ("response", "01" + PAN + "6300"),
    ("tlv", "DF010A" + PAN + "D301"), ("tlv", "DF0110" + PAN.encode().hex()),
    ("command", "80DA9F7D0A" + PAN + "0000"), ("apdu", "00D2010C08" + PAN),
    ("command", "0020008010" + PAN.encode().hex()),
]


@pytest.mark.parametrize("kind, data", UNTOLD, ids=[f"{kind}-{data[:6]}" for kind, data in UNTOLD])
def test_a_number_that_no_tag_names_is_masked(kind: str | None, data: str) -> None:
    code, text = run(*([kind] if kind else []), data)
    digits = text.replace(" ", "")
    assert code == 0 and PAN[6:12] not in digits and PAN.encode().hex()[12:24] not in digits
    assert PAN[2:] not in digits and "*" in digits


def test_amounts_and_dates_of_a_list_stay() -> None:
    """GET PROCESSING OPTIONS of a tap: nearly all of it is digits, and none is a card number."""
    values = "36004000" + "000000001234" + "000000000000" + "0156" + "00" * 5 + "0156261123"
    text = run("command", "80A800001F831D" + values + "00")[1].replace(" ", "")
    assert values in text and "*" not in text


def test_a_name_is_hidden_here_and_there() -> None:
    """What a decoded message hides the timeline and the host's log hide as well."""
    name = b"TEST/CARD".hex().upper()
    for kind in ("tlv", "response"):
        text = run(kind, "700C5F2009" + name + ("9000" if kind == "response" else ""))[1]
        assert "Cardholder Name" in text and name not in text and "TEST" not in text
    hidden = masking.TRACK_TAGS | masking.PIN_TAGS | masking.NAME_TAGS
    assert {int(tag, 16) for tag in events.HIDDEN_TAGS} == hidden


def test_a_message_hides_pan_track_and_pin_block() -> None:
    from tools.acquirer.wire import Message, encode

    fields = {2: "6225880000071234", 3: "000000", 4: "000000001234", 11: "000001",
              35: "6225880000071234D30122200000012300000", 52: "A1B2C3D4E5F60718",
              55: "5A0862258800000712349F2701809505" + "8000048000", 60: "22000001000600"}
    frame = encode(Message("0200", fields, b"\x60\0\0\0\0", "603200320000"))
    for data in (frame.hex(), f"{len(frame):04x}" + frame.hex(), frame[11:].hex()):
        text = run("iso", data)[1]
        assert "622588******1234" in text and "12.34" in text and "sale" in text
        assert "online PIN entered" in text, "the chip data's elements are decoded"
        for secret in ("6225880000071234", "D30122", "A1B2C3D4E5F60718"):
            assert secret not in text


def test_a_text_that_is_no_ascii_is_shown_in_hex() -> None:
    from tools.acquirer.wire import Message, encode

    fields = {3: "000000", 11: "000001", 39: "51", 60: "22000001", 63: "CUP 1234", 64: "A" * 8}
    plain = encode(Message("0210", fields, b"\x60\0\0\0\0", "603200320000"))
    chinese = "\u4f59\u989d".encode("gb18030")
    code, text = run("--json", plain.replace(b"1234", chinese).hex())
    rows = {row["tag"]: row for row in json.loads(text)["rows"]}
    assert code == 0 and rows["F63"]["value"] == "43555020D3E0B6EE"
    assert rows["F63"]["words"] == ["CUP \u4f59\u989d"]
    assert rows["F64"]["value"] == "AAAAAAAA" and rows["F39"]["value"] == "51"
    code, text = run("--json", plain.replace(b"A" * 8, b"\xff\x80\x01\x02\x03\x04\x05\x06").hex())
    rows = {row["tag"]: row for row in json.loads(text)["rows"]}
    assert code == 0 and rows["F64"]["value"] == "FF80010203040506"
    assert "words" not in rows["F64"] and rows["F63"]["value"] == "CUP 1234"


def test_a_cut_message_says_so() -> None:
    whole = FRAME.replace(" ", "")
    for given_hex in (whole[:-4], whole + "00"):
        size = len(given_hex) // 2 - 2
        for arguments in ((given_hex,), ("iso", given_hex)):
            code, text = run(*arguments)
            assert code == 2, text
            assert f"the length says {0x7F} bytes, {size} follow" in text


def test_a_file_and_standard_input(tmp_path: Path) -> None:
    path = tmp_path / "tvr.txt"
    path.write_text("80 00 04\n80 00\n")
    assert run(str(path))[1].startswith("tvr (guessed)")
    binary = tmp_path / "tvr.bin"
    binary.write_bytes(bytes.fromhex("8000048000"))
    assert run("tvr", str(binary))[0] == 0
    assert run("-", given_input=b"8000048000\n")[1].startswith("tvr (guessed)")
    assert run("80", "00", "04", "80", "00")[1].startswith("tvr (guessed)")


WRONG = [
    (["xyz"], "neither hex digits"),
    (["tvr", "80000480"], "5 bytes are needed, not 4"),
    (["95", "80000480"], "5 bytes are needed, not 4"),
    (["70", "5A08622588"], "5A at byte 0 says 8 bytes, 3 are there"),
    (["afl", "080101"], "four-byte entries"),
    (["tlv", "5A08622588"], "5A at byte 0 says 8 bytes, 3 are there"),
    (["tlv", "9F"], "end within a tag"),
    (["dol", "9F02"], "ends before the length"),
    (["command", "00A404"], "at least four bytes"),
    (["command", "00A4040005A0"], "Lc says 5 bytes"),
    (["iso", "0200"], "no message of this profile"),
    (["nonsense", "1234"], "no kind"),
    (["1234567"], "neither hex digits"),
    ([""], "no bytes"),
    (["FFFFFFFFFFFFFF"], "name a kind"),
]


@pytest.mark.parametrize("arguments, sentence", WRONG, ids=[" ".join(row[0]) for row in WRONG])
def test_wrong_input_is_named(arguments: list[str], sentence: str) -> None:
    code, text = run(*arguments)
    assert code == 2 and sentence in text, text


@given(st.binary(max_size=80), st.sampled_from([None, *decode.kinds(), "9F33", "5A", "57", "84"]))
def test_any_bytes_end_in_words_or_a_named_error(data: bytes, kind: str | None) -> None:
    try:
        result = decode.decode(data, kind)
    except DecodeError as error:
        assert str(error)
    else:
        assert result["rows"] and json.dumps(result)


@given(st.lists(st.sampled_from([
    bytes.fromhex("5A086225880000071234"), bytes.fromhex("8A023030"), b"\x70\x05", b"\x9f\x02\x06",
    b"\x00\xa4\x04\x00", b"\x90\x00", b"\x61", bytes.fromhex("9F360200"), b"\x60\0\0\0\0",
]), min_size=1, max_size=6).map(b"".join))
def test_bytes_that_resemble_something_end_the_same_way(data: bytes) -> None:
    try:
        result = decode.decode(data)
    except DecodeError as error:
        assert str(error)
    else:
        assert PAN not in json.dumps(result)

"""The parts of the reader models that no foreign host reaches: recovery, odd lengths, masking."""

import pytest

from tools.sim import cards
from tools.sim.chips import atr, pn532_frames
from tools.sim.chips.isodep import Pcd, Picc, Silence
from tools.sim.chips.masking import masked_apdu
from tools.sim.chips.pn532 import Pn532Uart
from tools.sim.chips.t0 import T0
from tools.sim.chips.t1 import T1, crc, lrc


class Echo:
    """A card that gives back the data of its command, or as many bytes as an E0 asks for."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def __call__(self, command: bytes) -> bytes:
        self.asked.append(command)
        if command[1] == 0xE0:
            return bytes(command[3]) + b"\x90\x00"
        return command[5 : 5 + command[4]] + b"\x90\x00"


def no_delay(command: bytes) -> int:
    return 0


# ---- ATR


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3B6500002063CB6800", atr.Atr((0,), 32, False)),
        ("3BE50000813140452063686970F0", atr.Atr((1,), 64, False)),
        ("3BE50000803140452063686970F1", atr.Atr((0, 1), 64, False)),
        ("3B8081317045018B", atr.Atr((1,), 112, False)),
        ("3B80817140450184", atr.Atr((1,), 64, True)),
    ],
)
def test_atr(text: str, expected: atr.Atr) -> None:
    """ISO 7816-3 clause 8.2: TD1, TD2 and T=1's TA3, TC3."""
    assert atr.parse(bytes.fromhex(text)) == expected


@pytest.mark.parametrize("text", ["", "3B", "3B80", "3BE500", "0065"])
def test_atr_that_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="ATR"):
        atr.parse(bytes.fromhex(text))


# ---- T=0


def test_t0_gives_a_long_answer_in_the_pieces_asked_for() -> None:
    card = Echo()
    t0 = T0(card)
    assert t0.tpdu(bytes.fromhex("80EC0000050102030405")) == b"\x61\x05"
    assert t0.tpdu(bytes.fromhex("00C0000002")) == b"\x01\x02\x61\x03"
    assert t0.tpdu(bytes.fromhex("00C0000004")) == b"\x6c\x03"
    assert t0.tpdu(bytes.fromhex("00C0000003")) == b"\x03\x04\x05\x90\x00"
    assert len(card.asked) == 1


def test_t0_asks_the_card_once_for_a_wrong_le() -> None:
    card = Echo()
    t0 = T0(card)
    assert t0.tpdu(bytes.fromhex("80E0000800")) == b"\x6c\x08"
    assert t0.tpdu(bytes.fromhex("80E0000808")) == bytes(8) + b"\x90\x00"
    assert len(card.asked) == 1


def test_t0_forgets_an_answer_nobody_fetched() -> None:
    t0 = T0(Echo())
    assert t0.tpdu(bytes.fromhex("80EC00000101")) == b"\x61\x01"
    assert t0.tpdu(bytes.fromhex("80E0000202")) == bytes(2) + b"\x90\x00"
    assert t0.tpdu(bytes.fromhex("00C0000001")) == b"\x90\x00"


@pytest.mark.parametrize("text", ["80EC00", "80EC00000501", "80EC000001010203"])
def test_t0_refuses_wrong_lengths(text: str) -> None:
    assert T0(Echo()).tpdu(bytes.fromhex(text)) == b"\x67\x00"


# ---- T=1


def framed(pcb: int, information: bytes = b"", check: object = lrc) -> bytes:
    """A block from the reader."""
    body = bytes((0, pcb, len(information))) + information
    return body + check(body)  # type: ignore[operator]


@pytest.mark.parametrize("with_crc", [False, True])
def test_t1_chains_both_ways(with_crc: bool) -> None:
    """ISO 7816-3 clause 11.6.2.2: an IFSC of 32 there, an IFSD of 32 back."""
    check = crc if with_crc else lrc
    card = Echo()
    t1 = T1(card, no_delay, 32, with_crc)
    command = bytes.fromhex("80EC000028") + bytes(range(40)) + b"\x00"
    answer, _ = t1.block(framed(0x20, command[:32], check))
    assert answer == framed(0x90, b"", check)
    answer, _ = t1.block(framed(0x40, command[32:], check))
    assert answer == framed(0x20, bytes(range(32)), check)
    answer, _ = t1.block(framed(0x90, b"", check))
    assert answer == framed(0x40, bytes(range(32, 40)) + b"\x90\x00", check)
    assert card.asked == [command]


def test_crc_of_iso_13239() -> None:
    """CRC-16/X-25's check value for "123456789" is 906E."""
    assert crc(b"123456789") == bytes.fromhex("906E")


def test_t1_recovers_from_damage() -> None:
    """Clause 11.6.3: R-blocks with the error's kind, the last block again, and resynchronising."""
    card = Echo()
    t1 = T1(card, no_delay, 32, False)
    good = framed(0x00, bytes.fromhex("80E0000100"))
    assert t1.block(good[:-1] + b"\x00")[0] == framed(0x81)
    assert t1.block(framed(0x40, b"\x80\xe0\x00\x01\x00"))[0] == framed(0x82)
    first, _ = t1.block(good)
    assert first == framed(0x00, b"\x00\x90\x00")
    assert t1.block(framed(0x80))[0] == first
    assert t1.block(framed(0xC0))[0] == framed(0xE0)
    assert t1.block(good)[0] == first
    assert len(card.asked) == 2


def test_t1_asks_for_time_and_grows_its_blocks() -> None:
    card = Echo()
    t1 = T1(card, lambda command: 2_500_000, 32, False)
    assert t1.block(framed(0xC1, b"\xfe"))[0] == framed(0xE1, b"\xfe")
    assert t1.block(framed(0x00, bytes.fromhex("80E0006400")))[0] == framed(0xC3, b"\x03")
    assert card.asked == []
    answer, delay = t1.block(framed(0xE3, b"\x03"))
    assert (answer, delay) == (framed(0x00, bytes(100) + b"\x90\x00"), 2_500_000)


# ---- ISO-DEP


def test_iso_dep_repeats_and_acknowledges() -> None:
    """ISO 14443-4 rules 11 and 12: R(NAK) with the card's number repeats, else R(ACK)."""
    card = Echo()
    picc = Picc(bytes.fromhex("0578807002"), card, no_delay)
    assert picc.transceive(b"\xe0\x50")[0] == bytes.fromhex("0578807002")
    assert picc.transceive(b"\xb2")[0] == b"\xa3"
    answer = bytes.fromhex("02009000")
    assert picc.transceive(bytes.fromhex("0280E0000100"))[0] == answer
    assert picc.transceive(b"\xb2")[0] == answer
    assert picc.transceive(b"\xb3")[0] == b"\xa2"
    assert len(card.asked) == 1
    assert picc.transceive(b"\xc2")[0] == b"\xc2"
    with pytest.raises(Silence):
        picc.transceive(bytes.fromhex("0280E0000100"))


def test_iso_dep_chains_by_the_card_s_frame_size() -> None:
    card = Echo()
    pcd = Pcd(Picc(bytes.fromhex("0570807002"), card, no_delay))
    pcd.activate()
    command = bytes.fromhex("80EC000064") + bytes(range(100)) + b"\x00"
    assert pcd.exchange(command, False) == (bytes(range(100)) + b"\x90\x00", 0)
    assert card.asked == [command]


# ---- PN532 frames


class Line:
    """A host without a clock: what is due later happens when `run` is called."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.due: list[tuple[int, int, object, tuple[object, ...]]] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)

    def line(self, name: str, level: int) -> None:
        raise AssertionError("The HSU face has no lines.")

    def event(self, kind: str, **fields: object) -> None:
        pass

    def call_later(self, us: int, call: object, *args: object) -> "Line":
        self.due.append((us, len(self.due), call, args))
        return self

    def cancel(self) -> None:
        self.due.clear()

    def run(self) -> None:
        while self.due:
            self.due.sort(key=lambda entry: entry[:2])
            _, _, call, args = self.due.pop(0)
            call(*args)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("frame", "answer"),
    [
        ("0000FF02FED4022A00", "0000FF06FAD50332010607E800"),
        ("0000FFFFFF0002FED4022A00", "0000FF06FAD50332010607E800"),
        ("0000FF02FDD4022A00", None),
        ("0000FF02FED4022B00", None),
        ("0000FF02FED5022900", None),
        ("0000FF02FED499930000", None),
        ("0000FF02FED44AE200", None),
    ],
    ids=["version", "extended", "length", "sum", "direction", "unknown", "short"],
)
def test_pn532_frames(frame: str, answer: str | None) -> None:
    """User manual 6.2.1: a frame of either kind, and a syntax error for each kind of damage.

    The first exchange is the manual's own example of GetFirmwareVersion."""
    line, chip = Line(), Pn532Uart()
    chip.attach(line)  # type: ignore[arg-type]
    for byte in bytes.fromhex(frame):
        chip.receive(bytes((byte,)))
    line.run()
    expected = bytes.fromhex(answer) if answer else pn532_frames.SYNTAX_ERROR
    assert line.sent[-1] == expected


# ---- masking


def shown(command: str, response: str) -> tuple[str, str]:
    """Both masked, from hex."""
    return masked_apdu(bytes.fromhex(command), bytes.fromhex(response))


def test_pan_and_track_of_a_record_are_starred() -> None:
    """Tags 5A and 57 inside a record template keep six and four digits of the PAN, no more."""
    track = "57136225880000071234D30122010000099999991F"
    record = "70215A086225880000071234" + track + "5F340101"
    _, response = shown("00B2010C00", record.replace("7021", "7024") + "9000")
    assert response == (
        "70245A08622588******1234" + "5713622588******1234" + "*" * 22 + "5F3401019000"
    )


def test_pan_of_nineteen_digits_and_padding() -> None:
    _, response = shown("00B2010C00", "5A0A6225880000000712349F" + "9000")
    assert response == "5A0A622588*********2349F9000"


def test_a_track_in_a_bare_answer_is_starred() -> None:
    """A track 2 equivalent without its tag, as a PDOL or a format 1 answer might carry it."""
    _, response = shown("80A8000002830000", "80136225880000071234D30122010000099999" + "9000")
    assert len(response) == 42 and response.endswith("1234" + "*" * 18 + "9000")
    assert "588000" not in response


def test_the_cards_own_number_is_starred_wherever_it_stands() -> None:
    """A card may ask for its number back in a list, whose values nobody searches."""
    data = "000000001234" + "6225880000071234" + "00"
    command = bytes.fromhex(f"80AE8000{len(data) // 2:02X}{data}00")
    told, _ = masked_apdu(command, b"\x90\x00", {"6225880000071234"})
    assert told == f"80AE8000{len(data) // 2:02X}000000001234622588******12340000"
    assert "6225880000071234" in cards.load("debit").pans


@pytest.mark.parametrize("header", ["80AE4000", "00880000", "00820000"])
def test_data_without_tags_are_not_taken_for_a_number(header: str) -> None:
    """`Z1` in front of a CDOL2's values reads as tag 5A; a number that is there stays hidden."""
    values = "5A31" + "000000001234" + "80000080000156261126A1B2C3D4"
    values += "00" * (51 - len(values) // 2)
    command, _ = shown(f"{header}{len(values) // 2:02X}{values}00", "9000")
    assert command == f"{header}33{values}00"
    for data in ("5A086225880000071234", "5A0862258800000712", "5A086225880000071234" + "80" * 20):
        command, _ = shown(f"{header}{len(data) // 2:02X}{data}00", "9000")
        assert "6225880000" not in command and "*" in command


def test_a_verify_of_a_wrong_length_hides_all_the_same() -> None:
    command, _ = shown("0020008001241234FFFFFFFFFF", "6700")
    assert "1234" not in command


@pytest.mark.parametrize("instruction", ["20", "24", "2C"])
def test_pin_commands_hide_their_data(instruction: str) -> None:
    command, _ = shown(f"00{instruction}008008241234FFFFFFFFFF", "9000")
    assert command == f"00{instruction}008008" + "*" * 16


def test_what_is_no_secret_stays() -> None:
    command, response = "00A4040007A0000003330101", "6F098407A00000033301019000"
    assert shown(command, response) == (command, response)
    assert shown("80CA9F3600", "9F360200019000") == ("80CA9F3600", "9F360200019000")

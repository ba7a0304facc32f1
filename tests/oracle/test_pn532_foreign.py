"""The PN532 model's HSU face against drivers that others wrote: libnfc, nfcpy and Adafruit's."""

import ctypes
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import Wire, World
from plain_card import FCI, PlainCard, pattern

from tools.sim.chips.pn532 import Pn532Uart

pytestmark = pytest.mark.timeout(60)

LIBNFC_CLIENT = Path(__file__).with_name("libnfc_client.py")
SELECT = "00A4040008A00000033301010200"


class Field:
    """A model on a pty, and cards to bring near."""

    def __init__(self, world: World, piece: int) -> None:
        self._world = world
        self.model = Pn532Uart(piece=piece)
        self.path, self.wire = world.pty(self.model)

    def tap(self, card: PlainCard) -> PlainCard:
        """Bring a card into the field."""
        self._world.call(self.model.tap, card)
        return card

    def untap(self, card: PlainCard) -> None:
        """Take a card away."""
        self._world.call(self.model.untap, card)


@pytest.fixture
def field(request: pytest.FixtureRequest) -> Iterator[Field]:
    """A chip; indirectly parametrised, one whose answers come in smaller pieces."""
    with World() as world:
        yield Field(world, getattr(request, "param", 262))


def apdus(wire: Wire) -> list[tuple[str, str]]:
    """What the model told the timeline of its exchanges."""
    return [(e["command"], e["response"]) for e in wire.events if e["kind"] == "apdu"]


# ---- libnfc


def libnfc(field: Field, *words: str) -> list[str]:
    """Run libnfc on the model's pty; the lines it prints."""
    result = subprocess.run(
        [sys.executable, str(LIBNFC_CLIENT), *words],
        env={**os.environ, "LIBNFC_DEVICE": f"pn532_uart:{field.path}"},
        capture_output=True,
        text=True,
        timeout=40,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout.split()


def test_nfc_list_finds_the_card(field: Field) -> None:
    """libnfc's own tool polls every modulation it knows and describes the one card."""
    if shutil.which("nfc-list") is None:
        pytest.fail("nfc-list is missing: install Debian's libnfc-bin.")
    card = field.tap(PlainCard())
    result = subprocess.run(
        ["nfc-list"],
        env={**os.environ, "LIBNFC_DEVICE": f"pn532_uart:{field.path}"},
        capture_output=True,
        text=True,
        timeout=40,
    )
    assert result.returncode == 0, result.stderr
    words = " ".join(result.stdout.split())
    assert "1 ISO14443A passive target(s) found" in words
    assert card.uid.hex(" ") in words
    assert card.ats[1:].hex(" ").upper() in words.upper()


def test_libnfc_exchanges_apdus(field: Field) -> None:
    """The chip's ISO-DEP (InDataExchange): short ones, and 257 bytes in an extended frame."""
    field.tap(PlainCard())
    sent = bytes(range(240)).hex()
    answers = libnfc(field, SELECT, "80E000FF00", "80E0010000", f"80EC0000F0{sent}00")
    assert answers == [
        (FCI + b"\x90\x00").hex(),
        (pattern(255) + b"\x90\x00").hex(),
        (pattern(256) + b"\x90\x00").hex(),
        sent + "9000",
    ]


@pytest.mark.parametrize("field", [100], indirect=True)
def test_libnfc_collects_pieces(field: Field) -> None:
    """Bit MI: 242 bytes in three frames; libnfc's buffer has no room for more in all."""
    field.tap(PlainCard())
    assert libnfc(field, "80E000F000") == [(pattern(240) + b"\x90\x00").hex()]


def test_libnfc_presence_check_shares_the_block_number(field: Field) -> None:
    """Between exchanges libnfc sends a raw R(NAK); the chip's own ISO-DEP goes on after it."""
    field.tap(PlainCard())
    answers = libnfc(field, "present", "80E0000500", "present", "80E0000700", "present")
    assert answers == [
        "yes",
        (pattern(5) + b"\x90\x00").hex(),
        "yes",
        (pattern(7) + b"\x90\x00").hex(),
        "yes",
    ]


def test_libnfc_sees_a_card_leave(field: Field) -> None:
    """A card that leaves inside an exchange is an RF transmission error, not a hang."""
    field.tap(PlainCard())
    assert libnfc(field, "80F0000000", "present") == ["error", "no"]


def test_libnfc_finds_an_empty_field(field: Field) -> None:
    assert libnfc(field) == ["empty"]


def test_libnfc_is_installed() -> None:
    """The shared object that the client loads is there, so a failure above is the model's."""
    assert ctypes.CDLL("libnfc.so.6").nfc_version is not None


# ---- nfcpy


def test_nfcpy_runs_raw_iso_dep(field: Field) -> None:
    """It asks for a higher speed, switches automatic RATS off and does ISO-DEP itself."""
    from nfc.clf import RemoteTarget, pn532, transport
    from nfc.tag import activate

    card = field.tap(PlainCard())
    line = transport.TTY(field.path)
    device = pn532.init(line)
    try:
        target = device.sense_tta(RemoteTarget("106A"))
        assert target is not None and bytes(target.sdd_res) == card.uid
        tag = activate(Frontend(device, target), target)
        assert bytes(tag.transceive(bytes.fromhex(SELECT))) == FCI + b"\x90\x00"
        long = tag.transceive(bytes.fromhex("80E0010000"))
        assert bytes(long) == pattern(256) + b"\x90\x00"
        sent = bytes(range(240))
        back = tag.transceive(bytes.fromhex("80EC0000F0") + sent + b"\x00")
        assert bytes(back) == sent + b"\x90\x00"
        slow = tag.transceive(bytes.fromhex("80D01E0003AABBCC00"), timeout=1.0)
        assert bytes(slow) == b"\xaa\xbb\xcc\x90\x00"
    finally:
        device.close()


class Frontend:
    """The few members of nfc.ContactlessFrontend that a tag uses, around a bare device."""

    def __init__(self, device: object, target: object) -> None:
        self.device, self.target = device, target
        self.max_send_data_size = device.get_max_send_data_size(target)  # type: ignore[attr-defined]
        self.max_recv_data_size = device.get_max_recv_data_size(target)  # type: ignore[attr-defined]

    def exchange(self, data: bytes, timeout: float) -> bytes:
        """One frame there and back."""
        return self.device.send_cmd_recv_rsp(self.target, data, timeout)  # type: ignore[attr-defined]


# ---- Adafruit


def test_adafruit_reads_a_card(field: Field) -> None:
    """Firmware version, SAM configuration, a UID and an APDU in normal frames."""
    import serial
    from adafruit_pn532.uart import PN532_UART

    with serial.Serial(field.path, 115200, timeout=0.1) as line:
        driver = PN532_UART(line)
        assert driver.firmware_version == (0x32, 1, 6, 7)
        driver.SAM_configuration()
        assert driver.read_passive_target(timeout=0.5) is None
        card = field.tap(PlainCard())
        assert bytes(driver.read_passive_target(timeout=2)) == card.uid
        answer = driver.call_function(
            0x40, params=b"\x01" + bytes.fromhex(SELECT), response_length=64, timeout=2
        )
        assert bytes(answer) == b"\x00" + FCI + b"\x90\x00"
        assert apdus(field.wire)[-1] == (SELECT, (FCI + b"\x90\x00").hex().upper())


def test_a_card_taken_away_is_not_found(field: Field) -> None:
    """The field is empty again after `untap`; Adafruit's driver times out in its own time."""
    import serial
    from adafruit_pn532.uart import PN532_UART

    with serial.Serial(field.path, 115200, timeout=0.1) as line:
        driver = PN532_UART(line)
        driver.SAM_configuration()
        card = field.tap(PlainCard())
        assert driver.read_passive_target(timeout=2) is not None
        field.untap(card)
        begun = time.monotonic()
        assert driver.read_passive_target(timeout=0.3) is None
        assert time.monotonic() - begun < 2

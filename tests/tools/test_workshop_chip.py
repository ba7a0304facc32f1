"""The chip model satisfies the real esptool, and its faults are ones that esptool notices."""

from pathlib import Path

import pytest
from bench_hands import bench_of, esptool, noise

from tools.workshop.chip import Script
from tools.workshop.wire import Wear, Wire

LOADERS = pytest.mark.parametrize("loader", [("--no-stub",), ()], ids=["rom", "stub"])


@LOADERS
def test_esptool_identifies_it(tmp_path: Path, loader: tuple[str, ...]) -> None:
    with bench_of(tmp_path, Script(flash_size=8 << 20)) as (_, (port,), _):
        done = esptool(port, *loader, "flash-id")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "ESP32-S3" in done.stdout
    assert "7c:df:a1:00:00:00" in done.stdout
    assert "Detected flash size: 8MB" in done.stdout


@LOADERS
def test_esptool_writes_verifies_and_erases(tmp_path: Path, loader: tuple[str, ...]) -> None:
    dense, plain = noise(20_001, 1), b"suanpan " * 3000
    (tmp_path / "dense.bin").write_bytes(dense)
    (tmp_path / "plain.bin").write_bytes(plain)
    files = ("0x8000", f"{tmp_path}/dense.bin", "0x20000", f"{tmp_path}/plain.bin")
    with bench_of(tmp_path, Script()) as (_, (port,), (chip,)):
        written = esptool(port, *loader, "--baud", "921600", "write-flash", *files)
        assert written.returncode == 0, written.stdout + written.stderr
        assert chip.flash.read(0x8000, len(dense)) == dense
        assert chip.flash.read(0x20000, len(plain)) == plain
        assert esptool(port, *loader, "verify-flash", *files).returncode == 0
        chip.flash.write(0x8010, b"\0")
        assert "Verification failed" in esptool(port, *loader, "verify-flash", *files).stdout
        erased = esptool(port, *loader, "erase-region", "0x8000", "0x1000")
        assert erased.returncode == 0, erased.stdout + erased.stderr
        assert chip.flash.read(0x8000, 4096) == b"\xff" * 4096


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (Script(mute=True), "Failed to connect"),
        (Script(chip_id=5), "This chip is ESP32-C3, not ESP32-S3"),
        (Script(chip_id=None), "This chip is ESP32, not ESP32-S3"),
        (Script(flash_size=256 << 10), "will not fit"),
        (Script(stuck=range(0x3E000, 0x41000)), "the written flash region is empty"),
        (Script(unplug_at_block=2), "serial exception"),
        (Script(wear=Wear(baud_limit=115_200)), "fatal error"),
        (Script(wear=Wear(drop=0.01)), "fatal error"),
    ],
    ids=["mute", "c3", "esp32", "small", "stuck", "unplugged", "bad cable", "dropping"],
)
def test_esptool_notices_a_fault(tmp_path: Path, script: Script, said: str) -> None:
    image = tmp_path / "image.bin"
    image.write_bytes(noise(9000, 2))
    with bench_of(tmp_path, script) as (_, (port,), _):
        done = esptool(port, "--no-stub", "--baud", "460800", "write-flash", "0x3e000", str(image))
    assert done.returncode != 0
    assert said in " ".join((done.stdout + done.stderr).split())


def test_nor_flash_only_clears_bits_until_it_is_erased(tmp_path: Path) -> None:
    with bench_of(tmp_path, Script(flash_size=64 << 10)) as (_, _, (chip,)):
        assert chip.flash.write(4094, b"\x0f\xf0\xaa")
        assert chip.flash.write(4094, b"\xf1\xff\x0f")
        assert chip.flash.read(4093, 5) == b"\xff\x01\xf0\x0a\xff"
        assert not chip.flash.write((64 << 10) - 1, b"\0\0")
        assert chip.flash.erase(4096, 1)
        assert chip.flash.read(4093, 5) == b"\xff\x01\xf0\xff\xff"


def test_a_strike_hits_its_byte_and_no_other() -> None:
    wire = Wire(Wear(strikes=(("to chip", 3, "drop"), ("to host", 5, "flip"))))
    assert wire.carry(b"abcdef", "to chip", 9600, 9600) == b"abcef"
    assert wire.carry(b"abcd", "to host", 9600, 9600) == b"abcd"
    heard = wire.carry(b"abcd", "to host", 9600, 9600)
    assert heard[0:1] + heard[2:] == b"acd" and (heard[1] ^ ord("b")).bit_count() == 1
    assert wire.carry(b"abcdef", "to chip", 9600, 9600) == b"abcdef"
    assert wire.hits == 2

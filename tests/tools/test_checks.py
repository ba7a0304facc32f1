"""`make check`'s own rules: a fault put in is found, and the repository as it stands has none."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.check import config, layers, names, partitions, pins, sizes, types

ROOT = Path(__file__).resolve().parents[2]
MAKE_PINS = ROOT / "build/sources/micropython/ports/esp32/boards/make-pins.py"


BOARDS = ("esp32s3", "esp32c6")


def test_every_board_is_checked() -> None:
    folders = {path.parent.name for path in ROOT.glob("board/*/sdkconfig.board")}
    assert folders == set(BOARDS) == set(pins.MODULES) == set(names.NOT_ON) == set(sizes.BOARDS)


@pytest.mark.parametrize("board", BOARDS)
def test_a_boards_pins_are_possible(board: str) -> None:
    assert pins.faults(pins.rows(pins.BOARDS / board / "pins.csv"), pins.MODULES[board]) == []


@pytest.mark.parametrize(
    ("name", "pin", "said"),
    [
        ("KEY_ROW0", 5, "serves both"),
        ("KEY_ROW0", 33, "flash and PSRAM"),
        ("KEY_ROW0", 19, "USB console"),
        ("KEY_ROW0", 45, "strapping pin"),
        ("KEY_ROW0", 46, "strapping pin"),
        ("KEY_ROW0", 23, "not on the module"),
    ],
)
def test_an_impossible_pin_is_named(name: str, pin: int, said: str) -> None:
    table = [(n, pin if n == name else p) for n, p in pins.rows()]
    assert any(said in fault for fault in pins.faults(table))


def test_a_part_that_cannot_be_reached_is_named() -> None:
    table = [row for row in pins.rows() if row[0] != "NFC_IRQ"]
    assert pins.faults(table) == ["NFC_IRQ is missing"]


@pytest.mark.parametrize(
    ("name", "pin", "said"),
    [
        ("KEY_INT", 26, "flash and PSRAM"),
        ("KEY_INT", 13, "USB console"),
        ("KEY_INT", 9, "strapping pin"),
        ("KEY_INT", 14, "not on the module"),
        ("SCANNER_RX", 0, "on GPIO4 alone"),
    ],
)
def test_another_module_has_rules_of_its_own(name: str, pin: int, said: str) -> None:
    table = [
        (n, pin if n == name else p) for n, p in pins.rows(pins.BOARDS / "esp32c6" / "pins.csv")
    ]
    assert any(said in fault for fault in pins.faults(table, pins.MODULES["esp32c6"]))


@pytest.mark.parametrize("board", BOARDS)
def test_micropythons_own_generator_takes_the_pins(board: str, tmp_path: Path) -> None:
    path = pins.BOARDS / board / "pins.csv"
    done = subprocess.run(
        [sys.executable, MAKE_PINS, "--board-csv", path, "--prefix", MAKE_PINS.with_name(
            "pins_prefix.c"), "--output-source", tmp_path / "pins.c",
         "--output-header", tmp_path / "pins.h"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, pin in pins.rows(path):
        assert name in (tmp_path / "pins.c").read_text()
        assert f"pin_GPIO{pin}" in (tmp_path / "pins.h").read_text()


def test_no_arrow_runs_back() -> None:
    assert layers.survey()[1] == []


@pytest.mark.parametrize(
    ("place", "line", "said"),
    [
        ("firmware/ui/spoilt.py", "import machine", "firmware may not import machine"),
        ("firmware/ledger/spoilt.py", "from firmware.flows import sale", "floor ledger"),
        ("firmware/ui/spoilt.py", "from firmware.link import errors", "floor ui"),
        ("lib/spoilt.py", "from firmware.ui import screens", "lib may not import firmware"),
        ("tools/spoilt.py", "from firmware import app", "tools may not import firmware"),
        ("board/esp32s3/spoilt.py", "from tools.sim import clock", "board may not import tools"),
    ],
)
def test_an_arrow_that_runs_back_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, line: str, said: str
) -> None:
    for room in ("firmware", "lib", "board", "tools"):
        (tmp_path / room).mkdir()
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(line + "\n")
    monkeypatch.setattr(layers, "ROOT", tmp_path)
    assert any(said in fault for fault in layers.survey()[1])


def frozen(board: str) -> dict[str, int]:
    """Target path → optimisation level, as MicroPython's own reader takes the manifest."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1] + '/tools'); import manifestfile as m\n"
        "v = {n: sys.argv[1] for n in ('MPY_DIR', 'PORT_DIR')}\n"
        "f = m.ManifestFile(m.MODE_FREEZE, {**v, 'MPY_LIB_DIR': ''}); f.execute(sys.argv[2])\n"
        "[print(x.target_path, x.opt) for x in f.files()]"
    )
    manifest = ROOT / "board" / board / "manifest.py"
    done = subprocess.run(
        [sys.executable, "-c", script, ROOT / "build/sources/micropython", manifest],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    rows = (line.rsplit(" ", 1) for line in done.stdout.strip().split("\n"))
    return {path: int(opt) for path, opt in rows}


def test_device_and_simulator_freeze_the_same_terminal() -> None:
    device, sim = frozen("esp32s3"), frozen("sim")
    assert set(device) - set(sim) == {"_boot.py"}
    virtual = {p for p in sim if p not in device}
    assert all(p.startswith("virtual/") or (ROOT / "board/sim/modules" / p).exists()
               for p in virtual)  # fmt: skip
    assert {"board.py", "boot.py", "main.py", "firmware/app.py", "emv/contact.py"} <= set(device)
    assert set(device.values()) == {2} and set(sim.values()) == {0}


def test_a_second_board_is_the_same_terminal() -> None:
    assert frozen("esp32c6") == frozen("esp32s3")


# ---- partitions


def faults_of(table: str) -> list[str]:
    """What the check says of a table's text."""
    try:
        read = partitions.PartitionTable.from_csv(table, partitions.TABLE_OFFSET)
    except RuntimeError as error:
        return [str(error)]
    return partitions.espressif(read) or partitions.ours(read, partitions.image_estimate())


@pytest.mark.parametrize("board", BOARDS)
def test_a_boards_partitions_are_valid(board: str) -> None:
    assert faults_of((ROOT / "board" / board / "partitions.csv").read_text()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("0x320000, 0x300000", "0x310000, 0x300000", "overlap"),
        ("0x20000,  0x300000", "0x28000,  0x2f0000", "aligned to 0x10000"),
        ("0xa60000, 0x20000", "0xff0000, 0x20000", "flash size"),
        ("0x17000,  0x2000", "0x17000,  0x1000", "0x2000"),
        ("0x11000,  0x6000", "0x10000,  0x6000", "table"),
        ("journal,    data", "keys,       data", "unique"),
        ("0x41,", "secret,", "secret"),
        ("data,       data, 0x42,     0x740000, 0x100000, encrypted",
         "data,       data, 0x42,     0x740000, 0x100000", "data holds secrets"),
        ("nvs,      0x11000,  0x6000", "nvs,      0x11000,  0x6000,   encrypted", "nvs must not"),
        ("fonts,      data, 0x43", "pictures,   data, 0x43", "no partition fonts"),
        ("data, 0x45", "data, 0x82", "not ours to use"),
        ("0x20000,  0x300000", "0x20000,  0x200000", "does not fit"),
        ("app1,       app,  ota_1", "app1,       app,  ota_2", "two application slots"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_is_refused(old: str, new: str, said: str) -> None:
    table = (ROOT / "board/esp32s3/partitions.csv").read_text()
    assert old in table
    assert any(said in fault.lower() or said in fault
               for fault in faults_of(table.replace(old, new, 1)))  # fmt: skip


# ---- sdkconfig


@pytest.mark.parametrize("board", BOARDS)
def test_a_boards_options_exist_and_close_the_doors(board: str) -> None:
    assert config.faults(ROOT / "board" / board) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("sdkconfig.board", "MBEDTLS_SSL_PROTO_TLS1_3=y", "MBEDTLS_SSL_PROTO_TLS13=y",
         "CONFIG_MBEDTLS_SSL_PROTO_TLS13 is in no Kconfig"),
        ("sdkconfig.board", "ROLLBACK_ENABLE=y", "ROLLBACK_ENABLE=yes", "no value"),
        ("sdkconfig.board", "CONFIG_SPIRAM_IGNORE_NOTFOUND=n", "", "SPIRAM_IGNORE_NOTFOUND is"),
        ("sdkconfig.release", "CONFIG_SECURE_BOOT_ALLOW_JTAG=n", "CONFIG_SECURE_BOOT_ALLOW_JTAG=y",
         "release: CONFIG_SECURE_BOOT_ALLOW_JTAG is y, not n"),
        ("sdkconfig.release", "CONFIG_NVS_ENCRYPTION=y", "", "NVS_ENCRYPTION is not set"),
        ("mpconfigvariant_release.cmake", "sdkconfig.release", "sdkconfig.closed", "not there"),
        ("mpconfigboard.cmake", "boards/sdkconfig.spiram_oct", "", "SPIRAM_MODE_OCT is not set"),
    ],
)  # fmt: skip
def test_an_option_that_is_wrong_is_named(
    file: str, old: str, new: str, said: str, tmp_path: Path
) -> None:
    board = tmp_path / "esp32s3"
    shutil.copytree(ROOT / "board" / "esp32s3", board)
    text = (board / file).read_text()
    assert old in text
    (board / file).write_text(text.replace(old, new, 1))
    assert any(said in fault for fault in config.faults(board))


# ---- names


@pytest.fixture(scope="module")
def port() -> dict[str, dict[str, set[str]]]:
    types.lay_out_stubs()
    return names.stubs()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("import machine\nmachine.Pin.IN", ""),
        ("from esp32 import Partition as P\nP.find(P.TYPE_DATA)", ""),
        ("import machine\nmachine.Pim(1)", "no machine.Pim"),
        ("import machine as m\nm.Pin.INWARD", "no machine.Pin.INWARD"),
        ("from machine import SPY", "no machine.SPY"),
        ("from network import WLAN\nWLAN.IF_STATION", "no network.WLAN.IF_STATION"),
        ("import machine\nmachine.TouchPad(1)", "machine.TouchPad is not on the esp32c6"),
        ("from esp32 import ULP", "esp32.ULP is not on the esp32c6"),
    ],
)
def test_a_name_that_the_port_lacks_is_named(
    line: str, said: str, tmp_path: Path, port: dict[str, dict[str, set[str]]]
) -> None:
    (tmp_path / "board.py").write_text(line + "\n")
    found = [names.fault(name, "esp32c6", port) for _, name in names.used(tmp_path / "board.py")]
    assert found
    assert any(said in fault for fault in found) if said else not any(found)


@pytest.mark.parametrize("board", BOARDS)
def test_a_boards_names_are_in_the_port(
    board: str, port: dict[str, dict[str, set[str]]]
) -> None:
    used = [name for path in names.files(board) for _, name in names.used(path)]
    assert "machine.Pin" in used
    assert [names.fault(name, board, port) for name in used if names.fault(name, board, port)] == []


# ---- compiled, and built


@pytest.mark.parametrize("board", BOARDS)
def test_a_boards_code_is_within_its_budget(board: str) -> None:
    """mpy-cross takes every file for the board's processor."""
    found = {room: size for room, (_, size) in sizes.room_sizes(board).items()}
    assert sizes.over_budget(found, sizes.budgets()["bytes"]) == []


def make_firmware(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {k: v for k, v in os.environ.items() if k not in ("IDF_PATH", "MAKEFLAGS", "MAKELEVEL")}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env=clean | {"SUANPAN_PACKAGES": "ready"} | environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "IDF_PATH is not set"),
        (("IDF_PATH=/nowhere",), "/nowhere, where no ESP-IDF is"),
        (("BOARD=esp32",), "no board esp32; BOARD is one of: esp32c6 esp32s3"),
        (("PROFILE=secure",), "no profile secure; PROFILE is one of: development release"),
    ],
)
def test_what_a_firmware_lacks_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    environment = dict(a.split("=") for a in arguments if a.startswith("IDF_PATH"))
    done = make_firmware("firmware", *arguments, **environment)
    assert done.returncode != 0
    assert said in done.stdout and done.stdout.count("\n") == 1


@pytest.mark.parametrize(("board", "profile"), [("esp32s3", "development"), ("esp32c6", "release")])
def test_a_firmware_is_micropythons_own_build(board: str, profile: str, tmp_path: Path) -> None:
    """What its Makefile would run, up to ESP-IDF: idf.py here is a name on the PATH, never run."""
    program = tmp_path / "tools" / "idf.py"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    done = make_firmware(
        "-n", "firmware", f"BOARD={board}", f"PROFILE={profile}", IDF_PATH=str(tmp_path),
        PATH=f"{program.parent}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    line = next(row for row in done.stdout.split("\n") if row.startswith("idf.py "))
    assert f'-D MICROPY_BOARD_DIR="{ROOT}/board/{board}"' in line
    assert f"-D MICROPY_FROZEN_MANIFEST={ROOT}/board/{board}/manifest.py" in line
    assert f"-DUSER_C_MODULES={ROOT}/lib/pinmac/micropython.cmake" in line
    assert ("-D MICROPY_BOARD_VARIANT=release" in line) == (profile == "release")

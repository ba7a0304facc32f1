"""Every board's folder by the rules of its module, of Espressif and of MicroPython's port.

The boards are found by their folders; a fault put into one is found too. None of this has run on
hardware or with ESP-IDF: what needs those is not checked here.
"""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tools.check import boards, config, names, partitions, pins, sizes, types
from tools.check.boards import ROOT, Board

MAKE_PINS = ROOT / "build/sources/micropython/ports/esp32/boards/make-pins.py"
REFERENCE = boards.board("esp32s3")
# Where a board may be named beside its own folder.
READERS = ("README.md", "CHANGELOG.md", "docs/")

every_board = pytest.mark.parametrize("board", boards.espressif(), ids=lambda board: board.name)


# ---- what another board costs


def test_another_board_costs_one_folder() -> None:
    """No file outside its folder names it, so nothing else must change when one is added."""
    others = [board for board in boards.espressif() if board != REFERENCE]
    assert others
    for board in others:
        listed = subprocess.run(
            ["git", "grep", "-lIiw", board.name], cwd=ROOT, capture_output=True, text=True
        )  # 1: nowhere, 0: somewhere
        assert listed.returncode in (0, 1), listed.stderr
        own = (f"board/{board.name}/", *READERS)
        assert [path for path in listed.stdout.split() if not path.startswith(own)] == []


@every_board
def test_every_board_is_the_same_terminal(board: Board) -> None:
    def image(name: str) -> dict[str, int]:
        return {file.target: file.optimise for file in boards.frozen(name)}

    device, sim = image(board.name), image("sim")
    assert device == image(REFERENCE.name)
    assert set(device) - set(sim) == {"_boot.py"}
    virtual = {path for path in sim if path not in device}
    assert all(path.startswith("virtual/") or (ROOT / "board/sim/modules" / path).exists()
               for path in virtual)  # fmt: skip
    assert {"board.py", "boot.py", "main.py", "firmware/app.py", "emv/contact.py"} <= set(device)
    ours = {file.optimise for file in boards.frozen(board.name) if "asyncio" not in file.target}
    assert ours == {2}


# ---- pins


@every_board
def test_a_boards_pins_are_possible(board: Board) -> None:
    assert pins.faults(pins.rows(board.folder / "pins.csv"), board) == []


@pytest.mark.parametrize(
    ("name", "pin", "said"),
    [
        ("KEY_ROW0", 5, "serves both"),
        ("KEY_ROW0", 33, "flash and PSRAM"),
        ("KEY_ROW0", 19, "USB console"),
        ("KEY_ROW0", 45, "strapping pin"),
        ("KEY_ROW0", 46, "strapping pin"),
        ("KEY_ROW0", 23, "not on the module"),
        ("LAMPS", 47, "on GPIO48 alone"),
    ],
)
def test_an_impossible_pin_is_named(name: str, pin: int, said: str) -> None:
    board = replace(REFERENCE, fixed={"LAMPS": 48})
    table = [(n, pin if n == name else p) for n, p in pins.rows(board.folder / "pins.csv")]
    assert any(said in fault for fault in pins.faults(table, board))


@pytest.mark.parametrize("missing", ["NFC_IRQ", "KEY_COL3"])
def test_a_part_that_cannot_be_reached_is_named(missing: str) -> None:
    table = [row for row in pins.rows(REFERENCE.folder / "pins.csv") if row[0] != missing]
    assert pins.faults(table, REFERENCE) == [f"{missing} is missing"]


@every_board
def test_micropythons_own_generator_takes_the_pins(board: Board, tmp_path: Path) -> None:
    path = board.folder / "pins.csv"
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


# ---- partitions


def faults_of(table: str) -> list[str]:
    """What the check says of a table's text."""
    try:
        read = partitions.PartitionTable.from_csv(table, partitions.TABLE_OFFSET)
    except RuntimeError as error:
        return [str(error)]
    said = partitions.by_gen_esp32part(read, REFERENCE.flash_bytes)
    return said or partitions.ours(read, partitions.image_estimate())


@every_board
def test_a_boards_partitions_are_valid(board: Board) -> None:
    table = partitions.read(board.folder / "partitions.csv")
    assert partitions.by_gen_esp32part(table, board.flash_bytes) == []
    assert partitions.ours(table, partitions.image_estimate()) == []


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
    table = (REFERENCE.folder / "partitions.csv").read_text()
    assert old in table
    assert any(said in fault.lower() or said in fault
               for fault in faults_of(table.replace(old, new, 1)))  # fmt: skip


# ---- sdkconfig


@every_board
def test_a_boards_options_exist_and_close_the_doors(board: Board) -> None:
    assert config.faults(board) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("../sdkconfig.terminal", "MBEDTLS_SSL_PROTO_TLS1_3=y", "MBEDTLS_SSL_PROTO_TLS13=y",
         "CONFIG_MBEDTLS_SSL_PROTO_TLS13 is in no Kconfig"),
        ("../sdkconfig.terminal", "ROLLBACK_ENABLE=y", "ROLLBACK_ENABLE=yes", "no value"),
        ("sdkconfig.board", "CONFIG_SPIRAM_IGNORE_NOTFOUND=n", "", "SPIRAM_IGNORE_NOTFOUND is"),
        ("../sdkconfig.release", "BOOT_ALLOW_JTAG=n", "BOOT_ALLOW_JTAG=y",
         "release: CONFIG_SECURE_BOOT_ALLOW_JTAG is y, not n"),
        ("../sdkconfig.release", "CONFIG_NVS_ENCRYPTION=y", "", "NVS_ENCRYPTION is not set"),
        ("mpconfigvariant_release.cmake", "sdkconfig.release", "sdkconfig.closed", "not there"),
        ("mpconfigboard.cmake", "../espressif.cmake", "../expressif.cmake", "not there"),
        ("mpconfigboard.cmake", "boards/sdkconfig.spiram_oct", "", "SPIRAM_MODE_OCT is not set"),
    ],
)  # fmt: skip
def test_an_option_that_is_wrong_is_named(
    file: str, old: str, new: str, said: str, tmp_path: Path
) -> None:
    board = replace(REFERENCE, folder=tmp_path / REFERENCE.name)
    shutil.copytree(REFERENCE.folder, board.folder)
    for path in [*REFERENCE.folder.parent.glob("sdkconfig.*"), ROOT / "board/espressif.cmake"]:
        shutil.copy(path, tmp_path)
    text = (board.folder / file).read_text()
    assert old in text
    (board.folder / file).write_text(text.replace(old, new, 1))
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
        ("import machine\nmachine.TouchPad(1)", "machine.TouchPad is not on the esp32s3"),
        ("from esp32 import ULP", "esp32.ULP is not on the esp32s3"),
    ],
)
def test_a_name_that_the_port_lacks_is_named(
    line: str, said: str, tmp_path: Path, port: dict[str, dict[str, set[str]]]
) -> None:
    (tmp_path / "board.py").write_text(line + "\n")
    board = replace(REFERENCE, lacks=frozenset({"machine.TouchPad", "esp32.ULP"}))
    found = [names.fault(name, board, port) for _, name in names.used(tmp_path / "board.py")]
    assert found
    assert any(said in fault for fault in found) if said else not any(found)


@every_board
def test_a_boards_names_are_in_the_port(
    board: Board, port: dict[str, dict[str, set[str]]]
) -> None:
    used = [name for path in names.files(board) for _, name in names.used(path)]
    assert "machine.Pin" in used
    assert [said for name in used if (said := names.fault(name, board, port))] == []


# ---- compiled, and built


@every_board
def test_a_boards_code_is_within_its_budget(board: Board) -> None:
    """mpy-cross takes every file for the board's processor."""
    found = {room: size for room, (_, size) in sizes.room_sizes(board).items()}
    assert sizes.over_budget(found, sizes.budgets()["bytes"]) == []


ALL = " ".join(board.name for board in boards.espressif())


def make_firmware(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    inherited = ("IDF_PATH", "MAKEFLAGS", "MAKELEVEL")
    clean = {name: value for name, value in os.environ.items() if name not in inherited}
    return subprocess.run(
        ["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False,
        env=clean | {"SUANPAN_PACKAGES": "ready"} | environment,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "IDF_PATH is not set"),
        (("IDF_PATH=/nowhere",), "/nowhere, where no ESP-IDF is"),
        (("BOARD=esp32",), "no board esp32; BOARD is one of: " + ALL),
        (("PROFILE=secure",), "no profile secure; PROFILE is one of: development release"),
    ],
)
def test_what_a_firmware_lacks_is_one_sentence(arguments: tuple[str, ...], said: str) -> None:
    environment = dict(a.split("=") for a in arguments if a.startswith("IDF_PATH"))
    done = make_firmware("firmware", *arguments, **environment)
    assert done.returncode != 0
    assert said in done.stdout and done.stdout.count("\n") == 1


@every_board
@pytest.mark.parametrize("profile", ["development", "release"])
def test_a_firmware_is_micropythons_own_build(board: Board, profile: str, tmp_path: Path) -> None:
    """What its Makefile would run, up to ESP-IDF: idf.py here is a name on the PATH, never run."""
    program = tmp_path / "tools" / "idf.py"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    done = make_firmware(
        "-n", "firmware", f"BOARD={board.name}", f"PROFILE={profile}", IDF_PATH=str(tmp_path),
        PATH=f"{program.parent}:{os.environ['PATH']}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    line = next(row for row in done.stdout.split("\n") if row.startswith("idf.py "))
    assert f'-D MICROPY_BOARD_DIR="{board.folder}"' in line
    assert f"-D MICROPY_FROZEN_MANIFEST={board.folder}/manifest.py" in line
    assert f"-DUSER_C_MODULES={ROOT}/lib/pinmac/micropython.cmake" in line
    assert ("-D MICROPY_BOARD_VARIANT=release" in line) == (profile == "release")

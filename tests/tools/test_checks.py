"""`make check`'s own rules: a fault put in is found, and the repository as it stands has none."""

import subprocess
import sys
from pathlib import Path

import pytest

from tools.check import layers, pins

ROOT = Path(__file__).resolve().parents[2]
MAKE_PINS = ROOT / "build/sources/micropython/ports/esp32/boards/make-pins.py"


def test_the_reference_boards_pins_are_possible() -> None:
    assert pins.faults(pins.rows()) == []


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


def test_micropythons_own_generator_takes_the_pins(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, MAKE_PINS, "--board-csv", pins.PINS, "--prefix", MAKE_PINS.with_name(
            "pins_prefix.c"), "--output-source", tmp_path / "pins.c",
         "--output-header", tmp_path / "pins.h"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    for name, pin in pins.rows():
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

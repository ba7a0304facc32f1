"""`pos flash`, `pos erase` and `pos report` with the real esptool on model chips."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import serial
from bench_hands import bench_of, flash, holds, mac, pos, pos_command, release

from tools.workshop import manifest
from tools.workshop.chip import Chip, Script
from tools.workshop.faults import FAULTS, IMAGE_CORRUPT, LANGUAGES, DeviceFault
from tools.workshop.records import Attempt, read
from tools.workshop.station import Watch
from tools.workshop.wire import Wear

# esptool's limits are real time, and eight at once fill the machine.
pytestmark = pytest.mark.alone


def written(number: int) -> str:
    """A model's MAC as the record writes it."""
    return ":".join(f"{byte:02x}" for byte in mac(number))


def wait_until(happened: Callable[[], bool], seconds: float = 30) -> bool:
    """True as soon as it happened; False when it did not in this time."""
    limit = time.monotonic() + seconds
    while not happened() and time.monotonic() < limit:
        time.sleep(0.005)
    return happened()


def is_free(port: Path) -> bool:
    """True when no process holds the port."""
    try:
        serial.Serial(str(port), exclusive=True).close()
    except serial.SerialException:
        return False
    return True


def last_try(record: Path) -> Attempt:
    return list(read(record).attempts.values())[-1]


def test_eight_at_once_are_verified_and_recorded(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    with bench_of(tmp_path / "bench", *[Script()] * 8) as (_, ports, chips):
        code, told = flash(record, images, ports)
        assert code == 0, told
        assert all(holds(chip, images) for chip in chips)
    book = read(record)
    assert set(book.made) == {written(number) for number in range(8)}
    assert sorted(book.made.values()) == [f"SP-{n:06}" for n in range(1, 9)]
    assert {(d["mac"], d["serial"]) for d in told["devices"]} == set(book.made.items())
    assert all(a.result == "ok" and a.rate == 921_600 for a in book.attempts.values())


FAILING = {
    "rom": {
        "wrong-chip": Script(chip_id=5),
        "unplugged": Script(unplug_at_block=3),
        "bad-cable": Script(wear=Wear(drop=0.002)),
        "dead-flash": Script(stuck=range(0x20000, 0x30000)),
    },
    "stub": {
        "wrong-chip": Script(chip_id=None),
        "wrong-flash-size": Script(flash_size=8 << 20),
        "unplugged": Script(unplug_at_block=1),
        "dead-flash": Script(stuck=range(0x21000, 0x22000)),
        "dead-flash: one bit": Script(weak=frozenset([0x8123])),
        "dead-flash: no flash": Script(flash_size=0),
        "no-answer": Script(mute=True),
        "protected": Script(locked=True),
    },
}


@pytest.mark.parametrize("loader", FAILING)
def test_each_failure_has_its_code_its_words_and_a_true_record(
    tmp_path: Path, loader: str
) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    kinds = FAILING[loader]
    with bench_of(tmp_path / "bench", *kinds.values()) as (_, ports, chips):
        code, told = flash(record, images, ports, "--loader", loader, "--baud", "460800")
        assert code == 1
        assert not any(holds(chip, images) for chip in chips)
    devices = {device["port"]: device for device in told["devices"]}
    attempts = {attempt.port: attempt for attempt in read(record).attempts.values()}
    for kind, port in zip(kinds, map(str, ports)):
        device, attempt, fault = devices[port], attempts[port], kind.split(":")[0]
        assert (device["result"], device["code"]) == (fault, FAULTS[fault].code), device
        assert all(device["cause"][tongue] and device["remedy"][tongue] for tongue in LANGUAGES)
        assert (attempt.result, attempt.detail) == (fault, device["detail"])
    assert read(record).made == {}


def test_codes_and_names_are_each_used_once() -> None:
    assert len({fault.code for fault in FAULTS.values()}) == len(FAULTS)
    assert len({fault.says("zh") for fault in FAULTS.values()}) == len(FAULTS)


def test_a_bad_cable_is_flashed_at_a_slower_rate_and_it_says_so(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    script = Script(wear=Wear(baud_limit=115_200))
    with bench_of(tmp_path / "bench", script) as (_, (port,), (chip,)):
        where = ("--record", str(record), "--images", str(images), "--port", str(port))
        done = pos("flash", *where, "--language", "en")
        assert done.returncode == 0, done.stdout
        assert holds(chip, images)
    assert "921600 baud is not reliable; going on at 460800" in done.stdout
    assert "460800 baud is not reliable; going on at 115200" in done.stdout
    assert last_try(record).rate == 115_200


def test_a_port_that_is_missing_busy_or_named_twice(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    with bench_of(tmp_path / "bench", Script()) as (_, (port,), _):
        with serial.Serial(str(port), exclusive=True):
            code, told = flash(record, images, [port, port, tmp_path / "none"])
    assert code == 1
    assert [device["code"] for device in told["devices"]] in (["F02", "F01"], ["F01", "F02"])


def test_images_that_are_missing_corrupt_or_unsealed_touch_no_device(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    with bench_of(tmp_path / "bench", Script()) as (_, ports, (chip,)):
        unsealed = tmp_path / "images" / "flasher_args.json"
        assert flash(record, unsealed, ports)[1]["code"] == "F14"
        part = tmp_path / "images" / "8000.bin"
        part.write_bytes(part.read_bytes()[:-1] + b"?")
        code, told = flash(record, images, ports)
        assert (code, told["code"]) == (3, "F14") and "8000.bin" in told["detail"]
        part.unlink()
        code, told = flash(record, images, ports)
        assert (code, told["code"]) == (3, "F13")
        assert chip.blocks == 0 and not record.exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"flash_files": {"0x8": "0.bin"}, "sha256": {"0x8": None}}, "not on a sector"),
        ({"extra_esptool_args": {"chip": "esp32"}}, "images for esp32"),
        ({"flash_settings": {"flash_size": "3MB"}}, "3MB"),
        ({"flash_files": {}}, "no files"),
    ],
)
def test_a_manifest_that_cannot_be_meant_is_refused(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    images = release(tmp_path / "images")
    tree = json.loads(images.read_text())
    digest = tree["sha256"]["0x0"]
    tree.update(change)
    tree["sha256"] = {k: v or digest for k, v in tree["sha256"].items()}
    images.write_text(json.dumps(tree))
    with pytest.raises(DeviceFault, match=said) as refused:
        manifest.load(images)
    assert refused.value.fault is IMAGE_CORRUPT


def test_a_finished_device_is_refused_and_so_is_its_double(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    with bench_of(tmp_path / "bench", Script()) as (bench, ports, (chip,)):
        twin = Chip(mac(0))
        code, told = flash(record, images, [*ports, bench.plug(twin)])
        assert code == 1
        assert sorted(d["result"] for d in told["devices"]) == ["duplicate-mac", "ok"]
        assert sorted((chip.blocks > 0, twin.blocks > 0)) == [False, True]
        blocks = chip.blocks + twin.blocks
        assert flash(record, images, ports)[1]["devices"][0]["code"] == "F10"
        assert chip.blocks + twin.blocks == blocks
        code, told = flash(record, images, ports, "--again")
        assert code == 0 and told["devices"][0]["serial"] == "SP-000001"


@pytest.mark.parametrize("whole", [False, True], ids=["station alone", "all its processes"])
def test_a_station_killed_in_the_middle_tells_the_truth_and_goes_on(
    tmp_path: Path, whole: bool
) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    with bench_of(tmp_path / "bench", Script(stall_at_block=1)) as (_, (port,), (chip,)):
        where = ("--record", str(record), "--images", str(images), "--port", str(port))
        command = pos_command("flash", "--baud", "460800", *where)
        with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as station:
            assert wait_until(lambda: chip.blocks > 1)
            (os.killpg if whole else os.kill)(station.pid, signal.SIGKILL)
            assert station.wait() == -signal.SIGKILL
        assert last_try(record).result == "" and last_try(record).mac == written(0)
        assert read(record).made == {}
        assert wait_until(lambda: is_free(port))  # the programmer notices that it is alone
        blocks = chip.blocks
        code, told = flash(record, images, [port], "--baud", "460800")
        assert code == 0 and holds(chip, images), told
    assert [a.result for a in read(record).attempts.values()] == ["interrupted", "ok"]
    assert read(record).made == {written(0): "SP-000001"}
    assert chip.blocks == blocks + 3  # the first region was in flash and was not sent again


def test_erase_leaves_it_blank_and_unmade(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images", (100, 100, 100)), tmp_path / "record"
    with bench_of(tmp_path / "bench", Script(), Script(stuck=range(8192))) as (_, ports, chips):
        assert flash(record, images, ports)[0] == 1
        named = ("--port", str(ports[0]), "--port", str(ports[1]))
        done = pos("erase", "--yes", "--json", "--record", str(record), *named)
        assert done.returncode == 0, done.stdout
        assert all(chip.flash.read(0, 0x30000) == b"\xff" * 0x30000 for chip in chips)
    assert read(record).made == {}
    assert read(record).serials[written(0)] in ("SP-000001", "SP-000002")


def test_the_station_goes_on_with_the_next_device(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images", (100, 100, 100)), tmp_path / "record"
    with bench_of(tmp_path / "bench", Script(unplug_at_block=1)) as (bench, (port,), _):
        where = ("--record", str(record), "--images", str(images), "--port", str(port))
        command = pos_command("flash", "--json", "--station", "--count", "2", *where)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as station:
            assert wait_until(lambda: not port.is_symlink())
            chip = Chip(mac(1))
            bench.plug(chip, port.name)
            try:
                told = json.loads(station.communicate(timeout=60)[0])
            finally:
                station.kill()
        assert [d["result"] for d in told["devices"]] == ["unplugged", "ok"]
        assert station.returncode == 1 and holds(chip, images)
    assert list(read(record).made) == [written(1)]


def test_a_board_that_restarts_is_not_a_new_one(tmp_path: Path) -> None:
    port = tmp_path / "usb0"
    watch = Watch([str(port)], settle=2.0)
    assert watch.fresh(0.0) == []
    port.touch()
    assert watch.fresh(0.1) == [str(port)]
    assert watch.fresh(3.0) == [str(port)]
    assert watch.fresh(4.9) == []
    assert watch.fresh(9.0, busy=[str(port)]) == []
    assert watch.fresh(9.1) == [str(port)]
    watch.left(str(port))
    assert watch.fresh(9.2) == [str(port)]
    watch.left(str(port))
    assert watch.fresh(9.3) == []
    port.unlink()
    assert watch.fresh(9.4) == []
    port.touch()
    watch.left(str(port))
    assert watch.fresh(9.5) == [str(port)]


def test_the_report_counts_draws_and_notices_a_change(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images", (100, 100, 100)), tmp_path / "record"
    picture = tmp_path / "report.png"
    with bench_of(tmp_path / "bench", Script(), Script(chip_id=5)) as (_, ports, _):
        flash(record, images, ports)
    done = pos("report", "--record", str(record), "--json", "--plot", str(picture))
    told = json.loads(done.stdout)
    assert [made["mac"] for made in told["made"]] == [written(0)]
    assert told["faults"] == {"wrong-chip": 1}
    assert told["operators"] == {"lin": {"good": 1, "failed": 1, "running": 0}}
    assert told["head"] == read(record).head
    assert picture.read_bytes().startswith(b"\x89PNG") and picture.stat().st_size > 5000
    words = pos("report", "--record", str(record), "--language", "zh").stdout
    assert "芯片型号不对" in words and "SP-000001" in words and written(0) in words
    record.write_bytes(record.read_bytes().replace(b'"wrong-chip"', b'"ok"'))
    done = pos("report", "--record", str(record))
    assert done.returncode == 5 and "altered" in done.stderr

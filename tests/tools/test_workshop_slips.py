"""A hand slips at the keyboard: a wrong word, a wrong file. It ends in words, and before harm."""

import resource
import subprocess
from pathlib import Path

import pytest
from bench_hands import bench_of, flash, pos, pos_command, release
from bench_shop import flashed, shop

from tools.workshop.chip import Script
from tools.workshop.console import Console
from tools.workshop.faults import PORT_MISSING, DeviceFault
from tools.workshop.records import read


@pytest.mark.parametrize("number", ["../../a1", "a b/c:d1", "SP 00001", "SP00001", "终端000001"])
def test_a_terminal_number_is_letters_and_digits_for_it_names_files(
    tmp_path: Path, number: str
) -> None:
    given = ("--shop", str(shop(tmp_path)), "--port", "/dev/none", "--terminal", number)
    done = pos("provision", *given)
    assert done.returncode == 2 and "letters and digits" in done.stderr


OTHER_FILES = {"folder": None, "image": bytes(range(256)) * 20, "text": b"not a record\n"}


@pytest.mark.parametrize("content", OTHER_FILES.values(), ids=OTHER_FILES)
def test_what_is_no_record_is_refused_and_stays_as_it_is(
    tmp_path: Path, content: bytes | None
) -> None:
    other = tmp_path / "other"
    other.mkdir() if content is None else other.write_bytes(content)
    for command in (["report"], ["label"], ["erase", "--yes", "--port", "/dev/none"]):
        done = pos(*command, "--record", str(other))
        assert (done.returncode, "Traceback" in done.stderr) == (5, False), command
    assert content is None or other.read_bytes() == content


def test_the_report_names_a_torn_end_and_a_plot_that_cannot_be_written(tmp_path: Path) -> None:
    record = tmp_path / "record"
    flashed(record, "7CDFA1000001")
    whole = record.read_bytes()
    for data, torn in ((whole, False), (whole[:-9], True), (whole[:-9] + b"\n", True)):
        record.write_bytes(data)
        for language, words in (("zh", "最后一行不完整"), ("en", "last line is torn")):
            told = pos("report", "--record", str(record), "--language", language).stdout
            assert (words in told) is torn and ("最后一个哈希" in told) is (language == "zh")
    done = pos("report", "--record", str(record), "--plot", str(tmp_path))
    assert done.returncode == 3 and done.stderr.startswith("pos: ")


def small_disk() -> None:
    """A limit on the size of files does what a full disk does."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (2600, 2600))


def test_a_full_disk_is_told_in_one_line_however_many_devices_run(tmp_path: Path) -> None:
    images, record = release(tmp_path / "images"), tmp_path / "record"
    with bench_of(tmp_path / "bench", *[Script()] * 3) as (_, ports, _):
        named = [word for port in ports for word in ("--port", str(port))]
        done = subprocess.run(
            pos_command("flash", *named, "--images", str(images), "--record", str(record)),
            capture_output=True, text=True, timeout=120, check=False, preexec_fn=small_disk,
        )  # fmt: skip
    assert done.returncode == 5 and done.stderr == f"pos: {record}: the disk is full\n"
    assert read(record).torn and read(record).made == {}


def test_a_check_value_or_key_block_of_no_use_is_refused_before_anyone_types(
    tmp_path: Path,
) -> None:
    block = tmp_path / "block.tr31"
    block.touch()
    given = ("--shop", str(shop(tmp_path)), "--port", "/dev/none", "--language", "en")
    for more, words in (
        (["--kcv", "43C6C"], "6 hex digits"),
        (["--kcv", "43C6CC", "--key-block", str(block)], "it is empty"),
    ):
        done = pos("provision", *given, *more)
        assert done.returncode == 3 and words in done.stdout and "custodian" not in done.stderr


def test_an_altered_record_is_refused_before_anyone_types(tmp_path: Path) -> None:
    record = tmp_path / "record"
    flashed(record, "7CDFA1000001")
    record.write_bytes(record.read_bytes().replace(b'"at":"2', b'"at":"3', 1))
    done = pos("provision", "--shop", str(shop(tmp_path)), "--port", "/dev/none", "--record",
               str(record), "--language", "en")  # fmt: skip
    assert done.returncode == 5 and "custodian" not in done.stderr
    told = pos("report", "--record", str(record), "--language", "zh")
    assert told.returncode == 5 and told.stderr.startswith("pos: 记录文件有问题：")


@pytest.mark.parametrize("wrong", [
    ["erase", "--flash-size", "0"], ["erase", "--baud", "0"], ["flash", "--count", "-1"],
])  # fmt: skip
def test_a_number_that_cannot_be_is_wrong_usage(wrong: list[str]) -> None:
    assert pos(*wrong, "--port", "/dev/none").returncode == 2


def test_what_is_no_serial_port_is_called_that_and_not_busy(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    ports = [Path("/dev/null"), tmp_path, file]
    with bench_of(tmp_path / "bench"):
        _, told = flash(tmp_path / "record", release(tmp_path / "images"), ports)
    assert {device["result"] for device in told["devices"]} == {"port-missing"}
    for port in ports:
        with pytest.raises(DeviceFault) as refused:
            Console(str(port)).open()
        assert refused.value.fault is PORT_MISSING


def test_an_efuse_plan_of_nothing_is_no_good_plan(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.touch()
    for more in (["--order", ""], ["--order", ","], ["--image", str(empty)]):
        done = pos("efuse-plan", *more)
        assert (done.returncode, done.stdout) == (2, ""), more


def test_a_rescue_at_no_serial_port_says_so(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for port in ("/dev/null", str(file)):
        done = pos("rescue", port)
        assert (done.returncode, done.stderr) == (1, f"rescue: {port} is no serial port\n")


def test_an_unknown_command_is_wrong_usage() -> None:
    done = pos("flush")
    assert (done.returncode, done.stdout) == (2, "") and "flush" in done.stderr

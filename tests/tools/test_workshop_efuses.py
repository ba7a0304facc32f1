"""`pos efuse-plan` with the real espefuse and espsecure, on files."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bench_hands import bench_of, flash, pos, release
from rich.console import Console

from tools.workshop import report_command
from tools.workshop.chip import Script
from tools.workshop.efuse_plan import (
    RULES,
    STEPS,
    OrderRefused,
    Rehearsal,
    RehearsalFailed,
    check_order,
)
from tools.workshop.records import read

# Steps before which the virtual eFuses are kept: with keys in them and nothing on; all but the
# last, after which no tool can read them.
KEYED, LOCKED = "flash-control", "download"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("efuses")


@pytest.fixture(scope="module")
def rehearsal(folder: Path) -> Rehearsal:
    """All steps in the right order."""
    made = Rehearsal(folder)
    for name in STEPS:
        if name in (KEYED, LOCKED):
            shutil.copyfile(made.efuses, folder / name)
        assert made.run(name).changes, name
    return made


def test_the_right_order_ends_in_a_locked_chip(rehearsal: Rehearsal) -> None:
    efuses = rehearsal.summary()
    for name in ("SECURE_BOOT_EN", "ENABLE_SECURITY_DOWNLOAD", "DIS_USB_JTAG", "DIS_PAD_JTAG"):
        assert efuses[name]["value"] is True, name
    purposes = {f"KEY_PURPOSE_{n}": efuses[f"KEY_PURPOSE_{n}"]["value"] for n in (0, 1, 4)}
    assert list(purposes.values()) == ["SECURE_BOOT_DIGEST0", "XTS_AES_128_KEY", "HMAC_UP"]
    assert [efuses[f"BLOCK_KEY{n}"]["readable"] for n in (0, 1, 4)] == [True, False, False]
    assert not efuses["RD_DIS"]["writeable"]


def test_what_is_burnt_stays_burnt(rehearsal: Rehearsal) -> None:
    before = rehearsal.efuses.read_bytes()
    for _ in range(2):  # the second time from the file alone
        with pytest.raises(RehearsalFailed, match="espefuse"):
            rehearsal.run("hmac")  # the block holds a key
    assert rehearsal.efuses.read_bytes() == before


def test_espefuse_itself_refuses_a_secret_key_after_the_lock(tmp_path: Path) -> None:
    late = Rehearsal(tmp_path)
    late.run("lock-reads")
    with pytest.raises(RehearsalFailed, match="read-disabled"):
        late.run("flash-key")


def test_a_signature_over_another_image_does_not_verify(
    rehearsal: Rehearsal, folder: Path
) -> None:
    signed = bytearray((folder / "signed.bin").read_bytes())
    signed[100] ^= 1
    (folder / "altered.bin").write_bytes(signed)
    with pytest.raises(RehearsalFailed, match="espsecure"):
        rehearsal.verify(folder / "altered.bin")


def test_each_rule_refuses_and_says_why() -> None:
    check_order(list(STEPS))
    for earlier, later, why in RULES:
        without = [name for name in STEPS if name != earlier]
        too_late = [*without]
        too_late.insert(without.index(later) + 1, earlier)
        for order in (without, too_late):
            with pytest.raises(OrderRefused) as refused:
                check_order(order)
            assert refused.value.reason["zh"] and refused.value.reason["en"]
        assert why["zh"] != why["en"]
    with pytest.raises(ValueError, match="twice"):
        check_order(["sign", "hmac", "sign"])


def test_a_wrong_order_burns_not_even_the_file() -> None:
    done = pos("efuse-plan", "--json", "--order", "sign,secure-boot")
    told = json.loads(done.stdout)
    assert (done.returncode, told["result"], told["burnt"]) == (1, "refused", False)
    assert told["step"] == "secure-boot" and "boot" in told["why"]["en"]
    assert pos("efuse-plan", "--order", "melt").returncode == 2


def test_it_says_plainly_that_nothing_was_burnt() -> None:
    done = pos("efuse-plan", "--order", "sign,hmac", "--language", "en")
    assert done.returncode == 0 and "Nothing was burnt" in done.stdout
    assert "HMAC_UP" in done.stdout and "not finished" in done.stdout


def espefuse(port: Path) -> dict[str, Any]:
    """What the real espefuse reads at a port: name → value."""
    done = subprocess.run(
        [sys.executable, "-m", "espefuse", "--chip", "esp32s3", "--port", str(port),
         "summary", "--format", "json"],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    efuses = json.loads(done.stdout[done.stdout.index("{") :])
    return {name: efuse["value"] for name, efuse in efuses.items()}


def test_the_record_says_of_the_efuses_what_espefuse_reads(
    rehearsal: Rehearsal, folder: Path, tmp_path: Path
) -> None:
    """A blank chip, one that holds keys, one that is locked: espefuse itself burnt them."""
    files = [(folder / name).read_bytes() for name in (KEYED, LOCKED)]
    scripts = (Script(), *(Script(efuses=file) for file in files))
    images, record = release(tmp_path / "images", (100, 100, 100)), tmp_path / "record"
    with bench_of(tmp_path / "bench", *scripts) as (_, ports, chips):
        code, _ = flash(record, images, ports)
        seen = [espefuse(port) for port in ports]
        where = ("--record", str(record), "--port", str(ports[2]), "--json")
        erased = json.loads(pos("erase", "--yes", *where).stdout)["devices"][0]
        assert code == 1 and chips[2].blocks == 0 and erased["result"] == "secured"
    tries = [json.loads(line) for line in record.read_text().splitlines()]
    ended = {entry["mac"]: entry for entry in tries if entry["kind"] == "ended"}
    results = []
    for number, efuses in enumerate(seen):
        entry = ended[f"7c:df:a1:00:00:0{number}"]
        said = entry["efuses"]
        assert said["chip"].startswith("ESP32-S3 (QFN56)")
        assert said["secure_boot"] is efuses["SECURE_BOOT_EN"]
        assert said["flash_encryption"] is (efuses["SPI_BOOT_CRYPT_CNT"] == "Enable")
        assert said["key_purposes"] == [efuses[f"KEY_PURPOSE_{n}"] for n in range(6)]
        results.append((entry["result"], said["secure_boot"], said["flash_encryption"]))
    assert results == [("ok", False, False), ("ok", False, False), ("secured", True, True)]
    words = pos("report", "--record", str(record), "--language", "en").stdout
    assert "1 XTS_AES_128_KEY, 4 HMAC_UP" in words and "none used" in words
    made = json.loads(pos("report", "--json", "--record", str(record)).stdout)["made"]
    assert {tuple(device["efuses"]["key_purposes"]) for device in made} == {
        ("USER",) * 6, ("USER", "XTS_AES_128_KEY", "USER", "USER", "HMAC_UP", "USER")
    }  # fmt: skip
    assert "…" not in report_at(80, record), "something is cut off"


def report_at(columns: int, record: Path) -> str:
    """The report as it stands on a screen of so many columns."""
    screen = Console(width=columns, file=io.StringIO(), record=True)
    for table in report_command.tables(report_command.summarise(read(record)), "en"):
        screen.print(table)
    return screen.export_text()

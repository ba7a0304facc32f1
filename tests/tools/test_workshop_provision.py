"""`pos provision` with the real mpremote on device models whose injection is the firmware's."""

import json
import os
import pty
import signal
import subprocess
import termios
import threading
import time
from pathlib import Path

import pytest
from bench_console import Device, Fault
from bench_hands import pos_command
from bench_shop import (
    COMPONENT_KCVS,
    COMPONENTS,
    KCV,
    TYPED,
    command,
    flashed,
    plugged,
    provision,
    provisioned,
    shop,
    written,
)
from PIL import Image
from psec import tr31
from pyzbar import pyzbar

from tools.acquirer import testbed
from tools.workshop import custody, papers
from tools.workshop.faults import KEY_MISTYPED, PAPERS_MISSING, DeviceFault
from tools.workshop.records import read

SETTLE_S = 2.2  # a port must be empty for two seconds before what appears is another device


def kcv_of_letter(text: str) -> str:
    return custody.component_kcv(bytearray.fromhex(text), "AES")


def test_four_at_once_get_keys_numbers_record_and_a_label_that_reads(tmp_path: Path) -> None:
    shop(tmp_path)
    with plugged(tmp_path, *[Fault()] * 4) as devices:
        code, told = provision(tmp_path, devices)
    assert code == 0, told
    book = read(tmp_path / "record")
    assert set(book.provisioned) == {written(device.mac) for device in devices}
    assert sorted(book.terminals.values()) == [f"SP00000{n}" for n in range(1, 5)]
    for device in told["devices"]:
        (code_read,) = pyzbar.decode(Image.open(device["label"]).convert("L"))
        words = code_read.data.decode().split("\n")
        assert words == [
            f"S/N {device['serial']}", f"MAC {device['mac'].upper()}", f"TID {device['terminal']}"
        ]  # fmt: skip
        pdf = Path(device["label"]).with_suffix(".pdf").read_bytes()
        assert pdf.startswith(b"%PDF") and b"/MediaBox [ 0 0 141.72" in pdf  # 50 mm
    ended = [json.loads(line) for line in (tmp_path / "record").read_text().splitlines()]
    kept = [entry for entry in ended if entry.get("kcv")]
    assert len(kept) == 4 and all(entry["kcv"]["0"] == KCV for entry in kept)
    assert all(set(entry["selftest"].values()) == {"ok"} for entry in kept)


def test_no_component_is_on_disk_and_none_was_python_text(tmp_path: Path) -> None:
    shop(tmp_path)
    with plugged(tmp_path, Fault()) as (device,):
        assert provision(tmp_path, [device])[0] == 0
        for part in COMPONENTS:
            line = part.encode() + b"\n"
            # A line of its own: no part of a JSON step, which the device makes an object of.
            assert b"\n" + line in device.heard and device.heard.count(part.encode()) == 1
            assert part.encode() not in device.said.upper()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not any(part.encode() in path.read_bytes().upper() for part in COMPONENTS), path


def test_typed_at_a_terminal_a_component_is_not_shown(tmp_path: Path) -> None:
    near, far = pty.openpty()
    try:
        desk = custody.Desk("zh", far, lambda text: None)
        typed = "\n".join([*TYPED, KCV]) + "\n"
        threading.Timer(0.1, lambda: feed(near, typed)).start()
        key = custody.ask(desk)
        shown = os.read(near, 65536).decode()
    finally:
        os.close(near)
        os.close(far)
    assert [part.hex().upper() for part in key.components] == COMPONENTS and key.kcv == KCV
    assert COMPONENT_KCVS[0] in shown and not any(part in shown for part in COMPONENTS)
    key.wipe()
    assert all(not any(part) for part in key.components)


def feed(near: int, typed: str) -> None:
    """Type line by line, each when the last one was read, as people do."""
    for number, line in enumerate(typed.splitlines(keepends=True)):
        secret = number % 3 == 1 and number < 6
        limit = time.monotonic() + 5
        while bool(termios.tcgetattr(near)[3] & termios.ECHO) == secret:
            if time.monotonic() > limit:
                return
            time.sleep(0.002)
        time.sleep(0.01)
        os.write(near, line.encode())


@pytest.mark.parametrize(
    "typed",
    [
        ["a", COMPONENTS[0], "000000", "0" * 32, "000000", "xyz"],
        ["a", COMPONENTS[0], COMPONENT_KCVS[0], "a"],
        ["a", "5E9B", COMPONENT_KCVS[0]],
        ["a", COMPONENTS[0], COMPONENT_KCVS[0], "b"],
        ["a", COMPONENTS[0] + "Z", COMPONENT_KCVS[0]],
        [],
    ],
    ids=["three slips", "one person", "short", "input ends", "no hex", "nothing"],
)
def test_what_is_mistyped_is_refused(typed: list[str]) -> None:
    with pytest.raises(DeviceFault) as refused:
        typed_on_a_pipe(typed)
    assert refused.value.fault is KEY_MISTYPED


def typed_on_a_pipe(typed: list[str]) -> custody.MasterKey:
    near, far = os.pipe()
    try:
        os.write(far, "".join(line + "\n" for line in typed).encode())
        os.close(far)
        return custody.ask(custody.Desk("en", near, lambda text: None), KCV)
    finally:
        os.close(near)


@pytest.mark.parametrize(
    "slip",
    [["00" + COMPONENTS[0][2:], COMPONENT_KCVS[0]], [COMPONENTS[0][:-1]], ["O" + COMPONENTS[0]],
     [COMPONENTS[0][:-2], COMPONENTS[0] * 3]],
    ids=["another", "one digit short", "a letter O", "short, then long"],
)  # fmt: skip
def test_a_slip_of_the_fingers_is_put_right_at_once(slip: list[str]) -> None:
    slip = [TYPED[0], *slip, *TYPED[1:]]
    assert [part.hex().upper() for part in typed_on_a_pipe(slip).components] == COMPONENTS


def test_after_a_mistyped_key_no_device_was_touched(tmp_path: Path) -> None:
    shop(tmp_path)
    with plugged(tmp_path, Fault()) as (device,):
        before = (tmp_path / "record").read_bytes()
        code, told = provision(tmp_path, [device], typed=TYPED[:4])
        assert (code, told["code"]) == (3, KEY_MISTYPED.code)
        assert device.lines == 0 and (tmp_path / "record").read_bytes() == before


def test_a_wrong_check_value_leaves_no_key_and_the_next_try_is_good(tmp_path: Path) -> None:
    shop(tmp_path)
    with plugged(tmp_path, Fault()) as (device,):
        code, told = provision(tmp_path, [device], kcv="ABCDEF")
        assert code == 1 and told["devices"][0]["result"] == "wrong-kcv"
        assert b'"abandon"' in device.heard and b'"parameters"' not in device.heard
        assert read(tmp_path / "record").provisioned == {} and not (tmp_path / "labels").exists()
        code, told = provision(tmp_path, [device])
        assert code == 0 and told["devices"][0]["terminal"] == "SP000001"


def block_of(usage: str, key: bytes, protection: bytes) -> str:
    """A TR-31 block by psec."""
    header = tr31.Header("D", usage, "T", "B", "00", "N")
    return str(tr31.KeyBlock(protection, header).wrap(key))


@pytest.mark.parametrize(
    ("usage", "change", "result"),
    [("K0", 0, "ok"), ("K0", 1, "key-refused"), ("P0", 0, "key-refused")],
    ids=["good", "altered", "not a master key"],
)
def test_the_master_key_as_a_key_block(
    tmp_path: Path, usage: str, change: int, result: str
) -> None:
    shop(tmp_path)
    first, second = bytes(range(32)), bytes(range(100, 132))
    whole = bytes(a ^ b for a, b in zip(first, second))
    block = block_of(usage, testbed.TMK, whole)
    block = block[:-1] + "0123456789ABCDEF"[(int(block[-1], 16) + change) % 16]
    (tmp_path / "block.tr31").write_text(block)
    parts = [first.hex(), second.hex()]
    typed = [w for n in (0, 1) for w in (f"p{n}", parts[n], kcv_of_letter(parts[n]))]
    with plugged(tmp_path, Fault()) as (device,):
        more = ("--key-block", str(tmp_path / "block.tr31"))
        code, told = provision(tmp_path, [device], *more, typed=typed)
        assert told["devices"][0]["result"] == result, told
        assert bool(read(tmp_path / "record").provisioned) == (code == 0) == (result == "ok")


FAILING = {
    "unplugged": Fault(unplug_at_line=5),
    "self-test-failed": Fault(prelude="board.broken.add('printer')"),
    "no-console": Fault(silent=True),
    "no-terminal": Fault(other=True),
    "device-stopped": Fault(prelude="board.mount = None"),
}


def test_each_failure_has_its_code_and_a_true_record(tmp_path: Path) -> None:
    shop(tmp_path)
    with plugged(tmp_path, *FAILING.values(), Fault()) as devices:
        stranger = Device(tmp_path / "usb9", "7CDFA1FFFFFF")
        gone = Device(tmp_path / "usb8", "7CDFA1FFFFFE")
        gone.unplug()
        code, told = provision(tmp_path, [*devices, stranger, gone])
        stranger.unplug()
    assert code == 1
    results = [device["result"] for device in told["devices"]]
    by_port = {device["port"]: device["result"] for device in told["devices"]}
    wanted = [*FAILING, "ok", "not-flashed", "port-missing"]
    assert [by_port[str(d.port)] for d in [*devices, stranger, gone]] == wanted, told
    attempts = [a for a in read(tmp_path / "record").attempts.values() if a.task == "provision"]
    assert sorted(a.result for a in attempts) == sorted(results)
    assert list(read(tmp_path / "record").provisioned) == [written(devices[-1].mac)]


def test_numbers_are_not_given_twice(tmp_path: Path) -> None:
    shop(tmp_path)
    with plugged(tmp_path, Fault(), Fault()) as devices:
        code, told = provision(tmp_path, devices, "--terminal", "SP000007")
        results = sorted(device["result"] for device in told["devices"])
        assert (code, results) == (1, ["duplicate-terminal", "ok"])
        done, other = sorted(devices, key=lambda d: written(d.mac) not in provisioned(tmp_path))
        assert provision(tmp_path, [done])[1]["devices"][0]["result"] == "duplicate-mac"
        assert provision(tmp_path, [done], "--again")[1]["devices"][0]["terminal"] == "SP000007"
        taken = read(tmp_path / "record").serials[written(done.mac)]
        code, told = provision(tmp_path, [other], "--serial", taken)
        assert told["devices"][0]["result"] == "duplicate-serial"
        assert provision(tmp_path, [other])[1]["devices"][0]["terminal"] == "SP000008"


def test_a_parameter_that_the_device_refuses_is_named(tmp_path: Path) -> None:
    shop(tmp_path, tpdu="60")
    with plugged(tmp_path, Fault()) as (device,):
        code, told = provision(tmp_path, [device])
        outcome = told["devices"][0]
        assert (code, outcome["result"]) == (1, "papers-refused") and "tpdu" in outcome["detail"]


@pytest.mark.parametrize(
    "text",
    ["", "parameters: [", "parameters: {}\noperators: []\nca: none.pem\n", "a: 1",
     "parameters: {serial: A}\noperators: []\nca: none.pem\n"],
)  # fmt: skip
def test_a_shop_file_that_is_no_use_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "shop.yaml").write_text(text)
    with pytest.raises(DeviceFault) as refused:
        papers.load(tmp_path / "shop.yaml")
    assert refused.value.fault is PAPERS_MISSING


def test_labels_are_drawn_again_from_the_record(tmp_path: Path) -> None:
    shop(tmp_path)
    with plugged(tmp_path, Fault()) as (device,):
        _, told = provision(tmp_path, [device])
    png = Path(told["devices"][0]["label"])
    before = png.read_bytes()
    png.unlink()
    where = ("--record", str(tmp_path / "record"), "--folder", str(tmp_path / "labels"))
    assert subprocess.run(pos_command("label", *where), check=False).returncode == 0
    assert png.read_bytes() == before
    assert subprocess.run(pos_command("label", "none", *where), check=False).returncode == 4


def test_the_station_goes_on_with_the_next_device_and_asks_for_the_key_once(
    tmp_path: Path,
) -> None:
    """Two ports, three devices: one is pulled in the middle, and done when it is back."""
    shop(tmp_path)
    macs = [f"7CDFA1{number:06X}" for number in range(1, 4)]
    flashed(tmp_path / "record", *macs)
    one, two = tmp_path / "usb1", tmp_path / "usb2"
    more = ("--kcv", KCV, "--station", "--count", "4", "--port", str(one), "--port", str(two))
    with subprocess.Popen(
        command(tmp_path, [], *more), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as station:
        try:
            assert station.stdin
            station.stdin.write("\n".join(TYPED) + "\n")
            station.stdin.flush()
            visit(tmp_path, Device(one, macs[0]), Device(two, macs[1], Fault(unplug_at_line=6)))
            time.sleep(SETTLE_S)
            visit(tmp_path, Device(one, macs[2]), Device(two, macs[1]))
            told = json.loads(station.communicate(timeout=60)[0])
        finally:
            station.kill()
    results = sorted((device["mac"], device["result"]) for device in told["devices"])
    good = [(written(mac), "ok") for mac in macs]
    assert results == sorted([*good, (written(macs[1]), "unplugged")])
    assert station.returncode == 1 and provisioned(tmp_path) == {written(mac) for mac in macs}
    assert sorted(read(tmp_path / "record").terminals.values()) == [
        f"SP00000{n}" for n in range(1, 4)
    ]
    assert len(list((tmp_path / "labels").glob("*.png"))) == 3


def hears_ctrl_c() -> None:
    """What a shell runs in the background ignores SIGINT; from a terminal nothing does."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_a_step_that_would_not_end(tmp_path: Path) -> None:
    hangs = "import time\nprovision._Bench._selftest = lambda bench, step: time.sleep(1000)"
    shop(tmp_path)
    with plugged(tmp_path, Fault(prelude=hangs)) as (device,):
        with subprocess.Popen(
            command(tmp_path, [device], "--kcv", KCV),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=hears_ctrl_c,
        ) as station:  # fmt: skip
            assert station.stdin
            station.stdin.write("\n".join(TYPED) + "\n")
            station.stdin.flush()
            limit = time.monotonic() + 60
            while b'"selftest"' not in device.heard and time.monotonic() < limit:
                time.sleep(0.05)
            station.send_signal(signal.SIGINT)
            told = json.loads(station.communicate(timeout=20)[0])  # a step may take 30 s
        assert [device["result"] for device in told["devices"]] == ["interrupted"]
        assert station.returncode == 130 and not device.holds()
    assert [a.result for a in read(tmp_path / "record").attempts.values()] == ["ok", "interrupted"]


def visit(folder: Path, *devices: Device) -> None:
    """They stay until the record has an end for each, and leave."""
    limit = time.monotonic() + 60
    before = ends(folder)
    while ends(folder) < before + len(devices) and time.monotonic() < limit:
        time.sleep(0.05)
    for device in devices:
        device.unplug()


def ends(folder: Path) -> int:
    tries = read(folder / "record").attempts.values()
    return sum(attempt.task == "provision" and attempt.result != "" for attempt in tries)

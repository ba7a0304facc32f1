"""What the tests of `pos provision` share: a shop's file, flashed devices, the command's run."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from bench_console import Device, Fault
from bench_hands import REPO_CA, pos_command

from tools.acquirer import testbed
from tools.workshop.records import Records, read

COMPONENTS = [part.hex().upper() for part in testbed.TMK_COMPONENTS]
COMPONENT_KCVS = [kcv.hex().upper() for kcv in testbed.TMK_COMPONENT_KCVS]
KCV = testbed.TMK_KCV.hex().upper()
TYPED = [w for n in (0, 1) for w in (f"person {n}", COMPONENTS[n], COMPONENT_KCVS[n])]


def shop(folder: Path, **changes: Any) -> Path:
    """A shop's file; changes go into its parameters."""
    values = {
        "merchant": testbed.MERCHANT,
        "name": testbed.MERCHANT_NAME,
        "tpdu": testbed.TPDU.hex(),
        "hosts": [[testbed.PRIMARY_HOST, testbed.PORT]],
        "ssid": testbed.WIFI_SSID,
        "password": testbed.WIFI_PASSWORD,
    }
    operators = [
        {"number": o.number, "password": o.password, "change": False} for o in testbed.OPERATORS
    ]
    tree = {"parameters": values | changes, "ca": str(REPO_CA), "operators": operators}
    path = folder / "shop.yaml"
    path.write_text(yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8")
    return path


def flashed(record: Path, *macs: str) -> None:
    """A record in which these devices (12 hex digits) are flashed."""
    with Records(record) as records:
        for mac in macs:
            attempt = records.begin("flash", "/dev/x", "lin", image="ab")
            records.identify(attempt, written(mac), "SP-000001+")
            records.end(attempt, "ok")


def written(mac: str) -> str:
    return ":".join(mac[at : at + 2] for at in range(0, 12, 2)).lower()


@contextlib.contextmanager
def plugged(folder: Path, *faults: Fault, first: int = 1) -> Iterator[list[Device]]:
    """Devices with these faults, on ports, flashed in `folder`/record."""
    macs = [f"7CDFA1{number:06X}" for number in range(first, first + len(faults))]
    flashed(folder / "record", *macs)
    devices = [
        Device(folder / f"usb{n}", mac, faults[n], seed=n) for n, mac in enumerate(macs)
    ]
    try:
        yield devices
    finally:
        for device in devices:
            device.unplug()


def command(folder: Path, devices: list[Device], *more: str) -> list[str]:
    named = [word for device in devices for word in ("--port", str(device.port))]
    where = ("--record", str(folder / "record"), "--labels", str(folder / "labels"))
    return pos_command(
        "provision", "--json", "--operator", "lin", "--shop", str(folder / "shop.yaml"),
        *where, *named, *more,
    )  # fmt: skip


def provision(
    folder: Path, devices: list[Device], *more: str, typed: list[str] = TYPED, kcv: str = KCV
) -> tuple[int, dict[str, Any]]:
    """Run it on these devices; its exit code and what it printed."""
    done = subprocess.run(
        command(folder, devices, "--kcv", kcv, *more), input="\n".join(typed) + "\n",
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def provisioned(folder: Path) -> set[str]:
    return set(read(folder / "record").provisioned)

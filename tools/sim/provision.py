"""A provisioned terminal for the simulator: made once by the firmware's own injection, and kept.

The result is a folder with the flash image and the secret (with its salt, bindings and counters).
It is kept in build/provisioned under a name made of everything it depends on.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.acquirer import pki, testbed
from tools.sim import clock
from tools.sim.cards.authority import authority_keys
from tools.sim.flash import TABLE
from tools.sim.machine import Machine, SimulationError
from tools.sim.process import INTERPRETER, REPO
from tools.workshop import injection
from tools.workshop.injection import Papers

CACHE = REPO / "build" / "provisioned"
SECRET = "device.secret"
FILES = ("flash.bin", SECRET, *(f"{SECRET}.{part}" for part in ("salt", "bindings", "counters")))
START = 1_795_395_600  # 2026-11-23 01:00:00 UTC, 09:00 in the shop
SEED = 20
LIMIT_S = 600
CHOICES = ("merchant", "language", "fresh")


class ProvisionFailed(Exception):
    """The firmware refused a step of its injection; the message is its answer."""


def steps(start: Mapping[str, Any]) -> list[str]:
    """The injection's lines for a scenario's `start` (merchant, language, fresh)."""
    card_keys = authority_keys().values()
    values = {
        "serial": testbed.SERIAL,
        "terminal": testbed.TERMINAL,
        "merchant": testbed.MERCHANT,
        "name": str(start.get("merchant", testbed.MERCHANT_NAME)),
        "tpdu": testbed.TPDU.hex(),
        "hosts": [[testbed.PRIMARY_HOST, testbed.PORT], [testbed.BACKUP_HOST, testbed.PORT]],
        "ssid": testbed.WIFI_SSID,
        "password": testbed.WIFI_PASSWORD,
        "language": str(start.get("language", "zh")),
    }
    fresh = bool(start.get("fresh", False))
    operators = [
        {"number": o.number, "password": o.password, "change": fresh or o.must_change}
        for o in testbed.OPERATORS
    ]
    public = [key.public() for key in card_keys]
    papers = Papers(values, pki.ca_der().read_bytes(), operators, testbed.BATCH, card_keys=public)
    lines = [injection.line(injection.BEGIN)]
    for component in testbed.TMK_COMPONENTS:
        lines += [injection.line(injection.component(len(component))), component.hex()]
    return [*lines, *map(injection.line, [*papers.steps(), injection.FINISH])]


def made(start: Mapping[str, Any], interpreter: Path = INTERPRETER) -> Path:
    """The folder of a terminal provisioned so; made when it is not there yet. ProvisionFailed.

    Making one runs a simulation in a process of its own, so it may be asked for from anywhere.
    """
    wanted = {name: start[name] for name in CHOICES if name in start}
    folder = _folder(wanted, interpreter)
    if not folder.exists():
        done = subprocess.run(
            [sys.executable, "-m", "tools.sim.provision", json.dumps(wanted), str(interpreter)],
            cwd=REPO, capture_output=True, text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ProvisionFailed(done.stderr.strip().split("\n")[-1])
    return folder


def _folder(wanted: Mapping[str, Any], interpreter: Path) -> Path:
    digest = hashlib.sha256("\n".join(steps(wanted)).encode())
    for file in (interpreter, TABLE):
        digest.update(file.read_bytes())
    return CACHE / digest.hexdigest()[:24]


def _make(wanted: Mapping[str, Any], interpreter: Path) -> None:
    folder = _folder(wanted, interpreter)
    CACHE.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".draft-", dir=CACHE))
    try:
        clock.run(_inject(draft, steps(wanted), interpreter))
        (draft / "injection").unlink()
        (draft / "console.log").unlink()
        os.rename(draft, folder)
    except OSError:
        if not folder.exists():  # another process may have made the same one meanwhile
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def copy(source: Path, folder: Path) -> None:
    """Put a provisioned terminal's flash and secret into a simulation's folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (source / name).exists():
            shutil.copyfile(source / name, folder / name)
            (folder / name).chmod(0o600)


async def _inject(folder: Path, lines: list[str], interpreter: Path) -> None:
    injection = folder / "injection"
    injection.write_text("\n".join(lines) + "\n")
    machine = Machine(
        folder,
        SEED,
        program=["-m", "bench"],
        interpreter=interpreter,
        environment={"SUANPAN_DEVICE_SECRET": str(folder / SECRET)},
        stdin=injection,
        once=True,
    )
    machine.wall = START
    try:
        await machine.power_on()
        await machine.off(LIMIT_S)
    except SimulationError as error:
        raise ProvisionFailed(str(error)) from error
    finally:
        await machine.stop()
    answers = [line for line in machine.output().split("\n") if line.startswith("{")]
    for answer in answers:
        if not json.loads(answer)["ok"]:
            raise ProvisionFailed(answer)


if __name__ == "__main__":
    try:
        _make(json.loads(sys.argv[1]), Path(sys.argv[2]))
    except ProvisionFailed as failed:
        sys.exit(f"provision: {failed}".replace("\n", " "))

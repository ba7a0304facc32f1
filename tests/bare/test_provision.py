"""The real mpremote against a real MicroPython: files, raw REPL and the injection, over a pty."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from mpremote.transport_serial import SerialTransport

from tools import bare
from tools.acquirer import pki, testbed
from tools.workshop import papers, provisioner
from tools.workshop.custody import MasterKey
from tools.workshop.records import Records, read
from tools.workshop.station import program

MAC = "7c:df:a1:00:00:00"  # board/qemu/board.py
COMPONENTS = testbed.TMK_COMPONENTS


@contextlib.contextmanager
def board_on_a_pty() -> Iterator[str]:
    """The bare board, its serial line on a pty: the pty's path."""
    assert bare.IMAGE.exists() and shutil.which(bare.EMULATOR), "run 'make qemu' first"
    serial = ["-chardev", "pty,id=serial", "-serial", "chardev:serial"]
    command = [bare.EMULATOR, *bare.MACHINE, *bare.INSTRUCTION_CLOCK, *serial]
    with subprocess.Popen(
        [*command, "-kernel", str(bare.IMAGE)], stdout=subprocess.PIPE, text=True
    ) as emulator:
        try:
            assert emulator.stdout
            found = re.search(r"/dev/pts/\d+", emulator.stdout.readline())
            assert found
            yield found[0]
        finally:
            emulator.kill()


def mpremote(port: str, *arguments: str) -> str:
    """Run the real mpremote as a program, to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "mpremote", "connect", port, *arguments],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_files_go_there_and_back(tmp_path: Path) -> None:
    sent, back = tmp_path / "sent", tmp_path / "back"
    sent.write_bytes(bytes(range(256)) * 12)
    with board_on_a_pty() as port:
        mpremote(port, "exec", "import board; board.mount()")
        mpremote(port, "resume", "fs", "cp", str(sent), ":/data/sent")
        assert "3072 sent" in mpremote(port, "resume", "fs", "ls", ":/data/")
        mpremote(port, "resume", "fs", "cp", ":/data/sent", str(back))
    assert back.read_bytes() == sent.read_bytes()


def test_the_raw_repl_runs_and_reports_what_went_wrong() -> None:
    with board_on_a_pty() as port:
        transport = SerialTransport(port, timeout=2)
        transport.enter_raw_repl()
        assert transport.exec("import sys; print(sys.platform)") == b"qemu\r\n"
        assert b"ZeroDivisionError" in transport.exec_raw("1 // 0")[1]
        transport.close()


def shop() -> papers.Shop:
    values = {
        "merchant": testbed.MERCHANT,
        "name": testbed.MERCHANT_NAME,
        "tpdu": testbed.TPDU.hex(),
        "hosts": [[testbed.PRIMARY_HOST, testbed.PORT]],
    }
    operators = [
        {"number": o.number, "password": o.password, "change": False} for o in testbed.OPERATORS
    ]
    return papers.Shop(values, pki.ca_der().read_bytes(), operators, 1, 0)


@pytest.mark.parametrize("kcv", [testbed.TMK_KCV.hex().upper(), "ABCDEF"], ids=["good", "wrong"])
async def test_a_bare_core_is_provisioned(tmp_path: Path, kcv: str) -> None:
    """All of `pos provision` but the typing: keys, papers, self-test, keys read back, record."""
    key = MasterKey(kcv, [bytearray(part) for part in COMPONENTS], ["a", "b"])
    order = provisioner.Injection(
        "lin", shop(), key, "SP-000001+", "SP000001+", labels=tmp_path / "labels"
    )
    with Records(tmp_path / "record") as records:
        attempt = records.begin("flash", "/dev/x", "lin")
        records.identify(attempt, MAC, "SP-000001+")
        records.end(attempt, "ok")
        with board_on_a_pty() as port:
            (outcome,) = await program([port], order, records, lambda port, event: None)
    if kcv == "ABCDEF":
        assert outcome.fault and outcome.fault.name == "wrong-kcv"
        assert not read(tmp_path / "record").provisioned
        return
    assert outcome.fault is None, outcome
    assert (outcome.mac, outcome.terminal) == (MAC, "SP000001")
    entry = json.loads((tmp_path / "record").read_text().splitlines()[-1])
    assert entry["kcv"]["0"] == kcv and set(entry["selftest"].values()) == {"ok"}

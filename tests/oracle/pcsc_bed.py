"""Debian's pcscd and libccid on a pty that holds our reader's model, with pyscard on top.

Each daemon runs in its own mount namespace, because /run/pcscd is fixed. Stock libccid speaks
TPDUs to a GemPC Twin; with driver option 2 it switches the reader to short APDUs.
"""

import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from harness import World

from tools.sim.chips.ccid import CcidReader

PCSCD = "/usr/sbin/pcscd"
TWIN = Path("/usr/lib/pcsc/drivers/serial/libccidtwin.so")
BUNDLE = Path("/usr/lib/pcsc/drivers/ifd-ccid.bundle")
CLIENT = Path(__file__).with_name("pcsc_client.py")
EMPTY = re.compile(rb"\x03\x06\x81\x00{5}.\x02", re.DOTALL)
"""How a poll of the slot is answered that holds no card."""
SCRIPT = """
mount -t tmpfs tmpfs /run && mkdir /run/pcscd || exit 1
"$1" --foreground --config "$2" >"$3" 2>&1 </dev/null &
"$4" "$5"
kill $!
wait
"""


class PcscFault(Exception):
    """A PC/SC function failed in the client."""


class Pcsc:
    """A pcscd on the model's pty and a client, in a namespace of their own.

    script: the client's; interpreter: what runs it.
    """

    def __init__(
        self, folder: Path, pty: str, options: str | None, script: Path, interpreter: Path
    ) -> None:
        for needed in (Path(PCSCD), TWIN):
            if not needed.exists():
                pytest.fail(f"{needed} is missing: install Debian's pcscd and libccid.")
        if shutil.which("unshare") is None:
            pytest.fail("unshare is missing: install Debian's util-linux.")
        self._log = folder / "pcscd.log"
        (folder / "line").symlink_to(pty)
        config = folder / "reader.conf"
        config.write_text(
            'FRIENDLYNAME "Suanpan reader"\n'
            f"DEVICENAME {folder}/line:GemPCTwin\nLIBPATH {TWIN}\nCHANNELID 1\n"
        )
        environment = dict(os.environ)
        if options is not None:
            environment["PCSCLITE_HP_DROPDIR"] = str(self._with_options(folder, options))
        root = [] if os.geteuid() == 0 else ["--map-root-user"]
        namespace = ["unshare", *root, "--mount", "--pid", "--fork", "--kill-child"]
        words = [PCSCD, str(config), str(self._log), str(interpreter), str(script)]
        self._process = subprocess.Popen(
            [*namespace, "bash", "-c", SCRIPT, "pcsc", *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name="pcsc")
        self._reader.start()

    @staticmethod
    def _with_options(folder: Path, options: str) -> Path:
        """A copy of libccid's bundle whose Info.plist has other driver options."""
        drivers = folder / "drivers"
        shutil.copytree(BUNDLE, drivers / BUNDLE.name)
        plist = drivers / BUNDLE.name / "Contents/Info.plist"
        text = plist.read_text()
        stock = "<key>ifdDriverOptions</key>\n\t<string>0x0000</string>"
        assert stock in text, "libccid's Info.plist has no driver options to change."
        plist.write_text(text.replace(stock, stock.replace("0x0000", options)))
        return drivers

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(json.loads(line))
        self._answers.put({"error": "The client ended."})

    def answer(self) -> Any:
        """The next answer; PcscFault when it is a failure."""
        try:
            answer = self._answers.get(timeout=30)
        except queue.Empty:
            pytest.fail(f"The PC/SC client says nothing.\n{self._log.read_text()}")
        if "error" in answer:
            raise PcscFault(answer["error"] + "\n" + self._log.read_text())
        return answer["value"]

    def ask(self, do: str, **fields: Any) -> Any:
        """Give an order and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **fields}) + "\n")
        self._process.stdin.flush()
        return self.answer()

    def transmit(self, command: str) -> bytes:
        """One APDU from hex; the response."""
        return bytes.fromhex(self.ask("transmit", command=command))

    def exchange(self, command: bytes) -> bytes:
        """One APDU with what T=0 makes of it: GET RESPONSE after 61, the right Le after 6C."""
        answer = self.transmit(command.hex())
        if answer[-2] == 0x6C:
            answer = self.transmit((command[:4] + answer[-1:]).hex())
        whole = answer
        while whole[-2] == 0x61:
            whole = whole[:-2] + self.transmit(f"00C00000{whole[-1]:02X}")
        return whole

    def close(self) -> None:
        """End client and daemon."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(5)
        self._reader.join(5)
        self._process.stdout.close()


class Bed:
    """A model, the world it lives in, and PC/SC in front of it. short: at APDU level."""

    def __init__(
        self,
        world: World,
        folder: Path,
        options: str | None = None,
        script: Path = CLIENT,
        interpreter: Path = Path(sys.executable),
    ) -> None:
        self.short = options is not None
        self.model = CcidReader()
        self._world = world
        pty, self.wire = world.pty(self.model)
        self.pcsc = Pcsc(folder, pty, options, script, interpreter)

    def insert(self, card: Any) -> None:
        """Put a card into an empty slot and wait until pcscd has noticed."""
        self.remove()
        self._world.call(self.model.insert, card)
        assert self.pcsc.ask("await", present=True)

    def remove(self) -> None:
        """Take out what is in the slot and wait until pcscd has noticed: a poll found it empty."""
        self._world.call(self.model.remove)
        self.wire.sent.clear()
        deadline = time.monotonic() + 5
        while not EMPTY.search(self.wire.sent):
            assert time.monotonic() < deadline, "pcscd does not poll the slot."
            time.sleep(0.05)
        assert self.pcsc.ask("await", present=False)

    def swap(self, card: Any) -> None:
        """Put another card in; pcscd has seen the empty slot between, or it may not look again."""
        if self.model.card is not None:
            self.remove()
        self.insert(card)

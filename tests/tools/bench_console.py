"""Devices on ptys whose consoles the real mpremote finds: the firmware's own injection answers.

The raw REPL is modelled (MicroPython's unix port has none); the program it is told to run is run
by the sim board's interpreter over the bare board's file systems, so keys, parameters and answers
are the firmware's. `tests/bare` holds the same tool against a real raw REPL.
"""

import contextlib
import json
import os
import pty
import select
import subprocess
import threading
import tty
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.workshop.wire import Wear, Wire

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
RAW = b"raw REPL; CTRL-B to exit\r\n>"
RATE = 115_200
# Looks on when the firmware finishes a device, and writes down what its flash gives back.
ONLOOKER = """
from firmware.estate import provision
own_finish = provision._Bench._finish
def finish(bench, step):
    answer = own_finish(bench, step)
    shop = provision.Parameters.load(bench._vault)
    names = ("serial", "terminal", "merchant", "name", "tpdu")
    held = {name: getattr(shop, name) for name in names}
    held["kcv"] = {str(slot): provision.pinmac.kcv(slot).hex().upper()
                   for slot in provision.sealed.DEVICE_SLOTS}
    with open(HOLDINGS, "w") as file:
        provision.json.dump(held, file)
    return answer
provision._Bench._finish = finish
"""


@dataclass(frozen=True)
class Fault:
    """What becomes of a device; the default is nothing.

    prelude: Python that runs on it first. unplug_at_line: it leaves with this line of the host's
    (0: the first). wear: what its cable does to bytes once its program runs. silent: its console
    never answers. other: its firmware is not the terminal's.
    """

    prelude: str = ""
    unplug_at_line: int | None = None
    wear: Wear = Wear()
    silent: bool = False
    other: bool = False


@dataclass
class Device:
    """One device at `port`, a link that is there as long as it is plugged in."""

    port: Path
    mac: str  # 12 hex digits
    fault: Fault = field(default_factory=Fault)
    seed: int = 0

    def __post_init__(self) -> None:
        self.lines = 0
        self.heard = b""  # all that the host sent to the program
        self.said = b""  # all that the program printed
        self._near, self._far = pty.openpty()
        tty.setraw(self._far)
        os.set_blocking(self._near, False)
        self._holdings = self.port.with_name(f"{self.port.name}-holds.json")
        self.port.symlink_to(os.ttyname(self._far))
        self._wire = Wire(self.fault.wear, self.seed)
        self._program: subprocess.Popen[bytes] | None = None
        self._typed = b""
        self._hand, self._pull = os.pipe()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def holds(self) -> dict[str, Any]:
        """What it has in flash: numbers, papers and check values; {} when it holds no keys."""
        if not self._holdings.exists():
            return {}
        held: dict[str, Any] = json.loads(self._holdings.read_text())
        return held

    def unplug(self) -> None:
        """Off the port, without power. Nothing when it is off."""
        if self._thread.is_alive():
            os.write(self._pull, b".")
            self._thread.join()
        for end in (self._hand, self._pull):
            with contextlib.suppress(OSError):
                os.close(end)

    def _serve(self) -> None:
        """Until it is pulled: nobody else touches the port or the program."""
        try:
            while True:
                program = self._program
                ends = [self._near, self._hand, *([program.stdout] if program else [])]
                ready, _, _ = select.select(ends, [], [])
                if self._hand in ready:
                    return
                if program and program.stdout in ready:
                    self._answer(program)
                if self._near in ready and not self._listen(os.read(self._near, 4096)):
                    return
        finally:
            self.port.unlink()
            for end in (self._near, self._far):
                os.close(end)
            self._stop()

    def _listen(self, data: bytes) -> bool:
        """Take what the host sent; False when the device leaves with it."""
        if self.fault.silent:
            return True
        if self._program is not None and b"\x03" not in data:
            return self._to_program(data)
        self._typed = self._repl(self._typed + data)
        return True

    def _repl(self, typed: bytes) -> bytes:
        """Serve the raw REPL's control characters; gives what is not complete yet."""
        if b"\x03" in typed:
            self._stop()
            typed = typed.rpartition(b"\x03")[2]
        if b"\x01" in typed:
            self._say(b"\r\n" + RAW)
            typed = typed.rpartition(b"\x01")[2]
        if b"\x05A" in typed:
            self._say(b"R\x00")  # raw paste is not served: mpremote goes without
            typed = b""
        while b"\x04" in typed:
            code, _, typed = typed.partition(b"\x04")
            if not code.strip():
                self._say(b"OK\r\nMPY: soft reboot\r\n" + RAW)
            elif b"machine.reset" not in code:
                self._run(code.decode())
        return typed

    def _run(self, code: str) -> None:
        own = ["import board", f"board.SERIAL = {self.mac.upper()!r}",
               f"HOLDINGS = {str(self._holdings)!r}", ONLOOKER]  # fmt: skip
        lines = [] if self.fault.other else own
        environment = {"MICROPYPATH": "" if self.fault.other else f"{REPO}/board/qemu:.frozen"}
        program = "\n".join([*lines, self.fault.prelude, code])
        self._holdings.unlink(missing_ok=True)  # its flash is memory: it starts empty
        self._program = subprocess.Popen(
            [str(INTERPRETER), "-X", "heapsize=4M", "-c", program],
            cwd=self.port.parent, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._say(b"OK")

    def _answer(self, program: subprocess.Popen[bytes]) -> None:
        """Pass on what the program says, and how it ended."""
        assert program.stdout and program.stderr
        data = os.read(program.stdout.fileno(), 4096)
        self.said += data
        if data:
            self._say(self._wire.carry(data, "to host", RATE, RATE))
            return
        errors = program.stderr.read()
        self._stop()
        self._say(b"\x04" + errors.replace(b"\n", b"\r\n") + b"\x04>")

    def _to_program(self, data: bytes) -> bool:
        assert self._program and self._program.stdin
        self.heard += data
        before = self.lines
        self.lines += data.count(b"\n")
        limit = self.fault.unplug_at_line
        if limit is not None and before <= limit < self.lines:
            return False
        with contextlib.suppress(OSError):
            self._program.stdin.write(self._wire.carry(data, "to chip", RATE, RATE))
            self._program.stdin.flush()
        return True

    def _say(self, data: bytes) -> None:
        with contextlib.suppress(BlockingIOError):  # the host does not listen: they are lost
            while data:
                data = data[os.write(self._near, data) :]

    def _stop(self) -> None:
        program, self._program = self._program, None
        if program is None:
            return
        program.kill()
        program.wait()
        for pipe in (program.stdin, program.stdout, program.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()

"""Devices on ptys whose consoles the real mpremote finds: the firmware's own injection answers.

The raw REPL is modelled (MicroPython's unix port has none); the program it is told to run is run
by the sim board's interpreter over the bare board's file systems, so keys, parameters and answers
are the firmware's. `tests/bare` holds the same tool against a real raw REPL.
"""

import os
import pty
import random
import subprocess
import threading
import tty
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
RAW = b"raw REPL; CTRL-B to exit\r\n>"


@dataclass
class Fault:
    """What becomes of a device; the default is nothing.

    prelude: Python that runs on it first. unplug_at_step: it leaves with this line of the host's
    (0: the first). flips: the chance for a bit of a byte to turn over, each way, from the first
    line on. silent: its console never answers. other: its firmware is not the terminal's.
    """

    prelude: str = ""
    unplug_at_step: int | None = None
    flips: float = 0.0
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
        self.port.symlink_to(os.ttyname(self._far))
        self._random = random.Random(self.seed)
        self._program: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def unplug(self) -> None:
        """Off the port, without power."""
        with self._lock:
            if self._near < 0:
                return
            self.port.unlink()
            for end in (self._near, self._far):
                os.close(end)
            self._near = -1
        self._stop()

    def _serve(self) -> None:
        typed = b""
        while self._near >= 0:
            try:
                data = os.read(self._near, 4096)
            except OSError:
                return
            if self.fault.silent:
                continue
            if self._program is not None and b"\x03" not in data:
                self._to_program(data)
                continue
            typed = self._repl(typed + data)

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
        own = ["import board", f"board.SERIAL = {self.mac.upper()!r}"]
        lines = [] if self.fault.other else own
        environment = {"MICROPYPATH": "" if self.fault.other else f"{REPO}/board/qemu:.frozen"}
        program = "\n".join([*lines, self.fault.prelude, code])
        self._program = subprocess.Popen(
            [str(INTERPRETER), "-X", "heapsize=4M", "-c", program],
            cwd=self.port.parent, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._say(b"OK")
        threading.Thread(target=self._answer, args=(self._program,), daemon=True).start()

    def _answer(self, program: subprocess.Popen[bytes]) -> None:
        assert program.stdout and program.stderr
        while data := os.read(program.stdout.fileno(), 4096):
            self.said += data
            self._say(self._worn(data))
        errors = program.stderr.read()
        program.wait()
        if self._program is program:
            self._program = None
            self._say(b"\x04" + errors.replace(b"\n", b"\r\n") + b"\x04>")

    def _to_program(self, data: bytes) -> None:
        assert self._program and self._program.stdin
        self.heard += data
        before = self.lines
        self.lines += data.count(b"\n")
        limit = self.fault.unplug_at_step
        if limit is not None and before <= limit < self.lines:
            threading.Thread(target=self.unplug, daemon=True).start()
            return
        try:
            self._program.stdin.write(self._worn(data))
            self._program.stdin.flush()
        except OSError:
            pass

    def _worn(self, data: bytes) -> bytes:
        if not self.fault.flips:
            return data
        chance = self.fault.flips
        return bytes(
            byte ^ (1 << self._random.randrange(7)) if self._random.random() < chance else byte
            for byte in data
        )

    def _say(self, data: bytes) -> None:
        with self._lock:
            if self._near >= 0:
                os.write(self._near, data)

    def _stop(self) -> None:
        program, self._program = self._program, None
        if program is not None:
            program.kill()

"""The firmware's process: the sim board's interpreter with its end of the link."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
HEAP = "8M"
TAIL = 4000


class InterpreterMissing(Exception):
    """The sim board's interpreter was not built."""


class Firmware:
    """One run of the firmware, from power or reset to its end.

    `program` is what the interpreter is told to run; `path` its MICROPYPATH, from the repository's
    root (`board/esp32s3:lib:.:.frozen` runs the sources instead of what is frozen). What it
    prints goes to `console` (a file, appended), together with the traceback when it dies.
    """

    def __init__(
        self,
        program: list[str],
        console: Path,
        seed: int,
        path: str = ".frozen",
        interpreter: Path = INTERPRETER,
        environment: dict[str, str] | None = None,
        stdin: Path | None = None,
        heap: str = HEAP,
    ):
        if not interpreter.exists():
            raise InterpreterMissing(f"{interpreter} is not there: run 'make build' first")
        self.console = console
        self._start = console.stat().st_size if console.exists() else 0
        self.sock, theirs = socket.socketpair()
        with theirs, console.open("ab") as output, (stdin or Path(os.devnull)).open("rb") as given:
            self._process = subprocess.Popen(
                [str(interpreter), "-X", f"heapsize={heap}", *program],
                stdin=given,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,  # a Ctrl-C in the terminal is the simulator's, not its own
                cwd=console.parent,  # "" is on sys.path: nothing to import may lie there
                env={
                    "SUANPAN_LINK": str(theirs.fileno()),
                    "SUANPAN_SEED": str(seed % 2**64),
                    "MICROPYPATH": ":".join(_place(part) for part in path.split(":")),
                    "TZ": "UTC",
                    **(environment or {}),
                },
            )

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self._process.kill()
        self._process.wait()

    def ended(self) -> int:
        """Its exit status; waits a moment for a process that closed its link."""
        try:
            return self._process.wait(2)
        except subprocess.TimeoutExpired:
            self.kill()
            return self._process.returncode

    def output(self) -> str:
        """The end of what this run printed, traceback included."""
        with self.console.open("rb") as console:
            console.seek(self._start)
            return console.read()[-TAIL:].decode("utf-8", "replace").strip()


class Typing:
    """The input of the USB console: a pipe in the file system, which a run opens as its stdin."""

    def __init__(self, path: Path):
        self.path = path
        if not path.exists():
            os.mkfifo(path)
        self._pipe = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # both ends: no end

    def send(self, line: str) -> None:
        """One line; BlockingIOError when 64 KB lie there that nobody reads."""
        os.write(self._pipe, line.encode() + b"\n")

    def forget(self) -> None:
        """What was typed and not read is gone, as with the power."""
        try:
            while os.read(self._pipe, 65536):
                pass
        except BlockingIOError:
            pass

    def close(self) -> None:
        """Nobody types any more."""
        os.close(self._pipe)


def _place(part: str) -> str:
    """A folder of the interpreter's path as it is written into the environment."""
    return part if part == ".frozen" else str(REPO / part)

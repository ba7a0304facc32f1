"""A device's console through the real mpremote: into its raw REPL, and the injection run there.

What goes wrong is a `DeviceFault`. A serial line checks nothing itself: the device's answer says
what it heard and ends in a check sum (`board/bench.py`), so that neither the identity nor a check
value is ever misread. mpremote waits without a limit in places, so the port has a read limit of
its own. A component goes from a bytearray to the port by `os.write`, which makes no
copy that would stay behind in this process.
"""

import contextlib
import json
import os
import struct
import time
from typing import Any

import serial
from mpremote import transport_serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from tools.workshop import injection
from tools.workshop.faults import (
    BAD_CABLE,
    DEVICE_STOPPED,
    INTERRUPTED,
    NO_CONSOLE,
    NO_PERMISSION,
    NO_TERMINAL,
    PORT_BUSY,
    PORT_MISSING,
    UNPLUGGED,
    DeviceFault,
)
from tools.workshop.job import is_serial_port

PROGRAM = "import bench"
ITS_MODULES = ("bench", "board", "firmware")  # what another firmware may lack of it
BAUD = 115_200
READ_LIMIT_S = 2.0  # of one read; mpremote's own
LIMIT_S = 30.0  # of one step: the self-test and formatting take the longest
PROGRAM_ENDS = b"\x04"  # what the raw REPL sends when a program ends, and after its traceback

# It prints what it did not expect, and standard output may be for a program that reads JSON.
setattr(transport_serial, "print", lambda *words: None)  # noqa: B010 - there is no such attribute yet


class StepRefused(Exception):
    """The device answered a step with an error: the name of its class and its sentence."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__(f"{answer.get('error')}: {answer.get('message')}")


class Console:
    """One device. `open` starts the injection's program on it; `ask` does a step; `close` ends it.

    The calls block, each for at most some ten seconds, unless another thread calls `stop`.
    """

    def __init__(self, port: str, limit_s: float = LIMIT_S) -> None:
        self._port = port
        self._limit_s = limit_s
        self._transport: SerialTransport | None = None
        self._heard = b""
        self._stopped = False

    def open(self) -> None:
        """Into the raw REPL, and start the program, anew if it runs: that empties the device.

        DeviceFault.
        """
        self._let_go()
        self._heard = b""
        try:
            self._transport = SerialTransport(self._port, BAUD, timeout=READ_LIMIT_S)
            self._transport.enter_raw_repl()
            self._transport.exec_raw_no_follow(PROGRAM)
        except (TransportError, OSError, struct.error) as error:  # struct: a read gave too little
            raise self._why(error) from error

    def _why(self, error: Exception) -> DeviceFault:
        """What it is that the port, or what is behind it, does not do."""
        gone = self._is_gone()
        if self._transport is None:
            if gone or not is_serial_port(self._port):
                return DeviceFault(PORT_MISSING, self._port)
            allowed = os.access(self._port, os.R_OK | os.W_OK)
            return DeviceFault(PORT_BUSY if allowed else NO_PERMISSION, str(error))
        if gone or isinstance(error, OSError):
            return DeviceFault(UNPLUGGED, str(error))
        return DeviceFault(NO_CONSOLE, str(error))

    def ask(self, step: injection.Step, secret: bytearray | None = None) -> dict[str, Any]:
        """Do a step; the answer's content. secret: a component that goes with it.

        StepRefused when the device says no; DeviceFault when it says nothing, or nonsense.
        """
        try:
            line = injection.line(step).encode()
            self._port_of().write(line + b"\n")
            if secret is not None:
                self._send_secret(secret)
            answer = json.loads(_checked(self._line()))
        except OSError as error:
            raise DeviceFault(UNPLUGGED, str(error)) from error
        except ValueError as error:
            raise DeviceFault(BAD_CABLE, f"the answer is garbled: {error}") from error
        if not isinstance(answer, dict) or answer.get("heard") != injection.digest(line):
            raise DeviceFault(BAD_CABLE, "the device heard something else than was said")
        if answer.get("ok") is not True:
            raise StepRefused(answer)
        return answer

    def _port_of(self) -> serial.Serial:
        if self._transport is None:
            raise DeviceFault(NO_CONSOLE, "the console is not open")
        return self._transport.serial

    def _send_secret(self, part: bytearray) -> None:
        text = injection.digits(part)
        try:
            sent = 0
            while sent < len(text):
                sent += os.write(self._port_of().fileno(), memoryview(text)[sent:])
        finally:
            injection.wipe(text)

    def _line(self) -> bytes:
        """The next line that is an answer; what else the device prints is passed over."""
        port, limit = self._port_of(), time.monotonic() + self._limit_s
        while time.monotonic() < limit and not self._is_gone():
            if self._stopped:
                raise DeviceFault(INTERRUPTED)
            said, _, after = self._heard.partition(PROGRAM_ENDS)
            line, whole, _ = said.partition(b"\n")
            if whole:
                self._heard = self._heard[len(line) + 1 :]
                if line.startswith(b"{"):
                    return line
            elif PROGRAM_ENDS in after:
                raise _ended(after.partition(PROGRAM_ENDS)[0])
            else:
                self._heard += port.read(max(1, port.in_waiting))
        if self._is_gone():
            raise DeviceFault(UNPLUGGED, "the port is gone")
        raise DeviceFault(DEVICE_STOPPED, f"no answer within {self._limit_s:g} s")

    def _is_gone(self) -> bool:
        """True when the port is a path, and there is nothing at it."""
        return self._port.startswith("/") and not os.path.exists(self._port)

    def stop(self) -> None:
        """Have a step that waits for its answer end with INTERRUPTED, at the next read."""
        self._stopped = True

    def close(self) -> None:
        """Restart the device and let the port go; what fails here fails nothing."""
        if self._transport is None:
            return
        with contextlib.suppress(OSError):
            # Ctrl-C ends the program, Ctrl-A Ctrl-D run one in the raw REPL.
            self._transport.serial.write(b"\r\x03\r\x01import machine; machine.reset()\x04")
        self._let_go()

    def _let_go(self) -> None:
        transport, self._transport = self._transport, None
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.serial.close()


def _checked(line: bytes) -> bytes:
    """The answer. ValueError when it is not what its check sum, at its end, was made of."""
    answer, _, stated = line.strip().rpartition(b', "sum": ')
    if stated != f'"{injection.digest(answer)}"}}'.encode():
        raise ValueError(f"{line[:80]!r} does not fit its check sum")
    return line


def _ended(traceback: bytes) -> DeviceFault:
    """The program is over; its traceback, or nothing, says why."""
    last = traceback.decode("utf-8", "replace").strip().split("\n")[-1].strip()
    module = last.partition("no module named '")[2].rstrip("'").partition(".")[0]
    if last.startswith(("SyntaxError", "NameError")) or module not in ("", *ITS_MODULES):
        return DeviceFault(BAD_CABLE, f"it read another program than {PROGRAM!r}: {last}")
    fault = NO_TERMINAL if "ImportError" in last else DEVICE_STOPPED
    return DeviceFault(fault, last or "its program ended by itself")

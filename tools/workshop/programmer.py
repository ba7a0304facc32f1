"""One device at one port, through the real esptool: a process of its own, and no more than that.

`python -m tools.workshop.programmer` reads a job as one JSON line, and writes what happens as JSON
lines: `connecting`, `identified` (then it waits for a line that says go or not), `progress`,
`fallback`, and at the end `verified`, `erased` or `failed`. When the reader goes away, it stops
at its next word: what nobody hears must not become a success.

Nothing that comes over the line is trusted alone. Block contents have the ROM's checksum and the
MD5; MAC, eFuses, chip and flash identity have nothing, so they are read twice, and the MAC once
more at the end: it may have become another device. All regions are verified after all are written.
"""

import contextlib
import errno
import hashlib
import json
import os
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from typing import Any

import serial
from esp_pylib.logger import EspLog, EspLogBase
from esptool import cmds
from esptool.loader import ESPLoader
from esptool.util import FatalError

from tools.workshop import efuses
from tools.workshop.faults import (
    BAD_CABLE,
    DEAD_FLASH,
    NO_ANSWER,
    NO_PERMISSION,
    PORT_BUSY,
    PORT_MISSING,
    PROTECTED,
    UNPLUGGED,
    WRONG_CHIP,
    WRONG_FLASH,
    DeviceFault,
    Fault,
)
from tools.workshop.job import Job, is_serial_port

CHIP_NAME = "ESP32-S3"
# What esptool raises when an answer is garbled: its own error, or one of decoding it.
GARBLED = (RuntimeError, struct.error, ValueError, LookupError)
FLASH_WORDS = ("Flash write error", "Flash read error", "MD5 of file", "region is empty",
               "Verification failed", "Failed SPI")  # fmt: skip
GONE = {errno.EIO, errno.ENODEV, errno.ENXIO, errno.ENOENT, errno.EBADF}

Say = Callable[[dict[str, Any]], None]
Ask = Callable[[], dict[str, Any]]


class LineTrouble(Exception):
    """An answer came garbled, late or not at all: a slower rate may help."""


class FlashTrouble(Exception):
    """The line was good and the flash does not hold what was sent."""


class Words(EspLogBase):
    """esptool's log: its last words are kept for the record, its progress becomes events."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.progress_to: Callable[[float], None] = lambda share: None

    def print(self, *args: Any, **_: Any) -> None:
        """Keep a line of it."""
        self.kept = [*self.kept[-19:], " ".join(str(a) for a in args).strip()]

    warn = err = note = hint = debug = print

    def set_verbosity(self, mode: int | str) -> None:
        """Everything is kept alike."""

    def progress_bar(
        self, cur_iter: int, total_iters: int, prefix: str = "", suffix: str = "",
        bar_length: int = 30,
    ) -> None:  # fmt: skip
        """Pass on the share that is done, 0 to 1."""
        self.progress_to(cur_iter / total_iters if total_iters else 1.0)


class Programmer:
    """Runs one job. `say` is given each event; `ask` waits for the answer to `identified`."""

    def __init__(self, job: Job, say: Say, ask: Ask) -> None:
        self.job = job
        self._say = say
        self._ask = ask
        self._words = Words()
        self._mac = ""
        self._resume = False
        self._images: list[tuple[int, bytes]] = []
        self._last_progress = 0.0

    def run(self) -> None:
        """Do the job, at slower rates where faster ones fail; ends by saying how it went."""
        EspLog.set_logger(self._words)
        try:
            self._images = [(region.offset, region.read()) for region in self.job.regions]
            self._try_rates()
        except DeviceFault as failure:
            self._say({"event": "failed", "fault": failure.fault.name, "detail": failure.detail})

    def _try_rates(self) -> None:
        flash_troubles = 0
        for slower, rate in zip([*self.job.rates[1:], 0], self.job.rates):
            try:
                self._at_rate(rate)
                return
            except LineTrouble as trouble:
                fault, why = BAD_CABLE, str(trouble)
            except FlashTrouble as trouble:
                fault, why = DEAD_FLASH, str(trouble)
                flash_troubles += 1
            if not slower or flash_troubles > 1:
                raise DeviceFault(fault, f"at {rate} baud: {why}")
            self._resume = True
            self._say({"event": "fallback", "from": rate, "to": slower, "why": why})

    def _at_rate(self, rate: int) -> None:
        """The whole job at one rate, from the reset on."""
        self._say({"event": "connecting", "rate": rate})
        with self._opened() as port:
            esp = self._connected(port)
            with self._watched():
                self._identify(esp)
                if self.job.loader == "stub":
                    esp = cmds.run_stub(esp)
                if rate > ESPLoader.ESP_ROM_BAUD:
                    esp.change_baud(rate)
                cmds.attach_flash(esp)
                self._check_flash(esp)
            if self.job.task == "erase":
                self._erase(esp)
            else:
                self._write(esp)
            with self._watched():
                if self._read_mac(esp) != self._mac:
                    raise DeviceFault(UNPLUGGED, f"another device than {self._mac} answers now")
            if self.job.task == "erase":
                self._say({"event": "erased", "mac": self._mac, "rate": rate})
            else:
                hashes = {f"{r.offset:#x}": r.sha256 for r in self.job.regions}
                event = {"event": "verified", "mac": self._mac, "rate": rate, "hashes": hashes}
                self._say(event)
            # What was made is made: that the reset failed is no failure of it.
            self._start(esp)

    def _start(self, esp: ESPLoader) -> None:
        with contextlib.suppress(OSError, termios.error, *GARBLED):
            cmds.reset_chip(esp, "hard-reset")

    @contextlib.contextmanager
    def _opened(self) -> Iterator[serial.Serial]:
        """The port, held by us alone."""
        try:
            port = serial.serial_for_url(self.job.port, baudrate=115_200, exclusive=True)
        except OSError as error:
            raise DeviceFault(self._why_shut(error), str(error)) from error
        with contextlib.closing(port):
            yield port

    def _why_shut(self, error: OSError) -> Fault:
        text = str(error)
        if error.errno in (errno.EACCES, errno.EPERM) and "lock" not in text:
            return NO_PERMISSION
        if error.errno in GONE or "FileNotFound" in text or self._is_gone():
            return UNPLUGGED if self._mac else PORT_MISSING
        if not is_serial_port(self.job.port):
            return PORT_MISSING
        return PORT_BUSY

    def _is_gone(self) -> bool:
        """True when the port is a path, and there is nothing at it."""
        return self.job.port.startswith("/") and not os.path.exists(self.job.port)

    def _connected(self, port: serial.Serial) -> ESPLoader:
        """The chip in its loader; called a wrong one when it says so twice, alike."""
        before = ""
        for last in (False, True):
            try:
                esp = cmds.detect_chip(port, connect_mode=self.job.reset)
                if esp.CHIP_NAME == CHIP_NAME:
                    break
                said = f"it is an {esp.CHIP_NAME}"
            except (OSError, termios.error) as error:
                raise DeviceFault(UNPLUGGED, str(error)) from error
            except GARBLED as error:
                if self._is_gone():
                    raise DeviceFault(UNPLUGGED, str(error)) from error
                said = str(error).split("\n")[0]
                if "Failed to connect" in said:
                    if self._mac:  # it did answer before
                        raise LineTrouble(said) from error
                    raise DeviceFault(NO_ANSWER, said) from error
                # An unknown magic number is what is left of a lost answer; a chip has its id.
                if last and "Unexpected chip ID" not in said:
                    raise LineTrouble(said) from error
            # An answer that was lost reads as chip 0, which has no such answer (the first ESP32).
            if last and (said != before or "ID value 0." in said):
                raise LineTrouble(said)
            if last:
                raise DeviceFault(WRONG_CHIP, said)
            before = said
            if not port.is_open:
                port.open()
        if esp.secure_download_mode:
            raise DeviceFault(PROTECTED)
        return esp

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Sort what goes wrong while the chip should answer."""
        try:
            yield
        except (serial.SerialTimeoutException, BlockingIOError) as error:
            raise LineTrouble(str(error)) from error
        except BrokenPipeError:
            raise  # nobody listens to us any more
        except (OSError, termios.error) as error:
            raise DeviceFault(UNPLUGGED, str(error)) from error
        except GARBLED as error:
            if self._is_gone():
                raise DeviceFault(UNPLUGGED, str(error)) from error
            text = str(error) or type(error).__name__
            if isinstance(error, FatalError) and any(word in text for word in FLASH_WORDS):
                raise FlashTrouble(text) from error
            raise LineTrouble(text) from error

    def _read_mac(self, esp: ESPLoader) -> str:
        """The base MAC as 7c:df:a1:00:00:01, read twice alike."""
        first, second = esp.read_mac("BASE_MAC"), esp.read_mac("BASE_MAC")
        if first != second or first[0] & 1 or not any(first):
            raise LineTrouble(f"the MAC reads as {bytes(first).hex()}, {bytes(second).hex()}")
        return ":".join(f"{byte:02x}" for byte in first)

    def _read_efuses(self, esp: ESPLoader) -> dict[str, Any]:
        """Their summary for the record, read twice alike."""
        first, second = efuses.summary(esp), efuses.summary(esp)
        if first != second:
            raise LineTrouble(f"the eFuses read as {first}, {second}")
        return first

    def _identify(self, esp: ESPLoader) -> None:
        """Say who it is and wait for the word to go on; at a further rate, it must be the same."""
        mac = self._read_mac(esp)
        if self._mac and mac != self._mac:
            raise DeviceFault(UNPLUGGED, f"another device than {self._mac} answers now")
        if self._mac:
            return
        self._say({"event": "identified", "mac": mac, "efuses": self._read_efuses(esp)})
        answer = self._ask()
        if not answer.get("go"):
            self._start(esp)
            sys.exit(0)
        self._mac = mac
        self._resume = bool(answer.get("resume"))

    def _check_flash(self, esp: ESPLoader) -> None:
        """The flash answers, and is as large as the image wants it."""
        first, second = esp.flash_id(cache=False), esp.flash_id(cache=False)
        if first != second:
            raise LineTrouble(f"the flash reads as {first:#x}, {second:#x}")
        if first in (0, 0xFFFFFF):
            raise DeviceFault(DEAD_FLASH, f"the flash answers {first:#08x}")
        size = 1 << min(first >> 16, 63)
        if size != self.job.flash_size:
            raise DeviceFault(
                WRONG_FLASH, f"{size >> 20} MB found, {self.job.flash_size >> 20} MB needed"
            )

    def _write(self, esp: ESPLoader) -> None:
        """Write each region, then verify them all."""
        esp.WRITE_FLASH_ATTEMPTS = 1  # a lost port is ours to judge: it may return as another
        total = sum(len(data) for _, data in self._images)
        before = 0
        for offset, data in self._images:
            self._words.progress_to = self._progress(before, len(data), total)
            with self._watched():
                # After a break, what is in flash already (by MD5) is not written again.
                cmds.write_flash(esp, [(offset, data)], skip_flashed=self._resume)
            before += len(data)
        self._say({"event": "progress", "done": total, "total": total})
        with self._watched():
            cmds.verify_flash(esp, list(self._images))

    def _progress(self, before: int, size: int, total: int) -> Callable[[float], None]:
        def show(share: float) -> None:
            now = time.monotonic()
            if now - self._last_progress > 0.05:
                self._last_progress = now
                done = before + int(size * share)
                self._say({"event": "progress", "done": done, "total": total})

        return show

    def _erase(self, esp: ESPLoader) -> None:
        """Erase the whole flash and see that it is blank."""
        size = self.job.flash_size
        with self._watched():
            if self.job.loader == "stub":
                cmds.erase_flash(esp)
            else:
                cmds.erase_region(esp, 0, size)
            blank = hashlib.md5(b"\xff" * size, usedforsecurity=False).hexdigest()
            if esp.flash_md5sum(0, size) != blank:
                raise FlashTrouble("the flash is not blank after erasing")


def main() -> None:
    """Read the job, do it; the exit code is 0 when it was done to some end, also a failed one."""

    def say(event: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(event) + "\n")
        sys.stdout.flush()

    def ask() -> dict[str, Any]:
        line = sys.stdin.readline()
        return json.loads(line) if line else {}

    try:
        Programmer(Job.from_json(sys.stdin.readline()), say, ask).run()
    except BrokenPipeError:
        os._exit(1)  # the station is gone; there is nobody to tell


if __name__ == "__main__":
    main()

"""A bench of model chips, each behind a pty that stays open through resets, on real time.

`python -m tools.workshop.bench 8` lays out eight and prints their ports; what is done to those
ports with esptool or `pos flash` is done to the models. A pty carries no DTR and RTS, so a bench
takes a port that is set back to 115,200 baud for what those lines would do: the chip's reset.
"""

import contextlib
import os
import pty
import selectors
import tempfile
import termios
import threading
import time
import tty
from pathlib import Path
from typing import Annotated

import typer

from tools.workshop.chip import ROM_BAUD, Chip, Script, Unplugged

RATES = {
    getattr(termios, name): int(name[1:])
    for name in dir(termios)
    if name.startswith("B") and name[1:].isdigit()
}


class Bench:
    """Chips on ptys, served by one thread. A context manager: leaving it unplugs them all.

    `plug` gives the port's path, a link `folder`/usbN that is there as long as the chip is.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chips: dict[Path, Chip] = {}
        self._lines: dict[Path, tuple[int, int]] = {}  # port → controlling end, terminal end
        self._rates: dict[Path, int] = {}
        self._selector = selectors.DefaultSelector()
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._waker, self._wake = os.pipe()
        self._selector.register(self._waker, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._serve, name="bench", daemon=True)

    def __enter__(self) -> "Bench":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        os.write(self._wake, b".")
        self._thread.join()
        for port in list(self._lines):
            self.unplug(port)
        self._selector.close()
        os.close(self._waker)
        os.close(self._wake)

    def plug(self, chip: Chip, name: str | None = None) -> Path:
        """Put a chip on a port of this name (default: the next usbN)."""
        with self._lock:
            port = self.folder / (name or f"usb{len(self.chips)}")
            near, far = pty.openpty()
            tty.setraw(far)
            os.set_blocking(near, False)
            self.chips[port] = chip
            self._lines[port] = (near, far)
            self._rates[port] = ROM_BAUD
            port.symlink_to(os.ttyname(far))
            self._selector.register(near, selectors.EVENT_READ, port)
            os.write(self._wake, b".")
        return port

    def unplug(self, port: Path) -> None:
        """Take the chip off: the port hangs up and its path is gone. Nothing when it is off."""
        with self._lock:
            line = self._lines.pop(port, None)
            if line is None:
                return
            self._selector.unregister(line[0])
            port.unlink()
            for end in line:
                os.close(end)

    def _serve(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select():
                if key.data is None:
                    os.read(self._waker, 64)
                    continue
                with self._lock:
                    if key.data in self._lines:
                        self._pass_on(key.data)

    def _pass_on(self, port: Path) -> None:
        """Give the chip what the host sent, and the host what the chip says to it."""
        near, _ = self._lines[port]
        chip = self.chips[port]
        try:
            data = os.read(near, 65536)
            rate = RATES.get(termios.tcgetattr(near)[5], 0)
            if rate != self._rates[port] and rate <= ROM_BAUD != chip.rate:
                chip.reset()
            self._rates[port] = rate
            answer = chip.receive(data, rate)
            while answer:
                answer = answer[os.write(near, answer) :]
        except BlockingIOError:
            return  # the host does not listen: the bytes are lost, as on a wire
        except Unplugged:
            self.unplug(port)


def main(
    count: Annotated[int, typer.Argument(help="how many chips")] = 8,
    baud_limit: Annotated[int, typer.Option(help="cables too bad for more than this")] = 0,
    folder: Annotated[Path | None, typer.Option(help="where the ports appear")] = None,
) -> None:
    """Lay out model chips on ptys until Ctrl-C; prints a port a line."""
    from tools.workshop.wire import Wear

    wear = Wear(baud_limit=baud_limit) if baud_limit else Wear()
    with contextlib.ExitStack() as stack:
        place = folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        place.mkdir(parents=True, exist_ok=True)
        bench = stack.enter_context(Bench(place))
        for number in range(count):
            mac = bytes.fromhex("7cdfa1") + number.to_bytes(3)
            print(bench.plug(Chip(mac, Script(wear=wear), seed=number)), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)


if __name__ == "__main__":
    typer.run(main)

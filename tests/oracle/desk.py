"""What the oracle tests of display, printer and keypad share: hosts for chip models, pictures."""

import os
import select
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"


class StepHost:
    """A host whose time stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 0
        self.sent = bytearray()
        self.lines: list[tuple[int, str, int]] = []
        self.events: list[dict[str, Any]] = []
        self._due: list[tuple[int, int, Call]] = []
        self._count = 0

    def send(self, data: bytes) -> None:
        """Bytes out of the chip."""
        self.sent += data

    def line(self, name: str, level: int) -> None:
        """An output line moves."""
        self.lines.append((self.now, name, level))

    def call_later(self, us: int, call: Callable[..., Any], *args: Any) -> "Call":
        """Call back when the test has advanced that far."""
        entry = Call(call, args)
        self._count += 1
        self._due.append((self.now + us, self._count, entry))
        return entry

    def event(self, kind: str, **fields: Any) -> None:
        """Something worth seeing."""
        self.events.append({"t": self.now, "kind": kind, **fields})

    def advance(self, us: int) -> None:
        """Move time and run what falls due, in order."""
        end = self.now + us
        while self._due and min(self._due)[0] <= end:
            entry = min(self._due)
            self._due.remove(entry)
            self.now = entry[0]
            entry[2].run()
        self.now = end


class Call:
    """A pending call."""

    def __init__(self, call: Callable[..., Any], args: tuple[Any, ...]) -> None:
        self._call, self._args, self._live = call, args, True

    def cancel(self) -> None:
        """Do not call."""
        self._live = False

    def run(self) -> None:
        """Call, unless cancelled."""
        if self._live:
            self._call(*self._args)


class PtyHost:
    """A UART chip behind a pty, on real time. `path` is what a foreign driver opens."""

    def __init__(self, chip: Any) -> None:
        self.chip = chip
        self.events: list[dict[str, Any]] = []
        self.lock = threading.RLock()
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, True)
        _raw(self._slave)
        self.path = os.ttyname(self._slave)
        self._timers: list[threading.Timer] = []
        self._thread = threading.Thread(target=self._pump, daemon=True)
        chip.attach(self)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Bytes out of the chip."""
        os.write(self._master, data)

    def line(self, name: str, level: int) -> None:
        """UART chips drive no lines."""
        raise AssertionError(name)

    def call_later(self, us: int, call: Callable[..., Any], *args: Any) -> threading.Timer:
        """Call back in real time."""

        def run() -> None:
            with self.lock:
                call(*args)

        timer = threading.Timer(us / 1e6, run)
        timer.daemon = True
        self._timers = [t for t in self._timers if t.is_alive()] + [timer]
        timer.start()
        return timer

    def event(self, kind: str, **fields: Any) -> None:
        """Something worth seeing."""
        self.events.append({"kind": kind, **fields})

    def settle(self, quiet_s: float = 0.2, limit_s: float = 20.0) -> None:
        """Wait until nothing is received and no call is pending. AssertionError if never."""
        self._last = time.monotonic()
        deadline = self._last + limit_s
        while time.monotonic() - self._last < quiet_s or self._has_work():
            assert time.monotonic() < deadline, "the chip never came to rest"
            time.sleep(0.02)

    def _has_work(self) -> bool:
        """Whether bytes wait, or a call; the pump may not have had the processor yet."""
        with self.lock:
            waiting = self._readable(0)
            return waiting or any(timer.is_alive() for timer in self._timers)

    def _readable(self, limit_s: float | None) -> bool:
        return bool(select.select([self._master], [], [], limit_s)[0])

    def close(self) -> None:
        """End the pump."""
        for timer in self._timers:
            timer.cancel()
        os.close(self._slave)
        self._thread.join(2)
        os.close(self._master)

    _last = 0.0

    def _pump(self) -> None:
        while self._readable(None):
            with self.lock:
                try:
                    data = os.read(self._master, 4096)
                except OSError:
                    return
                self._last = time.monotonic()
                self.chip.receive(data)


def _raw(descriptor: int) -> None:
    import tty

    tty.setraw(descriptor)


def run_on_device(script: str, *arguments: str, limit_s: float = 60) -> str:
    """Run a script in the sim board's interpreter with lib/ importable; its output."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    environment["MICROPYPATH"] = "lib:build/gen:.:.frozen"
    done = subprocess.run(
        [str(INTERPRETER), "-X", "heapsize=8M", "-c", script, *arguments],
        cwd=REPO, env=environment, capture_output=True, timeout=limit_s, check=False,
    )
    assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()[-2000:]
    return done.stdout.decode()


def picture(width: int, height: int) -> np.ndarray:
    """A picture that no turn, mirror or swap of channels leaves alone, in colours RGB565 holds."""
    y, x = np.mgrid[0:height, 0:width]
    red, green, blue = x * 31 // width, y * 63 // height, (x // 16 + y // 8) % 32
    rgb = np.stack((red << 3 | red >> 2, green << 2 | green >> 4, blue << 3 | blue >> 2), axis=2)
    rgb[4:20, 4:60] = (255, 0, 0)
    return rgb.astype(np.uint8)

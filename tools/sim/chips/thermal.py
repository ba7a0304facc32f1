"""A 58 mm ESC/POS printer on a UART: 384 dots, 32 columns, GB 18030, as sold in China.

It boots in Chinese mode. What is received is parsed at once (so a status by DLE EOT is never late)
and queued; the head takes the queue line by line at print speed, and stops while there is no
paper, the door is open, the head is hot or the paper jams. What was queued is then printed when
the cause is gone, unless DLE ENQ 2 clears it. GS r waits in the queue for its turn: its answer
says that all that was sent before it is on paper. Commands: Epson's "ESC/POS Command Reference"
and its Chinese dialect; one that the model does not serve is kept in `unknown` and told as an
event.
"""

import io
from collections import deque
from typing import Any

from PIL import Image

from . import Handle, Host
from .dots import HEAD
from .escpos import Interpreter

BUFFER = 65_536
# 90 mm/s at 8 dots a millimetre.
US_PER_ROW = 1_389

DLE, EOT, ENQ = 0x10, 0x04, 0x05

# A line of text with its rows of dots, or the parameter of a GS r.
Job = tuple[str, list[bytes]] | int


class ThermalPrinter:
    """UART chip. The paper since the last tear-off is `rows` (48 bytes each) and `text` (lines).

    Events: `print` with `text`, `first` and `count` (the new rows); `printer` with what happened.
    """

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.text: list[str] = []
        self.unknown: list[str] = []
        self._faults: dict[str, Any] = {
            "paper": True, "near_end": False, "cover": False, "hot": False, "silent": False,
            "jam_line": None,
        }
        self._host: Host | None = None
        self._tail = bytes(3)
        self._restart()

    def attach(self, host: Host) -> None:
        """Give the printer its world."""
        self._host = host

    @property
    def faults(self) -> dict[str, Any]:
        """The faults as they are set."""
        return dict(self._faults)

    def set(self, **faults: Any) -> None:
        """Change what is wrong: paper, near_end, cover, hot, silent (bool), jam_line (int, None).

        jam_line: the paper jams when that many lines stand on it. A silent printer has lost its
        power: its queue and modes are gone. KeyError for another name.
        """
        for name, value in faults.items():
            if name not in self._faults:
                raise KeyError(name)
            self._faults[name] = value
        if self._faults["silent"]:
            self._restart()
        self._run()

    def receive(self, data: bytes) -> None:
        """Bytes from the terminal."""
        if self._faults["silent"]:
            return
        for byte in data:
            if self._queued >= BUFFER:
                self._tell("printer", what="overrun")
                break
            self._queued += 1
            self._pending += 1
            self._interpreter.feed(byte)
            self._real_time(byte)
        self._run()

    def tear_off(self) -> None:
        """Take the paper away."""
        self.rows.clear()
        self.text.clear()
        self._tell("printer", what="torn off")

    def png(self) -> bytes:
        """The paper as a PNG picture; one white row when there is none."""
        rows = self.rows or [bytes(HEAD // 8)]
        image = Image.frombytes("1", (HEAD, len(rows)), bytes(255 - b for b in b"".join(rows)))
        out = io.BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    @property
    def busy(self) -> bool:
        """Something is queued or printing."""
        return bool(self._queue) or self._printing is not None

    @property
    def _jammed(self) -> bool:
        at = self._faults["jam_line"]
        return at is not None and len(self.text) >= at

    @property
    def _stopped(self) -> bool:
        return not self._faults["paper"] or self._faults["cover"] or self._failed

    @property
    def _failed(self) -> bool:
        return self._faults["hot"] or self._jammed

    def _restart(self) -> None:
        """Power on, or buffers cleared: nothing queued, modes as the maker set them."""
        printing = getattr(self, "_printing", None)
        if printing is not None:
            printing.cancel()
        self._printing: Handle | None = None
        self._queue: deque[tuple[int, Job]] = deque()
        self._queued = self._pending = 0
        self._interpreter = Interpreter(self._enqueue_line, self._enqueue, self._ignore)

    def _enqueue_line(self, text: str, rows: list[bytes]) -> None:
        self._enqueue((text, rows))

    def _enqueue(self, job: Job) -> None:
        """A line, or a GS r (1: paper sensors, 2: drawer), and how many bytes made it."""
        self._queue.append((self._pending, job))
        self._pending = 0

    def _ignore(self, command: bytes) -> None:
        self.unknown.append(command.hex(" "))
        self._tell("printer", what="unknown command", command=command.hex(" "))

    def _real_time(self, byte: int) -> None:
        """DLE EOT n and DLE ENQ n act wherever they stand in the stream, even within a picture."""
        self._tail = (self._tail + bytes((byte,)))[-3:]
        if self._tail[:2] == bytes((DLE, EOT)) and 1 <= byte <= 4:
            self._send(self._status(byte))
        elif self._tail == bytes((DLE, ENQ, 2)):
            self._restart()

    def _status(self, kind: int) -> int:
        """DLE EOT 1-4: printer, why off line, error, paper. Bits 1 and 4 are always set."""
        faults, status = self._faults, 0x12
        if kind == 1:
            status |= 0x08 if self._stopped else 0
        elif kind == 2:
            status |= 0x04 if faults["cover"] else 0
            status |= 0x00 if faults["paper"] else 0x20
            status |= 0x40 if self._failed else 0
        elif kind == 3:
            status |= 0x04 if self._jammed else 0
            status |= 0x40 if faults["hot"] else 0
        else:
            status |= 0x0C if faults["near_end"] or not faults["paper"] else 0
            status |= 0x00 if faults["paper"] else 0x60
        return status

    def _run(self) -> None:
        """Answer what is due and start the next line, if nothing stands against it."""
        while self._queue and self._printing is None and not self._stopped:
            size, job = self._queue.popleft()
            self._queued -= size
            if isinstance(job, int):
                near = 0x03 if self._faults["near_end"] else 0
                self._send(near if job in (1, 0x31) else 0)
                continue
            text, rows = job
            if self._host is None:
                raise RuntimeError("the printer is attached to nothing")
            self._printing = self._host.call_later(
                len(rows) * US_PER_ROW, self._burnt, text, rows
            )

    def _burnt(self, text: str, rows: list[bytes]) -> None:
        first = len(self.rows)
        self.rows += rows
        self.text.append(text)
        self._printing = None
        self._tell("print", text=text, first=first, count=len(rows))
        self._run()

    def _send(self, status: int) -> None:
        if self._host is not None:
            self._host.send(bytes((status,)))

    def _tell(self, kind: str, **fields: Any) -> None:
        if self._host is not None:
            self._host.event(kind, **fields)

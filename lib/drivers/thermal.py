"""A 58 mm ESC/POS printer on a UART.

Status comes by DLE EOT n, which a printer answers at once, also when it cannot print. That a
document is on paper is known by GS r: it waits in the printer's buffer behind the document, and
its answer (with bits 1 and 4 clear, which DLE EOT sets) comes when all before it is printed.
Source: Epson, "ESC/POS Command Reference": DLE EOT, DLE ENQ, GS r.
"""

import asyncio

from errors import CoverOpen, DeviceProtocolError, DeviceSilent, PaperOut, PrinterError, PrinterHot

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.buses import Uart

# Answers to DLE EOT.
_PRINTER = const(1)
_OFFLINE_CAUSE = const(2)
_ERROR = const(3)
_PAPER = const(4)
_OFFLINE = const(0x08)
_COVER = const(0x04)
_HOT = const(0x40)
_NEAR_END = const(0x0C)
_PAPER_END = const(0x60)
# The bits that tell an answer to DLE EOT from one to GS r, whose lower two say "near end".
_FIXED = const(0x93)
_STATUS = const(0x12)
_REPORT_FIXED = const(0x90)
_REPORT_STATUS = const(0x00)

# DLE ENQ 2: forget what is in the buffers. GS r 1: report when it is this command's turn.
_FORGET = b"\x10\x05\x02"
_REPORT = b"\x1dr\x01"

_ANSWER_MS = const(500)
_LOOK_MS = const(300)
_ATTEMPTS = const(2)
_MOST_STRAYS = const(4)
_CHUNK = const(256)
_SENDING_MS = const(10)
# A document may take this long: the slowest of its kinds is text, some 40 ms a line.
_SLACK_MS = const(10_000)
_MS_PER_BYTE = const(3)
_MS_PER_LINE = const(120)
_LARGEST = const(32_768)


class Thermal:
    """A Printer (firmware/devices.py). One caller at a time; others wait for it."""

    def __init__(self, uart: "Uart") -> None:
        """`uart` can be polled and does not wait in `read`; it buffers 256 bytes to send."""
        self._uart = uart
        self._stream = asyncio.StreamReader(uart)
        self._byte = bytearray(1)
        self._query = bytearray(b"\x10\x04\x00")
        self._lock = asyncio.Lock()
        self._reported = False  # an answer to GS r was heard

    async def check(self) -> None:
        """Raise CoverOpen, PaperOut, PrinterHot, PrinterError (jam) or DeviceSilent."""
        async with self._lock:
            await self._check()

    async def near_end(self) -> bool:
        """The roll is near its end. DeviceSilent."""
        async with self._lock:
            return bool(await self._status(_PAPER) & _NEAR_END)

    async def print(self, document: bytes) -> None:
        """Print a document and return when the printer says that all of it is on paper.

        Raises as `check` when it cannot start or stopped in the middle: nothing of the document is
        left in the printer then, and the caller prints the copy again. ValueError over 32 KB.
        """
        if len(document) > _LARGEST:
            raise ValueError("a document is at most 32 KB, the printer's buffer")
        async with self._lock:
            await self._check()
            try:
                await self._send(document)
                await self._finished(document)
            except BaseException:  # cancelled too: the next document must not begin in this one
                self._uart.write(_FORGET)
                raise

    async def _check(self) -> None:
        if not await self._status(_PRINTER) & _OFFLINE:
            if not await self._status(_PAPER) & _PAPER_END:
                return
            raise PaperOut("the printer has no paper")
        cause = await self._status(_OFFLINE_CAUSE)
        if cause & _COVER:
            raise CoverOpen("the printer's door is open")
        if await self._status(_PAPER) & _PAPER_END:
            raise PaperOut("the printer has no paper")
        if await self._status(_ERROR) & _HOT:
            raise PrinterHot("the print head is too hot")
        raise PrinterError("the paper is jammed or the printer is out of order")

    async def _send(self, document: bytes) -> None:
        view = memoryview(document)
        for start in range(0, len(document), _CHUNK):
            self._uart.write(view[start:start + _CHUNK])
            # A UART's write blocks while its buffer is full, and a question must not wait in it.
            while not self._uart.txdone():
                await asyncio.sleep_ms(_SENDING_MS)

    async def _finished(self, document: bytes) -> None:
        """Wait for the answer to GS r, looking after the printer meanwhile."""
        left = _SLACK_MS + _MS_PER_BYTE * len(document) + _MS_PER_LINE * document.count(b"\n")
        self._reported = False
        self._uart.write(_REPORT)
        while left > 0:
            await self._hear(_LOOK_MS)
            if self._reported:
                return
            offline = await self._status(_PRINTER) & _OFFLINE
            if self._reported:  # it came before the status: all is on paper
                return
            if offline:
                await self._check()
            left -= _LOOK_MS
        raise DeviceSilent("the printer never said that it has finished")

    async def _status(self, kind: int) -> int:
        """The answer to DLE EOT `kind`, asked for twice at most."""
        heard = False
        for _ in range(_ATTEMPTS):
            while self._uart.any():
                self._uart.readinto(self._byte)
                self._note(self._byte[0])
            self._query[2] = kind
            self._uart.write(self._query)
            for _ in range(_MOST_STRAYS):
                byte = await self._hear(_ANSWER_MS)
                if byte is None:
                    break
                if byte & _FIXED == _STATUS:
                    return byte
                heard = True
        if heard:
            raise DeviceProtocolError("the printer answers with what is no status")
        raise DeviceSilent("the printer does not answer")

    async def _hear(self, limit: int) -> "int | None":
        """One byte, or None when none came within `limit` milliseconds."""
        try:
            await asyncio.wait_for_ms(self._stream.readinto(self._byte), limit)
        except asyncio.TimeoutError:  # noqa: UP041 - MicroPython has no other
            return None
        self._note(self._byte[0])
        return self._byte[0]

    def _note(self, byte: int) -> None:
        if byte & _REPORT_FIXED == _REPORT_STATUS:
            self._reported = True

"""Contact reader: CCID messages (USB CCID 1.1 clause 6) over a serial line in GemPC Twin framing.

A frame is `03 06`, the message, and the exclusive or of everything before. The reader echoes each
frame before it answers, refuses a bad one with `03 15 16`, and tells card movements by `50 02`
and `50 03` between frames. The escape `1F 02` makes it exchange short APDUs, so that T=0 and
T=1 are its own affair; the driver asks for that before the first command and after every fault of
the line.
"""

import asyncio

import errors
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.buses import Uart

_SYNC = const(0x03)
_ACK = const(0x06)
_NAK = const(0x15)
_HEADER = const(10)
_LONGEST_DATA = const(261)
_LONGEST_FRAME = const(274)

_ICC_POWER_ON = const(0x62)
_ICC_POWER_OFF = const(0x63)
_GET_SLOT_STATUS = const(0x65)
_ESCAPE = const(0x6B)
_XFR_BLOCK = const(0x6F)
_DATA_BLOCK = const(0x80)
_SLOT_STATUS = const(0x81)
_ESCAPE_REPLY = const(0x83)
_NOTIFY_SLOT_CHANGE = const(0x50)

_INACTIVE = const(1)
_ABSENT = const(2)
_FAILED = const(0x40)
_TIME_EXTENSION = const(0x80)
_SLOT_BUSY = const(0xE0)
# Parity, overrun, mute, hardware, bad ATR (TS, TCK), protocol: the chip's doing, not the line's.
_CHIP_ERRORS = b"\xfe\xfd\xfc\xfb\xf8\xf7\xf6\xf5"

_ANSWER_MS = const(1_000)
_POWER_ON_MS = const(4_000)
_EXCHANGE_MS = const(5_000)
_EXTENSIONS_MS = const(30_000)
_QUIET_MS = const(20)
_DRAINS = const(100)
_WRITES = const(50)
_TRIES = const(3)
_BUSY_PAUSE_MS = const(50)
_BUSY_TRIES = const(100)
_POLL_MS = const(200)

_ANSWERS = {
    _ICC_POWER_ON: _DATA_BLOCK,
    _ICC_POWER_OFF: _SLOT_STATUS,
    _GET_SLOT_STATUS: _SLOT_STATUS,
    _ESCAPE: _ESCAPE_REPLY,
    _XFR_BLOCK: _DATA_BLOCK,
}


class Ccid:
    """A ContactReader (firmware/devices.py) on a UART of 115200 baud, 8N2, that does not block.

    Raises errors.DeviceSilent (no answer in time), DeviceProtocolError (no CCID), CardRemoved and
    CardSilent. A call that is cancelled leaves the reader usable: what still comes is dropped.
    """

    def __init__(self, uart: "Uart") -> None:
        self._uart = uart
        self._stream = asyncio.StreamReader(uart)
        self._lock = asyncio.Lock()
        self._out = bytearray(_LONGEST_FRAME)
        self._in = bytearray(_LONGEST_FRAME)
        self._out_view = memoryview(self._out)
        self._in_view = memoryview(self._in)
        self._filled = 0
        self._sequence = 0
        self._status = 0
        self._error = 0
        self._set_up = False
        self._clean = False

    async def present(self) -> bool:
        """A card is in the slot, powered or not."""
        await self._command(_GET_SLOT_STATUS, b"", _ANSWER_MS)
        return self._status & 3 != _ABSENT

    async def wait_inserted(self) -> None:
        """Return when a card is in the slot; asks five times a second."""
        while not await self.present():
            await asyncio.sleep_ms(_POLL_MS)

    async def wait_removed(self) -> None:
        """Return when the slot is empty; asks five times a second."""
        while await self.present():
            await asyncio.sleep_ms(_POLL_MS)

    async def power_on(self) -> bytes:
        """Reset the card; its ATR."""
        atr = await self._command(_ICC_POWER_ON, b"", _POWER_ON_MS)
        self._check(_ICC_POWER_ON)
        if len(atr) < 2 or atr[0] not in b"\x3b\x3f":
            raise errors.CardSilent("The chip answers its reset with something that is no ATR.")
        return atr

    async def exchange(self, command: bytes) -> bytes:
        """One short APDU of 4 to 261 bytes; the response, SW1 SW2 at its end."""
        if not 4 <= len(command) <= _LONGEST_DATA:
            raise errors.DeviceProtocolError("A short APDU has 4 to 261 bytes.")
        response = await self._command(_XFR_BLOCK, command, _EXCHANGE_MS)
        self._check(_XFR_BLOCK)
        if len(response) < 2:
            raise errors.DeviceProtocolError(
                "The contact reader passed a response without SW1 SW2."
            )
        return response

    async def power_off(self) -> None:
        """Take the power from the chip and forget what went over the line, answered or not."""
        try:
            await self._command(_ICC_POWER_OFF, b"", _ANSWER_MS)
        finally:
            for i in range(len(self._out)):
                self._out[i] = 0
            for i in range(self._filled, len(self._in)):
                self._in[i] = 0

    def _check(self, kind: int) -> None:
        """Raise what the reader reported about the card in its last answer."""
        if self._status & 0xC0 != _FAILED:
            return
        state = self._status & 3
        if state == _ABSENT or (state == _INACTIVE and kind == _XFR_BLOCK):
            raise errors.CardRemoved("The card left the slot.")
        if self._error in _CHIP_ERRORS:
            raise errors.CardSilent(f"The chip does not answer (CCID error {self._error:02X}).")
        raise errors.DeviceProtocolError(
            f"The contact reader refuses command {kind:02X} with error {self._error:02X}."
        )

    # ---- one command, one answer

    async def _command(self, kind: int, data: bytes, limit_ms: int) -> bytes:
        """Send a message and return its answer's data; `_status` and `_error` keep the rest.

        While the reader still works on a command that was cancelled, it says busy: ask again."""
        await self._lock.acquire()
        try:
            if not self._set_up:
                await self._settle()
            for _ in range(_BUSY_TRIES):
                answer = await self._converse(kind, data, limit_ms)
                if self._status & 0xC0 != _FAILED or self._error != _SLOT_BUSY:
                    return answer
                await asyncio.sleep_ms(_BUSY_PAUSE_MS)
            raise errors.DeviceSilent("The contact reader stays busy.")
        finally:
            self._lock.release()

    async def _settle(self) -> None:
        """Card movements told in turn (`01 01 01`), then short APDUs (`1F 02`)."""
        for escape in (b"\x01\x01\x01", b"\x1f\x02"):
            await self._converse(_ESCAPE, escape, _ANSWER_MS)
            if self._status & 0xC0 == _FAILED:
                raise errors.DeviceProtocolError("The contact reader refuses its settings.")
        self._set_up = True

    async def _converse(self, kind: int, data: bytes, limit_ms: int) -> bytes:
        if not self._clean:
            await self._drain()
        self._clean = False
        try:
            answer = await self._attempt(kind, data, limit_ms)
        except errors.DeviceError:
            self._set_up = False
            raise
        self._clean = True
        return answer

    async def _attempt(self, kind: int, data: bytes, limit_ms: int) -> bytes:
        length = self._compose(kind, data)
        for _ in range(_TRIES):
            await self._send(length)
            answer = await self._answer(kind, length, limit_ms)
            if answer is not None:
                return answer
        raise errors.DeviceProtocolError("The contact reader refuses every frame.")

    def _compose(self, kind: int, data: bytes) -> int:
        """Put a message into the outgoing buffer; the frame's length."""
        out, size = self._out, len(data)
        self._sequence = (self._sequence + 1) & 0xFF
        out[0], out[1], out[2] = _SYNC, _ACK, kind
        out[3], out[4], out[5], out[6] = size & 0xFF, size >> 8, 0, 0
        out[7], out[8], out[9], out[10], out[11] = 0, self._sequence, 0, 0, 0
        end = 2 + _HEADER + size
        out[12:end] = data
        out[end] = _exclusive_or(self._out_view[:end])
        return end + 1

    async def _send(self, length: int) -> None:
        sent = 0
        for _ in range(_WRITES):
            sent += self._uart.write(self._out_view[sent:length]) or 0
            if sent == length:
                return
            await asyncio.sleep_ms(2)
        raise errors.DeviceSilent("The line to the contact reader takes no more bytes.")

    async def _answer(self, kind: int, sent: int, limit_ms: int) -> "bytes | None":
        """The answer to the frame just sent; None when the reader asks for it again."""
        extended_ms = 0
        while True:
            try:
                length: int = await asyncio.wait_for_ms(self._frame(), limit_ms)
            except asyncio.TimeoutError:  # noqa: UP041 - MicroPython has no other
                raise errors.DeviceSilent("The contact reader does not answer.") from None
            if length == 0:
                return None
            if self._in[2] == kind:
                if self._in_view[:length] != self._out_view[:sent]:
                    raise errors.DeviceProtocolError(
                        "The contact reader's echo is not what was sent."
                    )
                self._drop(length)
                continue
            if self._in[8] != self._sequence:
                self._drop(length)
                continue
            self._status, self._error = self._in[9], self._in[10]
            if self._in[2] != _ANSWERS[kind]:
                raise errors.DeviceProtocolError(
                    f"The contact reader answers {kind:02X} with {self._in[2]:02X}."
                )
            if self._status & 0xC0 != _TIME_EXTENSION:
                answer = bytes(self._in_view[2 + _HEADER : length - 1])
                self._drop(length)
                return answer
            self._drop(length)
            extended_ms += limit_ms
            if extended_ms > _EXTENSIONS_MS:
                raise errors.CardSilent("The chip asks for more time without end.")

    # ---- frames

    async def _frame(self) -> int:
        """Wait for one whole frame at the start of `_in`; its length, or 0 for a refusal."""
        while True:
            await self._need(2)
            if self._in[0] == _NOTIFY_SLOT_CHANGE:
                self._drop(2)
                continue
            if self._in[0] != _SYNC or self._in[1] not in (_ACK, _NAK):
                raise errors.DeviceProtocolError("The contact reader sends what is no frame.")
            break
        if self._in[1] == _NAK:
            await self._need(3)
            self._drop(3)
            return 0
        await self._need(2 + _HEADER)
        size = self._in[3] | self._in[4] << 8 | self._in[5] << 16 | self._in[6] << 24
        if size > _LONGEST_DATA:
            raise errors.DeviceProtocolError("The contact reader sends a frame that is too long.")
        length = 2 + _HEADER + size + 1
        await self._need(length)
        if _exclusive_or(self._in_view[:length]):
            raise errors.DeviceProtocolError(
                "A frame of the contact reader has a wrong check byte."
            )
        return length

    async def _need(self, count: int) -> None:
        """Read until `_in` holds `count` bytes."""
        while self._filled < count:
            got = await self._stream.readinto(self._in_view[self._filled :])
            if not got:
                await asyncio.sleep_ms(2)
                continue
            self._filled += got

    def _drop(self, count: int) -> None:
        """Take the first `count` bytes off `_in`."""
        left = self._filled - count
        self._in_view[:left] = self._in_view[count : self._filled]
        self._filled = left

    async def _drain(self) -> None:
        """Let run out what belongs to a command that nobody waits for any more."""
        self._filled = 0
        for _ in range(_DRAINS):
            try:
                await asyncio.wait_for_ms(self._stream.readinto(self._in_view), _QUIET_MS)
            except asyncio.TimeoutError:  # noqa: UP041 - MicroPython has no other
                return
        raise errors.DeviceProtocolError("The contact reader does not stop sending.")


def _exclusive_or(data: memoryview) -> int:
    value = 0
    for byte in data:
        value ^= byte
    return value

"""Contactless reader: the NXP PN532 on SPI (user manual UM0701-02), as an ISO 14443-4 reader.

The chip takes and gives the low bit first (6.2.5), and so must the bus. It pulls `irq` low when a
frame waits. A command is a frame; the chip answers an ACK frame, later one response frame;
an ACK from here ends a command that is going on.
"""

import asyncio
import time

import errors
from micropython import const

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.buses import Output, Pin, Spi

_WRITE = const(0x01)
_STATUS = const(0x02)
_READ = const(0x03)

_DIAGNOSE = const(0x00)
_SET_PARAMETERS = const(0x12)
_SAM_CONFIGURATION = const(0x14)
_RF_CONFIGURATION = const(0x32)
_IN_DATA_EXCHANGE = const(0x40)
_IN_LIST_PASSIVE_TARGET = const(0x4A)
_IN_RELEASE = const(0x52)

_TO_CHIP = const(0xD4)
_TO_HOST = const(0xD5)
_ERROR_FRAME = const(0x7F)
_MORE = const(0x40)
_PIECE = const(262)
_LONGEST = const(265)
_BODY = const(9)
_RESPONSE = const(1024)

_TIMEOUT = const(0x01)
_LOST = b"\x27\x29\x2a\x2b"

_ACK_MS = const(50)
_ANSWER_MS = const(500)
_POLL_MS = const(1_500)
_EXCHANGE_MS = const(6_000)
_WAKE_MS = const(2)
_FIELD_PAUSE_MS = const(20)
_POLLS = const(0x10)
_TRIES = const(3)

_ACK_FRAME = b"\x01\x00\x00\xff\x00\xff\x00"
_NACK_FRAME = b"\x01\x00\x00\xff\xff\x00\x00"
_ACK_HEARD = b"\x00\x00\xff\x00\xff\x00"


class _Damaged(Exception):
    """A frame came with a wrong check sum; it can be asked for again."""


class _NoAnswer(errors.DeviceSilent):
    """The chip took a command and has not answered it in time."""


class Pn532:
    """A ContactlessReader (firmware/devices.py).

    `spi` runs in mode 0, low bit first, at no more than 5 MHz; `cs` is an output pin, `irq` an
    input pin that can interrupt. Raises errors.DeviceSilent, DeviceProtocolError, CardRemoved,
    CardSilent and CardCollision. A call that is cancelled ends the chip's command.
    """

    def __init__(self, spi: "Spi", cs: "Output", irq: "Pin") -> None:
        self._spi, self._cs, self._irq = spi, cs, irq
        self._cs(1)
        self._edge = asyncio.ThreadSafeFlag()
        self._irq.irq(handler=self._fell, trigger=irq.IRQ_FALLING)
        self._lock = asyncio.Lock()
        self._frame = bytearray(_BODY + _LONGEST + 2)
        self._view = memoryview(self._frame)
        self._response = bytearray(_RESPONSE)
        self._response_view = memoryview(self._response)
        self._received = 0
        self._operation = bytearray(1)
        self._target = 0
        self._set_up = False

    def _fell(self, pin: "Pin") -> None:
        self._edge.set()

    async def activate(self) -> bytes:
        """Wait, until cancelled, for one ISO-DEP card; its ATS, length byte first.

        Each round begins with the field off, so that a card that went astray starts anew. A card
        without ISO-DEP is passed over. CardCollision when there are two."""
        await self._lock.acquire()
        found = False
        try:
            await self._prepare()
            while True:
                ats = await self._poll()
                if ats:
                    found = True
                    return ats
                await self._field_off()
                await asyncio.sleep_ms(_FIELD_PAUSE_MS)
        finally:
            try:
                if not found:
                    await self._rest()
            finally:
                self._lock.release()

    async def present(self) -> bool:
        """Whether there is an ISO-DEP card in the field, or several: one round of polling, with
        the field off before and after."""
        await self._lock.acquire()
        done = False
        try:
            await self._prepare()
            try:
                here = await self._poll() is not None
            except errors.CardCollision:
                here = True
            await self._field_off()
            done = True
            return here
        finally:
            try:
                if not done:
                    await self._rest()
            finally:
                self._lock.release()

    async def exchange(self, command: bytes) -> bytes:
        """One APDU; the response, SW1 SW2 at its end (at most 1024 bytes).

        What is longer than 262 bytes goes and comes in pieces (user manual 7.3.8, bit MI)."""
        await self._lock.acquire()
        done = False
        try:
            if not self._target:
                raise errors.CardRemoved("No card is activated.")
            response = await self._transceive(memoryview(command))
            done = True
            return response
        finally:
            if not done:
                self._stop()
            self._lock.release()

    async def release(self) -> None:
        """Let the card go, turn the field off and forget what went through it, even if the chip
        is silent."""
        await self._lock.acquire()
        try:
            await self._prepare()
            if self._target:
                await self._command(_IN_RELEASE, b"\x00", _ANSWER_MS)
                self._target = 0
            await self._field_off()
        finally:
            for buffer in (self._frame, self._response):
                for i in range(len(buffer)):
                    buffer[i] = 0
            self._lock.release()

    # ---- the card

    async def _poll(self) -> "bytes | None":
        """One round of polling at 106 kbit/s type A; an ISO-DEP card's ATS, or None."""
        answer = await self._command(_IN_LIST_PASSIVE_TARGET, b"\x02\x00", _POLL_MS)
        count = answer[0] if len(answer) else 0
        if not count:
            return None
        if count > 1:
            raise errors.CardCollision("There is more than one card in the field.")
        if len(answer) < 6 or len(answer) < 6 + answer[5]:
            raise errors.DeviceProtocolError("The PN532 describes a card with too few bytes.")
        ats = answer[6 + answer[5] :]
        if not answer[4] & 0x20 or not len(ats) or ats[0] != len(ats):
            return None
        self._target = answer[1]
        return bytes(ats)

    async def _transceive(self, command: memoryview) -> bytes:
        sent, size = 0, 0
        while True:
            piece = command[sent : sent + _PIECE]
            sent += len(piece)
            more = _MORE if sent < len(command) else 0
            answer = await self._piece(self._target | more, piece)
            if not more:
                break
        while True:
            part = len(answer) - 1
            if size + part > _RESPONSE:
                raise errors.DeviceProtocolError("The card's response is longer than 1024 bytes.")
            self._response_view[size : size + part] = answer[1:]
            size += part
            if not answer[0] & _MORE:
                break
            answer = await self._piece(self._target, b"")
        if size < 2:
            raise errors.DeviceProtocolError("The PN532 passed a response without SW1 SW2.")
        return bytes(self._response_view[:size])

    async def _piece(self, target: int, data: "bytes | memoryview") -> memoryview:
        """One InDataExchange: status and data, or what the status means."""
        try:
            answer = await self._command(_IN_DATA_EXCHANGE, data, _EXCHANGE_MS, target)
        except _NoAnswer:
            self._stop()
            raise errors.CardSilent("The card does not answer in time.") from None
        if not len(answer):
            raise errors.DeviceProtocolError("The PN532 reports an exchange without a status.")
        status = answer[0] & 0x3F
        if not status:
            return answer
        if status in _LOST or (status == _TIMEOUT and not await self._here()):
            raise errors.CardRemoved("The card left the field.")
        raise errors.CardSilent(f"The card does not answer (PN532 status {status:02X}).")

    async def _here(self) -> bool:
        """Attention request (Diagnose 06): the card still gives a sign of life."""
        answer = await self._command(_DIAGNOSE, b"\x06", _ANSWER_MS)
        return len(answer) == 1 and not answer[0]

    async def _prepare(self) -> None:
        """Wake the chip and set it up, once, and again after a fault of the line."""
        if self._set_up:
            return
        self._is_ready()
        await asyncio.sleep_ms(_WAKE_MS)
        await self._command(_SAM_CONFIGURATION, b"\x01\x00\x01", _ANSWER_MS)
        await self._command(_SET_PARAMETERS, b"\x14", _ANSWER_MS)
        await self._command(_RF_CONFIGURATION, bytes((0x05, 0xFF, 0x01, _POLLS)), _ANSWER_MS)
        self._set_up = True
        await self._field_off()

    async def _field_off(self) -> None:
        self._target = 0
        await self._command(_RF_CONFIGURATION, b"\x01\x00", _ANSWER_MS)

    async def _rest(self) -> None:
        """End what the chip does and turn the field off, after a cancellation or an error."""
        self._stop()
        try:
            await self._field_off()
        except errors.DeviceError:
            # Setting the chip up again, before its next use, turns the field off.
            self._set_up = False

    # ---- commands

    async def _command(
        self, code: int, data: "bytes | memoryview", limit_ms: int, target: int = 0
    ) -> memoryview:
        """Send a command and wait for its response's data, which stand in `_frame` until the next.

        `target` is put between code and data when it is not zero."""
        try:
            start, end = self._compose(code, data, target)
            await self._send(start, end)
            if not await self._ready(limit_ms):
                raise _NoAnswer("The PN532 does not answer in time.")
            return await self._listen(code + 1)
        except errors.DeviceError:
            self._set_up = False
            raise

    def _compose(self, code: int, data: "bytes | memoryview", target: int) -> "tuple[int, int]":
        """Build a frame in `_frame`; where it starts and ends.

        The body stands at a fixed place; the shorter header of a normal frame starts later."""
        frame, at = self._frame, _BODY + 2
        frame[_BODY], frame[_BODY + 1] = _TO_CHIP, code
        if target:
            frame[at] = target
            at += 1
        end = at + len(data)
        frame[at:end] = data
        length = end - _BODY
        frame[end], frame[end + 1] = -sum(self._view[_BODY:end]) & 0xFF, 0
        if length > 255:
            start = 0
            frame[4], frame[5] = 0xFF, 0xFF
            frame[6], frame[7] = length >> 8, length & 0xFF
            frame[8] = -(frame[6] + frame[7]) & 0xFF
        else:
            start = 3
            frame[7], frame[8] = length, -length & 0xFF
        frame[start], frame[start + 1], frame[start + 2], frame[start + 3] = _WRITE, 0, 0, 0xFF
        return start, end + 2

    async def _send(self, start: int, end: int) -> None:
        """Write a frame until the chip acknowledges it."""
        for _ in range(_TRIES):
            self._select(self._view[start:end])
            if await self._ready(_ACK_MS) and self._heard_ack():
                return
        raise errors.DeviceSilent("The PN532 does not acknowledge commands.")

    def _heard_ack(self) -> bool:
        heard = bytearray(len(_ACK_HEARD))
        self._begin(_READ)
        self._spi.readinto(heard)
        self._cs(1)
        return heard == _ACK_HEARD

    async def _ready(self, limit_ms: int) -> bool:
        """Wait until a frame waits: the line falls. One that was low before says nothing by
        itself, so the status is asked. False: not in time."""
        deadline, fell = time.ticks_add(time.ticks_ms(), limit_ms), False
        while True:
            if not self._irq.value() and (fell or self._is_ready()):
                return True
            left = time.ticks_diff(deadline, time.ticks_ms())
            if left <= 0:
                return False
            if not self._irq.value():
                await asyncio.sleep_ms(1)
                continue
            try:
                await asyncio.wait_for_ms(self._edge.wait(), left)
                fell = True
            except asyncio.TimeoutError:  # noqa: UP041 - MicroPython has no other
                # The level is looked at once more: it counts, not the edge.
                continue

    async def _listen(self, code: int) -> memoryview:
        """Read the response to a command; ask again for a damaged frame."""
        for _ in range(_TRIES):
            try:
                body = self._read_frame()
            except _Damaged:
                self._select(_NACK_FRAME)
                if not await self._ready(_ACK_MS):
                    break
                continue
            if body[0] == _ERROR_FRAME:
                raise errors.DeviceProtocolError("The PN532 calls a command a syntax error.")
            if len(body) < 2 or body[0] != _TO_HOST or body[1] != code:
                raise errors.DeviceProtocolError("The PN532 answers another command.")
            return body[2:]
        raise errors.DeviceProtocolError("The PN532's frames come damaged.")

    def _read_frame(self) -> memoryview:
        """Read one response frame into `_frame`; its body from TFI on."""
        frame, view = self._frame, self._view
        self._begin(_READ)
        try:
            self._spi.readinto(view[4:9])
            if frame[4] or frame[5] or frame[6] != 0xFF:
                raise _Damaged
            length, check = frame[7], frame[7] + frame[8]
            if frame[7] == 0xFF and frame[8] == 0xFF:
                self._spi.readinto(view[4:7])
                length = frame[4] << 8 | frame[5]
                check = frame[4] + frame[5] + frame[6]
            if check & 0xFF or not 1 <= length <= _LONGEST:
                raise _Damaged
            end = _BODY + length
            self._spi.readinto(view[_BODY : end + 2])
        finally:
            self._cs(1)
        if sum(view[_BODY : end + 1]) & 0xFF:
            raise _Damaged
        return view[_BODY:end]

    # ---- the bus

    def _stop(self) -> None:
        """End the command that the chip works on."""
        self._select(_ACK_FRAME)

    def _is_ready(self) -> bool:
        self._begin(_STATUS)
        self._spi.readinto(self._operation)
        self._cs(1)
        return bool(self._operation[0] & 1)

    def _begin(self, operation: int) -> None:
        self._operation[0] = operation
        self._cs(0)
        self._spi.write(self._operation)

    def _select(self, frame: "bytes | memoryview") -> None:
        self._cs(0)
        self._spi.write(frame)
        self._cs(1)

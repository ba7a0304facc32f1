"""A contact reader that speaks CCID over a serial line in GemPC Twin framing.

Frames are `03 06`, a CCID message (USB CCID 1.1 clause 6), and the exclusive or of all before.
The reader echoes every good frame, then answers; a bad one is refused with `03 15 16`. It works at
TPDU level until the escape `1F 02` switches it to short APDUs. Card movements are told by `50 03`
(in) and `50 02` (out): at once, or between echo and answer after the escape `01 01 01`.
"""

import functools
import operator
from typing import TYPE_CHECKING, Any

from tools.sim.cards import Gone, Mute
from tools.sim.chips import atr
from tools.sim.chips.masking import masked_apdu
from tools.sim.chips.t0 import T0
from tools.sim.chips.t1 import T1

if TYPE_CHECKING:
    from tools.sim.chips import Handle, Host

SYNC, ACK, NAK = 0x03, 0x06, 0x15
HEADER, LONGEST = 10, 271
FIRMWARE = b"GemTwin-V2.00-GK10"

SET_PARAMETERS, ICC_POWER_ON, ICC_POWER_OFF, GET_SLOT_STATUS = 0x61, 0x62, 0x63, 0x65
ESCAPE, GET_PARAMETERS, XFR_BLOCK = 0x6B, 0x6C, 0x6F
DATA_BLOCK, SLOT_STATUS, PARAMETERS, ESCAPE_REPLY = 0x80, 0x81, 0x82, 0x83
NOTIFY_SLOT_CHANGE, MOVED_OUT, MOVED_IN = 0x50, 0x02, 0x03

ACTIVE, INACTIVE, ABSENT = 0, 1, 2
DONE, FAILED, TIME_EXTENSION = 0x00, 0x40, 0x80
COMMAND_NOT_SUPPORTED, BAD_SLOT, BAD_PROTOCOL = 0x00, 0x05, 0x07
SLOT_BUSY, ICC_PROTOCOL_NOT_SUPPORTED, ICC_MUTE = 0xE0, 0xF6, 0xFE

EXTEND_EVERY_US = 400_000
TORN_FRAME_US = 500_000
WORK_WAITING_US = 1_000_000
"""How long a reader waits for a card that keeps silent before it calls the card mute."""


class CcidReader:
    """The reader, its slot and the card in it.

    `mute` is a fault: the reader neither echoes nor answers. A card's `atr` decides its protocol;
    an empty one is a mute chip."""

    def __init__(self) -> None:
        self.mute = False
        self.card: Any = None
        self._host: Host | None = None
        self._received = bytearray()
        self._torn: Handle | None = None
        self._turn = 0
        self.power_cycle()

    def power_cycle(self) -> None:
        """The reader lost its power and has it again; the card stays in the slot."""
        self._received.clear()
        self._apdu_level, self._tell_at_once = False, True
        self._movement: int | None = None
        self._power_down()

    def attach(self, host: "Host") -> None:
        """Connect the model to the line's other end."""
        self._host = host

    def insert(self, card: Any) -> None:
        """Put a card (tools.sim.cards) into the empty slot; RuntimeError when one is there."""
        if self.card is not None:
            raise RuntimeError("There is a card in the slot already.")
        self.card = card
        self._power_down()
        self._moved(MOVED_IN)

    def remove(self) -> None:
        """Take the card out, also in the middle of a command; nothing happens on an empty slot."""
        if self.card is None:
            return
        pending = self._pending
        self._moved(MOVED_OUT)
        self.card = None
        self._power_down()
        if pending is not None:
            kind, sequence = pending
            self._reply(kind, sequence, status=FAILED, error=ICC_MUTE)

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        if self.mute:
            self._received.clear()
            return
        self._received += data
        while self._take_frame():
            pass
        if self._torn is not None:
            self._torn.cancel()
            self._torn = None
        if self._received:
            self._torn = self._world().call_later(TORN_FRAME_US, self._received.clear)

    # ---- framing

    def _take_frame(self) -> bool:
        """Take one frame off what was received; False when there is no whole one."""
        start = self._received.find(SYNC)
        del self._received[: len(self._received) if start < 0 else start]
        if len(self._received) < 2 + HEADER:
            return False
        if self._received[1] != ACK:
            del self._received[0]
            return True
        end = 2 + HEADER + int.from_bytes(self._received[3:7], "little")
        if end > 2 + LONGEST:
            self._refuse()
            return False
        if len(self._received) <= end:
            return False
        frame = bytes(self._received[: end + 1])
        del self._received[: end + 1]
        if _lrc(frame):
            self._refuse()
            return False
        self._world().send(frame)
        self._tell_movement()
        self._obey(frame[2:-1])
        return True

    def _refuse(self) -> None:
        self._received.clear()
        self._world().send(bytes((SYNC, NAK, SYNC ^ NAK)))

    def _reply(
        self,
        kind: int,
        sequence: int,
        data: bytes = b"",
        status: int = DONE,
        error: int = 0,
        last: int = 0,
    ) -> None:
        state = ABSENT if self.card is None else ACTIVE if self._line is not None else INACTIVE
        head = bytes((kind,)) + len(data).to_bytes(4, "little")
        body = bytes((SYNC, ACK)) + head + bytes((0, sequence, status | state, error, last)) + data
        if not self.mute:
            self._world().send(body + bytes((_lrc(body),)))

    # ---- the slot

    def _moved(self, movement: int) -> None:
        name = getattr(self.card, "name", "")
        action = "inserted" if movement == MOVED_IN else "removed"
        if self._host is None:
            return
        self._host.event("card", interface="contact", action=action, name=name)
        if self._tell_at_once and not self.mute:
            self._host.send(bytes((NOTIFY_SLOT_CHANGE, movement)))
        else:
            self._movement = movement

    def _tell_movement(self) -> None:
        if self._movement is not None:
            self._world().send(bytes((NOTIFY_SLOT_CHANGE, self._movement)))
            self._movement = None

    def _power_down(self) -> None:
        self._line: T0 | T1 | None = None
        self._fresh, self._protocol = False, 0
        self._pending: tuple[int, int] | None = None
        self._turn += 1

    def _obey(self, message: bytes) -> None:
        kind, slot, sequence = message[0], message[5], message[6]
        data = message[HEADER:]
        reply_kind, action = {
            SET_PARAMETERS: (PARAMETERS, self._set_parameters),
            GET_PARAMETERS: (PARAMETERS, self._get_parameters),
            ICC_POWER_ON: (DATA_BLOCK, self._power_on),
            ICC_POWER_OFF: (SLOT_STATUS, self._power_off),
            GET_SLOT_STATUS: (SLOT_STATUS, self._slot_status),
            ESCAPE: (ESCAPE_REPLY, self._escape),
            XFR_BLOCK: (DATA_BLOCK, self._transfer),
        }.get(kind, (SLOT_STATUS, None))
        if action is None:
            self._reply(reply_kind, sequence, status=FAILED, error=COMMAND_NOT_SUPPORTED)
        elif slot:
            self._reply(reply_kind, sequence, status=FAILED, error=BAD_SLOT)
        elif self._pending is not None:
            self._reply(reply_kind, sequence, status=FAILED, error=SLOT_BUSY)
        else:
            action(message, sequence, data)

    def _slot_status(self, message: bytes, sequence: int, data: bytes) -> None:
        self._reply(SLOT_STATUS, sequence)

    def _power_off(self, message: bytes, sequence: int, data: bytes) -> None:
        self._power_down()
        self._reply(SLOT_STATUS, sequence)

    def _power_on(self, message: bytes, sequence: int, data: bytes) -> None:
        self._power_down()
        card = self.card
        if card is None or not card.atr:
            self._reply(DATA_BLOCK, sequence, status=FAILED, error=ICC_MUTE)
            return
        card.reset("contact")
        self._atr = atr.parse(card.atr)
        self._select(self._atr.protocols[0])
        self._fresh = True
        self._reply(DATA_BLOCK, sequence, card.atr)

    def _select(self, protocol: int) -> None:
        self._protocol = protocol
        if protocol == 1:
            self._line = T1(self._execute, self.card.delay_us, self._atr.ifsc, self._atr.crc)
        else:
            self._line = T0(self._execute)

    def _set_parameters(self, message: bytes, sequence: int, data: bytes) -> None:
        protocol = message[7]
        if self._line is None:
            self._reply(PARAMETERS, sequence, status=FAILED, error=ICC_MUTE)
        elif protocol not in self._atr.protocols:
            self._reply(PARAMETERS, sequence, status=FAILED, error=BAD_PROTOCOL)
        else:
            if protocol != self._protocol:
                self._select(protocol)
            self._reply(PARAMETERS, sequence, data, last=protocol)

    def _get_parameters(self, message: bytes, sequence: int, data: bytes) -> None:
        if self._line is None:
            self._reply(PARAMETERS, sequence, status=FAILED, error=ICC_MUTE)
            return
        if self._protocol == 1:
            edc = 0x11 if self._atr.crc else 0x10
            values = bytes((0x11, edc, 0x00, 0x4D, 0x00, self._atr.ifsc, 0x00))
        else:
            values = bytes((0x11, 0x00, 0x00, 0x0A, 0x00))
        self._reply(PARAMETERS, sequence, values, last=self._protocol)

    def _escape(self, message: bytes, sequence: int, data: bytes) -> None:
        if data == b"\x02":
            self._reply(ESCAPE_REPLY, sequence, FIRMWARE)
        elif data[:1] == b"\x01" and len(data) == 3:
            self._tell_at_once = data[1:] != b"\x01\x01"
            self._reply(ESCAPE_REPLY, sequence, b"\x00")
        elif data[:1] == b"\x1f" and len(data) == 2:
            self._apdu_level = data[1] == 0x02
            self._reply(ESCAPE_REPLY, sequence, b"\x00")
        elif data == b"\x00":
            self._reply(ESCAPE_REPLY, sequence, b"\x00")
        else:
            self._reply(ESCAPE_REPLY, sequence, status=FAILED, error=HEADER)

    # ---- exchanges with the card

    def _transfer(self, message: bytes, sequence: int, data: bytes) -> None:
        line = self._line
        if line is None:
            self._reply(DATA_BLOCK, sequence, status=FAILED, error=ICC_MUTE)
            return
        fresh, self._fresh = self._fresh, False
        if fresh and data[:1] == b"\xff" and not _lrc(data):
            self._parameter_selection(sequence, data)
            return
        try:
            answer, delay = self._ask(line, data)
        except Gone:
            self._pending = (DATA_BLOCK, sequence)
            self.remove()
        except Mute:
            self._pending = (DATA_BLOCK, sequence)
            self._wait(sequence, WORK_WAITING_US, None, self._turn)
        else:
            self._pending = (DATA_BLOCK, sequence)
            self._wait(sequence, delay, answer, self._turn)

    def _parameter_selection(self, sequence: int, request: bytes) -> None:
        """PPS (ISO 7816-3 clause 9): the card agrees to what its ATR offers by saying the same."""
        protocol = request[1] & 0x0F
        if protocol not in self._atr.protocols:
            self._pending = (DATA_BLOCK, sequence)
            self._wait(sequence, WORK_WAITING_US, None, self._turn)
            return
        self._select(protocol)
        self._reply(DATA_BLOCK, sequence, request)

    def _ask(self, line: "T0 | T1", data: bytes) -> tuple[bytes, int]:
        """The card's answer in the reader's present level, and its delay in microseconds."""
        if isinstance(line, T1) and not self._apdu_level:
            return line.block(data)
        delay = self.card.delay_us(data)
        return (line.tpdu(data) if isinstance(line, T0) else self._execute(data)), delay

    def _execute(self, command: bytes) -> bytes:
        response = self.card.apdu(command)
        shown, answer = masked_apdu(command, response, getattr(self.card, "pans", ()))
        self._world().event("apdu", interface="contact", command=shown, response=answer)
        return response

    def _wait(self, sequence: int, left_us: int, answer: bytes | None, turn: int) -> None:
        """Give the answer when its time has come, and ask the host for patience until then."""
        if turn != self._turn or self._pending is None:
            return
        if left_us <= 0:
            self._pending = None
            if answer is None:
                self._reply(DATA_BLOCK, sequence, status=FAILED, error=ICC_MUTE)
            else:
                self._reply(DATA_BLOCK, sequence, answer)
            return
        step = min(left_us, EXTEND_EVERY_US)
        self._world().call_later(step, self._patience, sequence, left_us - step, answer, turn)

    def _patience(self, sequence: int, left_us: int, answer: bytes | None, turn: int) -> None:
        if turn == self._turn and self._pending is not None and left_us > 0:
            self._reply(DATA_BLOCK, sequence, status=TIME_EXTENSION, error=1)
        self._wait(sequence, left_us, answer, turn)

    def _world(self) -> "Host":
        if self._host is None:
            raise RuntimeError("The reader is not attached to a host.")
        return self._host


def _lrc(data: bytes) -> int:
    """Exclusive or of all bytes: zero over a frame with its own check byte."""
    return functools.reduce(operator.xor, data, 0)

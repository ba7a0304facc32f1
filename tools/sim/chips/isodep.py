"""ISO 14443-4 block transmission: a card's end (`Picc`) and a chip's end (`Pcd`).

Both ends keep the block number of clause 7.5, so raw blocks and whole APDUs may be mixed, as the
hosts of a PN532 do. CID is echoed, NAD is not used.
"""

from collections.abc import Callable

FRAME_SIZES = (16, 24, 32, 40, 48, 64, 96, 128, 256)
RATS = 0xE0
I_BLOCK, R_ACK, R_NAK, S_DESELECT, S_WTX = 0x02, 0xA2, 0xB2, 0xC2, 0xF2
CHAIN, WITH_CID = 0x10, 0x08
FRAME_WAIT_US = 70_000
"""A card that needs longer asks for a waiting time extension."""


class Silence(Exception):
    """Nothing came back over the air."""


class Picc:
    """The card's end, from activation until the field is gone or it is deselected."""

    def __init__(
        self,
        ats: bytes,
        execute: Callable[[bytes], bytes],
        delay_us: Callable[[bytes], int],
    ) -> None:
        self._ats, self._execute, self._delay_us = ats, execute, delay_us
        self.active = False
        self._restart(32)

    def _restart(self, frame_size: int) -> None:
        self._frame_size = frame_size
        self._number = 1
        self._incoming, self._last, self._cid = b"", b"", b""
        self._outgoing: list[bytes] = []
        self._waiting: tuple[bytes, int] | None = None

    def transceive(self, block: bytes) -> tuple[bytes, int]:
        """Answer one block without its CRC: the card's block and its delay in microseconds.

        Raises Silence where a card keeps silent, and whatever the card raises."""
        if not self.active:
            return self._select(block), 0
        if not block:
            raise Silence
        pcb = block[0]
        head = 2 if pcb & WITH_CID else 1
        self._cid = block[1:head]
        body = block[head:]
        if pcb & 0xE2 == I_BLOCK:
            return self._information(pcb, body)
        if pcb & 0xE6 == R_ACK & 0xE6:
            return self._acknowledged(pcb), 0
        if pcb & 0xF7 == S_DESELECT:
            self.active = False
            return bytes((pcb,)) + self._cid, 0
        if pcb & 0xF7 == S_WTX and self._waiting is not None:
            command, delay = self._waiting
            self._waiting = None
            return self._run(command), delay
        raise Silence

    def _select(self, block: bytes) -> bytes:
        if len(block) != 2 or block[0] != RATS or not self._ats:
            raise Silence
        self.active = True
        self._restart(FRAME_SIZES[min(block[1] >> 4, 8)])
        return self._ats

    def _frame(self, pcb: int, body: bytes = b"") -> bytes:
        self._last = bytes((pcb | (WITH_CID if self._cid else 0),)) + self._cid + body
        return self._last

    def _information(self, pcb: int, body: bytes) -> tuple[bytes, int]:
        self._number ^= 1
        self._incoming += body
        if pcb & CHAIN:
            return self._frame(R_ACK | self._number), 0
        command, self._incoming = self._incoming, b""
        delay = self._delay_us(command)
        if delay > FRAME_WAIT_US:
            self._waiting = (command, delay)
            return self._frame(S_WTX, bytes((min(59, 1 + delay // FRAME_WAIT_US),))), 0
        return self._run(command), delay

    def _run(self, command: bytes) -> bytes:
        answer = self._execute(command)
        size = self._frame_size - 3 - len(self._cid)
        self._outgoing = [answer[i : i + size] for i in range(0, len(answer), size)]
        return self._next()

    def _next(self) -> bytes:
        part = self._outgoing.pop(0)
        return self._frame(I_BLOCK | self._number | (CHAIN if self._outgoing else 0), part)

    def _acknowledged(self, pcb: int) -> bytes:
        """Rules 11 to 13: the card's own number asks for the last block again; else go on."""
        if pcb & 1 == self._number:
            return self._last
        if pcb & 0x10:
            return bytes((R_ACK | self._number | pcb & WITH_CID,)) + self._cid
        if not self._outgoing:
            raise Silence
        self._number ^= 1
        return self._next()


class Pcd:
    """The chip's end: whole APDUs over a `Picc`."""

    def __init__(self, picc: Picc, frame_size_index: int = 5) -> None:
        self._picc = picc
        self._index = frame_size_index
        self._number = 0
        self._card_frame = 32

    def activate(self) -> bytes:
        """RATS; the card's ATS, its length byte first."""
        ats, _ = self._picc.transceive(bytes((RATS, self._index << 4)))
        coded = ats[1] & 0x0F if len(ats) > 1 else 2
        self._card_frame = FRAME_SIZES[min(coded, 8)]
        self._number = 0
        return ats

    def exchange(self, command: bytes, more: bool) -> tuple[bytes, int]:
        """Send a command, or a part of one that goes on (`more`): the answer and its delay."""
        size = self._card_frame - 3
        parts = [command[i : i + size] for i in range(0, len(command), size)] or [b""]
        total = 0
        for i, part in enumerate(parts):
            chained = more or i < len(parts) - 1
            pcb = I_BLOCK | self._number | (CHAIN if chained else 0)
            block, delay = self._picc.transceive(bytes((pcb,)) + part)
            total += delay
            self._number ^= 1
        if more:
            return b"", total
        answer = b""
        while True:
            if block[0] & 0xF7 == S_WTX:
                block, delay = self._picc.transceive(block)
                total += delay
                continue
            answer += block[1:]
            if not block[0] & CHAIN:
                return answer, total
            block, delay = self._picc.transceive(bytes((R_ACK | self._number,)))
            total += delay
            self._number ^= 1

    def here(self) -> bool:
        """Ask the card for a sign of life: R(NAK) (clause 7.5.6.1)."""
        try:
            self._picc.transceive(bytes((R_NAK | self._number,)))
        except Silence:
            return False
        return True

    def deselect(self) -> None:
        """Send the card to sleep; silence is as good as an answer."""
        try:
            self._picc.transceive(bytes((S_DESELECT,)))
        except Silence:
            return

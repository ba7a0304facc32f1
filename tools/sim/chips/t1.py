"""T=1 around a card that answers whole APDUs (ISO 7816-3 clause 11): the card's end."""

from collections.abc import Callable

R_BLOCK, S_BLOCK = 0x80, 0xC0
RESYNCH, IFS, ABORT, WTX = 0x00, 0x01, 0x02, 0x03
RESPONSE = 0x20
MORE = 0x20
FAULT_EDC, FAULT_OTHER = 1, 2
BLOCK_WAIT_US = 1_000_000
"""The cards answer, or ask for more time, within a second; the standard's least BWT is longer."""


def lrc(data: bytes) -> bytes:
    """The exclusive or of all bytes."""
    value = 0
    for byte in data:
        value ^= byte
    return bytes((value,))


def crc(data: bytes) -> bytes:
    """CRC of ISO/IEC 13239 (X.25), high byte first."""
    value = 0xFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x8408 if value & 1 else 0)
    return (value ^ 0xFFFF).to_bytes(2, "big")


class T1:
    """One card's T=1 side from reset to reset.

    `execute` runs an APDU on the card; `delay_us` says how long the card will take for it. `ifsc`
    is the card's information field size; the reader's starts at 32 and grows by S(IFS)."""

    def __init__(
        self,
        execute: Callable[[bytes], bytes],
        delay_us: Callable[[bytes], int],
        ifsc: int,
        with_crc: bool,
    ) -> None:
        self._execute, self._delay_us = execute, delay_us
        self._edc = crc if with_crc else lrc
        self._edc_length = 2 if with_crc else 1
        self._ifsc, self._ifsd = ifsc, 32
        self._restart()

    def _restart(self) -> None:
        self._send_number, self._expected = 0, 0
        self._incoming = b""
        self._outgoing: list[bytes] = []
        self._asked_wait: tuple[bytes, int] | None = None
        self._last = b""

    def block(self, data: bytes) -> tuple[bytes, int]:
        """Answer one block: the card's block, and the microseconds it takes to come."""
        body, edc = data[: -self._edc_length], data[-self._edc_length :]
        if len(data) < 3 + self._edc_length or self._edc(body) != edc:
            return self._negative(FAULT_EDC), 0
        nad, pcb, length, information = body[0], body[1], body[2], body[3:]
        if nad or length != len(information) or length > self._ifsc:
            return self._negative(FAULT_OTHER), 0
        if pcb & 0xC0 == S_BLOCK:
            return self._supervisory(pcb, information)
        if pcb & 0xC0 == R_BLOCK:
            return self._acknowledged(pcb), 0
        return self._information(pcb, information)

    def _frame(self, pcb: int, information: bytes = b"") -> bytes:
        body = bytes((0, pcb, len(information))) + information
        self._last = body + self._edc(body)
        return self._last

    def _negative(self, fault: int) -> bytes:
        body = bytes((0, R_BLOCK | self._expected << 4 | fault, 0))
        return body + self._edc(body)

    def _supervisory(self, pcb: int, information: bytes) -> tuple[bytes, int]:
        kind = pcb & 0x1F
        if pcb & RESPONSE:
            if kind == WTX and self._asked_wait is not None:
                command, delay = self._asked_wait
                self._asked_wait = None
                return self._run(command), delay
            return self._negative(FAULT_OTHER), 0
        if kind == RESYNCH:
            self._restart()
        elif kind == IFS and len(information) == 1 and 0 < information[0] < 255:
            self._ifsd = information[0]
        elif kind == ABORT:
            self._incoming, self._outgoing = b"", []
        else:
            return self._negative(FAULT_OTHER), 0
        return self._frame(pcb | RESPONSE, information), 0

    def _acknowledged(self, pcb: int) -> bytes:
        """An R-block names the block it wants: the next of a chain, or the last one again."""
        if pcb >> 4 & 1 == self._send_number and self._outgoing:
            return self._next()
        if self._last:
            return self._last
        return self._negative(FAULT_OTHER)

    def _information(self, pcb: int, information: bytes) -> tuple[bytes, int]:
        if pcb >> 6 & 1 != self._expected:
            return self._negative(FAULT_OTHER), 0
        self._expected ^= 1
        self._incoming += information
        if pcb & MORE:
            return self._frame(R_BLOCK | self._expected << 4), 0
        command, self._incoming = self._incoming, b""
        delay = self._delay_us(command)
        if delay > BLOCK_WAIT_US:
            self._asked_wait = (command, delay)
            return self._frame(S_BLOCK | WTX, bytes((min(255, 1 + delay // BLOCK_WAIT_US),))), 0
        return self._run(command), delay

    def _run(self, command: bytes) -> bytes:
        answer = self._execute(command)
        size = self._ifsd
        self._outgoing = [answer[i : i + size] for i in range(0, len(answer), size)]
        return self._next()

    def _next(self) -> bytes:
        part = self._outgoing.pop(0)
        pcb = self._send_number << 6 | (MORE if self._outgoing else 0)
        self._send_number ^= 1
        return self._frame(pcb, part)

"""T=0 around a card that answers whole APDUs (ISO 7816-3 clause 12.2, Book 1 clause 9.3.1).

A T=0 command either sends data or gets data, so the card's answer to a command with data waits for
GET RESPONSE (61xx), and a wrong Le is refused with the right one (6Cxx).
"""

from collections.abc import Callable

GET_RESPONSE = 0xC0


class T0:
    """One card's T=0 side from reset to reset. `execute` runs an APDU on the card."""

    def __init__(self, execute: Callable[[bytes], bytes]) -> None:
        self._execute = execute
        self._waiting = b""
        self._refused = (b"", b"")

    def tpdu(self, command: bytes) -> bytes:
        """Answer one TPDU (header, P3, and data when it sends any) with data and SW1 SW2.

        A command with data and an Le as well is taken without its Le, as T=0 cannot carry it."""
        if len(command) < 4:
            return b"\x67\x00"
        if len(command) > 5:
            return self._send(command)
        if command[1] == GET_RESPONSE and self._waiting:
            return self._get_response(command[4] if len(command) == 5 else 0)
        return self._receive(command)

    def _send(self, command: bytes) -> bytes:
        length = command[4]
        if len(command) not in (5 + length, 6 + length):
            return b"\x67\x00"
        self._refused = (b"", b"")
        answer = self._execute(command[: 5 + length])
        if len(answer) == 2:
            self._waiting = b""
            return answer
        self._waiting = answer
        return self._more()

    def _receive(self, command: bytes) -> bytes:
        self._waiting = b""
        header, answer = self._refused
        self._refused = (b"", b"")
        if header != command[:4]:
            answer = self._execute(command)
        length = len(answer) - 2
        wanted = command[4] if len(command) == 5 else 0
        if 0 < length < 256 and length != wanted:
            self._refused = (command[:4], answer)
            return bytes((0x6C, length))
        return answer

    def _get_response(self, wanted: int) -> bytes:
        left = len(self._waiting) - 2
        wanted = wanted or 256
        if wanted > left:
            return bytes((0x6C, left & 0xFF))
        part, rest = self._waiting[:wanted], self._waiting[wanted:]
        if len(rest) == 2:
            self._waiting = b""
            return part + rest
        self._waiting = rest
        return part + self._more()

    def _more(self) -> bytes:
        return bytes((0x61, min(len(self._waiting) - 2, 256) & 0xFF))

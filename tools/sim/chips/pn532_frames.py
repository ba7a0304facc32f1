"""The PN532's frames (user manual 6.2.1): building them and finding them in a stream of bytes."""

ACK = bytes.fromhex("0000FF00FF00")
NACK = bytes.fromhex("0000FFFF0000")
SYNTAX_ERROR = bytes.fromhex("0000FF01FF7F8100")
TO_CHIP, TO_HOST = 0xD4, 0xD5
LONGEST = 265
"""TFI and data of the longest frame: a command code, a parameter and 262 bytes."""


def build(data: bytes) -> bytes:
    """A frame to the host around `data` (response code first), extended when it must be."""
    length = len(data) + 1
    if length > 255:
        size = bytes((0xFF, 0xFF, length >> 8, length & 0xFF, -(length // 256 + length) & 0xFF))
    else:
        size = bytes((length, -length & 0xFF))
    body = bytes((TO_HOST,)) + data
    return b"\x00\x00\xff" + size + body + bytes((-sum(body) & 0xFF, 0))


class FrameFinder:
    """Collects bytes from the host; gives what they are, frame by frame."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def clear(self) -> None:
        """Forget a frame that did not end."""
        self._bytes.clear()

    def feed(self, data: bytes) -> list[bytes]:
        """The whole frames up to now: ACK and NACK as themselves, SYNTAX_ERROR for a frame with a
        wrong check sum, direction or length, else the frame's data, command code first."""
        self._bytes += data
        found = []
        while (frame := self._take()) is not None:
            found.append(frame)
        return found

    def _take(self) -> bytes | None:
        start = self._bytes.find(b"\x00\xff")
        if start < 0:
            del self._bytes[: max(0, len(self._bytes) - 1)]
            return None
        del self._bytes[:start]
        have = self._bytes
        if len(have) < 4:
            return None
        if have[2:4] in (b"\x00\xff", b"\xff\x00"):
            acknowledge = have[2] == 0
            del have[:4]
            return ACK if acknowledge else NACK
        if have[2:4] == b"\xff\xff":
            if len(have) < 7:
                return None
            length, good, head = have[4] << 8 | have[5], not sum(have[4:7]) & 0xFF, 7
        else:
            length, good, head = have[2], not sum(have[2:4]) & 0xFF, 4
        if not good or not 2 <= length <= LONGEST:
            del have[:head]
            return SYNTAX_ERROR
        if len(have) < head + length + 1:
            return None
        body = bytes(have[head : head + length])
        check = have[head + length]
        del have[: head + length + 1]
        if (sum(body) + check) & 0xFF or body[0] != TO_CHIP:
            return SYNTAX_ERROR
        return body[1:]

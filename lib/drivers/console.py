"""Lines over the console, without stopping the loop: USB on a board, standard input on the desk.

A byte at a time is read, and only when poll says that one is there: the chip's console has no
reading that returns with less than it was asked for.
"""

import asyncio
import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

LONGEST = const(5600)  # bytes of a line: a flash block of 4096 in base64, and its head


class Console:
    """`source` gives bytes (sys.stdin.buffer); `say` takes a line of text (print)."""

    def __init__(self, source: "Any", say: "Any") -> None:
        self._source = source
        self._say = say
        self._stream = asyncio.StreamReader(source)
        self._poll = select.poll()
        self._poll.register(source, select.POLLIN)
        self._line = bytearray()  # its room is taken by the first wait for a line
        self._length = 0
        self._byte = bytearray(1)

    def say(self, text: str) -> None:
        """One line out."""
        self._say(text)

    async def line(self) -> str:
        """The next line that is not empty; one that is too long or no ASCII comes as '?'.

        What was read of a line stays when the wait is cancelled. A source that ended gives none.
        """
        if not self._line:
            self._line = bytearray(LONGEST)
        while True:
            first = await self._stream.read(1)
            if not first:
                await asyncio.Event().wait()
            self._byte[0] = first[0]
            while True:
                if self._ended():
                    return self._take()
                if not self._poll.poll(0) or not self._source.readinto(self._byte):
                    break

    def _ended(self) -> bool:
        """Put the byte that was read into the line; True when a line is complete."""
        byte = self._byte[0]
        if byte in b"\r\n":
            return self._length > 0
        if self._length < LONGEST:
            self._line[self._length] = byte
        self._length += 1
        return False

    def _take(self) -> str:
        length, self._length = self._length, 0
        if length > LONGEST or max(self._line[:length]) > 0x7E:
            return "?"
        return str(memoryview(self._line)[:length], "ascii")

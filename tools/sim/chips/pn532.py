"""The PN532's two faces (user manual 6.2): SPI as on the board, HSU for hosts on a serial line."""

from typing import TYPE_CHECKING

from tools.sim.chips.pn532_chip import LONGEST_DATA, Chip

if TYPE_CHECKING:
    from tools.sim.chips import Host


class Pn532Uart(Chip):
    """The HSU face: bytes in, bytes out; `55` or any byte wakes the chip."""

    def receive(self, data: bytes) -> None:
        """Bytes from the host."""
        self._asleep = False
        self._feed(data)

    def _out(self, frame: bytes) -> None:
        self._world().send(frame)


class Pn532(Chip):
    """The SPI face (user manual 6.2.5): the first byte after select says write, status or read.

    The chip sends and takes the low bit first, so every byte on the wire is reversed. `irq` is low
    while a frame waits. A sleeping chip spends the first selection on waking up."""

    WRITE, STATUS, READ = 0x01, 0x02, 0x03
    WAKE_US = 1_000

    def __init__(self, *, piece: int = LONGEST_DATA) -> None:
        super().__init__(piece=piece)
        self._waking = False
        self._operation = 0
        self._outgoing: list[bytes] = []
        self._reading = b""
        self._written = bytearray()

    def attach(self, host: "Host") -> None:
        """Connect the model to the bus; no frame waits."""
        super().attach(host)
        host.line("irq", 1)

    def power_cycle(self) -> None:
        """As the chip's, and no frame waits."""
        super().power_cycle()
        self._outgoing.clear()
        self._show()

    def select(self, active: bool) -> None:
        """Chip select: `active` is the low level."""
        if active:
            self._operation = 0
            self._written.clear()
            if self._asleep and not self._waking:
                self._waking = True
                self._world().call_later(self.WAKE_US, self._awake)
            return
        if self._operation == self.WRITE and not self._asleep:
            self._outgoing.clear()
            self._show()
            self._finder.clear()
            self._feed(bytes(self._written))
        if self._operation == self.READ and self._outgoing:
            self._outgoing.pop(0)
            self._show()
        self._operation = 0

    def transfer(self, data: bytes) -> bytes:
        """Full duplex bytes of a selection, as they stand on the wire."""
        answer = bytearray()
        for byte in data:
            answer.append(REVERSED[self._clock(REVERSED[byte])])
        return bytes(answer)

    def _clock(self, byte: int) -> int:
        if not self._operation:
            self._operation = byte
            self._reading = self._outgoing[0] if self._outgoing else b""
            return 0
        if self._operation == self.WRITE:
            self._written.append(byte)
            return 0
        if self._operation == self.STATUS:
            return int(bool(self._outgoing) and not self._asleep)
        if self._operation == self.READ and self._reading:
            value, self._reading = self._reading[0], self._reading[1:]
            return value
        return 0

    def _awake(self) -> None:
        self._asleep = self._waking = False

    def _out(self, frame: bytes) -> None:
        self._outgoing.append(frame)
        self._show()

    def _show(self) -> None:
        if self._irq_used:
            self._world().line("irq", 0 if self._outgoing else 1)


REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
"""Each byte with its bits the other way round."""

"""The serial line between host and chip, and what it does to bytes: nothing, or what it is told.

A bad cable loses, flips and garbles. Everything random comes from a seed, so that a fault found
once is found again.
"""

import random
from dataclasses import dataclass, field

BOTH_WAYS = ("to chip", "to host")


@dataclass(frozen=True)
class Wear:
    """How a line is damaged. All rates are chances a byte, 0 to 1.

    baud_limit: above this rate every byte arrives as noise, as on a cable that is too long.
    strikes: single faults as (direction, byte number since power-up, 'drop' or 'flip').
    """

    drop: float = 0.0
    flip: float = 0.0
    baud_limit: int = 10_000_000
    strikes: tuple[tuple[str, int, str], ...] = ()


@dataclass
class Wire:
    """One line. `carry` gives what arrives; `hits` counts the bytes that did not arrive whole."""

    wear: Wear = field(default_factory=Wear)
    seed: int = 0
    hits: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._carried = {way: 0 for way in BOTH_WAYS}
        self._strikes = {(way, at): kind for way, at, kind in self.wear.strikes}

    def carry(self, data: bytes, way: str, sent_at: int, heard_at: int) -> bytes:
        """The bytes that arrive of `data`, sent and listened to at these baud rates."""
        first = self._carried[way]
        self._carried[way] += len(data)
        if sent_at != heard_at or sent_at > self.wear.baud_limit:
            self.hits += len(data)
            return self._random.randbytes(len(data))
        if not (self.wear.drop or self.wear.flip or self._strikes):
            return data
        arrived = bytearray()
        for position, byte in enumerate(data, first):
            kind = self._strikes.pop((way, position), None) or self._chance()
            self.hits += kind is not None
            if kind == "drop":
                continue
            arrived.append(byte ^ 1 << self._random.randrange(8) if kind == "flip" else byte)
        return bytes(arrived)

    def _chance(self) -> str | None:
        if self.wear.drop and self._random.random() < self.wear.drop:
            return "drop"
        if self.wear.flip and self._random.random() < self.wear.flip:
            return "flip"
        return None

"""Cards whose answers are spoilt: what a broken, foreign or malicious chip might say.

The same seed is the same card and the same damage, so that a failing conversation can be repeated.
"""

from __future__ import annotations

import random

from tools.sim.cards.card import Card
from tools.sim.cards.personalisation import Personalisation

_STATUS = ("6283", "6985", "6A81", "6A82", "6A83", "6300", "6700", "6984", "6986", "9000", "0000")


class GarbledCard(Card):
    """A card of the deck, one answer in `one_in` of which is damaged."""

    def __init__(self, facts: Personalisation, seed: int, one_in: int = 6) -> None:
        self.dice = random.Random(seed)
        self.one_in = one_in
        self.damaged = 0
        super().__init__(facts)

    def apdu(self, command: bytes) -> bytes:
        """The answer, damaged when the dice say so. Gone when they say that the card leaves."""
        answer = super().apdu(command)
        if self.dice.randrange(self.one_in):
            return answer
        self.damaged += 1
        return self.dice.choice(_DAMAGE)(self.dice, answer)


def _truncated(dice: random.Random, answer: bytes) -> bytes:
    return answer[: dice.randrange(len(answer))]


def _shortened(dice: random.Random, answer: bytes) -> bytes:
    """The status word survives, the data do not."""
    return answer[: dice.randrange(len(answer) - 1)] + answer[-2:]


def _flipped(dice: random.Random, answer: bytes) -> bytes:
    at = dice.randrange(len(answer))
    return answer[:at] + bytes((answer[at] ^ 1 << dice.randrange(8),)) + answer[at + 1 :]


def _replaced(dice: random.Random, answer: bytes) -> bytes:
    """A byte takes a value that means something to a parser."""
    at = dice.randrange(len(answer))
    value = dice.choice((0x00, 0x70, 0x77, 0x7F, 0x80, 0x81, 0x82, 0x84, 0xBF, 0xFF))
    return answer[:at] + bytes((value,)) + answer[at + 1 :]


def _repeated(dice: random.Random, answer: bytes) -> bytes:
    """Part of the answer is there twice."""
    first, last = sorted((dice.randrange(len(answer)), dice.randrange(len(answer))))
    return (answer[:last] + answer[first:last] + answer[last:])[-258:]


def _noise(dice: random.Random, answer: bytes) -> bytes:
    return dice.randbytes(dice.randrange(259)) + answer[-2:]


def _refused(dice: random.Random, answer: bytes) -> bytes:
    return bytes.fromhex(dice.choice(_STATUS))


def _waiting(dice: random.Random, answer: bytes) -> bytes:
    """More is promised: 61xx or 6Cxx where nothing is left, or on and on."""
    return bytes((dice.choice((0x61, 0x6C)), dice.randrange(256)))


def _many_files(dice: random.Random, answer: bytes) -> bytes:
    """An AFL that names every record there could be."""
    return bytes.fromhex("800E5C00 0801FF00 1001FF00 1801FFFF 9000".replace(" ", ""))


_DAMAGE = (
    _truncated,
    _shortened,
    _flipped,
    _flipped,
    _replaced,
    _repeated,
    _noise,
    _refused,
    _waiting,
    _many_files,
)

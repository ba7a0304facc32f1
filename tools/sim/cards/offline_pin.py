"""The enciphered offline PIN: VERIFY with P2 88, its counter, its end (Book 2 7.2; Book 3 6.5.12).

A wrong PIN costs a try, and so does whatever does not decipher to this challenge: the card cannot
tell a mistake from a guess. At zero the PIN is blocked until the issuer sends PIN UNBLOCK.
"""

from __future__ import annotations

import hmac

from tools.sim.cards.keys import RsaKey
from tools.sim.cards.status import (
    METHOD_BLOCKED,
    NOT_ALLOWED,
    OK,
    UNKNOWN,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    tries_left,
)

ENCIPHERED = 0x88
CHALLENGE = 8

_HEADER = 0x7F
_BLOCK = 8


class OfflinePin:
    """One application's PIN. Without a PIN or a key to decipher it there is none.

    tries, pin: outlive a reset. performed, verified: what this transaction has seen of it.
    """

    def __init__(self, pin: str, tries: int, limit: int, key: RsaKey | None) -> None:
        self.pin = pin if key is not None else ""
        self.tries = tries
        self.limit = limit
        self.key = key
        self.forget()

    def forget(self) -> None:
        """A new transaction."""
        self.performed = False
        self.verified = False

    def unblock(self, pin: str = "") -> None:
        """All tries are back, with another PIN if one is given (PIN CHANGE/UNBLOCK, 6.5.10)."""
        self.tries = self.limit
        self.pin = pin or self.pin

    def verify(self, p1: int, p2: int, data: bytes, challenge: bytes) -> bytes:
        """The status word. `challenge`: what GET CHALLENGE gave just before, empty without it."""
        if not self.pin or self.key is None:
            return UNKNOWN
        if p1 or p2 != ENCIPHERED:
            return WRONG_PARAMETERS
        if not self.tries:
            return METHOD_BLOCKED
        if not challenge:
            return NOT_ALLOWED
        if len(data) != self.key.size:
            return WRONG_LENGTH
        self.performed = True
        self.verified = self._right(data, challenge)
        self.tries = self.limit if self.verified else self.tries - 1
        return OK if self.verified else tries_left(self.tries)

    def _right(self, data: bytes, challenge: bytes) -> bool:
        """7F ‖ PIN block ‖ challenge ‖ padding, as steps 4 to 7 of Book 2 7.2 have it."""
        assert self.key is not None
        try:
            plain = self.key.private(data)
        except ValueError:
            return False
        wanted = bytes((_HEADER,)) + block(self.pin) + challenge
        return hmac.compare_digest(plain[: len(wanted)], wanted)


def block(pin: str) -> bytes:
    """The plaintext PIN block, ISO 9564-1 format 2: 2 ‖ length ‖ digits ‖ F to fill."""
    return bytes.fromhex(f"2{len(pin):X}{pin}".ljust(2 * _BLOCK, "F"))


def pin_of(plain: bytes) -> str:
    """The PIN in such a block. ValueError when it is none of 4 to 12 digits."""
    text = plain.hex().upper()
    pin = text[2:].rstrip("F")
    if len(plain) != _BLOCK or not pin.isdecimal() or not 4 <= len(pin) <= 12:
        raise ValueError("no PIN block of format 2")
    if text[:2] != f"2{len(pin):X}":
        raise ValueError("a PIN block of another length")
    return pin

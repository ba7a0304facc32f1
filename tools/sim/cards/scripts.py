"""Issuer script commands: first the MAC, then the wish (Book 2 9.2; Book 3 6.5, 10.10).

Secure messaging of format 2: the last 8 bytes of the data are a MAC over header, ATC, the first
cryptogram and the data before it. Nothing happens without a right one. PUT DATA rewrites what the
card's file lists under `data`, as long as it was.
"""

from __future__ import annotations

from tools.sim.cards import crypto, offline_pin
from tools.sim.cards.offline_pin import OfflinePin
from tools.sim.cards.status import (
    NO_DATA,
    NO_MESSAGING,
    OK,
    UNKNOWN_CLASS,
    WRONG_DATA,
    WRONG_LENGTH,
    WRONG_MESSAGING,
    WRONG_PARAMETERS,
)

CARD_BLOCK, APPLICATION_UNBLOCK, APPLICATION_BLOCK = 0x16, 0x18, 0x1E
PIN_CHANGE, PUT_DATA = 0x24, 0xDA
COMMANDS = (CARD_BLOCK, APPLICATION_UNBLOCK, APPLICATION_BLOCK, PIN_CHANGE, PUT_DATA)

_CLASSES = (0x84, 0x8C)
_MAC = 8
_UNBLOCK, _CHANGE = 0x00, 0x02


class ScriptCommands:
    """What issuer scripts can reach in one application, and how many of them did.

    blocked, card_blocked, data, count, failed: outlive a reset; the counts go with the next
    transaction that the issuer has answered.
    """

    def __init__(
        self, mac_key: bytes, cipher_key: bytes, data: dict[str, bytes], blocked: bool
    ) -> None:
        self.mac_key, self.cipher_key = mac_key, cipher_key
        self.data = data
        self.blocked = blocked
        self.card_blocked = False
        self.count = 0
        self.failed = False
        self._told = 0

    def begin(self) -> None:
        """A transaction starts: what was counted before it is what the issuer learns."""
        self._told = self.count

    def told(self) -> None:
        """The issuer has learnt of the scripts before this transaction."""
        self.count -= self._told
        self._told, self.failed = 0, False

    def run(self, header: bytes, data: bytes, atc: int, first: bytes, pin: OfflinePin) -> bytes:
        """One command, `header` CLA INS P1 P2 Lc; the status word."""
        answer = self._authenticated(header, data, atc, first)
        if answer == OK:
            answer = self._perform(header, data[:-_MAC], first, pin)
        if answer == OK:
            self.count += 1
        else:
            self.failed = True
        return answer

    def _authenticated(self, header: bytes, data: bytes, atc: int, first: bytes) -> bytes:
        if header[0] not in _CLASSES:
            return UNKNOWN_CLASS
        if len(data) < _MAC:
            return NO_MESSAGING
        session = crypto.script_key(self.mac_key, first)
        expected = crypto.script_mac(session, header, atc, first, data[:-_MAC])
        return OK if data[-_MAC:] == expected else WRONG_MESSAGING

    def _perform(self, header: bytes, data: bytes, first: bytes, pin: OfflinePin) -> bytes:
        ins = header[1]
        if ins == PUT_DATA:
            return self._put(header[2:4].hex().upper(), data)
        if ins == PIN_CHANGE:
            return self._change(header[2:4], data, first, pin)
        if header[2] or header[3]:
            return WRONG_PARAMETERS
        if data:
            return WRONG_LENGTH
        if ins == CARD_BLOCK:
            self.card_blocked = True
        else:
            self.blocked = ins == APPLICATION_BLOCK
        return OK

    def _put(self, tag: str, data: bytes) -> bytes:
        """PUT DATA: an element that the issuer may rewrite."""
        if tag not in self.data:
            return NO_DATA
        if len(data) != len(self.data[tag]):
            return WRONG_LENGTH
        self.data[tag] = data
        return OK

    def _change(self, parameters: bytes, data: bytes, first: bytes, pin: OfflinePin) -> bytes:
        """PIN CHANGE/UNBLOCK (6.5.10): P2 00 gives the tries back, 02 brings a new PIN as well."""
        if not pin.pin or parameters[0] or parameters[1] not in (_UNBLOCK, _CHANGE):
            return WRONG_PARAMETERS
        if parameters[1] == _UNBLOCK:
            if data:
                return WRONG_LENGTH
            pin.unblock()
            return OK
        if len(data) != 16:
            return WRONG_LENGTH
        try:
            plain = crypto.decipher(crypto.script_key(self.cipher_key, first), data)
            pin.unblock(offline_pin.pin_of(plain))
        except ValueError:
            return WRONG_DATA
        return OK

"""Runs beside its own pcscd: obeys orders on stdin with pyscard, one JSON line each way.

`{"do": "await", "present": bool}`, `{"do": "connect", "protocol": 0 or 1}` (the ATR),
`{"do": "transmit", "command": hex}`, `{"do": "disconnect"}`; answers `{"value"}` or `{"error"}`.
"""

import json
import sys
import time
from typing import Any

from smartcard import scard
from smartcard.scard import SCardGetErrorMessage

PROTOCOLS = {0: scard.SCARD_PROTOCOL_T0, 1: scard.SCARD_PROTOCOL_T1}
LIMIT_S = 20


class PcscError(Exception):
    """A PC/SC function that did not succeed."""


def checked(code: int, *values: Any) -> Any:
    """Pass a PC/SC function's results on; PcscError when it failed."""
    if code != scard.SCARD_S_SUCCESS:
        raise PcscError(SCardGetErrorMessage(code))
    return values[0] if len(values) == 1 else values


class Client:
    """One context, one reader, one connection."""

    def __init__(self) -> None:
        self._context = self._established()
        self._reader = self._found()
        self._card: Any = None
        self._protocol = 0

    def _established(self) -> Any:
        deadline = time.monotonic() + LIMIT_S
        while True:
            try:
                return checked(*scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM))
            except PcscError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def _found(self) -> str:
        deadline = time.monotonic() + LIMIT_S
        while time.monotonic() < deadline:
            code, readers = scard.SCardListReaders(self._context, [])
            if code == scard.SCARD_S_SUCCESS and readers:
                return str(readers[0])
            time.sleep(0.1)
        raise PcscError("pcscd found no reader.")

    def wait(self, present: bool) -> bool:
        """Wait until a card is there, or is not; False after 10 s."""
        wanted = scard.SCARD_STATE_PRESENT if present else scard.SCARD_STATE_EMPTY
        deadline = time.monotonic() + 10
        seen = scard.SCARD_STATE_UNAWARE
        while time.monotonic() < deadline:
            code, states = scard.SCardGetStatusChange(self._context, 500, [(self._reader, seen)])
            if code != scard.SCARD_E_TIMEOUT:
                seen = checked(code, states)[0][1]
            if seen & wanted:
                return True
        return False

    def connect(self, protocol: int) -> str:
        """Connect over T=0 or T=1; the ATR."""
        self._card, self._protocol = checked(
            *scard.SCardConnect(
                self._context, self._reader, scard.SCARD_SHARE_EXCLUSIVE, PROTOCOLS[protocol]
            )
        )
        _, _, _, atr = checked(*scard.SCardStatus(self._card))
        return bytes(atr).hex()

    def transmit(self, command: str) -> str:
        """One APDU; the response with its status words."""
        answer = checked(
            *scard.SCardTransmit(self._card, self._protocol, list(bytes.fromhex(command)))
        )
        return bytes(answer).hex()

    def disconnect(self) -> None:
        """Let the card go and take its power; nothing happens without a connection."""
        if self._card is not None:
            card, self._card = self._card, None
            checked(scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD))


def obey(client: Client, more: dict[str, Any], orders: Any) -> None:
    """Say the reader is there, then obey until `orders` ends. more: other orders' functions."""
    answer: dict[str, Any] = {"value": "ready"}
    print(json.dumps(answer), flush=True)
    calls = {
        "await": lambda order: client.wait(order["present"]),
        "connect": lambda order: client.connect(order["protocol"]),
        "transmit": lambda order: client.transmit(order["command"]),
        "disconnect": lambda order: client.disconnect(),
        **more,
    }
    for line in orders:
        order = json.loads(line)
        try:
            answer = {"value": calls[order["do"]](order)}
        except PcscError as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    obey(Client(), {}, sys.stdin)

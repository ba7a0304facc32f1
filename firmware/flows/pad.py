"""The antenna between two payments: who has paid takes the card away before it pays again.

A card or phone that still lies there when the next payment begins would be charged unasked, for
another amount and maybe for another customer. So the field is looked at after a tap until it is
empty, beside whatever the counter does.
"""

import asyncio

from errors import DeviceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from firmware.devices import Board

_LOOK_MS = const(200)
_LOOKS = const(600)
_SLOW_MS = const(1_000)
_FAULTS = const(3)


class Pad:
    """touched: this payment read something there, or found two cards. used: what an earlier one
    found has not been seen to leave, and is not to be read again."""

    def __init__(self, board: "Board") -> None:
        self.touched = False
        self._board = board
        self._look = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()

    @property
    def used(self) -> bool:
        return not self._empty.is_set()

    def leave(self) -> None:
        """A payment is done with the field; from now on it has to become empty."""
        self.touched = False
        self._empty.clear()
        self._look.set()

    def allow(self) -> None:
        """What lies there may be read once more: it is the same payer's."""
        self._empty.set()

    async def empty(self) -> None:
        """Wait until it is."""
        await self._empty.wait()

    async def watch(self) -> None:
        """For ever: look after each payment until nothing is there, less often after two minutes.

        One fault of the reader says nothing of a card. A reader that stays silent reads none
        either, and the next payment finds that out and says so."""
        while True:
            await self._look.wait()
            self._look.clear()
            looks = faults = 0
            while self.used and faults < _FAULTS:
                try:
                    if not await self._here():
                        break
                    faults = 0
                except DeviceError:
                    faults += 1
                looks += 1
                await asyncio.sleep_ms(_LOOK_MS if looks < _LOOKS else _SLOW_MS)
            self._empty.set()

    async def _here(self) -> bool:
        """Two looks in a row have to find nothing. DeviceError."""
        return await self._board.nfc.present() or await self._board.nfc.present()

"""Fingers on the keypad: a click of a mouse or a tap on a pad is over too soon for a real key."""

import asyncio

from tools.sim.actions import KEYS, ActionError, gap, hold
from tools.sim.chips.keypad import PLACES
from tools.sim.simulation import Simulation

# How often the firmware has read a key's column when it surely believes that the key is down, or
# up: four scans, of a look at rest and one a row in the first case (lib/drivers/keypad.py). On a
# busy machine the firmware may get no time while a finger is down, as no real one would.
_BELIEVED = {True: 24, False: 4}
_LOOK_S, _LOOKS = 0.01, 200


class Fingers:
    """Presses and releases in their order, each held as long as a finger holds a key, at least,
    and until the firmware has seen it."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._moves: asyncio.Queue[tuple[str, bool]] = asyncio.Queue()
        self._since: dict[str, float] = {}
        self._task = asyncio.create_task(self._work(), name="fingers")

    def press(self, key: str) -> None:
        """A finger goes down, when those before it had their time. ActionError: no such key."""
        if key not in KEYS:
            raise ActionError(f"unknown key '{key}'")
        self._moves.put_nowait((key, True))

    def release(self, key: str) -> None:
        """The finger goes up; nothing happens when it is not down."""
        self._moves.put_nowait((key, False))

    def stop(self) -> None:
        """Take the hand away."""
        self._task.cancel()

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            key, down = await self._moves.get()
            if down and key not in self._since:
                self._sim.keypad.press(key)
                self._since[key] = loop.time()
                await self._until_seen(key, down)
            elif not down and key in self._since:
                await asyncio.sleep(max(0.0, self._since.pop(key) + hold(self._sim) - loop.time()))
                self._sim.keypad.release(key)
                await self._until_seen(key, down)
                await asyncio.sleep(gap(self._sim))

    async def _until_seen(self, key: str, down: bool) -> None:
        """Wait for the firmware's looks, though not for one that has stopped looking."""
        column = self._sim.board.pin(f"KEY_COL{PLACES[key][1]}")
        enough = column.reads + _BELIEVED[down]
        for _ in range(_LOOKS):
            if column.reads >= enough:
                return
            await asyncio.sleep(_LOOK_S)

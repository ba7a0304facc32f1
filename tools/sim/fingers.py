"""Fingers on the keypad: a click of a mouse or a tap on a pad is over too soon for a real key."""

import asyncio

from tools.sim.actions import KEYS, ActionError, gap, hold
from tools.sim.simulation import Simulation


class Fingers:
    """Presses and releases in their order, each held as long as a finger holds a key, at least."""

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
            elif not down and key in self._since:
                await asyncio.sleep(max(0.0, self._since.pop(key) + hold(self._sim) - loop.time()))
                self._sim.keypad.release(key)
                await asyncio.sleep(gap(self._sim))

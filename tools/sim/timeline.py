"""The timeline: every event of a simulation in order, with its virtual time, masked.

An event is a JSON-able dict `{"t": microseconds, "kind": …, …}`. Models mask what they tell (a PAN
is first 6 + last 4; tracks, PINs, PIN blocks and keys never appear), so a timeline may be shown,
saved and compared byte for byte.
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

# How many events are kept in memory; older ones are only in a trace file.
KEPT = 50_000


class Timeline:
    """Keeps events, wakes whoever waits for the next one, and hands them on to listeners."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self._listeners: list[Callable[[dict[str, Any]], None]] = []
        self._waiting: list[asyncio.Future[None]] = []

    def listen(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call back with every event from now on."""
        self._listeners.append(callback)

    def add(self, event: dict[str, Any]) -> None:
        """Take one event from the simulation."""
        self.events.append(event)
        if len(self.events) > KEPT:
            del self.events[: KEPT // 10]
        for callback in self._listeners:
            callback(event)
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, oldest first."""
        return [event for event in self.events if event["kind"] == kind]

    async def changed(self, limit: float) -> bool:
        """Wait for the next event, at most `limit` seconds; False when none came."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        try:
            await asyncio.wait_for(future, limit)
        except TimeoutError:
            return False
        return True

    def write(self, path: Path) -> None:
        """The trace file: one JSON object a line, keys sorted, so equal runs give equal bytes."""
        rows = [json.dumps(e, ensure_ascii=False, sort_keys=True) for e in self.events]
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")

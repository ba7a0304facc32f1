"""The page's server: static files and one WebSocket that carries actions in and events out.

The messages are described where they are handled; an action is the same JSON as a scenario step.
Binary frames: type byte 1 is the display as PNG, type byte 2 is paper, 48 bytes a row.
"""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

from aiohttp import WSMsgType, web

from tools.sim import cards, decode, glyphs
from tools.sim.actions import ActionError, perform
from tools.sim.recorder import Recorder
from tools.sim.simulation import Simulation
from tools.sim.timeline import Timeline

STATIC = Path(__file__).parent / "static"
# The display is sent at most this often, in seconds.
FRAME_TIME = 0.04
HISTORY = 300
CLOSE_LIMIT = 2.0


class PageServer:
    """Serves one simulation to any number of browsers."""

    def __init__(self, sim: Simulation, timeline: Timeline) -> None:
        self.sim, self.timeline = sim, timeline
        self.recorder = Recorder(sim, timeline, self.tell)
        self._sockets: dict[web.WebSocketResponse, int] = {}
        self._pending: list[dict[str, Any]] = []
        self._screen_changed = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._playing: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (a free one for 0). OSError when it is taken."""
        app = web.Application()
        app.add_routes([
            web.get("/", self._index), web.get("/ws", self._socket),
            web.static("/static", STATIC),
        ])
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_LIMIT)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        self.timeline.listen(self._on_event)
        self._tasks = [asyncio.create_task(self._send_frames(), name="page frames")]
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close every browser's socket and stop listening."""
        for task in self._tasks:
            task.cancel()
        for socket in list(self._sockets):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(socket.close(), CLOSE_LIMIT)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _socket(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=20, max_msg_size=1 << 20)
        await socket.prepare(request)
        self._sockets[socket] = 0
        try:
            await self._greet(socket)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._handle(socket, message.data)
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _greet(self, socket: web.WebSocketResponse) -> None:
        for message in (
            {"type": "language", "language": self.sim.language}, self._deck(), self._faults(),
            self._placed(), self._books(), {"type": "power", "on": self.sim.powered},
            {"type": "lamps", "colours": self.sim.lamps.colours},
            {"type": "events", "events": self.timeline.events[-HISTORY:]},
        ):
            await socket.send_json(message)
        await self._send_screen([socket])
        await self._send_paper(socket)

    def _deck(self) -> dict[str, Any]:
        return {"type": "deck", "cards": [cards.face(name) for name in cards.names()]}

    def _faults(self) -> dict[str, Any]:
        return {"type": "faults", "active": self.sim.faults}

    def _placed(self) -> dict[str, Any]:
        inserted = self.sim.reader.card
        return {"type": "placed", "inserted": inserted.name if inserted else None,
                "tapped": [card.name for card in self.sim.nfc.cards]}

    def _books(self) -> dict[str, Any]:
        return {"type": "books", "postings": list(self.sim.postings()),
                "difference": self.sim.difference(), "owed": self.sim.owed()}

    async def _handle(self, socket: web.WebSocketResponse, text: str) -> None:
        """One message of a browser; what is wrong with it comes back as `{"type": "error"}`."""
        try:
            message = json.loads(text)
            if not isinstance(message, dict) or len(message) != 1:
                raise ActionError("a message is one word and its argument")
            word, argument = next(iter(message.items()))
            handler = getattr(self, f"_do_{word}", None)
            if handler is None:
                raise ActionError(f"unknown message '{word}'")
            await handler(socket, argument)
        except (ActionError, ValueError) as error:
            await socket.send_json({"type": "error", "text": str(error)})

    async def _do_action(self, _: web.WebSocketResponse, argument: Any) -> None:
        self.recorder.note(argument)
        await perform(self.sim, argument)
        for message in (self._faults(), self._placed(), self._books(),
                        {"type": "power", "on": self.sim.powered}):
            self.tell(message)

    async def _do_press(self, _: web.WebSocketResponse, argument: Any) -> None:
        self.recorder.note({"key": argument})
        self.sim.keypad.press(str(argument))

    async def _do_release(self, _: web.WebSocketResponse, argument: Any) -> None:
        self.sim.keypad.release(str(argument))

    async def _do_tear(self, _: web.WebSocketResponse, __: Any) -> None:
        self.sim.printer.tear_off()
        for socket in self._sockets:
            self._sockets[socket] = 0
        self.tell({"type": "torn"})

    async def _do_paper(self, socket: web.WebSocketResponse, _: Any) -> None:
        await socket.send_json({"type": "paper-text", "text": "\n".join(self.sim.printer.text)})

    async def _do_decode(self, socket: web.WebSocketResponse, argument: Any) -> None:
        if not isinstance(argument, dict):
            raise ActionError("decode takes an event")
        await socket.send_json({"type": "decoded", **decode.event_in_words(argument)})

    async def _do_language(self, _: web.WebSocketResponse, argument: Any) -> None:
        await self.sim.speak(str(argument))

    async def _do_record(self, _: web.WebSocketResponse, argument: Any) -> None:
        self.tell(self.recorder.start() if argument else self.recorder.stop())

    async def _do_stop(self, _: web.WebSocketResponse, __: Any) -> None:
        if self._playing is not None:
            self._playing.cancel()
        self.tell(self.recorder.stop())

    async def _do_play(self, _: web.WebSocketResponse, argument: Any) -> None:
        if self._playing is not None and not self._playing.done():
            raise ActionError("a scenario is being played; stop it first")
        steps = self.recorder.read(str(argument))
        self._playing = asyncio.create_task(self._play(steps), name="page play")

    async def _play(self, steps: list[Any]) -> None:
        failure = await self.recorder.play(steps)
        if failure:
            self.tell({"type": "error", "text": failure})
        for message in (self._faults(), self._placed(), self._books()):
            self.tell(message)

    async def _do_step(self, _: web.WebSocketResponse, argument: Any) -> None:
        await self._play(self.recorder.next_step(str(argument)))

    def tell(self, message: dict[str, Any]) -> None:
        """Queue one message for every browser; it leaves with the next frame."""
        self._pending.append(message)
        self._screen_changed.set()

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event["kind"]
        if kind == "lamps":
            self.tell({"type": "lamps", "colours": self.sim.lamps.colours})
        elif kind == "tone":
            self.tell({"type": "tone", "frequency": event.get("frequency", 0),
                       "on": bool(event.get("on"))})
            return
        elif kind in ("iso", "journal"):
            self.tell(self._books())
        elif kind in ("card", "tap"):
            self.tell(self._placed())
        elif kind == "power":
            self.tell({"type": "power", "on": self.sim.powered})
        self.tell({"type": "events", "events": [event]})

    async def _send_frames(self) -> None:
        """Send what changed, at most every FRAME_TIME seconds."""
        while True:
            await self._screen_changed.wait()
            self._screen_changed.clear()
            messages, self._pending = self._merged(), []
            for socket in list(self._sockets):
                with contextlib.suppress(ConnectionError):
                    for message in messages:
                        await socket.send_json(message)
                    await self._send_paper(socket)
            if any(e["kind"] == "screen" for m in messages for e in m.get("events", [])):
                await self._send_screen(list(self._sockets))
            await asyncio.sleep(FRAME_TIME)

    def _merged(self) -> list[dict[str, Any]]:
        """The pending messages with all events in one, and of every other kind the last."""
        events = [event for m in self._pending if m["type"] == "events" for event in m["events"]]
        latest = {m["type"]: m for m in self._pending if m["type"] != "events"}
        return [*latest.values(), *([{"type": "events", "events": events}] if events else [])]

    async def _send_screen(self, sockets: list[web.WebSocketResponse]) -> None:
        frame = b"\x01" + glyphs.png(self.sim.lcd.pixels())
        for socket in sockets:
            with contextlib.suppress(ConnectionError):
                await socket.send_bytes(frame)

    async def _send_paper(self, socket: web.WebSocketResponse) -> None:
        sent, rows = self._sockets.get(socket, 0), self.sim.printer.rows
        if len(rows) > sent:
            self._sockets[socket] = len(rows)
            await socket.send_bytes(b"\x02" + b"".join(rows[sent:]))

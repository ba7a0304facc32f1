"""The page's server: static files and one WebSocket that carries actions in and events out.

The messages are described where they are handled; an action is the same JSON as a scenario step.
Binary frames: type byte 1 is the display as PNG, type byte 2 is paper, 48 bytes a row.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import WSMsgType, web

from tools.acquirer.errors import AcquirerError
from tools.sim import decode, glyphs, tray
from tools.sim.actions import ActionError, perform
from tools.sim.fingers import Fingers
from tools.sim.network import NetworkError
from tools.sim.recorder import Recorder
from tools.sim.session import Session
from tools.sim.simulation import SimulationError

STATIC = Path(__file__).parent / "static"
# What changed is sent at most this often, in seconds.
FRAME_TIME = 0.04
# … and the books, in seconds.
BOOKS_TIME = 0.25
# The screen's text goes onto the timeline when the picture stood still for so long, in seconds.
SETTLED = 0.2
HISTORY = 2000
CLOSE_LIMIT = 1.0
# Events that only say "look again": the page gets the thing itself instead.
UNTOLD = ("screen", "tone", "lamps")
REFUSALS = (ActionError, AcquirerError, NetworkError, SimulationError, ValueError, RuntimeError,
            KeyError, TypeError)

Socket = web.WebSocketResponse
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# The names of this machine; under another one a foreign site could pass for it.
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class PageServer:
    """Serves one session to any number of browsers."""

    def __init__(self, session: Session) -> None:
        self.session, self.sim, self.timeline = session, session.sim, session.timeline
        self.recorder = Recorder(self.sim, self.timeline)
        self._fingers = Fingers(self.sim)
        self._sockets: dict[Socket, int] = {}
        self._pending: list[dict[str, Any]] = []
        self._wake = asyncio.Event()
        self._stale: dict[str, Callable[[], dict[str, Any]]] = {}
        self._picture_changed = False
        self._moved = self._books_due = 0.0
        self._shown = self._stripped = ""
        self._runner: web.AppRunner | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._playing: asyncio.Task[None] | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen; returns the port (a free one for 0). OSError when it is taken."""
        app = web.Application(middlewares=[_own_page_only])
        app.add_routes([
            web.get("/", self._index), web.get("/ws", self._socket),
            web.static("/static", STATIC),
        ])
        app.on_response_prepare.append(_never_stale)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=CLOSE_LIMIT)
        await self._runner.setup()
        await web.TCPSite(self._runner, host, port).start()
        self.session.changed = lambda: self._look_again("state", self.session.state)
        self.sim.events.subscribe(self._on_event)
        self._tasks = [
            asyncio.create_task(self._send_frames(), name="page frames"),
            asyncio.create_task(self._read_screens(), name="page screens"),
        ]
        return int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Close every browser's socket and stop listening."""
        self._fingers.stop()
        for task in [*self._tasks, *([self._playing] if self._playing else [])]:
            task.cancel()
        for socket in list(self._sockets):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(socket.close(), CLOSE_LIMIT)
        if self._runner is not None:
            await self._runner.cleanup()

    async def _index(self, _: web.Request) -> web.FileResponse:
        return web.FileResponse(STATIC / "index.html")

    async def _socket(self, request: web.Request) -> Socket:
        socket = Socket(max_msg_size=1 << 20)
        await socket.prepare(request)
        try:
            await self._greet(socket)
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self._handle(socket, message.data)
        finally:
            self._sockets.pop(socket, None)
        return socket

    async def _greet(self, socket: Socket) -> None:
        """Everything there is to see now; what changes meanwhile comes after it."""
        events = [e for e in self.timeline.events[-4 * HISTORY:] if _worth_telling(e)]
        playing = self._playing is not None and not self._playing.done()
        messages = (
            self.session.state(),
            {"type": "deck", "cards": tray.deck(self.sim.own_cards.values())},
            self._faults(), self._placed(), self.session.books(), self._lamps(),
            {"type": "recording", "on": self.recorder.recording},
            {"type": "playing", "on": playing, "line": 0},
            {"type": "shown", "text": self._shown},
            {"type": "events", "events": events[-HISTORY:]},
        )
        rows = b"".join(self.sim.printer.rows)
        self._sockets[socket] = len(self.sim.printer.rows)
        for message in messages:
            await socket.send_json(message)
        await socket.send_bytes(b"\x01" + glyphs.png(self.sim.lcd.pixels()))
        await socket.send_bytes(b"\x02" + rows)

    # ---- what there is to tell

    def _faults(self) -> dict[str, Any]:
        return {"type": "faults", "active": self.sim.faults,
                "host": self.sim.acquirer.triggers.active, "cut": self.sim.flash.cut_in}

    def _placed(self) -> dict[str, Any]:
        inserted = self.sim.reader.card
        return {"type": "placed", "inserted": inserted.name if inserted else None,
                "tapped": [card.name for card in self.sim.nfc.cards]}

    def _lamps(self) -> dict[str, Any]:
        return {"type": "lamps", "colours": self.sim.lamps.colours}

    # ---- what browsers send

    async def _handle(self, socket: Socket, text: str) -> None:
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
        except REFUSALS as error:
            words = str(error) if not isinstance(error, KeyError) else f"unknown name {error}"
            await socket.send_json({"type": "error", "text": words})

    async def _do_action(self, _: Socket, argument: Any) -> None:
        """`{"action": STEP}`: any step word that does something."""
        if not self.session.ready:
            raise ActionError("the terminal is still starting")
        await perform(self.sim, argument)
        self.recorder.note(argument)
        self._look_everywhere()

    async def _do_power(self, _: Socket, argument: Any) -> None:
        """`{"power": true}` on, also after a crash; `false` cuts it."""
        if argument:
            await self.session.power_on()
            self.recorder.note({"power": "on"})
        else:
            await perform(self.sim, {"power": {"cut": "now"}})
            self.recorder.note({"power": {"cut": "now"}})

    async def _do_press(self, _: Socket, argument: Any) -> None:
        """`{"press": KEY}`: a finger goes down; `release` takes it up."""
        self._fingers.press(str(argument))
        self.recorder.note({"key": str(argument)})

    async def _do_release(self, _: Socket, argument: Any) -> None:
        self._fingers.release(str(argument))

    async def _do_tear(self, _: Socket, __: Any) -> None:
        """`{"tear": true}`: the paper comes off."""
        self.sim.printer.tear_off()

    async def _do_paper(self, socket: Socket, _: Any) -> None:
        """`{"paper": "text"}`: answered with what is printed, as text."""
        await socket.send_json({"type": "paper-text", "text": "\n".join(self.sim.printer.text)})

    async def _do_decode(self, socket: Socket, argument: Any) -> None:
        """`{"decode": EVENT}`: answered with the event in words."""
        if not isinstance(argument, dict):
            raise ActionError("decode takes an event")
        words = decode.event_in_words(argument, self.timeline.events)
        await socket.send_json({"type": "decoded", **words})

    async def _do_language(self, _: Socket, argument: Any) -> None:
        """`{"language": "zh"|"en"}`: another terminal, and new books on both sides."""
        self._refuse_while_playing()
        self.timeline.events.clear()
        self.tell({"type": "new"})
        self.sim.printer.tear_off()
        await self.session.speak(str(argument))
        self._look_everywhere()

    async def _do_speed(self, _: Socket, argument: Any) -> None:
        """`{"speed": "1"|"10"|"max"}`."""
        self.session.set_speed(str(argument))

    async def _do_record(self, _: Socket, argument: Any) -> None:
        """`{"record": true}` begins, `false` ends a recording."""
        self.tell(self.recorder.start() if argument else self.recorder.stop())

    async def _do_stop(self, _: Socket, __: Any) -> None:
        """`{"stop": true}`: the end of what is recorded or played."""
        if self._playing is not None:
            self._playing.cancel()
        if self.recorder.recording:
            self.tell(self.recorder.stop())

    async def _do_play(self, _: Socket, argument: Any) -> None:
        """`{"play": YAML}`: all its steps, on the terminal as it stands."""
        self._refuse_while_playing()
        steps = self.recorder.read(str(argument))
        self._playing = asyncio.create_task(self._play(steps), name="page play")

    async def _do_step(self, _: Socket, argument: Any) -> None:
        """`{"step": YAML}`: the next step of it; a changed text begins anew."""
        self._refuse_while_playing()
        steps = self.recorder.next_step(str(argument))
        self._playing = asyncio.create_task(self._play(steps), name="page step")

    def _refuse_while_playing(self) -> None:
        if not self.session.ready:
            raise ActionError("the terminal is still starting")
        if self._playing is not None and not self._playing.done():
            raise ActionError("a scenario is being played; stop it first")

    async def _play(self, steps: list[Any]) -> None:
        def tell(line: int, failure: str = "", done: bool = False) -> None:
            self.tell({"type": "playing", "on": not done, "line": line, "failure": failure,
                       "done": done, "all": len(steps) > 1})
        failure, line = "stopped", 0
        try:
            with self.session.playing():
                for step in steps:
                    line = step.line
                    tell(line)
                    failure = await self.recorder.play(self.session.stage, step)
                    if failure:
                        break
                else:
                    failure = ""
        finally:
            tell(line, failure, done=True)
            self._look_everywhere()

    # ---- what goes out

    def tell(self, message: dict[str, Any]) -> None:
        """Queue one message for every browser; it leaves with the next frame."""
        self._pending.append(message)
        self._wake.set()

    def _look_again(self, what: str, make: Callable[[], dict[str, Any]]) -> None:
        self._stale[what] = make
        self._wake.set()

    def _look_everywhere(self) -> None:
        self._look_again("state", self.session.state)
        self._look_again("faults", self._faults)
        self._look_again("placed", self._placed)
        self._look_again("books", self.session.books)

    def _on_event(self, event: dict[str, Any]) -> None:
        kind = event["kind"]
        if kind == "screen":
            self._picture_changed, self._moved = True, asyncio.get_running_loop().time()
        elif kind == "lamps":
            self._look_again("lamps", self._lamps)
        elif kind == "tone":
            self.tell({"type": "tone", "frequency": event["frequency"], "on": event["on"]})
        elif kind in ("iso", "flash"):
            self._look_again("books", self.session.books)
            self._look_again("faults", self._faults)
        elif kind == "card":
            self._look_again("placed", self._placed)
        elif kind == "power":
            self._shown = self._stripped = ""
            self.tell({"type": "shown", "text": ""})
            self._look_everywhere()
        elif kind in ("fault", "network", "crash", "reset"):
            self._look_everywhere()
        elif kind == "printer" and event.get("what") == "torn off":
            self._sockets = dict.fromkeys(self._sockets, 0)
            self.tell({"type": "torn"})
        if _worth_telling(event):
            self.tell({"type": "events", "events": [event]})
        self._wake.set()

    async def _send_frames(self) -> None:
        """Send what changed, at most every FRAME_TIME seconds."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            messages = [*self._gathered(), *self._looked_at()]
            frame = b""
            if self._picture_changed:
                self._picture_changed = False
                frame = b"\x01" + glyphs.png(self.sim.lcd.pixels())
            for socket in list(self._sockets):
                with contextlib.suppress(ConnectionError, RuntimeError):
                    await self._send(socket, messages, frame)
            await asyncio.sleep(FRAME_TIME)

    def _looked_at(self) -> list[dict[str, Any]]:
        """What is stale, made anew; the books, which take a while, only now and then."""
        loop = asyncio.get_running_loop()
        stale, self._stale = self._stale, {}
        if "books" in stale and loop.time() < self._books_due:
            self._stale["books"] = stale.pop("books")
            loop.call_at(self._books_due, self._wake.set)
        elif "books" in stale:
            self._books_due = loop.time() + BOOKS_TIME
        return [make() for make in stale.values()]

    async def _send(self, socket: Socket, messages: list[dict[str, Any]], frame: bytes) -> None:
        for message in messages:
            await socket.send_json(message)
        sent, rows = self._sockets.get(socket, 0), self.sim.printer.rows
        if len(rows) > sent:
            self._sockets[socket] = len(rows)
            await socket.send_bytes(b"\x02" + b"".join(rows[sent:]))
        if frame:
            await socket.send_bytes(frame)

    def _gathered(self) -> list[dict[str, Any]]:
        """The pending messages in their order, neighbouring events in one."""
        pending, self._pending = self._pending, []
        gathered: list[dict[str, Any]] = []
        for message in pending:
            if gathered and message["type"] == gathered[-1]["type"] == "events":
                gathered[-1]["events"] += message["events"]
            else:
                gathered.append(message)
        return gathered

    async def _read_screens(self) -> None:
        """Put the text of each new screen onto the timeline; counting seconds is no new screen."""
        while True:
            await asyncio.sleep(SETTLED / 2)
            now = asyncio.get_running_loop().time()
            if not self._moved or now - self._moved < SETTLED or not self.sim.powered:
                continue
            self._moved = 0.0
            moment, pixels = self.sim.clock.now(), self.sim.lcd.pixels()
            lines = await asyncio.to_thread(glyphs.read, pixels)
            text = " | ".join(lines)
            stripped = re.sub(r"(?<![\d.])\d+(?![\d.])", "#", text)
            if lines and stripped != self._stripped:
                self._stripped, self._shown = stripped, text
                event = {"t": moment, "kind": "reading", "text": text}
                self.timeline.add(event)
                self.tell({"type": "shown", "text": text})
                self.tell({"type": "events", "events": [event]})


def _worth_telling(event: dict[str, Any]) -> bool:
    """A key's way up, empty lines and what the page shows itself are no news."""
    if event["kind"] == "key":
        return bool(event["down"])
    return event["kind"] not in UNTOLD and not (event["kind"] == "print" and not event["text"])


@web.middleware
async def _own_page_only(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse other sites: a browser tells in Origin whose page opens the socket, and a foreign
    name that was made to lead here (DNS rebinding) stands in Host."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise web.HTTPForbidden(text="this terminal serves its own page only")
    at = request.transport.get_extra_info("sockname") if request.transport else None
    loopback = at is not None and ip_address(at[0]).is_loopback
    if loopback and urlsplit(f"//{request.host}").hostname not in LOOPBACK:
        raise web.HTTPForbidden(text="this terminal is reached by its own address only")
    return await handler(request)


async def _never_stale(_: web.Request, response: web.StreamResponse) -> None:
    """A browser asks each time whether a file changed: the page and its server are one version."""
    response.headers["Cache-Control"] = "no-cache"

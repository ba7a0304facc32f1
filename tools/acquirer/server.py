"""The acquirer as a server: connections, frames, the worker thread, the timeline's events."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

from tools.acquirer import deck, events, ledger, triggers, wire
from tools.acquirer.errors import AcquirerError, WireError
from tools.acquirer.host import Answer, Host, Terminal, with_mac
from tools.acquirer.store import open_store
from tools.acquirer.triggers import Delivery

log = logging.getLogger(__name__)

IDLE_SECONDS = 24 * 3600.0  # between two messages; a forgotten connection does not stay for ever
FRAME_SECONDS = 30.0  # from a frame's first byte to its last, and for writing one


class Acquirer:
    """The payment host: one database, any number of connections.

    `triggers` makes it misbehave on purpose (triggers.Profile: respond, silent, fault, clear).
    `clock` gives the host's local time, `random` so many random bytes; a simulation passes its
    own of both. `deck_folder` holds the card files. Raises StoreError or DeckError when the
    database or the cards cannot be used.
    """

    def __init__(
        self,
        database_url: str = "sqlite://",
        *,
        clock: Callable[[], datetime] = datetime.now,
        random: Callable[[int], bytes] = os.urandom,
        deck_folder: Path = deck.DECK,
        terminals: Iterable[Terminal] = (Terminal(),),
        profile: triggers.Profile | None = None,
    ) -> None:
        self.triggers = profile or triggers.Profile()
        self.wish = "0"
        self._subscribers: list[Callable[[dict[str, Any]], None]] = []
        self._connections = 0
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._turn = threading.Lock()
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="acquirer")
        self._engine = open_store(database_url)
        self._host = Host(self._engine, terminals, deck.load(deck_folder), clock, random)

    # ---- what a simulation or the page asks for

    def subscribe(self, callback: Callable[[dict[str, Any]], None]) -> None:
        """Call `callback` with an event for every message in and out, and for link troubles.

        Events are dicts with `kind` "iso8583" (see events.describe) or "acquirer"; `connection`
        counts connections from 1. Called on the loop's thread.
        """
        self._subscribers.append(callback)

    def ask_terminals(self, wish: int) -> None:
        """Put a wish into the header of every reply: its sixth digit, 0 none … 7 blacklist."""
        if wish not in range(8):
            raise AcquirerError(f"no wish {wish}; the header knows 0 to 7")
        self.wish = str(wish)

    def ledger(self, terminal: str | None = None) -> list[dict[str, Any]]:
        """The postings of a terminal; see ledger.postings."""
        with self._turn:
            return ledger.postings(self._engine, terminal)

    def accounts(self) -> list[dict[str, Any]]:
        """The card accounts; see ledger.accounts."""
        with self._turn:
            return ledger.accounts(self._engine)

    def difference(self, terminal: str, journal: Iterable[dict[str, Any]]) -> dict[str, Any]:
        """The difference line for a terminal's journal; see ledger.compare."""
        return ledger.compare(self.ledger(terminal), journal)

    def reissue_cards(self) -> None:
        """PIN tries and transaction counters start over, for cards made anew."""
        with self._turn:
            self._host.reissue()

    def issue_card(self, path: Path) -> None:
        """Open the accounts of a card that is not in the deck's folder. DeckError."""
        with self._turn:
            self._host.issue(path)

    async def hang_up(self) -> None:
        """Break every open connection and wait until its last job is done."""
        serving = dict(self._open)
        for writer in serving.values():
            writer.transport.abort()
        if serving:
            await asyncio.wait(serving, timeout=FRAME_SECONDS)

    def close(self) -> None:
        """Finish the job in hand and let go of the database."""
        self._worker.shutdown(wait=True)
        self._engine.dispose()

    # ---- the wire

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection until it ends; for asyncio.start_server or a virtual network."""
        self._connections += 1
        connection = self._connections
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        late: set[asyncio.Task[bool]] = set()
        try:
            while (frame := await _read_frame(reader)) is not None:
                for delivery in await self.respond_to(frame, connection):
                    if delivery.after:
                        late.add(asyncio.create_task(_deliver(writer, delivery)))
                    elif not await _deliver(writer, delivery):
                        return
        except WireError as error:
            self._trouble(connection, str(error))
        except OSError as error:  # of the connection, of TLS, or the time limit
            self._trouble(connection, f"the connection ended: {error or type(error).__name__}")
        finally:
            for delayed in late:
                delayed.cancel()
            await asyncio.gather(*late, return_exceptions=True)
            del self._open[task]
            writer.close()

    async def respond_to(self, frame: bytes, connection: int = 0) -> list[Delivery]:
        """Answer one frame (without its length): what to write, in order; maybe nothing.

        Raises WireError when the frame is no request.
        """
        request = wire.decode(frame)
        self._emit(events.describe("in", request, connection=connection))
        plan = self.triggers.plan(request)
        if plan.fault == triggers.SILENT:
            return []
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._worker, self._answer, request, plan.code)
        answer.reply.header = wire.with_wish(answer.reply.header, self.wish)
        data = with_mac(answer, triggers.distort(plan.fault, answer.reply.fields))
        self._report(connection, answer, data, plan.fault)
        return triggers.deliveries(plan.fault, wire.framed(data))

    def _answer(self, request: wire.Message, forced: str | None) -> Answer:
        with self._turn:
            return self._host.answer(request, forced)

    def _report(self, connection: int, answer: Answer, data: bytes, fault: str | None) -> None:
        reply = wire.decode(data)
        log.info(
            "%s %s trace %s: %s %s",
            reply.mti,
            reply.fields.get(41),
            reply.fields.get(11),
            reply.fields.get(39),
            answer.reason,
        )
        self._emit(
            events.describe(
                "out",
                reply,
                connection=connection,
                reason=answer.reason,
                repeated=answer.repeated,
                fault=fault,
            )
        )

    def _trouble(self, connection: int, text: str) -> None:
        log.warning("connection %d: %s", connection, text)
        self._emit({"kind": "acquirer", "connection": connection, "trouble": text})

    def _emit(self, event: dict[str, Any]) -> None:
        for callback in self._subscribers:
            callback(event)


async def _read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """The next frame without its length, None at the end of the stream.

    Raises WireError for a length no message has or a frame that breaks off, TimeoutError when
    the line stays idle or a frame unfinished for too long.
    """
    async with asyncio.timeout(IDLE_SECONDS):
        first = await reader.read(1)
    if not first:
        return None
    try:
        async with asyncio.timeout(FRAME_SECONDS):
            second = await reader.readexactly(wire.LENGTH_BYTES - 1)
            length = int.from_bytes(first + second, "big")
            if not wire.MIN_FRAME <= length <= wire.MAX_FRAME:
                raise WireError(f"a frame of {length} bytes is announced")
            return await reader.readexactly(length)
    except asyncio.IncompleteReadError:
        raise WireError("the frame breaks off") from None


async def _deliver(writer: asyncio.StreamWriter, delivery: Delivery) -> bool:
    """Write a delivery when its time has come; False when it broke the connection."""
    if delivery.after:
        await asyncio.sleep(delivery.after)
    writer.write(delivery.data)
    async with asyncio.timeout(FRAME_SECONDS):
        await writer.drain()
    if delivery.reset:
        writer.transport.abort()
        return False
    return True

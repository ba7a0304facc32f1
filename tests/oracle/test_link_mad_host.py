"""A host that answers nonsense: every answer ends in a named error, and the books stay true.

Real answers of the test acquirer, damaged on their way; and bytes that were never an answer.
"""

from __future__ import annotations

import asyncio
import random

import pytest
from test_link_acquirer import Bed, bed

from tools.acquirer.server import Acquirer
from tools.sim import cards

ERRORS = {"ReplyTimeout", "MalformedReply", "MacFault", "Disconnected"}
ROUNDS = 40


def damage(rng: random.Random, answer: bytes) -> bytes:
    """An answer (length included) with one thing wrong."""
    frame = bytearray(answer)
    kind = rng.randrange(6)
    place = rng.randrange(13, len(frame))
    if kind == 0:
        frame[place] ^= 1 << rng.randrange(8)
    elif kind == 1:
        frame[place:] = b""
        frame[:2] = (len(frame) - 2).to_bytes(2, "big")
    elif kind == 2:
        frame[:2] = rng.choice((0, 1, 22, 1599, 65_535)).to_bytes(2, "big")
    elif kind == 3:
        frame[place:place] = rng.randbytes(rng.randint(1, 40))
        frame[:2] = (len(frame) - 2).to_bytes(2, "big")
    elif kind == 4:
        frame = bytearray(rng.randbytes(rng.randint(1, 300)))
    else:
        frame[15 + rng.randrange(8)] ^= 1 << rng.randrange(8)
    return bytes(frame)


class MadLine:
    """The writing side of a connection; damages answers while `mad` is set."""

    mad = False

    def __init__(self, writer: asyncio.StreamWriter, rng: random.Random) -> None:
        self._writer = writer
        self._rng = rng
        self.transport = writer.transport

    def write(self, data: bytes) -> None:
        """Pass on, damaged if mad."""
        self._writer.write(damage(self._rng, data) if MadLine.mad else data)

    async def drain(self) -> None:
        """Pass on."""
        await self._writer.drain()

    def close(self) -> None:
        """Pass on."""
        self._writer.close()


async def pay_once(b: Bed, card: cards.Card) -> None:
    """A damaged answer, then the truth comes back by the reversal and one more sale."""
    before = (await b.books())["debit"]
    MadLine.mad = True
    reply = await b.terminal.pay(card, 100)
    MadLine.mad = False
    books = await b.books()
    assert reply.get("error") in ERRORS, reply
    assert books["debit"] == before and len(books["owed"]) == 1
    assert (await b.terminal.do("settle_owed"))["result"] == 1
    books = await b.books()
    assert books["owed"] == [] and b.difference(books) == 0


@pytest.mark.alone  # an answer has 150 ms of real time
@pytest.mark.parametrize("seed", [1, 2])
async def test_no_damaged_answer_moves_money(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """MAC, matching, format and length each catch their own; reversals settle the rest."""
    rng = random.Random(seed)
    serve = Acquirer.serve

    async def madly(
        self: Acquirer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await serve(self, reader, MadLine(writer, rng))  # type: ignore[arg-type]

    monkeypatch.setattr(Acquirer, "serve", madly)
    async with bed() as b:
        await b.terminal.do("sign_on")
        await b.boot(reply_ms=150)
        card = cards.load("quick")
        for _ in range(ROUNDS):
            await pay_once(b, card)

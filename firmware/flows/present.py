"""The payer presents a card: inserted or tapped, whichever comes first.

A tap is done here from its first APDU to "remove card": in that window nothing draws, prints or
talks to the acquirer. A mute chip offers the tap, then another card. One dead reader leaves the
other in use.
"""

import asyncio
import time

import aio
from emv.outcome import (
    APPROVED,
    GO_ONLINE,
    PRESENT_AGAIN,
    SEE_PHONE,
    TRY_ANOTHER_INTERFACE,
)
from errors import CardCollision, CardError, CardSilent, DeviceError

from firmware.flows.errors import ChipReaderFault, TapReaderFault, blaming
from firmware.flows.payer import ChipPayer, TapPayer, emv_transaction
from firmware.ui.ask import Cancelled, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable
    from typing import Any

    from firmware.flows.pos import Pos
    from firmware.ledger.record import Txn

_WAIT_S = const(60)
_TRIES = const(5)
_LAMPS_MS = const(500)

CHIP = "chip"
TAP = "tap"
_CLEAR = "clear"
_HINTS = {CHIP: "chip-hint", TAP: "tap-hint"}
_FAULTS = {CHIP: ChipReaderFault, TAP: TapReaderFault}


class _WayLost(Exception):
    """One of the readers failed; `way` says which, `cause` how."""

    def __init__(self, way: str, cause: DeviceError) -> None:
        super().__init__(way)
        self.way = way
        self.cause = cause


async def present(pos: "Pos", txn: "Txn") -> "ChipPayer | TapPayer":
    """The payer's card, powered or already read. What was tapped is not read a second time
    unless it has left the field.

    Cancelled, TimedOut; DeviceError when no reader is left; CardError for what a card did.
    """
    try:
        return await _presented(pos, txn)
    finally:
        if pos.pad.touched:
            pos.pad.leave()


async def _presented(pos: "Pos", txn: "Txn") -> "ChipPayer | TapPayer":
    ways = [CHIP, TAP]
    prompt = "insert-or-tap"
    tap = TapPayer(pos, txn)
    if not tap.allowed():
        ways, prompt = [CHIP], "insert-card"
    elif pos.pad.used:
        prompt = "clear-pad"
    tries, said, since, fresh = _TRIES, "", 0, True
    while tries:
        if prompt != said:
            said, since = prompt, time.ticks_ms()
        if fresh:
            both = len(ways) > 1 and prompt != "clear-pad"
            hint = "insert-hint" if both else _HINTS[ways[0]]
            pos.screens.present(txn.kind, txn.amount, prompt, hint)
        pos.board.lamps.show("ready" if TAP in ways and not pos.pad.used else "off")
        try:
            way = await _first_card(pos, ways, since)
            if way == CHIP:
                return await _powered(pos, txn)
            if way == _CLEAR:
                prompt, fresh = "insert-or-tap" if CHIP in ways else "tap-card", True
                continue
            pos.pad.touched = True
            outcome = await tap.perform()
        except _WayLost as lost:
            pos.faults.record(lost.way + " reader", lost.cause)
            ways = [way for way in ways if way != lost.way]
            if not ways:
                raise lost.cause from None
            prompt, fresh = "insert-card" if CHIP in ways else "tap-card", True
            continue
        except CardCollision:
            pos.pad.touched = True
            prompt = "one-card"
        except CardSilent:
            pos.card_left = True
            prompt = "tap-or-other"
        else:
            if outcome.kind in (GO_ONLINE, APPROVED):
                pos.board.lamps.show("read")
                pos.board.buzzer.beep("ok")
                await asyncio.sleep_ms(_LAMPS_MS)
                return tap
            tap.check()
            prompt = _PROMPTS[outcome.kind]
            if outcome.kind == TRY_ANOTHER_INTERFACE:
                ways = [CHIP]
        patient = prompt in _PATIENT
        fresh = prompt != said or not patient
        if not patient:
            tries -= 1
        if fresh:
            pos.board.lamps.show("error")
            pos.board.buzzer.beep("error")
        await asyncio.sleep_ms(_LAMPS_MS)
        tap = TapPayer(pos, txn)
    raise TimedOut("no card could be read")


_PROMPTS = {
    TRY_ANOTHER_INTERFACE: "insert-card",
    PRESENT_AGAIN: "tap-again",
    SEE_PHONE: "see-phone",
}
# What is in the field stays there while its owner does something about it: that is no further try.
_PATIENT = ("one-card", "see-phone")


async def _first_card(pos: "Pos", ways: "list[str]", since: int) -> str:
    """CHIP or TAP, whichever card comes first, or _CLEAR: what was tapped before has gone.

    since: ticks when the payer was told what to do.
    """
    waits: list[Awaitable[str | None]] = [_cancelled(pos, since)]
    if CHIP in ways:
        waits.append(_watched(CHIP, _inserted(pos)))
    if TAP in ways:
        waits.append(_cleared(pos) if pos.pad.used else _watched(TAP, pos.board.nfc.activate()))
    done = await aio.race(*waits)
    if _CLEAR in done:
        return CHIP if CHIP in done else _CLEAR
    if CHIP in done:
        if TAP in done:
            await pos.board.nfc.release()
        return CHIP
    return TAP


async def _cancelled(pos: "Pos", since: int) -> None:
    """Cancelled when the payer or the merchant presses 取消, TimedOut."""
    await pos.ask.cancel(_WAIT_S - time.ticks_diff(time.ticks_ms(), since) // 1000)
    raise Cancelled("no card was presented")


async def _cleared(pos: "Pos") -> str:
    await pos.pad.empty()
    return _CLEAR


async def _watched(way: str, wait: "Awaitable[Any]") -> str:
    try:
        await blaming(_FAULTS[way], wait)
    except CardError:
        raise
    except DeviceError as error:
        raise _WayLost(way, error) from None
    return way


async def _inserted(pos: "Pos") -> None:
    """A card is put in; one that was left from before must be taken out first."""
    if pos.card_left:
        await pos.board.reader.wait_removed()
        pos.card_left = False
    await pos.board.reader.wait_inserted()


async def _powered(pos: "Pos", txn: "Txn") -> ChipPayer:
    """The chip after its reset. CardSilent if it is mute."""
    pos.board.lamps.show("off")
    await pos.notice("card", pos.words("reading-card"), (pos.words("do-not-remove"), 24))
    payer = ChipPayer(pos, txn, emv_transaction(txn))
    await payer.power_on()
    return payer

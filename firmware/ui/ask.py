"""The questions: each draws its screen, waits for keys with a time limit, and answers or raises.

Cancelled is 取消: one level back. TimedOut is nobody there. The PIN goes digit by digit from the
keypad into the C module; no object here ever holds two of its digits.
"""

import asyncio
import time

import aio
import pinmac

from firmware.ui.amounts import MOST, AmountKeys
from firmware.ui.screens import MAX_OPTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from firmware.devices import Buzzer, Keypad
    from firmware.ui.screens import Screens

_KEYS_S = const(60)
_READ_S = const(10)
PIN_SHORTEST = const(4)
PIN_LONGEST = const(12)

_DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")


class AskError(Exception):
    """A question had no answer."""


class Cancelled(AskError):
    """取消 was pressed: one level back."""


class TimedOut(AskError):
    """Nobody answered within the time limit."""


class Ask:
    """Questions on one display and keypad."""

    def __init__(self, keypad: "Keypad", screens: "Screens", buzzer: "Buzzer") -> None:
        self.keypad = keypad
        self.screens = screens
        self.buzzer = buzzer
        self._work_clock = _Clock(0)

    async def amount(self, title: str, first: str = "", most: int = MOST) -> int:
        """An amount in fen, above zero. `first` is the key that began it at idle, or ''.

        CLEAR on an empty amount and CANCEL both raise Cancelled.
        """
        typed = AmountKeys(most)
        typed.press(first)
        complaint = ""
        while True:
            self.screens.amount(title, typed.fen, complaint)
            complaint = ""
            clock = _Clock(_KEYS_S)
            while not complaint:
                key = await self._key(clock)
                if key == "CANCEL" or (key == "CLEAR" and typed.empty):
                    raise Cancelled("the amount was not wanted")
                if key == "ENTER" and typed.fen:
                    return typed.fen
                if key == "ENTER":
                    complaint = "amount-zero"
                elif typed.press(key):
                    self.screens.amount_typed(typed.fen)
                    clock = _Clock(_KEYS_S)
                elif key in _DIGITS or key == "00":
                    complaint = "amount-too-large" if typed.fen * 10 > most else ""

    async def pin(self, fen: int, bypass: bool, note: str = "") -> int:
        """Let the payer enter a PIN; how many digits it has, or 0 if it was passed over.

        The entry stays open in pinmac for `pin_block`, unless it is 0 or an error is raised: then
        it is wiped. `note` is a text id shown in red ('' for none).
        """
        pinmac.pin_begin(PIN_SHORTEST, PIN_LONGEST)
        self.keypad.secret(True)
        length = 0
        try:
            length = await self._pin_keys(fen, bypass, note)
        finally:
            self.keypad.secret(False)
            if not length:
                pinmac.pin_cancel()
        return length

    async def _pin_keys(self, fen: int, bypass: bool, note: str) -> int:
        while True:
            self.screens.pin(fen, pinmac.pin_len(), note, bypass)
            clock = _Clock(_KEYS_S)
            note = ""
            while not note:
                key = await self._key(clock)
                length = pinmac.pin_len()
                if key == "CANCEL":
                    raise Cancelled("the payer cancelled at the PIN")
                if key == "ENTER":
                    if length >= PIN_SHORTEST or (bypass and not length):
                        return length
                    note = "pin-short"
                elif key == "CLEAR" and length:
                    pinmac.pin_back()
                    self.screens.pin_typed(length - 1)
                elif key in _DIGITS and length < PIN_LONGEST:
                    pinmac.pin_digit(int(key))
                    self.screens.pin_typed(length + 1)

    async def digits(
        self, title: str, prompt: str, length: int, *, masked: bool, hint: str = ""
    ) -> bytearray:
        """Exactly `length` digits as ASCII (the caller wipes a password). Full length ends it.

        `title`, `prompt` are text ids; `hint` is text, and tells the length if it is ''.
        """
        screens = self.screens
        typed = bytearray()
        screens.entry(title, prompt, hint or screens.words("digits", length), "", masked)
        clock = _Clock(_KEYS_S)
        while True:
            key = await self._key(clock)
            if key == "CANCEL":
                raise Cancelled("the entry was not wanted")
            if key == "ENTER" and len(typed) == length:
                return typed
            if key == "CLEAR" and typed:
                typed[-1] = 0
                typed = typed[:-1]
            elif (key in _DIGITS or key == "00") and len(typed) + len(key) <= length:
                typed.extend(key.encode())
            else:
                continue
            screens.entry_typed("*" * len(typed) if masked else typed.decode(), masked)

    async def choice(self, title: str, options: "list[tuple[str, str]]") -> int:
        """The index of the option chosen: by its key, or by ↑ ↓ and ENTER.

        `title` is text; options are (key, text), a key being a digit or ''.
        """
        first = chosen = 0
        self.screens.choice(title, options, first, chosen)
        clock = _Clock(_KEYS_S)
        while True:
            key = await self._key(clock)
            if key == "CANCEL":
                raise Cancelled("nothing was chosen")
            if key == "ENTER":
                return chosen
            for index, (digit, _) in enumerate(options):
                if key == digit:
                    return index
            if key not in ("UP", "DOWN"):
                continue
            chosen = (chosen + (1 if key == "DOWN" else -1)) % len(options)
            first = min(max(first, chosen - MAX_OPTIONS + 1), chosen)
            self.screens.choice(title, options, first, chosen)
            clock = _Clock(_KEYS_S)

    async def message(
        self,
        state: str,
        title: str,
        lines: "list[tuple[str, int]]",
        hints: "tuple[tuple[str, str], ...]" = (("ENTER", "do-close"),),
        seconds: int = _READ_S,
    ) -> str:
        """Show until a key named in `hints` is pressed; that key, or '' when the time is over."""
        self.screens.notice(state, title, lines, hints)
        return await self.acknowledge(tuple(key for key, _ in hints), seconds)

    async def acknowledge(self, keys: "tuple[str, ...]", seconds: int = _READ_S) -> str:
        """Wait on the screen that is there for one of `keys`; '' when the time is over.

        CANCEL closes what only has to be read, as ENTER does."""
        clock = _Clock(seconds)
        try:
            while True:
                key = await self._key(clock)
                if key in keys:
                    return key
                if key == "CANCEL" and keys == ("ENTER",):
                    return "ENTER"
        except TimedOut:
            return ""

    async def cancel(self, seconds: int) -> None:
        """Return when CANCEL is pressed; TimedOut. One contestant of a race."""
        clock = _Clock(seconds)
        while await self._key(clock) != "CANCEL":
            pass

    async def during(
        self, work: "Awaitable[Any]", seconds: int, may_cancel: "Callable[[], bool]"
    ) -> "Any":
        """The result of `work`, the seconds left being shown; `work` keeps its own limit.

        取消 ends it with Cancelled while `may_cancel()`; at other times it is not heard.
        """
        self.restart(seconds)
        result, _, _ = await aio.race(work, self._count(), self._stopped(may_cancel))
        return result

    def restart(self, seconds: int) -> None:
        """What runs in `during` began another stage: count down from `seconds` again."""
        self._work_clock = _Clock(seconds)

    async def _count(self) -> None:
        while True:
            self.screens.seconds(self._work_clock.left())
            await self.screens.show()
            await asyncio.sleep_ms(self._work_clock.tick_ms())

    async def _stopped(self, may_cancel: "Callable[[], bool]") -> None:
        while await self.keypad.key() != "CANCEL" or not may_cancel():
            pass
        self.buzzer.beep("key")
        raise Cancelled("the wait for the acquirer was ended")

    async def _key(self, clock: "_Clock") -> str:
        """The next key, with its beep; the seconds left are kept up. TimedOut."""
        while True:
            if not clock.left():
                raise TimedOut("no key was pressed")
            self.screens.seconds(clock.left())
            await self.screens.show()
            try:
                (key,) = await aio.race(self.keypad.key(), timeout=clock.tick_ms())
            except aio.RaceTimeout:
                continue
            self.buzzer.beep("key")
            return key


class _Clock:
    """A time limit in seconds, counted down on the tick counter."""

    def __init__(self, seconds: int) -> None:
        self._end = time.ticks_add(time.ticks_ms(), 1000 * seconds)

    def _ms(self) -> int:
        return max(0, time.ticks_diff(self._end, time.ticks_ms()))

    def left(self) -> int:
        """Seconds left, rounded up; 0 when it is over."""
        return (self._ms() + 999) // 1000

    def tick_ms(self) -> int:
        """Milliseconds until the number of seconds changes; a second when the limit is over."""
        return self._ms() % 1000 or 1000

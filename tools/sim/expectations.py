"""What a scenario may expect: text that is really drawn or printed, messages, lamps and money.

Each expectation waits up to `LIMIT` seconds of the simulation's time for what it names, looking
again whenever something happened, and then says what it found instead.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tools.sim import glyphs
from tools.sim.scenario import guess
from tools.sim.timeline import Timeline

LIMIT = 60.0


class ExpectationError(Exception):
    """Something expected did not come; the message shows what was there instead."""


class Stage:
    """What an expectation looks at: the simulation, its timeline, and where pictures go."""

    def __init__(self, sim: Any, timeline: Timeline, pictures: Any) -> None:
        self.sim, self.timeline, self.pictures = sim, timeline, pictures

    def screen_text(self) -> str:
        """The lines that can be read off the display now, for messages."""
        return " | ".join(glyphs.read(self.sim.lcd.pixels())) or "(an empty screen)"


async def until(stage: Stage, holds: Callable[[], bool], limit: float = LIMIT) -> bool:
    """True as soon as `holds()`, looked at after every event; False after `limit` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit
    while not holds():
        stage.sim.check()
        left = deadline - loop.time()
        if left <= 0:
            return False
        await stage.timeline.changed(left)
    return True


def as_lists(argument: Any, what: str) -> tuple[list[str], list[str]]:
    """(contains, lacks) of an expectation written as text, a list, or a mapping of the two."""
    if isinstance(argument, dict):
        for word in argument:
            if word not in ("contains", "lacks", "golden"):
                raise ExpectationError(
                    f"unknown {what} word '{word}'; {guess(word, ['contains', 'lacks', 'golden'])}"
                )
        contains, lacks = argument.get("contains", []), argument.get("lacks", [])
    else:
        contains, lacks = argument, []
    both = [[part] if not isinstance(part, list) else part for part in (contains, lacks)]
    return [str(item) for item in both[0]], [str(item) for item in both[1]]


async def expect_screen(stage: Stage, argument: Any) -> None:
    """Text that stands on the display in one of its fonts; a list means all of them at once."""
    contains, lacks = as_lists(argument, "expect-screen")

    def holds() -> bool:
        pixels = stage.sim.lcd.pixels()
        return all(glyphs.find(pixels, text) for text in contains) and not any(
            glyphs.find(pixels, text) for text in lacks
        )

    if not await until(stage, holds):
        raise ExpectationError(
            f"the screen never showed {contains or ''}"
            f"{' without ' + str(lacks) if lacks else ''}; it shows: " + stage.screen_text()
        )


async def expect_print(stage: Stage, argument: Any) -> None:
    """Text on the paper that hangs out of the printer; `golden: NAME` compares the whole paper."""
    contains, lacks = as_lists(argument, "expect-print")

    def holds() -> bool:
        text = "\n".join(stage.sim.printer.text)
        return all(part in text for part in contains)

    if not await until(stage, holds):
        raise ExpectationError(
            f"the paper never showed {contains}; it shows:\n" + "\n".join(stage.sim.printer.text)
        )
    text = "\n".join(stage.sim.printer.text)
    present = [part for part in lacks if part in text]
    if present:
        raise ExpectationError(f"the paper shows {present}:\n{text}")
    if isinstance(argument, dict) and "golden" in argument:
        await asyncio.sleep(3)  # let the last lines come out
        stage.pictures.keep(str(argument["golden"]), stage.sim.printer.png())


def message_matches(event: dict[str, Any], wanted: dict[str, Any]) -> bool:
    """Whether an `iso` event has every wanted field; field numbers may be 39 or "39"."""
    fields = {str(k): str(v) for k, v in event.get("fields", {}).items()}
    known = {"mti": event.get("mti"), "direction": event.get("direction"), **fields}
    return all(str(known.get(str(k))) == str(v) for k, v in wanted.items())


async def expect_iso(stage: Stage, argument: Any) -> None:
    """`{mti: "0400", direction: request|reply, "39": "98"}`: such a message passed or will."""
    if not isinstance(argument, dict):
        raise ExpectationError("expect-iso takes a mapping of mti, direction and field numbers")

    def holds() -> bool:
        return any(message_matches(event, argument) for event in stage.timeline.of("iso"))

    if not await until(stage, holds):
        seen = [
            f"{e.get('direction')} {e.get('mti')} {e.get('fields', {}).get('39', '')}".strip()
            for e in stage.timeline.of("iso")
        ]
        raise ExpectationError(f"no message {argument}; messages so far: {seen}")


async def expect_apdu(stage: Stage, argument: Any) -> None:
    """`{command: HEX-PREFIX, response: HEX-PREFIX, sw: 9000, interface: contact|contactless}`."""
    if not isinstance(argument, dict):
        argument = {"command": argument}
    wanted = {k: str(v).upper().replace(" ", "") for k, v in argument.items()}

    def matches(event: dict[str, Any]) -> bool:
        response = str(event.get("response", "")).upper()
        return (
            str(event.get("command", "")).upper().startswith(wanted.get("command", ""))
            and response.startswith(wanted.get("response", ""))
            and response.endswith(wanted.get("sw", ""))
            and str(event.get("interface", "")).upper()
            == wanted.get("interface", str(event.get("interface", "")).upper())
        )

    if not await until(stage, lambda: any(matches(e) for e in stage.timeline.of("apdu"))):
        raise ExpectationError(
            f"no such APDU: {argument}; {len(stage.timeline.of('apdu'))} others passed"
        )


async def expect_lamps(stage: Stage, argument: Any) -> None:
    """How many of the four contactless lamps are lit (0-4), or `blinking` for the first."""

    def lit() -> int:
        return sum(1 for colour in stage.sim.lamps.colours if any(colour))

    if argument == "blinking":
        for count in (1, 0, 1):
            if not await until(stage, lambda count=count: lit() == count, 5):  # type: ignore[misc]
                raise ExpectationError("the first lamp does not blink")
    elif not await until(stage, lambda: lit() == int(argument)):
        raise ExpectationError(f"{lit()} lamps are lit, not {argument}")


def _postings(stage: Stage) -> list[dict[str, Any]]:
    return list(stage.sim.postings())


async def expect_ledger(stage: Stage, argument: Any) -> None:
    """`{acquirer: [{type, amount, state}, …], difference: FEN}`: all postings, in their order."""
    if not isinstance(argument, dict) or set(argument) - {"acquirer", "difference"}:
        raise ExpectationError("expect-ledger takes 'acquirer' and 'difference'")
    wanted = argument.get("acquirer")

    def same() -> bool:
        have = _postings(stage)
        return wanted is None or (
            len(have) == len(wanted)
            and all(
                all(str(row.get(k)) == str(v) for k, v in want.items())
                for row, want in zip(have, wanted, strict=True)
            )
        )

    def balanced() -> bool:
        return "difference" not in argument or stage.sim.difference() == int(
            argument["difference"]
        )

    if not await until(stage, lambda: same() and balanced()):
        have = [{k: row.get(k) for k in ("type", "amount", "state")} for row in _postings(stage)]
        raise ExpectationError(
            f"the acquirer has {have}, difference {stage.sim.difference()}; expected {argument}"
        )


async def screenshot(stage: Stage, argument: Any) -> None:
    """Keep the display's picture under a name and compare it with the golden one."""
    await asyncio.sleep(0.3)  # let the last rectangle arrive
    stage.pictures.keep(str(argument), glyphs.png(stage.sim.lcd.pixels()))


EXPECTATIONS: dict[str, Callable[[Stage, Any], Awaitable[None]]] = {
    "expect-screen": expect_screen,
    "expect-print": expect_print,
    "expect-iso": expect_iso,
    "expect-apdu": expect_apdu,
    "expect-lamps": expect_lamps,
    "expect-ledger": expect_ledger,
    "screenshot": screenshot,
}

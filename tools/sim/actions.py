"""What can be done to the virtual board from outside: what page, player and tests send.

A message is one scenario step as JSON: `{"key": "1 2 ENTER"}`, `{"card": {"insert": "debit"}}`,
`{"fault": {"paper": "out"}}`. So a recorded session *is* a scenario. Each action has one function
here; what it cannot serve is refused by name.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tools.acquirer.errors import DeckError
from tools.sim import cards
from tools.sim.network import Faults
from tools.sim.scenario import guess
from tools.sim.simulation import Simulation

KEYS = [*"0123456789", "00", ".", "ENTER", "CLEAR", "CANCEL", "UP", "DOWN", "MENU", "FUNC"]
# How long a finger stays on a key and then off it, in seconds.
HOLD, GAP = 0.06, 0.06


class ActionError(Exception):
    """An action that does not exist or cannot be done now; the message says which and why."""


def one(
    argument: Any, known: list[str], what: str, beside: tuple[str, ...] = ()
) -> tuple[str, Any]:
    """The first pair of a mapping, its word checked; only words of `beside` may follow it."""
    if not isinstance(argument, dict) or not argument:
        raise ActionError(f"{what} takes a mapping of one of: {', '.join(known)}")
    word = next(iter(argument))
    if word not in known:
        raise ActionError(f"unknown {what} '{word}'; {guess(str(word), known)}")
    for other in list(argument)[1:]:
        if other not in beside:
            raise ActionError(f"{what} '{word}' takes no '{other}'")
    return word, argument[word]


def hold(sim: Simulation) -> float:
    """Seconds of board time that a key is held: faster than life, fingers stay as they are."""
    return HOLD * max(1, sim.clock.speed)


def gap(sim: Simulation) -> float:
    """Seconds of board time between two keys."""
    return GAP * max(1, sim.clock.speed)


async def key(sim: Simulation, argument: Any) -> None:
    """Press keys one after the other; a key is a character or a word in capitals."""
    pressed = str(argument).split()
    for name in pressed:
        if name not in KEYS:
            raise ActionError(f"unknown key '{name}'; {guess(name, KEYS)}")
    for name in pressed:
        sim.keypad.press(name)
        await asyncio.sleep(hold(sim))
        sim.keypad.release(name)
        await asyncio.sleep(gap(sim))


def take_in(sim: Simulation, path: Path) -> str:
    """A card of a file of its own joins the deck, and its accounts the issuer; the card's name.

    ActionError when the file describes no card, or one that is there already.
    """
    name, file = path.stem, path.resolve()
    if sim.own_cards.get(name) == file:
        return name
    if name in sim.own_cards or name in cards.names():
        raise ActionError(f"{path}: there is a card '{name}' already")
    try:
        sim.cards[name] = cards.load_file(file)
        sim.acquirer.issue_card(file)
    except (cards.PersonalisationError, DeckError) as error:
        sim.cards.pop(name, None)
        raise ActionError(f"{path} is no card: {error}") from None
    sim.own_cards[name] = file
    return name


def find_card(sim: Simulation, name: str) -> Any:
    """The card of that name as this simulation holds it: its counters live on."""
    if name in sim.cards:
        return sim.cards[name]
    if name in sim.own_cards:
        sim.cards[name] = cards.load_file(sim.own_cards[name])
    elif name in cards.names():
        sim.cards[name] = cards.load(name)
    else:
        known = [*cards.names(), *sim.own_cards]
        raise ActionError(f"unknown card '{name}'; {guess(name, known)}")
    return sim.cards[name]


async def card(sim: Simulation, argument: Any) -> None:
    """`{insert: NAME}`, `{tap: NAME}` or `{remove: NAME}`; with `at: N` it leaves at APDU N."""
    word, name = one(argument, ["insert", "tap", "remove"], "card", ("at",))
    chosen = find_card(sim, str(name))
    if word != "remove":
        chosen.leave_at = int(argument["at"]) if "at" in argument else None
    if word == "insert":
        _insert(sim, chosen)
    elif word == "tap":
        _tap(sim, chosen)
    elif sim.reader.card is chosen:
        sim.reader.remove()
    else:
        for held in (chosen, *chosen.companions):
            sim.nfc.untap(held)


def _insert(sim: Simulation, chosen: cards.Card) -> None:
    if not chosen.contact:
        raise ActionError(f"the card '{chosen.name}' has no chip contacts")
    if sim.reader.card is not None:
        raise ActionError(f"the slot holds the card '{sim.reader.card.name}': remove it first")
    sim.reader.insert(chosen)


def _tap(sim: Simulation, chosen: cards.Card) -> None:
    if not chosen.contactless:
        raise ActionError(f"the card '{chosen.name}' has no antenna")
    if chosen in sim.nfc.cards:
        raise ActionError(f"the card '{chosen.name}' is in the field already")
    for held in (chosen, *chosen.companions):
        if held not in sim.nfc.cards:
            sim.nfc.tap(held)


async def phone(sim: Simulation, argument: Any) -> None:
    """`{tap: NAME}`: a wallet, verified on the phone; with `verified: false` its owner has not
    proven themselves yet. Codes are not served yet."""
    word, name = one(argument, ["tap", "show", "scan"], "phone", ("verified",))
    if word != "tap":
        raise ActionError(f"phone '{word}' is not served by this terminal yet: it takes no codes")
    find_card(sim, str(name)).verified = bool(argument.get("verified", True))
    await card(sim, {"tap": name})


async def scan(sim: Simulation, argument: Any) -> None:
    """Codes are not served yet."""
    raise ActionError("scan is not served by this terminal yet: it takes no codes")


PAPER_WELL = {"paper": True, "near_end": False, "cover": False, "hot": False, "silent": False,
              "jam_line": None}


def _paper(sim: Simulation, value: Any) -> None:
    """One thing is wrong with the paper at a time: the last that was said."""
    states = {
        "out": {"paper": False}, "near-end": {"near_end": True}, "open": {"cover": True},
        "hot": {"hot": True}, "silent": {"silent": True},
    }
    if isinstance(value, dict) and "jam" in value:
        sim.printer.set(**{**PAPER_WELL, "jam_line": int(value["jam"])})
    elif isinstance(value, str) and value in states:
        sim.printer.set(**{**PAPER_WELL, **states[value]})
    else:
        raise ActionError(f"unknown paper fault '{value}'; {guess(str(value), list(states))}")


def _network(sim: Simulation, value: Any) -> None:
    """One thing is wrong with the network at a time, but latency and loss may come together."""
    amounts, words = {"latency": "latency_ms", "loss": "loss"}, ("off", "mute", "reset", "dns")
    certificates = ("expired", "wrong-host", "untrusted")
    if isinstance(value, dict):
        one(value, list(amounts), "network fault")
        wanted = {amounts[word]: amount for word, amount in value.items() if word in amounts}
    elif value in words:
        wanted = {value: True}
    elif value in certificates:
        wanted = {"tls": value}
    else:
        known = [*words, *certificates, *amounts]
        raise ActionError(f"unknown network fault '{value}'; {guess(str(value), known)}")
    now = vars(sim.network.faults)
    over = {name: well for name, well in vars(Faults()).items() if now[name] != well}
    sim.network.set(**{**over, **wanted})


def _reader(sim: Simulation, value: Any) -> None:
    if value != "mute":
        raise ActionError(f"unknown reader fault '{value}'; known: mute")
    sim.reader.mute = True


FAULTS: dict[str, tuple[Callable[[Simulation, Any], None], Callable[[Simulation], None]]] = {
    "paper": (_paper, lambda sim: sim.printer.set(**PAPER_WELL)),
    "network": (_network, lambda sim: sim.network.clear()),
    "reader": (_reader, lambda sim: setattr(sim.reader, "mute", False)),
}


async def fault(sim: Simulation, argument: Any) -> None:
    """Switch a fault on: `{paper: out|near-end|open|hot|silent|{jam: N}}`, `{reader: mute}`,
    `{network: off|mute|reset|dns|expired|wrong-host|untrusted|{latency: MS, loss: PERCENT}}`."""
    word, value = one(argument, list(FAULTS), "fault")
    FAULTS[word][0](sim, value)
    sim.faults[word] = value
    sim.events.emit("fault", name=word, value=value, active=True)


async def clear_fault(sim: Simulation, argument: Any) -> None:
    """Switch a fault off by name, or all of them."""
    names = list(FAULTS) if argument in (None, "all") else [str(argument)]
    for name in names:
        if name not in FAULTS:
            raise ActionError(f"unknown fault '{name}'; {guess(name, [*FAULTS, 'all'])}")
        FAULTS[name][1](sim)
        if sim.faults.pop(name, None) is not None:
            sim.events.emit("fault", name=name, value=None, active=False)


async def power(sim: Simulation, argument: Any) -> None:
    """`on`, `{cut: now}`, `{cut: {at-write: N}}`: the N-th flash operation from now is torn;
    `{cut: never}` takes that back."""
    if argument == "on":
        await sim.power_on()
        return
    _, value = one(argument, ["cut"], "power")
    if value == "now":
        await sim.power_off()
    elif value == "never":
        sim.cut_at_write(None)
    else:
        _, count = one(value, ["at-write"], "power cut")
        sim.cut_at_write(int(count))


async def host(sim: Simulation, argument: Any) -> None:
    """`silent`, `clear`, or `{respond: NN}`: the acquirer's next replies carry that code."""
    if argument == "silent":
        sim.acquirer.triggers.silent()
    elif argument == "clear":
        sim.acquirer.triggers.clear()
    else:
        _, code = one(argument, ["respond"], "host")
        sim.acquirer.triggers.respond(f"{code:02d}" if isinstance(code, int) else str(code))


async def advance(sim: Simulation, argument: Any) -> None:
    """Let so many seconds pass."""
    await asyncio.sleep(float(argument))


ACTIONS: dict[str, Callable[[Simulation, Any], Awaitable[None]]] = {
    "key": key, "card": card, "phone": phone, "scan": scan, "fault": fault,
    "clear-fault": clear_fault, "power": power, "host": host, "advance": advance,
}


async def perform(sim: Simulation, message: dict[str, Any]) -> None:
    """Do one action message; ActionError names what is unknown or cannot be done."""
    word, argument = one(message, list(ACTIONS), "action")
    await ACTIONS[word](sim, argument)

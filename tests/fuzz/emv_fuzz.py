"""Mutated card conversations against lib/emv, inside MicroPython and without a pipe between.

`emv_fuzz.py RECORDINGS FIRST COUNT [PLANT]` runs the conversations of seeds FIRST to
FIRST + COUNT - 1: a recording, answered by request, with one to three mutations of the card's
answers or of the host's reply. FIRST and COUNT as `-` and `-` run each recording once unharmed,
and then with the card pulled, and silent, at every APDU. It prints a line of JSON for each
conversation that broke a rule, its seed in it, and at last one with the figures of the run. With
a PLANT, a fault of `emv_plants.py`, it ends at the first conversation that finds it.
"""

import gc
import json
import sys
import time

import emv_plants
import pinmac
from emv import elements as e
from emv import outcome, terminal
from emv.authority import CaPublicKey
from emv.contact import ContactSession
from emv.contactless import ContactlessSession
from emv.errors import EmvError, SequenceError
from emv_judge import alone, any_value, assembled, online, tap
from emv_mutations import ALL, Chance, gone, located, silent
from emv_objects import first, parse
from emv_replayed import BYTES, Host, Recording, Replayed, Source
from errors import CardRemoved, CardSilent

# Bytes that one conversation may allocate in all, collected or not: the work done, in a measure
# that does not depend on the machine's load. The longest whole one allocates some 150 KB.
ALLOCATED = 1024 * 1024
ROOM = ALLOCATED + ALLOCATED // 2  # free heap at a conversation's beginning, else a collection
# Bytes alive at any APDU above what was there before (the aim for a transaction).
LIVE = 16 * 1024
# No conversation of APDUS answers takes seconds; this one hangs.
HUNG_MS = 20_000
METERED = 64  # every so many conversations `LIVE` is measured, by a collection at each APDU

DECISIONS = (e.APPROVED, e.DECLINED)
OUTCOMES = (
    outcome.APPROVED, outcome.DECLINED, outcome.GO_ONLINE, outcome.TRY_ANOTHER_INTERFACE,
    outcome.PRESENT_AGAIN, outcome.SEE_PHONE, outcome.END,
)  # fmt: skip
DEFINED = (
    "CardRemoved", "CardSilent", "EmvError", "CardDataError", "CardStatusError", "CardBlocked",
    "ApplicationBlocked", "NoApplication", "SelectionCancelled", "ConditionsNotSatisfied",
    "IssuerDataError",
)  # fmt: skip
_GPO = 0xA8


def finished(work: object) -> object:
    """What a coroutine that never waits comes to."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("the library waited for something")


async def contact(session: ContactSession, card: Replayed, host: Host) -> "tuple[str, str]":
    """A contact sale as flows drive it: the decision, and what the judge has against it."""
    pins = list(host.recording.pins)

    async def choose(labels: list) -> int:
        return 0

    async def pin(method: str, tries: "int | None") -> str:
        if method != e.CVM_OFFLINE_PIN:
            return e.PIN_ENTERED
        if not pins:
            return e.PIN_BYPASSED
        pinmac.pin_begin(4, 12)
        for digit in pins.pop():
            pinmac.pin_digit(int(digit))
        return e.PIN_ENTERED

    await session.application_selection(choose)
    await session.initiate_application_processing()
    await session.read_application_data()
    await session.offline_data_authentication()
    await session.processing_restrictions()
    await session.cardholder_verification(pin)
    await session.terminal_risk_management()
    await session.terminal_action_analysis()
    decision = await session.card_action_analysis()
    if decision != e.ONLINE:
        return decision, "alone"
    reply = host(session)
    if reply is None:
        return await session.unable_to_go_online(), "alone"
    await session.online_processing(reply["code"], bytes.fromhex(reply["field55"]))
    return await session.completion(), "online"


async def tapped(session: ContactlessSession) -> "tuple[str, str]":
    """A tap as flows drive it."""
    result = session.pre_processing() or await session.perform()
    if result.kind == outcome.GO_ONLINE:
        return result.kind, "sent"
    return result.kind, "tap"


class Run:
    """Many conversations with the same terminal, and the figures of them."""

    def __init__(self, recordings: list) -> None:
        self.recordings = recordings
        authorities = [CaPublicKey.from_text(each) for each in recordings[0]["wish"]["ca"]]
        self.terminal = terminal.Terminal(Source(1), authorities=authorities)
        self.recordings = [Recording(told) for told in recordings]
        self.done = self.apdus = self.bytes = self.live = self.allocated = 0
        self.failures = 0
        self.came = dict.fromkeys(DEFINED + DECISIONS + OUTCOMES, 0)

    def seeded(self, seed: int) -> None:
        """The conversation of one seed."""
        chance = Chance(seed)
        recording = self.recordings[chance.below(len(self.recordings))]
        faults = {}
        for _ in range(1 + (chance.below(10) > 6) + (chance.below(10) > 7)):
            mutation = ALL[chance.below(len(ALL))]
            faults[recording.number(chance)] = (mutation, chance.below(5) == 0)
        fault = chance.below(6) if chance.below(6) == 0 else 0
        if fault and chance.below(2):
            faults = {}
        generous = chance.below(8) == 0
        if generous and chance.below(2):
            faults = {recording.options: (located, False)}
        card = Replayed(recording, faults, chance, chance.below(2) == 0, generous)
        host = Host(recording, chance, fault)
        self.one(str(seed), recording, card, host, seed % METERED == 0)

    def one(
        self, seed: str, recording: Recording, card: Replayed, host: Host, metered: bool = False
    ) -> str:
        """Run a conversation and say what is wrong with it. What it came to."""
        pos = self.terminal
        pos.random, pos.applications = Source(1), recording.applications
        kind = ContactlessSession if recording.contactless else ContactSession
        session = kind(card.exchange, pos, recording.transaction)
        if metered:
            card.judged = False
            gc.collect()
            card.base = gc.mem_alloc()
        elif gc.mem_free() < ROOM:
            gc.collect()
        before, begun = gc.mem_alloc(), time.ticks_ms()
        manner = wrong = ""
        try:
            work = tapped(session) if recording.contactless else contact(session, card, host)
            came, manner = finished(work)
            if came not in (OUTCOMES if recording.contactless else DECISIONS):
                wrong = f"came to {came}"
        except SequenceError as error:
            came, wrong = "SequenceError", str(error)
        except (EmvError, CardRemoved, CardSilent) as error:
            came = type(error).__name__
            if recording.contactless:
                wrong = f"a tap raised {came}: {error}"
        except Exception as error:  # noqa: BLE001 -- what is not defined is what is looked for
            came, wrong = type(error).__name__, f"{type(error).__name__}: {error}"
        taken = time.ticks_diff(time.ticks_ms(), begun)
        used = gc.mem_alloc() - before
        if card.judged and not wrong:
            wrong = self._against(recording, card, host, session, came, manner)
        session.wipe()
        self._figures(card, used, came)
        wrong = wrong or self._bounds(card, used, taken) or self._remains()
        if wrong:
            self.failures += 1
            told = {"seed": seed, "recording": recording.name, "came": came, "wrong": wrong}
            print(json.dumps(told))
        return came

    def _against(
        self, recording: Recording, card: Replayed, host: Host, session: object, came: str,
        manner: str,
    ) -> str:  # fmt: skip
        """What the judge has against it."""
        if came not in (e.APPROVED, outcome.GO_ONLINE):
            return ""
        said = assembled(card.log)
        if manner == "sent":
            request = dict(parse(session.field55()) or ())
            if request.get(b"\x9f\x26") != any_value(said, b"\x9f\x26"):
                return "field 55 has a cryptogram that this card did not give"
            return ""
        if manner == "tap":
            return tap(said, recording.true, recording.signed)
        if manner == "online":
            reply = host.said or {}
            issuer = first(parse(bytes.fromhex(reply.get("field55", ""))), b"\x91")
            authenticates = recording.authenticates and issuer is not None
            authenticates = authenticates and self._takes(said)
            return online(said, recording.true, host.said, authenticates)
        return alone(said, recording.true, recording.signed)

    def _takes(self, said: list) -> bool:
        """Whether the card of this conversation said that it takes EXTERNAL AUTHENTICATE."""
        for each in said:
            if each.command[1] == _GPO and each.status == 0x9000:
                nodes = parse(each.data)
                profile = first(nodes, b"\x82") or first(nodes, b"\x80") or b"\x00"
        return bool(profile[0] & e.AIP_ISSUER_AUTHENTICATION)

    def _figures(self, card: Replayed, used: int, came: str) -> None:
        self.done += 1
        self.came[came] = self.came.get(came, 0) + 1
        self.apdus = max(self.apdus, card.apdus)
        self.bytes = max(self.bytes, card.bytes)
        self.live = max(self.live, card.live)
        if card.judged:
            self.allocated = max(self.allocated, used)

    def _bounds(self, card: Replayed, used: int, taken: int) -> str:
        if card.bytes > BYTES:
            return f"{card.bytes} bytes were exchanged"
        if card.judged and used > ALLOCATED:
            return f"{used} bytes were allocated"
        if card.live > LIVE:
            return f"{card.live} bytes were alive at once"
        return f"it took {taken} ms" if taken > HUNG_MS else ""

    def _remains(self) -> str:
        keys = self.terminal.keys
        held = (self.terminal.store, keys.issuer, keys.card, keys.pin)
        return "data were left behind" if any(any(each.buffer) for each in held) else ""


def every_step(run: Run) -> None:
    """Each recording unharmed, which must come to what it came to; then removed at each APDU."""
    for recording in run.recordings:
        plain = Chance(1)
        card = Replayed(recording, {}, plain)
        came = run.one(f"{recording.name}, unharmed", recording, card, Host(recording, plain, 0))
        if came != recording.decision:
            run.failures += 1
            told = {"seed": f"{recording.name}, unharmed", "wrong": f"came to {came}"}
            print(json.dumps(told))
        for number in range(len(recording.steps)):
            for mutation in (gone, silent):
                card = Replayed(recording, {number: (mutation, True)}, plain)
                name = f"{recording.name}, {mutation.__name__} at {number}"
                came = run.one(name, recording, card, Host(recording, plain, 0))
                if came == e.APPROVED and number < len(recording.steps) - 1:
                    run.failures += 1
                    print(json.dumps({"seed": name, "wrong": "approved without its card"}))


def main() -> None:
    """See this module's first lines."""
    with open(sys.argv[1]) as file:
        run = Run(json.load(file))
    planted = sys.argv[4] if len(sys.argv) > 4 else ""
    emv_plants.plant(planted)
    # Once through everything: modules, dictionaries and the interpreter's caches grow to size.
    # MicroPython interns strings of one character for ever: there are only so many.
    for code in range(256):
        chr(code)
    for seed in range(100):
        run.seeded(1_000_000_007 + seed)
    gc.collect()
    before = gc.mem_alloc()
    gc.disable()  # `Run.one` collects: so a conversation's allocations can be told
    if sys.argv[2] == "-":
        every_step(run)
    else:
        for seed in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[3])):
            run.seeded(seed)
            if planted and run.failures:
                break
    gc.collect()
    grown = gc.mem_alloc() - before
    print(json.dumps({
        "done": run.done, "failures": run.failures, "grown": grown, "apdus": run.apdus,
        "bytes": run.bytes, "live": run.live, "allocated": run.allocated, "came": run.came,
    }))  # fmt: skip


main()

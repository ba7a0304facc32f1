"""Runs inside MicroPython: lib/emv driven over standard input and output, many sessions a process.

A line of JSON starts a session; every APDU goes out as `> HEX` and its answer comes in as HEX, or
as `gone` or `silent`. The session ends with `= JSON`. The host's reply is asked for with `? JSON`
(field 55, track 2) and comes as JSON: {"code", "field55"} or null for no answer.
"""

import asyncio
import gc
import json
import sys

import pinmac
from emv import elements, issuer_certificate
from emv.authority import CaPublicKey
from emv.contact import ContactSession
from emv.contactless import ContactlessSession
from emv.errors import EmvError, NotAuthentic
from emv.session import Session, Track2
from emv.terminal import Terminal, Transaction
from errors import CardRemoved, CardSilent


def ask(line: str) -> str:
    """One line out, one line in."""
    sys.stdout.write(line + "\n")
    answer = sys.stdin.readline()
    if not answer:
        raise SystemExit(1)
    return answer.strip()


class Meter:
    """What a session holds on the heap while its commands are out, and what it allocated.

    live: the most bytes alive at an exchange. allocated: the library's, collected or not; this
    driver's own strings are left out.
    """

    def __init__(self) -> None:
        gc.collect()
        self.start = self.mark = gc.mem_alloc()
        self.live = self.allocated = 0

    def out(self) -> None:
        self.allocated += gc.mem_alloc() - self.mark
        gc.collect()
        self.live = max(self.live, gc.mem_alloc() - self.start)

    def back(self) -> None:
        self.mark = gc.mem_alloc()


meters = []


async def exchange(command: bytes) -> bytes:
    """One APDU, answered by the host's card."""
    for meter in meters:
        meter.out()
    answer = ask("> " + command.hex())
    for meter in meters:
        meter.back()
    if answer == "gone":
        raise CardRemoved("the card was pulled")
    if answer == "silent":
        raise CardSilent("the card is silent")
    return bytes.fromhex(answer)


class Source:
    """A counter in place of random numbers, so that a session can be repeated."""

    def __init__(self, seed: int) -> None:
        self.value = seed

    def __call__(self, size: int) -> bytes:
        self.value = (self.value * 1103515245 + 12345) & 0x3FFFFFFF
        return self.value.to_bytes(4, "big")[-size:]


def hot_list(listed: list) -> object:
    """The terminal's exception file."""
    return lambda pan, psn: pan in listed


def typed(pins: list, count: int) -> str:
    """The payer's offline PIN of this entry, typed into pinmac; none is passing it over."""
    if count > len(pins) or not pins[count - 1]:
        return elements.PIN_BYPASSED
    pinmac.pin_begin(4, 12)
    for digit in pins[count - 1]:
        pinmac.pin_digit(int(digit))
    return elements.PIN_ENTERED


def transaction(wish: dict) -> Transaction:
    """The transaction a session's line describes."""
    return Transaction(
        wish["amount"],
        wish["date"],
        wish.get("time", "120000"),
        other=wish.get("other", 0),
        kind=wish.get("kind", 0),
        forced_online=wish.get("forced", False),
    )


def told(session: object, result: dict) -> dict:
    """What the session knows at its end."""
    data = session.data
    if data.owner is session:
        result["tags"] = {f"{tag:X}": data.get(tag).hex().upper() for tag in data.tags()}
        result["tvr"], result["tsi"] = session.tvr.hex(), session.tsi.hex()
        result["receipt"] = session.receipt()
        result["field55"] = session.field55().hex()
    result["cvm"] = session.cvm
    result["oda"], result["fault"] = session.oda, session.oda_fault
    result["reversal"] = session.reversal_reason
    if session.track2 is not None:
        track = session.track2
        result["track2"] = [track.pan, track.expiry, track.service_code, track.masked]
        result["text"], result["psn"] = track.text, session.psn
    return result


async def contact(wish: dict, terminal: Terminal) -> dict:
    """A contact sale as flows drive it."""
    asked, left = [], []

    async def choose(labels: list) -> "int | None":
        asked.append(labels)
        return wish.get("choice", 0)

    async def pin(method: str, tries: "int | None") -> str:
        asked.append(method)
        if method == elements.CVM_OFFLINE_PIN:
            left.append(tries)
            return typed(wish.get("pins", []), len(left))
        return wish.get("pin", elements.PIN_ENTERED)

    session = ContactSession(exchange, terminal, transaction(wish))
    result = {"asked": asked, "tries": left}
    try:
        await session.application_selection(choose)
        await session.initiate_application_processing()
        await session.read_application_data()
        await session.offline_data_authentication()
        await session.processing_restrictions()
        await session.cardholder_verification(pin)
        await session.terminal_risk_management()
        result["wanted"] = await session.terminal_action_analysis()
        decision = result["first"] = await session.card_action_analysis()
        if decision == elements.ONLINE:
            request = {"field55": session.field55().hex(), "text": session.track2.text}
            reply = json.loads(ask("? " + json.dumps(request)))
            if reply is None:
                decision = await session.unable_to_go_online()
            else:
                field55 = bytes.fromhex(reply["field55"])
                await session.online_processing(reply["code"], field55)
                decision = await session.completion()
        result["decision"], result["code"] = decision, session.response_code
    except (EmvError, CardRemoved, CardSilent) as error:
        result["error"], result["words"] = type(error).__name__, str(error)
    told(session, result)
    result["keys"] = {"issuer": modulus(session.keys.issuer), "card": modulus(session.keys.card)}
    session.wipe()
    result["left"], result["entry"] = remains(terminal), open_entry()
    return result


def modulus(key: object) -> str:
    """A recovered key in hex."""
    return key.modulus.hex().upper()


async def issuer(wish: dict, terminal: Terminal) -> dict:
    """Recover an issuer's key from elements alone, without a card."""
    session = Session(exchange, terminal, transaction(wish))
    session.begin()
    session.data.put(elements.DEDICATED_FILE_NAME, terminal.applications[0].aid)
    session.data.put(elements.TRACK_2_EQUIVALENT_DATA, bytes.fromhex(wish["pan"] + "D3012220"))
    session.track2 = Track2(session.data)
    for tag in wish["elements"]:
        session.data.put(int(tag, 16), bytes.fromhex(wish["elements"][tag]))
    result = {"fault": ""}
    try:
        issuer_certificate.recover_key(session)
    except NotAuthentic as error:
        result["fault"] = str(error)
    result["issuer"] = modulus(session.keys.issuer)
    session.wipe()
    return result


def open_entry() -> int:
    """1 while a PIN entry is open in pinmac."""
    try:
        pinmac.pin_len()
    except pinmac.StateError:
        return 0
    return 1


def remains(terminal: Terminal) -> bool:
    """Whether anything of the card is left in the library's buffers."""
    keys = terminal.keys
    held = (terminal.store, keys.issuer, keys.card, keys.pin)
    return any(any(each.buffer) for each in held)


async def tap(wish: dict, terminal: Terminal) -> dict:
    """A tap as flows drive it."""
    session = ContactlessSession(exchange, terminal, transaction(wish))
    outcome = session.pre_processing() or await session.perform()
    result = {"outcome": outcome.kind, "words": outcome.reason, "verify": outcome.cvm}
    told(session, result)
    session.wipe()
    result["left"] = remains(terminal)
    return result


def main() -> None:
    """Sessions until the input ends."""
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        wish = json.loads(line)
        data = {int(tag, 16): bytes.fromhex(wish["data"][tag]) for tag in wish.get("data", {})}
        terminal = Terminal(
            Source(wish.get("seed", 1)),
            data,
            authorities=[CaPublicKey.from_text(each) for each in wish.get("ca", [])],
            revoked=tuple(bytes.fromhex(each) for each in wish.get("revoked", [])),
            exceptions=hot_list(wish.get("exceptions", [])),
        )
        for application in terminal.applications:
            for name in wish.get("application", {}):
                value = wish["application"][name]
                raw = bytes.fromhex(value) if isinstance(value, str) else value
                setattr(application, name, raw)
        run = {"contactless": tap, "contact": contact, "issuer": issuer}[wish["interface"]]
        if wish.get("meter"):
            meters.append(Meter())
        result = asyncio.run(run(wish, terminal))
        while meters:
            meter = meters.pop()
            meter.out()
            result["live"], result["allocated"] = meter.live, meter.allocated
        sys.stdout.write("= " + json.dumps(result) + "\n")


main()

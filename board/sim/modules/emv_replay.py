"""lib/emv against a card at the other end of standard input and output: `pos emv --replay`.

One line of JSON says what the terminal is. Then lines go out: `# phase`, `> APDU`, `? question`,
`~ {"tvr", "tsi"}` behind a phase, and `= {…}` at the end. An APDU and a question are answered with
a line: hex, or `gone`, `silent`, `stop` (nobody can answer: the session ends where it stands).
"""

import asyncio
import json
import sys
from binascii import unhexlify

import pinmac
from emv import elements as e
from emv import outcome as outcomes
from emv.authority import CaPublicKey
from emv.contact import ContactSession
from emv.contactless import ContactlessSession
from emv.errors import EmvError, SequenceError
from emv.terminal import Application, Terminal, Transaction, default_applications
from errors import CardRemoved, CardSilent


class Stopped(Exception):
    """The other end has no answer to the last request."""


def say(mark: str, text: str) -> None:
    """One line out."""
    sys.stdout.write(mark + " " + text + "\n")


def ask(mark: str, text: str) -> str:
    """One line out, one line in."""
    say(mark, text)
    answer = sys.stdin.readline()
    if not answer:
        raise SystemExit(1)
    answer = answer.strip()
    if answer == "stop":
        raise Stopped()
    return answer


async def exchange(command: bytes) -> bytes:
    """One APDU to the recorded card."""
    answer = ask(">", command.hex())
    if answer == "gone":
        raise CardRemoved("the card was removed")
    if answer == "silent":
        raise CardSilent("the card does not answer")
    return unhexlify(answer)


async def choose(labels: "list[str]") -> "int | None":
    """Which application the recorded conversation went on with."""
    return json.loads(ask("?", json.dumps({"choose": labels})))


async def enter(method: str, tries: "int | None") -> str:
    """What the payer did with the PIN pad.

    Which PIN the payer typed is not recorded: any four digits are enciphered in its place, since
    the recorded card does not decipher them.
    """
    answer = json.loads(ask("?", json.dumps({"pin": method, "tries": tries})))
    if method == e.CVM_OFFLINE_PIN and answer == e.PIN_ENTERED:
        pinmac.pin_begin(4, 12)
        for _ in range(4):
            pinmac.pin_digit(0)
    return answer


class Numbers:
    """The recorded unpredictable numbers one after another, and the recorded draw."""

    def __init__(self, numbers: "list[bytes]", draw: int) -> None:
        self.numbers = numbers
        self.draw = draw
        self.count = 0

    def __call__(self, size: int) -> bytes:
        if size == 4 and self.numbers:
            return self.numbers.pop(0)
        if size == 1:
            return bytes((self.draw,))
        self.count += 1
        return bytes((self.count + at) & 0xFF for at in range(size))


def applications(wish: dict) -> "list[Application]":
    """Parameters that are not told are those of the terminal's own table."""
    known = {application.aid: application for application in default_applications()}
    result = []
    for told in wish["applications"]:
        aid = unhexlify(told["aid"])
        application = known.get(aid) or Application(aid)
        for name in told:
            value = told[name]
            if name != "aid":
                setattr(application, name, unhexlify(value) if isinstance(value, str) else value)
        result.append(application)
    return result


def build(wish: dict) -> "tuple[Terminal, Transaction]":
    """The terminal and the transaction of the first line."""
    numbers = Numbers([unhexlify(number) for number in wish["numbers"]], wish["draw"])
    hot = wish["exception_file"]
    terminal = Terminal(
        numbers,
        {int(tag, 16): unhexlify(wish["terminal"][tag]) for tag in wish["terminal"]},
        applications(wish),
        exceptions=lambda pan, psn: hot,
        authorities=[CaPublicKey.from_text(key) for key in wish["ca_keys"]],
    )
    transaction = Transaction(
        wish["amount"], "000000", "000000", other=wish["other"], forced_online=wish["forced"]
    )
    for tag in wish["transaction"]:
        transaction.data[int(tag, 16)] = unhexlify(wish["transaction"][tag])
    return terminal, transaction


def state(session: object) -> "dict[str, str]":
    """TVR and TSI as they stand."""
    if session.data.owner is not session:
        return {}
    data = session.data
    names = (("tvr", e.TERMINAL_VERIFICATION_RESULTS), ("tsi", e.TRANSACTION_STATUS_INFORMATION))
    return {name: data.get(tag).hex() for name, tag in names if tag in data}


# Phase → the list whose request it sends, with values that a terminal may have made anew.
LISTS = {
    "initiate_application": e.PDOL, "data_authentication": e.DDOL,
    "card_action_analysis": e.CDOL1, "completion": e.CDOL2, "unable_to_go_online": e.CDOL2,
}  # fmt: skip
values: "dict[str, dict[str, str]]" = {}


async def phase(session: object, name: str, work: object) -> object:
    """Announce a phase, do it, say what it left in TVR and TSI, whether it came to its end."""
    say("#", name)
    recorded = values.get(f"{LISTS.get(name, 0):X}", {})
    for tag in recorded:
        session.data.put(int(tag, 16), unhexlify(recorded[tag]))
    try:
        return await work
    finally:
        say("~", json.dumps(state(session)))


async def contact(session: ContactSession, result: dict) -> None:
    """A contact transaction as flows drive it."""
    await phase(session, "application_selection", session.application_selection(choose))
    await phase(session, "initiate_application", session.initiate_application_processing())
    await phase(session, "read_application_data", session.read_application_data())
    await phase(session, "data_authentication", session.offline_data_authentication())
    await phase(session, "processing_restrictions", session.processing_restrictions())
    await phase(session, "cardholder_verification", session.cardholder_verification(enter))
    await phase(session, "terminal_risk_management", session.terminal_risk_management())
    await phase(session, "terminal_action_analysis", session.terminal_action_analysis())
    first = await phase(session, "card_action_analysis", session.card_action_analysis())
    result["first"] = result["decision"] = first
    if first == e.ONLINE:
        reply = json.loads(ask("?", json.dumps({"host": True})))
        if reply == "none":
            return
        if reply is None:
            done = session.unable_to_go_online()
            result["decision"] = await phase(session, "unable_to_go_online", done)
        else:
            answered = session.online_processing(reply["code"], unhexlify(reply["field55"]))
            await phase(session, "online_processing", answered)
            result["decision"] = await phase(session, "completion", session.completion())
    result["code"] = session.response_code


async def tap(session: ContactlessSession, result: dict) -> None:
    """A tap; as often again as the recording goes on with one."""
    outcome = session.pre_processing()
    while outcome is None:
        outcome = await phase(session, "contactless", session.perform())
        if outcome.kind in (outcomes.SEE_PHONE, outcomes.PRESENT_AGAIN):
            result["taps"] = result.get("taps", []) + [[outcome.kind, outcome.reason]]
            if json.loads(ask("?", json.dumps({"again": outcome.kind}))):
                outcome = None
    result["outcome"], result["reason"] = outcome.kind, outcome.reason
    result["decision"], result["verify"] = outcome.kind, outcome.cvm


def told(session: object, result: dict) -> None:
    """What the session knows at its end."""
    data = session.data
    if data.owner is session:
        result["elements"] = {f"{tag:X}": data.get(tag).hex() for tag in data.tags()}
        result["arqc"] = session.arqc.hex() if session.arqc else ""
        result["label"] = session.label
    result["cvm"] = session.cvm
    result["oda"], result["oda_fault"] = session.oda, session.oda_fault
    result["reversal"] = session.reversal_reason
    try:
        used = session.application
    except SequenceError:
        return  # none was selected
    result["tac"] = [code.hex() for code in (used.tac_denial, used.tac_online, used.tac_default)]


async def run(wish: dict) -> dict:
    """One session to its end, however it ends."""
    terminal, transaction = build(wish)
    values.update(wish["each"])
    kind = ContactlessSession if wish["interface"] == "contactless" else ContactSession
    session = kind(exchange, terminal, transaction)
    result = {}
    try:
        await (tap if kind is ContactlessSession else contact)(session, result)
    except Stopped:
        result["stopped"] = True
    except (EmvError, CardRemoved, CardSilent) as error:
        result["error"], result["sentence"] = type(error).__name__, str(error)
    told(session, result)
    session.wipe()
    return result


say("=", json.dumps(asyncio.run(run(json.loads(sys.stdin.readline())))))

"""A contact sale by lib/emv inside MicroPython; `test_contact_sale.py` puts MODE and GIVEN first.

record: APDUs (`>`) and the request to the host (`?`) are printed, and their answers read. replay:
both answer from what was recorded. Each ends with what the sale came to (`=`); the replay also
pulls the card at every APDU, and tells of each sale the heap's peak over what was there before,
and that.
"""
# ruff: noqa: F821 - MODE and GIVEN are written before this text

import gc
import sys

from emv import elements as e
from emv.authority import CaPublicKey
from emv.contact import ContactSession
from emv.terminal import Terminal, Transaction
from errors import CardRemoved


class Source:
    """A counter for random numbers: a replay asks what the recording asked."""

    value = 1

    def __call__(self, size: int) -> bytes:
        self.value = (self.value * 1103515245 + 12345) & 0x3FFFFFFF
        return self.value.to_bytes(4, "big")[-size:]


class Wire:
    """Card and host at the other end of this program's input and output."""

    async def exchange(self, command: bytes) -> bytes:
        """One APDU."""
        print(">", command.hex())
        return bytes.fromhex(sys.stdin.readline().strip())

    def host(self, session: ContactSession) -> "tuple[str, bytes]":
        """The response code, and field 55 of the reply."""
        print("?", session.field55().hex(), session.track2.text)
        code, field55 = sys.stdin.readline().strip().split(" ")
        return code, bytes.fromhex(field55)


class Recorded:
    """Card and host as they were; the card is pulled at APDU `leaves_at` (0: the first)."""

    def __init__(self, given: dict) -> None:
        self.steps = [(bytes.fromhex(ask), bytes.fromhex(said)) for ask, said in given["steps"]]
        self.reply = given["code"], bytes.fromhex(given["field55"])
        self.asked = given["request"]
        self.begin(len(self.steps))

    def begin(self, leaves_at: int) -> None:
        """Another sale."""
        gc.collect()
        self.at, self.leaves_at = 0, leaves_at
        self.before = self.live = gc.mem_alloc()

    async def exchange(self, command: bytes) -> bytes:
        """The next answer; the question must be the recorded one."""
        gc.collect()
        self.live = max(self.live, gc.mem_alloc())
        if self.at == self.leaves_at:
            raise CardRemoved("pulled")
        ask, said = self.steps[self.at]
        assert ask == command, f"{command.hex()} was not asked when this was recorded"
        self.at += 1
        return said

    def host(self, session: ContactSession) -> "tuple[str, bytes]":
        """The recorded reply to the recorded request."""
        assert session.field55().hex() == self.asked
        return self.reply


async def entered(method: str, tries: "int | None") -> str:
    """The payer types the online PIN."""
    assert method == e.CVM_ONLINE_PIN and tries is None
    return e.PIN_ENTERED


async def sale(session: ContactSession, other: "Wire | Recorded") -> str:
    """Every phase in its order; the decision."""
    await session.application_selection()
    await session.initiate_application_processing()
    await session.read_application_data()
    await session.offline_data_authentication()
    await session.processing_restrictions()
    await session.cardholder_verification(entered)
    await session.terminal_risk_management()
    await session.terminal_action_analysis()
    first = await session.card_action_analysis()
    assert first == e.ONLINE, first
    code, field55 = other.host(session)
    await session.online_processing(code, field55)
    return await session.completion()


def sold(pos: Terminal, other: "Wire | Recorded") -> str:
    """One sale; what it came to, in one line."""
    pos.random = Source()
    session = ContactSession(other.exchange, pos, transaction)
    try:
        sale(session, other).send(None)
    except StopIteration as done:
        facts = session.receipt()
        told = [facts[name] for name in ("arqc", "ac", "tvr", "tsi", "atc", "aid")]
        proof = session.oda_fault or session.oda
        return " ".join([done.value, session.cvm, session.track2.pan[-4:], proof] + told)
    except CardRemoved:
        return "pulled"
    finally:
        session.wipe()
    raise RuntimeError("the library waited for something")


pos = Terminal(Source(), authorities=[CaPublicKey.from_text(key) for key in GIVEN["ca"]])
transaction = Transaction(1234, "261123", "120000", sequence=1)
if MODE == "record":
    print("=", sold(pos, Wire()))
else:
    other = Recorded(GIVEN)
    whole = len(other.steps)
    for count, leaves_at in enumerate([whole] * 2 + list(range(whole, -1, -1)) + [whole]):
        other.begin(leaves_at)
        came = sold(pos, other)
        if count >= 2:  # what is loaded and made once is not counted
            print("=", came)
            print("heap", other.live - other.before, other.before)

"""A recorded card and its host, for `emv_fuzz.py`; both with faults. Runs inside MicroPython."""

import gc

from emv import elements as e
from emv import terminal
from emv_judge import assembled, genuine
from emv_mutations import ALL, Chance
from emv_objects import encoded, first, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from emv.contact import ContactSession

# The bounds of one conversation, from the limits that lib/emv sets itself.
#
# Commands on contacts: 1 SELECT of the PSE and 16 records of it; 16 names by SELECT NEXT and two
# more SELECTs for each of 4 AIDs; 16 candidates chosen and refused, 2 commands each (Book 1 12.4);
# 64 records; 3 GET DATA; INTERNAL AUTHENTICATE; 15 PIN tries of 2; 2 GENERATE AC; EXTERNAL
# AUTHENTICATE; 4 scripts of 16 commands. A tap has fewer. Each may take 4 rounds of 61xx and 6Cxx.
COMMANDS = 1 + 16 + 16 + 2 * 4 + 16 * 2 + 64 + 3 + 1 + 15 * 2 + 2 + 1 + 4 * 16
APDUS = 4 * COMMANDS
# Short APDUs (ISO 7816-3 12.1.3): 261 bytes out, 258 in; 300 where a card breaks even that.
BYTES = APDUS * (261 + 300)
_SELECT, _READ, _AUTHENTICATE, _AC, _GPO = 0xA4, 0xB2, 0x82, 0xAE, 0xA8


class Endless(Exception):
    """More APDUs than any defined outcome needs."""


class Source:
    """The counter that stood in for random numbers when the conversation was recorded."""

    def __init__(self, seed: int) -> None:
        self.value = seed

    def __call__(self, size: int) -> bytes:
        self.value = (self.value * 1103515245 + 12345) & 0x3FFFFFFF
        return self.value.to_bytes(4, "big")[-size:]


class Recording:
    """A conversation as it was recorded, ready to be answered from."""

    def __init__(self, told: dict) -> None:
        self.name = told["name"]
        self.steps = [(bytes.fromhex(ask), bytes.fromhex(said)) for ask, said in told["steps"]]
        self.true = assembled(self.steps)
        self.signed = [bytes.fromhex(command) for command in told["signed"]]
        self.reply = told["reply"]
        self.decision = told["decision"]
        self.text = told["text"]
        self.contactless = told["wish"]["interface"] == "contactless"
        tags = told["elements"]
        self.elements = {bytes.fromhex(tag): bytes.fromhex(tags[tag]) for tag in tags}
        # The 9F26 that the host saw is the first one, not what the second GENERATE AC left.
        asked = [each for each in self.true if each.command[1] == _AC]
        self.request = dict(self.elements)
        for tag in (b"\x9f\x26", b"\x9f\x36", b"\x9f\x10"):
            if asked and asked[0].value(tag) is not None:
                self.request[tag] = asked[0].value(tag)
        if told["arqc"]:
            self.request[b"\x9f\x26"] = bytes.fromhex(told["arqc"])
        wish = told["wish"]
        self.applications = terminal.default_applications()
        for application in self.applications:
            for name in wish["application"]:
                value = wish["application"][name]
                raw = bytes.fromhex(value) if isinstance(value, str) else value
                setattr(application, name, raw)
        self.pins = wish["pins"]
        # The APDU number of GET PROCESSING OPTIONS, and where a fault does the most.
        numbers = range(len(self.steps))
        self.options = max([at for at in numbers if self.steps[at][0][1] == _GPO] or [0])
        grave = (_GPO, _AC, 0x88, _AUTHENTICATE)
        self.grave = [at for at in numbers if self.steps[at][0][1] in grave] or [0]
        self.transaction = terminal.Transaction(
            wish["amount"], wish["date"], "120000", forced_online=wish.get("forced", False)
        )
        authenticates = self.elements.get(b"\x82", b"\x00")[0] & e.AIP_ISSUER_AUTHENTICATION
        self.authenticates = bool(authenticates) and bool(self.reply)

    def number(self, chance: Chance) -> int:
        """The APDU for a fault: one time in three one that decides, else any."""
        if chance.below(3) == 0:
            return self.grave[chance.below(len(self.grave))]
        return chance.below(len(self.steps))


class Replayed:
    """The card: it answers by recorded request, and its faults befall it by APDU number.

    faults: APDU number → (mutation, whether it stays). willing: it gives its recorded second
    cryptogram to other data than the recorded too, as a card does that does not look. generous:
    it has a record for every number and an application for every name, without end.
    """

    def __init__(
        self, recording: Recording, faults: dict, chance: Chance, willing: bool = False,
        generous: bool = False,
    ) -> None:  # fmt: skip
        self.steps = recording.steps
        self.faults = faults
        self.chance = chance
        self.willing = willing
        self.generous = generous
        self.at = self.apdus = self.bytes = self.cryptograms = 0
        self.sticky: object | None = None
        self.log: list = []
        self.judged = True
        self.base = self.live = 0

    async def exchange(self, command: bytes) -> bytes:
        """One APDU."""
        if not self.judged:
            gc.collect()
            self.live = max(self.live, gc.mem_alloc() - self.base)
        number = self.apdus
        self.apdus += 1
        self.bytes += len(command)
        if number >= APDUS:
            raise Endless(f"{number} APDUs and no end")
        answer = self._known(command)
        mutation = self.sticky
        if number in self.faults:
            mutation, stays = self.faults[number]
            if stays:
                self.sticky = mutation
        if mutation is not None:
            answer = mutation(answer, self.chance)
        self.bytes += len(answer)
        if self.judged:
            self.log.append((command, answer))
        return answer

    def _known(self, command: bytes) -> bytes:
        """The recorded answer: the next one to this request, else any, else by its header."""
        steps, size = self.steps, len(self.steps)
        if command[1] == _AC:
            self.cryptograms += 1
        for at in range(self.at, self.at + size):
            if steps[at % size][0] == command:
                self.at = at % size + 1
                if self.generous and steps[at % size][1] == b"\x6a\x83":
                    break
                return steps[at % size][1]
        return self._unknown(command)

    def _unknown(self, command: bytes) -> bytes:
        instruction = command[1]
        if instruction == _SELECT:
            return self._application(command) if self.generous else b"\x6a\x82"
        if instruction == _READ:
            return self._record() if self.generous else b"\x6a\x83"
        if instruction == _AUTHENTICATE:
            return b"\x63\x00"  # another issuer's answer is never right
        if instruction == _AC:
            return self._cryptogram(command)
        for ask, said in self.steps:
            if ask[:4] == command[:4]:
                return said
        return b"\x6d\x00"

    def _application(self, command: bytes) -> bytes:
        """An FCI for whatever is asked for; for the next one, another each time."""
        name = command[5 : 5 + command[4]] + (bytes((self.apdus,)) if command[3] & 2 else b"")
        inside = [[b"\x50", b"CARD"], [b"\x9f\x38", b"\x9f\x66\x04\x9f\x37\x04"]]
        return encoded([[b"\x6f", [[b"\x84", name[:16]], [b"\xa5", inside]]]]) + b"\x90\x00"

    def _record(self) -> bytes:
        """An empty record, a directory entry not seen before, or a record out of its place."""
        kind = self.chance.below(8)
        if kind < 4:
            return b"\x70\x00\x90\x00"
        if kind < 7:
            name = b"\xa0\x00\x00\x03\x33\x01\x01\x01" + bytes((self.apdus & 255,))
            entry = [b"\x61", [[b"\x4f", name], [b"\x50", b"CARD"]]]
            return encoded([[b"\x70", [entry]]]) + b"\x90\x00"
        return self.steps[self.chance.below(len(self.steps))][1]

    def _cryptogram(self, command: bytes) -> bytes:
        """The recorded cryptogram of this turn; an AAC where one is asked for or none fits."""
        kept = [said for ask, said in self.steps if ask[1] == _AC]
        if not kept:
            return b"\x69\x85"
        said = kept[min(self.cryptograms, len(kept)) - 1]
        if command[2] & 0xC0 and (self.willing or self.cryptograms == 1):
            return said
        nodes = parse(said[:-2])
        counter = nodes and (first(nodes, b"\x9f\x36") or first(nodes, b"\x80") or b"")[-2:]
        return b"\x80\x0b\x00" + (counter or b"\x00\x00") + bytes(8) + b"\x90\x00"


class Host:
    """The acquirer: its recorded reply to a genuine request, a decline to any other."""

    def __init__(self, recording: Recording, chance: Chance, fault: int) -> None:
        self.recording = recording
        self.chance = chance
        self.fault = fault
        self.said: dict | None = None
        self.wrong = ""

    def __call__(self, session: ContactSession) -> "dict | None":
        """What the terminal is answered."""
        request = dict(parse(session.field55()) or ())
        recorded = self.recording
        if recorded.reply is None or self.fault == 1:
            return None
        right = genuine(request, recorded.request) and session.track2.text == recorded.text
        self.said = recorded.reply if right else {"code": "05", "field55": ""}
        if self.fault == 2:
            code = ("05", "51", "Q1", "00", "55")[self.chance.below(5)]
            self.said = {"code": code if right else "05", "field55": self.said["field55"]}
        elif self.fault == 3:
            script = b"\x9f\x18\x04\x00\x00\x00\x01"
            script += b"\x86\x05\x04\xda\x9f\x58\x00" * self.chance.below(18)
            whole = encoded([[bytes((0x71 + self.chance.below(2),)), script]])
            more = whole.hex() * (1 + self.chance.below(5))
            self.said = {"code": self.said["code"], "field55": self.said["field55"] + more}
        elif self.fault > 3 and self.said["field55"]:
            data = bytes.fromhex(self.said["field55"]) + b"\x90\x00"
            kept = ALL[self.chance.below(5)](data, self.chance)
            self.said = {"code": self.said["code"], "field55": kept.hex()}
        return self.said

"""A card as readers see it: ATR or ATS, APDUs in and out, time taken, and leaving at will."""

from __future__ import annotations

from tools.sim.cards import ber, scripts, tap
from tools.sim.cards.application import Application
from tools.sim.cards.personalisation import Personalisation
from tools.sim.cards.status import (
    CARD_BLOCKED,
    NO_RECORD,
    NOT_ALLOWED,
    NOT_FOUND,
    OK,
    UNKNOWN,
    UNKNOWN_CLASS,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
)

PSE = b"1PAY.SYS.DDF01"
PPSE = b"2PAY.SYS.DDF01"

# Microseconds by CLA INS, after what contact cards of the trade take.
_DELAYS = {"00A4": 8_000, "80A8": 20_000, "00B2": 6_000, "80AE": 60_000, "0082": 30_000,
           "0088": 120_000, "0020": 150_000}  # fmt: skip
_DELAY = 5_000


class Gone(Exception):
    """The card left the slot or the field."""


class Mute(Exception):
    """The card is there and answers nothing."""


class Card:
    """One card of the deck. Counters live as long as the object: a simulation starts afresh.

    atr: empty when the chip is mute. atqa: as a PN532 reports it. `leave_at`: set it to the APDU
    (from 1, counted since the last reset) at which the card is to be pulled instead of answering;
    None leaves that to the card's file. `verified`: a phone whose owner has proven themselves.
    `companions`: cards that are in the field together with this one.
    """

    def __init__(self, facts: Personalisation) -> None:
        self.facts = facts
        self.name = facts.name
        self.contact = facts.contact
        self.contactless = facts.contactless
        self.atr = b"" if facts.mute or not facts.contact else atr(facts.protocol, b"SUANPAN")
        self.ats = bytes.fromhex("0578807002") if facts.contactless else b""
        self.uid = bytes.fromhex(facts.uid) if facts.contactless else b""
        self.sak = 0x20
        self.atqa = b"\x00\x44" if len(self.uid) == 7 else b"\x00\x04"
        self.leave_at: int | None = None
        self.verified = facts.verified
        self.applications = [Application(each, facts) for each in facts.applications]
        self.blocked = False
        self.companions: list[Card] = []
        self.reset("contact" if facts.contact else "contactless")

    @property
    def pans(self) -> set[str]:
        """The card's numbers, so that a reader model can hide them in what it tells."""
        return {each.pan for each in self.facts.applications}

    def reset(self, interface: str) -> None:
        """Power or field on: 'contact' or 'contactless'. Nothing is selected."""
        self.interface = interface
        self.selected: Application | str | None = None
        self.count = 0
        for application in self.applications:
            application.deselect()

    def delay_us(self, command: bytes) -> int:
        """How long the card thinks about `command`, in microseconds."""
        key = command[:2].hex().upper()
        delays = self.facts.delays
        return delays.get(key, delays.get("default", _DELAYS.get(key, _DELAY)))

    def apdu(self, command: bytes) -> bytes:
        """The full answer with SW1 SW2. Gone or Mute when there is none."""
        self.count += 1
        leaves = self.leave_at or self.facts.leaves_at.get(self.interface)
        if leaves is not None and self.count >= leaves:
            raise Gone(f"{self.name} was pulled at APDU {self.count}")
        if self.facts.mute and self.interface == "contact":
            raise Mute(self.name)
        challenge = self._challenge()
        try:
            cla, ins, p1, p2, data = parse(command)
        except ValueError:
            return WRONG_LENGTH
        if (cla, ins) == (0x00, 0xA4):
            return self._select(p1, p2, data)
        if (cla, ins) == (0x00, 0xB2):
            return self._read_record(p1, p2)
        if cla not in (0x00, 0x80, 0x84, 0x8C):
            return UNKNOWN_CLASS
        if not isinstance(self.selected, Application):
            return NOT_ALLOWED
        return self._command(self.selected, cla, ins, p1, p2, data, challenge)

    def _challenge(self) -> bytes:
        """What GET CHALLENGE gave just before: this command, whichever it is, uses it up."""
        if not isinstance(self.selected, Application):
            return b""
        challenge, self.selected.challenge = self.selected.challenge, b""
        return challenge

    def _command(
        self, application: Application, cla: int, ins: int, p1: int, p2: int, data: bytes,
        challenge: bytes,
    ) -> bytes:  # fmt: skip
        """A command for the selected application."""
        if (cla, ins) == (0x80, 0xA8):
            return self._processing_options(application, p1, p2, data)
        if (cla, ins) == (0x80, 0xCA):
            return application.get_data(p1 << 8 | p2)
        if ins in scripts.COMMANDS and cla & 0x80:
            return self._script(application, bytes((cla, ins, p1, p2, len(data))), data)
        if self.interface != "contact":
            return UNKNOWN
        if (cla, ins) == (0x80, 0xAE):
            return WRONG_PARAMETERS if p2 else application.generate(p1, data)
        if (cla, ins) == (0x00, 0x20):
            return application.verify(p1, p2, data, challenge)
        if (cla, ins) in ((0x00, 0x82), (0x00, 0x84), (0x00, 0x88)) and (p1 or p2):
            return WRONG_PARAMETERS
        if (cla, ins) == (0x00, 0x82):
            return application.external_authenticate(data)
        if (cla, ins) == (0x00, 0x84):
            return application.get_challenge()
        if (cla, ins) == (0x00, 0x88):
            return application.internal_authenticate(data)
        return UNKNOWN

    def _script(self, application: Application, header: bytes, data: bytes) -> bytes:
        answer = application.script(header, data)
        self.blocked = self.blocked or application.scripts.card_blocked
        return answer

    def _processing_options(
        self, application: Application, p1: int, p2: int, data: bytes
    ) -> bytes:
        if p1 or p2:
            return WRONG_PARAMETERS
        values = data[3:] if data[1:2] == b"\x81" else data[2:]
        if data != ber.tlv("83", values):
            return WRONG_LENGTH
        if self.interface == "contact":
            return application.processing_options(values)
        return tap.processing_options(application, values, self.verified)

    def _select(self, p1: int, p2: int, name: bytes) -> bytes:
        """SELECT by name (Book 1 11.3), first or next; PSE on contacts, PPSE over the antenna."""
        if p1 != 0x04 or p2 not in (0x00, 0x02):
            return WRONG_PARAMETERS
        if self.blocked:
            return CARD_BLOCKED
        directory = PSE if self.interface == "contact" else PPSE
        if name == directory and self.facts.directory:
            self.selected = "directory"
            return self._directory() + OK
        fitting = [each for each in self._offered() if each.aid.startswith(name)]
        if p2 == 0x02 and self.selected in fitting:
            fitting = fitting[fitting.index(self.selected) + 1 :]
        if not fitting or not name:
            return NOT_FOUND
        self.selected = fitting[0]
        return fitting[0].select(self.interface)

    def _offered(self) -> list[Application]:
        if self.interface == "contact":
            return self.applications
        return [each for each in self.applications if each.facts.contactless != "none"]

    def _directory(self) -> bytes:
        tlv = ber.tlv
        if self.interface == "contact":
            inner = tlv("88", b"\x01") + tlv("5F2D", b"zhen") + tlv("9F11", b"\x01")
            return tlv("6F", tlv("84", PSE), tlv("A5", inner))
        entries = b"".join(each.directory_entry() for each in self._offered())
        return tlv("6F", tlv("84", PPSE), tlv("A5", tlv("BF0C", entries)))

    def _read_record(self, number: int, reference: int) -> bytes:
        """READ RECORD of the directory's file 1, or of the application's files."""
        if reference & 0x07 != 0x04:
            return WRONG_PARAMETERS
        sfi = reference >> 3
        if isinstance(self.selected, Application):
            return self.selected.read_record(number, sfi)
        if self.selected != "directory" or self.interface != "contact":
            return NOT_ALLOWED
        if sfi != 1 or number != 1:
            return NO_RECORD
        return ber.tlv("70", *(each.directory_entry() for each in self.applications)) + OK


def parse(command: bytes) -> tuple[int, int, int, int, bytes]:
    """A short APDU's header and data. ValueError when its length is no case's."""
    if len(command) < 4:
        raise ValueError("an APDU has a header")
    cla, ins, p1, p2 = command[:4]
    if len(command) <= 5:
        return cla, ins, p1, p2, b""
    size = command[4]
    if size == 0 or len(command) not in (5 + size, 6 + size):
        raise ValueError("Lc is wrong")
    return cla, ins, p1, p2, bytes(command[5 : 5 + size])


def atr(protocol: str, historical: bytes) -> bytes:
    """An ATR as EMV Book 1 8.3 wants it: cold, direct convention, no VPP."""
    if protocol == "T=0":
        return bytes((0x3B, 0x60 | len(historical), 0x00, 0x00)) + historical
    body = bytes((0xE0 | len(historical), 0x00, 0x00, 0x81, 0x31, 0xFE, 0x45)) + historical
    check = 0
    for byte in body:
        check ^= byte
    return b"\x3b" + body + bytes((check,))

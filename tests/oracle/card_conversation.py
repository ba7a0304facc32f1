"""A whole transaction with every application of a card, as commands and the card's own answers.

Selection, processing options, the AFL's records, DDA, a wrong and a right enciphered PIN, both
cryptograms (with CDA where the card has it), issuer authentication, and the issuer's scripts.
Cards draw the same numbers every time, so that what one says here another has to say elsewhere.
"""

from __future__ import annotations

import oda
from pyemv import tlv
from test_cards_certificates import MONTH, RID
from test_cards_dynamic import NUMBER, VALUES, known
from test_cards_issuer import Issuer, enciphered

from tools.acquirer import scripts
from tools.sim.cards import Card, Gone, ber, crypto
from tools.sim.cards.application import Application

PSE = b"1PAY.SYS.DDF01"


class Conversation:
    """`said` are (command, answer) pairs; the last answer is None when the card left."""

    def __init__(self, card: Card) -> None:
        self.card = card
        self.said: list[tuple[bytes, bytes | None]] = []
        card.reset("contact")
        try:
            self._whole()
        except Gone:
            pass

    def _ask(self, header: str, data: bytes = b"", le: str = "00") -> bytes:
        """A short APDU; the data of the answer."""
        whole = bytes.fromhex(header) + (bytes((len(data),)) + data if data else b"")
        return self._send(whole + bytes.fromhex(le))[:-2]

    def _send(self, command: bytes) -> bytes:
        self.said.append((command, None))
        answer = self.card.apdu(command)
        self.said[-1] = (command, answer)
        return answer

    def _whole(self) -> None:
        self._ask("00A40400", PSE)
        self._ask("00B2010C")
        for application in self.card.applications:
            self._ask("00A40400", application.aid)
            self._transaction(application)

    def _transaction(self, application: Application) -> None:
        answer = self._ask("80A80000", b"\x83\x00")
        if answer[0] == 0x80:
            profile, locator = answer[2:4], answer[4:]
        else:
            options = tlv.decode(answer)["77"]
            profile, locator = options["82"], options["94"]
        records = self._records(locator)
        held: dict[str, bytes] = {}
        for _, _, record in records:
            held |= tlv.decode(record)["70"]
        if profile[0] & 0x20:
            self._ask("00880000", NUMBER)
        if application.pin.pin:
            self._pins(oda.chain(known(), RID, records, profile, MONTH))
        for tag in ("9F36", "9F13", "9F17", "9F4F"):
            self._ask("80CA" + tag)
        self._cryptograms(application, held, "90" if profile[0] & 0x01 else "80")

    def _records(self, locator: bytes) -> list[tuple[int, bool, bytes]]:
        found = []
        for at in range(0, len(locator), 4):
            first, last, protected = locator[at + 1 : at + 4]
            for number in range(first, last + 1):
                record = self._ask(f"00B2{number:02X}{locator[at] | 4:02X}")
                found.append((locator[at] >> 3, number < first + protected, record))
        return found

    def _pins(self, held: oda.Chain) -> None:
        for pin in ("4321", "1234"):
            challenge = self._ask("00840000")
            self._ask("00200088", enciphered(held, challenge, pin), le="")

    def _cryptograms(self, application: Application, held: dict[str, bytes], kind: str) -> None:
        self._ask(f"80AE{kind}00", self._values(held["8C"]))
        if application.first != 0x80:
            return
        session = crypto.session_key(application.key, application.atc)
        proof = crypto.issuer_answer(session, application.first_cryptogram, b"00") + b"00"
        if application.facts.verify == "external":
            self._ask("00820000", proof, le="")
        self._script(application, 71)
        wanted = "50" if kind == "90" else "40"
        self._ask(f"80AE{wanted}00", self._values(held["8D"], **{"91": proof.hex()}))
        self._script(application, 72)
        if self.card.name == "offline-pin":
            self._send(Issuer(self.card).pin("1234"))

    def _script(self, application: Application, template: int) -> None:
        """The commands of the card's script, sealed as its host seals them."""
        content = bytes.fromhex(self.card.facts.scripts.get(template, ""))
        key = bytes.fromhex(self.card.facts.imk_mac)
        facts = application.facts
        own = scripts.integrity_key(key, facts.pan, f"{facts.psn:02d}")
        atc = application.atc.to_bytes(2, "big")
        sent = scripts.sealed(content, own, atc, application.first_cryptogram)
        at = 7  # behind 9F18, the script's number
        while at < len(sent):
            self._send(sent[at + 2 : at + 2 + sent[at + 1]])
            at += 2 + sent[at + 1]

    def _values(self, dol: bytes, **other: str) -> bytes:
        values = VALUES | other
        return b"".join(bytes.fromhex(values[tag]) for tag, _ in ber.entries(dol))

"""One EMV application on a chip: its data, its state, its decisions (Book 3 chapters 5-10)."""

from __future__ import annotations

import random

from tools.sim.cards import ber, crypto
from tools.sim.cards.personalisation import Application as Facts

OK = b"\x90\x00"
NOT_ALLOWED = b"\x69\x85"
WRONG_LENGTH = b"\x67\x00"
WRONG_PARAMETERS = b"\x6a\x86"
NO_RECORD = b"\x6a\x83"
NO_DATA = b"\x6a\x88"
FAILED = b"\x63\x00"
UNKNOWN = b"\x6d\x00"

AAC, TC, ARQC = 0x00, 0x40, 0x80
APPROVING = (b"00", b"10", b"11", b"Y1", b"Y3")

# Card verification results, byte 1: what the second and the first GENERATE AC answered.
_SECOND = {AAC: 0x00, TC: 0x40, None: 0x80}
_FIRST = {AAC: 0x00, TC: 0x10, ARQC: 0x20, None: 0x00}
_ISSUER_FAILED = 0x08
_UNABLE_ONLINE = 0x01


class Application:
    """The states are selected, initiated, asked (ARQC given), ended; another command is refused.

    `atc`, `last_online` and `blocked` outlive a reset, as they would in a chip.
    """

    def __init__(self, facts: Facts, issuer_key: bytes, atc: int, declines: bool) -> None:
        self.facts = facts
        self.aid = bytes.fromhex(facts.aid)
        self.aip = bytes.fromhex(facts.aip)
        self.key = crypto.card_key(issuer_key, facts.pan, facts.psn)
        self.declines = declines
        self.atc = atc
        self.last_online = 0
        self.blocked = facts.blocked
        self.stored: dict[str, bytes] = {}
        self.randomness = random.Random(facts.pan)
        self.pin_tries = 3
        self.records = self._records()
        self.deselect()

    def deselect(self) -> None:
        """Forget the transaction; counters stay."""
        self.state = "idle"
        self.first: int | None = None
        self.second: int | None = None
        self.arqc = b""
        self.authenticated: bool | None = None
        self.unable_online = False
        self.scripts = 0

    # ---- selection

    def directory_entry(self) -> bytes:
        """The application's line in PSE and PPSE (61)."""
        facts = self.facts
        priority = bytes(((0x80 if facts.confirm else 0) | facts.priority,))
        entry = [ber.tlv("4F", self.aid), ber.tlv("50", facts.label.encode("ascii"))]
        if facts.preferred_name:
            entry.append(ber.tlv("9F12", facts.preferred_name.encode("ascii")))
        entry.append(ber.tlv("87", priority))
        if facts.kernel:
            entry.append(ber.tlv("9F2A", bytes.fromhex(facts.kernel)))
        return ber.tlv("61", *entry)

    def select(self, interface: str) -> bytes:
        """The FCI (6F), with 6283 behind it when the application is blocked."""
        self.deselect()
        self.state = "selected"
        facts = self.facts
        pdol = ber.dol(facts.pdol if interface == "contact" else facts.pdol_tap)
        inner = [
            ber.tlv("50", facts.label.encode("ascii")),
            ber.tlv("87", bytes(((0x80 if facts.confirm else 0) | facts.priority,))),
        ]
        if pdol:
            inner.append(ber.tlv("9F38", pdol))
        inner.append(ber.tlv("5F2D", b"zhen"))
        if facts.preferred_name:
            inner.append(ber.tlv("9F11", b"\x01"))
            inner.append(ber.tlv("9F12", facts.preferred_name.encode("ascii")))
        fci = ber.tlv("6F", ber.tlv("84", self.aid), ber.tlv("A5", *inner))
        return fci + (b"\x62\x83" if self.blocked else OK)

    # ---- what the terminal reads

    def track2(self) -> bytes:
        """57: PAN D expiry, service code, five digits, F to fill."""
        text = f"{self.facts.pan}D{self.facts.expiry}{self.facts.service_code}12345"
        return bytes.fromhex(text + "F" * (len(text) % 2))

    def cdol2(self) -> str:
        """The second list: the response code, what authenticates it, and the first list."""
        issuer = "91:10 " if self.facts.verify == "cdol2" else ""
        return self.facts.cdol2 or f"8A:2 {issuer}{self.facts.cdol1}"

    def _records(self) -> dict[tuple[int, int], bytes]:
        """Records by (SFI, number); every one is in the AFL."""
        facts, tlv = self.facts, ber.tlv
        pan = facts.pan + "F" * (len(facts.pan) % 2)
        limits = (("9F14", facts.lower_limit), ("9F23", facts.upper_limit))
        return {
            (1, 1): tlv("70", tlv("57", self.track2()), tlv("5F20", facts.cardholder.encode())),
            (2, 1): tlv(
                "70",
                tlv("5F24", bytes.fromhex(facts.expiry + "31")),
                tlv("5F25", bytes.fromhex(facts.effective)),
                tlv("5A", bytes.fromhex(pan)),
                tlv("5F34", bytes.fromhex(f"{facts.psn:02d}")),
                tlv("9F07", bytes.fromhex(facts.usage_control)),
                tlv("8E", bytes.fromhex(facts.cvm)),
                tlv("9F0D", bytes.fromhex(facts.action_default)),
                tlv("9F0E", bytes.fromhex(facts.action_denial)),
                tlv("9F0F", bytes.fromhex(facts.action_online)),
                tlv("5F28", b"\x01\x56"),
            ),
            (2, 2): tlv(
                "70",
                tlv("8C", ber.dol(facts.cdol1)),
                tlv("8D", ber.dol(self.cdol2())),
                tlv("5F30", bytes.fromhex("0" + facts.service_code)),
                tlv("9F08", bytes.fromhex(facts.version)),
                tlv("9F42", b"\x01\x56"),
                tlv("9F44", b"\x02"),
                *(tlv(tag, bytes((value,))) for tag, value in limits if value is not None),
                tlv("9F63", facts.product.encode()) if facts.product else b"",
            ),
        }

    def read_record(self, number: int, sfi: int) -> bytes:
        """READ RECORD (Book 3 6.5.11); the files are open once the application is selected."""
        record = self.records.get((sfi, number))
        return NO_RECORD if record is None else record + OK

    def get_data(self, tag: int) -> bytes:
        """GET DATA (6.5.7): ATC, last online ATC, PIN try counter, log format."""
        values = {
            0x9F36: self.atc.to_bytes(2, "big"),
            0x9F13: self.last_online.to_bytes(2, "big"),
            0x9F17: bytes((self.pin_tries,)),
            0x9F4F: bytes.fromhex("9A039F21039F02069F03069F1A025F2A029F4E149C019F3602"),
        }
        if tag not in values:
            return NO_DATA
        return ber.tlv(f"{tag:X}", values[tag]) + OK

    # ---- the transaction

    def start(self) -> bool:
        """Count a transaction at GET PROCESSING OPTIONS; False when it is not the time for one."""
        if self.state != "selected" or self.blocked or self.atc >= 0xFFFF:
            return False
        self.atc += 1
        self.state = "initiated"
        return True

    def processing_options(self, data: bytes) -> bytes:
        """GET PROCESSING OPTIONS on the contacts (6.5.8)."""
        try:
            ber.split(ber.dol(self.facts.pdol), data)
        except ber.ListMismatch:
            return WRONG_LENGTH
        if not self.start():
            return NOT_ALLOWED
        afl = bytes.fromhex("0801010010010200")
        if self.facts.format == 1:
            return ber.tlv("80", self.aip, afl) + OK
        return ber.tlv("77", ber.tlv("82", self.aip), ber.tlv("94", afl)) + OK

    def generate(self, asked: int, data: bytes) -> bytes:
        """GENERATE AC, first or second (6.5.5, 10.8, 10.11). CDA is not offered by this AIP."""
        if self.state not in ("initiated", "asked") or asked & 0x1F:
            return NOT_ALLOWED if not asked & 0x1F else WRONG_PARAMETERS
        first = self.state == "initiated"
        try:
            values = ber.split(ber.dol(self.facts.cdol1 if first else self.cdol2()), data)
        except ber.ListMismatch:
            return WRONG_LENGTH
        kind = self._first(asked, values) if first else self._second(asked, values)
        cryptogram = self.cryptogram(values)
        if kind == ARQC:
            self.arqc = cryptogram
        self.state = "asked" if kind == ARQC else "ended"
        atc, iad = self.atc.to_bytes(2, "big"), self.application_data()
        if self.facts.format == 1:
            return ber.tlv("80", bytes((kind,)), atc, cryptogram, iad) + OK
        parts = (("9F27", bytes((kind,))), ("9F36", atc), ("9F26", cryptogram), ("9F10", iad))
        return ber.tlv("77", *(ber.tlv(tag, value) for tag, value in parts)) + OK

    def _first(self, asked: int, values: dict[str, bytes]) -> int:
        self.first = asked if asked in (AAC, TC) else ARQC
        if self.declines:
            self.first = AAC
        elif asked == TC and int(values["9F02"].hex()) > self.facts.offline_limit:
            self.first = ARQC
        return self.first

    def _second(self, asked: int, values: dict[str, bytes]) -> int:
        code = values["8A"]
        if self.authenticated is None and "91" in values and any(values["91"]):
            self.authenticated = self._genuine(values["91"])
        self.unable_online = code in (b"Y3", b"Z3")
        if self.unable_online:
            willing = int(values["9F02"].hex()) <= self.facts.offline_limit
        else:
            willing = self.authenticated is True or self.facts.verify == "none"
        self.second = TC if asked == TC and code in APPROVING and willing else AAC
        if self.authenticated:
            self.last_online = self.atc
        return self.second

    def external_authenticate(self, data: bytes) -> bytes:
        """EXTERNAL AUTHENTICATE (6.5.4): once, between the two cryptograms."""
        if self.state != "asked" or self.authenticated is not None:
            return NOT_ALLOWED
        if not 8 <= len(data) <= 16:
            return WRONG_LENGTH
        self.authenticated = self._genuine(data)
        return OK if self.authenticated else FAILED

    def _genuine(self, data: bytes) -> bool:
        session = crypto.session_key(self.key, self.atc)
        return data[:8] == crypto.issuer_answer(session, self.arqc, data[8:10])

    def script(self, ins: int, reference: bytes, data: bytes) -> bytes:
        """A command of an issuer script (6.5.1 ff.), plain as this deck's issuer sends them."""
        if self.state not in ("asked", "ended"):
            return NOT_ALLOWED
        if ins == 0xDA:
            self.stored[reference.hex().upper()] = data
        elif ins == 0x1E:
            self.blocked = True
        elif ins == 0x18:
            self.blocked = False
        elif ins == 0x24:
            self.pin_tries = 3
        self.scripts += 1
        return OK

    def cryptogram(self, values: dict[str, bytes]) -> bytes:
        """The application cryptogram over the values a list carried."""
        session = crypto.session_key(self.key, self.atc)
        return crypto.cryptogram(session, values, self.aip, self.atc, self.application_data())

    def application_data(self) -> bytes:
        """9F10 as the application stands."""
        head = _FIRST[self.first] | _SECOND[self.second]
        if self.authenticated is False:
            head |= _ISSUER_FAILED
        if self.unable_online:
            head |= _UNABLE_ONLINE
        return crypto.application_data(bytes((head, 0, min(self.scripts, 15) << 4)))

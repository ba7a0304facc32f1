"""One EMV application on a chip: its data, its state, its decisions (Book 3 chapters 5-10)."""

from __future__ import annotations

import random

from tools.sim.cards import ber, credentials, crypto, dynamic, files
from tools.sim.cards.offline_pin import CHALLENGE, OfflinePin
from tools.sim.cards.personalisation import Application as Facts
from tools.sim.cards.personalisation import Personalisation
from tools.sim.cards.scripts import ScriptCommands
from tools.sim.cards.status import (
    FAILED,
    INVALIDATED,
    NO_DATA,
    NO_RECORD,
    NOT_ALLOWED,
    NOT_FOUND,
    OK,
    UNKNOWN,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
)

AAC, TC, ARQC = 0x00, 0x40, 0x80
APPROVING = (b"00", b"10", b"11", b"Y1", b"Y3")

# GENERATE AC, P1 (Book 3 6.5.5.2): the kind of cryptogram, and whether it is to be signed.
_KIND, _COMBINED = 0xC0, 0x10
_AIP_COMBINED, _AIP_ISSUER = 0x01, 0x04

# Card verification results, three bytes. The first: what the second and the first GENERATE AC
# answered, issuer authentication, offline PIN. The second and third: PIN blocked; scripts, DDA.
_SECOND = {AAC: 0x00, TC: 0x40, None: 0x80}
_FIRST = {AAC: 0x00, TC: 0x10, ARQC: 0x20, None: 0x00}
_ISSUER_FAILED = 0x08
_PIN_PERFORMED, _PIN_FAILED = 0x04, 0x02
_UNABLE_ONLINE = 0x01
_PIN_EXCEEDED = 0x40
_SCRIPT_FAILED, _DDA_PERFORMED = 0x08, 0x02


class Application:
    """The states are selected, initiated, asked (ARQC given), ended; another command is refused.

    `atc`, `last_online`, `pin` and `scripts` (with `blocked`) outlive a reset, as in a chip.
    """

    def __init__(self, facts: Facts, card: Personalisation) -> None:
        self.facts = facts
        self.aid = bytes.fromhex(facts.aid)
        self.aip = files.profile(facts)
        self.key = crypto.card_key(bytes.fromhex(card.imk), facts.pan, facts.psn)
        self.declines = card.declines
        self.atc = card.atc
        self.last_online = 0
        self.randomness = random.Random(facts.pan)
        self.records, self.credentials = files.build(facts)
        pin_key = self.credentials.pin_key
        self.pin = OfflinePin(card.offline_pin, card.pin_tries, card.pin_limit, pin_key)
        mac_key, cipher_key = (
            crypto.card_key(bytes.fromhex(key), facts.pan, facts.psn)
            for key in (card.imk_mac, card.imk_cipher)
        )
        data = {tag: bytes.fromhex(value) for tag, value in card.data.items()}
        self.scripts = ScriptCommands(mac_key, cipher_key, data, facts.blocked)
        self.deselect()

    @property
    def blocked(self) -> bool:
        """Invalidated, by its file or by the issuer."""
        return self.scripts.blocked

    def deselect(self) -> None:
        """Forget the transaction; counters stay."""
        self.state = "idle"
        self.first: int | None = None
        self.second: int | None = None
        self.first_cryptogram = b""
        self.authenticated: bool | None = None
        self.unable_online = False
        self.signed = False
        self.said = b""
        self.challenge = b""
        self.pin.forget()
        self.dynamic_record = b""

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
        return fci + (INVALIDATED if self.blocked else OK)

    # ---- what the terminal reads

    def read_record(self, number: int, sfi: int) -> bytes:
        """READ RECORD (Book 3 6.5.11); the files are open once the application is selected."""
        held = self.records
        if self.dynamic_record:
            held = {**held, (files.DYNAMIC_FILE, 1): self.dynamic_record}
        if (sfi, number) in held:
            return held[sfi, number] + OK
        return NO_RECORD if any(sfi == each for each, _ in held) else NOT_FOUND

    def get_data(self, tag: int) -> bytes:
        """GET DATA (6.5.7): counters, PIN try counter, log format, and what scripts rewrite."""
        values = {
            "9F36": self.atc.to_bytes(2, "big"),
            "9F13": self.last_online.to_bytes(2, "big"),
            "9F4F": bytes.fromhex("9A039F21039F02069F03069F1A025F2A029F4E149C019F3602"),
            **self.scripts.data,
        }
        if self.pin.pin:
            values["9F17"] = bytes((self.pin.tries,))
        name = f"{tag:X}"
        return ber.tlv(name, values[name]) + OK if name in values else NO_DATA

    # ---- the transaction

    def start(self) -> bool:
        """Count a transaction at GET PROCESSING OPTIONS; False when it is not the time for one."""
        if self.state != "selected" or self.atc >= 0xFFFF:
            return False
        self.atc += 1
        self.state = "initiated"
        self.scripts.begin()
        return True

    def processing_options(self, data: bytes) -> bytes:
        """GET PROCESSING OPTIONS on the contacts (6.5.8). A blocked application answers as well:
        it will say AAC (6.5.1.1), and the issuer may unblock it then."""
        try:
            ber.split(ber.dol(self.facts.pdol), data)
        except ber.ListMismatch:
            return WRONG_LENGTH
        if not self.start():
            return NOT_ALLOWED
        self.said = data
        afl = files.file_locator(self.facts, self.credentials)
        if self.facts.format == 1:
            return ber.tlv("80", self.aip, afl) + OK
        return ber.tlv("77", ber.tlv("82", self.aip), ber.tlv("94", afl)) + OK

    def internal_authenticate(self, data: bytes) -> bytes:
        """INTERNAL AUTHENTICATE (6.5.9): DDA over the DDOL's data, before the first cryptogram."""
        key = self.credentials.key
        if key is None:
            return UNKNOWN
        if self.state != "initiated":
            return NOT_ALLOWED
        if len(data) != ber.size(ber.dol(credentials.DDOL)):
            return WRONG_LENGTH
        self.signed = True
        signature = dynamic.internal_authenticate(key, self._dynamic_number(), data)
        if self.facts.format == 1:
            return ber.tlv("80", signature) + OK
        return ber.tlv("77", ber.tlv("9F4B", signature)) + OK

    def get_challenge(self) -> bytes:
        """GET CHALLENGE (6.5.6): eight bytes, for the very next command only."""
        self.challenge = self.randomness.randbytes(CHALLENGE)
        return self.challenge + OK

    def verify(self, p1: int, p2: int, data: bytes, challenge: bytes) -> bytes:
        """VERIFY (6.5.12), between GET PROCESSING OPTIONS and the first cryptogram."""
        if self.pin.pin and self.state != "initiated":
            return NOT_ALLOWED
        return self.pin.verify(p1, p2, data, challenge)

    def generate(self, asked: int, data: bytes) -> bytes:
        """GENERATE AC, first or second (6.5.5, 10.8, 10.11), signed when that is asked for."""
        combined = bool(asked & _COMBINED)
        if asked & ~(_KIND | _COMBINED) or asked & _KIND == _KIND:
            return WRONG_PARAMETERS
        if combined and not self.aip[0] & _AIP_COMBINED:
            return WRONG_PARAMETERS
        if self.state not in ("initiated", "asked"):
            return NOT_ALLOWED
        first = self.state == "initiated"
        wanted = self.facts.cdol1 if first else files.cdol2(self.facts)
        try:
            values = ber.split(ber.dol(wanted), data)
        except ber.ListMismatch:
            return WRONG_LENGTH
        self.said += data
        choose = self._first if first else self._second
        kind = choose(asked & _KIND, values)
        cryptogram = self.cryptogram(values)
        if first:
            self.first_cryptogram = cryptogram
        self.state = "asked" if kind == ARQC else "ended"
        return self._told(kind, cryptogram, values, combined and kind != AAC)

    def _told(
        self, kind: int, cryptogram: bytes, values: dict[str, bytes], combined: bool
    ) -> bytes:
        """The answer to GENERATE AC: format 1 or 2, or format 2 with the cryptogram in 9F4B."""
        tlv, key = ber.tlv, self.credentials.key
        atc, iad = self.atc.to_bytes(2, "big"), self.application_data()
        head = tlv("9F27", bytes((kind,))) + tlv("9F36", atc)
        if combined and key is not None:
            signature = dynamic.combined(
                key, self._dynamic_number(), kind, cryptogram, self.said,
                head + tlv("9F10", iad), values["9F37"],
            )  # fmt: skip
            return tlv("77", head, tlv("9F4B", signature), tlv("9F10", iad)) + OK
        if self.facts.format == 1:
            return tlv("80", bytes((kind,)), atc, cryptogram, iad) + OK
        return tlv("77", head, tlv("9F26", cryptogram), tlv("9F10", iad)) + OK

    def _first(self, asked: int, values: dict[str, bytes]) -> int:
        self.first = asked if asked in (AAC, TC) else ARQC
        if self.declines or self.blocked:
            self.first = AAC
        elif asked == TC and not self.small(values):
            self.first = ARQC
        return self.first

    def small(self, values: dict[str, bytes]) -> bool:
        """Whether the amount is one that the card approves by itself. Compared as the bytes are:
        no terminal has to send decimal digits."""
        return int.from_bytes(values["9F02"], "big") <= int(str(self.facts.offline_limit), 16)

    def _second(self, asked: int, values: dict[str, bytes]) -> int:
        code = values["8A"]
        if self.authenticated is None and "91" in values and any(values["91"]):
            self.authenticated = self._genuine(values["91"])
        self.unable_online = code in (b"Y3", b"Z3")
        if self.unable_online:
            willing = self.small(values)
        else:
            willing = self.authenticated is True or self.facts.verify == "none"
        willing = willing and not self.blocked
        self.second = TC if asked == TC and code in APPROVING and willing else AAC
        if self.authenticated:
            self.last_online = self.atc
            self.scripts.told()
        return self.second

    def external_authenticate(self, data: bytes) -> bytes:
        """EXTERNAL AUTHENTICATE (6.5.4): once, between the two cryptograms, if 82 offers it."""
        if not self.aip[0] & _AIP_ISSUER:
            return UNKNOWN
        if self.state != "asked" or self.authenticated is not None:
            return NOT_ALLOWED
        if not 8 <= len(data) <= 16:
            return WRONG_LENGTH
        self.authenticated = self._genuine(data)
        return OK if self.authenticated else FAILED

    def _genuine(self, data: bytes) -> bool:
        """Method 1: the cryptogram and the response code behind it (Book 2 8.2.1)."""
        if len(data) < 10:
            return False
        session = crypto.session_key(self.key, self.atc)
        return data[:8] == crypto.issuer_answer(session, self.first_cryptogram, data[8:10])

    def script(self, header: bytes, data: bytes) -> bytes:
        """A command of an issuer script: after the first cryptogram, whatever kind it was."""
        if self.state not in ("asked", "ended") or not self.first_cryptogram:
            return NOT_ALLOWED
        return self.scripts.run(header, data, self.atc, self.first_cryptogram, self.pin)

    def _dynamic_number(self) -> bytes:
        """9F4C: eight bytes that the terminal cannot foresee."""
        return self.randomness.randbytes(8)

    def cryptogram(self, values: dict[str, bytes]) -> bytes:
        """The application cryptogram over the values a list carried."""
        session = crypto.session_key(self.key, self.atc)
        return crypto.cryptogram(session, values, self.aip, self.atc, self.application_data())

    def application_data(self) -> bytes:
        """9F10 as the application stands."""
        head = _FIRST[self.first] | _SECOND[self.second]
        if self.authenticated is False:
            head |= _ISSUER_FAILED
        if self.pin.performed:
            head |= _PIN_PERFORMED | (0 if self.pin.verified else _PIN_FAILED)
        if self.unable_online:
            head |= _UNABLE_ONLINE
        blocked = _PIN_EXCEEDED if self.pin.pin and not self.pin.tries else 0
        last = min(self.scripts.count, 15) << 4
        last |= (_SCRIPT_FAILED if self.scripts.failed else 0) | _DDA_PERFORMED * self.signed
        discretionary = bytes.fromhex(self.facts.discretionary)
        return crypto.application_data(bytes((head, blocked, last)), discretionary)

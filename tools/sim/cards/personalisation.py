"""What makes one card differ from another: the readable files of the deck, checked when read.

A file describes one card; the issuer's host reads its account (pan, psn, expiry, pin, balance,
status, imk, scripts) from the same file. `applications` lists what is on the chip. A key that is
not known here is an error, so that a slip of the pen is not a card that quietly behaves otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from tools.sim.cards import rules
from tools.sim.cards.authority import authority_keys
from tools.sim.cards.described import Described, DescriptionError, Slip, describe
from tools.sim.cards.keys import SHORTEST

DECK = Path(__file__).with_name("deck")
ISSUER_KEY = "0123456789ABCDEFFEDCBA9876543210"
ISSUER_MAC_KEY = "1032547698BADCFEEFCDAB8967452301"
ISSUER_CIPHER_KEY = "2301674589AB32107654DCFEBA9823EF"

CDOL1 = "9F02:6 9F03:6 9F1A:2 95:5 5F2A:2 9A:3 9C:1 9F37:4 9F21:3"
PDOL_TAP = "9F66:4 9F02:6 9F03:6 9F1A:2 95:5 5F2A:2 9A:3 9C:1 9F37:4"

LONGEST_ISSUER = 1976  # a record of 254 bytes holds a certificate of 247 (Book 2 Annex D1)

# Ways of offline data authentication (Book 2 chapters 5 and 6).
SDA, DDA, CDA = "sda", "dda", "cda"


class PersonalisationError(DescriptionError):
    """A file does not describe a card; the message names file, line and key of each slip."""


@dataclass(frozen=True)
class Authentication:
    """Offline data authentication of an application: its way, and the keys behind it.

    method: `sda`, `dda` or `cda`. ca: index of the authority's key (authority.yaml). issuer, card,
    pin: bits of their keys; an `sda` card has none of its own, and 0 bits of `pin` let the card's
    key decipher the PIN. exponent: of all three. until: the certificates' last month, YYMM.
    wrong: whatever the card signs is signed with a key that nobody certified.
    """

    method: str
    ca: str
    issuer: int
    card: int = 0
    pin: int = 0
    exponent: int = 3
    until: str = "3012"
    wrong: bool = False


@dataclass(frozen=True)
class Application:
    """One application of a card. Hex values are upper-case strings in the file.

    cvm: hex of X, Y and the rules. verify: who calls for issuer authentication: `external`
    (EXTERNAL AUTHENTICATE), `cdol2` (91 in the second GENERATE AC), `none`. format: 1 or 2, the
    template of GPO and GENERATE AC. offline_limit: fen that the card approves by itself.
    contactless: `pin` always asks the online PIN, `limit` when the terminal requires a CVM,
    `device` verified on the phone, `signature`; `none` no tap. aip: 82 without the bits of offline
    data authentication, which `oda` sets (Authentication; without it the card offers none).
    discretionary: what 9F10 carries behind the CVR, as a wallet's does. unproven: what a reader
    shall do when a tap's data authentication fails: `online`, `contact` or `decline` (9F6C).
    """

    aid: str
    label: str
    pan: str
    psn: int
    expiry: str
    priority: int = 1
    confirm: bool = False
    preferred_name: str = ""
    service_code: str = "220"
    cardholder: str = "TEST/CARD"
    effective: str = "240101"
    aip: str = "1C00"
    usage_control: str = "FF00"
    version: str = "0020"
    cvm: str = "00000000000000000203"
    verify: str = "external"
    format: int = 1
    offline_limit: int = 0
    pdol: str = ""
    cdol1: str = CDOL1
    cdol2: str = ""
    action_denial: str = "0010000000"
    action_online: str = "DC4004F800"
    action_default: str = "DC4000A800"
    lower_limit: int | None = None
    upper_limit: int | None = None
    contactless: str = "pin"
    pdol_tap: str = PDOL_TAP
    kernel: str = ""
    product: str = ""
    discretionary: str = ""
    unproven: str = "decline"
    blocked: bool = False
    oda: Authentication | None = None


@dataclass(frozen=True)
class Personalisation:
    """One card as its file says. Money is fen; `leaves_at` counts APDUs from 1 by interface.

    protocol: 'T=0' or 'T=1'. delays: microseconds by CLA INS in hex, `default` for the others.
    companions: names of cards that are presented together with this one. imk, imk_mac,
    imk_cipher: the issuer's master keys for cryptograms, script MACs and script confidentiality.
    pin_tries: how many are left as the card comes; a right PIN and the issuer bring back
    `pin_limit`. data: what GET DATA reads and an issuer script may rewrite, hex by tag in hex.
    """

    name: str
    purpose: Mapping[str, str]
    applications: tuple[Application, ...]
    protocol: str = "T=0"
    contact: bool = True
    contactless: bool = True
    mute: bool = False
    phone: bool = False
    verified: bool = True
    declines: bool = False
    directory: bool = True
    uid: str = ""
    atc: int = 1
    imk: str = field(default=ISSUER_KEY, repr=False)
    imk_mac: str = field(default=ISSUER_MAC_KEY, repr=False)
    imk_cipher: str = field(default=ISSUER_CIPHER_KEY, repr=False)
    pin: str = field(default="", repr=False)
    offline_pin: str = field(default="", repr=False)
    pin_tries: int = 3
    pin_limit: int = 3
    data: Mapping[str, str] = field(default_factory=dict)
    balance: int = 0
    status: str = "active"
    companions: tuple[str, ...] = ()
    leaves_at: Mapping[str, int] = field(default_factory=dict)
    delays: Mapping[str, int] = field(default_factory=dict)
    scripts: Mapping[Any, str] = field(default_factory=dict)


_INHERITED = ("pan", "psn", "expiry", "service_code", "cardholder")


def names(folder: Path = DECK) -> list[str]:
    """The deck's cards, in alphabetical order."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def file_of(name: str) -> Path:
    """Where a card of the deck is described."""
    return DECK / f"{name}.yaml"


def read(path: Path) -> Personalisation:
    """One file. PersonalisationError, with all that is wrong, when it describes no card."""
    described = describe(path, PersonalisationError)
    reading = _Reading(path, described)
    card = reading.card()
    if reading.slips or card is None:
        raise PersonalisationError(path.name, reading.slips)
    return card


class _Reading:
    """One file on its way to a card; `slips` collects what is wrong on that way."""

    def __init__(self, path: Path, described: Described) -> None:
        self.path = path
        self.described = described
        self.slips: list[Slip] = []

    def slip(self, what: str, *place: str | int) -> None:
        """Note what is wrong at that place of the file."""
        self.slips.append(Slip(self.described.line(*place), what))

    def card(self) -> Personalisation | None:
        """The whole; None when it is not even a mapping."""
        given = self.described.value
        if not isinstance(given, dict):
            self.slip("a card is a mapping")
            return None
        own = {str(key): value for key, value in given.items()}
        if own.get("name") != self.path.stem:
            self.slip(f"name has to be the file's, {self.path.stem}", "name")
        shared = {key: own.pop(key) for key in _INHERITED if key in own}
        self._judge(shared, rules.APPLICATION)
        applications = own.pop("applications", None)
        if not isinstance(applications, list) or not applications:
            self.slip("applications has to be a list, one of a mapping each", "applications")
            applications = []
        built = [self._application(shared, at, each) for at, each in enumerate(applications)]
        self._judge(own, rules.CARD)
        self._complete(own, Personalisation, {"applications"})
        if self.slips:
            return None
        own["companions"] = tuple(own.get("companions", ()))
        card = Personalisation(applications=tuple(filter(None, built)), **own)
        self._whole(card)
        return card

    def _judge(
        self, given: Mapping[str, Any], known: Mapping[str, rules.Rule], *place: str | int
    ) -> None:
        """Every value by its rule; a key without one is unknown."""
        for key, value in given.items():
            rule = known.get(key)
            if rule is None:
                near = get_close_matches(key, known, 1)
                hint = f"; {near[0]} is meant, perhaps" if near else ""
                self.slip(f"{key} is unknown{hint}", *place, key)
            elif not rule.holds(value):
                self.slip(f"{key} has to be {rule.says}", *place, key)

    def _complete(
        self, given: Mapping[str, Any], kind: type, apart: set[str], *place: str | int
    ) -> None:
        """What has no default has to be there."""
        for each in fields(kind):
            if each.default is MISSING and each.default_factory is MISSING:
                if each.name not in given and each.name not in apart:
                    self.slip(f"{each.name} is missing", *place)

    def _application(self, shared: Mapping[str, Any], at: int, given: Any) -> Application | None:
        place = ("applications", at)
        if not isinstance(given, dict):
            self.slip("an application is a mapping", *place)
            return None
        own = {str(key): value for key, value in given.items()}
        oda = own.pop("oda", None)
        self._judge(own, rules.APPLICATION, *place)
        whole = {**shared, **own}
        self._complete(whole, Application, set(), *place)
        if whole.get("verify") == "cdol2" and "91:" not in whole.get("cdol2", "91:"):
            self.slip("cdol2 has to ask for 91, since verify is cdol2", *place, "cdol2")
        built = None if oda is None else self._authentication(oda, *place, "oda")
        return None if self.slips else Application(oda=built, **whole)

    def _authentication(self, given: Any, *place: str | int) -> Authentication | None:
        """`oda` of an application, its keys in their order: none outgrows what certifies it."""
        if not isinstance(given, dict):
            self.slip("oda is a mapping", *place)
            return None
        before = len(self.slips)
        self._judge(given, rules.AUTHENTICATION, *place)
        self._complete(given, Authentication, set(), *place)
        if len(self.slips) > before:
            return None
        oda = Authentication(**given)
        if oda.ca not in authority_keys():
            self.slip(f"ca has to be one of {', '.join(authority_keys())}", *place, "ca")
        else:
            self._lengths(oda, *place)
        return oda

    def _lengths(self, oda: Authentication, *place: str | int) -> None:
        """Bits of the keys; what they certify has to fit records of 254 bytes."""
        chain = [("issuer", authority_keys()[oda.ca].bits)]
        if oda.method == SDA:
            for key in ("card", "pin"):
                if getattr(oda, key):
                    self.slip(f"{key}: an sda card has no key of its own", *place, key)
        else:
            chain += [(key, oda.issuer) for key in ("card", "pin") if key == "card" or oda.pin]
        for key, longest in chain:
            bits = getattr(oda, key)
            if bits % 8 or bits < SHORTEST:
                self.slip(f"{key} has to be {SHORTEST} bits or more, by eights", *place, key)
            elif bits > longest:
                self.slip(f"{key} is longer than the key that certifies it", *place, key)
            elif bits > LONGEST_ISSUER:
                said = f"{key} has more than {LONGEST_ISSUER} bits: no record holds what it signs"
                self.slip(said, *place, key)

    def _whole(self, card: Personalisation) -> None:
        """What only the whole card shows."""
        if bool(card.uid) != card.contactless:
            self.slip("uid has to be there for a tap, and only for one", "uid")
        if not card.contact and not card.contactless:
            self.slip("a card has contacts, an antenna, or both", "contact")
        if not set(card.companions) <= set(names()):
            self.slip("companions has to name cards of the deck", "companions")
        if card.pin_tries > card.pin_limit:
            self.slip("pin_tries is more than pin_limit", "pin_tries")
        dynamic = [each for each in card.applications if each.oda and each.oda.method != SDA]
        if card.offline_pin and not dynamic:
            self.slip("offline_pin needs an application with a key to decipher it", "offline_pin")

"""What makes one card differ from another: the readable files of the deck, checked when read.

A file describes one card; the issuer's host reads its account (pan, psn, expiry, pin, balance,
status, imk, scripts) from the same file. `applications` lists what is on the chip. A key that is
not known here is an error, so that a slip of the pen is not a card that quietly behaves otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from tools.sim.cards.authority import authority_keys
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


class PersonalisationError(ValueError):
    """A deck file does not describe a card; the message names file and key."""


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


_OWN = {each.name for each in fields(Personalisation)}
_APPLICATION = {each.name for each in fields(Application)}
_AUTHENTICATION = {each.name for each in fields(Authentication)}
_INHERITED = ("pan", "psn", "expiry", "service_code", "cardholder")


def names(folder: Path = DECK) -> list[str]:
    """The deck's cards, in alphabetical order."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


def read(path: Path) -> Personalisation:
    """One file. PersonalisationError when a key is unknown, missing, or of the wrong kind."""
    try:
        described = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PersonalisationError(f"{path.name}: {error}") from None
    if not isinstance(described, dict) or described.get("name") != path.stem:
        raise PersonalisationError(f"{path.name}: `name` is not the file's")
    shared = {key: described.pop(key) for key in _INHERITED if key in described}
    applications = described.pop("applications", [])
    _known(path, described, _OWN)
    built = tuple(_application(path, {**shared, **each}) for each in applications)
    described["companions"] = tuple(described.get("companions", ()))
    try:
        return Personalisation(applications=built, **described)
    except TypeError as error:
        raise PersonalisationError(f"{path.name}: {error}") from None


def _application(path: Path, described: dict[str, Any]) -> Application:
    _known(path, described, _APPLICATION)
    for key in ("pan", "expiry", "aid"):
        if not isinstance(described.get(key), str):
            raise PersonalisationError(f"{path.name}: {key} has to be a quoted string")
    if len(described["expiry"]) != 4 or not described["expiry"].isdecimal():
        raise PersonalisationError(f"{path.name}: expiry is YYMM")
    oda = described.pop("oda", None)
    try:
        built = None if oda is None else _authentication(path, oda)
        return Application(oda=built, **described)
    except TypeError as error:
        raise PersonalisationError(f"{path.name}: {error}") from None


def _authentication(path: Path, described: Any) -> Authentication:
    """`oda` of an application, its keys in their order: none is longer than what certifies it."""
    if not isinstance(described, dict):
        raise PersonalisationError(f"{path.name}: oda is a mapping")
    _known(path, described, _AUTHENTICATION)
    oda = Authentication(**described)
    if oda.method not in (SDA, DDA, CDA) or oda.ca not in authority_keys():
        raise PersonalisationError(f"{path.name}: oda has no known method or no known ca")
    own = [oda.card, oda.pin or oda.card]
    if oda.method == SDA and any(own):
        raise PersonalisationError(f"{path.name}: an sda card has no key of its own")
    lengths = [oda.issuer] if oda.method == SDA else [oda.issuer, *own]
    if any(each % 8 or each < SHORTEST for each in lengths):
        raise PersonalisationError(f"{path.name}: a key has {SHORTEST} bits or more, by eights")
    if oda.issuer > LONGEST_ISSUER:
        raise PersonalisationError(f"{path.name}: its certificates would not fit their records")
    if max(lengths) > oda.issuer or oda.issuer > authority_keys()[oda.ca].bits:
        raise PersonalisationError(f"{path.name}: a key is longer than the one that certifies it")
    return oda


def _known(path: Path, described: dict[str, Any], known: set[str]) -> None:
    strange = sorted(set(described) - known)
    if strange:
        raise PersonalisationError(f"{path.name}: unknown {', '.join(strange)}")

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

DECK = Path(__file__).with_name("deck")
ISSUER_KEY = "0123456789ABCDEFFEDCBA9876543210"

CDOL1 = "9F02:6 9F03:6 9F1A:2 95:5 5F2A:2 9A:3 9C:1 9F37:4 9F21:3"
PDOL_TAP = "9F66:4 9F02:6 9F03:6 9F1A:2 95:5 5F2A:2 9A:3 9C:1 9F37:4"


class PersonalisationError(ValueError):
    """A deck file does not describe a card; the message names file and key."""


@dataclass(frozen=True)
class Application:
    """One application of a card. Hex values are upper-case strings in the file.

    cvm: hex of X, Y and the rules. verify: who calls for issuer authentication: `external`
    (EXTERNAL AUTHENTICATE), `cdol2` (91 in the second GENERATE AC), `none`. format: 1 or 2, the
    template of GPO and GENERATE AC. offline_limit: fen that the card approves by itself.
    contactless: `pin` always asks the online PIN, `limit` when the terminal requires a CVM,
    `device` verified on the phone, `signature`; `none` no tap.
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
    blocked: bool = False


@dataclass(frozen=True)
class Personalisation:
    """One card as its file says. Money is fen; `leaves_at` counts APDUs from 1 by interface.

    protocol: 'T=0' or 'T=1'. delays: microseconds by CLA INS in hex, `default` for the others.
    companions: names of cards that are presented together with this one.
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
    imk: str = ISSUER_KEY
    pin: str = ""
    offline_pin: str = ""
    pin_tries: int = 3
    balance: int = 0
    status: str = "active"
    companions: tuple[str, ...] = ()
    leaves_at: Mapping[str, int] = field(default_factory=dict)
    delays: Mapping[str, int] = field(default_factory=dict)
    scripts: Mapping[Any, str] = field(default_factory=dict)


_OWN = {each.name for each in fields(Personalisation)}
_APPLICATION = {each.name for each in fields(Application)}
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
    try:
        return Application(**described)
    except TypeError as error:
        raise PersonalisationError(f"{path.name}: {error}") from None


def _known(path: Path, described: dict[str, Any], known: set[str]) -> None:
    strange = sorted(set(described) - known)
    if strange:
        raise PersonalisationError(f"{path.name}: unknown {', '.join(strange)}")

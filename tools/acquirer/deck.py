"""The issuer's side of the card deck: one account a card, read from its YAML files.

What never changes (PIN, keys, status) stays in memory; what a transaction changes (balance, PIN
failures, transaction counter) lives in the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.acquirer import scripts
from tools.acquirer.errors import DeckError
from tools.acquirer.testbed import ISSUER_MAC_KEY, ISSUER_MASTER_KEY

DECK = Path(__file__).resolve().parents[1] / "sim" / "cards" / "deck"

DEBIT = bytes.fromhex("A000000333010101")

ACTIVE = "active"
# What the issuer answers for a card of each status (field 39).
REFUSALS = {"expired": "54", "blocked": "62", "lost": "41", "stolen": "43", "pickup": "04"}
_SCRIPT_BYTES = 127  # EMV Book 3, 10.10: 128 in one message with a template's tag and length


@dataclass(frozen=True)
class Card:
    """What the issuer knows about a card.

    `expiry` is YYMM, `pin` the online PIN (empty: none), `opening` the balance in fen an account
    starts with. `applications` maps a sequence number (two digits) to the application's AID;
    `wallet` is a phone that verifies its holder itself. `scripts` are the templates 71 and 72
    with their content, commands without their MACs.
    """

    name: str
    pan: str
    expiry: str
    pin: str = field(repr=False)
    opening: int
    applications: Mapping[str, bytes]
    status: str = ACTIVE
    wallet: bool = False
    issuer_key: bytes = field(default=ISSUER_MASTER_KEY, repr=False)
    script_key: bytes = field(default=ISSUER_MAC_KEY, repr=False)
    scripts: tuple[tuple[str, bytes], ...] = ()


def load(folder: Path = DECK) -> dict[str, Card]:
    """The cards of every `*.yaml` in the folder, by PAN; empty when there is no folder.

    Raises DeckError, naming the file, for one that does not describe a card, or when two files
    have the same card number.
    """
    cards: dict[str, Card] = {}
    for path in sorted(folder.glob("*.yaml")):
        cards |= new_accounts(path, cards)
    return cards


def new_accounts(path: Path, known: Mapping[str, Card]) -> dict[str, Card]:
    """One file's accounts by PAN: the card's own, and one for each application with another PAN.

    Raises DeckError, naming the file, when it describes no card or one of the `known` numbers.
    """
    found = {card.pan: card for card in _accounts(path)}
    for pan in found:
        if pan in known:
            raise DeckError(f"{path.name}: {known[pan].name} has the same card number")
    return found


def _accounts(path: Path) -> list[Card]:
    described = _read(path)
    listed = described.get("applications") or [{}]
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise DeckError(f"{path.name}: applications is not a list of mappings")
    by_pan: dict[str, list[dict[str, Any]]] = {}
    for each in listed:
        by_pan.setdefault(str(each.get("pan", described.get("pan"))), []).append(each)
    return [_card(path, {**described, "pan": pan}, applications)
            for pan, applications in by_pan.items()]


def _read(path: Path) -> dict[str, Any]:
    try:
        described = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DeckError(f"{path.name}: {error}") from None
    if not isinstance(described, dict):
        raise DeckError(f"{path.name}: not a mapping")
    return described


def _card(path: Path, described: dict[str, Any], applications: list[dict[str, Any]]) -> Card:
    pan = str(described.get("pan"))
    if not (pan.isdecimal() and 13 <= len(pan) <= 19):
        raise DeckError(f"{path.name}: pan is not 13 to 19 digits")
    status = str(described.get("status") or ACTIVE)
    if status != ACTIVE and status not in REFUSALS:
        raise DeckError(f"{path.name}: status {status!r}; there are active, {', '.join(REFUSALS)}")
    key, script_key = described.get("imk"), described.get("imk_mac")
    return Card(
        name=str(described.get("name") or path.stem),
        pan=pan,
        expiry=_digits(path, described, "expiry", 4, None),
        pin="" if described.get("pin") is None else str(described["pin"]),
        opening=_fen(path, described.get("balance", 0)),
        applications=_sequence_numbers(path, described, applications),
        status=status,
        wallet=bool(described.get("phone")),
        issuer_key=ISSUER_MASTER_KEY if key is None else _hex(path, "imk", key, 16),
        script_key=ISSUER_MAC_KEY if script_key is None else _hex(path, "imk_mac", script_key, 16),
        scripts=_scripts(path, described.get("scripts") or {}),
    )


def _sequence_numbers(
    path: Path, described: dict[str, Any], applications: list[dict[str, Any]]
) -> dict[str, bytes]:
    """Sequence number → AID; an application without a number of its own has the card's."""
    found = {}
    for each in applications:
        psn = _digits(path, {**described, **each}, "psn", 2, "00")
        found[psn] = _hex(path, "aid", each.get("aid", DEBIT.hex()), None)
    return found


def _digits(
    path: Path, described: dict[str, Any], key: str, width: int, default: str | None
) -> str:
    """A fixed-width number; YAML may have read it as an integer and dropped leading zeros."""
    value = described.get(key, default)
    text = "" if value is None else str(value).zfill(width)
    if not (text.isdecimal() and len(text) == width):
        raise DeckError(f"{path.name}: {key} is not {width} digits")
    return text


def _fen(path: Path, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise DeckError(f"{path.name}: balance is not a whole number of fen")
    return value


def _scripts(path: Path, value: object) -> tuple[tuple[str, bytes], ...]:
    if not isinstance(value, dict) or not {str(tag) for tag in value} <= {"71", "72"}:
        raise DeckError(f"{path.name}: scripts maps 71 and 72 to hex")
    found = tuple((str(tag), _hex(path, "scripts", value[tag], None)) for tag in sorted(value))
    try:
        sent = [scripts.sealed(script, bytes(16), bytes(2), bytes(8)) for _, script in found]
    except DeckError as error:
        raise DeckError(f"{path.name}: {error}") from None
    if sum(len(script) for script in sent) > _SCRIPT_BYTES:
        raise DeckError(f"{path.name}: scripts are longer than {_SCRIPT_BYTES} bytes together")
    return found


def _hex(path: Path, key: str, value: object, length: int | None) -> bytes:
    try:
        data = bytes.fromhex(str(value))
    except ValueError:
        raise DeckError(f"{path.name}: {key} is not hexadecimal") from None
    if length is not None and len(data) != length:
        raise DeckError(f"{path.name}: {key} is not {length} bytes")
    return data

"""What each value of a card's file has to look like, in a form that can be told to its author.

A value itself is never repeated in a message: it may be a key, a PIN or a card number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.sim.cards import ber
from tools.sim.cards.crypto import INPUT_TAGS

STATUSES = ("active", "blocked", "expired", "lost", "pickup", "stolen")

_TAG = re.compile(r"(?:[0-9A-F]{2}|[0-9A-F]{4}|[0-9A-F]{6})\Z")
_ENTRY = re.compile(r"([0-9A-F]{2}|[0-9A-F]{4}):([1-9][0-9]{0,2})\Z")
_LONGEST_LIST = 90  # bytes of a DOL: both of them fit one record


@dataclass(frozen=True)
class Rule:
    """`says` ends the sentence "KEY has to be …"."""

    holds: Callable[[Any], bool]
    says: str


def hexadecimal(*lengths: int, empty: bool = False) -> Rule:
    """So many bytes in hex, as quoted text."""

    def holds(value: Any) -> bool:
        if empty and value == "":
            return True
        good = isinstance(value, str) and re.fullmatch(r"(?:[0-9A-F]{2})+", value)
        return bool(good) and len(value) // 2 in lengths

    named = " or ".join(map(str, lengths))
    if len(lengths) > 2:
        named = f"{lengths[0]} to {lengths[-1]}"
    return Rule(holds, f"{named} bytes in upper-case hex, in quotes")


def digits(low: int, high: int, empty: bool = False) -> Rule:
    """So many decimal digits, as quoted text: a leading zero counts."""

    def holds(value: Any) -> bool:
        if empty and value == "":
            return True
        good = isinstance(value, str) and re.fullmatch(r"[0-9]+", value)
        return bool(good) and low <= len(value) <= high

    named = f"{low}" if low == high else f"{low} to {high}"
    return Rule(holds, f"{named} digits, in quotes")


def number(low: int, high: int, none: bool = False) -> Rule:
    """A whole number within bounds; a truth value is none."""

    def holds(value: Any) -> bool:
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (none and value is None) or (whole and low <= value <= high)

    return Rule(holds, f"a whole number from {low} to {high}")


def one_of(*words: Any) -> Rule:
    """One of a few words."""
    listed = ", ".join(str(each) for each in words)
    good = {(type(each), each) for each in words}
    return Rule(lambda value: (type(value), value) in good, f"one of {listed}")


def text(low: int, high: int) -> Rule:
    """Printable ASCII, which is what cards know."""

    def holds(value: Any) -> bool:
        good = isinstance(value, str) and value.isascii() and (value.isprintable() or not value)
        return bool(good) and low <= len(value) <= high

    return Rule(holds, f"{low} to {high} printable ASCII characters")


def date(pattern: str) -> Rule:
    """YYMM or YYMMDD, as quoted text, with a month and a day that there are."""

    def holds(value: Any) -> bool:
        good = isinstance(value, str) and re.fullmatch(r"[0-9]+", value)
        if not good or len(value) != len(pattern) or not 1 <= int(value[2:4]) <= 12:
            return False
        return len(pattern) == 4 or 1 <= int(value[4:6]) <= 31

    return Rule(holds, f"{pattern}, in quotes")


def elements(*needed: str, empty: bool = False) -> Rule:
    """A DOL in its readable form, '9F02:6 95:5', with those elements in it."""

    def holds(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if not value:
            return empty
        found = [_ENTRY.match(entry) for entry in value.split()]
        if not found or not all(found):
            return False
        listed = [each.group(1) for each in found if each]
        short = all(int(each.group(2)) <= 252 for each in found if each)
        # A tag of one byte that says "more follows", or one of two that does not, is none.
        real = all((int(tag[:2], 16) & 0x1F == 0x1F) == (len(tag) == 4) for tag in listed)
        fits = short and real and len(ber.dol(value)) <= _LONGEST_LIST
        return bool(fits) and ber.size(ber.dol(value)) <= 252 and set(needed) <= set(listed)

    with_ = f" with {' '.join(needed)}" if needed else ""
    return Rule(holds, f"TAG:LENGTH by spaces{with_}")


def mapping(key: Callable[[Any], bool], value: Rule, says: str) -> Rule:
    """A mapping whose keys and values are all good."""

    def holds(given: Any) -> bool:
        return isinstance(given, Mapping) and all(
            key(each) and value.holds(item) for each, item in given.items()
        )

    return Rule(holds, says)


def _listed(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _spoken(value: Any) -> bool:
    if not isinstance(value, Mapping) or set(value) != {"zh", "en"}:
        return False
    return all(isinstance(each, str) and each.strip() for each in value.values())


def _rules_of_verification(value: Any) -> bool:
    return hexadecimal(*range(10, 187, 2)).holds(value)


_TRUTH = one_of(True, False)
_KEY = hexadecimal(16)
_CODES = hexadecimal(5)
_BITS = number(0, 1984)

CARD = {
    "name": text(1, 32),
    "purpose": Rule(_spoken, "a mapping of zh and en to a sentence each"),
    "protocol": one_of("T=0", "T=1"),
    **dict.fromkeys(
        ("contact", "contactless", "mute", "phone", "verified", "declines", "directory"), _TRUTH
    ),
    "uid": hexadecimal(4, 7, empty=True),
    "atc": number(0, 0xFFFF),
    **dict.fromkeys(("imk", "imk_mac", "imk_cipher"), _KEY),
    "pin": digits(4, 12, empty=True),
    "offline_pin": digits(4, 12, empty=True),
    "pin_tries": number(0, 15),
    "pin_limit": number(1, 15),
    "data": mapping(
        lambda tag: isinstance(tag, str) and bool(_TAG.match(tag)),
        hexadecimal(*range(1, 128)),
        "a mapping of tags to values, both in upper-case hex and in quotes",
    ),
    "balance": number(0, 10**12),
    "status": one_of(*STATUSES),
    "companions": Rule(_listed, "a list of names"),
    "leaves_at": mapping(
        lambda key: key in ("contact", "contactless"),
        number(1, 1000),
        "a mapping of contact and contactless to the APDU's number",
    ),
    "delays": mapping(
        lambda key: key == "default" or hexadecimal(2).holds(key),
        number(0, 60_000_000),
        "a mapping of CLA INS in quotes, or default, to microseconds",
    ),
    "scripts": mapping(
        lambda key: str(key) in ("71", "72"),
        hexadecimal(*range(1, 128)),
        "a mapping of 71 and 72 to commands in upper-case hex, in quotes",
    ),
}

APPLICATION = {
    "aid": hexadecimal(*range(5, 17)),
    "label": text(1, 16),
    "pan": digits(12, 19),
    "psn": number(0, 99),
    "expiry": date("YYMM"),
    "priority": number(0, 15),
    "confirm": _TRUTH,
    "preferred_name": text(0, 16),
    "service_code": digits(3, 3),
    "cardholder": text(2, 26),
    "effective": date("YYMMDD"),
    "aip": hexadecimal(2),
    "usage_control": hexadecimal(2),
    "version": hexadecimal(2),
    "cvm": Rule(_rules_of_verification, "X, Y and rules of two bytes each, in hex, in quotes"),
    "verify": one_of("external", "cdol2", "none"),
    "format": one_of(1, 2),
    "offline_limit": number(0, 10**12 - 1),
    "pdol": elements(empty=True),
    "cdol1": elements(*INPUT_TAGS),
    "cdol2": elements("8A", *INPUT_TAGS, empty=True),
    **dict.fromkeys(("action_denial", "action_online", "action_default"), _CODES),
    "lower_limit": number(0, 255, none=True),
    "upper_limit": number(0, 255, none=True),
    "contactless": one_of("pin", "limit", "device", "signature", "none"),
    "pdol_tap": elements("9F66", *INPUT_TAGS),
    "kernel": hexadecimal(1, 3, 8, empty=True),
    "product": text(0, 16),
    "discretionary": hexadecimal(*range(1, 16), empty=True),
    "unproven": one_of("online", "contact", "decline"),
    "blocked": _TRUTH,
}

AUTHENTICATION = {
    "method": one_of("sda", "dda", "cda"),
    "ca": hexadecimal(1),
    **dict.fromkeys(("issuer", "card", "pin"), _BITS),
    "exponent": one_of(3, 65537),
    "until": date("YYMM"),
    "wrong": _TRUTH,
}

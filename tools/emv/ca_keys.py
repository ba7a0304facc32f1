"""The file of `--ca-keys`: certification authority public keys, their check sums verified.

A list of maps, or maps by RID and index: `rid`, `index` (hex), `modulus` (hex), `exponent` (3 or
65537), `expiry` (YYMMDD, YYYYMMDD or YYYY-MM-DD), `checksum` (SHA-1 over RID, index, modulus and
exponent, EMV Book 2 11.2). Live keys are the schemes' to give out; none are here.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tools.emv import plain_yaml
from tools.emv.errors import CaKeysError

_NAMES = {
    "rid": ("rid",),
    "index": ("index", "pki", "ca_index", "key_index", "capki"),
    "modulus": ("modulus", "n", "mod"),
    "exponent": ("exponent", "e", "exp"),
    "expiry": ("expiry", "expires", "expiration", "expiry_date", "expiration_date"),
    "checksum": ("checksum", "check_sum", "check", "sha1", "sha_1", "sha-1", "hash"),
}
SHORTEST, LONGEST = 64, 248  # bytes of a modulus (Book 2 Annex D1), as lib/emv takes them
_ALWAYS = "491231"  # a key without a date: the last year of the two-digit century


def read(file: Path) -> list[dict[str, str]]:
    """Each key as hex strings rid, index, modulus, exponent, sha1, and expiry as YYMMDD.

    CaKeysError names the key and what is wrong with it.
    """
    document = plain_yaml.read(file, CaKeysError)
    entries = list(_entries(document, {}))
    if not entries:
        raise CaKeysError(f"{file}: there is no key in it")
    return [_key(file, at + 1, entry) for at, entry in enumerate(entries)]


def _entries(document: Any, known: dict[str, Any]) -> list[dict[str, Any]]:
    """The maps that hold a key, with what the maps around them say.

    One without a modulus, of which a part is there and no map is in it, is a key as well: it is
    for `_key` to say what is missing.
    """
    if isinstance(document, list):
        return [found for entry in document for found in _entries(entry, known)]
    if not isinstance(document, dict):
        return []
    own = {_name(key): value for key, value in document.items() if isinstance(value, str)}
    inner = any(isinstance(value, dict | list) for value in document.values())
    if "modulus" in own or (not inner and any(name in own for name in _NAMES)):
        return [{**known, **own}]
    result = []
    for key, value in document.items():
        if isinstance(value, dict | list):
            result += _entries(value, {**known, **own, **_place(str(key))})
    return result


def _place(key: str) -> dict[str, str]:
    """What a map's key says: a RID, an index, or both."""
    digits = [part for part in key.replace("/", " ").replace("-", " ").split() if _is_hex(part)]
    found = {}
    for part in digits:
        if len(part) == 10:
            found["rid"] = part
        elif len(part) == 2:
            found["index"] = part
    return found


def _is_hex(text: str) -> bool:
    return bool(text) and all(c in "0123456789abcdefABCDEF" for c in text)


def _name(key: Any) -> str:
    said = "_".join(str(key).strip().lower().split())
    return next((name for name, others in _NAMES.items() if said in others), said)


def _key(file: Path, number: int, entry: dict[str, Any]) -> dict[str, str]:
    place = f"{file}: key {number}"
    names = [entry.get(name, "").upper() for name in ("rid", "index")]
    called = " ".join(text for text in names if _is_hex(text) and len(text) <= 10)
    place += f" ({called})" if called else ""
    missing = [name for name in ("rid", "index", "modulus", "exponent") if name not in entry]
    if missing:
        raise CaKeysError(f"{place} has no {missing[0]}")
    rid = _bytes(place, "rid", entry["rid"])
    index = _bytes(place, "index", entry["index"].rjust(2, "0"))
    if len(rid) != 5 or len(index) != 1:
        raise CaKeysError(f"{place}: a RID has five bytes and an index one")
    place = f"{file}: key {rid.hex().upper()} {index.hex().upper()}"
    modulus = _bytes(place, "modulus", entry["modulus"])
    if not SHORTEST <= len(modulus) <= LONGEST or not modulus[0] or not modulus[-1] & 1:
        raise CaKeysError(f"{place}: a modulus is an odd number of {SHORTEST} to {LONGEST} bytes")
    exponent = _exponent(place, entry["exponent"])
    digest = hashlib.sha1(rid + index + modulus + exponent).hexdigest().upper()
    told = entry.get("checksum")
    if told is not None and _bytes(place, "checksum", told).hex().upper() != digest:
        raise CaKeysError(f"{place}: the check sum is wrong; the SHA-1 of the key is {digest}")
    return {
        "rid": rid.hex().upper(), "index": index.hex().upper(), "modulus": modulus.hex().upper(),
        "exponent": exponent.hex().upper(), "expiry": _expiry(place, entry.get("expiry")),
        "sha1": digest, "checked": "yes" if told is not None else "",
    }


def _exponent(place: str, text: str) -> bytes:
    """65537 is a number, 010001 its hex; the SHA-1 takes the shortest form (Book 2 11.2)."""
    said = text.strip().lower().removeprefix("0x")
    if said == "65537" or said.lstrip("0") == "10001":
        return b"\x01\x00\x01"
    if said.lstrip("0") == "3":
        return b"\x03"
    raise CaKeysError(f"{place}: the exponent is 3 or 65537")


def _expiry(place: str, text: str | None) -> str:
    if text is None:
        return _ALWAYS
    digits = text.replace("-", "").replace("/", "").strip()
    if digits.isdecimal() and len(digits) in (6, 8):
        digits = digits[-6:]
        if 1 <= int(digits[2:4]) <= 12 and 1 <= int(digits[4:]) <= 31:
            return digits
    raise CaKeysError(f"{place}: the expiry date is YYMMDD, YYYYMMDD or YYYY-MM-DD")


def _bytes(place: str, name: str, text: str) -> bytes:
    try:
        return plain_yaml.hexadecimal(text)
    except ValueError:
        raise CaKeysError(f"{place}: the {name} is no hex") from None

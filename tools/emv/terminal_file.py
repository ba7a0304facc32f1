"""The file of `--terminal`: what the terminal was, where the recording does not say it.

A map of tags or names to values: `9F1A: 0156`, `terminal_country_code: 0156`. Values are hex; for
elements of text also the text itself. Beside elements there are the transaction's `amount`,
`other` (fen), `date`, `time`, `pin`, `forced_online`, `exception_file`, `interface`,
`response_code`, and `applications`: a list of AIDs, or of maps with the names of `PARAMETERS`,
which stand at the top for all applications. The sections `terminal`, `transaction`, `data` and
`issuer` may be there for order's sake.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.emv import dictionary, plain_yaml
from tools.emv.errors import TerminalFileError

# The library's `terminal.Application`, name by name: what kind its value is of.
PARAMETERS = {
    "partial": bool, "version": bytes, "tac_denial": bytes, "tac_online": bytes,
    "tac_default": bytes, "floor_limit": int, "threshold": int, "target_percent": int,
    "max_percent": int, "ddol": bytes, "tdol": bytes, "kernel": int, "contactless_floor": int,
    "contactless_cvm_limit": int, "contactless_limit": int, "ttq": bytes,
}
# Tags that are parameters of an application rather than elements of the terminal.
_BY_TAG = {0x9F09: "version", 0x9F66: "ttq", 0x97: "tdol", 0x9F49: "ddol"}
_SECTIONS = ("terminal", "transaction", "data", "tags", "issuer", "parameters")
_LISTS = ("applications", "aids", "aid", "9f06")
_WORDS = ("pin", "interface", "response_code", "date", "time")
_PINS = {"entered": "entered", "correct": "entered", "bypassed": "bypassed", "bypass": "bypassed",
         "fault": "fault", "missing": "fault"}
_LONGEST = 255  # no command and no field 55 carries more
_TRUE, _FALSE = ("true", "yes", "on", "1"), ("false", "no", "off", "0")


@dataclass
class TerminalFile:
    """What a file said. `applications`: parameters with `aid`. `words`: the rest by name."""

    data: dict[int, bytes] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    applications: list[dict[str, Any]] = field(default_factory=list)
    words: dict[str, Any] = field(default_factory=dict)


def read(file: Path) -> TerminalFile:
    """TerminalFileError names the entry and what is wrong with it."""
    document = plain_yaml.read(file, TerminalFileError)
    if not isinstance(document, dict):
        raise TerminalFileError(f"{file}: this is no map of tags and values")
    found = TerminalFile()
    for key, value in document.items():
        try:
            if str(key).lower() in _SECTIONS and isinstance(value, dict):
                for inner, told in value.items():
                    _take(found, str(inner), told)
            else:
                _take(found, str(key), value)
        except ValueError as error:
            raise TerminalFileError(f"{file}: {_short(key)}: {error}") from None
    return found


def _take(found: TerminalFile, key: str, value: Any) -> None:
    """One entry. ValueError says what is wrong with it."""
    name = "_".join(key.strip().lower().replace("-", " ").split())
    if name in _LISTS:
        entries = value if isinstance(value, list) else [value]
        found.applications += [_application(entry) for entry in entries]
    elif name in PARAMETERS:
        found.parameters[name] = _parameter(name, value)
    elif name in ("amount", "other"):
        found.data[0x9F02 if name == "amount" else 0x9F03] = _amount(value)
    elif name in ("forced_online", "exception_file"):
        found.words[name] = _truth(value)
    elif name in _WORDS:
        _word(found, name, _text(value))
    else:
        _element(found, name, value)


def _word(found: TerminalFile, name: str, value: str) -> None:
    if name == "pin":
        if value.lower() not in _PINS:
            raise ValueError("a PIN is entered, bypassed or fault; its digits belong nowhere")
        found.words[name] = _PINS[value.lower()]
    elif name == "interface":
        if value.lower() not in ("contact", "contactless"):
            raise ValueError("contact or contactless")
        found.words[name] = value.lower()
    elif name == "response_code":
        found.data[0x8A] = _two(value)
    else:
        digits = value.replace("-", "").replace(":", "").replace(" ", "")
        sizes = (6, 8) if name == "date" else (6,)
        if not (digits.isascii() and digits.isdecimal()) or len(digits) not in sizes:
            raise ValueError("a date is 2026-11-23 or 261123, a time 12:00:00 or 120000")
        found.data[0x9A if name == "date" else 0x9F21] = bytes.fromhex(digits[-6:])


def _two(value: str) -> bytes:
    if len(value) != 2 or not value.isascii():
        raise ValueError("a response code has two characters")
    return value.encode()


def _element(found: TerminalFile, name: str, value: Any) -> None:
    tag = _tag(name)
    if tag in _BY_TAG:
        found.parameters[_BY_TAG[tag]] = _parameter(_BY_TAG[tag], value)
        return
    row = dictionary.find(tag)
    if row is not None and row.source == "card":
        raise ValueError(f"{tag:X}, {row.name}, is the card's own and comes from the recording")
    text = _text(value)
    if tag in (0x71, 0x72, 0x91) and not text:
        found.data[tag] = b""
        return
    raw = _value(row, text)
    if len(raw) > _LONGEST:
        raise ValueError(f"{tag:X} has up to {_LONGEST} bytes, not {len(raw)}")
    if row is not None and not row.shortest <= len(raw) <= row.longest and tag not in (0x71, 0x72):
        raise ValueError(f"{tag:X} has {row.shortest} to {row.longest} bytes, not {len(raw)}")
    if tag == 0x9F1B:
        found.parameters["floor_limit"] = int.from_bytes(raw, "big")
    elif tag == 0x9F06:
        found.applications.append({"aid": raw})
    else:
        found.data[tag] = raw


def _tag(name: str) -> int:
    digits = name.removeprefix("0x")
    known = dictionary.tags_by_name()
    if name in known:
        return known[name]
    if 2 <= len(digits) <= 6 and all(c in "0123456789abcdef" for c in digits):
        return int(digits, 16)
    names = [*known, *PARAMETERS, *_WORDS, "amount", "other", "applications"]
    near = difflib.get_close_matches(_short(name), names, 1)
    raise ValueError("neither a tag nor a name" + (f"; is {near[0]} meant?" if near else ""))


def _value(row: dictionary.Element | None, text: str) -> bytes:
    form = row.format if row else "b"
    try:
        raw = plain_yaml.hexadecimal(text)
        if row is None or row.shortest <= len(raw) <= row.longest:
            return raw
    except ValueError:
        raw = b""
    if form in ("a", "an", "ans") and text.isascii():
        # Text as it is printed; the merchant's name is rarely written in hex.
        return text.encode()
    if form == "n" and text.isdigit() and row is not None and len(text) <= 2 * row.longest:
        return bytes.fromhex(text.rjust(2 * row.longest, "0"))
    return raw or _hex(text)


def _application(entry: Any) -> dict[str, Any]:
    if isinstance(entry, str):
        return {"aid": _aid(entry)}
    if not isinstance(entry, dict):
        raise ValueError("an application is an AID or a map with one")
    result: dict[str, Any] = {}
    for key, value in entry.items():
        name = "_".join(str(key).strip().lower().replace("-", " ").split())
        if name in ("aid", "9f06"):
            result["aid"] = _aid(_text(value))
        elif name in PARAMETERS:
            result[name] = _parameter(name, value)
        elif name in ("9f09", "9f66", "97", "9f49"):
            result[_BY_TAG[int(name, 16)]] = _parameter(_BY_TAG[int(name, 16)], value)
        elif name == "9f1b":
            result["floor_limit"] = int.from_bytes(_hex(_text(value)), "big")
        elif name not in ("label", "name", "comment"):
            near = difflib.get_close_matches(_short(name), PARAMETERS, 1)
            hint = f"; is {near[0]} meant?" if near else ""
            raise ValueError(f"{_short(key)} is unknown{hint}")
    if "aid" not in result:
        raise ValueError("an application without its aid")
    return result


def _aid(text: str) -> bytes:
    aid = _hex(text)
    if not 5 <= len(aid) <= 16:
        raise ValueError(f"an AID has 5 to 16 bytes, not {len(aid)}")
    return aid


def _parameter(name: str, value: Any) -> Any:
    kind, text = PARAMETERS[name], _text(value)
    if kind is bool:
        return _truth(text)
    if kind is bytes:
        raw = _hex(text)
        size = {"version": 2, "ttq": 4, "tac_denial": 5, "tac_online": 5, "tac_default": 5}
        if len(raw) != size.get(name, len(raw)):
            raise ValueError(f"{name} has {size[name]} bytes, not {len(raw)}")
        return raw
    if name == "contactless_limit" and text.lower() in ("", "none", "null", "~"):
        return None
    if not text.isdecimal() or len(text) > 12:
        raise ValueError(f"{name} is a number, amounts in fen")
    return int(text)


def _amount(value: Any) -> bytes:
    text = _text(value)
    if not text.isdecimal() or len(text) > 12:
        raise ValueError("an amount is a whole number of fen with up to 12 digits")
    return bytes.fromhex(text.rjust(12, "0"))


def _truth(value: Any) -> bool:
    text = _text(value).lower()
    if text not in _TRUE + _FALSE:
        raise ValueError("true or false")
    return text in _TRUE


def _hex(text: str) -> bytes:
    try:
        return plain_yaml.hexadecimal(text)
    except ValueError:
        raise ValueError("hex digits are needed, two a byte") from None


def _short(key: Any) -> str:
    """A key as a message repeats it."""
    text = " ".join(str(key).split())
    return text if len(text) <= 40 else text[:40] + "…"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("one value is needed")
    return value.strip()

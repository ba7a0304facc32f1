"""Any bytes of the field in words: which kind they are, and what they say.

Kinds are named (`KINDS`), are a data element's tag, or are guessed: `guess` says which.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tools.emv import apdu, dictionary, iso, show, tree, words
from tools.emv.errors import DecodeError
from tools.sim.chips import masking

# A kind that is the value of one element → its tag.
ELEMENTS = {
    "tvr": 0x95, "tsi": 0x9B, "aip": 0x82, "afl": 0x94, "cvm-list": 0x8E, "cvm-results": 0x9F34,
    "ttq": 0x9F66, "ctq": 0x9F6C, "iad": 0x9F10, "cid": 0x9F27, "auc": 0x9F07,
    "capabilities": 0x9F33, "additional-capabilities": 0x9F40, "terminal-type": 0x9F35,
    "pdol": 0x9F38, "cdol1": 0x8C, "cdol2": 0x8D, "ddol": 0x9F49, "tdol": 0x97,
}
# CLA bytes that terminals and issuers use (Book 3 6.3.2).
_CLASSES = (0x00, 0x80, 0x04, 0x0C, 0x84, 0x8C)


def decode(data: bytes, kind: str | None = None) -> dict[str, Any]:
    """`{kind, guessed, title, rows}`; a row has tag, name, depth, and value and words if any.

    kind: one of `kinds()` or a tag in hex. DecodeError when the bytes are not of that kind, or
    nobody knows what they are.
    """
    if not data:
        raise DecodeError("there are no bytes to decode")
    guessed = kind is None
    kind = guess(data) if kind is None else kind.lower()
    if kind in _KINDS:
        found = _KINDS[kind](data)
    elif kind in ELEMENTS:
        found = _element(ELEMENTS[kind], data)
    else:
        found = _element(_tag(kind), data)
    return {"kind": kind, "guessed": guessed, **found}


def kinds() -> list[str]:
    """Every name that a kind may have, tags aside."""
    return sorted([*_KINDS, *ELEMENTS])


def is_kind(text: str) -> bool:
    """Whether a word names a kind; a tag counts when the dictionary has it."""
    text = text.lower()
    if text in _KINDS or text in ELEMENTS:
        return True
    return _is_hex(text) and len(text) in (2, 4) and dictionary.find(int(text, 16)) is not None


def guess(data: bytes) -> str:
    """What the bytes most likely are. DecodeError when they look like nothing known."""
    for kind, looks in _LOOKS:
        if looks(data):
            return kind
    raise DecodeError(f"what these {len(data)} bytes are cannot be guessed: name a kind")


# ---- what each kind says


def _element(tag: int, data: bytes) -> dict[str, Any]:
    """One element by its value; a template by what is in it."""
    row = show.element(tag, data)
    title = f"{tag:X} {dictionary.label(tag)}"
    if tree.is_constructed(tag):
        inside = [{**each, "depth": each["depth"] + 1} for each in _tlv(data)["rows"]]
        return {"title": title, "rows": [row, *inside]}
    for said in row.get("words", []):
        if said.startswith("malformed: "):
            raise DecodeError(said.removeprefix("malformed: "))
    return {"title": title, "rows": [row]}


def _tlv(data: bytes) -> dict[str, Any]:
    nodes = tree.parse(data)
    if not nodes:
        raise DecodeError("there is no object in it")
    return {"title": "BER-TLV", "rows": show.elements(nodes)}


def _dol(data: bytes) -> dict[str, Any]:
    rows = [
        {"tag": f"{tag:X}", "name": dictionary.label(tag), "depth": 0, "value": f"{size} bytes"}
        for tag, size in tree.dol(data)
    ]
    total = sum(size for _, size in tree.dol(data))
    return {"title": f"data object list for {total} bytes", "rows": rows}


def _command(data: bytes) -> dict[str, Any]:
    parts = apdu.command(data)
    shown = masking.masked_apdu(data, b"\x00\x00")[0]
    rows = [_part(name, f"{value:02X}") for name, value in
            (("CLA", parts.cla), ("INS", parts.ins), ("P1", parts.p1), ("P2", parts.p2))]
    if parts.data:
        rows.append(_part("Lc", f"{len(parts.data):02X}", [f"{len(parts.data)} bytes"]))
        rows.append(_part("data", shown[10 : 10 + 2 * len(parts.data)]))
        if parts.ins not in masking.PIN_COMMANDS:
            inside = show.request(parts, None)
            if not inside and parts.ins != apdu.GENERATE_AC:
                inside = show.elements(tree.try_parse(parts.data))
            rows += [{**row, "depth": row["depth"] + 1} for row in inside]
    if parts.le is not None:
        rows.append(_part("Le", f"{parts.le:02X}", [f"up to {parts.le or 256} bytes"]))
    return {"title": f"command {show.command_name(parts)}", "rows": rows, "hex": shown}


def _response(data: bytes) -> dict[str, Any]:
    if len(data) < 2:
        raise DecodeError("a response ends with the two bytes SW1 SW2")
    status = data[-2:].hex().upper()
    said = apdu.status_words(status)
    body = data[:-2]
    rows = show.elements(tree.parse(body)) if tree.try_parse(body) else []
    if body and not rows:
        rows.append(_part("data", masking.masked(body)))
    rows.append(_part("SW", status, [said] if said else []))
    return {"title": f"response {status} {said}".rstrip(), "rows": rows}


def _apdu(data: bytes) -> dict[str, Any]:
    return _command(data) if _looks_command(data) else _response(data)


def _status(data: bytes) -> dict[str, Any]:
    if len(data) != 2:
        raise DecodeError(f"a status word has two bytes, not {len(data)}")
    return _response(data)


def _part(name: str, value: str, said: list[str] | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"tag": name, "name": "", "value": value, "depth": 0}
    return {**row, "words": said} if said else row


_KINDS: dict[str, Callable[[bytes], dict[str, Any]]] = {
    "tlv": _tlv, "dol": _dol, "command": _command, "response": _response, "apdu": _apdu,
    "sw": _status, "iso": iso.message,
}


def _tag(text: str) -> int:
    if not _is_hex(text) or len(text) not in (2, 4, 6):
        raise DecodeError(f"{text!r} is no kind; there are {', '.join(kinds())}, and any tag")
    return int(text, 16)


def _is_hex(text: str) -> bool:
    return bool(text) and all(c in "0123456789abcdefABCDEF" for c in text)


# ---- what each kind looks like


def _looks_command(data: bytes) -> bool:
    if len(data) < 4 or data[0] not in _CLASSES or data[1] not in apdu.INSTRUCTIONS:
        return False
    try:
        apdu.command(data)
    except DecodeError:
        return False
    return True


def _looks_response(data: bytes) -> bool:
    if len(data) < 2 or not (data[-2] in (0x90, 0x61, 0x6C) or data[-2] >> 4 == 6):
        return False
    if data[-2] == 0x90 and data[-1]:
        return False
    return len(data) == 2 or bool(tree.try_parse(data[:-2]))


def _looks_challenge(data: bytes) -> bool:
    """GET CHALLENGE has no data; as TLV it would be an empty DF name between fillings."""
    return data[:4] == b"\x00\x84\x00\x00" and len(data) <= 5


def _looks_dol(data: bytes) -> bool:
    try:
        entries = tree.dol(data)
    except DecodeError:
        return False
    rows = [(dictionary.find(tag), size) for tag, size in entries]
    return bool(rows) and all(row and 0 < size <= row.longest for row, size in rows)


def _looks_tlv(data: bytes) -> bool:
    nodes = tree.try_parse(data)
    return bool(nodes) and all(dictionary.find(node.tag) for _, node in tree.walk(nodes[:1]))


def _looks_cvm_results(data: bytes) -> bool:
    return len(data) == 3 and data[0] & 0x3F in words.METHODS and data[1] <= 9 and data[2] <= 2


def _looks_cvm_list(data: bytes) -> bool:
    """Its amounts are small, so that no TLV begins as it does."""
    if len(data) < 10 or len(data) % 2 or data[0]:
        return False
    return all(
        data[at] & 0x3F in words.METHODS and data[at + 1] in words.CONDITIONS
        for at in range(8, len(data), 2)
    )


def _looks_afl(data: bytes) -> bool:
    if not data or len(data) % 4:
        return False
    return all(
        8 <= data[at] <= 0xF0 and not data[at] & 7 and 1 <= data[at + 1] <= data[at + 2]
        and data[at + 3] <= data[at + 2] - data[at + 1] + 1
        for at in range(0, len(data), 4)
    )


def _looks_tsi(data: bytes) -> bool:
    """A TSI has no second byte, and card risk management in it as soon as a card decided."""
    return len(data) == 2 and data[1] == 0 and data[0] & 0x23 == 0x20 and data[0] & 0x48 != 0


_LOOKS: tuple[tuple[str, Callable[[bytes], bool]], ...] = (
    ("iso", iso.is_message),
    ("cvm-list", _looks_cvm_list),
    # As a list it would ask for a template, which nobody has.
    ("response", lambda data: len(data) == 2 and data[0] == 0x61),
    ("command", _looks_challenge),
    ("dol", _looks_dol),
    ("response", lambda data: data[-2:] == b"\x90\x00" and _looks_response(data)),
    ("tlv", _looks_tlv),
    ("command", _looks_command),
    ("response", _looks_response),
    ("cvm-results", _looks_cvm_results),
    ("afl", _looks_afl),
    ("tvr", lambda data: len(data) == 5),
    ("tsi", _looks_tsi),
    ("aip", lambda data: len(data) == 2),
    ("capabilities", lambda data: len(data) == 3),
    ("ttq", lambda data: len(data) == 4),
    ("tlv", lambda data: bool(tree.try_parse(data))),
)

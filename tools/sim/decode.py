"""Events in words: what a click on the timeline shows. APDUs with TLVs, messages with fields.

Names and words are those of `tools.emv`, names of ISO 8583 fields the acquirer's own
specification's. Only what the event already carries is shown, and events are masked where they
are made.
"""

from collections.abc import Iterable
from typing import Any

from tools.acquirer.spec import FIELD_NAMES
from tools.emv import dictionary, tree, words
from tools.emv.apdu import INSTRUCTIONS, KINDS, status_words
from tools.emv.errors import DecodeError
from tools.emv.iso import MESSAGES


def tlv_rows(data: str) -> list[list[str]]:
    """[tag, name, value] rows of a TLV string in hex whose masked nibbles are '*'."""
    try:
        low, high = (
            list(tree.leaves(tree.parse(bytes.fromhex(data.replace("*", digit)))))
            for digit in "0F"
        )
    except (ValueError, DecodeError):
        return []
    rows = []
    for node, other in zip(low, high):
        pairs = zip(node.value.hex().upper(), other.value.hex().upper())
        shown = "".join(a if a == b else "*" for a, b in pairs)
        rows.append(_row(node.tag, shown))
    return rows


def _row(tag: int, shown: str, mark: str = "") -> list[str]:
    """One element: its tag, its name, its value and behind a gap what that says."""
    said = "" if "*" in shown else ", ".join(words.meaning(tag, bytes.fromhex(shown)))
    return [f"{mark}{tag:X}", dictionary.label(tag), shown + (f"   {said}" if said else "")]


def _asked(
    command: str, event: dict[str, Any], earlier: Iterable[dict[str, Any]]
) -> list[list[str]]:
    """What a GENERATE AC or GPO carries, by the list that the card gave before it."""
    first = not any(_is(e, "AE") and e["t"] < event["t"] for e in _same_card(event, earlier))
    tag = "9F38" if command[2:4] == "A8" else "8C" if first else "8D"
    given = ""
    for known in _same_card(event, earlier):
        if known["t"] >= event["t"]:
            break
        for row in tlv_rows(str(known.get("response", ""))[:-4]):
            given = row[2].split(" ")[0] if row[0] == tag else given
    data = command[10 : 10 + 2 * int(command[8:10] or "0", 16)]
    if tag == "9F38" and data.startswith("83"):
        data = data[4:]
    rows = []
    try:
        wanted = tree.dol(bytes.fromhex(given))
    except (DecodeError, ValueError):
        wanted = []
    for number, length in wanted:
        value, data = data[: 2 * length], data[2 * length :]
        rows.append(_row(number, value, "→ "))
    return rows


def _same_card(event: dict[str, Any], earlier: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The APDUs since the last application was selected, up to this one."""
    since: list[dict[str, Any]] = []
    for known in earlier:
        if known.get("kind") != "apdu" or known.get("t", 0) > event["t"]:
            continue
        if _is(known, "A4"):
            since = []
        since.append(known)
    return since


def _is(event: dict[str, Any], instruction: str) -> bool:
    return str(event.get("command", ""))[2:4] == instruction


def _primitive(command: str, data: str) -> list[list[str]]:
    """Rows of a format 1 answer (template 80): GPO is AIP and AFL, GENERATE AC is CID … IAD."""
    body = data[4:]
    if command[2:4] == "A8":
        parts = [(0x82, body[:4]), (0x94, body[4:])]
    else:
        parts = [(0x9F27, body[:2]), (0x9F36, body[2:6]), (0x9F26, body[6:22]),
                 (0x9F10, body[22:])]
    return [_row(tag, value) for tag, value in parts if value]


def apdu(event: dict[str, Any], earlier: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """Title, hex and rows of an APDU event."""
    command, response = str(event.get("command", "")), str(event.get("response", ""))
    name = name_of(command)
    status, data = response[-4:], response[:-4]
    rows = _asked(command, event, list(earlier)) if command[2:4] in ("AE", "A8") else []
    rows.append(["SW", status_words(status), status])
    if data.startswith("80") and command[2:4] in ("AE", "A8"):
        rows += _primitive(command, data)
    else:
        rows += tlv_rows(data)
    return {"title": f"{name} · {event.get('interface', '')}", "rows": rows,
            "hex": [["C-APDU", _spaced(command)], ["R-APDU", _spaced(response)]]}


def name_of(command: str) -> str:
    """The instruction of a C-APDU in hex, by its name."""
    try:
        name = INSTRUCTIONS.get(int(command[2:4], 16), "?")
    except ValueError:
        return "?"
    kind = KINDS.get(int(command[4:6], 16) & 0xC0) if name == "GENERATE AC" else None
    return f"{name} {kind}" if kind else name


def _spaced(data: str) -> str:
    return " ".join(data[at : at + 2] for at in range(0, len(data), 2))


def iso(event: dict[str, Any]) -> dict[str, Any]:
    """Title, hex and rows of a message event."""
    rows = []
    for number, value in sorted(event.get("fields", {}).items(), key=lambda pair: int(pair[0])):
        rows.append([f"F{number}", FIELD_NAMES.get(str(number), ""), str(value)])
        if str(number) == "55":
            rows += [[f"  {tag}", name, text] for tag, name, text in tlv_rows(str(value))]
    mti = str(event.get("mti", ""))
    dump = [["header", _spaced(str(event.get("header", "")))], ["MTI", _spaced(mti)],
            ["bitmap", _spaced(bitmap(event.get("fields", {})))]]
    if "55" in event.get("fields", {}):
        dump.append(["F55", _spaced(str(event["fields"]["55"]))])
    reason = [["", "host says", str(event["reason"])]] if event.get("reason") else []
    title = f"{mti} {MESSAGES.get(mti, '')} · {event.get('direction', '')}"
    return {"title": title, "hex": dump, "rows": reason + rows}


def bitmap(fields: Iterable[Any]) -> str:
    """The primary bitmap of these field numbers, 16 hex digits."""
    bits = sum(1 << (64 - int(number)) for number in fields if 1 <= int(number) <= 64)
    return f"{bits:016X}"


def event_in_words(
    event: dict[str, Any], earlier: Iterable[dict[str, Any]] = ()
) -> dict[str, Any]:
    """What the page shows for a clicked event: `{title, hex: [[name, dump]..], rows: [[..]..]}`.

    `earlier`: the timeline, for what an APDU's data mean by the lists the card gave before.
    """
    kind = event.get("kind")
    if kind == "apdu":
        return apdu(event, earlier)
    if kind == "iso":
        return iso(event)
    rows = [[str(k), "", str(v)] for k, v in event.items() if k not in ("kind", "t")]
    return {"title": str(kind), "hex": [], "rows": rows}

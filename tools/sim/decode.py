"""Events in words: what a click on the timeline shows. APDUs with TLVs, messages with fields.

TLV parsing is pyemv's; names of ISO 8583 fields are those of the acquirer's own specification.
Only what the event already carries is shown, and events are masked where they are made.
"""

from collections.abc import Iterable
from typing import Any

import pyemv.tlv

INSTRUCTIONS = {
    0xA4: "SELECT", 0xB2: "READ RECORD", 0xA8: "GET PROCESSING OPTIONS", 0xAE: "GENERATE AC",
    0x82: "EXTERNAL AUTHENTICATE", 0x88: "INTERNAL AUTHENTICATE", 0x84: "GET CHALLENGE",
    0xCA: "GET DATA", 0x20: "VERIFY", 0xC0: "GET RESPONSE", 0x1E: "APPLICATION BLOCK",
    0x18: "APPLICATION UNBLOCK", 0x16: "CARD BLOCK", 0x24: "PIN CHANGE/UNBLOCK",
    0xDA: "PUT DATA", 0xDC: "UPDATE RECORD",
}
STATUS = {
    "9000": "ok", "6283": "application blocked", "6300": "failed", "6700": "wrong length",
    "6982": "security status not satisfied", "6983": "method blocked", "6984": "data invalidated",
    "6985": "conditions not satisfied", "6A81": "function not supported", "6A82": "not found",
    "6A83": "no such record", "6A86": "wrong P1 P2", "6A88": "data not found",
    "6D00": "unknown instruction", "6E00": "unknown class",
}
# EMV Book 3 table 14: the two bits of P1 and of the CID.
KINDS = {0x00: "AAC", 0x40: "TC", 0x80: "ARQC"}
MESSAGES = {
    "0200": "financial request", "0210": "financial reply", "0400": "reversal request",
    "0410": "reversal reply", "0800": "network request", "0810": "network reply",
    "0820": "notice", "0830": "notice reply", "0500": "settlement request",
    "0510": "settlement reply",
}
# ISO 8583:1987 with UnionPay's uses of the private fields.
FIELD_NAMES = {
    "2": "PAN", "3": "processing code", "4": "amount", "11": "trace number", "12": "time",
    "13": "date", "14": "expiry", "15": "settlement date", "22": "entry mode",
    "23": "PAN sequence number", "25": "condition code", "26": "PIN capture code",
    "32": "acquirer", "35": "track 2", "36": "track 3", "37": "reference number",
    "38": "authorisation code", "39": "response code", "41": "terminal", "42": "merchant",
    "44": "issuer and acquirer", "48": "totals", "49": "currency", "52": "PIN block",
    "53": "security control", "54": "balance", "55": "chip data",
    "60": "type, batch, network code",
    "61": "original", "62": "keys or parameters", "63": "operator", "64": "MAC",
}
# EMV Book 3 annex A and UnionPay's own; the tags a sale meets.
TAGS = {
    "4F": "application identifier", "50": "application label", "57": "track 2 equivalent data",
    "5A": "PAN", "5F20": "cardholder name", "5F24": "expiry", "5F25": "effective date",
    "5F28": "issuer country", "5F2A": "transaction currency", "5F2D": "language preference",
    "5F34": "PAN sequence number", "61": "application template", "6F": "FCI template",
    "70": "record template", "71": "issuer script before", "72": "issuer script after",
    "77": "response template 2", "80": "response template 1", "82": "AIP", "84": "DF name",
    "87": "priority", "88": "SFI", "8A": "authorisation response code", "8C": "CDOL1",
    "8D": "CDOL2", "8E": "CVM list", "8F": "CA key index", "91": "issuer authentication data",
    "94": "AFL", "95": "TVR", "9A": "transaction date", "9B": "TSI", "9C": "transaction type",
    "9F02": "amount", "9F03": "other amount", "9F07": "usage control", "9F08": "card version",
    "9F09": "terminal version", "9F0D": "IAC default", "9F0E": "IAC denial", "9F0F": "IAC online",
    "9F10": "issuer application data", "9F11": "code table", "9F12": "preferred name",
    "9F1A": "terminal country", "9F1E": "device serial", "9F21": "time", "9F26": "cryptogram",
    "9F27": "cryptogram information", "9F33": "terminal capabilities", "9F34": "CVM results",
    "9F35": "terminal type", "9F36": "ATC", "9F37": "unpredictable number", "9F38": "PDOL",
    "9F41": "sequence counter", "9F42": "application currency", "9F4A": "static data tags",
    "9F63": "product identification", "9F66": "TTQ", "9F6C": "CTQ", "A5": "FCI proprietary",
    "BF0C": "FCI issuer data", "9F4E": "merchant name", "9F5D": "offline funds",
}
TVR = [
    ["ODA not performed", "SDA failed", "ICC data missing", "on exception file", "DDA failed",
     "CDA failed", "SDA selected", ""],
    ["versions differ", "expired application", "not yet effective", "service not allowed",
     "new card", "", "", ""],
    ["CVM failed", "unrecognised CVM", "PIN tries exceeded", "PIN pad missing", "PIN not entered",
     "online PIN entered", "", ""],
    ["floor limit exceeded", "lower consecutive limit", "upper consecutive limit",
     "random selection", "forced online", "", "", ""],
    ["default TDOL", "issuer authentication failed", "script failed before", "script failed after",
     "", "", "", ""],
]


def tvr_words(value: bytes) -> str:
    """The set bits of a TVR (5 bytes) in words."""
    words = [
        TVR[byte][bit] or f"byte {byte + 1} bit {8 - bit}"
        for byte, octet in enumerate(value[:5]) for bit in range(8) if octet & (0x80 >> bit)
    ]
    return ", ".join(words) or "no bit set"


def tlv_rows(data: str) -> list[list[str]]:
    """[tag, name, value] rows of a TLV string in hex whose masked nibbles are '*'."""
    try:
        low, high = (_flat(data.replace("*", digit)) for digit in "0F")
    except (ValueError, pyemv.tlv.DecodeError):
        return []
    rows = []
    for tag, value in low.items():
        shown = "".join(a if a == b else "*" for a, b in zip(value, high.get(tag, value)))
        rows.append([tag, TAGS.get(tag, ""), shown + _remark(tag, shown)])
    return rows


def _flat(data: str) -> dict[str, str]:
    decoded = pyemv.tlv.decode(bytes.fromhex(data), flatten=True)
    return {tag: value.hex().upper() for tag, value in decoded.items()}


def _remark(tag: str, value: str) -> str:
    """What a value says in words, after a gap; empty when it speaks for itself."""
    words = ""
    if "*" in value or not value:
        return ""
    if tag == "95":
        words = tvr_words(bytes.fromhex(value))
    elif tag in ("50", "5F20", "9F12", "84") and bytes.fromhex(value).isascii():
        text = bytes.fromhex(value).decode()
        words = text if text.isprintable() else ""
    elif tag in ("8C", "8D", "9F38"):
        words = ", ".join(f"{TAGS.get(t, '')} {t}:{n}" for t, n in dol(value))
    elif tag == "9F27":
        words = KINDS.get(int(value[:2], 16) & 0xC0, "?")
    return f"   {words}" if words else ""


def dol(value: str) -> list[tuple[str, int]]:
    """The (tag, length in bytes) pairs of a data object list in hex."""
    data, found, at = bytes.fromhex(value), [], 0
    while at < len(data):
        end = at + 1
        if data[at] & 0x1F == 0x1F:
            while end < len(data) and data[end] & 0x80:
                end += 1
            end += 1
        if end >= len(data):
            break
        found.append((data[at:end].hex().upper(), data[end]))
        at = end + 1
    return found


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
    for name, length in dol(given) if given else []:
        value, data = data[: 2 * length], data[2 * length :]
        rows.append([f"→ {name}", TAGS.get(name, ""), value + _remark(name, value)])
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
        parts = [("82", body[:4]), ("94", body[4:])]
    else:
        parts = [("9F27", body[:2]), ("9F36", body[2:6]), ("9F26", body[6:22]),
                 ("9F10", body[22:])]
    return [[tag, TAGS[tag], value + _remark(tag, value)] for tag, value in parts if value]


def apdu(event: dict[str, Any], earlier: Iterable[dict[str, Any]] = ()) -> dict[str, Any]:
    """Title, hex and rows of an APDU event."""
    command, response = str(event.get("command", "")), str(event.get("response", ""))
    name = name_of(command)
    status, data = response[-4:], response[:-4]
    rows = _asked(command, event, list(earlier)) if command[2:4] in ("AE", "A8") else []
    rows.append(["SW", STATUS.get(status, ""), status])
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

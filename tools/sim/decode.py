"""Events in words: what a click on the timeline shows. APDUs with their TLVs, messages with fields.

TLV parsing is pyemv's; names of ISO 8583 fields are those of the acquirer's own specification. Only
what the event already carries is shown, and events are masked where they are made.
"""

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
# ISO 8583:1987 with UnionPay's uses of the private fields.
FIELD_NAMES = {
    "2": "PAN", "3": "processing code", "4": "amount", "11": "trace number", "12": "time",
    "13": "date", "14": "expiry", "15": "settlement date", "22": "entry mode",
    "23": "PAN sequence number", "25": "condition code", "26": "PIN capture code",
    "32": "acquirer", "35": "track 2", "36": "track 3", "37": "reference number",
    "38": "authorisation code", "39": "response code", "41": "terminal", "42": "merchant",
    "44": "issuer and acquirer", "48": "totals", "49": "currency", "52": "PIN block",
    "53": "security control", "54": "balance", "55": "chip data", "60": "type, batch, network code",
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


def tlv_rows(data: str, depth: int = 0) -> list[list[str]]:
    """[tag, name, value] rows of a TLV string in hex; masked values (with '*') stay whole."""
    try:
        decoded = pyemv.tlv.decode(bytes.fromhex(data), flatten=True)
    except (ValueError, pyemv.tlv.DecodeError):
        return []
    rows = []
    for tag, value in decoded.items():
        note = f"  {tvr_words(value)}" if tag == "95" else ""
        rows.append([tag, TAGS.get(tag, ""), value.hex().upper() + note])
    return rows


def apdu(event: dict[str, Any]) -> dict[str, Any]:
    """Title, hex and rows of an APDU event."""
    command, response = str(event.get("command", "")), str(event.get("response", ""))
    name = INSTRUCTIONS.get(int(command[2:4], 16), "?") if len(command) >= 4 else "?"
    status = response[-4:]
    rows = [["SW", STATUS.get(status, ""), status], *tlv_rows(response[:-4])]
    return {"title": name, "hex": [command, response], "rows": rows}


def iso(event: dict[str, Any]) -> dict[str, Any]:
    """Title, hex and rows of a message event."""
    rows = []
    for number, value in event.get("fields", {}).items():
        rows.append([f"F{number}", FIELD_NAMES.get(str(number), ""), str(value)])
        if str(number) == "55":
            rows += [[f"  {tag}", name, text] for tag, name, text in tlv_rows(str(value))]
    return {"title": f"{event.get('direction', '')} {event.get('mti', '')}", "hex": [], "rows": rows}


def event_in_words(event: dict[str, Any]) -> dict[str, Any]:
    """What the page shows for a clicked event: `{title, hex: [..], rows: [[..], ..]}`."""
    kind = event.get("kind")
    if kind == "apdu":
        return apdu(event)
    if kind == "iso":
        return iso(event)
    rows = [[str(k), str(v)] for k, v in event.items() if k not in ("kind", "t")]
    return {"title": str(kind), "hex": [], "rows": rows}

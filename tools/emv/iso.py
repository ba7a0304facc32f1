"""A message of the acquirer link in words: frame, header, fields, the chip data's elements.

Reading is pyiso8583's by the acquirer's own specification. Card numbers are masked, tracks, PIN
blocks and keys are not shown.
"""

from __future__ import annotations

from typing import Any

from tools.acquirer.errors import WireError
from tools.acquirer.events import HIDDEN, masked_fields, masked_pan
from tools.acquirer.spec import FIELD_NAMES, PREFIX_BYTES, SPEC
from tools.acquirer.wire import LENGTH_BYTES, Message, decode
from tools.emv import show, tree
from tools.emv.errors import DecodeError
from tools.sim.chips import masking

MESSAGES = {
    "0100": "pre-authorisation request", "0110": "pre-authorisation reply",
    "0200": "financial request", "0210": "financial reply",
    "0220": "advice", "0230": "advice reply",
    "0320": "batch upload", "0330": "batch upload reply",
    "0400": "reversal request", "0410": "reversal reply",
    "0500": "settlement request", "0510": "settlement reply",
    "0620": "script result", "0630": "script result reply",
    "0800": "network request", "0810": "network reply",
    "0820": "notice", "0830": "notice reply",
}
# Field 60.1 (PROTOCOL.md, "Transactions").
TYPES = {
    "01": "balance", "10": "pre-authorisation", "11": "pre-authorisation cancel",
    "20": "completion", "21": "completion void", "22": "sale", "23": "void",
    "24": "completion notice", "25": "refund", "36": "offline chip upload", "60": "code payment",
}
_ENTRY = {"01": "manual", "02": "stripe", "03": "bar code", "05": "chip", "07": "contactless"}
_PIN = {"1": "with PIN", "2": "without PIN"}
_WISHES = {
    "1": "download parameters", "2": "upload status", "3": "sign on again",
    "4": "download CA public keys", "5": "download AID parameters", "6": "application update",
    "7": "download blacklist",
}
_TOTALS, _CHIP, _UPLOAD = 48, 55, "0320"
# Any byte may stand in a text: a host's Chinese, a binary MAC. The profile itself has ASCII.
_ANY = {name: {**row, "data_enc": "latin-1"} if row["data_enc"] == "ascii" else row
        for name, row in SPEC.items()}
_UPLOAD_ROW = 40  # type n2, trace n6, PAN n20, amount n12


def message(data: bytes) -> dict[str, Any]:
    """Title and rows of one message, with or without its length, TPDU and header.

    DecodeError when it is no message of this profile.
    """
    frame, left_out = _frame(data)
    told = _told(data)
    if told is not None:
        raise DecodeError(f"the length says {told} bytes, {len(data) - LENGTH_BYTES} follow")
    try:
        read = decode(frame, _ANY)
    except WireError as error:
        raise DecodeError(f"no message of this profile: {error}") from None
    rows = []
    if not left_out:
        wish = _WISHES.get(read.header[5])
        rows.append(_row("TPDU", "", read.tpdu.hex()))
        rows.append(_row("header", "", read.header, [f"host wishes: {wish}"] if wish else []))
    rows.append(_row("MTI", MESSAGES.get(read.mti, ""), read.mti))
    shown = masked_fields(read)
    for number in sorted(read.fields):
        rows.append(_field(read, number, shown[str(number)]))
        if number == _CHIP:
            rows += _chip(read.fields[number])
    return {"title": f"{read.mti} {MESSAGES.get(read.mti, 'message')}".strip(), "rows": rows}


def is_message(data: bytes) -> bool:
    """Whether the bytes are one message with TPDU and header, be it cut behind its length."""
    frame, left_out = _frame(data)
    if left_out:
        return False
    if _told(data) is not None:
        return True
    try:
        decode(frame, _ANY)
    except WireError:
        return False
    return True


def _frame(data: bytes) -> tuple[bytes, bool]:
    """The frame without its length; whether TPDU and header had to be made up."""
    if len(data) > LENGTH_BYTES and int.from_bytes(data[:LENGTH_BYTES], "big") == len(data) - 2:
        data = data[LENGTH_BYTES:]
    if data[:1] != b"\x60" and data[:2].hex() in MESSAGES:
        return bytes(PREFIX_BYTES) + data, True
    return data, False


def _told(data: bytes) -> int | None:
    """What the length in front of a message says, where it is not what follows; else None."""
    kind = data[LENGTH_BYTES + PREFIX_BYTES :][:2].hex()
    if data[LENGTH_BYTES : LENGTH_BYTES + 1] != b"\x60" or kind not in MESSAGES:
        return None
    told = int.from_bytes(data[:LENGTH_BYTES], "big")
    return told if told != len(data) - LENGTH_BYTES else None


def _row(what: str, name: str, value: str, words: list[str] | None = None) -> dict[str, Any]:
    row: dict[str, Any] = {"tag": what, "name": name, "value": value, "depth": 0}
    if words:
        row["words"] = words
    return row


def _field(read: Message, number: int, shown: str) -> dict[str, Any]:
    text = read.fields[number]
    name = FIELD_NAMES.get(str(number), "")
    if not (text.isascii() and text.isprintable()) and shown != HIDDEN:
        return _row(f"F{number}", name, *_strange(text.encode("latin-1")))
    if number == _CHIP and shown != HIDDEN:
        shown = masking.masked(bytes.fromhex(text))
    elif number == _TOTALS and read.mti == _UPLOAD:
        shown = _upload(text)
    return _row(f"F{number}", name, shown, _words(number, text))


def _strange(raw: bytes) -> tuple[str, list[str]]:
    """A text that is no printable ASCII: its hex, and what it says if it is Chinese (GB 18030)."""
    shown = masking.masked(raw)
    try:
        text = raw.decode("gb18030")
    except UnicodeDecodeError:
        return shown, []
    return shown, [text] if text.isprintable() and "*" not in shown else []


def _upload(text: str) -> str:
    """Stripe sales of a batch upload: each with its card number masked."""
    if len(text) < 2 or (len(text) - 2) % _UPLOAD_ROW:
        return text if len(text) <= _UPLOAD_ROW and len(text) < 10 else HIDDEN
    result = text[:2]
    for at in range(2, len(text), _UPLOAD_ROW):
        pan = text[at + 8 : at + 28].lstrip("0")
        result += f" {text[at : at + 8]} {masked_pan(pan)} {text[at + 28 : at + 40]}"
    return result


def _words(number: int, text: str) -> list[str]:
    if number == 4:
        return [f"{int(text) // 100}.{int(text) % 100:02d}"]
    if number == 22:
        return [p for p in (_ENTRY.get(text[:2], ""), _PIN.get(text[2:], "")) if p]
    if number == 60:
        said = [f"type {text[:2]} {TYPES.get(text[:2], '')}".strip(), f"batch {text[2:8]}"]
        return said + ([f"network code {text[8:11]}"] if len(text) >= 11 else [])
    if number == 61:
        return [f"original batch {text[:6]}, trace {text[6:12]}"]
    return []


def _chip(text: str) -> list[dict[str, Any]]:
    rows = show.elements(tree.try_parse(bytes.fromhex(text)))
    return [{**row, "depth": row["depth"] + 1} for row in rows]

"""The link's messages as a pyiso8583 specification: PROTOCOL.md, "Encoding"."""

from __future__ import annotations

from typing import Any

PREFIX_BYTES = 11  # TPDU 5, header 6
MAC_BYTES = 8

# What the page calls a field.
FIELD_NAMES = {
    "2": "card number",
    "3": "processing code",
    "4": "amount",
    "11": "trace number",
    "12": "time",
    "13": "date",
    "14": "card expiry",
    "15": "settlement date",
    "22": "entry mode",
    "23": "card sequence number",
    "25": "condition code",
    "26": "PIN capture code",
    "32": "acquirer",
    "35": "track 2",
    "36": "track 3",
    "37": "reference number",
    "38": "authorisation code",
    "39": "response code",
    "41": "terminal",
    "42": "merchant",
    "44": "issuer and acquirer",
    "48": "totals",
    "49": "currency",
    "52": "PIN block",
    "53": "security control",
    "54": "balance",
    "55": "chip data",
    "60": "type, batch, network code",
    "61": "original transaction",
    "62": "keys, parameters",
    "63": "operator",
    "64": "MAC",
}


def _digits(width: int, *, right_pad: bool = False) -> dict[str, Any]:
    pad = {"right_pad": "0"} if right_pad else {"left_pad": "0"}
    return {
        "data_enc": "b",
        "len_enc": "bcd",
        "len_type": 0,
        "len_count": "nibbles",
        "max_len": width,
        "desc": "",
        **pad,
    }


def _counted_digits(length_bytes: int, most: int, *, right_pad: bool = True) -> dict[str, Any]:
    return {**_digits(most, right_pad=right_pad), "len_type": length_bytes}


def _text(width: int, length_bytes: int = 0) -> dict[str, Any]:
    return {
        "data_enc": "ascii",
        "len_enc": "bcd",
        "len_type": length_bytes,
        "max_len": width,
        "desc": "",
    }


def _binary(width: int, length_bytes: int = 0) -> dict[str, Any]:
    return {**_text(width, length_bytes), "data_enc": "b"}


# Odd-length 2, 35, 36, 48, 60 and 61 are left-justified, and so is the fixed field 22.
SPEC: dict[str, dict[str, Any]] = {
    "h": _binary(PREFIX_BYTES),
    "t": _binary(2),
    "p": _binary(8),
    "2": _counted_digits(1, 19),
    "3": _digits(6),
    "4": _digits(12),
    "11": _digits(6),
    "12": _digits(6),
    "13": _digits(4),
    "14": _digits(4),
    "15": _digits(4),
    "22": _digits(3, right_pad=True),
    "23": _digits(3),
    "25": _digits(2),
    "26": _digits(2),
    "32": _counted_digits(1, 11, right_pad=False),
    "35": _counted_digits(1, 37),
    "36": _counted_digits(2, 104),
    "37": _text(12),
    "38": _text(6),
    "39": _text(2),
    "41": _text(8),
    "42": _text(15),
    "44": _text(25, 1),
    "48": _counted_digits(2, 322),
    "49": _text(3),
    "52": _binary(8),
    "53": _digits(16),
    "54": _text(20, 2),
    "55": _binary(255, 2),
    "60": _counted_digits(2, 30),
    "61": _counted_digits(2, 29),
    "62": _binary(512, 2),
    "63": _text(163, 2),
    "64": _text(MAC_BYTES),
}
NUMERIC = frozenset((2, 3, 4, 11, 12, 13, 14, 15, 22, 23, 25, 26, 32, 48, 53, 60, 61))
TRACKS = frozenset((35, 36))

for _name, _said in FIELD_NAMES.items():
    SPEC[_name]["desc"] = _said

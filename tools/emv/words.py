"""What the value of a data element says, in words. Nothing here shows a PAN, a track or a PIN."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from tools.emv import apdu, bits, dictionary, tree
from tools.emv.errors import DecodeError

# Book 3 Annex C3, table 39 and 40.
METHODS = {
    0x00: "fail CVM", 0x01: "plaintext PIN by the card", 0x02: "enciphered PIN online",
    0x03: "plaintext PIN by the card and signature", 0x04: "enciphered PIN by the card",
    0x05: "enciphered PIN by the card and signature", 0x1E: "signature", 0x1F: "no CVM",
    0x3F: "none performed",
}
CONDITIONS = {
    0x00: "always", 0x01: "if unattended cash",
    0x02: "if not cash and not cashback", 0x03: "if the terminal supports it",
    0x04: "if manual cash", 0x05: "if cashback", 0x06: "if under X", 0x07: "if over X",
    0x08: "if under Y", 0x09: "if over Y",
}
RESULTS = {0: "unknown", 1: "failed", 2: "successful"}
# ISO/IEC 7813: a digit for interchange and chip, one for authorisation, one for services and PIN.
_SERVICE_CODE = (
    {1: "international", 2: "international, chip first", 5: "national", 6: "national, chip first",
     7: "by agreement only", 9: "test card"},
    {0: "authorised as usual", 2: "authorised by the issuer online",
     4: "authorised by the issuer online unless agreed otherwise"},
    {0: "no restriction, PIN required", 1: "no restriction", 2: "goods and services only",
     3: "ATM only, PIN required", 4: "cash only", 5: "goods and services only, PIN required",
     6: "no restriction, PIN where there is a PIN pad",
     7: "goods and services only, PIN where there is a PIN pad"},
)
# Book 4 Annex A1.
_OPERATORS = {1: "financial institution", 2: "merchant", 3: "cardholder"}
_ABILITIES = {
    1: "attended, online only", 2: "attended, offline with online capability",
    3: "attended, offline only", 4: "unattended, online only",
    5: "unattended, offline with online capability", 6: "unattended, offline only",
}
_KINDS = {0x00: "purchase", 0x01: "cash", 0x09: "cashback", 0x17: "cash", 0x20: "refund",
          0x31: "balance inquiry"}
_RESPONSES = {"Y1": "offline approved", "Z1": "offline declined",
              "Y3": "unable to go online, offline approved",
              "Z3": "unable to go online, offline declined"}
_RIDS = {"A000000003": "Visa", "A000000004": "Mastercard", "A000000025": "American Express",
         "A000000065": "JCB", "A000000152": "Discover", "A000000333": "UnionPay"}
_CURRENCIES = {"0156": "CNY", "0840": "USD", "0978": "EUR", "0826": "GBP", "0344": "HKD",
               "0392": "JPY"}
_CID_REASONS = {1: "service not allowed", 2: "PIN try limit exceeded",
                3: "issuer authentication failed"}


def table(tag: int, value: bytes) -> list[str]:
    """The set bits of an element that is a bit field; `no bit set` for zeros."""
    return bits.words(bits.TABLES[tag], value) or ["no bit set"]


def cvm_rule(code: int, condition: int) -> str:
    """One rule of the CVM list (8E)."""
    said = METHODS.get(code & 0x3F, f"unknown method {code & 0x3F:02X}")
    when = CONDITIONS.get(condition, f"on unknown condition {condition:02X}")
    then = ", else try the next" if code & 0x40 else ""
    return f"{said} {when}{then}"


def cvm_list(value: bytes) -> list[str]:
    """8E: X, Y and the rules."""
    if len(value) < 10 or len(value) % 2:
        raise DecodeError("a CVM list has eight bytes of amounts and rules of two bytes")
    x, y = int.from_bytes(value[:4], "big"), int.from_bytes(value[4:8], "big")
    rules = [cvm_rule(value[at], value[at + 1]) for at in range(8, len(value), 2)]
    return [f"X {x}, Y {y}", *rules]


def cvm_results(value: bytes) -> list[str]:
    """9F34."""
    _exactly(value, 3)
    code, condition, result = value
    said = METHODS.get(code & 0x3F, f"unknown method {code & 0x3F:02X}")
    when = CONDITIONS.get(condition, f"condition {condition:02X}")
    return [f"{said} ({when}): {RESULTS.get(result, f'result {result:02X}')}"]


def file_locator(value: bytes) -> list[str]:
    """94: files and records."""
    if not value or len(value) % 4:
        raise DecodeError("an AFL is made of four-byte entries")
    said = []
    for at in range(0, len(value), 4):
        sfi, begin, end, signed = value[at : at + 4]
        proof = f", the first {signed} signed" if signed else ""
        said.append(f"SFI {sfi >> 3} records {begin}-{end}{proof}")
    return said


def object_list(value: bytes) -> list[str]:
    """8C, 8D, 9F38, 9F49, 97: what is asked for."""
    return [f"{tag:X}:{size} {dictionary.name(tag)}" for tag, size in tree.dol(value)]


def cryptogram_information(value: bytes) -> list[str]:
    """9F27 (Book 3 table 15)."""
    _exactly(value, 1)
    said = [apdu.KINDS[value[0] & apdu.KIND]]
    if value[0] & 0x08:
        said.append("advice required")
    if value[0] & 0x07:
        said.append(_CID_REASONS.get(value[0] & 0x07, f"reason {value[0] & 7}"))
    return said


def issuer_data(value: bytes) -> list[str]:
    """9F10 in the forms that are told apart by their lengths: VIS and PBOC, CCD, M/Chip."""
    if len(value) >= 7 and value[0] in (6, 7) and value[3] == 3:
        return _issuer_data_vis(value)
    if len(value) == 32 and value[0] == 0x0F and value[16] == 0x0F:
        return [f"CCD, format and cryptogram version {value[1]:02X}", f"key index {value[2]}",
                f"CVR {value[3:8].hex().upper()}", f"counters {value[8:16].hex().upper()}"]
    if len(value) in (18, 20, 26, 28):
        return [f"as M/Chip: key index {value[0]}", f"cryptogram version {value[1]:02X}",
                f"CVR {value[2:8].hex().upper()}", f"DAC or dynamic number {value[8:10].hex()}"]
    return []


def _issuer_data_vis(value: bytes) -> list[str]:
    results = value[4:7]
    said = [f"key index {value[1]}", f"cryptogram version {value[2]} ({value[2]:02X})"]
    second, at_first = results[0] >> 6, results[0] >> 4 & 0x03
    said.append(f"first {apdu.KINDS[at_first << 6]}")
    said.append("second not asked for" if second == 2 else f"second {apdu.KINDS[second << 6]}")
    shown = bytes((results[0] & 0x0F, results[1], results[2] & 0x0F))
    said += bits.words(bits.CVR, shown)
    if results[2] >> 4:
        said.append(f"{results[2] >> 4} script commands")
    if value[0] == 7 and len(value) >= 8:
        said.append(f"algorithm {value[7]:02X}")
    if len(value) > value[0] + 1:
        said.append(f"issuer's own {value[value[0] + 1 :].hex().upper()}")
    return said


def service_code(value: bytes) -> list[str]:
    """5F30, three digits."""
    _exactly(value, 2)
    digits = [int(digit) for digit in value.hex()[1:] if digit.isdigit()]
    return [said.get(digit, f"unknown digit {digit}")
            for said, digit in zip(_SERVICE_CODE, digits)] if len(digits) == 3 else []


def terminal_type(value: bytes) -> list[str]:
    """9F35."""
    _exactly(value, 1)
    operator, ability = _OPERATORS.get(value[0] >> 4), _ABILITIES.get(value[0] & 0x0F)
    return [f"{operator}'s, {ability}"] if operator and ability else []


def _exactly(value: bytes, size: int) -> None:
    if len(value) != size:
        raise DecodeError(f"{size} bytes are needed, not {len(value)}")


def _day(value: bytes) -> list[str]:
    text = value.hex()
    if len(value) != 3 or not text.isdigit():
        return []
    century = 1900 if int(text[:2]) >= 50 else 2000
    try:
        day = date(century + int(text[:2]), int(text[2:4]), int(text[4:]))
    except ValueError:
        return ["no such date"]
    return [day.isoformat()]


def _time(value: bytes) -> list[str]:
    text = value.hex()
    return [f"{text[:2]}:{text[2:4]}:{text[4:]}"] if len(text) == 6 and text.isdigit() else []


def _amount(value: bytes) -> list[str]:
    text = value.hex()
    return [f"{int(text) // 100}.{int(text) % 100:02d}"] if text.isdigit() else []


def _count(value: bytes) -> list[str]:
    return [str(int.from_bytes(value, "big"))]


def _response(value: bytes) -> list[str]:
    text = _printable(value)
    return [f"{text} {_RESPONSES.get(text, '')}".strip()] if text else []


def _name(value: bytes) -> list[str]:
    text = _printable(value)
    if text:
        return [text]
    scheme = _RIDS.get(value[:5].hex().upper())
    return [scheme] if scheme else []


def _printable(value: bytes) -> str:
    text = value.decode("ascii", "replace")
    return text.strip() if value and all(0x20 <= byte < 0x7F for byte in value) else ""


def _label(value: bytes) -> list[str]:
    """A name for people: ASCII by the book (Book 1 12.2.4), Chinese on many a Chinese card."""
    for encoding in ("ascii", "utf-8", "gb18030"):
        try:
            text = value.decode(encoding).strip(" \0")
        except UnicodeDecodeError:
            continue
        return [text] if text and text.isprintable() else []
    return []


_SAYS: dict[int, Callable[[bytes], list[str]]] = {
    0x4F: _name, 0x84: _name, 0x9F06: _name, 0x50: _label, 0x9F12: _label, 0x9F4E: _label,
    0x8E: cvm_list, 0x9F34: cvm_results, 0x94: file_locator, 0x9F27: cryptogram_information,
    0x9F10: issuer_data, 0x9F35: terminal_type,
    0x5F30: service_code,
    0x8C: object_list, 0x8D: object_list, 0x9F38: object_list, 0x9F49: object_list,
    0x97: object_list, 0x9F4F: object_list,
    0x9A: _day, 0x5F24: _day, 0x5F25: _day, 0x9F21: _time,
    0x9F02: _amount, 0x9F03: _amount, 0x9F36: _count, 0x9F13: _count, 0x9F17: _count,
    0x9F14: _count, 0x9F23: _count, 0x8A: _response,
    0x9C: lambda value: [_KINDS[value[0]]] if value and value[0] in _KINDS else [],
    0x5F2A: lambda value: _known(_CURRENCIES, value),
    0x9F42: lambda value: _known(_CURRENCIES, value),
    0x87: lambda value: [f"priority {value[0] & 0x0F}"
                         + (", to be confirmed" if value[0] & 0x80 else "")] if value else [],
}


def _known(names: dict[str, str], value: bytes) -> list[str]:
    found = names.get(value.hex().upper())
    return [found] if found else []


def meaning(tag: int, value: bytes) -> list[str]:
    """What the element says, a phrase each; nothing when it speaks for itself or is malformed."""
    try:
        if tag in _SAYS:
            return _SAYS[tag](value)
        if tag in bits.TABLES:
            _exactly(value, len(bits.TABLES[tag]))
            return table(tag, value)
    except DecodeError as error:
        return [f"malformed: {error}"]
    row = dictionary.find(tag)
    if row is not None and row.format in ("a", "an", "ans"):
        text = _printable(value.rstrip(b"\x00"))
        return [text] if text else []
    return []

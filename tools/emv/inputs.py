"""What the library is told of the terminal: from `--terminal`, else from the recording's requests.

Never what the recorded terminal concluded. From its TVR only what no request shows and no card
knows: the floor limit, the draw of the random selection, the hot list, the merchant's wish to go
online, and what the payer did at the PIN pad. Each value's source is kept for the report.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from tools.emv import conversation, dictionary, tree
from tools.emv.conversation import Conversation
from tools.emv.errors import TerminalFileError
from tools.emv.terminal_file import TerminalFile
from tools.sim.chips import masking

_CAPABILITIES, _AMOUNT, _OTHER, _TTQ = 0x9F33, 0x9F02, 0x9F03, 0x9F66
_TRANSACTION = (0x9A, 0x9F21, 0x9C, 0x9F41, _AMOUNT, _OTHER)
_ISSUER = (0x8A, 0x91, 0x71, 0x72)
# Elements that are an application's parameters, or made from them, rather than the terminal's.
_PARAMETERS = {0x9F09: "version", _TTQ: "ttq"}
_DERIVED = (0x9F06, 0x9F1B, 0x9F37, 0x81, 0x9F04, 0x83)
_DEFAULTS = {_AMOUNT: bytes(6), _OTHER: bytes(6), 0x9C: bytes(1), 0x9F21: bytes(3)}
_KERNELS = {"A000000003": 3, "A000000333": 7}
# The draw that selects, and the one that does not, unless 99 of 100 are selected (Book 3 10.6.2).
_DRAWN, _NOT_DRAWN = 0, 98
_ONLINE_REQUIRED, _CVM_REQUIRED = 0x80, 0x40
# CVM codes of a PIN that the card checks (Book 3 Annex C3).
_ENCIPHERED = {0x04, 0x05}
_OFFLINE_PINS = _ENCIPHERED | {0x01, 0x03}


@dataclass
class Inputs:
    """`wish`: the driver's first line. `rows`: (name, value, where it comes from).

    `given`: tags fixed by the file. `host`: its reply, None for no answer, 'none' where the
    recording ends with the request. `pins`: what the payer does, in order; the last one repeats.
    """

    wish: dict[str, Any]
    rows: list[tuple[str, str, str]] = field(default_factory=list)
    given: set[int] = field(default_factory=set)
    host: dict[str, str] | str | None = None
    pins: list[str] = field(default_factory=list)


def gather(found: Conversation, told: TerminalFile) -> Inputs:
    """Everything for one session. TerminalFileError for data that no transaction can have."""
    data = {tag: (value, _list_name(by)) for tag, (value, by) in found.values.items()}
    if found.numbers:
        data[conversation.NUMBER] = (found.numbers[0], "recording")
    _infer_capabilities(found, data)
    for tag, value in told.data.items():
        if tag not in _ISSUER:
            data[tag] = (value, "--terminal")
    for tag, value in _DEFAULTS.items():
        data.setdefault(tag, (value, "assumed"))
    today = bytes.fromhex(date.today().strftime("%y%m%d"))
    data.setdefault(0x9A, (today, "today, assumed"))
    made = Inputs({}, given=set(told.data) - set(_ISSUER))
    for tag in sorted(data):
        value, source = data[tag]
        shown = masking.masked_value(tag, value)
        made.rows.append((f"{tag:X} {dictionary.label(tag)}", shown, source))
    made.wish = _wish(found, told, data, made)
    made.host = _host(found, told, made)
    made.pins = _pins(found, told, made)
    return made


def _list_name(objects: int) -> str:
    names = {conversation.PDOL: "PDOL", conversation.DDOL: "DDOL", conversation.CDOL1: "CDOL1"}
    return f"recording, {names.get(objects, 'CDOL2')}"


def _infer_capabilities(found: Conversation, data: dict[int, tuple[bytes, str]]) -> None:
    """9F33 where no list asks for it: what the recorded terminal did, it can do.

    A terminal whose TVR says nothing of a PIN had none to offer online; one whose TVR does not
    say that offline data authentication was not performed can perform it, by the method that
    failed if one did. A PIN that was not typed leaves no VERIFY: then CVM results or the card's
    tries, which were asked for, say that it was one for the card.
    """
    if _CAPABILITIES in data or found.interface != "contact":
        return
    value = bytearray(b"\x20\x68\x00")
    recorded = found.recorded.get(conversation.CDOL1, {}).get(conversation.TVR)
    if recorded is not None and not _bit(recorded, 3, 0x1C):
        value[1] &= ~0x40 & 0xFF
    if recorded is not None and not _bit(recorded, 1, 0x80):
        value[2] |= 0x80
    value[2] |= (_bit(recorded, 1, 0x08) and 0x40) | (_bit(recorded, 1, 0x04) and 0x48)
    for method in _offline_pins(found, recorded):
        value[1] |= 0x10 if method in _ENCIPHERED else 0x80
    for used, (at, mask) in {
        "DDA": (2, 0xC0), "CDA": (2, 0xC8), "plaintext PIN": (1, 0x80), "enciphered PIN": (1, 0x10)
    }.items():
        if used in found.used:
            value[at] |= mask
    data[_CAPABILITIES] = (bytes(value), "by what the recorded terminal did")


def _offline_pins(found: Conversation, recorded: bytes | None) -> set[int]:
    """The methods of a PIN for the card that the recorded terminal went for without a VERIFY."""
    results = found.recorded.get(conversation.CDOL1, {}).get(conversation.CVM_RESULTS)
    if results and results[0] & 0x3F in _OFFLINE_PINS:
        return {results[0] & 0x3F}
    rules = found.card.get(conversation.CVM_LIST, b"")[8:]
    methods = {rules[at] & 0x3F for at in range(0, len(rules), 2)}
    online = 0x02 in methods and _bit(recorded, 3, 0x1C)
    if conversation.TRIES in found.card or (_bit(recorded, 3, 0x38) and not online):
        return methods & _OFFLINE_PINS
    return set()


def _number(tag: int, data: dict[int, tuple[bytes, str]]) -> int:
    value, source = data[tag]
    text = value.hex()
    if len(value) != 6 or not text.isdecimal():
        raise TerminalFileError(f"{tag:X} ({source}) is no amount of 12 digits")
    return int(text)


def _wish(
    found: Conversation,
    told: TerminalFile,
    data: dict[int, tuple[bytes, str]],
    made: Inputs,
) -> dict[str, Any]:
    amount, other = _number(_AMOUNT, data), _number(_OTHER, data)
    recorded = found.recorded.get(conversation.CDOL1, {}).get(conversation.TVR)
    forced = told.words.get("forced_online", _bit(recorded, 4, 0x08))
    hot = told.words.get("exception_file", _bit(recorded, 1, 0x10))
    drawn = _bit(recorded, 4, 0x10)
    if drawn:
        made.rows.append(("random selection", "drawn", "recorded TVR"))
    for said, value in (("forced online", forced), ("on the exception file", hot)):
        if value:
            source = "--terminal" if _word(said) in told.words else "recorded TVR"
            made.rows.append((said, "yes", source))
    numbers = [value.hex() for value in found.numbers]
    if conversation.NUMBER in told.data:
        numbers = [told.data[conversation.NUMBER].hex()] * max(len(numbers), 1)
    kept = [tag for tag in data if tag not in _TRANSACTION + tuple(_PARAMETERS) + _DERIVED]
    return {
        "interface": told.words.get("interface", found.interface),
        "amount": amount,
        "other": other,
        "numbers": numbers,
        "draw": _DRAWN if drawn else _NOT_DRAWN,
        "forced": forced,
        "exception_file": hot,
        "terminal": {f"{tag:X}": data[tag][0].hex() for tag in kept},
        "transaction": {f"{t:X}": data[t][0].hex() for t in _TRANSACTION if t in data},
        "each": _each(found, told),
        "applications": _applications(found, told, data, amount, made),
        "ca_keys": [],
    }


def _each(found: Conversation, told: TerminalFile) -> dict[str, dict[str, str]]:
    """What the terminal had in each request of a contact transaction, by the request's list."""
    if found.interface != "contact":
        return {}
    return {
        f"{objects:X}": {
            f"{tag:X}": value.hex() for tag, value in values.items()
            if tag not in told.data and tag not in _PARAMETERS
        }
        for objects, values in found.each.items()
    }


def _word(said: str) -> str:
    return "forced_online" if said == "forced online" else "exception_file"


def _bit(value: bytes | None, byte: int, mask: int) -> bool:
    return value is not None and len(value) == 5 and bool(value[byte - 1] & mask)


def _applications(
    found: Conversation,
    told: TerminalFile,
    data: dict[int, tuple[bytes, str]],
    amount: int,
    made: Inputs,
) -> list[dict[str, Any]]:
    """The AIDs with their parameters; those of the file before what the recording shows."""
    shared = _shown_parameters(found, data, amount, made)
    shared.update(told.parameters)
    listed = told.applications or [
        {"aid": aid, "partial": found.interface == "contactless" or aid in found.partial}
        for aid in found.aids
    ]
    source = "--terminal" if told.applications else "recording, SELECT"
    result = []
    for entry in listed:
        parameters = {**shared, **entry}
        parameters.setdefault("kernel", _KERNELS.get(entry["aid"][:5].hex().upper(), 0))
        made.rows.append(("9F06 application", entry["aid"].hex().upper(), source))
        result.append({
            name: value.hex() if isinstance(value, bytes) else value
            for name, value in parameters.items()
        })
    for name, value in told.parameters.items():
        shown = value.hex().upper() if isinstance(value, bytes) else str(value)
        made.rows.append((name.replace("_", " "), shown, "--terminal"))
    return result


def _shown_parameters(
    found: Conversation, data: dict[int, tuple[bytes, str]], amount: int, made: Inputs
) -> dict[str, Any]:
    """Version, floor limit and qualifiers as the recorded requests show them."""
    shown: dict[str, Any] = {
        name: data[tag][0] for tag, name in _PARAMETERS.items() if tag in data
    }
    recorded = found.recorded.get(conversation.CDOL1, {}).get(conversation.TVR)
    own = found.card.get(conversation.VERSION)
    if "version" not in shown and recorded is not None and own is not None:
        other = _bit(recorded, 2, 0x80)
        shown["version"] = bytes((own[0], own[-1] ^ 0xFF)) if other else own
        said = "another than the card's" if other else f"the card's, {own.hex().upper()}"
        made.rows.append((f"9F09 {dictionary.label(0x9F09)}", said, "recorded TVR"))
    if 0x9F1B in data:
        shown["floor_limit"] = int.from_bytes(data[0x9F1B][0], "big")
    elif recorded is not None:
        exceeded = _bit(recorded, 4, 0x80)
        shown["floor_limit"] = 0 if exceeded else amount + 1
        said = "at or below the amount" if exceeded else "above the amount"
        made.rows.append(("floor limit", said, "recorded TVR"))
    if _bit(recorded, 4, 0x10):
        shown["target_percent"] = shown["max_percent"] = 1
    if _TTQ in data:
        terms = data[_TTQ][0]
        # The limits that give these two bits for this amount (Book B 3.1.1).
        shown["contactless_floor"] = 0 if terms[1] & _ONLINE_REQUIRED else amount
        shown["contactless_cvm_limit"] = amount if terms[1] & _CVM_REQUIRED else amount + 1
    return shown


def _host(found: Conversation, told: TerminalFile, made: Inputs) -> dict[str, str] | str | None:
    """The issuer's answer: response code, and field 55 of 91, 71 and 72."""
    code = told.data.get(0x8A, found.issuer.get(conversation.RESPONSE_CODE))
    if code is None:
        return "none"
    text = code.decode("ascii", "replace")
    source = "--terminal" if 0x8A in told.data else "recording"
    made.rows.append(("8A Authorisation Response Code", code.hex().upper(), source))
    if text in ("Y3", "Z3") or len(code) != 2 or not text.isprintable():
        return None
    field55 = b""
    authentication = told.data.get(0x91, found.issuer.get(conversation.ISSUER_DATA, b""))
    if authentication:
        field55 += tree.encode(0x91, authentication)
    scripts = b"".join(
        tree.encode(tag, told.data[tag]) for tag in (0x71, 0x72) if told.data.get(tag)
    )
    given = 0x71 in told.data or 0x72 in told.data
    field55 += scripts if given else conversation.script_objects(found)
    if field55:
        source = "--terminal" if given or 0x91 in told.data else "recording"
        # A script may carry a PIN: only that there is one is shown.
        scripts_there = tree.first(tree.try_parse(field55), 0x86) is not None
        shown = authentication.hex().upper() + (" and scripts" if scripts_there else "")
        made.rows.append(("91 Issuer Authentication Data", shown.strip(), source))
    return {"code": text, "field55": field55.hex()}


def _pins(found: Conversation, told: TerminalFile, made: Inputs) -> list[str]:
    """entered, bypassed or fault, for each time the library asks."""
    if "pin" in told.words:
        made.rows.append(("PIN", told.words["pin"], "--terminal"))
        return [told.words["pin"]]
    recorded = found.recorded.get(conversation.CDOL1, {})
    tvr = recorded.get(conversation.TVR)
    if found.verifies:
        after = "bypassed" if _bit(tvr, 3, 0x08) else "entered"
        made.rows.append(("PIN", f"entered {found.verifies} times", "recording, VERIFY"))
        return ["entered"] * found.verifies + [after]
    for mask, answer in ((0x04, "entered"), (0x08, "bypassed"), (0x10, "fault")):
        if _bit(tvr, 3, mask):
            made.rows.append(("PIN", answer, "recorded TVR"))
            return [answer]
    return ["entered"]

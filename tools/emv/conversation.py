"""What a recorded conversation says about the terminal that held it.

The card's data object lists (PDOL, DDOL, CDOL1, CDOL2) tell what the bytes of a recorded request
are; from them come the terminal's values, and the issuer's answer. What the terminal *decided*
(TVR, TSI, CVM results) is kept apart: the library is never given it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.emv import apdu, dictionary, tree
from tools.emv.errors import DecodeError
from tools.emv.recording import Exchange

PSE, PPSE = b"1PAY.SYS.DDF01", b"2PAY.SYS.DDF01"
AID, DF_NAME, LABEL, PREFERRED, DDF_NAME = 0x4F, 0x84, 0x50, 0x9F12, 0x9D
PDOL, DDOL, CDOL1, CDOL2 = 0x9F38, 0x9F49, 0x8C, 0x8D
TVR, TSI, CVM_RESULTS, TC_HASH = 0x95, 0x9B, 0x9F34, 0x98
PAN, TRACK_2 = 0x5A, 0x57
VERSION, CVM_LIST, TRIES = 0x9F08, 0x8E, 0x9F17
RESPONSE_CODE, ISSUER_DATA, NUMBER = 0x8A, 0x91, 0x9F37
DECIDED = (TVR, TSI, CVM_RESULTS, TC_HASH)
_DEFAULT_DDOL = b"\x9f\x37\x04"
_LISTS = (PDOL, DDOL, CDOL1, CDOL2)


@dataclass
class Step:
    """A command with the answer that T=0 gave in pieces.

    `exchanges`: the recording's numbers; `sent`: those of the command itself, without the GET
    RESPONSE behind it.
    """

    command: apdu.Command
    exchanges: list[int]
    sent: list[int]
    data: bytes
    status: int | None


@dataclass
class Asked:
    """What a request's data are: by which list, and the recorded values in its order."""

    objects: int
    values: list[tuple[int, bytes]]


@dataclass
class Conversation:
    """See the module. `values`: terminal's elements, each with the list it was found by.

    `asked`: by the number of an exchange. `numbers`: 9F37 of each tap, or the contact one's.
    `each`: the terminal's elements by list, for those that a terminal makes anew (9F37, 9F21).
    `recorded`: TVR and its like by list. `labels`: what a card calls an AID. `pans`: the card
    numbers that must not be shown, wherever they stand. `card`: the card's own VERSION and
    CVM_LIST, as it gave them last; TRIES when it was asked for them. `directories`: the DDFs that
    a directory names.
    """

    steps: list[Step]
    interface: str = "contact"
    aids: list[bytes] = field(default_factory=list)
    partial: set[bytes] = field(default_factory=set)
    labels: list[tuple[bytes, str]] = field(default_factory=list)
    directories: set[bytes] = field(default_factory=set)
    asked: dict[int, Asked] = field(default_factory=dict)
    values: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    numbers: list[bytes] = field(default_factory=list)
    each: dict[int, dict[int, bytes]] = field(default_factory=dict)
    card: dict[int, bytes] = field(default_factory=dict)
    recorded: dict[int, dict[int, bytes]] = field(default_factory=dict)
    issuer: dict[int, bytes] = field(default_factory=dict)
    scripts: dict[int, list[list[bytes]]] = field(default_factory=dict)
    generated: list[int] = field(default_factory=list)
    verifies: int = 0
    used: set[str] = field(default_factory=set)
    pans: set[str] = field(default_factory=set)


def scan(exchanges: list[Exchange], interface: str | None = None) -> Conversation:
    """Read the whole recording once. `interface`: 'contact' or 'contactless', else by the PPSE."""
    found = Conversation(steps(exchanges))
    found.interface = interface or _guessed(found.steps)
    lists: dict[int, bytes] = {}
    for step in found.steps:
        _look(found, step, lists)
    _settle(found)
    return found


def _guessed(found: list[Step]) -> str:
    """By the directory; without one, by a PDOL that asks for the contactless qualifiers (9F66)."""
    selected = [step for step in found if step.command.ins == apdu.SELECT]
    names = [step.command.data for step in selected]
    if PPSE in names or PSE in names:
        return "contactless" if PPSE in names else "contact"
    for step in selected:
        wanted = tree.first(tree.try_parse(step.data), PDOL)
        try:
            if wanted is not None and any(tag == 0x9F66 for tag, _ in tree.dol(wanted)):
                return "contactless"
        except DecodeError:
            continue
    return "contact"


def steps(exchanges: list[Exchange]) -> list[Step]:
    """The exchanges with 61xx and 6Cxx followed to their end (Book 1 9.3.1)."""
    result: list[Step] = []
    waiting, header = 0, b""
    for each in exchanges:
        parts, last = each.parts, result[-1] if result else None
        # 6Cxx repeats the command it answered, which may be a GET RESPONSE itself.
        follows = (waiting == 0x61 and parts.ins == apdu.GET_RESPONSE) or (
            waiting == 0x6C and parts.header == header
        )
        waiting, header = (each.status or 0) >> 8, parts.header
        data = b"" if waiting == 0x6C else each.data
        if follows and last is not None:
            last.exchanges.append(each.number)
            if parts.ins != apdu.GET_RESPONSE:
                last.sent.append(each.number)
            last.data += data
            last.status = each.status
        else:
            number = each.number
            result.append(Step(parts, [number], [number], data, each.status))
    return result


def _look(found: Conversation, step: Step, lists: dict[int, bytes]) -> None:
    """Take from one step what it says; `lists` are those of the application in use."""
    ins, ok = step.command.ins, step.status == 0x9000
    if ins == apdu.SELECT and step.command.p1 == 0x04:
        lists.clear()
        _selected(found, step)
    elif ins == apdu.GET_PROCESSING_OPTIONS:
        _request(found, step, PDOL, lists.get(PDOL, b""), _unwrapped(step.command.data))
    elif ins == apdu.INTERNAL_AUTHENTICATE:
        found.used.add("DDA")
        _request(found, step, DDOL, lists.get(DDOL) or _DEFAULT_DDOL, step.command.data)
    elif ins == apdu.VERIFY:
        found.verifies += 1
        found.used.add("enciphered PIN" if step.command.p2 & 0x08 else "plaintext PIN")
    elif ins == apdu.GENERATE_AC:
        found.generated.append(step.command.p1)
        if step.command.p1 & apdu.CDA_ASKED:
            found.used.add("CDA")
        objects = CDOL1 if len(found.generated) == 1 else CDOL2
        _request(found, step, objects, lists.get(objects, b""), step.command.data)
    elif ins == apdu.EXTERNAL_AUTHENTICATE:
        found.issuer.setdefault(ISSUER_DATA, step.command.data)
    elif step.command.is_script and len(found.generated) >= 1:
        _script(found, step)
    if ok:
        for node in tree.leaves(tree.try_parse(step.data)):
            if node.tag in _LISTS:
                lists[node.tag] = node.value
            elif node.tag == DDF_NAME:
                found.directories.add(node.value)
            elif node.tag in (VERSION, CVM_LIST, TRIES):
                found.card[node.tag] = node.value
            elif node.tag in (PAN, TRACK_2):
                found.pans.add(node.value.hex().upper().rstrip("F").split("D")[0])


def _selected(found: Conversation, step: Step) -> None:
    name = step.command.data
    # A tap may go on with the next candidate after GET PROCESSING OPTIONS (Book B 3.3.3.5).
    early = found.interface == "contactless" or not found.values and not found.generated
    if name not in (PSE, PPSE) and name not in found.directories and early:
        if step.command.p2 & 0x02:
            found.partial.add(name)
        if name not in found.aids and 5 <= len(name) <= 16:
            found.aids.append(name)
    _label(found, step.data)


def _label(found: Conversation, data: bytes) -> None:
    """Labels in an FCI or in directory entries."""
    for _, node in tree.walk(tree.try_parse(data)):
        if node.tag not in (0x61, 0x6F) or node.children is None:
            continue
        aid = tree.first(node.children, AID if node.tag == 0x61 else DF_NAME)
        for tag in (PREFERRED, LABEL):
            text = tree.first(node.children, tag)
            if aid is not None and text is not None:
                shown = "".join(chr(byte) for byte in text if 0x20 <= byte < 0x7F).strip()
                found.labels.append((aid, shown))


def _unwrapped(data: bytes) -> bytes:
    """GPO's data out of template 83."""
    inside = tree.first(tree.try_parse(data), 0x83)
    return data if inside is None else inside


def _request(
    found: Conversation, step: Step, objects: int, wanted: bytes, data: bytes
) -> None:
    """Split a request's data by the card's list and sort them into inputs and decisions."""
    try:
        values = tree.split(tree.dol(wanted), data)
    except DecodeError:
        return
    for number in step.sent:
        found.asked[number] = Asked(objects, values)
    for tag, value in values:
        if tag in DECIDED:
            found.recorded.setdefault(objects, {})[tag] = value
        elif tag in (RESPONSE_CODE, ISSUER_DATA) and any(value):
            if objects == CDOL2:
                found.issuer.setdefault(tag, value)
        elif tag == NUMBER:
            _number(found, objects, value)
            found.each.setdefault(objects, {})[tag] = value
        else:
            _input(found, objects, tag, value)


def _number(found: Conversation, objects: int, value: bytes) -> None:
    """9F37: one for each tap; on contacts CDOL1's before any other's."""
    if len(value) != 4:
        return
    if found.interface == "contactless" and objects == PDOL:
        found.numbers.append(value)
    elif not found.numbers or objects == CDOL1:
        found.numbers = [value]


def _input(found: Conversation, objects: int, tag: int, value: bytes) -> None:
    row = dictionary.find(tag)
    if row is None or row.source != "terminal" or tree.is_constructed(tag):
        return
    if not row.shortest <= len(value) <= row.longest:
        return  # the card asked for a piece of it
    found.each.setdefault(objects, {})[tag] = value
    if tag not in found.values or objects == CDOL1:
        found.values[tag] = (value, objects)


def _script(found: Conversation, step: Step) -> None:
    """An issuer's command: in template 71 before the second GENERATE AC, in 72 after it."""
    template = 0x71 if len(found.generated) == 1 else 0x72
    groups = found.scripts.setdefault(template, [[]])
    command = step.command
    raw = command.header
    if command.data:
        raw += bytes((len(command.data),)) + command.data
    elif command.le is not None:
        raw += bytes((command.le,))
    groups[-1].append(raw)
    if step.status is None or step.status >> 8 not in (0x90, 0x62, 0x63):
        groups.append([])  # a script ends at its first refusal (Book 3 10.10)


def _settle(found: Conversation) -> None:
    """The host's response code, where no list asked for it; then the scripts' templates."""
    answered = len(found.generated) > 1 or ISSUER_DATA in found.issuer or found.scripts
    if answered and RESPONSE_CODE not in found.issuer:
        auth = found.issuer.get(ISSUER_DATA, b"")
        # Without a second GENERATE AC the conversation ended before anyone said what it is.
        approved = len(found.generated) < 2 or found.generated[1] & apdu.KIND == 0x40
        if len(auth) == 10 and auth[8:].isalnum():
            found.issuer[RESPONSE_CODE] = auth[8:]
        else:
            found.issuer[RESPONSE_CODE] = b"00" if approved else b"05"


def directory_readings(found: Conversation) -> set[int]:
    """The exchanges that read a directory which names others (Book 1 12.2.3). The library turns
    to its list of AIDs there; how far the recorded terminal went is that terminal's way."""
    result: set[int] = set()
    for step in found.steps if found.directories else []:
        sent = step.command
        if sent.ins == apdu.GET_PROCESSING_OPTIONS:
            break
        if sent.ins == apdu.READ_RECORD or (
            sent.ins == apdu.SELECT and sent.data in found.directories
        ):
            result.update(step.exchanges)
    return result


def unnamed_records(found: Conversation) -> set[int]:
    """The exchanges that read a record which the AFL in use does not name."""
    result: set[int] = set()
    named: set[tuple[int, int]] | None = None
    for step in found.steps:
        sent = step.command
        if sent.ins == apdu.SELECT:
            named = None
        elif sent.ins == apdu.GET_PROCESSING_OPTIONS:
            named = _named(step.data) if step.status == 0x9000 else None
        elif sent.ins == apdu.READ_RECORD and named is not None:
            if (sent.p2 >> 3, sent.p1) not in named:
                result.update(step.exchanges)
    return result


def _named(data: bytes) -> set[tuple[int, int]]:
    """SFI and number of each record in the AFL of an answer to GET PROCESSING OPTIONS."""
    nodes = tree.try_parse(data)
    plain = tree.first(nodes, 0x80)
    files = plain[2:] if plain is not None else tree.first(nodes, 0x94) or b""
    return {
        (files[at] >> 3, number)
        for at in range(0, len(files) - 3, 4)
        for number in range(files[at + 1], files[at + 2] + 1)
    }


def script_objects(found: Conversation) -> bytes:
    """Templates 71 and 72 as the host would have sent them; the identifiers are not recorded."""
    result = b""
    for template in sorted(found.scripts):
        for group in found.scripts[template]:
            commands = b"".join(tree.encode(0x86, command) for command in group)
            if group:
                result += tree.encode(template, tree.encode(0x9F18, bytes(4)) + commands)
    return result

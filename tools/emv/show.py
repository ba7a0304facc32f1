"""Commands, answers and elements as the report has them: named, in words, masked."""

from __future__ import annotations

from typing import Any

from tools.acquirer.events import masked_pan
from tools.emv import apdu, conversation, dictionary, tree, words
from tools.emv.conversation import Asked
from tools.emv.matching import Difference
from tools.sim.chips import masking

_SECRET = masking.PAN_TAGS | masking.TRACK_TAGS | masking.PIN_TAGS | masking.NAME_TAGS


def element(tag: int, value: bytes, depth: int = 0) -> dict[str, Any]:
    """One element's row; a template has no value of its own."""
    row: dict[str, Any] = {"tag": f"{tag:X}", "name": dictionary.label(tag), "depth": depth}
    if tree.is_constructed(tag):
        return row
    row["value"] = masking.masked_value(tag, value)
    said = [] if tag in _SECRET else words.meaning(tag, value)
    if said:
        row["words"] = said
    return row


def elements(nodes: list[tree.Node]) -> list[dict[str, Any]]:
    """Every object of a tree as a row."""
    return [element(node.tag, node.value, depth) for depth, node in tree.walk(nodes)]


def request(command: apdu.Command, asked: Asked | None) -> list[dict[str, Any]]:
    """What a command's data are, by the card's list, or as TLV, or by the command's name."""
    if asked is not None:
        data = command.data
        if asked.objects == conversation.PDOL:
            data = tree.first(tree.try_parse(data), 0x83) or b""
        rows, at = [], 0
        for tag, recorded in asked.values:
            rows.append(element(tag, data[at : at + len(recorded)]))
            at += len(recorded)
        return rows
    if command.ins == apdu.EXTERNAL_AUTHENTICATE:
        return [element(0x91, command.data)]
    if command.ins == apdu.SELECT and command.data:
        return [element(0x84, command.data)]
    if command.ins == apdu.GET_PROCESSING_OPTIONS:
        return elements(tree.try_parse(command.data))
    return []


def answer(command: apdu.Command, data: bytes) -> list[dict[str, Any]]:
    """What an answer's data are. Template 80 of GPO, GENERATE AC and INTERNAL AUTHENTICATE has
    no tags inside (Book 3 6.5)."""
    if command.ins == apdu.GET_CHALLENGE:
        return []
    nodes = tree.try_parse(data)
    if len(nodes) == 1 and nodes[0].tag == 0x80:
        body = nodes[0].value
        inside = [element(tag, value, 1) for tag, value in _parts(command, body)]
        return [element(0x80, body), *inside]
    return elements(nodes)


def _parts(command: apdu.Command, body: bytes) -> list[tuple[int, bytes]]:
    if command.ins == apdu.GET_PROCESSING_OPTIONS:
        return [(0x82, body[:2]), (0x94, body[2:])]
    if command.ins == apdu.GENERATE_AC:
        parts = [(0x9F27, body[:1]), (0x9F36, body[1:3]), (0x9F26, body[3:11])]
        return parts + ([(0x9F10, body[11:])] if body[11:] else [])
    if command.ins == apdu.INTERNAL_AUTHENTICATE:
        return [(0x9F4B, body)]
    return []


def raw(command: bytes, response: bytes, asked: Asked | None) -> tuple[str, str]:
    """Both in hex, starred out: what TLV says, and what a list's elements are."""
    sent, said = masking.masked_apdu(command, response)
    if asked is None:
        return sent, said
    size = sum(len(value) for _, value in asked.values)
    parts = apdu.command(command)
    begin = 5 + len(parts.data) - size
    for tag, recorded in asked.values:
        shown = masking.masked_value(tag, command[begin : begin + len(recorded)])
        sent = sent[: 2 * begin] + shown + sent[2 * (begin + len(recorded)) :]
        begin += len(recorded)
    return sent, said


def difference(each: Difference) -> dict[str, Any]:
    """An element of a request as the recorded terminal had it and as the library has it."""
    row: dict[str, Any] = {
        "tag": f"{each.tag:X}",
        "name": dictionary.label(each.tag),
        "recorded": masking.masked_value(each.tag, each.recorded),
        "library": masking.masked_value(each.tag, each.sent),
    }
    if each.tag not in _SECRET:
        row["recorded_words"] = words.meaning(each.tag, each.recorded)
        row["library_words"] = words.meaning(each.tag, each.sent)
    return row


def command_name(command: apdu.Command) -> str:
    """The command's name and, where it helps, of what."""
    if command.ins == apdu.READ_RECORD:
        return f"{command.name}, {apdu.record_of(command)}"
    if command.ins == apdu.GET_DATA:
        tag = command.p1 << 8 | command.p2
        return f"{command.name}, {tag:X} {dictionary.label(tag)}"
    return command.name


def scrubbed(value: Any, pans: set[str]) -> Any:
    """The report without the card's number, were it in a place that no tag names."""
    if isinstance(value, dict):
        return {key: scrubbed(each, pans) for key, each in value.items()}
    if isinstance(value, list):
        return [scrubbed(each, pans) for each in value]
    if isinstance(value, str):
        for pan in pans:
            if len(pan) >= 8:
                value = value.replace(pan, masked_pan(pan))
    return value

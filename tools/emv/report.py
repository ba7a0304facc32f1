"""A replay as text: steps with their clauses, APDUs, elements, TVR and TSI in words, decision."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# (text, style); the styles are rich's.
Line = tuple[str, str]


def lines(result: dict[str, Any]) -> Iterator[Line]:
    """The whole report."""
    yield f"{result['interface']} conversation", "bold"
    yield "", ""
    yield "What the terminal was", "bold"
    for row in result["terminal"]:
        yield f"  {row['what']:<46} {row['value']}  ({row['source']})", ""
    for step in result["steps"]:
        yield from _step(step)
    yield "", ""
    if result["unexpected"] is not None:
        yield from _unexpected(result["unexpected"])
    if result["error"] is not None:
        error = result["error"]
        yield f"{error['class']}: {error['sentence']}", "bold red"
        yield f"  {error['detail']}", ""
    yield from _end(result)


def _step(step: dict[str, Any]) -> Iterator[Line]:
    yield "", ""
    yield f"{step['number']}. {step['title']} - {step['clause']}", "bold cyan"
    for row in step["exchanges"]:
        yield from _exchange(row)
    for note in step["notes"]:
        yield f"   {note}", ""
    yield from _status(step, "   ")
    yield from _codes(step, "   ")


def _exchange(row: dict[str, Any]) -> Iterator[Line]:
    number = f"#{row['number']}" if row["number"] is not None else "not recorded"
    yield f"   {row['name']}  ({number})", "bold"
    yield f"     > {spaced(row['command'])}", ""
    for each in row["request_elements"]:
        yield from element(each, 9)
    if "sw" in row:
        said = f"  {row['sw_words']}" if row["sw_words"] else ""
        yield f"     < {spaced(row['response'])}", ""
        yield f"       SW {row['sw']}{said}", "" if row["sw"] == "9000" else "yellow"
    else:
        yield f"     < {row['response']}", "yellow"
    for each in row["elements"]:
        yield from element(each, 9)
    for each in row.get("differences", []):
        yield from difference(each)
    for note in row["notes"]:
        yield f"       {note}", "yellow"


def element(row: dict[str, Any], indent: int) -> Iterator[Line]:
    """One element, what it says on the line or, if that is much, below it."""
    blank = " " * (indent + 2 * row["depth"])
    said = row.get("words", [])
    short = f"  {said[0]}" if len(said) == 1 else ""
    what = f"{row['tag']} {row['name']}".rstrip()
    yield f"{blank}{what}: {row.get('value', '')}{short}".rstrip(": "), ""
    if len(said) > 1:
        for phrase in said:
            yield f"{blank}  - {phrase}", "dim"


def difference(row: dict[str, Any]) -> Iterator[Line]:
    """An element that the recorded terminal had otherwise."""
    yield f"       {row['tag']} {row['name']} differs", "yellow"
    for who in ("recorded", "library"):
        said = ", ".join(row.get(f"{who}_words", []))
        yield f"         {who:<9}{row[who]}" + (f"  {said}" if said else ""), "yellow"


def _status(row: dict[str, Any], indent: str) -> Iterator[Line]:
    for name in ("tvr", "tsi"):
        if row.get(name):
            yield f"{indent}{name.upper()} {row[name]}  {', '.join(row[name + '_words'])}", ""


def _codes(row: dict[str, Any], indent: str) -> Iterator[Line]:
    """The action codes where they were compared with the TVR, and what they decided."""
    for each in row.get("action_codes", []):
        missing = " (the card has none)" if each["iac_missing"] else ""
        said = ", ".join(each["bits"]) or "no bit of the TVR"
        codes = f"IAC {each['iac']}{missing}  TAC {each['tac']}"
        yield f"{indent}{each['code']:<8} {codes}  {said}", ""
    if "action" in row:
        yield f"{indent}asks for {row['action']}", ""


def _unexpected(row: dict[str, Any]) -> Iterator[Line]:
    yield f"Unexpected request: {row['why']}.", "bold red"
    yield f"  the library sent   {row['sent_name']}", ""
    yield f"                     {spaced(row['sent'])}", ""
    number = f" (#{row['expected_number']})" if row["expected"] is not None else ""
    yield f"  expected was       {row['expected_name']}{number}", ""
    if row["expected"] is not None:
        yield f"                     {spaced(row['expected'])}", ""
    for ours, theirs in zip(row.get("sent_elements", []), row.get("expected_elements", [])):
        if ours.get("value") != theirs.get("value"):
            yield f"  {ours['tag']} {ours['name']}", "yellow"
            for who, each in (("sent", ours), ("expected", theirs)):
                said = ", ".join(each.get("words", []))
                yield f"    {who:<17}{each.get('value', '')}  {said}".rstrip(), "yellow"
    if "action_codes" in row:
        yield from _status(row, "  ")
        yield from _codes(row, "  ")
        yield "  other action codes: tac_denial, tac_online, tac_default in --terminal", "yellow"


def _end(result: dict[str, Any]) -> Iterator[Line]:
    yield "Result", "bold"
    yield from _status(result, "  ")
    if result["oda"]:
        fault = f", failed: {result['oda_fault']}" if result["oda_fault"] else ", good"
        yield f"  offline data authentication {result['oda']}{fault}", ""
        if "no CA key" in fault:
            yield "    keys of certification authorities come from --ca-keys", "yellow"
    if result["cvm_results"] is not None:
        said = ", ".join(result["cvm_results_words"])
        yield f"  CVM results {result['cvm_results']}  {said}", ""
    if result.get("verification"):
        yield f"  cardholder verification {result['verification'].replace('_', ' ')}", ""
    for name, what in (("label", "application"), ("aid", "AID"), ("pan", "PAN"),
                       ("arqc", "ARQC"), ("ac", "last cryptogram"), ("atc", "ATC"),
                       ("response_code", "response code"), ("reversal_reason", "reversal")):
        if result.get(name):
            yield f"  {what} {result[name]}", ""
    for each in result.get("taps", []):
        yield f"  first tap: {each['outcome'].replace('_', ' ')} ({each['reason']})", ""
    if result.get("reason"):
        yield f"  reason: {result['reason']}", ""
    yield f"  decision: {result['decision_words']}", "bold"
    for each in result["differences"]:
        yield (f"  differs from the recording: {each['tag']} {each['name']} in "
               f"#{each['exchange']}, recorded {each['recorded']}, library {each['library']}",
               "yellow")
    if result["not_asked_for"]:
        left = ", ".join(f"#{each['number']} {each['name']}" for each in result["not_asked_for"])
        yield f"  recorded and not asked for: {left}", "yellow"


def spaced(digits: str) -> str:
    """Hex (or stars) with a blank between bytes."""
    return " ".join(digits[at : at + 2] for at in range(0, len(digits), 2))

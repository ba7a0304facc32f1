"""A session of lib/emv, inside the sim board's MicroPython, against a recorded card.

`replay` gives the whole story as plain data for the report and for `--json`; nothing in it shows
a PAN beyond 6+4, a track or a PIN.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

from tools.acquirer.events import masked_pan
from tools.emv import actions, apdu, conversation, show, steps, taps, words
from tools.emv.conversation import Conversation
from tools.emv.errors import InterpreterError
from tools.emv.inputs import Inputs
from tools.emv.matching import RecordedCard, Unexpected
from tools.emv.recording import GONE, SILENT, Exchange

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ROOT / "build" / "sim" / "micropython"
_LINES = 2000  # no defined outcome takes as many

OK, PARTED, BAD_INPUT, CARD_ERROR = 0, 1, 2, 3

_SENTENCES = {
    "CardDataError": "The card's data break the rules; the transaction is terminated.",
    "CardStatusError": "The card refused a command that has to succeed; the transaction ends.",
    "CardBlocked": "The whole card is blocked.",
    "ApplicationBlocked": "Every application that card and terminal share is blocked.",
    "NoApplication": "Card and terminal share no application.",
    "SelectionCancelled": "The cardholder chose none of the applications.",
    "ConditionsNotSatisfied": "No application of the card wants this payment.",
    "IssuerDataError": "The issuer's data in the host's answer are malformed.",
    "SequenceError": "A phase was called out of its order.",
    "CardRemoved": "The card was removed in the middle of the transaction.",
    "CardSilent": "The card no longer answered.",
}


class Story:
    """What has happened so far, step by step."""

    def __init__(self, found: Conversation) -> None:
        self.found = found
        self.steps: list[dict[str, Any]] = []
        self.tvr = self.tsi = ""
        self._command: apdu.Command | None = None  # the one that GET RESPONSE goes on with

    def begin(self, name: str) -> None:
        """The next phase, unless the tap is in it already."""
        title, clause = steps.PHASES[name]
        if name.startswith("contactless") and self.steps and self.steps[-1]["phase"] == name:
            return
        self.steps.append({
            "number": len(self.steps) + 1, "phase": name, "title": title, "clause": clause,
            "exchanges": [], "notes": [],
        })

    def exchange(self, sent: bytes, given: Any) -> None:
        """A request with its answer (matching.Answer)."""
        parts = apdu.command(sent)
        if parts.ins != apdu.GET_RESPONSE or self._command is None:
            self._command = parts
        recorded: Exchange | None = given.exchange
        asked = self.found.asked.get(recorded.number) if recorded is not None else None
        response = given.data if isinstance(given.data, bytes) else b""
        command_hex, answer_hex = show.raw(sent, response or b"\x00\x00", asked)
        row: dict[str, Any] = {
            "number": recorded.number if recorded is not None else None,
            "name": show.command_name(parts),
            "command": command_hex,
            "response": answer_hex if response else given.data,
            "request_elements": show.request(parts, asked),
            "elements": show.answer(self._command, response[:-2]),
        }
        if response:
            row["sw"] = response[-2:].hex().upper()
            row["sw_words"] = apdu.status_words(row["sw"])
        if given.differences:
            row["differences"] = [show.difference(each) for each in given.differences]
        row["notes"] = [given.note] if given.note else []
        for skipped in given.passed_over:
            said = f"recorded exchange {skipped.number}, {show.command_name(skipped.parts)}"
            row["notes"].append(f"{said}: the library did not ask for it")
        self.steps[-1]["exchanges"].append(row)

    def state(self, now: dict[str, str]) -> None:
        """TVR and TSI as the phase left them."""
        self.tvr = now.get("tvr", self.tvr).upper()
        self.tsi = now.get("tsi", self.tsi).upper()
        self.steps[-1].update(status(self.tvr, self.tsi))


def status(tvr: str, tsi: str) -> dict[str, Any]:
    """TVR and TSI in hex and in words."""
    result: dict[str, Any] = {}
    if tvr:
        result["tvr"], result["tvr_words"] = tvr, words.table(0x95, bytes.fromhex(tvr))
    if tsi:
        result["tsi"], result["tsi_words"] = tsi, words.table(0x9B, bytes.fromhex(tsi))
    return result


class Replay:
    """One session: the driver on one side, the recorded card and the recorded people on the
    other."""

    def __init__(
        self, exchanges: list[Exchange], found: Conversation, inputs: Inputs
    ) -> None:
        self.card = RecordedCard(exchanges, found, inputs.given)
        self.found = found
        self.inputs = inputs
        self.story = Story(found)
        self.unexpected: Unexpected | None = None
        self.asked_pins = 0
        self.ended = False  # the recording ended with a request to go online

    def run(self) -> dict[str, Any]:
        """Play to the end. InterpreterError when MicroPython is missing or fails."""
        process = _start()
        try:
            assert process.stdin is not None and process.stdout is not None
            process.stdin.write(json.dumps(self.inputs.wish) + "\n")
            process.stdin.flush()
            for _ in range(_LINES):
                line = process.stdout.readline().rstrip("\n")
                kind, _, rest = line.partition(" ")
                if kind == "=":
                    return self._result(json.loads(rest))
                if kind not in (">", "?", "#", "~"):
                    raise InterpreterError(_fault(line, process))
                answer = self._line(kind, rest)
                if answer is not None:
                    process.stdin.write(answer + "\n")
                    process.stdin.flush()
            raise InterpreterError("the session does not come to an end")
        finally:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()

    def _line(self, kind: str, rest: str) -> str | None:
        """One of the driver's lines; what to answer, None for nothing."""
        if kind == ">":
            return self._exchange(bytes.fromhex(rest))
        if kind == "?":
            return json.dumps(self._question(json.loads(rest)))
        if kind == "#":
            if rest != "contactless":
                self.story.begin(rest)
        elif self.story.steps:
            self.story.state(json.loads(rest))
        return None

    def _exchange(self, sent: bytes) -> str:
        if self.inputs.wish["interface"] == "contactless":
            command = apdu.command(sent)
            if command.ins != apdu.GET_RESPONSE or not self.story.steps:
                self.story.begin(steps.of_tap(command))
        try:
            given = self.card.answer(sent)
        except Unexpected as parted:
            self.unexpected = parted
            return "stop"
        self.story.exchange(sent, given)
        if given.data in (GONE, SILENT):
            return str(given.data)
        assert isinstance(given.data, bytes)
        return given.data.hex()

    def _question(self, asked: dict[str, Any]) -> Any:
        if "choose" in asked:
            return self._choice(asked["choose"])
        if "pin" in asked:
            pins = self.inputs.pins
            answer = pins[min(self.asked_pins, len(pins) - 1)]
            self.asked_pins += 1
            tries = "" if asked["tries"] is None else f", {asked['tries']} tries left"
            method = asked["pin"].replace("_", " ")
            self.story.steps[-1]["notes"].append(f"{method} asked for{tries}: {answer}")
            return answer
        if "again" in asked:
            expected = self.card.expected
            return expected is not None and expected.parts.data == conversation.PPSE
        self.ended = self.inputs.host == "none"
        return self.inputs.host

    def _choice(self, labels: list[str]) -> int | None:
        """The application that the recording went on with, by what the card calls it."""
        expected = self.card.expected
        wanted = expected.parts.data if expected is not None else b""
        if expected is None or expected.parts.ins != apdu.SELECT:
            # It was selected before: the choice is the last name.
            wanted = self.found.aids[-1] if self.found.aids else b""
        names = {text for aid, text in self.found.labels if aid == wanted}
        names.add(wanted.hex().upper())
        index = next((at for at, label in enumerate(labels) if label in names), 0)
        said = ", ".join(labels)
        self.story.steps[-1]["notes"].append(f"cardholder's choice of {said}: {labels[index]}")
        return index

    def _result(self, said: dict[str, Any]) -> dict[str, Any]:
        elements = {int(tag, 16): bytes.fromhex(value)
                    for tag, value in said.get("elements", {}).items()}
        result: dict[str, Any] = {
            "interface": self.inputs.wish["interface"],
            "terminal": [
                {"what": what, "value": value, "source": source}
                for what, value, source in self.inputs.rows
            ],
            "steps": self.story.steps,
            "tvr": None, "tvr_words": [], "tsi": None, "tsi_words": [],
            **status(self.story.tvr, self.story.tsi),
            "unexpected": None, "error": None,
        }
        actions.attach(self.story.steps, elements, said.get("tac", []))
        result.update(_card(elements, said))
        result.update(_decision(said, self.ended))
        result["differences"] = [
            {**each, "exchange": row["number"]}
            for step in self.story.steps for row in step["exchanges"]
            for each in row.get("differences", [])
        ]
        self._end(result, said)
        return show.scrubbed(result, self.found.pans)

    def _end(self, result: dict[str, Any], said: dict[str, Any]) -> None:
        """Errors, what was not asked for, and the exit code."""
        left = [each for each in self.card.left if not self._passes(each)]
        if said.get("outcome") == "try_another_interface":
            foreign = taps.without_kernel(self.found, self.inputs)
            aids = {foreign[each.number] for each in left if each.number in foreign}
            left = [each for each in left if each.number not in foreign]
            if aids:
                result["reason"] += "; " + taps.sentence(sorted(aids))
        result["not_asked_for"] = [
            {"number": each.number, "name": show.command_name(each.parts)}
            for each in self.card.left
        ]
        code = OK
        if "error" in said:
            sentence = _SENTENCES.get(said["error"], "The transaction ended with an error.")
            result["error"] = {
                "class": said["error"], "sentence": sentence, "detail": said["sentence"],
            }
            code = CARD_ERROR
        if said.get("outcome") in ("end", "present_again"):
            code = CARD_ERROR
        if self.unexpected is not None:
            result["unexpected"] = _parted(self.unexpected, self.found)
            if self.unexpected.decision:
                result["unexpected"].update(actions.last(self.story.steps))
            code = PARTED
        elif left:
            code = PARTED
        result["exit_code"] = code

    def _passes(self, each: Exchange) -> bool:
        """Whether it may be left over: reading changes nothing."""
        return each.parts.ins in (apdu.GET_DATA, apdu.READ_RECORD, apdu.GET_RESPONSE)


def _card(elements: dict[int, bytes], said: dict[str, Any]) -> dict[str, Any]:
    """What the card said of itself, and the CVM results."""
    result: dict[str, Any] = {"cvm": said.get("cvm"), "label": said.get("label", "")}
    result["oda"], result["oda_fault"] = said.get("oda"), said.get("oda_fault", "")
    results = elements.get(conversation.CVM_RESULTS)
    result["cvm_results"] = results.hex().upper() if results is not None else None
    result["cvm_results_words"] = words.cvm_results(results) if results is not None else []
    names = {"aid": 0x84, "atc": 0x9F36, "cid": 0x9F27, "ac": 0x9F26, "iad": 0x9F10, "psn": 0x5F34}
    for name, tag in names.items():
        result[name] = elements[tag].hex().upper() if tag in elements else None
    result["arqc"] = said.get("arqc", "").upper() or None
    digits = elements[0x5A].hex().upper().rstrip("F") if 0x5A in elements else ""
    if not digits and 0x57 in elements:
        digits = elements[0x57].hex().upper().split("D")[0]
    result["pan"] = masked_pan(digits) if digits else None
    return result


def _decision(said: dict[str, Any], ended: bool) -> dict[str, Any]:
    """Decision and outcome in the library's words, and in a sentence."""
    result: dict[str, Any] = {
        "decision": said.get("decision"),
        "first_decision": said.get("first"),
        "outcome": said.get("outcome"),
        "response_code": said.get("code") or None,
        "reversal_reason": said.get("reversal"),
    }
    if said.get("taps"):
        result["taps"] = [{"outcome": kind, "reason": reason} for kind, reason in said["taps"]]
    if said.get("outcome"):
        result["reason"] = said.get("reason", "")
        result["verification"] = said.get("verify")
    result["decision_words"] = _words(result, ended)
    return result


_OUTCOMES = {
    "approved": "approved offline", "declined": "declined", "online": "go online",
    "try_another_interface": "try another interface", "present_again": "present the card again",
    "see_phone": "see phone", "end": "end the transaction",
}


def _words(result: dict[str, Any], ended: bool) -> str:
    if result["outcome"] is not None:
        return _OUTCOMES[result["outcome"]]
    decision, first, code = result["decision"], result["first_decision"], result["response_code"]
    if decision is None:
        return "no decision"
    if decision == "online":
        return "go online" + (": the recording has no answer of the issuer" if ended else "")
    place = "online" if first == "online" and code not in ("Y3", "Z3") else "offline"
    if code in ("Y3", "Z3"):
        return f"{decision} offline, unable to go online"
    return f"{decision} {place}"


def _parted(parted: Unexpected, found: Conversation) -> dict[str, Any]:
    """The request that the recording does not have, and what it has in its place."""
    sent = apdu.command(parted.sent)
    expected = parted.expected
    asked = found.asked.get(expected.number) if expected is not None else None
    fits = asked is not None and expected is not None and (
        sent.ins == expected.parts.ins and len(sent.data) == len(expected.parts.data)
    )
    row: dict[str, Any] = {
        "why": parted.why,
        "sent": show.raw(parted.sent, b"\x00\x00", asked if fits else None)[0],
        "sent_name": show.command_name(sent),
        "expected": None,
        "expected_name": "the end of the recording",
    }
    if expected is not None:
        row["expected"] = show.raw(expected.command, b"\x00\x00", asked)[0]
        row["expected_name"] = show.command_name(expected.parts)
        row["expected_number"] = expected.number
        if fits:
            row["sent_elements"] = show.request(sent, asked)
            row["expected_elements"] = show.request(expected.parts, asked)
    return row


def _start() -> subprocess.Popen[str]:
    if not INTERPRETER.exists():
        raise InterpreterError(f"{INTERPRETER} is missing: run make build")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    return subprocess.Popen(
        [str(INTERPRETER), "-X", "heapsize=4M", "-c", "import emv_replay"],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    )


def _fault(line: str, process: subprocess.Popen[str]) -> str:
    """MicroPython's last line: its class and sentence, never a whole trace with data in it."""
    rest = process.stdout.read() if process.stdout is not None else ""
    said = [each for each in (line + "\n" + rest).splitlines() if each.strip()]
    return f"the library stopped: {said[-1]}" if said else "the library stopped without a word"

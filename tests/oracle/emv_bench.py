"""lib/emv inside MicroPython against a card in CPython: one process, a session a call."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tools.acquirer import scripts
from tools.sim.cards import Card, Gone, Mute, ber, crypto

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
DRIVER = Path(__file__).with_name("emv_driver.py")
STEPS = 400  # lines one session may take: a card cannot keep a terminal busy for ever

Answer = Callable[[bytes], bytes]
Host = Callable[[dict[str, str]], dict[str, str] | None]


class DriverDied(Exception):
    """MicroPython ended inside a session; the message is what it said."""


class Endless(Exception):
    """A session took more steps than any defined outcome needs."""


class Bench:
    """The interpreter with the driver in it."""

    def __init__(self) -> None:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
        environment["MICROPYPATH"] = "lib:.:.frozen"
        self.process = subprocess.Popen(
            [str(INTERPRETER), "-X", "heapsize=4M", str(DRIVER)],
            cwd=REPO,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )

    def close(self) -> None:
        """End the process."""
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(10)

    def run(
        self, wish: dict[str, Any], answer: Answer, host: Host | None = None
    ) -> dict[str, Any]:
        """One session; what it came to, and the APDUs exchanged under `apdus`."""
        wish = {"amount": 1234, "date": "261123", "interface": "contact", **wish}
        self._send(json.dumps(wish))
        apdus: list[tuple[str, str]] = []
        for _ in range(STEPS):
            line = self.process.stdout.readline().rstrip("\n")
            kind, _, rest = line.partition(" ")
            if kind == "=":
                return {**json.loads(rest), "apdus": apdus}
            if kind == ">":
                said = _answered(answer, bytes.fromhex(rest))
                apdus.append((rest, said))
                self._send(said)
            elif kind == "?":
                self._send(json.dumps(host(json.loads(rest)) if host else None))
            else:
                raise DriverDied(line + "\n" + self.process.stdout.read())
        raise Endless(f"{len(apdus)} APDUs and no end")

    def _send(self, line: str) -> None:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()


def _answered(answer: Answer, command: bytes) -> str:
    try:
        return answer(command).hex()
    except Gone:
        return "gone"
    except Mute:
        return "silent"


def inserted(card: Card) -> Answer:
    """The card in the slot."""
    card.reset("contact")
    return card.apdu


def tapped(card: Card) -> Answer:
    """The card in the field."""
    card.reset("contactless")
    return card.apdu


def over_t0(answer: Answer) -> Answer:
    """The same card as T=0 cards answer: 61xx when data wait, 6Cxx when Le is another."""
    waiting = b""

    def converse(command: bytes) -> bytes:
        nonlocal waiting
        if command[1] == 0xC0:
            taken, waiting = waiting[: command[4] or 256], waiting[command[4] or 256 :]
            return taken + (b"\x90\x00" if not waiting else bytes((0x61, len(waiting) & 0xFF)))
        if len(command) > 5:
            full = answer(command)
            if full[-2:] != b"\x90\x00" or len(full) == 2:
                return full[-2:]
            waiting = full[:-2]
            return bytes((0x61, len(waiting) & 0xFF))
        full = answer(command[:4] + b"\x00")
        size = len(full) - 2
        if full[-2:] == b"\x90\x00" and size and command[4] != size & 0xFF:
            return bytes((0x6C, size & 0xFF))
        return full

    return converse


class Issuer:
    """The card's issuer: checks the request's cryptogram by pyemv and answers with an ARPC.

    `scripts` are (template tag, content) pairs, sealed with the card's key before they go out.
    """

    def __init__(self, card: Card, code: str = "00", spoil: bool = False) -> None:
        self.card = card
        self.code = code
        self.spoil = spoil
        self.scripts: list[tuple[str, bytes]] = []
        self.request: dict[str, bytes] = {}
        self.genuine = False

    def __call__(self, request: dict[str, str]) -> dict[str, str]:
        values = elements(bytes.fromhex(request["field55"]))
        self.request = values
        digits = request["text"].split("D")[0]
        facts = next(each.facts for each in self.card.applications if each.facts.pan == digits)
        key = crypto.card_key(bytes.fromhex(self.card.facts.imk), digits, facts.psn)
        atc = int.from_bytes(values["9F36"], "big")
        session = crypto.session_key(key, atc)
        expected = crypto.cryptogram(session, values, values["82"], atc, values["9F10"])
        self.genuine = expected == values["9F26"]
        code = self.code.encode()
        arpc = crypto.issuer_answer(session, values["9F26"], code)
        if self.spoil:
            arpc = bytes((arpc[0] ^ 1,)) + arpc[1:]
        own = bytes.fromhex(self.card.facts.imk_mac)
        seal = scripts.integrity_key(own, digits, f"{facts.psn:02d}")
        reply = ber.tlv("91", arpc + code)
        for tag, content in self.scripts:
            reply += ber.tlv(tag, scripts.sealed(content, seal, values["9F36"], values["9F26"]))
        return {"code": self.code, "field55": reply.hex()}


def elements(field55: bytes) -> dict[str, bytes]:
    """Field 55 by tag, by pyemv's decoder rather than ours."""
    from pyemv import tlv

    return tlv.decode(field55)

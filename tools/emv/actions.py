"""The action codes against the TVR, as terminal action analysis has them (Book 3 10.7)."""

from __future__ import annotations

from typing import Any

from tools.emv import words

_TVR = 0x95
# Code → the issuer's tag, and what stands for it in a card that has none.
CODES = {
    "denial": (0x9F0E, bytes(5)),
    "online": (0x9F0F, b"\xff" * 5),
    "default": (0x9F0D, b"\xff" * 5),
}
_ASKS = {"denial": "AAC", "online": "ARQC", "default": "AAC"}
# The phases that compare them, and the codes each looks at, the first that has a bit deciding.
PHASES = {
    "terminal_action_analysis": ("denial", "online"), "unable_to_go_online": ("default",),
}


def compare(elements: dict[int, bytes], terminal: list[str], tvr: str) -> list[dict[str, Any]]:
    """One row a code: `code`, `iac`, `iac_missing`, `tac`, `bits`.

    elements: the card's. terminal: denial, online and default in hex, as the library had them.
    bits: the bits of the TVR that either code names, in words, with whose code it is.
    """
    results = bytes.fromhex(tvr)
    rows = []
    for (code, (tag, missing)), told in zip(CODES.items(), terminal):
        own, ours = elements.get(tag, missing), bytes.fromhex(told)
        rows.append({
            "code": code, "iac": own.hex().upper(), "iac_missing": tag not in elements,
            "tac": ours.hex().upper(), "bits": _bits(results, own, ours),
        })
    return rows


def _bits(results: bytes, issuer: bytes, terminal: bytes) -> list[str]:
    named = bytes(r & (i | t) for r, i, t in zip(results, issuer, terminal))
    if not any(named):
        return []
    by = {whose: words.table(_TVR, bytes(r & c for r, c in zip(results, codes)))
          for whose, codes in (("IAC", issuer), ("TAC", terminal))}
    return [f"{bit} ({', '.join(whose for whose in by if bit in by[whose])})"
            for bit in words.table(_TVR, named)]


def decided(phase: str, rows: list[dict[str, Any]]) -> str:
    """What a phase of `PHASES` asks the card for, and which bits made it so."""
    for row in rows:
        if row["code"] in PHASES[phase] and row["bits"]:
            return f"{_ASKS[row['code']]} by the {row['code']} codes: {', '.join(row['bits'])}"
    return f"TC: no bit of the {' or '.join(PHASES[phase])} codes is set in the TVR"


def attach(steps: list[dict[str, Any]], elements: dict[int, bytes], terminal: list[str]) -> None:
    """`action_codes` and `action` for the steps that are decided by them."""
    for step in steps:
        if terminal and step["phase"] in PHASES and step.get("tvr"):
            rows = compare(elements, terminal, step["tvr"])
            step["action_codes"], step["action"] = rows, decided(step["phase"], rows)


def last(steps: list[dict[str, Any]]) -> dict[str, Any]:
    """The action codes and the TVR that a request for a cryptogram was decided by; empty where
    the issuer's answer decided it."""
    for step in steps[-2:]:
        if "action_codes" in step:
            return {name: step[name] for name in ("tvr", "tvr_words", "action_codes", "action")}
    return {}

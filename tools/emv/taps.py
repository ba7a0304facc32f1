"""The applications of a terminal that a recorded tap does not show.

A tap that comes to no SELECT of an application says nothing of the terminal's AIDs, and one of an
application without a kernel here nothing of those that have one. The terminal then has its own
table beside them, read from lib/emv so that it stays in one place.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tools.emv import apdu, conversation, words
from tools.emv.conversation import Conversation
from tools.emv.inputs import Inputs
from tools.emv.terminal_file import TerminalFile

FILE = Path(__file__).resolve().parents[2] / "lib" / "emv" / "terminal.py"
_TABLE = "default_applications"


def own() -> list[bytes]:
    """The AIDs of the terminal's own table."""
    module = ast.parse(FILE.read_text(encoding="utf-8"))
    table = next(node for node in module.body
                 if isinstance(node, ast.FunctionDef) and node.name == _TABLE)
    first = (node.args[0] for node in ast.walk(table) if isinstance(node, ast.Call) and node.args)
    return [node.value for node in first
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes)]


def complete(told: TerminalFile, made: Inputs) -> None:
    """Add the terminal's own AIDs to a tap that shows none with a kernel, and is told none."""
    listed = made.wish["applications"]
    if made.wish["interface"] != "contactless" or told.applications:
        return
    if any(entry["kernel"] for entry in listed):
        return
    given = {name: value.hex() if isinstance(value, bytes) else value
             for name, value in told.parameters.items()}
    for aid in own():
        listed.append({**given, "aid": aid.hex()})
        made.rows.append(("9F06 application", aid.hex().upper(), "the terminal's own"))


def without_kernel(found: Conversation, made: Inputs) -> dict[int, bytes]:
    """The exchanges with applications that have no kernel here: number → AID."""
    if made.wish["interface"] != "contactless":
        return {}
    none = {bytes.fromhex(entry["aid"]) for entry in made.wish["applications"]
            if entry.get("kernel") == 0}
    result: dict[int, bytes] = {}
    selected = b""
    for step in found.steps:
        if step.command.ins == apdu.SELECT:
            selected = step.command.data
        if selected in none and selected != conversation.PPSE:
            result.update(dict.fromkeys(step.exchanges, selected))
    return result


def sentence(aids: list[bytes]) -> str:
    """Why these applications are not taken."""
    named = [" ".join([aid.hex().upper(), *words.meaning(conversation.AID, aid)]) for aid in aids]
    return f"no kernel is here for {', '.join(named)}"

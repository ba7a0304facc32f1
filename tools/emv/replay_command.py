"""`pos emv --replay`: a recorded conversation with a card, played to lib/emv."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from tools.emv import ca_keys, conversation, inputs, recording, report, taps, terminal_file
from tools.emv.errors import EmvToolError
from tools.emv.replay import BAD_INPUT, Replay

console = Console(highlight=False)


def command(
    replay: Annotated[
        Path,
        typer.Option("--replay", help="the conversation: a YAML list of {req: hex, res: hex}"),
    ],
    terminal: Annotated[
        Path | None,
        typer.Option("--terminal", help="terminal data: a YAML map of tag or name to value"),
    ] = None,
    ca_keys_file: Annotated[
        Path | None,
        typer.Option("--ca-keys", help="CA public keys: YAML of rid, index, modulus, exponent, "
                     "expiry, checksum"),
    ] = None,
    interface: Annotated[
        str | None, typer.Option(help="contact or contactless; else the first SELECT tells")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """Play a recorded conversation with a card to the terminal's EMV library.

    Prints each step with its clause, the elements, TVR and TSI in words, and the decision. Exit
    code 0: played to its end. 1: library and recording part ways. 2: a file is not usable.
    3: the card's fault ended the transaction.
    """
    if interface not in (None, "contact", "contactless"):
        raise typer.BadParameter("--interface is contact or contactless")
    try:
        result = run(replay, terminal, ca_keys_file, interface)
    except EmvToolError as error:
        typer.echo(f"pos emv: {error}", err=True)
        raise typer.Exit(BAD_INPUT) from None
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=1))
    else:
        for text, style in report.lines(result):
            console.print(text, style=style or None, markup=False, soft_wrap=True)
    raise typer.Exit(result["exit_code"])


def run(
    file: Path, terminal: Path | None, keys: Path | None, interface: str | None
) -> dict[str, Any]:
    """One replay. EmvToolError for a file that cannot be used, or without an interpreter."""
    exchanges = recording.read(file)
    told = terminal_file.read(terminal) if terminal else terminal_file.TerminalFile()
    found = conversation.scan(exchanges, interface or told.words.get("interface"))
    gathered = inputs.gather(found, told)
    taps.complete(told, gathered)
    if keys is not None:
        gathered.wish["ca_keys"] = ca_keys.read(keys)
    return {"file": str(file), **Replay(exchanges, found, gathered).run()}

"""`pos cards`: the deck as a table, the test authority's public keys, a check of a card's file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tools.sim.cards import authority, catalogue, personalisation
from tools.sim.cards.card import Card
from tools.sim.cards.personalisation import PersonalisationError

console = Console(highlight=False)


def command(
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
    keys: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="write the test authority's public keys to DIR/ca-keys.yaml: a list of rid, "
            "index, modulus, exponent, expiry, sha1, for a terminal's or 'pos emv --ca-keys'",
        ),
    ] = None,
    check: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="check a card's file instead: make its keys and certificates, or say on which "
            "line something is wrong; may be repeated",
        ),
    ] = None,
) -> None:
    """The deck of test cards."""
    if keys is not None:
        _write(keys)
    elif check:
        _check(check, as_json)
    elif as_json:
        typer.echo(json.dumps(catalogue.deck(), ensure_ascii=False, indent=1))
    else:
        console.print(table(catalogue.deck()))


def _write(folder: Path) -> None:
    """Exit code 1 when the folder cannot be written to."""
    try:
        path = authority.write_public_keys(folder / authority.CA_FILE.name)
    except OSError as error:
        typer.echo(f"pos cards: {folder} cannot be written to: {error.strerror}", err=True)
        raise typer.Exit(1) from None
    typer.echo(path)


def _check(paths: list[Path], as_json: bool) -> None:
    """Each file's card, or its slips; exit code 1 when one of them is no card."""
    found, slips = [], []
    for path in paths:
        try:
            facts = personalisation.read(path)
        except PersonalisationError as error:
            slips += [
                {"file": str(path), "line": each.line, "what": each.what} for each in error.slips
            ]
        else:
            Card(facts)
            found.append(catalogue.entry(facts))
    if as_json:
        typer.echo(json.dumps({"cards": found, "slips": slips}, ensure_ascii=False, indent=1))
    else:
        for each in slips:
            typer.echo(f"{each['file']}:{each['line']}: {each['what']}", err=True)
        if found:
            console.print(table(found))
    raise typer.Exit(1 if slips else 0)


def table(entries: list[dict[str, Any]]) -> Table:
    """A row a card: what it is for, and its applications with how each proves itself."""
    shown = Table()
    shown.add_column("card 卡片", overflow="fold")
    shown.add_column("applications 应用", no_wrap=True)
    for card in entries:
        purpose = card["purpose"]
        own = Text.assemble((card["name"], "bold"), f"  {' '.join(card['interfaces'])}\n")
        own.append(f"{purpose['zh']}\n{purpose['en']}")
        shown.add_row(own, "\n".join(map(_lines, card["applications"])), end_section=True)
    return shown


def _lines(application: dict[str, Any]) -> str:
    """Number and AID; name and ways of authentication; the bits of the keys behind them."""
    head = f"{application['pan']} {application['aid']}\n{application['label']}, "
    held = application["authentication"]
    if held is None:
        return head + "no data authentication"
    said = f"{held['method']}{' fDDA' if held['fdda'] else ''}"
    said += "" if held["genuine"] else " (fails)"
    said += f", PIN {held['pin'] or held['card']}" if application["offline_pin"] else ""
    keys = f"CA {held['index']} {held['authority']} > issuer {held['issuer']}"
    keys += f" > card {held['card']}" if held["card"] else ""
    return f"{head}{said}\n{keys}, e {held['exponent']}"

"""`pos decode`: TLV, TVR, lists, APDUs, ISO 8583 messages in words."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from tools.emv import decode as decoder
from tools.emv import plain_yaml, report
from tools.emv.errors import DecodeError

console = Console(highlight=False)
_BAD_INPUT = 2


def command(
    what: Annotated[
        list[str],
        typer.Argument(metavar="[KIND] HEX|FILE|-", help="bytes, a file of them, or - for input"),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="print the result as JSON")] = False,
) -> None:
    """Say what bytes mean. KIND is guessed, and said, when it is not given.

    Kinds: tlv, tvr, tsi, aip, afl, dol, pdol, cdol1, cdol2, ddol, tdol, cvm-list, cvm-results,
    ttq, ctq, iad, cid, auc, capabilities (9F33), additional-capabilities (9F40), terminal-type,
    command, response, apdu, sw, iso; or a data element's tag. Exit code 2: not decodable.
    """
    try:
        kind, data = take(what)
        result = decoder.decode(data, kind)
    except DecodeError as error:
        typer.echo(f"pos decode: {error}", err=True)
        raise typer.Exit(_BAD_INPUT) from None
    if as_json:
        typer.echo(json.dumps(result, ensure_ascii=False, indent=1))
        return
    said = " (guessed)" if result["guessed"] else ""
    title = f"{result['kind']}{said}: {result['title']}"
    console.print(title, style="bold", markup=False, soft_wrap=True)
    for row in result["rows"]:
        for text, style in report.element(row, 2):
            console.print(text, style=style or None, markup=False, soft_wrap=True)


def take(what: list[str]) -> tuple[str | None, bytes]:
    """Kind and bytes out of the arguments. DecodeError for bytes that are none."""
    if len(what) > 1 and decoder.is_kind(what[0]):
        named = what[0].lower() in decoder.kinds()
        if named or len(what) == 2:
            return what[0], _bytes(what[1:])
    if len(what) == 2 and not _hexadecimal(what[0]):
        raise DecodeError(
            f"{what[0]!r} is no kind; there are {', '.join(decoder.kinds())}, and any tag"
        )
    return None, _bytes(what)


def _hexadecimal(text: str) -> bytes | None:
    try:
        return plain_yaml.hexadecimal(text)
    except ValueError:
        return None


def _bytes(words: list[str]) -> bytes:
    if words == ["-"]:
        return _content(sys.stdin.buffer.read())
    found = _hexadecimal(" ".join(words))
    if found is not None:
        return found
    if len(words) == 1:
        try:
            if Path(words[0]).is_file():
                return _content(Path(words[0]).read_bytes())
        except (OSError, ValueError) as error:
            raise DecodeError(f"{error}") from None
    raise DecodeError("these are neither hex digits, two a byte, nor a file")


def _content(raw: bytes) -> bytes:
    """A file's or the input's bytes: hex digits if it is text of these, else the bytes."""
    try:
        found = _hexadecimal(raw.decode("ascii"))
    except UnicodeDecodeError:
        return raw
    return raw if found is None else found

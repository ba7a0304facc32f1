"""The dictionary of data elements, read from lib/emv so that it stays in one place."""

from __future__ import annotations

import runpy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

FILE = Path(__file__).resolve().parents[2] / "lib" / "emv" / "elements.py"


class Element(NamedTuple):
    """One row: lengths in bytes, format a an ans b cn n var, source card, terminal or issuer."""

    tag: int
    name: str
    format: str
    shortest: int
    longest: int
    source: str
    templates: str


@cache
def _module() -> dict[str, Any]:
    return runpy.run_path(str(FILE))


@cache
def elements() -> dict[int, Element]:
    """Every element by its tag."""
    return {row[0]: Element(*row) for row in _module()["ELEMENTS"]}


def find(tag: int) -> Element | None:
    """The element's row, or None."""
    return elements().get(tag)


def name(tag: int) -> str:
    """The book's name; `unknown` for what the dictionary does not have."""
    row = find(tag)
    return row.name if row else "unknown"


# What everybody calls an element whose name in the book has no such brackets.
_SHORT = {
    0x82: "AIP", 0x95: "TVR", 0x9B: "TSI", 0x8C: "CDOL1", 0x8D: "CDOL2", 0x8E: "CVM list",
    0x9F07: "AUC", 0x9F0D: "IAC default", 0x9F0E: "IAC denial", 0x9F0F: "IAC online",
    0x9F10: "IAD", 0x9F27: "CID", 0x8A: "ARC",
}


def label(tag: int) -> str:
    """The book's name with the short one in brackets behind it, where there is one."""
    short = _SHORT.get(tag)
    return f"{name(tag)} ({short})" if short else name(tag)


@cache
def tags_by_name() -> dict[str, int]:
    """Tags by what a person may call them, in lower case with `_` between words.

    The library's constants (`terminal_country_code`), the book's names without brackets, and
    the short ones.
    """
    found = {
        key.lower(): value
        for key, value in _module().items()
        if key.isupper() and isinstance(value, int) and value in elements()
    }
    for tag, row in elements().items():
        words = row.name.split("(")[0].lower()
        kept = "".join(c if c.isalnum() else " " for c in words)
        found.setdefault("_".join(kept.split()), tag)
    for tag, short in _SHORT.items():
        found.setdefault("_".join(short.lower().split()), tag)
    return found


def bits(prefix: str) -> dict[str, tuple[int, int]]:
    """The library's bits of one kind, `TVR` or `TSI`: name → (byte from 1, mask)."""
    return {
        key: (value >> 8, value & 0xFF)
        for key, value in _module().items()
        if key.startswith(prefix + "_") and isinstance(value, int)
    }

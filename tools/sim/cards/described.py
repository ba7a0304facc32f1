"""A YAML file together with the line on which each of its parts stands.

YAML keeps the last of two equal keys and says nothing; here that is an error like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
"""The way to a part: keys of mappings (as text) and places in lists (from 0)."""


@dataclass(frozen=True)
class Slip:
    """What is wrong in a file, and on which line (from 1)."""

    line: int
    what: str


class DescriptionError(ValueError):
    """A file is not what it should be. `slips` has all that was found, in the file's order."""

    def __init__(self, name: str, slips: list[Slip]) -> None:
        self.name = name
        self.slips = sorted(slips, key=lambda slip: slip.line)
        super().__init__("\n".join(f"{name}, line {it.line}: {it.what}" for it in self.slips))


@dataclass(frozen=True)
class Described:
    """`value` is what the file says; `lines` has a line for every part."""

    value: Any
    lines: dict[Place, int]

    def line(self, *place: str | int) -> int:
        """The line of that part, or of the nearest part around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def describe(path: Path, error: type[DescriptionError]) -> Described:
    """Read one file. `error` when it cannot be read, is no YAML, or has a key twice."""
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except (OSError, UnicodeDecodeError) as problem:
        raise error(path.name, [Slip(1, f"not to be read: {problem}")]) from None
    except yaml.YAMLError as problem:
        mark = getattr(problem, "problem_mark", None)
        line = 1 if mark is None else mark.line + 1
        what = getattr(problem, "problem", None) or str(problem).replace("\n", " ")
        raise error(path.name, [Slip(line, f"no YAML: {what}")]) from None
    lines: dict[Place, int] = {}
    twice: list[Slip] = []
    if node is not None:
        _walk(node, (), lines, twice)
    if twice:
        raise error(path.name, twice)
    return Described(value, lines)


def _walk(node: yaml.Node, place: Place, lines: dict[Place, int], twice: list[Slip]) -> None:
    lines.setdefault(place, node.start_mark.line + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, each in enumerate(node.value):
            _walk(each, (*place, index), lines, twice)
    elif isinstance(node, yaml.MappingNode):
        for key, each in node.value:
            inner, line = (*place, str(key.value)), key.start_mark.line + 1
            if inner in lines:
                twice.append(Slip(line, f"{key.value} is here twice"))
            lines[inner] = line
            _walk(each, inner, lines, twice)

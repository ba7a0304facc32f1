"""Scenario files: YAML in, checked steps with their file and line out.

A scenario is a name, a `start` and a list of steps, each a mapping of one word to its argument.
The words and what they take are in `steps.py`; whatever is unknown is an error that names file,
line and the word that was probably meant.
"""

import difflib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

START_DEFAULTS: dict[str, Any] = {
    "merchant": "测试商户有限公司",
    "signed_on": True,
    "seed": 1,
    "language": "zh",
    "operator": "01",
    "fresh": False,
    "clock": True,
    "pins": None,
}
TOP_LEVEL = ["name", "start", "steps"]
PIN_LIMITS = {"per-hour", "at-once", "seconds"}


class ScenarioError(Exception):
    """A scenario that cannot be played: `FILE:LINE: what is wrong`."""


@dataclass
class Step:
    """One line of a scenario: a word, its argument, and where it stands."""

    word: str
    argument: Any
    file: Path
    line: int

    @property
    def place(self) -> str:
        """`FILE:LINE`, as shown in messages."""
        return f"{self.file}:{self.line}"


@dataclass
class Scenario:
    """A whole file: its name, the start it asks for, and its steps."""

    name: str
    file: Path
    start: dict[str, Any]
    steps: list[Step] = field(default_factory=list)


def guess(word: str, known: list[str]) -> str:
    """A half-sentence with the nearest known word, or all of them when none is near."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return f"did you mean '{near[0]}'?" if near else "known: " + ", ".join(sorted(known))


def _construct(node: yaml.Node) -> Any:
    """The plain value of a YAML node. Digits stay text: '00' is a key and a response code."""
    if isinstance(node, yaml.MappingNode):
        return {_construct(key): _construct(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_construct(item) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    if node.tag == "tag:yaml.org,2002:bool":
        word = node.value.lower()  # YAML takes on and off for truth; here they are words
        return word if word in ("on", "off") else word in ("true", "yes")
    if node.tag == "tag:yaml.org,2002:int" and (
        node.value == "0" or node.value[0] in "123456789-"
    ):
        return int(node.value)
    if node.tag == "tag:yaml.org,2002:float":
        return float(node.value)
    return None if node.tag == "tag:yaml.org,2002:null" else node.value


def _steps(node: yaml.Node, file: Path, words: list[str]) -> list[Step]:
    if not isinstance(node, yaml.SequenceNode):
        raise ScenarioError(f"{file}:{node.start_mark.line + 1}: 'steps' is a list of steps")
    found = []
    for item in node.value:
        line = item.start_mark.line + 1
        if not isinstance(item, yaml.MappingNode) or len(item.value) != 1:
            raise ScenarioError(f"{file}:{line}: a step is one word and its argument")
        word, argument = _construct(item.value[0][0]), _construct(item.value[0][1])
        if word not in words:
            raise ScenarioError(f"{file}:{line}: unknown step '{word}'; {guess(str(word), words)}")
        if word == "include":
            found += _included(file.parent / str(argument), file, line, words)
        else:
            found.append(Step(word, argument, file, line))
    return found


def _included(path: Path, file: Path, line: int, words: list[str]) -> list[Step]:
    if not path.exists():
        raise ScenarioError(f"{file}:{line}: the included file {path} does not exist")
    if path.resolve() == file.resolve():
        raise ScenarioError(f"{file}:{line}: a scenario cannot include itself")
    return load(path, words).steps


def load(file: Path, words: list[str]) -> Scenario:
    """Read and check one scenario file against the known step words.

    Raises ScenarioError with file and line for anything that is not a scenario."""
    try:
        root = yaml.compose(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScenarioError(f"{file}: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ScenarioError(f"{file}: no YAML: {error}") from error
    if not isinstance(root, yaml.MappingNode):
        raise ScenarioError(f"{file}:1: a scenario is a mapping with name, start and steps")
    scenario = Scenario(file.stem, file, dict(START_DEFAULTS))
    for key_node, value in root.value:
        key, line = _construct(key_node), key_node.start_mark.line + 1
        if key == "name":
            scenario.name = str(_construct(value))
        elif key == "start":
            scenario.start.update(_start(value, file, line))
        elif key == "steps":
            scenario.steps = _steps(value, file, words)
        else:
            raise ScenarioError(f"{file}:{line}: unknown '{key}'; {guess(str(key), TOP_LEVEL)}")
    return scenario


def _start(node: yaml.Node, file: Path, line: int) -> dict[str, Any]:
    given = _construct(node)
    if not isinstance(given, dict):
        raise ScenarioError(f"{file}:{line}: 'start' is a mapping")
    for key in given:
        if key not in START_DEFAULTS:
            raise ScenarioError(
                f"{file}:{line}: unknown start '{key}'; {guess(str(key), list(START_DEFAULTS))}"
            )
    limits = given.get("pins")
    if limits is not None and not _are_limits(limits):
        raise ScenarioError(f"{file}:{line}: 'pins' is a whole number each of per-hour, at-once "
                            "and seconds: pinmac's limits of PIN entry")
    return given


def _are_limits(given: Any) -> bool:
    numbers = isinstance(given, dict) and all(type(value) is int for value in given.values())
    return numbers and set(given) == PIN_LIMITS and min(given.values()) >= 0

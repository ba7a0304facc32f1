"""YAML whose scalars stay the text they are: `0156` is no octal number and `12e3` no float.

A file is small and says what it means: a quarter of a megabyte at most, and no aliases, with which
a few lines can stand for a document without end. What is wrong is told without the text around it,
which may be a card's.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

MOST = 1 << 18


class _Loader(yaml.BaseLoader):
    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()
            raise yaml.composer.ComposerError(None, None, "an alias; write it out",
                                              event.start_mark)
        return super().compose_node(parent, index)


def read(file: Path, error: type[Exception]) -> Any:
    """The file's document of lists, maps and strings. `error` for one that cannot be read."""
    try:
        with file.open("rb") as opened:
            data = opened.read(MOST + 1)
        text = data.decode("utf-8")
    except OSError as fault:
        raise error(f"{file}: {fault.strerror or type(fault).__name__}") from None
    except UnicodeDecodeError:
        raise error(f"{file}: this is no UTF-8 text") from None
    if len(data) > MOST:
        raise error(f"{file}: more than {MOST} bytes; no such file is as long")
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as fault:
        raise error(f"{file}: this is no YAML: {_fault(fault)}") from None
    except RecursionError:
        raise error(f"{file}: this is no YAML: nested too deeply") from None
    except ValueError as fault:
        raise error(f"{file}: this is no YAML: {fault}") from None


def _fault(fault: yaml.YAMLError) -> str:
    """What is wrong and on which line; never the line itself."""
    if isinstance(fault, yaml.MarkedYAMLError) and fault.problem_mark is not None:
        return f"line {fault.problem_mark.line + 1}: {fault.problem}"
    reason = getattr(fault, "reason", "") or type(fault).__name__
    return f"{reason}"


def hexadecimal(text: str) -> bytes:
    """The bytes of hex digits, between which blanks, colons and `0x` mean nothing. ValueError."""
    digits = text.replace("0x", "").replace("0X", "").replace(":", "")
    return bytes.fromhex("".join(digits.split()))

"""YAML whose scalars stay the text they are: `0156` is no octal number and `12e3` no float."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


def read(file: Path, error: type[Exception]) -> Any:
    """The file's document of lists, maps and strings. `error` for one that cannot be read."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as fault:
        raise error(f"{file}: {_reason(fault)}") from None
    try:
        return yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as fault:
        raise error(f"{file}: this is no YAML: {' '.join(str(fault).split())}") from None
    except (ValueError, RecursionError) as fault:
        raise error(f"{file}: this is no YAML: {fault}") from None


def _reason(fault: Exception) -> str:
    if isinstance(fault, OSError):
        return fault.strerror or type(fault).__name__
    return "this is no UTF-8 text"


def hexadecimal(text: str) -> bytes:
    """The bytes of hex digits, between which blanks, colons and `0x` mean nothing. ValueError."""
    digits = text.replace("0x", "").replace("0X", "").replace(":", "")
    return bytes.fromhex("".join(digits.split()))

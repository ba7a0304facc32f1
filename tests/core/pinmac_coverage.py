"""Reads what gcov counted: every branch of the core that was not taken, both ways.

gcov's own counts are of arcs between blocks, so each half of `a && b` is a branch of its own.
"""

import json
import subprocess
from pathlib import Path
from typing import Any


def counted(folder: Path) -> list[dict[str, Any]]:
    """gcov's record of every source file whose counts lie in a folder (gcov --json-format)."""
    counts = sorted(folder.rglob("*.gcda"))
    done = subprocess.run(["gcov", "--json-format", "--stdout", "--branch-probabilities", *counts],
                          cwd=folder, capture_output=True, text=True, check=True)
    return [record for line in done.stdout.splitlines() for record in json.loads(line)["files"]]


def gaps(records: list[dict[str, Any]], of: Path) -> list[str]:
    """`file:line` and what is missing there, for the sources directly in folder `of`."""
    missing = []
    for record in records:
        path = Path(record["file"])
        if path.parent != of:
            continue
        for line in record["lines"]:
            place = f"{path.name}:{line['line_number']}"
            if line["count"] == 0:
                missing.append(f"{place} never ran ({line.get('function_name', '')})")
            taken = [branch["count"] > 0 for branch in line["branches"]]
            if line["count"] > 0 and not all(taken):
                never = [str(number) for number, was in enumerate(taken) if not was]
                missing.append(f"{place} branch {', '.join(never)} of {len(taken)} never taken")
    return missing


def measured(records: list[dict[str, Any]], of: Path) -> tuple[set[str], int]:
    """The names of the sources of folder `of` that were counted, and their branches."""
    ours = [record for record in records if Path(record["file"]).parent == of]
    branches = sum(len(line["branches"]) for record in ours for line in record["lines"])
    return {Path(record["file"]).name for record in ours}, branches

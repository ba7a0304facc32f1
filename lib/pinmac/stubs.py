"""Write typings/pinmac.pyi from the /// comments of modpinmac.c.

`python lib/pinmac/stubs.py` writes the file; `--check` only compares and exits 1 when it drifted.
"""

import argparse
import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "modpinmac.c"
STUBS = HERE.parents[1] / "typings" / "pinmac.pyi"


def blocks(source: str) -> "list[list[str]]":
    """The runs of adjoining /// lines, without their marks."""
    found: list[list[str]] = [[]]
    for line in source.splitlines():
        mark = re.match(r"/// ?(.*)", line)
        if mark:
            found[-1].append(mark[1].rstrip())
        elif found[-1]:
            found.append([])
    return [block for block in found if block]


def exported(source: str) -> "set[str]":
    """The names in the module's table."""
    table = source.partition("pinmac_globals_table[] = {")[2].partition("};")[0]
    return set(re.findall(r"MP_ROM_QSTR\(MP_QSTR_(\w+)\), MP_ROM_(?:PTR|INT)", table))


def described(block: "list[str]") -> "list[str]":
    """The names a block describes: a def, a class, or constants."""
    pattern = r"(?:def |class )?(\w+)(?=\(|: int$)"
    return [match[1] for match in map(re.compile(pattern).match, block) if match]


def generate(source: str) -> str:
    """The stub file. ValueError when the comments and the module's table name different things."""
    parts = blocks(source)
    names = {name for block in parts for name in described(block)}
    if names != exported(source):
        raise ValueError(f"described in only one place: {sorted(names ^ exported(source))}")
    text = "\n\n".join("\n".join(block + ["    ..."] * (block[0].startswith("def ")))
                       for block in parts)
    return text + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    wanted = generate(SOURCE.read_text("utf-8"))
    if not parser.parse_args().check:
        STUBS.parent.mkdir(exist_ok=True)
        STUBS.write_text(wanted, "utf-8")
    elif not STUBS.exists() or STUBS.read_text("utf-8") != wanted:
        print(f"{STUBS.name} is not what modpinmac.c says: run {Path(__file__).name}",
              file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

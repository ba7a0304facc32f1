"""The arrows between rooms run one way; this draws the map and fails on one that runs back.

`main → board, firmware`; `board → lib/drivers`; `firmware → lib`; `lib → lib`; `tools` never
imports the firmware. Inside `firmware/` a file imports its own floor's folder or lower floors.
Only `board/` and `main.py` may import machine, network or esp32. Run as
`python -m tools.check.layers`.
"""

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HARDWARE = {"machine", "network", "esp32"}
# Lower number, lower floor. A folder imports its own folder, or floors with a lower number.
FLOORS = {
    "app": 4,
    "flows": 3,
    "link": 2,
    "ui": 2,
    "estate": 2,
    "ledger": 1,
    "care": 1,
    "devices": 0,
    "version": 0,
}


def modules_imported(path: Path) -> list[tuple[int, str]]:
    """(line, dotted module) of every import; `from firmware import app` counts as firmware.app."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), str(path))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = list(path.relative_to(ROOT).parent.parts)
                base = ".".join(
                    package[: len(package) - node.level + 1] + ([base] if base else [])
                )
            found.append((node.lineno, base))
            if base in ("firmware", "lib"):
                found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def room_of(path: Path) -> str:
    """The room a file stands in: its first folder, or its own name at the top."""
    parts = path.relative_to(ROOT).parts
    return parts[0] if len(parts) > 1 else path.stem


def target_room(name: str, library: set[str]) -> str | None:
    """The room a module name leads to; None for MicroPython's own and third-party modules."""
    head = name.split(".")[0]
    if head in ("firmware", "board", "tools", "main", "boot"):
        return head
    if head in library:
        return "lib"
    return "hardware" if head in HARDWARE else None


# Entries of their own: what the ESP32 port's start-up does on the sim board, the workshop's bench.
ENTRIES = {"board/sim/modules/start.py", "board/bench.py"}
ALLOWED = {
    "main": {"board", "firmware"},
    "boot": {"hardware", "lib"},
    "firmware": {"firmware", "lib"},
    "lib": {"lib"},
    "board": {"board", "lib", "hardware"},
    "tools": {"tools"},
}


def floor_fault(path: Path, name: str) -> str | None:
    """A sentence if an import inside firmware/ runs up."""
    own = path.relative_to(ROOT).with_suffix("").parts
    parts = name.split(".")
    if len(parts) < 2 or len(own) < 2:
        return None
    here, there = own[1], parts[1]
    if here == there or here not in FLOORS or there not in FLOORS or FLOORS[there] < FLOORS[here]:
        return None
    return f"floor {here} ({FLOORS[here]}) may not import {there} ({FLOORS[there]})"


def survey() -> tuple[set[tuple[str, str]], list[str]]:
    """All arrows that exist, and the sentences of those that may not."""
    library = {p.stem if p.is_file() else p.name for p in (ROOT / "lib").iterdir()}
    arrows: set[tuple[str, str]] = set()
    faults = []
    files = [
        p for room in ("firmware", "lib", "board", "tools") for p in (ROOT / room).rglob("*.py")
    ]
    files += [ROOT / "main.py", ROOT / "boot.py"]
    for path in sorted(p for p in files if p.name != "manifest.py" and p.exists()):
        here = room_of(path)
        virtual = path.is_relative_to(ROOT / "board" / "sim")
        for line, name in modules_imported(path):
            there = target_room(name, library if here != "tools" else set())
            if there is None or (virtual and there == "hardware"):
                continue
            arrows.add((here, there))
            place = f"{path.relative_to(ROOT)}:{line}"
            if there not in ALLOWED[here] and str(path.relative_to(ROOT)) not in ENTRIES:
                faults.append(f"{place}: {here} may not import {name}")
            elif here == there == "firmware":
                fault = floor_fault(path, name)
                if fault:
                    faults.append(f"{place}: {fault}")
    return arrows, faults


def draw(arrows: set[tuple[str, str]]) -> str:
    """The map, a line a room."""
    rooms = sorted({a for a, _ in arrows})
    return "\n".join(
        f"  {room:<9} → {', '.join(sorted(b for a, b in arrows if a == room != b)) or '–'}"
        for room in rooms
    )


if __name__ == "__main__":
    found, wrong = survey()
    print(draw(found))
    if wrong:
        sys.exit("layers: arrows that run back:\n  " + "\n  ".join(wrong))

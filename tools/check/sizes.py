"""Hold the device code to its size budget, counted as bytecode for each board's processor.

All that a board freezes is compiled by the pinned mpy-cross for the board's instructions, at its
manifest's optimisation, so a construct that MicroPython lacks, or native code that the processor
cannot run, fails here; each room's bytes are compared with `budget.toml`. So are the code and RAM
of pinmac's core on RISC-V, where its compiler is installed. Run as `python -m tools.check.sizes`.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools.check.boards import MICROPYTHON, ROOT, Board, Frozen, espressif, frozen
from tools.check.footprint import core_footprint

MPY_CROSS = ROOT / "build" / "mpy-cross" / "mpy-cross"
NOT_MEASURED = "not measured: its compiler comes with make qemu"
ROOMS = {"firmware": "firmware", "lib": "lib", "gen": "fonts"}  # by the folder's name


class Refused(Exception):
    """mpy-cross does not compile a file; the message says which, and its last words."""


def room_of(file: Frozen) -> str:
    """The room of the budget that a frozen file counts in."""
    if file.path.is_relative_to(MICROPYTHON):
        return "upstream"
    parts = file.path.relative_to(ROOT).parts
    return ROOMS.get(parts[1] if parts[0] == "build" else parts[0], "board")


def compiled_size(file: Frozen, instructions: str, target: Path) -> int:
    """Bytes of a file as an .mpy, written to `target`. Refused."""
    done = subprocess.run(
        [MPY_CROSS, f"-march={instructions}", f"-O{file.optimise}", "-o", target, file.path],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = [line.strip() for line in (done.stderr + done.stdout).split("\n") if line.strip()]
        place = next((line for line in said if line.startswith("File ")), str(file.path))
        last = said[-1] if said else f"status {done.returncode}"
        raise Refused(f"{place}: mpy-cross refuses it for {instructions}: {last}")
    return target.stat().st_size


def room_sizes(board: Board) -> dict[str, tuple[int, int]]:
    """Room → its files and their bytes compiled. Refused."""
    rooms: dict[str, tuple[int, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for file in frozen(board.name):
            count, size = rooms.get(room_of(file), (0, 0))
            size += compiled_size(file, board.instructions, Path(folder) / "out.mpy")
            rooms[room_of(file)] = count + 1, size
    return rooms


def core_sizes() -> dict[str, int]:
    """Code and RAM of pinmac's core on RISC-V; nothing where its compiler is missing."""
    try:
        core = core_footprint()
    except FileNotFoundError:
        return {}
    return {"core_code": core.code, "core_ram": core.ram}


def budgets() -> dict[str, dict[str, int]]:
    """What `budget.toml` says."""
    return tomllib.loads((Path(__file__).parent / "budget.toml").read_text("utf-8"))


def over_budget(found: dict[str, int], limits: dict[str, int]) -> list[str]:
    """The names whose bytes are more than their limit."""
    return [name for name, size in found.items() if size > limits[name]]


def main() -> None:
    """Print the table; exit with a sentence when a room or the core is over its budget."""
    limits, core_limits = budgets()["bytes"], budgets()["riscv_bytes"]
    over = []
    for board in espressif():
        try:
            rooms = room_sizes(board)
        except Refused as error:
            sys.exit(f"sizes: {error}")
        print(f"  {board.name} ({board.instructions})")
        for room, (count, size) in sorted(rooms.items()):
            print(f"    {room:<9} {count:3} files {size:8,} bytes of {limits[room]:8,}")
        found = {room: size for room, (_, size) in rooms.items()}
        over += [f"{board.name}'s {room}" for room in over_budget(found, limits)]
    core = core_sizes()
    for name, limit in core_limits.items():
        measured = f"{core[name]:8,} bytes of {limit:8,}" if name in core else NOT_MEASURED
        print(f"  {name:<9} {'RISC-V':9} {measured}")
    over += over_budget(core, core_limits)
    if over:
        sys.exit(f"sizes: {', '.join(over)} over the budget in tools/check/budget.toml")


if __name__ == "__main__":
    main()

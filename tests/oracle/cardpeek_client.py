"""Runs beside its own pcscd: reads cards with Debian's `cardpeek`, in its console mode.

Orders and answers are those of `pcsc_client.py`, and `{"do": "peek", "folder": path}`: its EMV
script's view of the card, XML in the answer. Its questions are answered by the first choice.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from pcsc_client import Client, PcscError, obey

READER = "pcsc://Suanpan reader 00 00"
LIMIT_S = 60


def run(folder: Path, reader: str, lua: str, answers: int) -> str:
    """Run Lua in cardpeek, its files in `folder`; what it said."""
    try:
        done = subprocess.run(
            ["cardpeek", "-c", "-r", reader, "-e", lua],
            cwd=folder, input="1\n" * answers, text=True, capture_output=True, timeout=LIMIT_S,
            env={**os.environ, "CARDPEEK_DIR": str(folder)}, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PcscError(f"cardpeek: {error}") from None
    return done.stdout


def peek(order: dict[str, Any]) -> str:
    """The view that cardpeek saves. PcscError with what it said when there is none."""
    folder = Path(order["folder"])
    if not (folder / "version").exists():
        run(folder, "replay://none", "os.exit(0)", 2)  # it unpacks its scripts
    view = folder / "view.xml"
    view.unlink(missing_ok=True)
    said = run(folder, READER, f"dofile('emv.lua'); ui.save_view('{view}'); os.exit(0)", 20)
    if not view.exists():
        raise PcscError("cardpeek saved nothing: " + said[-2000:])
    return view.read_text(encoding="utf-8")


if __name__ == "__main__":
    obey(Client(), {"peek": peek}, sys.stdin)

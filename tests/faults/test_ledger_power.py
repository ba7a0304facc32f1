"""The power goes at every flash operation of every kind of sale: nothing is lost, nothing doubled.

The work is done inside MicroPython by ledger_power.py; see there for what is asserted.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
INTERPRETER = REPO / "build" / "sim" / "micropython"
SCRIPT = "tests/faults/ledger_power.py"
LIMIT_S = 120

# The most flash operations (writes of 1 KB, erases) that a scene may take.
SCENES = {"chip": 16, "tap": 13, "declined": 13, "settled": 32, "management": 16}


def cut_everywhere(scene: str, order: str) -> dict[str, int]:
    """Run a scene's cuts; what was counted. The interpreter's words are the failure."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    environment["MICROPYPATH"] = "lib:.:.frozen"
    done = subprocess.run(
        [str(INTERPRETER), "-X", "heapsize=32M", SCRIPT, scene, order],
        cwd=REPO, env=environment, capture_output=True, text=True, timeout=LIMIT_S, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.mark.parametrize("scene", SCENES)
def test_no_cut_loses_or_doubles_money(scene: str) -> None:
    """Torn writes at every length that littlefs can see, and a second cut in each recovery."""
    counted = cut_everywhere(scene, "ordered")
    assert 5 <= counted["operations"] <= SCENES[scene]
    assert counted["cuts"] == 6 * counted["operations"]
    assert counted["second_cuts"] > 0
    assert counted["named"] == 0


@pytest.mark.parametrize("scene", SCENES)
def test_a_chip_that_reorders_writes_is_found_out(scene: str) -> None:
    """Writes that overtake each other: all is whole, or the journal says that it is not."""
    counted = cut_everywhere(scene, "reordered")
    assert counted["cuts"] == 6 * counted["operations"]
    assert counted["named"] < counted["cuts"]

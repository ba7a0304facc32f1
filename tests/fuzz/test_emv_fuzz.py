"""A million mutated card conversations against lib/emv (`emv_fuzz.py` says what each must keep).

`make test` runs some thousands, and the removal of the card at every APDU; `make test-long` the
million, in shares. A failure's line has its seed, and `SUANPAN_EMV_SEED=N pytest -k thousand
tests/fuzz/test_emv_fuzz.py` runs that conversation alone.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fuzz import emv_recordings

ROOT = Path(__file__).resolve().parents[2]
INTERPRETER = ROOT / "build" / "sim" / "micropython"
FUZZ = Path(__file__).with_name("emv_fuzz.py")
HEAP = "4M"
QUICK = 2000
SHARES = 20
SHARE = 50_000
QUICK_PLANTS = ("second always approves", "tap not proven", "never ending")
LONG_PLANTS = (
    "any kind allowed", "issuer not authenticated", "issuer refusal ignored",
    "every code approves", "CDA never fails", "leak", "not wiped", "careless index", "hoarder",
)  # fmt: skip


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The conversations of the deck, recorded now."""
    path = tmp_path_factory.mktemp("emv") / "recordings.json"
    path.write_text(json.dumps(emv_recordings.recorded()), encoding="utf-8")
    yield path


def run(
    recordings: Path, *arguments: object, limit: int = 200
) -> tuple[list[str], dict[str, Any]]:
    """A run: the lines of conversations that broke a rule, and the figures."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("SUANPAN_")}
    command = [INTERPRETER, "-X", f"heapsize={HEAP}", FUZZ, recordings, *map(str, arguments)]
    done = subprocess.run(
        command, cwd=ROOT, env=clean | {"MICROPYPATH": "lib:tests/fuzz:.frozen"}, text=True,
        capture_output=True, timeout=limit, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    *broken, figures = done.stdout.splitlines()
    return broken, json.loads(figures)


def keeps_the_rules(broken: list[str], figures: dict[str, Any], count: int) -> None:
    """No conversation broke one, and the heap is as it was."""
    assert not broken, "\n".join(broken[:20])
    assert figures["failures"] == 0 and figures["done"] >= count
    assert figures["grown"] <= 0, f"the heap grew by {figures['grown']} bytes"


def test_some_thousand_mutated_conversations(recordings: Path) -> None:
    first, count = os.environ.get("SUANPAN_EMV_SEED", "0"), QUICK
    if first != "0":
        count = 1
    broken, figures = run(recordings, first, count)
    keeps_the_rules(broken, figures, count)
    if count == 1:
        return
    came = figures["came"]
    assert all(came[what] > 20 for what in ("approved", "online", "declined", "CardRemoved"))
    assert figures["apdus"] > 60, "no conversation came near a limit"


def test_the_card_is_pulled_or_mute_at_every_apdu(recordings: Path) -> None:
    broken, figures = run(recordings, "-", "-")
    keeps_the_rules(broken, figures, 700)
    assert figures["came"]["CardRemoved"] > 200 < figures["came"]["CardSilent"]


@pytest.mark.parametrize("plant", QUICK_PLANTS)
def test_a_planted_fault_is_found(recordings: Path, plant: str) -> None:
    broken, figures = run(recordings, 0, QUICK, plant)
    assert broken or figures["grown"] > 0, figures


@pytest.mark.long
@pytest.mark.parametrize("plant", LONG_PLANTS)
def test_every_planted_fault_is_found(recordings: Path, plant: str) -> None:
    broken, figures = run(recordings, 0, QUICK, plant)
    assert broken or figures["grown"] > 0, figures


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("share", range(SHARES))
def test_a_million_mutated_conversations(recordings: Path, share: int) -> None:
    begin = 1_000_000 + share * SHARE
    keeps_the_rules(*run(recordings, begin, SHARE, limit=3500), SHARE)

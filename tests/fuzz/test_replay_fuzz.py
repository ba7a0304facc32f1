"""`pos emv --replay` on spoilt files (`replay_files.py`): a named error, or a decision.

Never a traceback, never a wait without end, and never a card number in what is said. `make test`
plays some, `make test-long` thousands; a failure names its seed, and
`SUANPAN_REPLAY_SEED=N pytest -k some tests/fuzz/test_replay_fuzz.py` plays that one alone.
"""

from __future__ import annotations

import json
import os
import random
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fuzz import emv_recordings, replay_files
from tools.emv import apdu, replay_command, report, terminal_file
from tools.emv.errors import EmvToolError, InterpreterError, TerminalFileError
from tools.sim.cards import authority

NAMES = ("debit", "credit T=0", "offline-pin", "script", "multi", "tap debit", "tap quick")
QUICK, SHARES, SHARE = 150, 4, 5_000
LIMIT_S = 60
TERMINAL = {
    "terminal_country_code": "0156", "9F33": "E0F0C8", "amount": "1234", "date": "2026-11-23",
    "time": "12:00:00", "pin": "entered", "forced_online": "no", "interface": "contact",
    "response_code": "00", "floor_limit": "0", "91": "", "71": "9F180400000001860484DA9F58",
    "applications": [{"aid": "A000000333010101", "tac_denial": "0010000000", "kernel": "7",
                      "ttq": "26004080"}, "A000000003101004"],
}  # fmt: skip


class TooSlow(Exception):
    """A replay took longer than any file may make it take."""


@pytest.fixture(scope="module")
def files() -> dict[str, Any]:
    """Good documents: recordings, terminal data, keys."""
    bench = emv_recordings.Bench()
    try:
        told = [emv_recordings.one(bench, name) for name in NAMES]
    finally:
        bench.close()
    recordings = [[{"req": sent, "res": got} for sent, got in each["steps"]] for each in told]
    keys = [each.public() for each in authority.authority_keys().values()]
    return {"recording": recordings, "terminal": TERMINAL, "keys": keys}


@pytest.fixture(autouse=True)
def time_limit() -> Iterator[None]:
    """SIGALRM ends a replay that waits or works without end."""

    def too_slow(number: int, frame: object) -> None:
        raise TooSlow(f"more than {LIMIT_S} s")

    before = signal.signal(signal.SIGALRM, too_slow)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def written(files: dict[str, Any], folder: Path, seed: int) -> list[Path | None]:
    """The three files of a seed: one of them spoilt, the others good or left out."""
    dice = random.Random(seed)
    recording = dice.choice(files["recording"])
    documents = {"recording": recording, "terminal": files["terminal"], "keys": files["keys"]}
    chosen = dice.choice(("recording", "recording", "recording", "terminal", "keys"))
    paths: list[Path | None] = []
    for name, document in documents.items():
        path = folder / f"{name}.yaml"
        if name == chosen:
            path.write_bytes(replay_files.spoilt(document, dice))
        elif name == "recording" or dice.randrange(3) == 0:
            path.write_text(yaml.safe_dump(document), encoding="utf-8")
        else:
            paths.append(None)
            continue
        paths.append(path)
    return paths


def played(paths: list[Path | None]) -> str:
    """What one replay came to; AssertionError when it breaks a rule."""
    recording, terminal, keys = paths
    assert recording is not None
    signal.setitimer(signal.ITIMER_REAL, LIMIT_S)
    try:
        result = replay_command.run(recording, terminal, keys, None)
    except InterpreterError as error:
        raise AssertionError(f"the library did not end by itself: {error}") from error
    except EmvToolError as error:
        said, came = str(error), type(error).__name__
        assert said and "\n" not in said and len(said) < 500, said
    else:
        said = json.dumps(result) + "\n".join(text for text, _ in report.lines(result))
        assert result["exit_code"] in (0, 1, 3) and result["decision_words"]
        came = str(result["decision_words"])
    signal.setitimer(signal.ITIMER_REAL, 0)
    digits = said.replace(" ", "")
    shown = [pan for pan in PANS if pan[2:] in digits]
    assert not shown, "a card number is shown"
    return came


PANS = ("6225880000071234", "6225880000080011", "6225880000080045", "6225880000080128")


def several(files: dict[str, Any], folder: Path, first: int, count: int) -> Counter[str]:
    """Play so many seeds; how often each outcome came."""
    came: Counter[str] = Counter()
    for seed in range(first, first + count):
        try:
            came[played(written(files, folder, seed))] += 1
        except Exception as error:
            raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}") from error
    return came


def test_some_spoilt_files(files: dict[str, Any], tmp_path: Path) -> None:
    seed = int(os.environ.get("SUANPAN_REPLAY_SEED", "0"))
    came = several(files, tmp_path, seed, 1 if seed else QUICK)
    if not seed:
        assert {"RecordingError", "TerminalFileError", "CaKeysError"} <= set(came), came
        assert came["no decision"] and came["approved online"] and came["go online"], came


def test_a_planted_fault_is_found(
    files: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A status word that nobody knows, and code that expects one of the table."""
    monkeypatch.setattr(apdu, "status_words", lambda status: apdu.STATUS[status])
    with pytest.raises(AssertionError, match="seed .*: KeyError"):
        several(files, tmp_path, 0, QUICK)


@pytest.mark.parametrize("place", ["missing.yaml", ".", "/dev/zero", "/dev/null"])
@pytest.mark.parametrize("option", range(3))
def test_what_is_no_file_of_ours_is_told(
    files: dict[str, Any], tmp_path: Path, place: str, option: int
) -> None:
    good = tmp_path / "recording.yaml"
    good.write_text(yaml.safe_dump(files["recording"][0]), encoding="utf-8")
    paths: list[Path | None] = [good, None, None]
    paths[option] = tmp_path / place
    assert played(paths) in ("RecordingError", "TerminalFileError", "CaKeysError")


@pytest.mark.parametrize("told", [{"pin": "123456"}, {"pin 123456" * 5000: "entered"}])
def test_a_file_is_not_repeated_in_what_is_wrong_with_it(
    tmp_path: Path, told: dict[str, str]
) -> None:
    path = tmp_path / "terminal.yaml"
    path.write_text(yaml.safe_dump(told), encoding="utf-8")
    with pytest.raises(TerminalFileError) as caught:
        terminal_file.read(path)
    assert len(str(caught.value)) < 400 and f"not '{told.get('pin')}'" not in str(caught.value)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("share", range(SHARES))
def test_thousands_of_spoilt_files(
    files: dict[str, Any], tmp_path: Path, share: int
) -> None:
    several(files, tmp_path, 1_000_000 + share * SHARE, SHARE)

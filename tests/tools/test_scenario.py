"""Scenario files: what is wrong with one is said with file, line and what was meant."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.sim import goldens
from tools.sim.player import WORDS, play
from tools.sim.scenario import ScenarioError, load

ROOT = Path(__file__).resolve().parents[2]


def scenario(folder: Path, text: str) -> Path:
    path = folder / "story.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("steps:\n  - kye: '1'\n", r"story.yaml:2: unknown step 'kye'; did you mean 'key'\?"),
        ("stesp: []\n", r"story.yaml:1: unknown 'stesp'; did you mean 'steps'\?"),
        ("start: {langauge: en}\n", r"unknown start 'langauge'; did you mean 'language'\?"),
        ("start: {pins: 3}\n", r"story.yaml:1: 'pins' is a whole number each of"),
        ("start: {pins: {per-hour: 120, at-once: 1}}\n", r"'pins' is a whole number each of"),
        ("steps:\n  - key: '1'\n    card: x\n", r"story.yaml:2: a step is one word"),
        ("steps: nothing\n", r"story.yaml:1: 'steps' is a list"),
        ("- 1\n", r"story.yaml:1: a scenario is a mapping"),
        ("steps: [\n", r"no YAML"),
        ("steps:\n  - include: gone.yaml\n", r"story.yaml:2: the included file .* does not"),
        ("steps:\n  - include: story.yaml\n", r"cannot include itself"),
    ],
)
def test_a_wrong_file_is_told_by_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ScenarioError, match=said):
        load(scenario(tmp_path, text), WORDS)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        load(tmp_path / "gone.yaml", WORDS)


def test_digits_stay_what_was_written(tmp_path: Path) -> None:
    path = scenario(tmp_path, "steps:\n  - host: {respond: 05}\n  - power: on\n")
    steps = load(path, WORDS).steps
    assert [step.argument for step in steps] == [{"respond": "05"}, "on"]


def test_steps_of_another_file_are_taken_in(tmp_path: Path) -> None:
    (tmp_path / "other.yaml").write_text("steps:\n  - advance: 2\n")
    path = scenario(tmp_path, "steps:\n  - include: other.yaml\n  - advance: 3\n")
    assert [step.argument for step in load(path, WORDS).steps] == [2, 3]


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("scan: '28763443825664394'", "scan is not served"),
        ("phone: {show: alipay}", "'show' is not served"),
        ("card: {insert: debti}", "unknown card 'debti'; did you mean 'debit'"),
        ("card: {insert: no/such.yaml}", "no/such.yaml is no card: such.yaml, line 1"),
        ("card: {insert: debit, eject: quick}", "card 'insert' takes no 'eject'"),
        ("key: '1 ENTR'", "unknown key 'ENTR'; did you mean 'ENTER'"),
        ("fault: {papre: out}", "unknown fault 'papre'; did you mean 'paper'"),
        ("expect-screen: {contians: x}", "did you mean 'contains'"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(tmp_path: Path, step: str, said: str) -> None:
    result = play(scenario(tmp_path, f"start: {{operator: none}}\nsteps:\n  - {step}\n"))
    assert "story.yaml:3:" in result.failure
    assert said in result.failure


OWN_CARD = """
name: own
purpose: {zh: 自己的卡, en: A card of one's own}
pan: "6225880000099999"
psn: 1
expiry: "3012"
balance: 1000000
contactless: false
applications: [{aid: A000000333010101, label: Own}]
"""


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("debit", ("", ""), "there is a card 'debit' already"),
        ("own", ("balance", "balanec"), "own.yaml, line 7: balanec is unknown; balance is meant"),
        ("own", ("6225880000099999", "6225880000071234"), "debit has the same card number"),
    ],
)
def test_a_cards_file_that_does_not_fit_the_deck_is_told(
    tmp_path: Path, name: str, change: tuple[str, str], said: str
) -> None:
    text = OWN_CARD.replace("name: own", f"name: {name}").replace(*change)
    (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    step = f"card: {{insert: {name}.yaml}}"
    result = play(scenario(tmp_path, f"start: {{operator: none}}\nsteps:\n  - {step}\n"))
    assert "story.yaml:3:" in result.failure and said in result.failure


def test_a_card_of_ones_own_is_a_card_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN_CARD, encoding="utf-8")
    steps = ("card: {insert: own.yaml}", "card: {remove: own}", "card: {insert: own}",
             "card: {remove: own.yaml}")  # fmt: skip
    text = "start: {operator: none}\nsteps:\n" + "".join(f"  - {step}\n" for step in steps)
    assert not play(scenario(tmp_path, text)).failure


def test_the_command_tells_steps_as_json_and_keeps_the_trace(tmp_path: Path) -> None:
    path = scenario(tmp_path, "start: {operator: none}\nsteps:\n  - advance: 1\n")
    trace = tmp_path / "trace.jsonl"
    command = [Path(sys.executable).with_name("pos"), "play", "--json", "--trace", trace, path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout)
    assert told["passed"] and told["steps"][0]["ok"] and told["steps"][0]["step"] == "advance"
    events = [json.loads(line) for line in trace.read_text().strip().split("\n")]
    assert events == sorted(events, key=lambda event: event["t"])


def test_a_failed_expectation_ends_with_exit_code_1(tmp_path: Path) -> None:
    path = scenario(tmp_path, "start: {operator: none}\nsteps:\n  - expect-screen: 不存在\n")
    command = [Path(sys.executable).with_name("pos"), "play", path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert "0 passed, 1 failed" in done.stdout


def test_a_changed_picture_is_found_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goldens, "HASHES", tmp_path / "golden.json")
    monkeypatch.setattr(goldens, "FOLDER", tmp_path / "golden")
    path = scenario(tmp_path, "start: {operator: none}\nsteps:\n  - screenshot: login\n")
    assert play(path).pictures == ["story/login"]
    assert goldens.accept() == 1
    assert play(path).pictures == []
    path.write_text(path.read_text().replace("steps:", "steps:\n  - key: '0 1'"))
    assert play(path).pictures == ["story/login"]
    page = goldens.report(["story/login"], tmp_path / "report.html").read_text()
    assert "accepted/story/login.png" in page and "now/story/login.png" in page

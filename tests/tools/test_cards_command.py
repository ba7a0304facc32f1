"""`pos cards`, and what the reading of a card's file says about slips of the pen."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.testing import CliRunner

from tools.emv import ca_keys
from tools.sim import cards, cards_command, tray
from tools.sim.cards import personalisation
from tools.sim.cards.personalisation import PersonalisationError

GOOD = """\
name: x
purpose: {zh: "试用", en: "A trial"}
pan: "6225880000080011"
psn: 1
expiry: "3012"
uid: "045A1B2C3E4F01"
applications:
  - aid: A000000333010101
    label: UnionPay Debit
    oda: {method: dda, ca: F3, issuer: 1408, card: 1024}
"""


def run(*arguments: str) -> tuple[int, str, str]:
    """Exit code, what was printed, and what was complained of."""
    app = typer.Typer()
    app.command()(cards_command.command)
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout, done.stderr


def written(folder: Path, old: str = "", new: str = "") -> Path:
    """The good file with one change."""
    assert not old or old in GOOD
    path = folder / "x.yaml"
    path.write_text(GOOD.replace(old, new) if old else GOOD, encoding="utf-8")
    return path


def test_the_deck_is_listed_without_a_whole_number_or_a_secret() -> None:
    code, shown, _ = run()
    assert code == 0 and all(name in shown for name in cards.names())
    assert "622588******1234" in shown and "总要联机密码" in shown
    assert not re.search(r"[0-9]{12}", shown.replace("A000000333010", ""))


def test_json_says_of_every_card_how_it_proves_itself() -> None:
    code, shown, _ = run("--json")
    listed: dict[str, Any] = {card["name"]: card for card in json.loads(shown)}
    assert code == 0 and sorted(listed) == cards.names()
    for name, card in listed.items():
        facts = cards.load(name).facts
        assert card["purpose"] == facts.purpose and "*" in card["pan"]
        assert len(card["applications"]) == len(facts.applications)
    assert listed["phone"]["interfaces"] == ["phone"]
    assert listed["mute"]["interfaces"] == ["mute", "contactless"]
    assert listed["contact-only"]["interfaces"] == ["T=0"]
    assert listed["offline-pin"]["applications"][0]["authentication"] == {
        "method": "CDA", "fdda": True, "index": "F3", "authority": 1408, "issuer": 1408,
        "card": 1152, "pin": 1024, "exponent": 3, "genuine": True,
    }  # fmt: skip
    assert not listed["bad-oda"]["applications"][0]["authentication"]["genuine"]
    assert "123456" not in shown and "0123456789ABCDEF" not in shown


def test_the_keys_file_has_every_key_with_its_check_sum(tmp_path: Path) -> None:
    code, shown, _ = run("--keys", str(tmp_path / "new"))
    path = tmp_path / "new" / "ca-keys.yaml"
    assert code == 0 and shown.strip() == str(path)
    listed = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {each["index"] for each in listed} == {"F1", "F2", "F3", "F4"}
    for each in listed:
        data = "".join(each[key] for key in ("rid", "index", "modulus", "exponent"))
        assert hashlib.sha1(bytes.fromhex(data)).hexdigest().upper() == each["sha1"]
        assert set(each) == {"rid", "index", "modulus", "exponent", "expiry", "sha1"}
    taken = ca_keys.read(path)  # as 'pos emv --ca-keys' does
    assert taken == [{**each, "checked": "yes"} for each in listed]


def test_a_folder_that_cannot_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    code, _, said = run("--keys", str(tmp_path / "file"))
    assert code == 1 and str(tmp_path / "file") in said and "cannot be written" in said


def test_a_good_file_is_a_card(tmp_path: Path) -> None:
    code, shown, said = run("--check", str(written(tmp_path)), "--json")
    assert (code, said) == (0, "")
    found = json.loads(shown)
    assert found["slips"] == [] and found["cards"][0]["pan"] == "622588******0011"


def test_every_file_of_the_deck_is_a_card() -> None:
    options = [f"--check={personalisation.DECK / name}.yaml" for name in cards.names()]
    assert run(*options)[0] == 0


def test_all_slips_are_told_with_their_lines_and_without_their_values(tmp_path: Path) -> None:
    path = written(tmp_path, "psn: 1\n", "psn: 1\nimk: 99AA\nblue: 1\nofline_pin: '1234'\n")
    path.write_text(path.read_text(encoding="utf-8").replace("3012", "3013"), encoding="utf-8")
    code, _, said = run("--check", str(path))
    assert code == 1 and said.splitlines() == [
        f"{path}:5: imk has to be 16 bytes in upper-case hex, in quotes",
        f"{path}:6: blue is unknown",
        f"{path}:7: ofline_pin is unknown; offline_pin is meant, perhaps",
        f"{path}:8: expiry has to be YYMM, in quotes",
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('"6225880000080011"', "6225880000080011", 3, "pan has to be 12 to 19 digits, in quotes"),
        ("name: x", "name: y", 1, "name has to be the file's, x"),
        ('zh: "试用", ', "", 2, "purpose has to be a mapping of zh and en"),
        ("psn: 1", "psn: true", 4, "psn has to be a whole number from 0 to 99"),
        ("psn: 1\n", "", 7, "psn is missing"),
        ('uid: "045A1B2C3E4F01"\n', "", 1, "uid has to be there for a tap"),
        ("psn: 1\n", "psn: 1\ncompanions: [x]\n", 5, "companions has to name cards of the deck"),
        ("A000000333010101", "A00000033", 8, "aid has to be 5 to 16 bytes"),
        ("UnionPay Debit", "银联借记", 9, "label has to be 1 to 16 printable ASCII"),
        ("label: UnionPay Debit", "label: X\n    label: Y", 10, "label is here twice"),
        ("ca: F3", "ca: F9", 10, "ca has to be one of F1, F2, F3, F4"),
        ("issuer: 1408", "issuer: 1416", 10, "issuer is longer than the key that certifies"),
        ("ca: F3, issuer: 1408", "ca: F4, issuer: 1984", 10, "issuer has more than 1976 bits"),
        ("card: 1024", "card: 1416", 10, "card is longer than the key that certifies"),
        ("card: 1024", "card: 1024, pin: 1416", 10, "pin is longer than the key that certifies"),
        ("card: 1024", "card: 1028", 10, "card has to be 1024 bits or more, by eights"),
        (", card: 1024", "", 10, "card has to be 1024 bits or more, by eights"),
        ("method: dda", "method: sda", 10, "card: an sda card has no key of its own"),
        ("method: dda", "method: tda", 10, "method has to be one of sda, dda, cda"),
        ("method: dda, ", "", 10, "method is missing"),
        ("card: 1024", "card: 1024, colour: red", 10, "colour is unknown"),
        ("{method: dda, ca: F3, issuer: 1408, card: 1024}", "dda", 10, "oda is a mapping"),
        ("    oda", '    cdol1: "9F02:6"\n    oda', 10, "cdol1 has to be TAG:LENGTH by spaces"),
        ("    oda", "    verify: cdol2\n    cdol2: '8A:2 9F02:6 9F03:6 9F1A:2 95:5 5F2A:2 9A:3 "
         "9C:1 9F37:4'\n    oda", 11, "cdol2 has to ask for 91"),
        (GOOD[GOOD.index("  - aid") :], "", 7, "applications has to be a list"),
        (GOOD[GOOD.index("  - aid") :], "  - 7\n", 8, "an application is a mapping"),
        ("name: x", "offline_pin: '1234'\nname: x", 11, ""),
        ("pan:", "pin_tries: 4\npan:", 3, "pin_tries is more than pin_limit"),
        ("psn: 1", "psn: [", 6, "no YAML"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, what: str
) -> None:
    path = written(tmp_path, old, new)
    if not what:
        personalisation.read(path)
        return
    with pytest.raises(PersonalisationError) as caught:
        personalisation.read(path)
    assert [(each.line, each.what[: len(what)]) for each in caught.value.slips] == [(line, what)]
    assert str(caught.value).startswith(f"x.yaml, line {line}: ")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    code, _, said = run("--check", str(tmp_path / "none.yaml"))
    assert code == 1 and "none.yaml:1: not to be read" in said


def test_a_card_of_ones_own_lies_behind_the_deck_in_the_tray(tmp_path: Path) -> None:
    own = tmp_path / "x.yaml"
    own.write_text(GOOD, encoding="utf-8")
    *deck, last = tray.deck([own])
    assert [face["name"] for face in deck][:2] == ["debit", "credit"]
    assert {face["name"] for face in deck} == set(cards.names())
    assert last["name"] == "x" and last["pan"] == "6225 8800 0008 0011"

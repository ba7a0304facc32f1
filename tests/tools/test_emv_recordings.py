"""`pos emv --replay` on short recordings of other terminals, written down byte by byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tools.emv import replay_command

PSE = ("00A404000E315041592E5359532E444446303100", "6A82")
PPSE = "00A404000E325041592E5359532E444446303100"
SELECT = ("00A4040007A000000003101000",
          "6F198407A0000000031010A50E50095649534120544553548701019000")
GPO = ("80A8000002830000", "800A1C0008010100100101019000")
TRACK = ("00B2010C00",
         "702057114761340000000050D311220100000000005F200A535452414E4745522F419000")
DATA = ("00B2011400",
        "7081835A0847613400000000505F24033112315F25032001015F3401015F280201569F0702FF009F0802008C"
        "8E0A00000000000000001F038C1B9F02069F03069F1A0295055F2A029A039C019F37049F35019F34038D178A"
        "029F02069F03069F1A0295055F2A029A039C019F37049F0E0500000000009F0F05F8F8FCF8F09F0D05F8F8FC"
        "F8F09000")
FIRST = ("80AE80002100000000123400000000000001568000008000015626112600A1B2C3D4221F030200",
         "8012800007E757F2FE5523C06B06010A03A0A0009000")
ISSUER = ("008200000A0F41C0679C245D353030", "9000")
SECOND = ("80AE40001F303000000000123400000000000001568000008000015626112600A1B2C3D400",
          "80124000073FDD633BAA190CEB06010A03A0A0009000")
SALE = [PSE, SELECT, GPO, TRACK, DATA, FIRST, ISSUER, SECOND]

Told = list[tuple[str, str]]


def said(folder: Path, told: Told, *more: str) -> tuple[int, str]:
    """Exit code and what the command printed."""
    file = folder / "recording.yaml"
    file.write_text(yaml.safe_dump([{"req": sent, "res": got} for sent, got in told]))
    app = replay_command.typer.Typer()
    app.command()(replay_command.command)
    result = CliRunner().invoke(app, ["--replay", str(file), *more])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def play(folder: Path, told: Told, *more: str) -> dict[str, Any]:
    """The result of `--json`."""
    code, text = said(folder, told, "--json", *more)
    result: dict[str, Any] = json.loads(text)
    assert result["exit_code"] == code
    return result


def pieces(told: tuple[str, str]) -> Told:
    """One exchange over T=0 with a card that wants the exact length from GET RESPONSE."""
    sent, got = told
    size = f"{len(got) // 2 - 2:02X}"
    bare = sent[: 10 + 2 * int(sent[8:10], 16)]
    return [(bare, "61" + size), ("00C0000000", "6C" + size), ("00C00000" + size, got)]


def test_the_sale_is_played_to_its_end(tmp_path: Path) -> None:
    result = play(tmp_path, SALE)
    assert result["exit_code"] == 0 and result["decision_words"] == "approved online"


# ---- a card that leaves, an answer in pieces


def test_a_card_pulled_at_external_authenticate(tmp_path: Path) -> None:
    pulled = [*SALE[:6], (ISSUER[0], "")]
    result = play(tmp_path, pulled)
    assert result["exit_code"] == 3 and result["error"]["class"] == "CardRemoved"
    assert result["not_asked_for"] == [] and result["steps"][-1]["phase"] == "online_processing"
    terminal = tmp_path / "terminal.yaml"
    terminal.write_text('response_code: "00"\n91: 0F41C0679C245D353030\n')
    result = play(tmp_path, pulled, "--terminal", str(terminal))
    assert result["exit_code"] == 3 and result["error"]["class"] == "CardRemoved"


def test_a_recording_cut_behind_external_authenticate(tmp_path: Path) -> None:
    result = play(tmp_path, SALE[:7])
    assert result["exit_code"] == 1 and result["unexpected"]["sent_name"] == "GENERATE AC TC"
    assert "the recording ends here" in result["unexpected"]["why"]


def test_get_response_answered_with_the_exact_length(tmp_path: Path) -> None:
    told = [PSE, *pieces(SELECT), *pieces(GPO), TRACK, DATA, *pieces(FIRST), ISSUER,
            *pieces(SECOND)]
    result = play(tmp_path, told)
    assert result["exit_code"] == 0 and result["ac"] == "3FDD633BAA190CEB"
    assert result["not_asked_for"] == [] and result["decision"] == "approved"
    assert "CDOL1" in json.dumps(result["terminal"])


# ---- a directory that names another one (DDF)

DDF = "A0000000031DDF"
DIRECTORY = (PSE[0], "6F15840E315041592E5359532E4444463031A5038801019000")
NAMES = ("00B2010C00", f"700B61099D07{DDF}9000")
INNER = [(f"00A4040007{DDF}00", f"6F0E8407{DDF}A5038801029000"),
         ("00B2011400", "701261104F07A0000000031010500243448701019000"), ("00B2021400", "6A83")]
END = ("00B2020C00", "6A83")
WAYS = {
    "goes into it at once": [DIRECTORY, NAMES, *INNER, END],
    "goes into it at the end": [DIRECTORY, NAMES, END, *INNER],
    "passes over it": [DIRECTORY, NAMES, END],
    "takes its list at once": [DIRECTORY, NAMES],
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("t0", [False, True], ids=["T=1", "T=0"])
def test_a_terminal_has_its_own_way_with_directories(tmp_path: Path, way: Told, t0: bool) -> None:
    told = [*way, *SALE[1:]]
    if t0:
        told = [part for each in told for part in
                (pieces(each) if each[0].startswith("00A404") else [each])]
    result = play(tmp_path, told)
    assert result["exit_code"] == 0 and result["decision_words"] == "approved online"
    applications = [row for row in result["terminal"] if row["what"] == "9F06 application"]
    assert [row["value"] for row in applications] == ["A0000000031010"]
    assert result["not_asked_for"] == []


# ---- taps


def directory(*aids: str) -> tuple[str, str]:
    """A PPSE with these applications, in this order of priority."""
    entries = "".join(
        f"61{len(aid) // 2 + 5:02X}4F{len(aid) // 2:02X}{aid}8701{at + 1:02X}"
        for at, aid in enumerate(aids)
    )
    size = len(entries) // 2
    return PPSE, (f"6F{size + 21:02X}840E325041592E5359532E4444463031A5{size + 3:02X}"
                  f"BF0C{size:02X}{entries}9000")


def application(aid: str) -> tuple[str, str]:
    """The final SELECT of a tap."""
    size, body = len(aid) // 2, "A5215004434152449F38189F66049F02069F03069F1A0295055F2A029A03"
    fci = f"84{size:02X}{aid}{body}9C019F3704"
    return f"00A40400{size:02X}{aid}00", f"6F{len(fci) // 2:02X}{fci}9000"


VISA, UNIONPAY, MASTERCARD = "A0000000031010", "A000000333010101", "A0000000041010"
TAP = "80A800002383213600C00000000000123400000000000001560000000000015626112600A1B2C3D400"
ONLINE = ("773782022000570F4761340000000050D31122010000005F3401019F100706011103A000009F2608A8D0CD"
          "EB7E5219B69F2701809F360200099000")


def test_a_card_without_a_directory_belongs_elsewhere(tmp_path: Path) -> None:
    result = play(tmp_path, [(PPSE, "6A82")])
    assert result["exit_code"] == 0 and result["outcome"] == "try_another_interface"
    assert "no contactless directory" in result["reason"] and len(result["steps"]) == 1
    sources = {row["source"] for row in result["terminal"] if row["what"] == "9F06 application"}
    assert sources == {"the terminal's own"}


def test_a_card_that_leaves_at_the_directory(tmp_path: Path) -> None:
    result = play(tmp_path, [(PPSE, "")])
    assert result["exit_code"] == 3 and result["outcome"] == "present_again"


def test_a_tap_of_an_application_without_a_kernel(tmp_path: Path) -> None:
    told = [directory(MASTERCARD), application(MASTERCARD), (TAP, ONLINE)]
    result = play(tmp_path, told)
    assert result["exit_code"] == 0 and result["outcome"] == "try_another_interface"
    assert result["reason"].endswith("no kernel is here for A0000000041010 Mastercard")
    [row] = result["steps"][0]["exchanges"]
    assert any(each.get("value") == MASTERCARD for each in row["elements"])


def test_a_tap_goes_on_with_the_next_candidate(tmp_path: Path) -> None:
    told = [directory(VISA, UNIONPAY), application(VISA), (TAP, "6985"), application(UNIONPAY),
            (TAP, ONLINE)]
    result = play(tmp_path, told)
    assert result["exit_code"] == 0 and result["aid"] == UNIONPAY
    assert result["decision_words"] == "go online" and result["not_asked_for"] == []


# ---- action codes, and the keys of --json

ZEROS = [(sent, got.replace("9F0D05F8F8FCF8F0", "9F0D050000000000")) for sent, got in SALE]
UNABLE = ("80AE40001F593300000000123400000000000001568000008000015626112600A1B2C3D400",
          "8012400007FD87F4E3A0E2C50E06010A03A0A0009000")


def test_a_decision_shows_the_codes_that_made_it(tmp_path: Path) -> None:
    result = play(tmp_path, SALE)
    [step] = [each for each in result["steps"] if "action_codes" in each]
    assert step["phase"] == "terminal_action_analysis"
    assert [row["iac"] for row in step["action_codes"]] == [
        "0000000000", "F8F8FCF8F0", "F8F8FCF8F0"]
    assert step["action"].startswith("ARQC by the online codes: ODA not performed (IAC, TAC)")
    _, text = said(tmp_path, SALE)
    assert "denial   IAC 0000000000  TAC 0010000000  no bit of the TVR" in text


def test_where_the_codes_part_the_ways_they_are_shown(tmp_path: Path) -> None:
    result = play(tmp_path, [*ZEROS[:6], UNABLE])
    assert result["exit_code"] == 1
    row = result["unexpected"]
    assert row["action"].startswith("AAC by the default codes: ") and "(TAC)" in row["action"]
    assert row["tvr"] == "8000008000" and row["action_codes"][2]["iac"] == "0000000000"
    terminal = tmp_path / "terminal.yaml"
    terminal.write_text("tac_default: 0000000000\n")
    result = play(tmp_path, [*ZEROS[:6], UNABLE], "--terminal", str(terminal))
    assert result["exit_code"] == 0 and result["steps"][-1]["action"].startswith("TC: no bit")
    assert result["decision_words"] == "approved offline, unable to go online"


def test_an_issuers_answer_is_not_blamed_on_the_codes(tmp_path: Path) -> None:
    terminal = tmp_path / "terminal.yaml"
    terminal.write_text('response_code: "51"\n')
    row = play(tmp_path, SALE, "--terminal", str(terminal))["unexpected"]
    assert "answers of the issuer" in row["why"] and "action_codes" not in row


def test_the_keys_are_always_there(tmp_path: Path) -> None:
    keys = {"terminal", "steps", "tvr", "tvr_words", "tsi", "cvm_results", "decision",
            "decision_words", "outcome", "arqc", "differences", "unexpected", "error", "exit_code"}
    for told in (SALE, SALE[:1], SALE[:3], SALE[:5], [(PPSE, "6A82")], [(PPSE, "")]):
        result = play(tmp_path, told)
        assert not keys - set(result), told
    result = play(tmp_path, SALE)
    assert result["unexpected"] is None and result["error"] is None


# ---- more, and less, than a transaction needs


def test_a_record_that_the_afl_does_not_name_is_passed_over(tmp_path: Path) -> None:
    more = [*SALE[:4], ("00B2020C00", "6A83"), *SALE[4:]]
    result = play(tmp_path, more)
    assert result["exit_code"] == 0 and result["ac"] == "3FDD633BAA190CEB"
    notes = [note for step in result["steps"] for row in step["exchanges"]
             for note in row["notes"]]
    assert "recorded exchange 5, READ RECORD, SFI 1 record 2: the library did not ask for it" in (
        notes)
    t0 = [*SALE[:4], ("00B2020C00", "6C03"), ("00B2020C03", "7001009000"), *SALE[4:]]
    assert play(tmp_path, t0)["exit_code"] == 0
    # The order of the records that it does name is the card's.
    swapped = [*SALE[:3], SALE[4], SALE[3], *SALE[5:]]
    assert play(tmp_path, swapped)["exit_code"] == 1


def test_a_recording_that_begins_behind_its_select(tmp_path: Path) -> None:
    for interface in ("contact", "contactless"):
        result = play(tmp_path, SALE[2:], "--interface", interface)
        assert result["exit_code"] == 1 and result["error"] is None
        assert "begins behind the SELECT" in result["unexpected"]["why"]


def test_a_key_without_a_modulus_is_named(tmp_path: Path) -> None:
    keys = tmp_path / "keys.yaml"
    whole = {"rid": "A000000003", "index": "92", "modulus": "A1" * 112 + "03", "exponent": "03"}
    part = {"rid": "A000000333", "index": "F1", "exponent": "03"}
    for document in ([whole, part], [part], {"A000000333": {"F1": {"exponent": "03"}}}):
        keys.write_text(yaml.safe_dump(document))
        code, text = said(tmp_path, SALE, "--ca-keys", str(keys))
        text = text.replace("\n", " ")
        assert code == 2 and "(A000000333 F1) has no modulus" in text, text

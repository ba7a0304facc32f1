"""`pos emv --replay` on conversations recorded from the deck's cards, and on spoilt ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from emv_bench import Bench, Issuer, inserted, over_t0, tapped
from emv_cards import CA_KEYS
from typer.testing import CliRunner

from tools.emv import replay_command
from tools.sim.cards import authority, load

PAN = "6225880000071234"
Recording = list[dict[str, str]]

# A Visa test card on contacts, as published in the tests of the decoder emv-bertlv (W. Currie):
# no directory, SELECT once, GET DATA without need, EXTERNAL AUTHENTICATE refused.
PUBLISHED = """
00A4040007A000000003101000 6F168407A0000000031010A50B50095649534120544553549000
80A8000002830000 800E1C000801010010010100180304009000
00B2010C00 703857104761340000000050D1712201125234515F20104341524420352F5649534120544553549F1F1\
0313235323330303435313030303030309000
00B2011400 70625A0847613400000000508C159F02069F03069F1A0295055F2A029A039C019F37048D178A029F020\
69F03069F1A0295055F2A029A039C019F37045F24031712319F0702FF809F0802008C9F0D0500000000009F0E050000\
0000009F0F0500000000009000
00B2031C00 70128E100000000000000000410342031E031F029000
00B2041C00 70055F280207029000
80CA9F1700 9F1701109000
80AE80001D00000000100000000000000000368000008000003612031600D3173A1F00 80128000297CB3BA090724C5\
2406010A03A4B8009000
00820000081122334455667788 6700
80AE40001F303000000000100000000000000000368000008040003612031600D3173A1F00 8012400029BB31D191BC\
ED0CF206010A0364BC009000
"""


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    """The library inside MicroPython, as the recorded terminal."""
    running = Bench()
    yield running
    running.close()


class Desk:
    """Records conversations and plays them with the command."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench = bench
        self.folder = folder

    def record(
        self, name: str, interface: str = "contact", t0: bool = False, host: bool = True,
        code: str = "00", **wish: Any
    ) -> Recording:
        """A transaction with a card of the deck, as a reader would log it."""
        card = load(name)
        answer = inserted(card) if interface == "contact" else tapped(card)
        issuer = Issuer(card, code) if host else None
        wish["interface"] = interface
        self.said = self.bench.run(wish, over_t0(answer) if t0 else answer, issuer)
        return [{"req": sent, "res": "" if got == "gone" else got}
                for sent, got in self.said["apdus"]]

    def file(self, name: str, document: Any) -> str:
        """A YAML file, or text as it is."""
        path = self.folder / name
        if isinstance(document, str):
            path.write_text(document, encoding="utf-8")
        else:
            path.write_text(yaml.safe_dump(document), encoding="utf-8")
        return str(path)

    def text(self, recording: Any, *more: str) -> tuple[int, str]:
        """Exit code and everything that was said."""
        arguments = ["--replay", self.file("recording.yaml", recording), *more]
        app = replay_command.typer.Typer()
        app.command()(replay_command.command)
        result = CliRunner().invoke(app, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    def play(self, recording: Any, *more: str) -> dict[str, Any]:
        """The result of `--json`."""
        code, said = self.text(recording, "--json", *more)
        result = json.loads(said)
        assert result["exit_code"] == code
        return result

    def terminal(self, **told: Any) -> tuple[str, str]:
        """The option with a file of terminal data."""
        return "--terminal", self.file("terminal.yaml", told)


@pytest.fixture
def desk(bench: Bench, tmp_path: Path) -> Desk:
    """A desk with an empty folder."""
    return Desk(bench, tmp_path)


def published() -> Recording:
    """The published conversation as a recording."""
    return [dict(zip(("req", "res"), line.split())) for line in PUBLISHED.strip().splitlines()]


def edited(recording: Recording, instruction: str, change: Callable[[str], str]) -> Recording:
    """The recording with the first request of an instruction changed."""
    place = next(at for at, each in enumerate(recording) if each["req"][2:4] == instruction)
    return [{**each, "req": change(each["req"])} if at == place else each
            for at, each in enumerate(recording)]


def test_a_sale_on_t1_is_played_to_its_decision(desk: Desk) -> None:
    recording = desk.record("debit")
    result = desk.play(recording)
    assert result["exit_code"] == 0 and result["interface"] == "contact"
    assert result["decision"] == "approved" and result["decision_words"] == "approved online"
    assert result["tvr"] == desk.said["tvr"].upper() and result["tsi"] == desk.said["tsi"].upper()
    assert result["arqc"] == desk.said["receipt"]["arqc"]
    assert "online PIN entered" in result["tvr_words"]
    assert result["cvm_results"] == "020300" and result["cvm"] == "online_pin"
    assert result["differences"] == [] and result["not_asked_for"] == []
    numbers = [row["number"] for step in result["steps"] for row in step["exchanges"]]
    assert numbers == list(range(1, len(recording) + 1))


def test_t0_gives_the_same_as_t1(desk: Desk) -> None:
    whole = desk.play(desk.record("debit"))
    pieces = desk.play(desk.record("debit", t0=True))
    assert pieces["exit_code"] == 0
    same = ("tvr", "tsi", "decision", "cvm_results", "aid", "pan", "arqc", "ac", "terminal")
    assert {name: pieces[name] for name in same} == {name: whole[name] for name in same}
    words = [row.get("sw_words") for step in pieces["steps"] for row in step["exchanges"]]
    assert any("bytes wait" in word for word in words) and any("Le must" in w for w in words)


def test_le_and_blanks_mean_nothing(desk: Desk) -> None:
    recording = desk.record("debit")
    spaced = [{"req": " ".join(each["req"][at : at + 2] for at in range(0, len(each["req"]), 2)),
               "res": each["res"].upper()} for each in recording]
    bare = [{**each, "req": each["req"][:-2] if each["req"][:2] != "00" else each["req"]}
            if each["req"][2:4] == "ae" else each for each in recording]
    assert desk.play(spaced)["decision"] == desk.play(bare)["decision"] == "approved"


def test_the_report_names_steps_clauses_bits_and_the_decision(desk: Desk) -> None:
    code, said = desk.text(desk.record("debit"))
    assert code == 0
    for part in ("1. Application selection - Book 1 12.3", "Book 3 10.1", "Book 3 10.5",
                 "GENERATE AC ARQC", "Application Interchange Profile (AIP): ",
                 "terminal risk management wanted", "622588******1234", "approved online"):
        assert part in said, part


@pytest.mark.parametrize("as_json", [True, False])
def test_nothing_shows_a_pan_or_a_track(desk: Desk, as_json: bool) -> None:
    for interface in ("contact", "contactless"):
        recording = desk.record("debit", interface)
        assert any(PAN in each["res"] for each in recording), "else this test could not fail"
        said = desk.text(recording, *(["--json"] if as_json else []))[1].replace(" ", "")
        assert PAN not in said and "D3012" not in said and "71234" not in said
        # A request that has no place is shown masked as well.
        cut = [each for each in recording if each["req"][2:4] != "b2"]
        said = desk.text(cut, *(["--json"] if as_json else []))[1].replace(" ", "")
        assert PAN not in said and "D3012" not in said


def test_a_number_where_no_tag_says_so_is_not_shown(desk: Desk) -> None:
    recording = desk.record("debit")
    recording.append({"req": "80CA9F4F00", "res": "0102" + PAN + "9000"})
    first = next(at for at, each in enumerate(recording) if each["req"][2:4] == "ae")
    recording.insert(first, {"req": "80DA000008" + PAN, "res": "01" + PAN + "9000"})
    for options in ((), ("--json",)):
        code, said = desk.text(recording, *options)
        assert code == 1 and PAN not in said.replace(" ", "")


def test_a_tap_goes_online(desk: Desk) -> None:
    result = desk.play(desk.record("quick", "contactless"))
    assert result["exit_code"] == 0 and result["interface"] == "contactless"
    assert result["outcome"] == "online" and result["decision_words"] == "go online"
    assert result["verification"] == desk.said["verify"]
    clauses = [step["clause"] for step in result["steps"]]
    assert clauses[:2] == ["Book B 3.3.2", "Book B 3.3.3"] and result["differences"] == []


def test_a_phone_that_was_not_verified_says_so(desk: Desk) -> None:
    card = load("phone")
    card.verified = False
    said = desk.bench.run({"interface": "contactless", "amount": 200_000}, tapped(card))
    recording = [{"req": sent, "res": got} for sent, got in said["apdus"]]
    result = desk.play(recording, *desk.terminal(amount="200000"))
    assert result["outcome"] == said["outcome"] == "see_phone"
    assert result["decision_words"] == "see phone" and result["exit_code"] == 0


def test_a_card_that_declines(desk: Desk) -> None:
    result = desk.play(desk.record("declines"))
    assert result["decision_words"] == "declined offline" and result["response_code"] == "Z1"
    assert result["exit_code"] == 0


def test_a_host_that_declines(desk: Desk) -> None:
    result = desk.play(desk.record("debit", code="51"))
    assert result["decision_words"] == "declined online" and result["response_code"] == "51"


def test_no_answer_of_the_host(desk: Desk) -> None:
    result = desk.play(desk.record("debit", host=False))
    assert result["response_code"] == "Z3"
    assert result["decision_words"] == "declined offline, unable to go online"


def test_scripts_are_taken_from_the_recording(desk: Desk) -> None:
    recording = desk.record("script")
    script = {"req": "841E000008" + "11" * 8, "res": "6985"}
    after = [*recording, script]
    first = next(at for at, each in enumerate(recording) if each["req"][2:4] == "82") + 1
    before = [*recording[:first], {**script, "res": "9000"}, *recording[first:]]
    result = desk.play(after)
    assert "script failed after" in result["tvr_words"] and result["exit_code"] == 0
    result = desk.play(before)
    assert "script processing performed" in result["tsi_words"] and result["exit_code"] == 0


@pytest.fixture(scope="module")
def ca_keys(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The test authority's file, as `pos cards keys` writes it."""
    return str(authority.write_public_keys(tmp_path_factory.mktemp("ca") / "ca-keys.yaml"))


@pytest.mark.parametrize("name, method", [("debit", "DDA"), ("credit", "CDA")])
def test_offline_data_authentication_by_the_keys_of_a_file(
    desk: Desk, ca_keys: str, name: str, method: str
) -> None:
    keys = yaml.safe_load(Path(ca_keys).read_text(encoding="utf-8"))
    recording = desk.record(name, ca=keys)
    assert desk.said["oda"] == method and desk.said["tsi"][0] in "ef"
    result = desk.play(recording, "--ca-keys", ca_keys)
    assert result["oda"] == method and result["oda_fault"] == ""
    assert result["exit_code"] == 0 and result["differences"] == []
    assert result["tvr"] == desk.said["tvr"].upper()
    without, said = desk.text(recording)
    assert f"{method} failed" in said and "--ca-keys" in said and without in (0, 1)


def test_an_enciphered_pin_matches_by_its_length(desk: Desk, ca_keys: str) -> None:
    keys = yaml.safe_load(Path(ca_keys).read_text(encoding="utf-8"))
    recording = desk.record("offline-pin", ca=keys, pins=["1111", "1234"])
    verifies = [each for each in recording if each["req"][2:4] == "20"]
    assert [each["res"] for each in verifies] == ["63c2", "9000"]
    result = desk.play(recording, "--ca-keys", ca_keys)
    assert result["exit_code"] == 0 and result["differences"] == []
    assert result["cvm"] == "offline_pin" and result["cvm_results"][4:] == "02"
    assert verifies[0]["req"][10:].upper() not in desk.text(recording, "--json")[1]
    # A terminal that does not look how many tries are left.
    bare = [each for each in recording if each["req"][:8] != "80ca9f17"]
    assert len(bare) < len(recording)
    assert desk.play(bare, "--ca-keys", ca_keys)["cvm_results"] == result["cvm_results"]
    cut = edited(recording, "20", lambda req: "0020008808" + "11" * 8)
    assert desk.play(cut, "--ca-keys", ca_keys)["exit_code"] == 1


def test_the_recording_ends_with_the_request_to_go_online(desk: Desk) -> None:
    recording = desk.record("debit")
    last = next(at for at, each in enumerate(recording) if each["req"][2:4] == "ae")
    result = desk.play(recording[: last + 1])
    assert result["decision"] == "online" and result["exit_code"] == 0
    assert "no answer of the issuer" in result["decision_words"]


def test_the_cardholders_choice_is_the_recorded_one(desk: Desk) -> None:
    result = desk.play(desk.record("multi", choice=2))
    assert result["aid"] == "A000000333010103"
    aids = ["A000000333010101", "A000000333010102", "A000000333010103"]
    result = desk.play(desk.record("multi", choice=2), *desk.terminal(applications=aids))
    assert result["aid"] == aids[2] and result["exit_code"] == 0
    notes = [note for step in result["steps"] for note in step["notes"]]
    assert any("cardholder's choice" in note and "QuasiCr" in note for note in notes)


def test_a_card_pulled_in_the_middle(desk: Desk) -> None:
    recording = desk.record("pulled")
    assert recording[-1]["res"] == ""
    result = desk.play(recording)
    assert result["error"]["class"] == "CardRemoved" and result["exit_code"] == 3
    assert "removed" in result["error"]["sentence"]
    code, said = desk.text(recording)
    assert code == 3 and "CardRemoved" in said and "no decision" in said


def test_a_recording_that_is_cut_says_what_would_come(desk: Desk) -> None:
    recording = desk.record("debit")
    code, said = desk.text(recording[:5])
    assert code == 1 and "the recording ends here" in said and "READ RECORD" in said


def test_another_request_is_shown_with_the_expected_one(desk: Desk) -> None:
    recording = edited(desk.record("debit"), "b2", lambda req: "00b2030c00")
    code, said = desk.text(recording)
    assert code == 1 and "Unexpected request" in said
    assert "00 B2 01 0C 00" in said and "00 B2 03 0C 00" in said and "(#2)" in said
    result = desk.play(recording)
    assert result["unexpected"]["expected"] == "00B2030C00"
    assert result["unexpected"]["sent"] == "00B2010C00"


def test_a_missing_exchange_is_unexpected(desk: Desk) -> None:
    recording = desk.record("debit")
    place = max(at for at, each in enumerate(recording) if each["req"][2:4] == "b2")
    result = desk.play(recording[:place] + recording[place + 1 :])
    assert result["exit_code"] == 1 and result["unexpected"]["sent_name"].startswith("READ RECORD")
    assert result["unexpected"]["expected_name"] == "GENERATE AC ARQC"


def test_a_tvr_that_differs_is_shown_twice(desk: Desk) -> None:
    recording = desk.record("debit")
    computed = desk.said["tvr"]
    other = edited(recording, "ae", lambda req: req.replace(computed, "8040048000", 1))
    code, said = desk.text(other)
    assert code == 0 and "8040048000" in said and computed.upper() in said
    [difference] = desk.play(other)["differences"]
    assert difference["tag"] == "95" and difference["recorded"] == "8040048000"
    assert difference["library"] == computed.upper()
    assert "expired application" in difference["recorded_words"]
    assert "expired application" not in difference["library_words"]


def test_a_number_of_its_own_in_each_request_is_the_terminal_s(
    desk: Desk, ca_keys: str
) -> None:
    """INTERNAL AUTHENTICATE and GENERATE AC may each have a 9F37: a signature is over its own."""
    recording = desk.record("debit", ca=CA_KEYS)
    number = next(each["req"][10:18] for each in recording if each["req"].startswith("0088"))
    other = edited(recording, "ae", lambda req: req.replace(number, "a1b2c3d4"))
    assert other != recording
    result = desk.play(other, "--ca-keys", ca_keys)
    assert (result["oda"], result["oda_fault"]) == ("DDA", "")
    assert not result["differences"] and result["tvr"] == desk.said["tvr"].upper()


@pytest.mark.parametrize("version", ["0020", "0021", "008C"])
def test_a_version_that_no_request_shows_is_in_the_recorded_tvr(
    desk: Desk, version: str
) -> None:
    recording = desk.record("debit", application={"version": version})
    result = desk.play(recording)
    assert not result["differences"] and result["tvr"] == desk.said["tvr"].upper()
    assert any(row["what"].startswith("9F09") for row in result["terminal"])


def test_a_pin_that_was_passed_over_leaves_no_verify(desk: Desk, ca_keys: str) -> None:
    recording = desk.record("offline-pin", ca=CA_KEYS, pins=[])
    assert not any(each["req"].startswith("0020") for each in recording)
    result = desk.play(recording, "--ca-keys", ca_keys)
    assert "PIN not entered" in " ".join(result["tvr_words"])
    assert not result["differences"] and result["tvr"] == desk.said["tvr"].upper()


def test_a_decision_that_differs_is_unexpected(desk: Desk) -> None:
    other = edited(desk.record("debit"), "ae", lambda req: req[:4] + "40" + req[6:])
    result = desk.play(other)
    assert result["exit_code"] == 1 and result["decision"] is None
    assert "the library asks for ARQC, the recorded terminal asked for TC" in (
        result["unexpected"]["why"])


def test_terminal_data_win_over_the_recording(desk: Desk) -> None:
    recording = desk.record("debit")
    result = desk.play(recording, *desk.terminal(**{"9F02": "000000005678"}))
    assert result["exit_code"] == 1 and "9F02" in result["unexpected"]["why"]
    assert result["unexpected"]["sent_name"] == "GENERATE AC ARQC"
    agreeing = {"9F02": "000000001234", "terminal_country_code": "0156", "9A": "261123",
                "TVR_is_ours": ""}
    code, said = desk.text(recording, *desk.terminal(**agreeing))
    assert code == 2 and "neither a tag nor a name" in said
    del agreeing["TVR_is_ours"]
    assert desk.play(recording, *desk.terminal(**agreeing))["exit_code"] == 0


def test_what_the_payer_did_can_be_told(desk: Desk) -> None:
    recording = desk.record("debit")
    result = desk.play(recording, *desk.terminal(pin="bypassed"))
    assert "PIN not entered" in result["tvr_words"]
    assert [each["tag"] for each in result["differences"]] == ["95", "95"], "in either CDOL"


def test_action_codes_of_the_terminal_decide(desk: Desk) -> None:
    recording = desk.record("debit")
    told = desk.terminal(tac_denial="FFFFFFFFFF")
    result = desk.play(recording, *told)
    assert result["exit_code"] == 1 and "asks for AAC" in result["unexpected"]["why"]


def test_a_published_conversation(desk: Desk) -> None:
    result = desk.play(published())
    assert result["exit_code"] == 0 and result["differences"] == []
    assert result["tvr"] == "8000008040" and result["aid"] == "A0000000031010"
    assert result["arqc"] == "7CB3BA090724C524" and result["cvm_results"] == "1E0300"
    assert "issuer authentication failed" in result["tvr_words"]
    # The card gave a TC; the issuer was not authentic, so this terminal takes it back.
    assert result["decision"] == "declined" and result["reversal_reason"] == "06"
    notes = [n for s in result["steps"] for row in s["exchanges"] for n in row["notes"]]
    assert any("did not look for a directory" in note for note in notes)
    assert any("GET DATA" in note and "did not ask" in note for note in notes)


def test_a_blocked_card_and_one_that_nobody_takes(desk: Desk) -> None:
    result = desk.play(desk.record("blocked"))
    assert result["error"]["class"] in ("ApplicationBlocked", "CardBlocked")
    assert result["exit_code"] == 3
    told = desk.terminal(applications=["A0000000031010"])
    result = desk.play(desk.record("debit"), *told)
    assert result["exit_code"] in (1, 3) and "unexpected" in result


BROKEN = {
    "an empty list": ("[]", "the list is empty"),
    "nothing": ("", "this is no list"),
    "no list": ("hello: world", "this is no list"),
    "broken YAML": ("- {req: [", "this is no YAML"),
    "no request": ("- {res: '9000'}", "entry 1 has no req"),
    "no response": ("- {req: 00A40400}", "entry 1 has no res"),
    "odd hex": ("- {req: 00A4040, res: '9000'}", "7 hex digits make no whole bytes"),
    "letters": ("- {req: 00A404ZZ, res: '9000'}", "'Z' is no hex digit"),
    "a short command": ("- {req: 00A4, res: '9000'}", "a command has at least four bytes"),
    "a wrong Lc": ("- {req: 00A4040005A0, res: '9000'}", "Lc says 5 bytes"),
    "a short answer": ("- {req: 00A40400, res: '90'}", "ends with the two bytes SW1 SW2"),
    "a scalar": ("- 00A40400", "entry 1 is no {req: hex, res: hex}"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_is_no_recording(desk: Desk, name: str) -> None:
    document, sentence = BROKEN[name]
    code, said = desk.text(document)
    assert code == 2 and sentence in said, said
    assert "Traceback" not in said


def test_files_that_are_not_there(desk: Desk) -> None:
    code, said = desk.text("[]", "--terminal", str(desk.folder / "none.yaml"))
    assert code == 2
    recording = desk.record("debit")
    code, said = desk.text(recording, "--terminal", str(desk.folder / "none.yaml"))
    assert code == 2 and "No such file" in said
    code, said = desk.text(recording, "--ca-keys", str(desk.folder / "none.yaml"))
    assert code == 2 and "No such file" in said


TERMINALS = {
    "a card's element": ({"5A": "6225"}, "is the card's own"),
    "a wrong length": ({"9F02": "1234567890123456"}, "9F02 has 6 to 6 bytes"),
    "a typing error": ({"terminal_contry_code": "0156"}, "is terminal_country_code meant?"),
    "no hex": ({"9F66": "hello"}, "hex digits are needed"),
    "a strange PIN": ({"pin": "1234"}, "entered, bypassed or fault"),
    "an AID too short": ({"applications": ["A000"]}, "an AID has 5 to 16 bytes"),
    "no date": ({"date": "0x"}, "a date is 2026-11-23"),
    "a time that is none": ({"time": "12:00"}, "a time 12:00:00"),
    "a version too short": ({"9F09": "02"}, "version has 2 bytes"),
    "a TTQ too long": ({"applications": [{"aid": "A000000333010101", "9F66": "2600408000"}]},
                       "ttq has 4 bytes"),
    "a script too long": ({"71": "FF" * 100_000}, "71 has up to 255 bytes"),
    "a TAC too short": ({"tac_denial": "00"}, "tac_denial has 5 bytes"),
}


@pytest.mark.parametrize("name", TERMINALS)
def test_terminal_data_that_cannot_be(desk: Desk, name: str) -> None:
    told, sentence = TERMINALS[name]
    code, said = desk.text(published(), *desk.terminal(**told))
    assert code == 2 and sentence in said, said


KEY = {"rid": "A000000003", "index": "92", "modulus": "A1" * 112 + "03", "exponent": "03",
       "expiry": "2029-12-31"}


def test_ca_keys_are_checked(desk: Desk) -> None:
    good = desk.file("keys.yaml", [KEY])
    assert desk.text(published(), "--ca-keys", good)[0] == 0
    bad = desk.file("bad.yaml", [{**KEY, "checksum": "00" * 20}])
    code, said = desk.text(published(), "--ca-keys", bad)
    assert code == 2 and "A000000003 92: the check sum is wrong" in said.replace("\n", " ")
    for change, sentence in (({"exponent": "5"}, "3 or 65537"), ({"expiry": "soon"}, "YYMMDD"),
                             ({"modulus": "xyz"}, "no hex"), ({"rid": "A0"}, "five bytes"),
                             ({"modulus": "A1" * 63}, "64 to 248 bytes"),
                             ({"modulus": "A1" * 249}, "64 to 248 bytes"),
                             ({"modulus": "00" + "A1" * 127}, "an odd number"),
                             ({"modulus": "A1" * 127 + "02"}, "an odd number")):
        broken = desk.file("broken.yaml", [{**KEY, **change}])
        code, said = desk.text(published(), "--ca-keys", broken)
        assert code == 2 and sentence in said, said

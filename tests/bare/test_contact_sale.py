"""A contact sale of the deck's `debit` card, recorded on this machine, replayed by the bare board.

The same lib/emv has to ask the same and to conclude the same on a 32-bit core in 256 KB, and to
leave the heap as it was, also when the card is pulled at any APDU.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from emv_bench import Issuer

from tools import bare
from tools.bench import tap
from tools.sim import cards
from tools.sim.cards.authority import authority_keys

PROGRAM = Path(__file__).with_name("contact_sale.py")
HEAP_LIMIT = 16 * 1024
LIMIT_S = 300


def program(mode: str, given: dict[str, Any]) -> str:
    """The program of `contact_sale.py` with what it is to do."""
    given = {**given, "ca": [key.public() for key in authority_keys().values()]}
    return f"MODE = {mode!r}\nGIVEN = {given!r}\n" + PROGRAM.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    """A sale with card and issuer: steps, request, code, field55, and what it came to."""
    card = cards.load("debit")
    card.reset("contact")
    issuer = Issuer(card)
    sale: dict[str, Any] = {"steps": []}
    with tap.conversing(program("record", {})) as process:
        assert process.stdin is not None and process.stdout is not None
        for line in process.stdout:
            kind, _, rest = line.rstrip("\n").partition(" ")
            if kind == "=":
                return {**sale, "came": rest}
            if kind == ">":
                said = card.apdu(bytes.fromhex(rest)).hex()
                sale["steps"].append([rest, said])
            elif kind == "?":
                sale["request"], text = rest.split(" ")
                sale |= issuer({"field55": sale["request"], "text": text})
                said = f"{sale['code']} {sale['field55']}"
            else:
                pytest.fail(line + process.stdout.read())
            process.stdin.write(said + "\n")
            process.stdin.flush()
    pytest.fail(f"the interpreter ended with status {process.returncode}")


@pytest.fixture(scope="module")
def replayed(recorded: dict[str, Any]) -> list[tuple[int, int, str]]:
    """Heap at the peak and before, and outcome: whole, then pulled ever earlier, then whole."""
    given = {name: recorded[name] for name in ("steps", "request", "code", "field55")}
    done = bare.run(program("replay", given), LIMIT_S)
    assert done.ending == "ended with status 0" and not done.error, done.printed + done.error
    found = re.findall(r"^= (.*)\nheap (\d+) (\d+)$", done.printed, re.MULTILINE)
    return [(int(peak), int(before), came) for came, peak, before in found]


def test_the_bare_board_concludes_what_this_machine_concluded(
    recorded: dict[str, Any], replayed: list[tuple[int, int, str]]
) -> None:
    words = recorded["came"].split(" ")
    assert words[:4] == ["approved", "online_pin", "1234", "DDA"] and len(recorded["steps"]) >= 12
    assert replayed[0][2] == replayed[-1][2] == recorded["came"]


def test_a_card_pulled_at_any_apdu_ends_the_sale(
    recorded: dict[str, Any], replayed: list[tuple[int, int, str]]
) -> None:
    assert [came for _, _, came in replayed[1:-1]] == ["pulled"] * len(recorded["steps"])


def test_the_heap_is_small_and_comes_back(replayed: list[tuple[int, int, str]]) -> None:
    assert max(peak for peak, _, _ in replayed) < HEAP_LIMIT
    assert max(before for _, before, _ in replayed) == replayed[0][1], replayed

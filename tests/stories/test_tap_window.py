"""Between the first APDU of a tap and the field's end nothing draws, prints or uses the network.

Every story is held to it wherever it is played (`tools/sim/tap_window.py`); here is shown that
the watch looks, and that it finds a firmware that offends.
"""

import shutil
from pathlib import Path

import pytest

from tools.sim.player import play

ROOT = Path(__file__).resolve().parents[2]
STORY = ROOT / "tests" / "stories" / "tap_quick.yaml"
EXCHANGE = "        return await exchanged(TapReaderFault, self.pos.board.nfc.exchange(command))\n"
OFFENCES = {
    "the display": "self.pos.screens.show()",
    "the printer": "self.pos.board.printer.check()",
}


def offending(folder: Path, offence: str) -> str:
    """A copy of the firmware that does more than exchange an APDU; the path to run it by."""
    shutil.copytree(ROOT / "firmware", folder / "firmware")
    payer = folder / "firmware" / "flows" / "payer.py"
    text = payer.read_text(encoding="utf-8")
    assert text.count(EXCHANGE) == 1, "the tap's exchange has moved: move this test with it"
    draw = "        self.pos.screens.notice('wait', '!', [])\n" if "screens" in offence else ""
    spoilt = EXCHANGE.replace("return", "answer =") + draw
    spoilt += f"        await {offence}\n        return answer\n"
    payer.write_text(text.replace(EXCHANGE, spoilt), encoding="utf-8")
    return f"{folder}:.frozen"


def test_the_watch_sees_a_tap() -> None:
    result = play(STORY)
    assert result.taps == 1 and not result.failure, result.failure


@pytest.mark.parametrize("what", OFFENCES)
def test_a_firmware_that_offends_is_found(tmp_path: Path, what: str) -> None:
    result = play(STORY, path=offending(tmp_path, OFFENCES[what]))
    assert result.taps == 1
    assert f"{what} was used" in result.failure and "first APDU of a tap" in result.failure

"""Between the first APDU of a tap and the field's end nothing draws, prints or uses the network.

Every story is held to it wherever it is played (`tools/sim/tap_window.py`); here is shown that
the watch looks, and that it finds a firmware that offends.
"""

import json
import shutil
from pathlib import Path

import pytest

from tools.sim.player import play

ROOT = Path(__file__).resolve().parents[2]
STORY = ROOT / "tests" / "stories" / "tap_quick.yaml"
EXCHANGE = "        return await exchanged(TapReaderFault, self.pos.board.nfc.exchange(command))\n"
OFFENCES = {
    "the display": "self.pos.screens.notice('wait', '!', []); await self.pos.screens.show()",
    "the printer": "await self.pos.board.printer.check()",
    "the network (TCP)": "__import__('asyncio').create_task(self.pos.link.echo())",
    "the network (DNS)": "__import__('socket').getaddrinfo('acquirer.invalid', 1)",
    "the network (Wi-Fi)": "__import__('network').WLAN().disconnect()",
}


def offending(folder: Path, offence: str) -> str:
    """A copy of the firmware that does more than exchange an APDU; the path to run it by.

    The offence stands behind the exchange: what it starts goes on during the next one.
    """
    shutil.copytree(ROOT / "firmware", folder / "firmware")
    payer = folder / "firmware" / "flows" / "payer.py"
    text = payer.read_text(encoding="utf-8")
    assert text.count(EXCHANGE) == 1, "the tap's exchange has moved: move this test with it"
    spoilt = EXCHANGE.replace("return", "answer =") + f"        {offence}\n"
    payer.write_text(
        text.replace(EXCHANGE, spoilt + "        return answer\n"), encoding="utf-8"
    )
    return f"{folder}:.frozen"


def test_the_watch_sees_a_tap() -> None:
    result = play(STORY)
    assert result.taps == 1 and not result.failure, result.failure


def test_a_card_that_nobody_asks_opens_no_window(tmp_path: Path) -> None:
    """Once a chip is in the slot the field is off: a card held to it then hears nothing."""
    trace = tmp_path / "trace.jsonl"
    result = play(STORY.with_name("chip_then_tap.yaml"), trace=trace)
    assert result.taps == 0 and not result.failure, result.failure
    events = [json.loads(line) for line in trace.read_text(encoding="utf-8").splitlines()]
    nfc = [event for event in events if event.get("chip") == "nfc"]
    held = [at for at, event in enumerate(nfc) if event["kind"] == "card"]
    fields = [event["on"] for event in nfc if event["kind"] == "field"]
    assert len(held) == 2 and fields[-1] is False
    assert {event["kind"] for event in nfc[held[0] :]} == {"card"}


@pytest.mark.parametrize("what", OFFENCES)
def test_a_firmware_that_offends_is_found(tmp_path: Path, what: str) -> None:
    result = play(STORY, path=offending(tmp_path, OFFENCES[what]))
    assert result.taps >= 1
    assert f"{what} was used" in result.failure and "first APDU of a tap" in result.failure

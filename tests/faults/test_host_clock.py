"""A host whose clock says nonsense: the payment it approved stands, and its receipt comes out."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from whole import Shop, played

from tools.acquirer import server
from tools.acquirer.host import Answer
from tools.acquirer.wire import Message
from tools.sim import simulation


class Confused(server.Acquirer):
    """Dates its answers to payments on the 31st of February, under a good MAC."""

    def _answer(self, request: Message, forced: str | None) -> Answer:
        answer = super()._answer(request, forced)
        if request.mti == "0200":
            answer.reply.fields[13] = "0231"
        return answer


def test_a_date_that_does_not_exist_spoils_no_receipt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(shop: Shop) -> None:
        assert await shop.chip_sale()
        shop.judge_settled()
        assert "".join(shop.sim.printer.text).count("持卡人存根") == 1
        assert len(shop.sim.postings()) == 1

    monkeypatch.setattr(simulation, "Acquirer", Confused)
    played(tmp_path, story)

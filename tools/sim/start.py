"""Bring a simulated terminal to where a scenario's `start` wants it, by its own keys.

Nothing is patched: the merchant's morning is played, so every start is a state the firmware can
really be in.
"""

from typing import Any

from tools.acquirer import testbed
from tools.sim.actions import perform
from tools.sim.expectations import Stage, expect_screen

IDLE = {"zh": "请输入金额", "en": "ENTER AMOUNT"}
LOGIN = {"zh": "操作员号", "en": "OPERATOR NUMBER"}
PASSWORD = {"zh": "操作员密码", "en": "PASSWORD"}


async def bring_up(stage: Stage, start: dict[str, Any]) -> None:
    """Power on, log the operator in and wait for idle, as far as `start` says."""
    sim = stage.sim
    await sim.start()
    language = str(start["language"])
    if start["fresh"]:
        return
    await expect_screen(stage, LOGIN[language])
    operator = str(start["operator"])
    if operator == "none":
        return
    await perform(sim, {"key": " ".join(operator) + " ENTER"})
    await expect_screen(stage, PASSWORD[language])
    passwords = {known.number: known.password for known in testbed.OPERATORS}
    await perform(sim, {"key": " ".join(passwords[operator]) + " ENTER"})
    await expect_screen(stage, IDLE[language])

"""The interpreter that runs the unit tests is the sim board's, with its plain clock."""

import sys
import time


def test_this_is_micropython():
    assert sys.implementation.name == "micropython"


async def test_async_tests_run_on_a_loop():
    import asyncio

    begun = time.ticks_ms()
    await asyncio.sleep_ms(2)
    assert time.ticks_diff(time.ticks_ms(), begun) >= 2

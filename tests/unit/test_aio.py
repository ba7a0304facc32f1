"""race: the winner's result, losers cleaned up. Supervisor: a task that ends is a fault."""

import asyncio

from aio import RaceTimeout, Supervisor, race


class Log:
    def __init__(self):
        self.lines = []

    async def work(self, name, ms, result=None, error=None):
        try:
            await asyncio.sleep_ms(ms)
            if error is not None:
                raise error
            return result
        finally:
            await asyncio.sleep_ms(0)
            self.lines.append(name)


async def test_the_first_wins_and_the_others_are_cleaned_up():
    log = Log()
    result = await race(log.work("slow", 60_000), log.work("fast", 5, 7), log.work("s2", 60_000))
    assert result == (None, 7, None)
    assert sorted(log.lines) == ["fast", "s2", "slow"]


async def test_a_winner_may_return_none():
    log = Log()
    assert await race(log.work("a", 1), log.work("b", 60_000)) == (None, None)


async def test_nobody_in_time():
    log = Log()
    try:
        await race(log.work("a", 60_000), log.work("b", 60_000), timeout=5)
    except RaceTimeout:
        assert sorted(log.lines) == ["a", "b"]
    else:
        raise AssertionError("no RaceTimeout")


async def test_the_time_limit_does_not_outlive_the_race():
    log = Log()
    assert await race(log.work("a", 1, 3), timeout=50) == (3,)
    await asyncio.sleep_ms(60)


async def test_a_winners_error_is_raised_after_the_clean_up():
    log = Log()
    try:
        await race(log.work("a", 60_000), log.work("b", 1, error=ValueError("x")))
    except ValueError:
        assert sorted(log.lines) == ["a", "b"]
    else:
        raise AssertionError("no ValueError")


async def test_cancelling_the_race_cancels_all():
    log = Log()
    task = asyncio.create_task(race(log.work("a", 60_000), log.work("b", 60_000), timeout=90_000))
    await asyncio.sleep_ms(1)
    task.cancel()
    try:
        await task
    except asyncio.CancelledError:
        pass
    else:
        raise AssertionError("was not cancelled")
    assert sorted(log.lines) == ["a", "b"]


async def test_two_in_the_same_turn_both_count():
    event = asyncio.Event()

    async def wait(result):
        await event.wait()
        return result

    async def fire():
        event.set()
        await asyncio.sleep_ms(60_000)

    assert await race(wait(1), wait(2), fire()) == (1, 2, None)


async def test_a_task_that_fails_is_a_fault():
    faults = []
    log = Log()
    tasks = Supervisor(lambda name, error: faults.append((name, type(error).__name__)))
    tasks.start("keys", log.work("k", 60_000))
    tasks.start("link", log.work("l", 1, error=OSError("x")))
    tasks.start("idle", log.work("i", 1))
    assert tasks.all_alive()
    await asyncio.sleep_ms(20)
    assert sorted(faults) == [("idle", "NoneType"), ("link", "OSError")]
    assert not tasks.all_alive()
    assert sorted(tasks.dead()) == ["idle", "link"]
    tasks.start("link", log.work("l2", 60_000))
    tasks.start("idle", log.work("i2", 60_000))
    assert tasks.all_alive()
    await asyncio.sleep_ms(1)
    await tasks.stop()
    assert sorted(log.lines) == ["i", "i2", "k", "l", "l2"]


async def test_a_name_is_taken_once():
    tasks = Supervisor(lambda name, error: None)
    tasks.start("a", Log().work("a", 60_000))
    second = Log().work("a", 1)
    try:
        tasks.start("a", second)
    except ValueError:
        second.close()
    else:
        raise AssertionError("two tasks of one name")
    await tasks.stop()

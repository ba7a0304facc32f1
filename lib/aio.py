"""Small asyncio helpers: a race with clean losers, and tasks that are named and watched."""

import asyncio

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine
    from typing import Any


class RaceTimeout(Exception):
    """Nobody finished within the limit."""


async def race(*awaitables: "Awaitable", timeout: "int | None" = None) -> tuple:  # noqa: ASYNC109
    """Run all; when the first finishes, cancel and await the others.

    Returns a tuple as long as the arguments: the winner's result in its place, None for the losers
    (two that finish in the same turn both count). An exception of a finisher is raised, after the
    others are cleaned up. `timeout` in milliseconds raises RaceTimeout; None waits for ever.
    Cancelling the race cancels all of them.
    """
    done = asyncio.Event()
    runners = [_Runner(aw, done) for aw in awaitables]
    timer = asyncio.create_task(_alarm(timeout, done)) if timeout is not None else None
    try:
        await done.wait()
    finally:
        if timer is not None:
            await _stop(timer)
        for runner in runners:
            await _stop(runner.task)
    for runner in runners:
        if runner.error is not None:
            raise runner.error
    if not any(runner.finished for runner in runners):
        raise RaceTimeout(f"nothing happened within {timeout} ms")
    return tuple(runner.result for runner in runners)


class _Runner:
    """One contestant: remembers its result or error and wakes the race."""

    def __init__(self, awaitable: "Awaitable", done: asyncio.Event) -> None:
        self.result: Any = None
        self.error: Exception | None = None
        self.finished = False
        self.task = asyncio.create_task(self._run(awaitable, done))

    async def _run(self, awaitable: "Awaitable", done: asyncio.Event) -> None:
        try:
            self.result = await awaitable
            self.finished = True
        except asyncio.CancelledError:
            raise
        except Exception as error:  # noqa: BLE001 - handed to whoever awaits the race
            self.error = error
        done.set()


async def _alarm(limit: int, done: asyncio.Event) -> None:
    await asyncio.sleep_ms(limit)
    done.set()


async def _stop(task: "asyncio.Task") -> None:
    """Cancel and wait until its `finally` blocks have run. The task's own error was recorded."""
    if not task.done():
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass


class Supervisor:
    """Named tasks that must live for ever. A task that ends, for whatever reason, is a fault.

    on_fault: callable(name, exception or None); None when the task simply returned.
    """

    def __init__(self, on_fault: "Callable[[str, Exception | None], None]") -> None:
        self._on_fault = on_fault
        self._tasks: dict[str, asyncio.Task] = {}

    def start(self, name: str, coroutine: "Coroutine") -> None:
        """Start a task under a name; a live task of that name is an error of the program."""
        if name in self._tasks and not self._tasks[name].done():
            raise ValueError(f"a task named {name} is running")
        self._tasks[name] = asyncio.create_task(self._watch(name, coroutine))

    async def _watch(self, name: str, coroutine: "Coroutine") -> None:
        try:
            await coroutine
            error: Exception | None = None
        except asyncio.CancelledError:
            raise
        except Exception as caught:  # noqa: BLE001 - recorded as a fault under the task's name
            error = caught
        self._on_fault(name, error)

    def all_alive(self) -> bool:
        """Every started task still runs: only then may the watchdog be fed."""
        return all(not task.done() for task in self._tasks.values())

    def dead(self) -> "list[str]":
        """The names of tasks that ended."""
        return [name for name, task in self._tasks.items() if task.done()]

    async def stop(self) -> None:
        """Cancel them all and wait for their clean-up."""
        for task in self._tasks.values():
            await _stop(task)
        self._tasks = {}

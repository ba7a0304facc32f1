"""The board's time: an asyncio loop whose clock is virtual, or real on the same link.

In virtual mode nothing waits on the host's clock. When the loop has nothing ready, open executor
jobs are awaited first (they hold the clock); then the firmware gets its turn if there are events
for it, or time moves to the earliest deadline: the chip models', the loop's, the firmware's, in
that order when they are equal. Nobody has a deadline: ClockStopped names who waits.
In real time the same loop waits on the host's clock and serves kernel sockets.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import heapq
import selectors
import time
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from tools.sim.link import NEVER, Link, LinkError

T = TypeVar("T")
JOB_LIMIT_S = 60.0


class ClockStopped(Exception):
    """Nobody has a deadline and nothing is under way: time could never move again."""


class JobStuck(Exception):
    """A job in another thread did not end in time."""


class Timer:
    """A call that is due; `cancel` forgets it."""

    __slots__ = ("args", "call", "cancelled", "due")

    def __init__(self, due: int, call: Callable[..., object], args: tuple[object, ...]):
        self.due = due
        self.call = call
        self.args = args
        self.cancelled = False

    def cancel(self) -> None:
        """Do not call."""
        self.cancelled = True


class Clock:
    """Board time in microseconds since the simulation began, and what is due when.

    `speed` is board seconds per host second; 0 is virtual time.
    """

    def __init__(self, speed: int = 0):
        self.link: Link | None = None
        self.on_link_error: Callable[[LinkError], None] | None = None
        self._speed = speed
        self._now = 0
        self._anchor = time.monotonic()
        self._timers: list[tuple[int, int, Timer]] = []
        self._count = 0

    @property
    def speed(self) -> int:
        """Board seconds per host second; 0 is virtual time."""
        return self._speed

    @speed.setter
    def speed(self, speed: int) -> None:
        self._now = self.now()
        self._anchor = time.monotonic()
        self._speed = speed

    def now(self) -> int:
        """Microseconds of board time."""
        if self._speed == 0:
            return self._now
        elapsed = int((time.monotonic() - self._anchor) * 1_000_000)
        return self._now + elapsed * self._speed

    def call_at(self, due: int, call: Callable[..., object], *args: object) -> Timer:
        """Call at that microsecond; calls of one moment keep their order."""
        timer = Timer(due, call, args)
        self._count += 1
        heapq.heappush(self._timers, (due, self._count, timer))
        return timer

    def call_later(self, us: int, call: Callable[..., object], *args: object) -> Timer:
        """Call after so many microseconds."""
        return self.call_at(self.now() + max(0, us), call, *args)

    def next_timer(self) -> int:
        """When the next call is due, or NEVER."""
        while self._timers and self._timers[0][2].cancelled:
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers else NEVER

    def advance(self, moment: int) -> int:
        """Move virtual time to `moment`, making the calls on the way; what time it is now."""
        limit = moment if self._speed == 0 else self.now()
        while (due := self.next_timer()) <= limit:
            timer = heapq.heappop(self._timers)[2]
            if self._speed == 0:
                self._now = max(self._now, due)
            timer.call(*timer.args)
        if self._speed == 0:
            self._now = max(self._now, moment)
        return self.now()

    def spend(self, us: int) -> None:
        """An access takes this long; in real time it passes by itself."""
        if self._speed == 0:
            self.advance(self._now + us)


class _TurnSelector(selectors.BaseSelector):
    """The loop's selector: where an idle loop hands the turn over and time moves."""

    def __init__(self, clock: Clock):
        self.clock = clock
        self.jobs: deque[tuple[concurrent.futures.Future[Any], asyncio.Future[Any]]] = deque()
        self._kernel = selectors.DefaultSelector()

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Kernel events if there are any; else one step of the board's time."""
        clock = self.clock
        ready = timeout is not None and timeout <= 0
        if clock.speed == 0 and ready:
            return []
        events = self._kernel.select(0)
        if events or ready:
            return events
        if self.jobs and clock.speed == 0:
            self._finish_job()
            return []
        now = clock.now()
        loop_due = NEVER if timeout is None else now + round(timeout * 1_000_000)
        link = clock.link if clock.link is not None and clock.link.waiting else None
        if link is not None and (link.pending or link.deadline <= now):
            self._give(link, loop_due)
            return []
        nearest = min(clock.next_timer(), loop_due, link.deadline if link else NEVER)
        if clock.speed == 0:
            if nearest == NEVER:
                raise ClockStopped(self._who_waits(link))
            due_first = clock.next_timer() <= nearest or loop_due <= nearest
            clock.advance(nearest)
            if not due_first and link is not None:
                self._give(link, loop_due)
            return []
        wait = None if nearest == NEVER else max(0, nearest - now) / 1_000_000 / clock.speed
        events = self._kernel.select(wait)
        clock.advance(clock.now())
        return events

    def _give(self, link: Link, loop_due: int) -> None:
        clock = self.clock
        horizon = min(clock.next_timer(), loop_due) if clock.speed == 0 else 0
        try:
            link.give(clock.now(), horizon, clock.speed, clock.advance)
        except LinkError as error:
            if clock.on_link_error is None:
                raise
            clock.on_link_error(error)

    def _finish_job(self) -> None:
        """Wait for the oldest job, so that results come in the order they were asked for."""
        job, future = self.jobs.popleft()
        try:
            result = job.result(JOB_LIMIT_S)
        except concurrent.futures.TimeoutError:
            if not job.done():
                raise JobStuck(f"a job in a thread did not end within {JOB_LIMIT_S:g} s") from None
            _settle(future, None, job.exception())
        except BaseException as error:  # noqa: BLE001 - it belongs to whoever awaits the job
            _settle(future, None, error)
        else:
            _settle(future, result, None)

    def _who_waits(self, link: Link | None) -> str:
        names = sorted(task.get_name() for task in asyncio.all_tasks(asyncio.get_running_loop()))
        firmware = f"the firmware ({link.waiter or 'no one'})" if link else "no firmware"
        return f"nobody has a deadline: {firmware} and the tasks {', '.join(names)} wait"

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """As any selector's."""
        return self._kernel.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """As any selector's."""
        return self._kernel.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """As any selector's."""
        return self._kernel.modify(fileobj, events, data)

    def get_map(self) -> Any:
        """As any selector's."""
        return self._kernel.get_map()

    def close(self) -> None:
        """As any selector's."""
        self._kernel.close()


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)


class BoardLoop(asyncio.SelectorEventLoop):
    """The asyncio loop of the virtual board; its time is the board's."""

    def __init__(self, speed: int = 0):
        self.clock = Clock(speed)
        self._turns = _TurnSelector(self.clock)
        super().__init__(self._turns)
        self._clock_resolution = 1e-6
        self._default_executor: concurrent.futures.Executor | None = None

    def time(self) -> float:
        """Board time in seconds."""
        return self.clock.now() / 1_000_000

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Any, *args: Any
    ) -> Any:
        """As asyncio's; in virtual time the job holds the clock and results keep their order."""
        if self.clock.speed != 0:
            return super().run_in_executor(executor, func, *args)
        if executor is None:
            executor = self._threads()
        future: asyncio.Future[Any] = self.create_future()
        self._turns.jobs.append((executor.submit(func, *args), future))
        return future

    async def shutdown_default_executor(self, *_: float | None) -> None:
        """Wait for the threads here: asyncio's own way needs a loop on the host's time."""
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=True)

    def _threads(self) -> concurrent.futures.Executor:
        if self._default_executor is None:
            self._default_executor = concurrent.futures.ThreadPoolExecutor(4, "board-job")
        return self._default_executor


def run(main: Coroutine[Any, Any, T], speed: int = 0) -> T:
    """Run a coroutine on a board loop of its own: virtual time by default, else `speed` × real."""
    with asyncio.Runner(loop_factory=lambda: BoardLoop(speed)) as runner:
        return runner.run(main)


def current() -> Clock:
    """The clock of the running loop. RuntimeError when it is not a board loop."""
    loop = asyncio.get_running_loop()
    if not isinstance(loop, BoardLoop):
        raise RuntimeError("the virtual board needs tools.sim.clock.run(…) or a BoardLoop")
    return loop.clock

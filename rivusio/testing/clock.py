"""Time that stands still until the test advances it."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

TURNS = 100  # for an event loop that does not tell whether it is idle
MOST_TURNS = 100_000  # for one that does, and never is: a second or so


@dataclass(order=True, slots=True)
class _VirtualTimer:
    when: float
    number: int  # in the order of the promises, for equal times
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True
        self.callback = _nothing  # it waits for its time yet, and shall hold nothing until then

    def fire(self) -> None:
        self.callback()


class VirtualClock:
    """A clock that stands still until the test advances it.

    Args:
        start: what it reads at first, in seconds.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._timers: list[_VirtualTimer] = []
        self._numbers = itertools.count()
        self._targets: list[float] = []  # of those who advance it now
        self._turn = asyncio.Lock()  # one of them at a time fires a timer

    def now(self) -> float:
        """Seconds on this clock."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], object]) -> _VirtualTimer:
        """Call `callback` once the clock has been advanced to `when`; at once if it has been."""
        if when > self._now:
            return self.promise(when, callback)
        timer = self._timer(when, callback)
        asyncio.get_running_loop().call_soon(timer.fire)
        return timer

    def promise(self, when: float, callback: Callable[[], object]) -> _VirtualTimer:
        """Call `callback` when the clock is turned on to `when` or beyond, and not before."""
        timer = self._timer(when, callback)
        heapq.heappush(self._timers, timer)
        return timer

    def _timer(self, when: float, callback: Callable[[], object]) -> _VirtualTimer:
        return _VirtualTimer(when, next(self._numbers), callback)

    def fire_next(self) -> bool:
        """Turn the clock on to the next timer and fire it; tell whether there was one."""
        while self._timers and self._timers[0].cancelled:
            heapq.heappop(self._timers)
        if not self._timers:
            return False
        self._next().fire()
        return True

    def _next(self) -> _VirtualTimer:
        timer = heapq.heappop(self._timers)
        self._now = max(self._now, timer.when)
        return timer

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by `seconds`."""
        awake = asyncio.get_running_loop().create_future()
        timer = self.call_at(self._now + seconds, lambda: _settle(awake))
        try:
            await awake
        finally:
            timer.cancel()

    def wait(self, seconds: float) -> None:
        """Advance by itself: in a run without an event loop there is nobody else to do it."""
        self._now += seconds

    def set(self, now: float) -> None:
        """Let the clock read something else, earlier if need be, and fire nothing."""
        self._now = now

    async def advance(self, seconds: float) -> None:
        """Let so much time pass: fire what is due in its order, each time until all is idle.

        Several tasks may do so at the same time: each comes back when the clock has come to its
        own time, and the time that they share passes once.

        Raises:
            ValueError: for a negative time.
            RuntimeError: when something is always ready to run, so that all is never idle.
        """
        if not seconds >= 0:
            message = f"a clock cannot be advanced by {seconds} s; set() turns it back"
            raise ValueError(message)
        if not self._targets:
            self._turn = asyncio.Lock()  # a lock belongs to one event loop, a clock need not
        target = self._now + seconds
        self._targets.append(target)
        try:
            while not await self._step(target):
                pass
        finally:
            self._targets.remove(target)

    async def _step(self, target: float) -> bool:
        """Fire the next timer, if it is due, or go on to the target; tell whether that is done.

        Nobody goes beyond the time at which another is to come back: the lock is fair, so that one
        has its turn before this one has it again.
        """
        async with self._turn:
            await settle()
            nearest = min(self._targets)
            if self._timers and self._timers[0].when <= nearest:
                self._next().fire()
            elif nearest == target:
                self._now = max(self._now, target)
                await settle()
                return True
            return False

    @property
    def pending(self) -> int:
        """How many timers are set."""
        return sum(not timer.cancelled for timer in self._timers)

    def __repr__(self) -> str:
        return f"VirtualClock({self._now})"


def _nothing() -> None:
    pass


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


# The tasks of a loop that wait for it to be idle.
_settling: WeakKeyDictionary[asyncio.AbstractEventLoop, set[asyncio.Task[Any]]] = (
    WeakKeyDictionary()
)


async def settle() -> None:
    """Let every other task run until it waits for something.

    Several tasks may do so at the same time: those that only settle are idle.

    Raises:
        RuntimeError: when something is always ready to run, naming the tasks.
    """
    loop = asyncio.get_running_loop()
    ready = getattr(loop, "_ready", None)  # asyncio's own loops keep what can run now here
    if ready is None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  a coroutine runs in a task
    settling = _settling.setdefault(loop, set())
    settling.add(task)
    try:
        for _ in range(MOST_TURNS):
            await asyncio.sleep(0)
            if len(ready) < len(settling):  # what is there is the next turn of those beside
                return
    finally:
        settling.discard(task)
    message = (
        f"the event loop has not come to rest in {MOST_TURNS:,} turns: {_always_ready(settling)}; "
        f"let it wait for a time or an event, as with clock.sleep(...)"
    )
    raise RuntimeError(message)


def _always_ready(settling: set[asyncio.Task[Any]]) -> str:
    """Say which tasks can run, besides those that settle."""
    others = asyncio.all_tasks() - {asyncio.current_task(), *settling}
    names = sorted(each.get_name() for each in others if not getattr(each, "_fut_waiter", None))
    if not names:
        return "something is always ready to run"
    told = ", ".join(f'"{name}"' for name in names)
    return f"task {told} is always ready to run"

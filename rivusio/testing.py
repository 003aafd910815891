"""For tests of pipelines: time that the test turns, sources fed by hand, runs told as events.

clock = VirtualClock()
source = ScriptedSource(clock).emit(1, 2).idle(10).emit(3).end()
recorder = Recorder(clock)
await recorder.consume(pipe.stream(source, clock=clock))
assert recorder.outputs == [...]
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from rivusio.pipes import AsyncBasePipe, SyncBasePipe

Item = Any  # these helpers take items of any type

TURNS = 100  # for an event loop that does not tell whether it is idle


@dataclass(order=True, slots=True)
class _VirtualTimer:
    when: float
    number: int  # in the order of the promises, for equal times
    callback: Callable[[], object] = field(compare=False)
    cancelled: bool = field(default=False, compare=False)

    def cancel(self) -> None:
        self.cancelled = True


class VirtualClock:
    """A clock that stands still until the test advances it.

    Args:
        start: what it reads at first, in seconds.
    """

    def __init__(self, start: float = 0.0) -> None:
        self._now = start
        self._timers: list[_VirtualTimer] = []
        self._numbers = itertools.count()

    def now(self) -> float:
        """Seconds on this clock."""
        return self._now

    def call_at(self, when: float, callback: Callable[[], object]) -> _VirtualTimer:
        """Call `callback` once the clock has been advanced to `when`; at once if it has been."""
        timer = _VirtualTimer(when, next(self._numbers), callback)
        if when <= self._now:
            asyncio.get_running_loop().call_soon(_fire, timer)
        else:
            heapq.heappush(self._timers, timer)
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
        """Let so much time pass: fire what is due in its order, each time until all is idle."""
        if seconds < 0:
            message = f"a clock cannot be advanced by {seconds} s; set() turns it back"
            raise ValueError(message)
        target = self._now + seconds
        await settle()
        while self._timers and self._timers[0].when <= target:
            timer = heapq.heappop(self._timers)
            self._now = max(self._now, timer.when)
            _fire(timer)
            await settle()
        self._now = max(self._now, target)
        await settle()

    @property
    def pending(self) -> int:
        """How many timers are set."""
        return sum(not timer.cancelled for timer in self._timers)

    def __repr__(self) -> str:
        return f"VirtualClock({self._now})"


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _fire(timer: _VirtualTimer) -> None:
    if not timer.cancelled:
        timer.callback()


async def settle() -> None:
    """Let every other task run until it waits for something."""
    loop = asyncio.get_running_loop()
    ready = getattr(loop, "_ready", None)  # asyncio's own loops keep what can run now here
    if ready is None:
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return
    await asyncio.sleep(0)
    while ready:  # noqa: ASYNC110  nobody announces that nothing is left to run
        await asyncio.sleep(0)


@dataclass(frozen=True, slots=True)
class Event:
    """Something observable that happened in a run.

    Attributes:
        at: the time on the clock.
        kind: what it was, such as `"pull"`, `"output"`, `"error"` or `"end"`.
        value: the item, the output or the exception.
    """

    at: float
    kind: str
    value: Item = None


class Recorder:
    """Writes down what happens, in order.

    Args:
        clock: gives the times; without one they are all 0.
    """

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self._clock = clock
        self.events: list[Event] = []

    def note(self, kind: str, value: Item = None) -> None:
        """Write one event down."""
        self.events.append(Event(self._clock.now() if self._clock else 0.0, kind, value))

    def values(self, kind: str) -> list[Item]:
        """Give the values of the events of one kind."""
        return [event.value for event in self.events if event.kind == kind]

    @property
    def outputs(self) -> list[Item]:
        """Give the outputs."""
        return self.values("output")

    @property
    def story(self) -> list[tuple[str, Item]]:
        """Give the events without their times."""
        return [(event.kind, event.value) for event in self.events]

    async def feed(self, items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Item]:
        """Give the items as an async generator, noting each `"pull"`, and `"closed"` at the end."""
        try:
            if isinstance(items, AsyncIterable):
                async for item in items:
                    self.note("pull", item)
                    yield item
            else:
                for item in items:
                    self.note("pull", item)
                    yield item
        finally:
            self.note("closed")

    def feed_plain(self, items: Iterable[Item]) -> Iterator[Item]:
        """Do the same as a plain generator."""
        try:
            for item in items:
                self.note("pull", item)
                yield item
        finally:
            self.note("closed")

    async def consume(self, run: AsyncIterable[Item]) -> None:
        """Take everything from a run, noting each `"output"`, and the `"error"` or the `"end"`."""
        try:
            async for output in run:
                self.note("output", output)
        except Exception as error:  # noqa: BLE001  it is what the test asks for
            self.note("error", error)
        else:
            self.note("end")


class ScriptedSource:
    """An async source that does what it is told, before the run or during it.

    When the script is done, it waits for more of it.

    Args:
        clock: measures `idle`.
    """

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self._clock = clock
        self._script: deque[tuple[Literal["emit", "idle", "end", "fail"], Item]] = deque()
        self._more: asyncio.Future[None] | None = None
        self.asked = 0  # how many items it was asked for
        self.given = 0  # how many it has given

    def emit(self, *items: Item) -> Self:
        """Give items, one for each time it is asked."""
        for item in items:
            self._tell("emit", item)
        return self

    def idle(self, seconds: float) -> Self:
        """Let time pass before what comes next.

        Raises:
            RuntimeError: when there is no clock to measure it.
            ValueError: for a negative time.
        """
        if self._clock is None:
            message = "idle() needs a clock: ScriptedSource(clock)"
            raise RuntimeError(message)
        if seconds < 0:
            message = f"a source cannot be idle for {seconds} s"
            raise ValueError(message)
        self._tell("idle", seconds)
        return self

    def end(self) -> Self:
        """End."""
        self._tell("end", None)
        return self

    def fail(self, error: BaseException) -> Self:
        """Raise."""
        self._tell("fail", error)
        return self

    def _tell(self, what: Literal["emit", "idle", "end", "fail"], value: Item) -> None:
        self._script.append((what, value))
        if self._more is not None and not self._more.done():
            self._more.set_result(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        self.asked += 1
        while True:
            while not self._script:
                self._more = asyncio.get_running_loop().create_future()
                await self._more
            what, value = self._script[0]
            if what == "idle":
                await self._pass_time(value)
                self._script.popleft()
                continue
            if what == "end":
                raise StopAsyncIteration  # stays in the script: an end is for ever
            self._script.popleft()
            if what == "fail":
                raise value
            self.given += 1
            return value

    async def _pass_time(self, seconds: float) -> None:
        assert self._clock is not None  # noqa: S101  idle() has looked
        await self._clock.sleep(seconds)


class MockSyncPipe(SyncBasePipe[Any, Any]):
    """Records its `.calls`, and after a delay returns a value or raises.

    Args:
        returns: what every call returns.
        error: what every call raises instead.
        delay: seconds before that.
        clock: is moved on by the delay; without one the call really blocks.
        name: the pipe's name.
    """

    def __init__(
        self,
        returns: Item = None,
        *,
        error: Exception | None = None,
        delay: float = 0.0,
        clock: VirtualClock | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.returns = returns
        self.error = error
        self.delay = delay
        self.calls: list[Item] = []
        self._wait = time.sleep if clock is None else clock.wait

    def process(self, data: Item) -> Item:
        """Record the call."""
        self.calls.append(data)
        if self.delay:
            self._wait(self.delay)
        if self.error is not None:
            raise self.error
        return self.returns


class MockAsyncPipe(AsyncBasePipe[Any, Any]):
    """Records its `.calls`, and after a delay returns a value or raises.

    Args:
        returns: what every call returns.
        error: what every call raises instead.
        delay: seconds before that.
        clock: measures the delay; the event loop's time if left out.
        name: the pipe's name.
    """

    def __init__(
        self,
        returns: Item = None,
        *,
        error: Exception | None = None,
        delay: float = 0.0,
        clock: VirtualClock | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.returns = returns
        self.error = error
        self.delay = delay
        self.calls: list[Item] = []
        self._sleep = asyncio.sleep if clock is None else clock.sleep

    async def process(self, data: Item) -> Item:
        """Record the call."""
        self.calls.append(data)
        if self.delay:
            await self._sleep(self.delay)
        if self.error is not None:
            raise self.error
        return self.returns


class MockSyncSource:
    """An iterable of given items that counts how often it was iterated."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = list(items)
        self.iterations = 0

    def __iter__(self) -> Iterator[Item]:
        self.iterations += 1
        return iter(self.items)


class MockAsyncSource:
    """An async iterable of given items that counts how often it was iterated."""

    def __init__(self, items: Iterable[Item]) -> None:
        self.items = list(items)
        self.iterations = 0

    async def __aiter__(self) -> AsyncIterator[Item]:
        self.iterations += 1
        for item in self.items:
            yield item

"""Sources that a test has in its hand."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Literal, Self

from rivusio.items import Item
from rivusio.testing.clock import VirtualClock


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

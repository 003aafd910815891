"""What is recorded: a pipe, and what the two ends of its run do, its source and its consumer."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, Self

from rivusio.graph.settings import StageConfig
from rivusio.pipes.base import BasePipe
from rivusio.testing.clock import VirtualClock
from rivusio.testing.notes import note, pause, wait

Step = tuple[Literal["emit", "idle", "pause", "fail"], Any]  # an item may be of any type
Kind = Literal["list", "iterable", "generator", "async_iterable", "async_generator"]


@dataclass(frozen=True, slots=True)
class SourceScript:
    """A source that does the same each time.

    Attributes:
        steps: `("emit", item)`; `("idle", seconds)`; `("pause", None)`, a turn of the event loop
            where the source is async; `("fail", error)`. After the last it ends.
        kind: what it is: a `list` has only items, and cannot tell when it is asked for them.
    """

    steps: tuple[Step, ...]
    kind: Kind = "async_generator"

    @classmethod
    def of(cls, items: Iterable[Any], kind: Kind = "async_generator") -> Self:
        """Give a source of some items."""
        return cls(tuple(("emit", item) for item in items), kind)

    @property
    def items(self) -> list[Any]:
        """Its items."""
        return [_copy_item(value) for what, value in self.steps if what == "emit"]

    def source(self, clock: VirtualClock) -> Iterable[Any] | AsyncIterable[Any]:
        """Make the source for one run.

        It notes `"ask"`, and `"pull"` with each item; a generator its `"source closed"` as well.
        """
        match self.kind:
            case "list":
                return self.items
            case "iterable":
                return _Iterable(self.steps, clock)
            case "generator":
                return _generator(self.steps, clock)
            case "async_iterable":
                return _AsyncIterable(self.steps)
            case "async_generator":
                return _async_generator(self.steps)


@dataclass(frozen=True, slots=True)
class ConsumerScript:
    """A consumer that does the same each time.

    Attributes:
        entry: `"stream"`; `"iterate"` for a sync chain; or `"process"`, which takes the items of
            the source one by one through a chain of 1:1 stages.
        takes: after so many outputs it does what `leaves` says; `None` takes all.
        leaves: a bare `"break"` out of the loop; `"aclose"`; `"with"`, the end of an `async with`
            block; `"raise"`, an error of its own in such a block; or `"stop"`, which takes what
            comes after `Run.stop()`.
        slow: seconds that it takes for each output.
        cancelled_at: it is cancelled at the n-th `pause` or `wait` of the recording, from 1.
        cancelled_after: it is cancelled after so many seconds.
        stops_after: it calls `Run.stop()` after so many seconds.
    """

    entry: Literal["stream", "iterate", "process"] = "stream"
    takes: int | None = None
    leaves: Literal["break", "aclose", "with", "raise", "stop"] = "break"
    slow: float = 0.0
    cancelled_at: int | None = None
    cancelled_after: float | None = None
    stops_after: float | None = None


@dataclass(frozen=True, slots=True)
class RunScript:
    """A run that is to be recorded.

    Attributes:
        pipe: a pipe or a chain.
        source: what its source does.
        consumer: what its consumer does.
        config: the settings of the run.
    """

    pipe: BasePipe[Any, Any]
    source: SourceScript
    consumer: ConsumerScript
    config: StageConfig | None


class _Iterable:
    """A source that is no generator: closing it is not the run's business."""

    def __init__(self, steps: tuple[Step, ...], clock: VirtualClock) -> None:
        self._steps = iter(steps)
        self._clock = clock

    def __iter__(self) -> Iterator[Any]:
        note("source iterated")
        return _Iterator(self)

    def ask(self) -> Any:
        """Give the next item."""
        note("ask")
        for what, value in self._steps:
            if what == "emit":
                return _emit(value)
            if what == "fail":
                raise _copy_error(value)
            if what == "idle":
                self._clock.wait(value)
        raise StopIteration


class _Iterator:
    """Iterates a source; whoever has it may call `iter` on it once more, as a `for` loop does."""

    def __init__(self, source: _Iterable) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        return self._source.ask()


class _AsyncIterable:
    """The same, async."""

    def __init__(self, steps: tuple[Step, ...]) -> None:
        self._steps = iter(steps)

    def __aiter__(self) -> AsyncIterator[Any]:
        note("source iterated")
        return _AsyncIterator(self)

    async def ask(self) -> Any:
        """Give the next item."""
        note("ask")
        for what, value in self._steps:
            if what == "emit":
                return _emit(value)
            if what == "fail":
                raise _copy_error(value)
            await (wait(value) if what == "idle" else pause())
        raise StopAsyncIteration


class _AsyncIterator:
    """The same, async."""

    def __init__(self, source: _AsyncIterable) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return await self._source.ask()


def _generator(steps: tuple[Step, ...], clock: VirtualClock) -> Iterator[Any]:
    source = _Iterable(steps, clock)
    try:
        while True:
            try:
                item = source.ask()
            except StopIteration:
                return
            yield item
    finally:
        note("source closed")


async def _async_generator(steps: tuple[Step, ...]) -> AsyncIterator[Any]:
    source = _AsyncIterable(steps)
    iterating = asyncio.current_task()
    try:
        while True:
            try:
                item = await source.ask()
            except StopAsyncIteration:
                return
            yield item
    finally:
        same = asyncio.current_task() is iterating
        note("source closed", "by the task that iterated it" if same else "by another task")


def _emit(item: Any) -> Any:
    item = _copy_item(item)  # a stage may change it, and the next run shall not see that
    note("pull", item)
    return item


def _copy_item(item: Any) -> Any:
    """Give a copy of an item; a flat one where it holds what has none, such as a lock.

    What has no copy at all, such as a generator, is given itself.
    """
    for copier in (copy.deepcopy, copy.copy):
        with suppress(Exception):  # a user's __deepcopy__ or __reduce__ may do anything
            return copier(item)
    return item


def _copy_error(error: BaseException) -> BaseException:
    """Give an error that was not raised before, as far as it can be copied."""
    with suppress(Exception):  # an __init__ with arguments of its own: it has no copy
        copied: object = copy.copy(error)
        if isinstance(copied, BaseException):
            return copied
    return error.with_traceback(None)

"""The source of a compiled run: the generated loop iterates the user's iterable itself."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from typing import Any

from rivusio.compiled.tasks import awaits, is_being_cancelled, task_that_awaits
from rivusio.engine.run_state import RunState
from rivusio.engine.source import Source
from rivusio.items import Item

CHUNK = 1024  # items of a plain iterable that are numbered at once


class Feed(Source):
    """Items of the user's iterable, which a generated loop takes without asking here.

    A loop over a plain iterable takes its items beside numbers, `zip(feed.numbers(...), items)`:
    when the run is stopped there are no more numbers, so that the iterable is not asked again. A
    loop over an async iterable looks at `is_over` after each item.
    """

    def __init__(
        self, run: RunState, items: Iterable[Item] | AsyncIterable[Item], lines: frozenset[int]
    ) -> None:
        super().__init__(run, items)
        self._lines = lines  # of generated code, where it waits for an async iterable
        self._numbers: list[int] = []
        self._last = -1  # the last of the numbers
        self._loop: weakref.ref[Any] | None = None
        self._task: asyncio.Task[Any] | None = None

    def runs_in(self, loop: Any) -> None:  # an async generator or a coroutine, of whatever types
        """Note the generated loop that iterates the source."""
        self._loop = weakref.ref(loop)  # weak: a run that was abandoned must be collected

    def items(self) -> Iterator[Item]:
        """Open a plain iterable; not where the run was stopped before it."""
        if self.is_over:
            return self._plain
        self._plain = iter(self._items)  # type: ignore[arg-type]  # not async: see Source
        return self._plain

    def numbers(self, item_index: int) -> list[int]:
        """Give the numbers of the next items; none once the source has ended or shall end.

        `item_index` is the number of the last item, -1 before the first.
        """
        if self.is_over or item_index != self._last:
            return []
        count = item_index + 1
        size = min(CHUNK, self._turn_every - count % self._turn_every)
        self._last = item_index + size
        self._numbers = list(range(count, count + size))
        return self._numbers

    async def turn(self, item_index: int) -> list[int]:
        """Do the same, after a turn for the event loop where one is due."""
        count = item_index + 1
        if count and item_index == self._last and count % self._turn_every == 0:
            await asyncio.sleep(0)
        return self.numbers(item_index)

    def async_items(self) -> AsyncIterator[Item]:
        """Open an async iterable; not where the run was stopped before it."""
        if self.is_over:
            return _nothing()
        self._task = asyncio.current_task()
        self._async = aiter(self._items)  # type: ignore[arg-type]  # async: see Source
        return self._async

    def arrived(self) -> None:
        """Count an item, in a run that is observed."""
        if self._run.counters is not None:
            self._run.counters.item_arrived()

    def stop(self) -> None:
        """Make the source end before the next item is asked for."""
        super().stop()
        self._numbers.clear()

    def interrupt(self) -> None:
        """End the source now, also where the loop waits for it."""
        if self._loop is None:  # nothing generated iterates it: it is pulled
            super().interrupt()
            return
        self.stop()
        if self._cancelled_by_us or (task := self._waiting_task()) is None:
            return
        self._waiting = task
        self._cancelling = task.cancelling() - is_being_cancelled(task)
        self._cancelled_by_us = True
        task.cancel()

    def _waiting_task(self) -> asyncio.Task[Any] | None:
        """Give the task in which the loop waits for the source, if it does."""
        loop = None if self._loop is None else self._loop()
        frame = getattr(loop, "ag_frame", None) or getattr(loop, "cr_frame", None)
        if frame is None or frame.f_lineno not in self._lines:
            return None
        if self._task is not None and awaits(self._task, loop):
            return self._task
        return task_that_awaits(loop)

    def ended_by_stop(self) -> bool:
        """Undo the cancellation that `interrupt` has asked for; tell whether it was the only one.

        Called where a loop has left its source, by whatever way.
        """
        return self._took_our_cancel_back()


async def _nothing() -> AsyncIterator[Item]:
    nothing: tuple[Item, ...] = ()
    for item in nothing:
        yield item

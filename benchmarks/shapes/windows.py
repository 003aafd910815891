"""Lists that time closes: a tumbling window over a plain and an async source, a batch that lingers.

Over an async source a list must be closed while the source is idle, and the item that is being
waited for must not be lost: so a task reads, and a timer closes what it holds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from datetime import timedelta

from benchmarks.shape import Fails, Shape, failed, in_bursts, numbers
from benchmarks.shapes.arithmetic import Scale
from rivusio import batch, tumbling
from rivusio.time.clock import Clock, Timer

SCALE = Scale(3)
SECONDS = 1.0

# The same settings as the expert's loops have.
tumbled = SCALE >> tumbling(timedelta(seconds=1)) >> sum
lingering = SCALE >> batch(100, timedelta(seconds=1)) >> sum


def tumbled_by_hand(items: Iterable[int], clock: Clock | None = None) -> Iterator[int]:
    """Look at the clock for each item; the bounds are multiples of the size: nothing drifts."""
    now = time.monotonic if clock is None else clock.now
    scale = SCALE
    held: list[int] = []
    start = end = -1.0
    number = 0
    for index, item in enumerate(items):
        try:
            scaled = item * scale.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        at = now()
        if at < end:
            held.append(scaled)
            continue
        if not index:
            start = at
        full, held = held, [scaled]
        number = max(number, int((at - start) // SECONDS) - 1)
        while at >= (end := start + (number + 1) * SECONDS):
            number += 1
        if full:
            try:
                total = sum(full)
            except Exception as error:
                raise failed("sum", error, 2, full, index) from error
            yield total
    if held:
        try:
            total = sum(held)
        except Exception as error:
            raise failed("sum", error, 2, held, None) from error
        yield total


List = tuple[int | None, list[int]]  # the number of the item that has closed it, and the list


class Handover:
    """What a reader and a timer hand over to the consumer, one list after the other.

    The reader goes on only while the consumer wants something: nothing is read ahead.
    """

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.ready: deque[List] = deque()
        self.is_over = False
        self.is_wanted = False
        self._filled: asyncio.Future[None] | None = None
        self._wanted: asyncio.Future[None] | None = None

    def give(self, index: int | None, items: list[int]) -> None:
        """Hand a list over."""
        self.ready.append((index, items))
        self.is_wanted = False
        self._wake()

    def end(self, _: object = None) -> None:
        """Say that nothing more will come."""
        self.is_over = True
        self._wake()

    def _wake(self) -> None:
        if self._filled is not None and not self._filled.done():
            self._filled.set_result(None)

    async def wanted(self) -> None:
        """Wait until the consumer asks."""
        if not self.is_wanted:
            self._wanted = self.loop.create_future()
            await self._wanted

    async def filled(self) -> None:
        """Ask, and wait until there is something."""
        self.is_wanted = True
        if self._wanted is not None and not self._wanted.done():
            self._wanted.set_result(None)
        self._filled = self.loop.create_future()
        await self._filled


async def given_by(reader: asyncio.Task[None], lists: Handover) -> AsyncIterator[List]:
    """Give what a reader hands over, then its error; and leave nothing behind."""
    reader.add_done_callback(lists.end)
    try:
        while True:
            while lists.ready:
                yield lists.ready.popleft()
            if lists.is_over:
                break
            await lists.filled()
        await reader
    finally:
        reader.cancel()


async def tumbled_async_by_hand(
    items: AsyncIterable[int], clock: Clock | None = None
) -> AsyncIterator[int]:
    """A task reads and looks at the clock; a timer closes the window of a source that is idle."""
    lists = Handover()
    now = time.monotonic if clock is None else clock.now
    call_at = lists.loop.call_at if clock is None else clock.call_at
    held: list[int] = []
    start = end = -1.0
    number = 0
    timer: asyncio.TimerHandle | Timer | None = None

    def close() -> None:
        nonlocal held, end, number, timer
        timer = None
        full, held = held, []
        number += 1
        end = start + (number + 1) * SECONDS
        lists.give(None, full)

    async def read() -> None:
        nonlocal held, start, end, number, timer
        scale = SCALE
        index = -1
        async for item in items:
            index += 1
            try:
                scaled = item * scale.factor
            except Exception as error:
                raise failed("Scale", error, 0, item, index) from error
            at = now()
            if at < end:
                held.append(scaled)
            else:
                if not index:
                    start = at
                full, held = held, [scaled]
                number = max(number, int((at - start) // SECONDS) - 1)
                while at >= (end := start + (number + 1) * SECONDS):
                    number += 1
                if timer is not None:
                    timer.cancel()
                    timer = None
                if full:
                    lists.give(index, full)
            if timer is None:
                timer = call_at(end, close)
            if not lists.is_wanted:
                await lists.wanted()
        if timer is not None:
            timer.cancel()
        if held:
            lists.give(None, held)

    try:
        async for index, full in given_by(asyncio.create_task(read()), lists):
            try:
                total = sum(full)
            except Exception as error:
                raise failed("sum", error, 2, full, index) from error
            yield total
    finally:
        if timer is not None:
            timer.cancel()


async def lingering_by_hand(
    items: AsyncIterable[int], clock: Clock | None = None
) -> AsyncIterator[int]:
    """A task reads; a timer closes a batch that has waited too long for its last item."""
    lists = Handover()
    now = time.monotonic if clock is None else clock.now
    call_at = lists.loop.call_at if clock is None else clock.call_at
    held: list[int] = []
    deadline = 0.0
    timer: asyncio.TimerHandle | Timer | None = None

    def close() -> None:
        nonlocal held, timer
        timer = None
        full, held = held, []
        lists.give(None, full)

    async def read() -> None:
        nonlocal held, deadline, timer
        scale = SCALE
        index = -1
        async for item in items:
            index += 1
            try:
                scaled = item * scale.factor
            except Exception as error:
                raise failed("Scale", error, 0, item, index) from error
            at = now()
            full = None
            if held and at >= deadline:
                full, held = held, []
            held.append(scaled)
            if len(held) == 1:
                deadline = at + SECONDS
                if timer is not None:
                    timer.cancel()
                timer = call_at(deadline, close)
            elif len(held) == 100:
                full, held = held, []
                if timer is not None:
                    timer.cancel()
                    timer = None
            if full is not None:
                lists.give(index, full)
            if not lists.is_wanted:
                await lists.wanted()
        if timer is not None:
            timer.cancel()
        if held:
            lists.give(None, held)

    try:
        async for index, full in given_by(asyncio.create_task(read()), lists):
            try:
                total = sum(full)
            except Exception as error:
                raise failed("sum", error, 2, full, index) from error
            yield total
    finally:
        if timer is not None:
            timer.cancel()


SHAPES = (
    Shape(
        name="tumbling",
        about="a stage, a tumbling window over a plain source, a sum",
        chain=tumbled,
        expert=tumbled_by_hand,
        items=numbers,
        count=15_000,
        timed=True,
        failing=(None, Fails(0), Fails(1)),
    ),
    Shape(
        name="tumbling_async",
        about="a stage, a tumbling window over an async source, a sum",
        chain=tumbled,
        expert=tumbled_async_by_hand,
        items=numbers,
        count=8_000,
        way="stream",
        source=in_bursts,
        timed=True,
        failing=(None, Fails(0), Fails(1)),
    ),
    Shape(
        name="linger",
        about="a stage, `batch(100, linger)` over an async source, a sum",
        chain=lingering,
        expert=lingering_by_hand,
        items=numbers,
        count=8_000,
        way="stream",
        source=in_bursts,
        timed=True,
        failing=(None, Fails(0), Fails(1)),
    ),
)

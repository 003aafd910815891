"""What needs tasks of its own, or a stream of the user's: user streams, concurrency, buffers."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from benchmarks.shape import BURST, Fails, Shape, failed, in_bursts, numbers
from benchmarks.shapes.arithmetic import Scale, Shift
from rivusio import BackpressureConfig, StreamPipe, pipe

SCALE, SHIFT = Scale(3), Shift(7)


class Changes(StreamPipe[int, int]):
    """How much each item differs from the one before it."""

    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
        """Remember the last one."""
        last = 0
        async for item in stream:
            yield item - last
            last = item


changes = SCALE >> Changes() >> SHIFT


async def changes_by_hand(items: AsyncIterable[int]) -> AsyncIterator[int]:
    """One loop; behind a user's stream nobody knows the number of an item."""
    scale, shift = SCALE, SHIFT
    last = 0
    index = -1
    async for item in items:
        index += 1
        try:
            scaled = item * scale.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        try:
            change = scaled - last
        except Exception as error:
            raise failed("Changes", error, 1, scaled, None) from error
        try:
            shifted = change + shift.by
        except Exception as error:
            raise failed("Shift", error, 2, change, None) from error
        yield shifted
        last = scaled


LIMIT = 10


@pipe
async def fetch(number: int) -> int:
    """Ask a service that answers in the next turn of the loop."""
    await asyncio.sleep(0)
    return number + 1


async def _fetch(number: int) -> int:
    await asyncio.sleep(0)
    return number + 1


fetched = fetch.concurrent(10)


async def fetched_by_hand(items: Iterable[int]) -> AsyncIterator[int]:
    """A deque of tasks; the oldest is delivered before more than ten are started."""
    started: deque[tuple[asyncio.Task[int], int, int]] = deque()
    try:
        for index, item in enumerate(items):
            started.append((asyncio.create_task(_fetch(item)), item, index))
            if len(started) == LIMIT:
                task, data, number = started.popleft()
                try:
                    result = await task
                except Exception as error:
                    raise failed("fetch", error, 0, data, number) from error
                yield result
        while started:
            task, data, number = started.popleft()
            try:
                result = await task
            except Exception as error:
                raise failed("fetch", error, 0, data, number) from error
            yield result
    finally:
        for task, _, _ in started:
            task.cancel()
        await asyncio.gather(*(task for task, _, _ in started), return_exceptions=True)


SIZE = 1_000

buffered = (
    StreamPipe[int, int](BackpressureConfig(max_buffer_size=1_000, throttle_threshold=1.0)) >> SHIFT
)


class Buffer:
    """What a reader has taken from a source and nobody has asked for yet: at most `SIZE` items."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.items: deque[int] = deque()
        self.is_over = False
        self._waiting: asyncio.Future[None] | None = None  # for an item, or for room

    async def change(self) -> None:
        """Wait for the other side."""
        self._waiting = self.loop.create_future()
        await self._waiting

    def changed(self, _: object = None) -> None:
        """Wake the other side, if it waits."""
        if self._waiting is not None:
            if not self._waiting.done():
                self._waiting.set_result(None)
            self._waiting = None

    def end(self, _: object) -> None:
        """Say that nothing more will come."""
        self.is_over = True
        self.changed()


async def _fill_from_plain(buffer: Buffer, items: Iterable[int]) -> None:
    held = buffer.items
    for read, item in enumerate(items, 1):
        held.append(item)
        if read % BURST == 0 or len(held) >= SIZE:
            buffer.changed()
            await asyncio.sleep(0)
            while len(held) >= SIZE:
                await buffer.change()


async def _fill_from_async(buffer: Buffer, items: AsyncIterable[int]) -> None:
    held = buffer.items
    async for item in items:
        held.append(item)
        if len(held) == 1:
            buffer.changed()
        while len(held) >= SIZE:
            await buffer.change()


async def _buffered(buffer: Buffer, reader: asyncio.Task[None]) -> AsyncIterator[int]:
    shift = SHIFT
    held = buffer.items
    reader.add_done_callback(buffer.end)
    index = -1
    try:
        while True:
            while held:
                if len(held) == SIZE:
                    buffer.changed()
                item = held.popleft()
                index += 1
                try:
                    shifted = item + shift.by
                except Exception as error:
                    raise failed("Shift", error, 1, item, index) from error
                yield shifted
            if buffer.is_over:
                break
            await buffer.change()
        await reader
    finally:
        reader.cancel()


async def buffered_plain_by_hand(items: Iterable[int]) -> AsyncIterator[int]:
    """A task fills a deque in bursts of 64, and waits while it is full: nothing is dropped."""
    buffer = Buffer()
    async for shifted in _buffered(buffer, asyncio.create_task(_fill_from_plain(buffer, items))):
        yield shifted


async def buffered_async_by_hand(items: AsyncIterable[int]) -> AsyncIterator[int]:
    """The same; the source's own waits give the consumer its turns."""
    buffer = Buffer()
    async for shifted in _buffered(buffer, asyncio.create_task(_fill_from_async(buffer, items))):
        yield shifted


async def unbuffered_by_hand(items: Iterable[int]) -> AsyncIterator[int]:
    """The loop without any buffer: what a buffer costs that is not needed."""
    shift = SHIFT
    for index, item in enumerate(items):
        try:
            shifted = item + shift.by
        except Exception as error:
            raise failed("Shift", error, 1, item, index) from error
        yield shifted


SHAPES = (
    Shape(
        name="user_stream",
        about="a stage, a user's `process_stream`, a stage, over an async source",
        chain=changes,
        expert=changes_by_hand,
        items=numbers,
        count=8_000,
        way="stream",
        source=in_bursts,
        failing=(None, Fails(0), Fails(1), Fails(2)),
    ),
    Shape(
        name="concurrent",
        about="`concurrent(10)` over a coroutine, against a deque of tasks",
        chain=fetched,
        expert=fetched_by_hand,
        items=numbers,
        count=600,
        way="stream",
        reads_ahead=True,
        failing=(None, Fails(0)),
    ),
    Shape(
        name="buffer_plain",
        about="a buffer before a plain source, against a deque and futures",
        chain=buffered,
        expert=buffered_plain_by_hand,
        items=numbers,
        count=2_000,
        times=4,
        way="stream",
        reads_ahead=True,
        failing=(None, Fails(0)),
    ),
    Shape(
        name="buffer_unneeded",
        about="a buffer before a plain source, against the loop without one",
        chain=buffered,
        expert=unbuffered_by_hand,
        items=numbers,
        count=2_000,
        times=10,
        way="stream",
        reads_ahead=True,
        failing=(None, Fails(0)),
    ),
    Shape(
        name="buffer_async",
        about="a buffer before an async source, against a deque and futures",
        chain=buffered,
        expert=buffered_async_by_hand,
        items=numbers,
        count=4_000,
        way="stream",
        source=in_bursts,
        reads_ahead=True,
        failing=(None, Fails(0)),
    ),
)

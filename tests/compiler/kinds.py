"""One small chain for each kind of generated code."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta

from rivusio import (
    AsyncBasePipe,
    AsyncFlatMapPipe,
    BackpressureConfig,
    BatchStreamPipe,
    DeadLetter,
    FilterPipe,
    FlatMapPipe,
    SlidingWindowPipe,
    StreamConfig,
    StreamPipe,
    SyncBasePipe,
    WindowedStreamPipe,
    drop_none,
    map,
    take,
)

RATE = 3
SECOND = timedelta(seconds=1)


class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return 2 * data


class Grade(SyncBasePipe[int, int | str]):
    def __init__(self) -> None:
        super().__init__()
        self.__least = 10

    def process(self, data: int) -> int | str:
        if data < self.__least:
            return "low"
        return data * RATE


class Fetch(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        await asyncio.sleep(0)
        return data


class Ready(AsyncBasePipe[int, int]):
    """It never waits."""

    async def process(self, data: int) -> int:
        return data + RATE


class Positive(FilterPipe[int]):
    def keep(self, item: int) -> bool:
        return item > 0


class Found(SyncBasePipe[int, int | None]):
    def process(self, data: int) -> int | None:
        return {1: 10}.get(data)


class Known(SyncBasePipe[int | None, int]):
    def process(self, data: int | None) -> int:
        return data or 0


class Digits(FlatMapPipe[int, str]):
    def expand(self, data: int) -> Iterable[str]:
        yield from str(data)


class Pages(AsyncFlatMapPipe[int, int]):
    async def expand(self, data: int) -> AsyncIterator[int]:
        yield data


class Total(BatchStreamPipe[int, int]):
    async def process_batch(self, batch: list[int]) -> int:
        return sum(batch)


class Latest(SlidingWindowPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return window[-1]


class Seconds(WindowedStreamPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return len(window)


class Pairs(StreamPipe[int, int]):
    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in stream:
            yield item
            yield item


def text_of(number: int) -> str:
    return f"{number}"


set_aside: list[DeadLetter] = []


RETRIES = StreamConfig(retry_attempts=2)
SKIPS = StreamConfig(on_error="skip")
ASIDE = StreamConfig(on_error=set_aside.append)
TIMEOUT = StreamConfig(timeout=1.0)
BUFFERED = StreamConfig(backpressure=BackpressureConfig(max_buffer_size=10))

maps = Double() >> Grade()
functions = map(text_of) >> map(lambda text: len(text)) >> map(str)
awaits = Fetch() >> Ready()
filters = Double() >> Positive()
flat_maps = Positive() >> Digits()
async_flat_maps = Pages() >> Double()
treated_flat_maps = Double() >> Digits().with_config(RETRIES)
takes = Double() >> take(3)
take_none = Double() >> take(0)
batches = Double() >> Total(3) >> Double()
sliding = Double() >> Latest(3, 2)
tumbling = Double() >> Seconds(SECOND) >> Double()
lingering = Double() >> Total(3, linger=SECOND)
buffers = Double() >> Fetch().with_config(BUFFERED)
streams = Double() >> Pairs() >> Positive()
concurrent = Double() >> Fetch().concurrent(2)
retries = Grade().with_config(RETRIES)
timeouts = Double() >> Fetch().with_config(TIMEOUT)
skips = Positive().with_config(SKIPS) >> Double()
handlers = Double().with_config(ASIDE) >> Double()
skip_none = Found().with_config(StreamConfig(skip_none=True)) >> Known()
drops_none = Found() >> drop_none() >> Double()

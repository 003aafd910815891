"""What the type cases are about: pipes of every kind, and functions to join them with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from datetime import timedelta
from typing import Any

from rivusio import (
    AsyncBasePipe,
    AsyncFilterPipe,
    AsyncFlatMapPipe,
    AsyncPipeline,
    AsyncStream,
    BackpressureConfig,
    BasePipe,
    BatchStreamPipe,
    ExecutionStrategy,
    FilterPipe,
    FlatMapPipe,
    SlidingWindowPipe,
    StreamConfig,
    StreamPipe,
    SyncBasePipe,
    SyncPipeline,
    SyncStream,
    WindowedStreamPipe,
    batch,
    drop_none,
    filter,
    flat_map,
    map,
    pipe,
    skip,
    sliding,
    take,
    take_while,
    tumbling,
)

__all__ = [
    "DAY",
    "Any",
    "Ask",
    "AskDigits",
    "AskEven",
    "AskLook",
    "AskParse",
    "AsyncBasePipe",
    "AsyncFilterPipe",
    "AsyncFlatMapPipe",
    "AsyncIterator",
    "AsyncPipeline",
    "AsyncStream",
    "BackpressureConfig",
    "BasePipe",
    "BatchStreamPipe",
    "Callable",
    "Coroutine",
    "Count",
    "Digits",
    "Even",
    "ExecutionStrategy",
    "FilterPipe",
    "FlatMapPipe",
    "Halve",
    "Iterable",
    "Iterator",
    "Look",
    "Mean",
    "OneByOne",
    "Pairs",
    "Parse",
    "Rising",
    "Show",
    "SlidingWindowPipe",
    "StreamConfig",
    "StreamPipe",
    "SyncBasePipe",
    "SyncPipeline",
    "SyncStream",
    "Total",
    "WindowedStreamPipe",
    "ask_look",
    "ask_number",
    "ask_show",
    "batch",
    "drop_none",
    "filter",
    "flat_map",
    "is_large",
    "look",
    "map",
    "number",
    "numbers",
    "pipe",
    "show",
    "skip",
    "sliding",
    "take",
    "take_while",
    "timedelta",
    "tumbling",
]

DAY = timedelta(days=1)


class Parse(SyncBasePipe[str, int]):
    def process(self, data: str) -> int:
        return int(data)


class Show(SyncBasePipe[int, str]):
    def process(self, data: int) -> str:
        return str(data)


class Halve(SyncBasePipe[int, float]):
    def process(self, data: int) -> float:
        return data / 2


class Look(SyncBasePipe[int, int | None]):
    def process(self, data: int) -> int | None:
        return data or None


class Total(SyncBasePipe[list[int], int]):
    def process(self, data: list[int]) -> int:
        return sum(data)


class Ask(AsyncBasePipe[int, float]):
    async def process(self, data: int) -> float:
        return data / 2


class AskParse(AsyncBasePipe[str, int]):
    async def process(self, data: str) -> int:
        return int(data)


class AskLook(AsyncBasePipe[int, int | None]):
    async def process(self, data: int) -> int | None:
        return data or None


class Even(FilterPipe[int]):
    def keep(self, item: int) -> bool:
        return item % 2 == 0


class AskEven(AsyncFilterPipe[int]):
    async def keep(self, item: int) -> bool:
        return item % 2 == 0


class Digits(FlatMapPipe[int, str]):
    def expand(self, item: int) -> Iterator[str]:
        yield from str(item)


class AskDigits(AsyncFlatMapPipe[int, str]):
    async def expand(self, item: int) -> Iterable[str]:
        return str(item)


class OneByOne(StreamPipe[int, str]):
    async def process_item(self, item: int) -> str:
        return str(item)


class Pairs(StreamPipe[int, tuple[int, int]]):
    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[tuple[int, int]]:
        async for item in stream:
            yield item, await anext(stream)


class Mean(BatchStreamPipe[int, float]):
    async def process_batch(self, batch: list[int]) -> float:
        return sum(batch) / len(batch)


class Count(WindowedStreamPipe[int, int]):
    def process_window(self, window: list[int]) -> int:
        return len(window)


class Rising(SlidingWindowPipe[int, bool]):
    async def process_window(self, window: list[int]) -> bool:
        return window[0] < window[-1]


def number(text: str) -> int:
    return int(text)


async def ask_number(text: str) -> int:
    return int(text)


def show(value: float) -> str:
    return str(value)


async def ask_show(value: float) -> str:
    return str(value)


def look(text: str) -> int | None:
    return int(text) or None


async def ask_look(text: str) -> int | None:
    return int(text) or None


def numbers(text: str) -> list[int]:
    return [int(each) for each in text]


def is_large(value: float) -> bool:
    return value > 9

"""The chains that are measured, each beside its hand-written loop.

A hand-written loop keeps the contract of a run: it counts the items, keeps the input of the stage
at work, and wraps what fails in a `StreamError` that says which stage and which item it was.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from rivusio import BackpressureConfig, StreamError, StreamPipe, batch, filter, map, tumbling
from rivusio.pipeline import BasePipe

Item = Any  # every shape has items of its own
Loop = Callable[[Any], AsyncIterator[Any]]

FLIGHTS = Path(__file__).parent.parent / "examples" / "data" / "flights.jsonl"
CHUNK = 64  # items that an async source gives before it waits


@dataclass(frozen=True, slots=True)
class Shape:
    """A chain, the loop it stands for, and the items for both."""

    name: str
    chain: BasePipe[Item, Item]
    loop: Loop
    items: Callable[[], Iterable[Item] | AsyncIterable[Item]]
    count: int


async def chunks(items: Iterable[Item]) -> AsyncIterator[Item]:
    """An async source that waits once for each chunk of 64 items, as a network does."""
    for number, item in enumerate(items):
        if number % CHUNK == 0:
            await asyncio.sleep(0)
        yield item


# maps5: five plain functions over a plain iterable


def one(item: int) -> int:
    """Stand for a cheap sync stage."""
    return item + 1


async def maps5(items: Iterable[int]) -> AsyncIterator[int]:
    """Five calls, one behind the other."""
    index, stage, data = -1, 0, None
    try:
        for item in items:
            index += 1
            stage, data = 0, item
            a = one(item)
            stage, data = 1, a
            b = one(a)
            stage, data = 2, b
            c = one(b)
            stage, data = 3, c
            d = one(c)
            stage, data = 4, d
            yield one(d)
    except Exception as error:
        raise StreamError("one", error, stage=stage, item=data, item_index=index) from error


# async5: five coroutine functions that never wait, over an async source


async def async_one(item: int) -> int:
    """Stand for an async stage that does not wait."""
    return item + 1


async def async5(items: AsyncIterable[int]) -> AsyncIterator[int]:
    """Five awaits, one behind the other."""
    index, stage, data = -1, 0, None
    try:
        async for item in items:
            index += 1
            stage, data = 0, item
            a = await async_one(item)
            stage, data = 1, a
            b = await async_one(a)
            stage, data = 2, b
            c = await async_one(b)
            stage, data = 3, c
            d = await async_one(c)
            stage, data = 4, d
            yield await async_one(d)
    except Exception as error:
        raise StreamError("one", error, stage=stage, item=data, item_index=index) from error


# await3: three stages, one of which really waits


async def waiting_one(item: int) -> int:
    """Stand for an async stage that waits for the network."""
    await asyncio.sleep(0)
    return item + 1


async def await3(items: AsyncIterable[int]) -> AsyncIterator[int]:
    """A call, a real wait, a call."""
    index, stage, data = -1, 0, None
    try:
        async for item in items:
            index += 1
            stage, data = 0, item
            a = one(item)
            stage, data = 1, a
            b = await waiting_one(a)
            stage, data = 2, b
            yield one(b)
    except Exception as error:
        raise StreamError("one", error, stage=stage, item=data, item_index=index) from error


# records: a tuple becomes a record, some are dropped, the rest are enriched and added up


@dataclass(frozen=True, slots=True)
class Record:
    """A price in its currency."""

    name: str
    price: float
    euro: float = 0.0


def parse(row: tuple[str, float]) -> Record:
    """Make a record of a row."""
    return Record(row[0], row[1])


def is_priced(record: Record) -> bool:
    """Tell whether there is a price."""
    return record.price > 0


def enrich(record: Record) -> Record:
    """Add the price in another currency."""
    return Record(record.name, record.price, record.price * 1.1)


def total(records: list[Record]) -> float:
    """Add the prices of a batch up."""
    return sum(record.euro for record in records)


def rows(count: int) -> list[tuple[str, float]]:
    """Make rows, one in four of them without a price."""
    return [(f"row {number}", float(number % 4)) for number in range(count)]


async def records(items: Iterable[tuple[str, float]]) -> AsyncIterator[float]:
    """The four stages in one loop."""
    index, stage = -1, 0
    data: object = None
    held: list[Record] = []
    try:
        for item in items:
            index += 1
            stage, data = 0, item
            record = parse(item)
            stage, data = 1, record
            if not is_priced(record):
                continue
            stage, data = 2, record
            held.append(enrich(record))
            if len(held) == 100:
                full, held = held, []
                stage, data = 4, full
                yield total(full)
        if held:
            yield total(held)
    except Exception as error:
        pending = tuple(held)
        raise StreamError(
            "stage", error, stage=stage, item=data, item_index=index, pending=pending
        ) from error


# flights: JSON lines, dropped or kept, counted in batches


def delay_of(line: str) -> int:
    """Parse a line."""
    delay: int = json.loads(line)["delay"]
    return delay


def is_late(delay: int) -> bool:
    """Tell whether a flight was not early."""
    return delay >= 0


async def flights(items: Iterable[str]) -> AsyncIterator[int]:
    """Parse, drop, and add up batches of 500."""
    index, stage = -1, 0
    data: object = None
    held: list[int] = []
    try:
        for item in items:
            index += 1
            stage, data = 0, item
            delay = delay_of(item)
            stage, data = 1, delay
            if not is_late(delay):
                continue
            held.append(delay)
            if len(held) == 500:
                full, held = held, []
                stage, data = 3, full
                yield sum(full)
        if held:
            yield sum(held)
    except Exception as error:
        pending = tuple(held)
        raise StreamError(
            "stage", error, stage=stage, item=data, item_index=index, pending=pending
        ) from error


# window: a time window that looks at the clock for each item


async def window(items: AsyncIterable[int]) -> AsyncIterator[list[int]]:
    """A tumbling window of a second, closed by the items that come after its end."""
    now = asyncio.get_running_loop().time
    held: list[int] = []
    index, end, size = -1, 0.0, 1.0
    try:
        async for item in items:
            index += 1
            time = now()
            if index == 0:
                end = time + size
            if time >= end:
                if held:
                    full, held = held, []
                    yield full
                end += size * ((time - end) // size + 1)
            held.append(item)
        if held:
            yield held
    except Exception as error:
        pending = tuple(held)
        raise StreamError("source", error, item_index=index, pending=pending) from error


# buffer: the reader runs ahead; beside it stands the same loop without any buffer


async def unbuffered(items: AsyncIterable[int]) -> AsyncIterator[int]:
    """One call."""
    index, data = -1, None
    try:
        async for item in items:
            index += 1
            data = item
            yield one(item)
    except Exception as error:
        raise StreamError("one", error, stage=1, item=data, item_index=index) from error


SHAPES = (
    Shape(
        "maps5",
        map(one) >> one >> one >> one >> one,
        maps5,
        lambda: range(20_000),
        20_000,
    ),
    Shape(
        "async5",
        map(async_one) >> async_one >> async_one >> async_one >> async_one,
        async5,
        lambda: chunks(range(20_000)),
        20_000,
    ),
    Shape(
        "await3",
        map(one) >> waiting_one >> one,
        await3,
        lambda: chunks(range(5_000)),
        5_000,
    ),
    Shape(
        "records",
        map(parse) >> filter(is_priced) >> map(enrich) >> batch(100) >> map(total),
        records,
        lambda: rows(20_000),
        20_000,
    ),
    Shape(
        "flights",
        map(delay_of) >> filter(is_late) >> batch(500) >> map(sum),
        flights,
        lambda: FLIGHTS.read_text(encoding="utf-8").splitlines(),
        6_000,
    ),
    Shape(
        "window",
        tumbling(timedelta(seconds=1)),
        window,
        lambda: chunks(range(20_000)),
        20_000,
    ),
    Shape(
        "buffer",
        StreamPipe[int, int](BackpressureConfig(max_buffer_size=1000, throttle_threshold=1.0))
        >> one,
        unbuffered,
        lambda: chunks(range(10_000)),
        10_000,
    ),
)

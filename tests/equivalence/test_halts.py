"""A `take` behind a buffer has all it wants: what the reader before it still does, in both modes.

Where the reader waits when that happens is tried by a consumer that lets some turns of the event
loop go by after each output.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

import rivusio
from rivusio import BackpressureConfig, BatchStreamPipe, StreamPipe, flat_map, map, take
from rivusio.artifacts.mode import Mode
from rivusio.compiler import compile_pipeline
from rivusio.testing import Recorder, settle

SEEN = Recorder()


async def later(item: int) -> int:
    SEEN.note("later", item)
    await asyncio.sleep(0)
    return item


async def twice_later(item: int) -> list[int]:
    SEEN.note("twice later", item)
    await asyncio.sleep(0)
    return [item, item]


def generated(item: int) -> Iterator[int]:
    SEEN.note("generated", item)
    yield item
    SEEN.note("generated once more", item)
    yield item


async def generated_later(item: int) -> AsyncIterator[int]:
    for turn in range(2):
        SEEN.note("generated later", turn)
        await asyncio.sleep(0)
        yield item


class Sizes(BatchStreamPipe[int, int]):
    def process_batch(self, batch: list[int]) -> int:
        SEEN.note("batch", batch)
        return len(batch)


class Same(StreamPipe[int, int]):
    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in stream:
            SEEN.note("stream", item)
            await asyncio.sleep(0)
            yield item


BEFORE: dict[str, Callable[[], Any]] = {
    "flat-map": lambda: flat_map(generated),
    "map, flat-map": lambda: map(later) >> flat_map(generated),
    "flat-map, map": lambda: flat_map(generated) >> map(later) >> Sizes(2),
    "awaited flat-map, batch": lambda: flat_map(twice_later) >> Sizes(1),
    "async flat-map, batch": lambda: flat_map(generated_later) >> Sizes(2),
    "stream, flat-map": lambda: Same() >> flat_map(generated),
}


async def waiting() -> AsyncIterator[int]:
    for item in range(6):
        SEEN.note("pull", item)
        if item % 2:
            await asyncio.sleep(0)
        yield item


def plain() -> Iterator[int]:
    for item in range(6):
        SEEN.note("pull", item)
        yield item


async def seen_of(chain: Any, source: Callable[[], Any], turns: int) -> list[tuple[str, Any]]:
    SEEN.events.clear()
    async for output in chain.stream(source()):
        SEEN.note("output", output)
        for _ in range(turns):
            await asyncio.sleep(0)
    await settle()
    return SEEN.story


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("size", [1, 2, 10])
async def test_a_reader_does_no_more_than_it_does_interpreted(before: str, size: int) -> None:
    buffer = BackpressureConfig(max_buffer_size=size, min_processing_time=0.0)
    modes: tuple[Mode, ...] = ("interpreted", "compiled")
    for count in (1, 2):
        chain = BEFORE[before]() >> take(count).with_config(buffer) >> map(later)
        compile_pipeline(chain)
        for source, turns in itertools.product((waiting, plain), range(4)):
            told = []
            for mode in modes:
                with rivusio.mode(mode):
                    told.append(await seen_of(chain, source, turns))
            assert told[0] == told[1], (count, source.__name__, turns)

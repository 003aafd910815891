"""Which source item it was, in every kind of run; and what is timed and counted when one fails."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from rivusio import (
    BackpressureConfig,
    BatchStreamPipe,
    PipelineMonitor,
    StreamConfig,
    StreamError,
    map,
)
from rivusio.testing import VirtualClock, settle
from tests.semantics.support import AsyncFailsOn, FailsOn, SlowDouble, in_turn, outputs_of

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")

ROOM = StreamConfig(backpressure=BackpressureConfig(max_buffer_size=100))


async def bursts(count: int, size: int) -> AsyncIterator[int]:
    """A source that waits, and then gives several at once."""
    for item in range(count):
        if item % size == 0:
            await asyncio.sleep(0)
        yield item


async def number_of(chain: Any, source: Any) -> int | None:
    with pytest.raises(StreamError) as caught:
        await outputs_of(chain, source)
    return caught.value.item_index


@pytest.mark.rule("6.1")
@pytest.mark.parametrize("bad", [0, 1, 5])
@pytest.mark.parametrize(
    "before",
    [
        [],
        [map(int)],
        [SlowDouble(), map(lambda item: item // 2)],
        [map(int), map(int).with_config(ROOM)],
        [map(int), AsyncFailsOn().concurrent(2)],
        [map(int).with_config(ROOM), map(int), AsyncFailsOn().concurrent(3), map(int)],
    ],
    ids=len,
)
async def test_the_number_of_the_item_that_failed(before: list[Any], bad: int) -> None:
    for last in (FailsOn(bad), AsyncFailsOn(bad), AsyncFailsOn(bad).concurrent(2)):
        chain: Any = map(int)
        for stage in (*before, last):
            chain = chain >> stage
        assert await number_of(chain, range(9)) == bad
        assert await number_of(chain, in_turn(range(9))) == bad


@pytest.mark.rule("7.2")
async def test_a_call_that_fails_is_timed(clock: VirtualClock) -> None:
    async def slow(_: int) -> int:
        await clock.sleep(2)
        raise ValueError

    monitor = PipelineMonitor()
    run = (map(slow) >> map(str)).stream([1], monitor=monitor, clock=clock)
    taking = asyncio.create_task(anext(run))
    await clock.advance(2)
    with pytest.raises(StreamError):
        await taking
    assert monitor.get_metrics()["stages"][0]["processing_time"].average == 2.0


@pytest.mark.rule("7.3")
async def test_the_items_of_a_batch_in_hand_are_discarded_each() -> None:
    class Waiting(BatchStreamPipe[int, int]):
        async def process_batch(self, batch: list[int]) -> int:
            await asyncio.Event().wait()
            return len(batch)

    monitor = PipelineMonitor()
    run = Waiting(3).stream(range(9), monitor=monitor)
    taking = asyncio.create_task(anext(run))
    await settle()
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    metrics = monitor.get_metrics()
    assert (metrics["items_in"], metrics["discarded"]) == (3, 3)


@pytest.mark.rule("3.7")
@pytest.mark.parametrize("kind", ["plain", "async"])
async def test_a_bare_break_closes_the_source_without_the_garbage_collector(kind: str) -> None:
    closed = []

    def plain() -> Iterator[int]:
        try:
            yield from range(9)
        finally:
            closed.append(kind)

    async def slow() -> AsyncIterator[int]:
        for item in plain():
            yield item

    gc.disable()
    try:
        async for _ in map(int).stream(plain() if kind == "plain" else slow()):
            break
        await settle()
        assert closed == [kind]
    finally:
        gc.enable()


@pytest.mark.rule("5.4")
@pytest.mark.parametrize("size", [1, 50])
async def test_what_a_buffer_tells_that_was_never_nearly_full(size: int) -> None:
    run = map(str).with_config(ROOM).stream(bursts(50, size))
    assert [await anext(run), await anext(run)] == ["0", "1"]
    await settle()
    [seen] = run.buffers
    assert (seen.current, seen.peak >= 48) == (48, True)
    assert [output async for output in run] == [str(number) for number in range(2, 50)]
    assert run.buffers[0].peak >= seen.peak


@pytest.mark.rule("5.4")
@pytest.mark.parametrize("turns", [0, 1, 2, 3, 7])
async def test_a_slow_consumer_gets_all_in_order(turns: int) -> None:
    small = StreamConfig(
        backpressure=BackpressureConfig(
            max_buffer_size=7, throttle_threshold=1.0, min_processing_time=0.0001
        )
    )
    for source in (range(60), in_turn(range(60)), bursts(60, 4), bursts(60, 9)):
        taken = []
        async for output in map(str).with_config(small).stream(source):
            taken.append(int(output))
            for _ in range(turns if len(taken) % 3 else 2 * turns):
                await asyncio.sleep(0)
        assert taken == list(range(60))


@pytest.mark.rule("5.2")
@pytest.mark.parametrize("size", [0, 20])
async def test_a_source_is_throttled_from_the_threshold_on(clock: VirtualClock, size: int) -> None:
    half = StreamConfig(
        backpressure=BackpressureConfig(
            max_buffer_size=10, throttle_threshold=0.5, min_processing_time=1
        )
    )
    source: Any = bursts(50, size) if size else range(50)
    run = map(str).with_config(half).stream(source, clock=clock)
    assert await anext(run) == "0"
    await settle()
    levels = [run.buffers[0].current]
    for _ in range(3):
        await clock.advance(1)
        levels.append(run.buffers[0].current)
    assert levels == [5, 6, 7, 8]
    await run.aclose()

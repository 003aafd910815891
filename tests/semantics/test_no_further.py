"""What is not asked for any more after a stop, a take that is satisfied, or an error."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest

from rivusio import (
    BackpressureConfig,
    BatchStreamPipe,
    Run,
    StreamConfig,
    batch,
    filter,
    flat_map,
    map,
    take,
)
from rivusio.testing import settle
from tests.semantics.support import outputs_of

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")


class Asked:
    """Sources that remember what was asked of them."""

    def __init__(self) -> None:
        self.items: list[int] = []
        self.closed = False

    def plain(self) -> Iterator[int]:
        try:
            for item in range(100):
                self.items.append(item)
                yield item
        finally:
            self.closed = True

    async def slow(self) -> AsyncIterator[int]:
        for item in self.plain():
            await asyncio.sleep(0)
            yield item


class Sizes(BatchStreamPipe[int, int]):
    """Gives the sizes of batches, and remembers them."""

    def __init__(self, batch_size: int) -> None:
        super().__init__(batch_size)
        self.batches: list[list[int]] = []

    def process_batch(self, batch: list[int]) -> int:
        self.batches.append(batch)
        return len(batch)


class Stops:
    """Stops its run at the third item, and then says what of it."""

    run: Run[Any]

    def keeps(self, item: int) -> bool:
        if item == 2:
            self.run.stop()
        return item < 2

    def fails(self, item: int) -> int:
        if item == 2:
            self.run.stop()
            raise ValueError
        return item


@pytest.mark.rule("3.6")
async def test_a_plain_source_is_asked_for_nothing_after_a_stop() -> None:
    asked = Asked()
    run = map(str).stream(asked.plain())
    assert [await anext(run), await anext(run)] == ["0", "1"]
    run.stop()
    assert [output async for output in run] == []
    assert (asked.items, asked.closed) == ([0, 1], True)


@pytest.mark.rule("3.6")
@pytest.mark.parametrize("taken", [3, 4, 5])
async def test_nothing_is_asked_for_after_a_stop_where_the_loop_is_to_get_a_turn(
    taken: int,
) -> None:
    asked = Asked()
    run = map(str).stream(asked.plain(), config=StreamConfig(yield_every=4))
    for _ in range(taken):
        await anext(run)
    run.stop()
    assert [output async for output in run] == []
    assert asked.items == list(range(taken))


@pytest.mark.rule("3.6")
@pytest.mark.parametrize("kind", ["plain", "slow"])
@pytest.mark.parametrize("way", ["filtered", "skipped", "passed"])
async def test_a_stage_that_stops_its_run_gets_no_further_item(kind: str, way: str) -> None:
    asked, stops = Asked(), Stops()
    stage: Any = filter(stops.keeps) if way == "filtered" else map(stops.fails)
    if way == "skipped":
        stage = stage.with_config(StreamConfig(on_error="skip"))
    if way == "passed":
        stage = stage.with_config(StreamConfig(on_error=lambda _: None))
    stops.run = (stage >> batch(10)).stream(getattr(asked, kind)())
    assert [output async for output in stops.run] == [[0, 1]]
    assert asked.items == [0, 1, 2]


@pytest.mark.rule("3.3")
async def test_a_take_asks_a_flat_map_for_no_more_than_it_needs() -> None:
    asked = Asked()
    chain = flat_map(lambda _: asked.plain()) >> take(2)
    assert list(chain.iterate([1, 2])) == [0, 1]
    assert (asked.items, asked.closed) == ([0, 1], True)
    slow = Asked()
    outputs = flat_map(lambda _: slow.plain()) >> map(str) >> take(3)
    assert await outputs_of(outputs, [1, 2]) == ["0", "1", "2"]
    assert (slow.items, slow.closed) == ([0, 1, 2], True)


@pytest.mark.rule("3.6")
async def test_a_satisfied_take_lets_no_batch_before_a_buffer_be_flushed() -> None:
    sizes = Sizes(2)
    small = BackpressureConfig(max_buffer_size=1, min_processing_time=0.001)
    chain = flat_map(lambda item: [item] * 3) >> sizes >> map(str).with_config(small) >> take(1)
    run = chain.stream([1])
    assert await anext(run) == "2"
    await settle()  # the reader goes on while the consumer has the floor
    assert [output async for output in run] == []
    assert sizes.batches == [[1, 1]]


@pytest.mark.rule("3.6")
async def test_a_source_that_ends_at_a_satisfied_take_flushes_no_batch_before_a_buffer() -> None:
    sizes = Sizes(2)

    async def ends_when_cancelled() -> AsyncIterator[int]:
        await asyncio.sleep(0)  # a source that waits is not slowed down
        for item in range(3):
            yield item
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)

    buffered = map(str).with_config(BackpressureConfig())
    run = (sizes >> buffered >> take(1)).stream(ends_when_cancelled())
    assert [output async for output in run] == ["2"]
    assert sizes.batches == [[0, 1]]


@pytest.mark.rule("3.6")
async def test_a_satisfied_take_gets_nothing_of_a_flat_map_that_is_on_its_way() -> None:
    async def twice(item: int) -> list[int]:
        await asyncio.sleep(0)
        return [item, item]

    chain = flat_map(twice) >> take(1).with_config(BackpressureConfig())
    async with chain.stream([1, 2]) as run:
        assert await anext(run) == 1
        await settle()  # 2 is on its way
        assert [each.current for each in run.buffers] == [1]


@pytest.mark.rule("6.10")
async def test_a_keyboard_interrupt_over_a_single_item_leaves_as_it_is() -> None:
    def interrupt(_: int) -> int:
        raise KeyboardInterrupt

    async def interrupt_later(_: int) -> int:
        await asyncio.sleep(0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        (map(interrupt) >> map(str))(1)
    retried = map(interrupt).with_config(StreamConfig(retry_attempts=3, retry_delay=0.0))
    with pytest.raises(KeyboardInterrupt):
        (retried >> map(str))(1)
    coroutine = (map(interrupt_later) >> map(str))(1)
    coroutine.send(None)  # by hand: a task would tear the loop down
    with pytest.raises(KeyboardInterrupt):
        coroutine.send(None)

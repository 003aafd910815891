"""§5: the bounded buffer, its four overflows, throttling and statistics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from rivusio import (
    BackpressureConfig,
    BufferOverflowError,
    PipelineMonitor,
    StreamConfig,
    StreamError,
    StreamPipe,
    batch,
    map,
)
from rivusio.graph.config import Overflow
from rivusio.testing import Recorder, ScriptedSource, VirtualClock, settle
from tests.semantics.support import Consumer, Double, account, in_turn, outputs_of

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")


def buffer(size: int, overflow: Overflow = "block", **options: Any) -> BackpressureConfig:
    """A buffer that does not throttle unless it is told to."""
    options = {"throttle_threshold": 1.0, "min_processing_time": 0.0} | options
    return BackpressureConfig(max_buffer_size=size, overflow=overflow, **options)


@pytest.mark.rule("5")
@pytest.mark.parametrize(
    "options",
    [
        {"config": buffer(2)},
        {"config": StreamConfig(backpressure=buffer(2))},
        {"config": StreamConfig(buffer_size=2)},
    ],
    ids=["backpressure", "stream-config", "buffer-size"],
)
async def test_it_can_be_given_to_a_stream(options: Any) -> None:
    run = Double().stream(range(5), **options)
    assert await anext(run) == 0
    (statistics,) = run.buffers
    assert (statistics.stage, statistics.max_buffer_size) == (0, 2)
    assert [output async for output in run] == [2, 4, 6, 8]


@pytest.mark.rule("5")
def test_its_defaults() -> None:
    config = BackpressureConfig()
    assert (config.max_buffer_size, config.throttle_threshold) == (1000, 0.8)
    assert (config.min_processing_time, config.overflow) == (0.1, "block")


@pytest.mark.rule("5", "5.1")
@pytest.mark.parametrize(
    "stage",
    [StreamPipe[Any, Any](buffer(3)), map(str).with_config(StreamConfig(backpressure=buffer(3)))],
    ids=["of-a-pipe", "with-config"],
)
async def test_it_stands_before_the_stage_that_carries_it(stage: Any) -> None:
    run = (Double() >> stage).stream(range(5))
    await anext(run)
    (statistics,) = run.buffers
    assert statistics.stage == 1
    await run.aclose()


@pytest.mark.rule("5.1")
async def test_the_reader_runs_ahead_of_the_consumer() -> None:
    recorder = Recorder()
    run = Double().stream(recorder.feed(range(9)), config=buffer(3))
    await settle()
    assert recorder.values("pull") == []  # not before the first item is asked for
    assert await anext(run) == 0
    await settle()
    assert recorder.values("pull") == [0, 1, 2, 3]  # one delivered, three buffered
    await run.aclose()


@pytest.mark.rule("5.1")
async def test_a_source_that_never_waits_gives_the_consumer_a_turn_after_each_item() -> None:
    def source() -> Iterator[int]:
        yield from range(1000)

    async def async_source() -> AsyncIterator[int]:
        for item in range(1000):
            yield item

    for items in (source(), async_source()):
        run = Double().stream(items, config=buffer(1000))
        outputs = [output async for output in run]
        assert outputs == [2 * item for item in range(1000)]
        assert run.buffers[0].peak <= 2


@pytest.mark.rule("5.1")
async def test_there_is_one_reader_task() -> None:
    tasks: set[Any] = set()

    def seen(item: int) -> int:
        tasks.add(asyncio.current_task())
        return item

    chain = map(seen) >> StreamPipe[int, int](buffer(4))
    await outputs_of(chain, range(20))
    assert len(tasks) == 1
    assert asyncio.current_task() not in tasks


@pytest.mark.rule("5.2")
async def test_at_the_threshold_the_reader_slows_down(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(*range(20))
    config = BackpressureConfig(max_buffer_size=10, throttle_threshold=0.5, min_processing_time=2.0)
    run = Double().stream(source, config=config, clock=clock)
    assert await anext(run) == 0
    await settle()
    assert run.buffers[0].current == 5  # up to the threshold at once
    await clock.advance(1.9)
    assert run.buffers[0].current == 5
    await clock.advance(0.1)
    assert run.buffers[0].current == 6
    await clock.advance(100)
    statistics = run.buffers[0]
    assert (statistics.current, statistics.peak) == (10, 10)
    assert statistics.throttled == pytest.approx(10.0)  # then it blocks, and is not throttled
    await run.aclose()


@pytest.mark.rule("5.2")
async def test_it_reads_on_as_soon_as_the_level_falls(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(*range(20))
    config = BackpressureConfig(
        max_buffer_size=10, throttle_threshold=0.3, min_processing_time=1000.0
    )
    run = Double().stream(source, config=config, clock=clock)
    assert await anext(run) == 0
    await settle()
    assert run.buffers[0].current == 3
    assert [await anext(run) for _ in range(2)] == [2, 4]
    await settle()
    assert run.buffers[0].current == 3
    assert clock.now() == 0
    await run.aclose()


@pytest.mark.rule("5.2")
async def test_stop_does_not_wait_for_a_throttled_reader(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(*range(20))
    config = BackpressureConfig(
        max_buffer_size=10, throttle_threshold=0.3, min_processing_time=1000.0
    )
    run = Double().stream(source, config=config, clock=clock)
    await anext(run)
    await settle()
    run.stop()
    assert [output async for output in run] == [2, 4, 6]


@pytest.mark.rule("5.2")
async def test_stop_ends_a_throttled_reader_though_the_consumer_is_busy(
    clock: VirtualClock,
) -> None:
    recorder = Recorder()
    config = BackpressureConfig(
        max_buffer_size=10, throttle_threshold=0.3, min_processing_time=1000.0
    )
    run = Double().stream(recorder.feed(range(20)), config=config, clock=clock)
    await anext(run)
    await settle()
    run.stop()
    await settle()
    assert recorder.story[-1] == ("closed", None)
    assert [output async for output in run] == [2, 4, 6]


@pytest.mark.rule("5.3")
async def test_block_waits(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(*range(9)).end()
    run = Double().stream(source, config=buffer(2), clock=clock)
    await anext(run)
    await settle()
    assert (source.given, run.buffers[0].current) == (3, 2)
    assert [output async for output in run] == [2 * item for item in range(1, 9)]
    assert run.buffers[0].dropped == 0


@pytest.mark.rule("5.3")
@pytest.mark.parametrize(
    ("overflow", "kept"), [("drop_oldest", [7, 8, 9]), ("drop_newest", [1, 2, 3])]
)
async def test_dropping_is_counted(
    overflow: Overflow, kept: list[int], clock: VirtualClock
) -> None:
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(*range(10)).end()
    run = map(str).stream(source, config=buffer(3, overflow), clock=clock, monitor=monitor)
    assert await anext(run) == "0"
    await settle()
    outputs = ["0", *[output async for output in run]]
    assert outputs == ["0", *[str(item) for item in kept]]
    assert run.buffers[0].dropped == monitor.get_metrics()["dropped"] == 6
    assert monitor.get_metrics()["stages"][0]["dropped"] == 6
    account(monitor, outputs)


@pytest.mark.rule("5.3")
async def test_fail_ends_the_run_with_all_that_was_buffered(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(*range(10))
    chain = Double() >> map(str).with_config(buffer(3, "fail"))
    run = chain.stream(source, clock=clock, monitor=monitor)
    assert await anext(run) == "0"
    await settle()
    with pytest.raises(StreamError, match="it may hold 3") as caught:
        await anext(run)
    error = caught.value
    assert isinstance(error.__cause__, BufferOverflowError)
    assert (error.stage, error.pipe, error.item, error.item_index) == (1, "str", 8, 4)
    assert error.pending == (2, 4, 6)
    account(monitor, ["0"], [error.item, *error.pending])


@pytest.mark.rule("5.4")
@pytest.mark.parametrize("overflow", ["block", "drop_oldest", "drop_newest"])
async def test_order_and_size_are_kept(overflow: Overflow) -> None:
    async def slow(item: int) -> int:
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return item

    run = map(slow).stream(range(200), config=buffer(5, overflow))
    outputs = [output async for output in run]
    assert outputs == sorted(outputs)
    assert run.buffers[0].peak <= 5
    assert len(outputs) + run.buffers[0].dropped == 200


@pytest.mark.rule("5.4")
async def test_an_error_of_the_source_comes_after_the_items_before_it(
    clock: VirtualClock,
) -> None:
    source = ScriptedSource(clock).emit(1, 2, 3).fail(OSError("gone"))
    consumer = Consumer(Double().stream(source, config=buffer(10), clock=clock), clock)
    await settle()
    assert consumer.values == [2, 4, 6]
    error = consumer.error
    assert isinstance(error, StreamError)
    assert (error.pipe, error.stage, error.item_index, error.pending) == ("source", None, 3, ())


@pytest.mark.rule("5.4")
async def test_an_error_of_the_source_waits_for_a_busy_consumer(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1, 2, 3).fail(OSError("gone"))
    run = Double().stream(source, config=buffer(10), clock=clock)
    assert await anext(run) == 2
    await settle()  # the source has failed by now
    assert [await anext(run), await anext(run)] == [4, 6]
    with pytest.raises(StreamError, match="gone"):
        await anext(run)


@pytest.mark.rule("5.4")
async def test_an_error_of_a_stage_before_the_buffer_comes_in_its_order_too() -> None:
    def parse(text: str) -> int:
        return int(text)

    run = (map(parse) >> StreamPipe[int, int](buffer(10))).stream(in_turn("12x"))
    assert [await anext(run), await anext(run)] == [1, 2]
    await settle()
    with pytest.raises(StreamError) as caught:
        await anext(run)
    assert (caught.value.item, caught.value.stage, caught.value.item_index) == ("x", 0, 2)


@pytest.mark.rule("5.4")
async def test_an_error_behind_the_buffer_hands_over_what_is_buffered(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(*range(9))

    def fail(item: int) -> int:
        if item == 1:
            raise ValueError
        return item

    run = (map(fail) >> batch(5)).stream(source, config=buffer(3), clock=clock, monitor=monitor)
    with pytest.raises(StreamError) as caught:
        await anext(run)
    assert (caught.value.item, caught.value.item_index) == (1, 1)
    assert caught.value.pending[0] == 0  # the batch stands downstream of the buffer
    account(monitor, [], [1, *caught.value.pending])


@pytest.mark.rule("5.4")
@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("max_buffer_size", 0, "greater than or equal to 1"),
        ("throttle_threshold", 0, "greater than 0"),
        ("throttle_threshold", 1.1, "less than or equal to 1"),
        ("throttle_threshold", float("nan"), "finite"),
        ("min_processing_time", -0.1, "greater than or equal to 0"),
        ("overflow", "explode", "'block', 'drop_oldest', 'drop_newest' or 'fail'"),
        ("max_size", 3, "Extra inputs are not permitted"),
    ],
)
def test_values_out_of_range_are_validation_errors(field: str, value: Any, rule: str) -> None:
    with pytest.raises(ValidationError) as caught:
        BackpressureConfig(**{field: value})
    assert field in str(caught.value)
    assert rule in str(caught.value)
    assert f"input_value={value!r}" in str(caught.value)


@pytest.mark.rule("5.4")
async def test_what_the_statistics_say(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(*range(6))
    config = BackpressureConfig(
        max_buffer_size=4, throttle_threshold=0.75, min_processing_time=2.0, overflow="drop_oldest"
    )
    run = Double().stream(source, config=config, clock=clock)
    assert await anext(run) == 0
    await clock.advance(4)  # 1, 2, 3 at once, 4 after two seconds, 5 after four
    full = run.buffers[0]
    assert (full.current, full.peak, full.dropped) == (4, 4, 1)
    assert full.throttled == pytest.approx(4.0)
    assert [await anext(run), await anext(run)] == [4, 6]
    source.emit(6)
    await settle()
    later = run.buffers[0]
    assert (later.current, later.peak, later.dropped) == (3, 4, 1)
    await run.aclose()


@pytest.mark.rule("5.4")
async def test_statistics_of_every_buffer_in_the_order_of_the_stages() -> None:
    chain = Double().with_config(buffer(2)) >> Double() >> Double().with_config(buffer(4))
    run = chain.stream(range(20), config=buffer(3))
    await anext(run)
    await settle()
    assert [(each.stage, each.max_buffer_size) for each in run.buffers] == [(0, 3), (0, 2), (2, 4)]
    assert [each.current for each in run.buffers] == [3, 2, 4]
    await run.aclose()


@pytest.mark.rule("5.3")
async def test_what_is_buffered_at_an_early_end_is_discarded(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(*range(9))
    run = Double().stream(source, config=buffer(3), clock=clock, monitor=monitor)
    await anext(run)
    await settle()
    await run.aclose()
    account(monitor, [0])
    assert monitor.get_metrics()["discarded"] == 3


async def bursts(*sizes: int) -> AsyncIterator[int]:
    """A source that waits, and then gives so many items at once."""
    for size in sizes:
        await asyncio.sleep(0)
        for item in range(size):
            yield item


@pytest.mark.rule("5.1")
async def test_a_source_that_waits_is_read_in_bursts() -> None:
    run = Double().stream(bursts(50, 50), config=buffer(1000))
    assert len([output async for output in run]) == 100
    assert run.buffers[0].peak == 50
    run = Double().stream(bursts(500), config=buffer(1000))
    assert len([output async for output in run]) == 500
    assert run.buffers[0].peak < 100  # so long without waiting, it is one that never waits


@pytest.mark.rule("5.1", "5.3")
async def test_a_burst_drops_nothing_while_the_consumer_keeps_up() -> None:
    config = BackpressureConfig(max_buffer_size=10, overflow="drop_newest", min_processing_time=0.0)
    run = Double().stream(bursts(50, 50), config=config)
    assert len([output async for output in run]) == 100
    assert run.buffers[0].dropped == 0

"""Streams: a source with its settings, run through a pipe or cut into windows."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rivusio import (
    AsyncBasePipe,
    AsyncStream,
    BackpressureConfig,
    DeadLetter,
    MetricsCollector,
    PipelineMonitor,
    StreamConfig,
    StreamError,
    StreamPipe,
    SyncBasePipe,
    SyncStream,
    flat_map,
    map,
)
from rivusio.artifacts.mode import Mode
from rivusio.testing import (
    MockAsyncPipe,
    MockSyncPipe,
    Recorder,
    ScriptedSource,
    VirtualClock,
    settle,
)

ONCE = StreamConfig(retry_attempts=1)


class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return 2 * data


class Flaky(AsyncBasePipe[object, object]):
    """Fails some times, then gives the item as it came; notes when it was called."""

    def __init__(self, failures: int, clock: VirtualClock) -> None:
        super().__init__("flaky")
        self._failures = failures
        self._clock = clock
        self.called_at: list[float] = []

    async def process(self, data: object) -> object:
        self.called_at.append(self._clock.now())
        if len(self.called_at) <= self._failures:
            raise OSError(f"failure {len(self.called_at)}")
        return data


class Hang(AsyncBasePipe[object, object]):
    async def process(self, data: object) -> object:
        return await asyncio.get_running_loop().create_future()


class Reverse(StreamPipe[int, int]):
    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
        items = [item async for item in stream]
        for item in reversed(items):
            yield item


async def numbers(count: int) -> AsyncIterator[int]:
    for number in range(count):
        yield number


def plain_numbers(count: int) -> Iterator[int]:
    yield from range(count)


async def taken(run: AsyncIterator[object]) -> list[object]:
    return [item async for item in run]


def identity(data: object) -> object:
    return data


# Made, and made wrongly


def test_a_stream_has_its_source_and_the_defaults(mode: Mode) -> None:
    source = [1, 2]
    stream = AsyncStream(source)
    assert stream.source is source
    assert stream.config == StreamConfig()
    assert isinstance(stream.metrics, PipelineMonitor)
    assert not stream.is_closed()


def test_a_stream_has_the_config_and_metrics_it_was_given() -> None:
    config, metrics = StreamConfig(batch_size=2), MetricsCollector()
    stream = AsyncStream([1], config, metrics)
    assert stream.config is config
    assert stream.metrics is metrics


@pytest.mark.parametrize("kind", [AsyncStream, SyncStream])
def test_what_is_no_source_is_refused(kind: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match="the source must be an iterable"):
        kind(3)


def test_an_async_source_is_refused_by_a_sync_stream() -> None:
    source = numbers(3)
    with pytest.raises(TypeError, match="cannot feed a sync run"):
        SyncStream(source)  # type: ignore[arg-type]  # that is the test


@pytest.mark.parametrize("kind", [AsyncStream, SyncStream])
def test_a_config_of_another_kind_is_refused(kind: Callable[..., object]) -> None:
    with pytest.raises(
        TypeError, match=r"config must be a StreamConfig or BackpressureConfig, got \{'batch"
    ):
        kind([1], {"batch_size": 2})


def test_metrics_of_another_kind_are_refused() -> None:
    with pytest.raises(TypeError, match="metrics must be a MetricsCollector, got 3 of type int"):
        AsyncStream([1], None, 3)  # type: ignore[arg-type]  # that is the test


# Through


async def test_through_is_stream(mode: Mode) -> None:
    assert await taken(aiter(AsyncStream(numbers(3)).through(Double()))) == [0, 2, 4]


def test_through_is_iterate_on_a_sync_stream(mode: Mode) -> None:
    assert list(SyncStream(plain_numbers(3)).through(Double())) == [0, 2, 4]


async def test_through_takes_a_plain_function(mode: Mode) -> None:
    function: Any = str  # the annotation asks for a pipe, though a function will do
    assert await taken(aiter(AsyncStream([1]).through(function))) == ["1"]


async def test_through_applies_what_was_said(mode: Mode, clock: VirtualClock) -> None:
    pipe = Flaky(1, clock)
    stream = AsyncStream(["a"], StreamConfig(retry_attempts=2, retry_delay=0), clock=clock)
    assert await taken(aiter(stream.through(pipe))) == ["a"]


async def test_through_applies_no_default(mode: Mode, clock: VirtualClock) -> None:
    with pytest.raises(StreamError, match="failure 1"):
        await taken(aiter(AsyncStream([None], clock=clock).through(Flaky(1, clock))))


async def test_through_applies_what_was_set_later(mode: Mode, clock: VirtualClock) -> None:
    stream = AsyncStream(["a"], clock=clock)
    assert isinstance(stream.config, StreamConfig)
    stream.config.on_error = "skip"
    assert await taken(aiter(stream.through(Flaky(1, clock)))) == []


@pytest.mark.parametrize("size", [{"batch_size": 2}, {"window_size": 1.0}])
def test_through_refuses_a_batch_or_window_size(mode: Mode, size: dict[str, float]) -> None:
    config = StreamConfig.model_validate(size)
    with pytest.raises(TypeError, match=f"{next(iter(size))} .* has no meaning there"):
        AsyncStream([1], config).through(Double())
    with pytest.raises(TypeError, match=f"{next(iter(size))} .* has no meaning there"):
        SyncStream([1], config).through(Double())


def test_through_refuses_an_async_pipe_on_a_sync_stream(mode: Mode) -> None:
    with pytest.raises(TypeError, match="'?Reverse'? is async: .* use AsyncStream"):
        SyncStream([1]).through(Reverse())  # type: ignore[arg-type]  # that is the test


async def test_through_measures_only_for_metrics_that_were_given(mode: Mode) -> None:
    metrics = PipelineMonitor()
    await taken(aiter(AsyncStream([1, 2], metrics=metrics).through(Double())))
    assert metrics.get_metrics()["items_in"] == 2
    stream = AsyncStream([1, 2])
    await taken(aiter(stream.through(Double())))
    assert stream.metrics.get_metrics()["items_in"] == 0


# Items of process, retried


async def test_process_takes_item_by_item(mode: Mode) -> None:
    assert await taken(aiter(AsyncStream(numbers(3)).process(Double()))) == [0, 2, 4]


def test_sync_process_takes_item_by_item(mode: Mode) -> None:
    assert list(SyncStream(plain_numbers(3)).process(Double())) == [0, 2, 4]


async def test_process_tries_three_times_with_growing_delays(
    mode: Mode, clock: VirtualClock
) -> None:
    """0.2 ignored retry_backoff."""
    pipe = Flaky(2, clock)
    result = asyncio.ensure_future(
        taken(aiter(AsyncStream(["a"], StreamConfig(retry_backoff=3.0), clock=clock).process(pipe)))
    )
    await clock.advance(60)
    assert await result == ["a"]
    assert pipe.called_at == [0.0, 1.0, 4.0]


def test_sync_process_tries_three_times_with_growing_delays(
    mode: Mode, clock: VirtualClock
) -> None:
    called_at: list[float] = []

    def fail_twice(data: str) -> str:
        called_at.append(clock.now())
        if len(called_at) < 3:
            raise OSError
        return data

    assert list(SyncStream(["a"], clock=clock).process(map(fail_twice))) == ["a"]
    assert called_at == [0.0, 1.0, 3.0]


async def test_process_gives_up_after_the_last_try(mode: Mode, clock: VirtualClock) -> None:
    stream = AsyncStream(["a"], StreamConfig(retry_delay=0, retry_attempts=2), clock=clock)
    with pytest.raises(StreamError, match="failure 2") as caught:
        await taken(aiter(stream.process(Flaky(9, clock))))
    assert (caught.value.pipe, caught.value.item) == ("flaky", "a")


@pytest.mark.parametrize("attempts", [0, 1])
async def test_no_retries_still_call_once(mode: Mode, attempts: int) -> None:
    """In 0.2 retry_attempts=0 never called the pipe."""
    pipe = MockAsyncPipe("done")
    stream = AsyncStream(["a"], StreamConfig(retry_attempts=attempts))
    assert await taken(aiter(stream.process(pipe))) == ["done"]
    assert pipe.calls == ["a"]


@pytest.mark.parametrize("attempts", [0, 1])
def test_no_retries_still_call_once_without_a_loop(mode: Mode, attempts: int) -> None:
    """In 0.2 retry_attempts=0 never called the pipe."""
    pipe = MockSyncPipe(error=OSError("gone"))
    stream = SyncStream(["a"], StreamConfig(retry_attempts=attempts))
    with pytest.raises(StreamError, match="gone"):
        list(stream.process(pipe))
    assert pipe.calls == ["a"]


async def test_process_wraps_an_error_once(mode: Mode) -> None:
    """0.2 wrapped it twice."""
    mistake = OSError("gone")
    with pytest.raises(StreamError) as caught:
        await taken(aiter(AsyncStream(["a"], ONCE).process(MockAsyncPipe(error=mistake))))
    assert caught.value.error is mistake
    assert caught.value.__cause__ is mistake


async def test_process_bounds_each_try_in_time(mode: Mode, clock: VirtualClock) -> None:
    """0.2 ignored timeout."""
    recorder = Recorder(clock)
    config = StreamConfig(timeout=2.0, retry_attempts=2, retry_delay=1.0)
    run = AsyncStream(["a"], config, clock=clock).process(Hang())
    consuming = asyncio.ensure_future(recorder.consume(run))
    await clock.advance(60)
    await consuming
    (event,) = recorder.events
    assert (event.at, event.kind) == (5.0, "error")
    assert isinstance(event.value.error, TimeoutError)


async def test_thirty_seconds_are_the_timeout_of_process(mode: Mode, clock: VirtualClock) -> None:
    recorder = Recorder(clock)
    run = AsyncStream(["a"], ONCE, clock=clock).process(Hang())
    consuming = asyncio.ensure_future(recorder.consume(run))
    await clock.advance(60)
    await consuming
    assert recorder.events[0].at == 30.0


def test_a_timeout_that_was_said_is_refused_on_a_sync_pipe(mode: Mode) -> None:
    with pytest.raises(TypeError, match="timeout on stage 'Double'"):
        AsyncStream([1], StreamConfig(timeout=1.0)).process(Double())
    with pytest.raises(TypeError, match="timeout on stage 'Double'"):
        SyncStream([1], StreamConfig(timeout=1.0)).process(Double())


async def test_defaults_stand_back_where_a_stream_is_overridden(mode: Mode) -> None:
    assert await taken(aiter(AsyncStream([1, 2]).process(Reverse()))) == [2, 1]


@pytest.mark.parametrize(
    "said", [{"retry_attempts": 2}, {"timeout": 1.0}, {"on_error": "skip"}], ids=str
)
def test_what_was_said_is_refused_where_a_stream_is_overridden(
    mode: Mode, said: dict[str, object]
) -> None:
    with pytest.raises(TypeError, match=f"{next(iter(said))}.* on stage 'Reverse'"):
        AsyncStream([1], StreamConfig.model_validate(said)).process(Reverse())


async def test_a_pipes_own_settings_come_first(mode: Mode) -> None:
    pipe = MockAsyncPipe(None)
    own = pipe.with_config(StreamConfig(skip_none=False))
    assert await taken(aiter(AsyncStream([1]).process(own))) == [None]


@pytest.mark.parametrize("skip_none", [True, False])
async def test_process_drops_none_or_not(mode: Mode, skip_none: bool) -> None:
    """0.2 ignored skip_none."""
    stream = AsyncStream(["a"], StreamConfig(skip_none=skip_none))
    expected = [] if skip_none else [None]
    assert await taken(aiter(stream.process(MockAsyncPipe(None)))) == expected


@pytest.mark.parametrize("skip_none", [True, False])
def test_sync_process_drops_none_or_not(mode: Mode, skip_none: bool) -> None:
    """0.2 ignored skip_none."""
    stream = SyncStream(["a"], StreamConfig(skip_none=skip_none))
    assert list(stream.process(MockSyncPipe(None))) == ([] if skip_none else [None])


async def test_process_hands_failures_to_a_dead_letter_callable(mode: Mode) -> None:
    letters: list[DeadLetter] = []
    stream = AsyncStream(["a"], StreamConfig(retry_attempts=1, on_error=letters.append))
    assert await taken(aiter(stream.process(MockAsyncPipe(error=OSError())))) == []
    assert [letter.item for letter in letters] == ["a"]


# What process reads ahead and measures


@pytest.mark.parametrize("size", [1, 3])
async def test_process_reads_no_further_ahead_than_the_buffer(mode: Mode, size: int) -> None:
    """0.2 ignored buffer_size."""
    source = ScriptedSource().emit(*range(100)).end()
    run = AsyncStream(source, StreamConfig(buffer_size=size)).process(Double())
    await anext(aiter(run))
    await settle()
    assert source.given == 1 + size
    await run.aclose()


async def test_a_backpressure_config_comes_before_the_buffer_size(mode: Mode) -> None:
    source = ScriptedSource().emit(*range(100)).end()
    buffer = BackpressureConfig(max_buffer_size=2, throttle_threshold=1.0, min_processing_time=0)
    run = AsyncStream(source, buffer).process(Double())
    await anext(aiter(run))
    await settle()
    assert source.given == 3
    await run.aclose()


async def test_metrics_dict_tells_what_is_read_ahead_and_measured(mode: Mode) -> None:
    stream = AsyncStream(ScriptedSource().emit(*range(9)).end(), StreamConfig(buffer_size=3))
    assert stream.metrics_dict()["buffer_size"] == 0
    outputs = aiter(stream.process(Double()))
    await anext(outputs)
    await settle()
    told = stream.metrics_dict()
    assert (told["buffer_size"], told["metrics"]["items_in"]) == (3, 4)
    assert len([item async for item in outputs]) == 8
    told = stream.metrics_dict()
    assert (told["buffer_size"], told["metrics"]["items_out"]) == (0, 9)


def test_sync_metrics_dict_has_the_same_form(mode: Mode) -> None:
    stream = SyncStream([1, 2])
    list(stream.process(Double()))
    told = stream.metrics_dict()
    assert (told["buffer_size"], told["metrics"]["items_out"]) == (0, 2)


async def test_process_measures_nothing_if_told_so(mode: Mode) -> None:
    """0.2 ignored collect_metrics."""
    stream = AsyncStream([1, 2], StreamConfig(collect_metrics=False))
    await taken(aiter(stream.process(Double())))
    assert stream.metrics_dict() == {"buffer_size": 0, "metrics": {}}
    assert stream.metrics.get_metrics()["items_in"] == 0


async def test_process_measures_into_a_plain_collector(mode: Mode) -> None:
    metrics = MetricsCollector()
    stream = AsyncStream(["1", "x"], StreamConfig(on_error="skip", retry_attempts=1), metrics)
    await taken(aiter(stream.process(map(int))))
    assert metrics.get_metrics()["error_rate"].average == 0.5


def test_reading_ahead_is_refused_on_a_sync_stream(mode: Mode) -> None:
    for config in (StreamConfig(buffer_size=5), BackpressureConfig()):
        with pytest.raises(TypeError, match=r"in the config of a SyncStream.* use AsyncStream"):
            SyncStream([1], config).process(Double())


# Batches and windows of process


async def test_process_gives_batches(mode: Mode) -> None:
    stream = AsyncStream(numbers(5), StreamConfig(batch_size=2))
    assert await taken(aiter(stream.process(map(identity)))) == [[0, 1], [2, 3], [4]]


def test_sync_process_gives_batches(mode: Mode) -> None:
    stream = SyncStream(plain_numbers(5), StreamConfig(batch_size=2))
    assert list(stream.process(map(sum))) == [1, 5, 4]


async def test_process_retries_a_batch(mode: Mode, clock: VirtualClock) -> None:
    config = StreamConfig(batch_size=2, retry_delay=0)
    stream = AsyncStream(numbers(2), config, clock=clock)
    assert await taken(aiter(stream.process(Flaky(1, clock)))) == [[0, 1]]


async def test_batches_come_before_windows(mode: Mode) -> None:
    stream = AsyncStream(numbers(4), StreamConfig(batch_size=2, window_size=1.0))
    assert await taken(aiter(stream.process(map(identity)))) == [[0, 1], [2, 3]]


async def test_process_flushes_a_time_window_while_the_source_is_idle(
    mode: Mode, clock: VirtualClock
) -> None:
    """In 0.2 only the next item did that."""
    recorder = Recorder(clock)
    source = ScriptedSource(clock).emit(1, 2).idle(100).emit(3).end()
    run = AsyncStream(source, StreamConfig(window_size=10.0), clock=clock).process(map(identity))
    consuming = asyncio.ensure_future(recorder.consume(run))
    await clock.advance(99)
    assert [(event.at, event.value) for event in recorder.events] == [(10.0, [1, 2])]
    await clock.advance(2)
    await consuming
    assert recorder.outputs == [[1, 2], [3]]


def test_sync_process_closes_a_time_window_with_the_next_item(
    mode: Mode, clock: VirtualClock
) -> None:
    def readings() -> Iterator[int]:
        for number in range(4):
            yield number
            clock.wait(6.0)

    stream = SyncStream(readings(), StreamConfig(window_size=timedelta(seconds=10)), clock=clock)  # type: ignore[arg-type]  # a timedelta will do
    assert list(stream.process(map(identity))) == [[0, 1], [2, 3]]


async def test_a_second_process_does_not_begin_with_the_first_ones_window(
    mode: Mode, clock: VirtualClock
) -> None:
    """In 0.2 the window was the stream's and came out again."""
    stream = AsyncStream([1, 2], StreamConfig(window_size=10.0), clock=clock)
    for _ in range(2):
        assert await taken(aiter(stream.process(map(identity)))) == [[1, 2]]


def test_a_second_sync_process_does_not_begin_with_the_first_ones_window(
    mode: Mode, clock: VirtualClock
) -> None:
    """In 0.2 the window was the stream's and came out again."""
    stream = SyncStream([1, 2], StreamConfig(window_size=10.0), clock=clock)
    for _ in range(2):
        assert list(stream.process(map(identity))) == [[1, 2]]


async def test_the_rest_of_an_abandoned_process_is_not_in_the_next(mode: Mode) -> None:
    stream = AsyncStream([1, 2, 3], StreamConfig(batch_size=2))
    run = stream.process(map(identity))
    assert await anext(aiter(run)) == [1, 2]
    await run.aclose()
    assert await taken(aiter(stream.process(map(identity)))) == [[1, 2], [3]]


# Windows of the stream itself


async def test_a_sliding_window(mode: Mode) -> None:
    run = AsyncStream(numbers(4)).sliding_window(window_size=2, step_size=1)
    assert await taken(aiter(run)) == [[0, 1], [1, 2], [2, 3]]


async def test_a_sliding_window_whose_step_is_wider_skips_exactly(mode: Mode) -> None:
    """In 0.2 a step beyond the size skipped nothing."""
    run = AsyncStream(numbers(9)).sliding_window(2, 4)
    assert await taken(aiter(run)) == [[0, 1], [4, 5]]
    assert list(SyncStream(plain_numbers(9)).sliding_window(2, 4)) == [[0, 1], [4, 5]]


@pytest.mark.parametrize(
    ("size", "step", "told"),
    [
        (0, 1, "window_size must be at least 1, got 0"),
        (2, 0, "step_size must be at least 1, got 0"),
        (2, -1, "step_size must be at least 1, got -1"),
    ],
)
def test_a_sliding_window_of_no_size_or_step_is_refused(
    mode: Mode, size: int, step: int, told: str
) -> None:
    """In 0.2 a step of 0 never ended."""
    with pytest.raises(ValueError, match=told):
        AsyncStream([1]).sliding_window(size, step)
    with pytest.raises(ValueError, match=told):
        SyncStream([1]).sliding_window(size, step)


async def test_a_tumbling_window(mode: Mode) -> None:
    assert await taken(aiter(AsyncStream(numbers(3)).tumbling_window(2))) == [[0, 1], [2]]
    assert list(SyncStream(plain_numbers(3)).tumbling_window(2)) == [[0, 1], [2]]


def test_a_tumbling_window_of_no_size_is_refused(mode: Mode) -> None:
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        AsyncStream([1]).tumbling_window(0)


@pytest.mark.parametrize("duration", [10, 10.0, timedelta(seconds=10)])
async def test_a_time_window_closes_while_the_source_is_idle(
    mode: Mode, clock: VirtualClock, duration: timedelta | float
) -> None:
    """In 0.2 only the next item closed it."""
    recorder = Recorder(clock)
    source = ScriptedSource(clock).emit(1, 2).idle(100).end()
    run = AsyncStream(source, clock=clock).time_window(duration)
    consuming = asyncio.ensure_future(recorder.consume(run))
    await clock.advance(200)
    await consuming
    assert [(event.at, event.value) for event in recorder.events] == [(10.0, [1, 2]), (100.0, None)]


def test_a_sync_time_window_goes_by_the_streams_clock(mode: Mode, clock: VirtualClock) -> None:
    def readings() -> Iterator[int]:
        for number in range(3):
            yield number
            clock.wait(6.0)

    assert list(SyncStream(readings(), clock=clock).time_window(10)) == [[0, 1], [2]]


@pytest.mark.parametrize("duration", [0, -1.0, timedelta(0), float("nan"), float("inf")])
def test_a_time_window_of_no_length_is_refused(mode: Mode, duration: timedelta | float) -> None:
    with pytest.raises(ValueError, match="duration must be (longer than zero|finite)"):
        AsyncStream([1]).time_window(duration)
    with pytest.raises(ValueError, match="duration must be (longer than zero|finite)"):
        SyncStream([1]).time_window(duration)


def test_a_time_window_of_words_is_refused(mode: Mode) -> None:
    with pytest.raises(TypeError, match="duration must be a timedelta, got 'soon' of type str"):
        AsyncStream([1]).time_window("soon")  # type: ignore[arg-type]  # that is the test


# Closing


async def test_a_stream_can_be_closed(mode: Mode) -> None:
    stream = AsyncStream([1])
    await stream.close()
    assert stream.is_closed()


@pytest.mark.parametrize("what", ["through", "process", "tumbling_window"])
async def test_a_closed_stream_refuses_to_run(mode: Mode, what: str) -> None:
    stream, plain = AsyncStream([1]), SyncStream([1])
    await stream.close()
    plain.close()
    argument = 2 if what == "tumbling_window" else Double()
    for each in (stream, plain):
        with pytest.raises(RuntimeError, match="the stream is closed; make another one"):
            getattr(each, what)(argument)


async def test_closing_closes_a_generator_that_is_the_source(mode: Mode) -> None:
    recorder = Recorder()
    source = recorder.feed([1, 2])
    await anext(source)
    await AsyncStream(source).close()
    assert recorder.story == [("pull", 1), ("closed", None)]


def test_closing_closes_a_plain_generator_that_is_the_source(mode: Mode) -> None:
    recorder = Recorder()
    source = recorder.feed_plain([1, 2])
    next(source)
    SyncStream(source).close()
    assert recorder.story == [("pull", 1), ("closed", None)]


async def test_closing_twice_is_once(mode: Mode) -> None:
    stream = AsyncStream(numbers(1))
    await stream.close()
    await stream.close()
    assert stream.is_closed()


async def test_closing_in_the_middle_ends_the_run_and_discards(mode: Mode) -> None:
    stream = AsyncStream(numbers(9))
    seen = []
    async for item in stream.process(Double()):
        seen.append(item)
        await stream.close()
    assert seen == [0]
    assert stream.metrics.get_metrics()["items_out"] == 1


def test_closing_a_sync_stream_in_the_middle_ends_the_run(mode: Mode) -> None:
    stream = SyncStream(plain_numbers(9), StreamConfig(batch_size=2))
    seen = []
    for item in stream.process(map(identity)):
        seen.append(item)
        stream.close()
    assert seen == [[0, 1]]


async def test_closing_leaves_a_run_alone_that_another_task_waits_for(
    mode: Mode, nothing_left: None
) -> None:
    recorder = Recorder()
    source = ScriptedSource().emit(1)
    stream = AsyncStream(recorder.feed(source))
    waiting = asyncio.ensure_future(taken(aiter(stream.process(Double()))))
    await settle()
    await stream.close()
    source.end()
    assert await waiting == [2]
    assert recorder.story == [("pull", 1), ("closed", None)]


async def test_a_run_left_by_a_break_ends_though_the_stream_lives_on(
    mode: Mode, nothing_left: None
) -> None:
    recorder = Recorder()
    stream = AsyncStream(recorder.feed(range(9)))
    async for _ in stream.process(Double()):
        break
    gc.collect()
    await settle()
    assert recorder.events[-1].kind == "closed"
    assert not stream.is_closed()


async def test_leaving_the_with_block_closes(mode: Mode) -> None:
    async with AsyncStream([1]) as stream:
        pass
    with SyncStream([1]) as plain:
        pass
    assert stream.is_closed()
    assert plain.is_closed()


# Iterated as it is


async def test_a_stream_gives_its_items(mode: Mode) -> None:
    assert [item async for item in AsyncStream([1, None, 2])] == [1, None, 2]
    assert list(SyncStream([1, None, 2])) == [1, None, 2]


def test_closing_goes_on_after_an_error() -> None:
    def fails_to_close(item: int) -> Iterator[int]:
        try:
            yield item
            yield item
        finally:
            raise OSError

    stream = SyncStream([1, 2])
    runs = [stream.through(flat_map(fails_to_close)) for _ in range(2)]
    for run in runs:
        next(run)
    with pytest.raises(StreamError):
        stream.close()
    assert [next(run, "closed") for run in runs] == ["closed", "closed"]

"""§4: batches and windows, and the clock."""

from __future__ import annotations

import asyncio
import math
import sys
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from rivusio import (
    AsyncStream,
    BackpressureConfig,
    BatchStreamPipe,
    ParallelConfig,
    SlidingWindowPipe,
    StreamConfig,
    StreamError,
    SyncBasePipe,
    SyncStream,
    SystemClock,
    WindowedStreamPipe,
    batch,
    filter,
    flat_map,
    map,
    skip,
    sliding,
    take,
    tumbling,
)
from rivusio.testing import ScriptedSource, VirtualClock, settle
from tests.semantics.support import Consumer, SlowDouble, outputs_of

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")

SECOND = timedelta(seconds=1)
TEN = timedelta(seconds=10)


class Total(BatchStreamPipe[int, int]):
    async def process_batch(self, batch: list[int]) -> int:
        return sum(batch)


class WindowTotal(WindowedStreamPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return sum(window)


class SlidingTotal(SlidingWindowPipe[int, int]):
    async def process_window(self, window: list[int]) -> int:
        return sum(window)


# batches


@pytest.mark.rule("4")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 8])
async def test_a_batch_is_emitted_when_it_is_full_and_the_rest_at_the_end(size: int) -> None:
    expected = [list(range(7))[start : start + size] for start in range(0, 7, size)]
    assert await outputs_of(batch(size), range(7)) == expected
    assert list(batch(size).iterate(range(7))) == expected
    assert await outputs_of(batch(size, linger=SECOND), range(7)) == expected


@pytest.mark.rule("4")
@pytest.mark.parametrize("stage", [batch(2), batch(2, linger=SECOND), tumbling(SECOND)], ids=str)
async def test_an_empty_batch_or_window_is_never_emitted(stage: Any) -> None:
    assert await outputs_of(stage, []) == []


@pytest.mark.rule("4")
async def test_the_linger_counts_from_the_first_item(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).idle(3).emit(1).idle(0.6).emit(2).idle(5).emit(3)
    consumer = Consumer(Total(10, linger=SECOND).stream(source, clock=clock), clock)
    await clock.advance(20)
    assert consumer.outputs == [(4.0, 3), (9.6, 3)]
    await consumer.stop()


@pytest.mark.rule("4")
async def test_a_full_batch_takes_its_timer_with_it(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1, 2).idle(0.9).emit(3).idle(0.5).emit(4)
    consumer = Consumer(batch(2, linger=SECOND).stream(source, clock=clock), clock)
    await clock.advance(20)
    assert consumer.outputs == [(0.0, [1, 2]), (1.4, [3, 4])]
    assert clock.pending == 0
    await consumer.stop()


# time windows


@pytest.mark.rule("4")
async def test_a_window_closes_while_the_source_is_idle(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1, 2).idle(100)
    consumer = Consumer(WindowTotal(TEN).stream(source, clock=clock), clock)
    await clock.advance(9.999)
    assert consumer.outputs == []
    await clock.advance(0.001)
    assert consumer.outputs == [(10.0, 3)]
    await consumer.stop()


@pytest.mark.rule("4")
async def test_windows_do_not_drift_and_begin_with_the_first_item(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).idle(0.25)
    for item in range(1, 200):
        source.emit(item).idle(0.1 if item % 3 else 0.3)
    consumer = Consumer(tumbling(SECOND).stream(source, clock=clock), clock)
    await clock.advance(60)
    ends = [at for at, _ in consumer.outputs]
    assert ends == [0.25 + number for number in range(1, len(ends) + 1)]
    assert [item for window in consumer.values for item in window] == list(range(1, 200))
    await consumer.stop()


@pytest.mark.rule("4")
async def test_empty_windows_are_passed_over(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1).idle(34).emit(2).idle(3).emit(3).idle(50).end()
    consumer = Consumer(tumbling(TEN).stream(source, clock=clock), clock)
    await clock.advance(100)
    assert consumer.outputs == [(10.0, [1]), (40.0, [2, 3])]


@pytest.mark.rule("4")
async def test_the_end_of_the_source_closes_the_window_at_once(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1).idle(3).end()
    consumer = Consumer(tumbling(TEN).stream(source, clock=clock), clock)
    await clock.advance(3)
    assert consumer.outputs == [(3.0, [1])]
    assert consumer.ended


@pytest.mark.rule("4")
async def test_take_closes_the_window_behind_it_at_once(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1, 2)
    consumer = Consumer((take(2) >> tumbling(TEN)).stream(source, clock=clock), clock)
    await settle()
    assert consumer.outputs == [(0.0, [1, 2])]
    assert source.asked == 2


@pytest.mark.rule("4")
async def test_a_window_that_closes_while_the_consumer_is_busy_is_delivered_later(
    clock: VirtualClock,
) -> None:
    source = ScriptedSource(clock).emit(1).idle(1.5).emit(2)
    run = tumbling(SECOND).stream(source, clock=clock)
    first = asyncio.ensure_future(anext(run))
    await clock.advance(1)
    assert await first == [1]
    await clock.advance(10)  # busy: 2 arrives at 1.5, its window closes at 2.0
    assert source.asked == 2  # and nothing more was asked for
    assert await anext(run) == [2]
    await run.aclose()


@pytest.mark.rule("3.6")
async def test_a_satisfied_take_closes_its_source_though_the_consumer_is_busy(
    clock: VirtualClock,
) -> None:
    closed: list[float] = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            closed.append(clock.now())

    async def twice(item: int) -> AsyncIterator[int]:
        yield item
        yield item + 1

    async def keep(item: int) -> bool:
        await clock.sleep(0.75)
        return item != 3

    chain = take(2) >> flat_map(twice) >> filter(keep) >> tumbling(2 * SECOND)
    run = chain.stream(source(), clock=clock)
    first = asyncio.ensure_future(anext(run))
    await clock.advance(2.75)
    assert await first == [1, 2, 2]
    await clock.advance(10)  # busy: the last item is done at 3, and there will be no other
    assert closed == [3.0]
    await run.aclose()


# sliding count windows


@pytest.mark.rule("4")
async def test_a_sliding_window_comes_when_it_is_full_and_then_after_every_step() -> None:
    assert list(sliding(3, 1).iterate(range(5))) == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]
    assert list(sliding(3, 2).iterate(range(8))) == [[0, 1, 2], [2, 3, 4], [4, 5, 6]]
    assert list(sliding(2, 2).iterate(range(5))) == [[0, 1], [2, 3]]
    assert await outputs_of(sliding(3, 1), range(2)) == []


@pytest.mark.rule("4.1")
async def test_a_step_beyond_the_size_skips_exactly() -> None:
    class Window(SlidingWindowPipe[int, list[int]]):
        def process_window(self, window: list[int]) -> list[int]:
            return window

    expected = [[0, 1], [5, 6], [10, 11]]
    assert list(sliding(2, 5).iterate(range(14))) == expected
    assert await outputs_of(Window(2, 5), range(14)) == expected


# boundaries


@pytest.mark.rule("4.1")
async def test_an_item_at_a_boundary_belongs_to_the_later_window(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1).idle(10).emit(2).idle(20).end()
    consumer = Consumer(tumbling(TEN).stream(source, clock=clock), clock)
    await clock.advance(30)
    assert consumer.values == [[1], [2]]


@pytest.mark.rule("4.1")
@pytest.mark.parametrize("stage", [tumbling(TEN), batch(9, linger=TEN)], ids=str)
async def test_at_a_boundary_the_item_itself_closes_what_no_timer_could(
    stage: Any, clock: VirtualClock
) -> None:
    """A source that never waits gives the timers no turn."""

    def source() -> Any:
        yield 1
        clock.set(9.99)
        yield 2
        clock.set(10.0)
        yield 3

    assert await outputs_of(stage, source(), clock=clock) == [[1, 2], [3]]


@pytest.mark.rule("4.1")
async def test_a_window_that_a_timer_closed_stays_closed(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1)
    consumer = Consumer(tumbling(TEN).stream(source, clock=clock), clock)
    await clock.advance(10)
    assert consumer.values == [[1]]
    clock.set(9.5)  # the clock reads a little earlier than the end that has passed
    source.emit(2)
    await settle()
    clock.set(10.5)
    source.emit(3)
    await settle()
    await clock.advance(10)
    assert consumer.outputs[1:] == [(20.0, [2, 3])]
    await consumer.stop()


@pytest.mark.rule("4.1")
@pytest.mark.parametrize("size", [0.1, 0.3, 1 / 3, 0.7, 1e-3])
def test_boundaries_are_exact_where_floats_are_not(size: float) -> None:
    clock = VirtualClock()
    start = 0.1

    def source() -> Any:
        for number in range(1000):
            clock.set(start + number * timedelta(seconds=size).total_seconds())
            yield number

    windows = list(tumbling(timedelta(seconds=size)).iterate(source(), clock=clock))
    assert windows == [[number] for number in range(1000)]


@pytest.mark.rule("4.1")
@pytest.mark.parametrize("size", [0.1, 0.3, 1 / 3, 0.7, 1e-3])
def test_an_item_just_below_a_boundary_belongs_to_the_earlier_window(size: float) -> None:
    clock = VirtualClock()
    start = 5.3  # here the division alone is off by one, and more than once
    seconds = timedelta(seconds=size).total_seconds()

    def source() -> Any:
        clock.set(start)
        yield 0
        for number in range(1, 1000):
            clock.set(math.nextafter(start + (number + 1) * seconds, 0))
            yield number

    windows = list(tumbling(timedelta(seconds=size)).iterate(source(), clock=clock))
    assert windows == [[number] for number in range(1000)]


# 4.2: what is refused


def wrong(value: Any) -> Any:
    """Give a value of a type that the type checker would refuse."""
    return value


@pytest.mark.rule("4.2")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Total(0), "batch_size must be at least 1, got 0"),
        (lambda: Total(-3), "batch_size must be at least 1, got -3"),
        (lambda: Total(1, linger=timedelta(0)), "linger must be longer than zero, got datetime"),
        (lambda: Total(1, linger=-SECOND), "linger must be longer than zero"),
        (lambda: WindowTotal(timedelta(0)), "window_size must be longer than zero"),
        (lambda: WindowTotal(-SECOND), "window_size must be longer than zero"),
        (lambda: batch(0), "n must be at least 1, got 0"),
        (lambda: batch(1, linger=timedelta(0)), "linger must be longer than zero"),
        (lambda: tumbling(timedelta(0)), "duration must be longer than zero"),
        (lambda: sliding(0, 1), "size must be at least 1, got 0"),
        (lambda: sliding(1, 0), "step must be at least 1, got 0"),
        (lambda: SlidingTotal(0), "size must be at least 1, got 0"),
        (lambda: SlidingTotal(1, 0), "step must be at least 1, got 0"),
        (lambda: take(-1), "count must be at least 0, got -1"),
        (lambda: skip(-1), "count must be at least 0, got -1"),
        (lambda: StreamConfig(batch_size=0), "(?s)batch_size.*greater than or equal to 1.*=0"),
        (lambda: StreamConfig(window_size=-1), "(?s)window_size.*greater than or equal to 0.*=-1"),
        (lambda: StreamConfig(yield_every=0), "(?s)yield_every.*greater than or equal to 1.*=0"),
        (lambda: ParallelConfig(max_workers=0), "(?s)max_workers.*greater than or equal to 1.*=0"),
        (
            lambda: BackpressureConfig(max_buffer_size=0),
            "(?s)max_buffer_size.*greater than or equal to 1.*=0",
        ),
        (lambda: sliding(2**63), f"^size must be at most {sys.maxsize}, got {2**63}$"),
        (lambda: SlidingTotal(2**63), f"^size must be at most {sys.maxsize}, got {2**63}$"),
        (
            lambda: SyncStream([1]).sliding_window(2**63),
            f"^window_size must be at most {sys.maxsize}, got {2**63}$",
        ),
        (
            lambda: SyncStream([1]).time_window(1e300),
            r"^duration must be at most 86400000000000 s, got 1e\+300$",
        ),
        (
            lambda: SyncStream([1]).time_window(10**400),
            "^duration must be at most 86400000000000 s, got 1000",
        ),
        (lambda: StreamConfig(window_size=1e300), "(?s)window_size.*less than or equal to 8640.*"),
        (lambda: StreamConfig(buffer_size=10**400), "(?s)buffer_size.*less than or equal to 922"),
        (lambda: ParallelConfig(max_workers=2**63), "(?s)max_workers.*less than or equal to 1000"),
        (
            lambda: BackpressureConfig(max_buffer_size=2**63),
            "(?s)max_buffer_size.*less than or equal to 922",
        ),
    ],
)
def test_sizes_that_make_no_sense_are_refused_when_made(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.rule("4.2")
async def test_the_largest_sizes_that_can_be_made_can_be_run(clock: VirtualClock) -> None:
    most, longest = sys.maxsize, timedelta.max
    assert await outputs_of(sliding(most, 1), [1, 2], clock=clock) == []
    assert await outputs_of(SlidingTotal(1, 2**63), [1, 2], clock=clock) == [1]
    for collect in (batch(2**63), batch(2, longest), batch(3, longest), tumbling(longest)):
        assert await outputs_of(collect, [1, 2], clock=clock) == [[1, 2]]
    room = BackpressureConfig(max_buffer_size=most, min_processing_time=wrong(longest))
    assert await outputs_of(take(2**63), [1, 2], config=room, clock=clock) == [1, 2]
    held = SlowDouble().concurrent(2**63)
    assert await outputs_of(held, [1, 2], clock=clock) == [2, 4]
    for config in (
        StreamConfig(window_size=longest.total_seconds()),
        StreamConfig(batch_size=2**63),
    ):
        stream = AsyncStream([1, 2], config=config, clock=clock)
        assert [each async for each in stream.process(map(list))] == [[1, 2]]


@pytest.mark.rule("4.2")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Total(wrong(1.5)), "batch_size must be a whole number, got 1.5 of type float"),
        (lambda: batch(True), "n must be a whole number, got True of type bool"),
        (
            lambda: WindowTotal(wrong(5)),
            r"timedelta, got 5 of type int; did you mean timedelta\(sec",
        ),
        (lambda: tumbling(wrong("5s")), "duration must be a timedelta, got '5s' of type str$"),
    ],
)
def test_sizes_of_the_wrong_type_are_refused_when_made(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


# 4.3: without an event loop


@pytest.mark.rule("4.3")
def test_without_an_event_loop_the_next_item_closes_a_window(clock: VirtualClock) -> None:
    def source() -> Any:
        yield 1
        clock.wait(9)
        yield 2
        clock.wait(16)
        yield 3

    run = tumbling(TEN).iterate(source(), clock=clock)
    assert next(run) == [1, 2]
    assert clock.now() == 25
    assert list(run) == [[3]]


@pytest.mark.rule("4.3")
def test_time_windows_of_a_sync_stream(clock: VirtualClock) -> None:
    assert list(SyncStream([1, 2]).time_window(TEN)) == [[1, 2]]
    assert list(SyncStream([1, 2, 3]).tumbling_window(2)) == [[1, 2], [3]]


# 4.4: whose the list is


class Keeping(SyncBasePipe[Any, Any]):
    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Any] = []

    def process(self, data: Any) -> Any:
        self.kept.append(data)
        return data


@pytest.mark.rule("4.4")
@pytest.mark.parametrize(
    "stage", [batch(2), batch(2, linger=SECOND), tumbling(SECOND), sliding(2, 1)], ids=str
)
async def test_a_list_is_never_touched_again(stage: Any) -> None:
    keeping = Keeping()
    outputs = await outputs_of(stage >> keeping, range(5))
    copies = [list(each) for each in outputs]
    for each in keeping.kept:
        each.append("mine now")
    assert await outputs_of(stage, range(5)) == copies
    assert len({id(each) for each in keeping.kept}) == len(keeping.kept)


@pytest.mark.rule("4.4")
async def test_an_overlapping_window_is_not_changed_by_what_the_user_does() -> None:
    class Clearing(SlidingWindowPipe[int, tuple[int, ...]]):
        def process_window(self, window: list[int]) -> tuple[int, ...]:
            seen = tuple(window)
            window.clear()
            return seen

    assert await outputs_of(Clearing(2, 1), range(4)) == [(0, 1), (1, 2), (2, 3)]


@pytest.mark.rule("4.4")
async def test_each_try_the_handler_and_the_dead_letter_get_a_fresh_list() -> None:
    given: list[list[int]] = []

    class Spoiling(BatchStreamPipe[int, int]):
        async def process_batch(self, batch: list[int]) -> int:
            given.append(batch)
            assert batch == [1, 2]
            batch.clear()
            raise ValueError

        def handle_error(self, error: Exception, data: list[int]) -> int:
            given.append(data)
            assert data == [1, 2]
            data.clear()
            raise error

    def letter(dead: Any) -> None:
        given.append(dead.item)
        assert dead.item == [1, 2]
        dead.item.clear()

    config = StreamConfig(retry_attempts=2, retry_delay=0.0, on_error=letter)
    assert await outputs_of(Spoiling(2, config=config), [1, 2]) == []
    assert len(given) == 4
    assert len({id(each) for each in given}) == 4


@pytest.mark.rule("4.4")
async def test_the_error_carries_the_list_as_it_was() -> None:
    class Spoiling(BatchStreamPipe[int, int]):
        async def process_batch(self, batch: list[int]) -> int:
            batch.clear()
            raise ValueError

    with pytest.raises(StreamError) as caught:
        await outputs_of(Spoiling(2), [1, 2])
    assert caught.value.item == [1, 2]


@pytest.mark.rule("4.4")
async def test_the_error_of_a_sliding_window_carries_a_list() -> None:
    class Failing(SlidingWindowPipe[int, int]):
        def process_window(self, window: list[int]) -> int:
            raise ValueError

    with pytest.raises(StreamError) as caught:
        await outputs_of(Failing(2), [1, 2])
    assert caught.value.item == [1, 2]


@pytest.mark.rule("4.4")
async def test_what_a_dead_letter_callable_does_to_its_list_is_its_own_affair() -> None:
    def letter(dead: Any) -> None:
        dead.item.clear()
        raise dead.error

    with pytest.raises(StreamError) as caught:
        await outputs_of(
            batch(2) >> FailingBatch(2, config=StreamConfig(on_error=letter)), range(4)
        )
    assert caught.value.item == [[0, 1], [2, 3]]


class FailingBatch(BatchStreamPipe[Any, None]):
    def process_batch(self, batch: list[Any]) -> None:
        raise ValueError


# 4.5: the clock


@pytest.mark.rule("4.5")
async def test_all_time_comes_from_the_runs_clock(clock: VirtualClock) -> None:
    calls = 0

    async def failing(_: Any) -> None:
        nonlocal calls
        calls += 1
        if calls == 2:
            await asyncio.Event().wait()  # until the timeout
        raise ValueError

    config = StreamConfig(retry_attempts=3, retry_delay=100.0, timeout=1000.0, on_error="skip")
    consumer = Consumer(map(failing).with_config(config).stream([1], clock=clock), clock)
    await clock.advance(99)
    assert calls == 1
    await clock.advance(1)
    assert calls == 2
    await clock.advance(999)
    assert clock.now() == 1099
    assert calls == 2  # the second try goes on until its timeout, then comes the longer delay
    await clock.advance(1 + 200)
    assert consumer.ended
    assert calls == 3


@pytest.mark.rule("4.5")
async def test_windows_and_buffers_go_by_the_runs_clock(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1).idle(0.5).emit(2).idle(0.5).emit(3)
    consumer = Consumer(tumbling(SECOND).stream(source, clock=clock), clock)
    await clock.advance(2)
    assert consumer.outputs == [(1.0, [1, 2]), (2.0, [3])]
    await consumer.stop()
    config = BackpressureConfig(
        max_buffer_size=9, throttle_threshold=0.1, min_processing_time=1000.0
    )
    run = map(str).stream(ScriptedSource().emit(*range(9)), config=config, clock=clock)
    assert await anext(run) == "0"
    await settle()
    assert run.buffers[0].current == 1
    await clock.advance(1000)
    assert run.buffers[0].current == 2
    await run.aclose()


@pytest.mark.rule("4.5")
def test_a_sync_run_waits_on_the_runs_clock(clock: VirtualClock) -> None:
    def failing(_: Any) -> None:
        raise ValueError

    config = StreamConfig(retry_attempts=3, retry_delay=100.0, on_error="skip")
    assert list(map(failing).with_config(config).iterate([1], clock=clock)) == []
    assert clock.now() == 300


@pytest.mark.rule("4.5")
async def test_advance_fires_in_order_and_lets_everything_run(clock: VirtualClock) -> None:
    fired: list[tuple[float, str]] = []

    def note(name: str) -> None:
        fired.append((clock.now(), name))

    async def sleeper() -> None:
        await clock.sleep(2)
        note("slept")
        await clock.sleep(2)
        note("slept again")

    task = asyncio.create_task(sleeper())
    clock.call_at(3, lambda: note("at 3"))
    clock.call_at(3, lambda: note("after that"))
    cancelled = clock.call_at(1, lambda: note("never"))
    cancelled.cancel()
    await clock.advance(10)
    await task
    assert fired == [(2, "slept"), (3, "at 3"), (3, "after that"), (4, "slept again")]
    assert clock.now() == 10


@pytest.mark.rule("4.5")
async def test_the_system_clock_is_monotonic_and_fires_its_timers() -> None:
    system = SystemClock()
    before = system.now()
    fired = asyncio.Event()
    system.call_at(before + 0.001, fired.set)
    await fired.wait()
    assert system.now() >= before
    assert system.now() == pytest.approx(time.monotonic(), abs=1.0)
    system.call_at(system.now() + 1000, fired.set).cancel()


@pytest.mark.rule("4.5")
async def test_windows_on_the_system_clock_close_while_the_source_is_idle() -> None:
    source = ScriptedSource().emit(1)
    run = tumbling(timedelta(milliseconds=2)).stream(source)
    assert await anext(run) == [1]
    await run.aclose()
    stream = AsyncStream(ScriptedSource().emit(1)).time_window(0.002)
    assert await anext(stream) == [1]
    await stream.aclose()

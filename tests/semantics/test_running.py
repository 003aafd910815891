"""§3: pulling, timers, turns, the end, leaving early, and several items at once."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rivusio import (
    AsyncStream,
    BackpressureConfig,
    PipelineMonitor,
    Run,
    StreamConfig,
    StreamError,
    StreamPipe,
    SyncStream,
    batch,
    flat_map,
    map,
    sliding,
    take,
    tumbling,
)
from rivusio.testing import MockSyncSource, Recorder, ScriptedSource, VirtualClock, settle
from tests.semantics.support import (
    AsyncFailsOn,
    Consumer,
    Double,
    SlowDouble,
    account,
    in_turn,
    outputs_of,
    until,
)

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")

SECOND = timedelta(seconds=1)


# 3.1, 3.2: the ways to run


@pytest.mark.rule("3.1")
async def test_a_run_is_async_iterable_and_an_async_iterator() -> None:
    run = Double().stream([1, 2, 3])
    assert isinstance(run, Run)
    assert await anext(run) == 2
    assert [output async for output in run] == [4, 6]
    with pytest.raises(StopAsyncIteration):
        await anext(run)


@pytest.mark.rule("3.1")
async def test_iterating_a_run_iterates_the_native_generator() -> None:
    run = Double().stream([1])
    assert type(aiter(run)).__name__ == "async_generator"
    await run.aclose()


@pytest.mark.rule("3.1")
async def test_through_is_stream() -> None:
    assert [output async for output in AsyncStream([1, 2]).through(SlowDouble())] == [2, 4]
    config = StreamConfig(on_error="skip")
    through = AsyncStream([1, 2], config).through(AsyncFailsOn(1))
    assert [output async for output in through] == [2]


@pytest.mark.rule("3.1")
async def test_through_has_the_metrics_and_the_clock_of_the_stream(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(1).idle(1).emit(2)
    stream = AsyncStream(source, metrics=monitor, clock=clock)
    consumer = Consumer(stream.through(tumbling(SECOND)), clock)
    await clock.advance(1)
    assert consumer.values == [[1]]
    assert monitor.get_metrics()["items_in"] == 2
    await consumer.stop()


@pytest.mark.rule("3.1")
async def test_a_run_is_an_async_context_manager() -> None:
    recorder = Recorder()
    async with Double().stream(recorder.feed([1, 2])) as run:
        assert await anext(run) == 2
    assert recorder.story == [("pull", 1), ("closed", None)]


@pytest.mark.rule("3.2")
def test_iterate_and_through_give_a_plain_generator() -> None:
    run = Double().iterate([1, 2])
    assert type(run).__name__ == "generator"
    assert list(run) == [2, 4]
    assert list(SyncStream([1]).through(Double())) == [2]


@pytest.mark.rule("3.2")
@pytest.mark.parametrize(
    "chain",
    [
        SlowDouble(),
        Double() >> SlowDouble(),
        Double().concurrent(2, threads=True),
        batch(2, linger=SECOND),
        StreamPipe[int, int](),
    ],
    ids=str,
)
def test_an_async_chain_cannot_be_iterated(chain: Any) -> None:
    with pytest.raises(TypeError, match=r"is (async|concurrent).*stream\(source\)"):
        chain.iterate([1])
    with pytest.raises(TypeError, match="is async.*AsyncStream"):
        SyncStream([1]).through(chain)


@pytest.mark.rule("3.2")
def test_what_needs_an_event_loop_cannot_be_iterated() -> None:
    async def letter(_: object) -> None: ...

    with pytest.raises(TypeError, match=r"stage 1 'Double' has a buffer"):
        Double().with_config(BackpressureConfig()).iterate([1])
    with pytest.raises(TypeError, match=r"has a buffer.*stream\(source\)"):
        Double().iterate([1], config=BackpressureConfig())
    with pytest.raises(TypeError, match=r"stage 1 'Double' has an async dead-letter callable"):
        Double().iterate([1], config=StreamConfig(on_error=letter))


@pytest.mark.rule("3.1", "3.2")
def test_what_is_no_source_is_refused_at_once() -> None:
    def numbers() -> Iterator[int]:
        yield 1

    async def slow_numbers() -> AsyncIterator[int]:
        yield 1

    async def coroutine() -> list[int]:
        return [1]

    wrong: list[tuple[Any, str]] = [
        (3, "must be an iterable.*got 3 of type int"),
        (numbers, r"did you mean numbers\(\)\?"),
        (slow_numbers, r"did you mean slow_numbers\(\)\?"),
        (coroutine(), "await it first"),
    ]
    for source, message in wrong:
        with pytest.raises(TypeError, match=message):
            Double().stream(source)
    with pytest.raises(TypeError, match=r"use \.stream\(source\)"):
        Double().iterate(slow_numbers())  # type: ignore[arg-type]  # the wrong source is the test


# 3.3: pull, item by item


@pytest.mark.rule("3.3")
async def test_nothing_is_read_ahead() -> None:
    recorder = Recorder()
    chain = map(int) >> SlowDouble() >> flat_map(lambda item: [item, -item]) >> map(str)
    async for output in chain.stream(recorder.feed("12")):
        recorder.note("output", output)
    assert recorder.story == [
        ("pull", "1"),
        ("output", "2"),
        ("output", "-2"),
        ("pull", "2"),
        ("output", "4"),
        ("output", "-4"),
        ("closed", None),
    ]


@pytest.mark.rule("3.3")
def test_nothing_is_read_ahead_without_an_event_loop() -> None:
    recorder = Recorder()
    for output in (map(int) >> batch(2)).iterate(recorder.feed_plain("123")):
        recorder.note("output", output)
    assert recorder.story == [
        ("pull", "1"),
        ("pull", "2"),
        ("output", [1, 2]),
        ("pull", "3"),
        ("closed", None),
        ("output", [3]),
    ]


@pytest.mark.rule("3.3")
async def test_a_window_with_a_timer_reads_nothing_ahead(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1, 2, 3, 4).end()
    run = batch(2, linger=SECOND).stream(source, clock=clock)
    assert source.asked == 0
    assert await anext(run) == [1, 2]
    await settle()
    assert source.asked == 2
    assert await anext(run) == [3, 4]
    await settle()
    assert source.asked == 4
    await run.aclose()


@pytest.mark.rule("3.3")
async def test_what_a_window_lets_go_is_pulled_only_when_it_is_asked_for(
    clock: VirtualClock,
) -> None:
    """One item closes a window and opens the next: the next item waits for the consumer."""
    source = ScriptedSource(clock).emit(1)
    run = tumbling(SECOND).stream(source, clock=clock)
    first = asyncio.ensure_future(anext(run))
    await settle()
    clock.set(1.5)  # the source is faster than the timer
    source.emit(2)
    assert await first == [1]
    await settle()
    assert source.asked == 2
    await run.aclose()


# 3.4: timers on an idle source


@pytest.mark.rule("3.4")
async def test_the_item_that_was_being_waited_for_is_not_lost(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1).idle(5).emit(2).end()
    consumer = Consumer(tumbling(SECOND).stream(source, clock=clock), clock)
    await clock.advance(1)
    assert consumer.outputs == [(1.0, [1])]
    assert source.asked == 2
    await clock.advance(10)
    assert consumer.outputs == [(1.0, [1]), (5.0, [2])]


@pytest.mark.rule("3.4")
async def test_a_run_with_a_timer_has_one_task_however_many_items(clock: VirtualClock) -> None:
    tasks: set[asyncio.Task[Any] | None] = set()

    def seen(item: int) -> int:
        tasks.add(asyncio.current_task())
        return item

    chain = map(seen) >> tumbling(SECOND)
    assert await outputs_of(chain, range(100), clock=clock) == [list(range(100))]
    assert len(tasks) == 1


@pytest.mark.rule("3.4")
async def test_the_stages_before_a_timer_see_the_context_of_the_start(clock: VirtualClock) -> None:
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("at the start")
    chain = map(lambda _: variable.get()) >> batch(1, linger=SECOND)
    run = chain.stream(in_turn("ab"), clock=clock)
    assert await anext(run) == ["at the start"]
    variable.set("later")
    assert await anext(run) == ["at the start"]
    await run.aclose()


@pytest.mark.rule("3.4")
async def test_timers_one_behind_the_other_each_fire_in_time(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1)
    chain = tumbling(SECOND) >> tumbling(timedelta(seconds=10))
    consumer = Consumer(chain.stream(source, clock=clock), clock)
    await clock.advance(1)
    source.emit(2)
    await clock.advance(20)
    assert consumer.outputs == [(11.0, [[1], [2]])]
    await consumer.stop()


@pytest.mark.rule("3.4")
async def test_a_timer_fires_while_a_stage_before_it_waits(clock: VirtualClock) -> None:
    async def slow(item: int) -> int:
        await clock.sleep(3 if item == 2 else 0)
        return item

    chain = map(slow) >> tumbling(SECOND)
    consumer = Consumer(chain.stream([1, 2], clock=clock), clock)
    await clock.advance(5)
    assert consumer.outputs == [(1.0, [1]), (3.0, [2])]


# 3.5: turns for the event loop


@pytest.mark.rule("3.5")
@pytest.mark.parametrize(("config", "every"), [(None, 1024), (StreamConfig(yield_every=10), 10)])
async def test_a_plain_source_gives_the_loop_a_turn(
    config: StreamConfig | None, every: int
) -> None:
    turns = 0

    async def count_turns() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    counting = asyncio.create_task(count_turns())
    await outputs_of(Double(), range(every * 5), config=config)
    counting.cancel()
    assert 3 <= turns <= 6


# 3.6: the end, and stop()


@pytest.mark.rule("3.6")
async def test_the_end_flushes_from_the_left() -> None:
    calls: list[Any] = []

    def noted(items: Any) -> Any:
        calls.append(items)
        return items

    chain = batch(2) >> map(noted) >> batch(2) >> map(noted)
    assert await outputs_of(chain, "abc") == [[["a", "b"], ["c"]]]
    assert calls == [["a", "b"], ["c"], [["a", "b"], ["c"]]]
    assert list(chain.iterate("abc")) == [[["a", "b"], ["c"]]]


@pytest.mark.rule("3.6")
async def test_a_user_stream_finishes_after_what_was_flushed_into_it() -> None:
    class Framed(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in stream:
                yield item
            yield "end"

    chain = batch(2) >> Framed() >> batch(2)
    assert await outputs_of(chain, "abc") == [[["a", "b"], ["c"]], ["end"]]


def stoppable() -> list[tuple[Any, list[Any]]]:
    return [
        (batch(10), [["a", "b"]]),
        (map(str) >> tumbling(SECOND), [["a", "b"]]),
        (batch(10, linger=SECOND) >> map(len), [2]),
        (AsyncFailsOn().concurrent(2) >> batch(10), [["a", "b"]]),
        (StreamPipe[Any, Any]().with_config(BackpressureConfig()) >> batch(10), [["a", "b"]]),
    ]


@pytest.mark.rule("3.6")
@pytest.mark.parametrize("case", range(len(stoppable())))
async def test_stop_ends_a_run_that_waits_for_its_source(case: int, clock: VirtualClock) -> None:
    chain, expected = stoppable()[case]
    source = ScriptedSource(clock).emit("a", "b")
    run = chain.stream(source, clock=clock)
    consumer = Consumer(run, clock)
    await settle()
    assert not consumer.ended
    run.stop()
    await settle()
    assert (consumer.values, consumer.ended, consumer.error) == (expected, True, None)


@pytest.mark.rule("3.6")
async def test_stop_between_two_items_lets_no_further_item_in() -> None:
    recorder = Recorder()
    run = (map(str) >> batch(2)).stream(recorder.feed([1, 2, 3, 4, 5]))
    assert await anext(run) == ["1", "2"]
    run.stop()
    assert [output async for output in run] == []
    assert recorder.values("pull") == [1, 2]
    assert recorder.story[-1] == ("closed", None)


@pytest.mark.rule("3.6")
async def test_stop_before_the_first_item_leaves_the_source_untouched() -> None:
    source = iter("ab")
    run = batch(2).stream(source)
    run.stop()
    assert [output async for output in run] == []
    assert next(source) == "a"


@pytest.mark.rule("3.6")
async def test_stop_from_another_thread_wakes_the_run(clock: VirtualClock) -> None:
    run = batch(10).stream(ScriptedSource().emit("a"), clock=clock)
    consumer = Consumer(run, clock)
    await settle()
    thread = threading.Thread(target=run.stop)
    thread.start()
    thread.join()
    await until(lambda: consumer.ended)
    assert consumer.values == [["a"]]


@pytest.mark.rule("3.6")
async def test_stop_from_another_thread_wakes_a_loop_that_sleeps() -> None:
    run = batch(10).stream(ScriptedSource().emit("a"))
    thread = threading.Timer(0.02, run.stop)
    thread.start()
    async with asyncio.timeout(5):  # nothing else would wake the loop earlier
        assert [output async for output in run] == [["a"]]
    thread.join()


@pytest.mark.rule("3.6")
async def test_a_source_that_swallows_the_stop_still_has_its_item_handled() -> None:
    async def stubborn() -> AsyncIterator[str]:
        yield "a"
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            yield "b"
        yield "c"

    run = batch(10).stream(stubborn())
    pull = asyncio.ensure_future(anext(run))
    await settle()
    run.stop()
    assert await pull == ["a", "b"]
    assert pull.cancelling() == 0
    await run.aclose()


@pytest.mark.rule("3.6")
async def test_a_cancellation_is_not_taken_for_a_stop() -> None:
    run = batch(10).stream(ScriptedSource().emit("a"))
    pull = asyncio.ensure_future(anext(run))
    await settle()
    pull.cancel()
    run.stop()
    with pytest.raises(asyncio.CancelledError):
        await pull


@pytest.mark.rule("3.6")
async def test_a_cancellation_right_after_a_stop_is_not_lost() -> None:
    run = batch(10).stream(ScriptedSource().emit("a"))
    pull = asyncio.ensure_future(anext(run))
    await settle()
    run.stop()
    pull.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pull


@pytest.mark.rule("3.6")
async def test_stop_after_the_end_does_nothing() -> None:
    run = Double().stream([1])
    assert [output async for output in run] == [2]
    run.stop()
    await settle()


# 3.7: leaving early


@pytest.mark.rule("3.7")
async def test_aclose_before_the_first_item_leaves_the_source_untouched() -> None:
    source = (item for item in "ab")
    run = (map(str) >> tumbling(SECOND)).stream(source)
    await run.aclose()
    assert next(source) == "a"


@pytest.mark.rule("3.7")
async def test_a_source_is_opened_when_the_first_item_is_asked_for() -> None:
    source = MockSyncSource([1])
    await Double().stream(source).aclose()
    run, plain = Double().stream(source), Double().iterate(source)
    assert source.iterations == 0
    assert [output async for output in run] == list(plain) == [2]
    assert source.iterations == 2


@pytest.mark.rule("3.7")
async def test_only_generators_are_closed() -> None:
    class File:
        closed = False

        def __iter__(self) -> File:
            return self

        def __next__(self) -> int:
            return 1

        def close(self) -> None:
            self.closed = True

    file = File()
    async with Double().stream(file) as run:
        assert await anext(run) == 2
    plain = Double().iterate(file)
    assert next(plain) == 2
    plain.close()
    assert not file.closed


@pytest.mark.rule("3.7")
async def test_the_source_is_closed_in_the_task_that_iterated_it(clock: VirtualClock) -> None:
    tasks: list[asyncio.Task[Any] | None] = []

    async def source() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            tasks.append(asyncio.current_task())

    for chain in (tumbling(SECOND), map(str).with_config(BackpressureConfig())):
        run = chain.stream(source(), clock=clock)
        first = asyncio.ensure_future(anext(run))
        await clock.advance(1)
        await first
        await run.aclose()
        opened, closed = tasks
        assert opened is closed
        tasks.clear()


@pytest.mark.rule("3.7")
async def test_a_source_that_is_not_being_waited_for_is_closed_in_its_task_too(
    clock: VirtualClock,
) -> None:
    tasks: list[asyncio.Task[Any] | None] = []

    async def source() -> AsyncIterator[int]:
        tasks.append(asyncio.current_task())
        try:
            yield 1
            yield 2
        finally:
            tasks.append(asyncio.current_task())

    run = batch(1, linger=SECOND).stream(source(), clock=clock)
    assert await anext(run) == [1]
    await run.aclose()
    opened, closed = tasks
    assert opened is closed


@pytest.mark.rule("3.7")
async def test_user_generators_are_closed_from_downstream_on() -> None:
    recorder = Recorder()

    class Watched(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            try:
                async for item in stream:
                    yield item
            finally:
                recorder.note("stream closed")

    def expand(item: Any) -> Iterator[Any]:
        try:
            yield item
            yield item
        finally:
            recorder.note("expand closed")

    run = (flat_map(expand) >> Watched()).stream(recorder.feed("ab"))
    assert await anext(run) == "a"
    await run.aclose()
    assert recorder.story == [
        ("pull", "a"),
        ("stream closed", None),
        ("expand closed", None),
        ("closed", None),
    ]


@pytest.mark.rule("3.7")
async def test_a_bare_break_is_cleaned_up_by_the_loops_hook(clock: VirtualClock) -> None:
    recorder = Recorder()
    chain = map(str) >> batch(1, linger=SECOND) >> AsyncFailsOn().concurrent(2)
    async for _ in chain.stream(recorder.feed(in_turn(range(100))), clock=clock):
        break
    gc.collect()
    await settle()
    assert recorder.story[-1] == ("closed", None)
    assert asyncio.all_tasks() == {asyncio.current_task()}


class _LeavesSlowly(StreamPipe[Any, Any]):
    """Needs some turns of the event loop to clean up."""

    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.recorder = recorder

    async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for item in stream:
                yield item
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            self.recorder.note("stream closed")


@pytest.mark.rule("3.7")
async def test_generators_that_are_collected_at_once_do_not_get_in_each_others_way() -> None:
    complaints: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
    recorder = Recorder()
    run = (SlowDouble() >> _LeavesSlowly(recorder)).stream(recorder.feed(range(9)))
    assert await anext(run) == 0
    circle: list[Any] = [run]
    circle.append(circle)  # so that the collector finds everything in one go
    del run, circle
    gc.collect()
    await settle()
    assert sorted(recorder.story) == [("closed", None), ("pull", 0), ("stream closed", None)]
    assert complaints == []


@pytest.mark.rule("3.7")
def test_runs_that_are_open_when_their_loop_ends_are_closed_by_the_loop() -> None:
    complaints: list[dict[str, Any]] = []
    recorder = Recorder()
    runs = []

    async def leave_them_open() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, said: complaints.append(said))
        for _ in range(20):  # the loop closes generators in no order
            run = (SlowDouble() >> _LeavesSlowly(recorder)).stream(recorder.feed(range(9)))
            runs.append(run)
            assert await anext(run) == 0

    asyncio.run(leave_them_open())
    kinds = [kind for kind, _ in recorder.story]
    assert (kinds.count("closed"), kinds.count("stream closed")) == (20, 20)
    assert complaints == []


@pytest.mark.rule("3.7")
@pytest.mark.parametrize("turns", range(4))
def test_a_run_that_is_left_just_before_its_loop_ends_is_cleaned_up(turns: int) -> None:
    recorder, monitor = Recorder(), PipelineMonitor()

    async def leave_at_once() -> None:
        chain = map(str) >> flat_map(lambda item: [item, item])
        async for _ in chain.stream(recorder.feed_plain("ab"), monitor=monitor):
            break
        for _ in range(turns):
            await asyncio.sleep(0)  # the end of the loop cancels what closes the run

    asyncio.run(leave_at_once())
    gc.collect()
    assert recorder.story == [("pull", "a"), ("closed", None)]
    assert monitor.get_metrics()["discarded"] == 1


@pytest.mark.rule("3.7")
async def test_a_timer_that_is_set_does_not_hold_a_run_alive(clock: VirtualClock) -> None:
    recorder = Recorder()
    source = ScriptedSource(clock).emit(1).idle(1.5).emit(2)
    run = tumbling(SECOND).stream(recorder.feed(source), clock=clock)
    first = asyncio.ensure_future(anext(run))
    await clock.advance(1.7)
    assert await first == [1]
    assert clock.pending == 1  # for the window that 2 is in
    del run, first
    gc.collect()
    await settle()
    assert clock.pending == 0
    assert recorder.story[-1] == ("closed", None)


@pytest.mark.rule("3.7")
def test_a_plain_run_that_is_dropped_is_cleaned_up() -> None:
    recorder = Recorder()
    run = batch(1).iterate(recorder.feed_plain("ab"))
    next(run)
    del run
    gc.collect()
    assert recorder.story[-1] == ("closed", None)


@pytest.mark.rule("3.7")
async def test_what_was_held_is_discarded_and_counted(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    chain = map(str) >> batch(2) >> flat_map(lambda pair: pair) >> tumbling(SECOND) >> batch(2)
    source = ScriptedSource(clock).emit(*range(5)).idle(1).emit(*range(6))
    run = chain.stream(source, clock=clock, monitor=monitor)
    pull = asyncio.ensure_future(anext(run))
    await clock.advance(1)
    pull.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pull
    metrics = monitor.get_metrics()
    assert metrics["items_in"] == 11
    assert [stage["discarded"] for stage in metrics["stages"]] == [0, 1, 0, 6, 1]  # a list of 4


@pytest.mark.rule("3.7")
async def test_errors_while_closing_the_first_is_raised_the_rest_become_notes() -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            message = "in the source"
            raise ValueError(message)

    def expand(item: int) -> Iterator[int]:
        try:
            yield item
        finally:
            message = "in expand"
            raise KeyError(message)

    run = flat_map(expand).stream(source())
    assert await anext(run) == 1
    with pytest.raises(StreamError, match="in expand") as caught:
        await run.aclose()
    assert (caught.value.stage, caught.value.pipe) == (0, "flat_map")
    assert any("in the source" in note for note in caught.value.__notes__)


@pytest.mark.rule("3.7")
async def test_an_error_while_closing_is_chained_to_the_one_that_is_leaving() -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            message = "in the source"
            raise ValueError(message)

    with pytest.raises(StreamError, match="bad 1") as caught:
        await outputs_of(AsyncFailsOn(1), source())  # type: ignore[arg-type]  # async
    context = caught.value.error.__context__  # type: ignore[union-attr]  # a stage's error
    assert isinstance(context, StreamError)
    assert context.pipe == "source"


@pytest.mark.rule("3.7")
async def test_further_errors_while_closing_are_notes_of_the_one_that_is_leaving() -> None:
    def source() -> Iterator[int]:
        try:
            yield 1
        finally:
            message = "in the source"
            raise ValueError(message)

    def expand(item: int) -> Iterator[int]:
        try:
            yield item
        finally:
            message = "in expand"
            raise KeyError(message)

    with pytest.raises(StreamError, match="bad 1") as caught:
        await outputs_of(flat_map(expand) >> AsyncFailsOn(1), source())
    (note,) = caught.value.__notes__
    assert "in the source" in note


@pytest.mark.rule("3.7")
async def test_an_error_while_closing_after_the_end_is_raised() -> None:
    def source() -> Iterator[int]:
        try:
            yield from (1, 2, 3)
        finally:
            message = "in the source"
            raise ValueError(message)

    with pytest.raises(StreamError, match="in the source"):
        await outputs_of(take(1), source())
    with pytest.raises(StreamError, match="in the source"):
        list(take(1).iterate(source()))


class Await:
    """Suspends wherever the test's chain calls it, and counts where that was."""

    def __init__(self, stop_at: int) -> None:
        self.count = 0
        self.stop_at = stop_at
        self.reached = asyncio.Event()

    async def here(self) -> None:
        self.count += 1
        if self.count == self.stop_at:
            self.reached.set()
            await asyncio.Event().wait()
        await asyncio.sleep(0)


def chain_that_awaits_everywhere(where: Await) -> Any:
    """Source, stages, handlers, retries, dead letters, closing: all of them suspend."""

    async def slow(item: int) -> int:
        await where.here()
        if item % 7 == 3:
            raise ValueError(item)
        return item

    async def letter(_: object) -> None:
        await where.here()

    async def expand(item: int) -> AsyncIterator[int]:
        try:
            yield item
            await where.here()
        finally:
            await asyncio.sleep(0)

    class Framed(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            try:
                async for item in stream:
                    await where.here()
                    yield item
            finally:
                await asyncio.sleep(0)

    class Handling(StreamPipe[int, int]):
        async def process_item(self, item: int) -> int:
            await where.here()
            if item % 5 == 4:
                raise ValueError(item)
            return item

        async def handle_error(self, error: Exception, data: int) -> int:
            await where.here()
            return data

    return (
        map(slow).with_config(
            StreamConfig(on_error=letter, retry_attempts=2, retry_delay=0.0, timeout=1000.0)
        )
        >> Handling()
        >> flat_map(expand)
        >> batch(2, linger=SECOND)
        >> flat_map(lambda items: items)
        >> map(slow).concurrent(2).with_config(StreamConfig(on_error="skip"))
        >> Framed()
        >> map(slow).with_config(StreamConfig(on_error="skip"))
        >> StreamPipe[Any, Any]().with_config(BackpressureConfig(max_buffer_size=2))
        >> tumbling(SECOND)
        >> map(len)
    )


async def source_that_awaits(where: Await) -> AsyncIterator[int]:
    try:
        for item in range(9):
            await where.here()
            yield item
    finally:
        await asyncio.sleep(0)


async def awaits_of_a_whole_run(clock: VirtualClock) -> int:
    where = Await(-1)
    chain = chain_that_awaits_everywhere(where)
    async for _ in chain.stream(source_that_awaits(where), clock=clock):
        pass
    return where.count


@pytest.mark.rule("3.7")
async def test_cancellation_at_every_await_leaves_nothing(clock: VirtualClock) -> None:
    total = await awaits_of_a_whole_run(clock)
    assert total > 50
    for stop_at in range(1, total + 1):
        where = Await(stop_at)
        run = chain_that_awaits_everywhere(where).stream(source_that_awaits(where), clock=clock)
        consumer = Consumer(run, clock)
        await until(lambda where=where: where.reached.is_set())  # type: ignore[misc]  # bound now
        await consumer.stop()
        assert asyncio.all_tasks() == {asyncio.current_task()}, stop_at
        assert clock.pending == 0, stop_at
        assert consumer.error is None


@pytest.mark.rule("3.7")
async def test_cancellation_after_every_turn_leaves_nothing(clock: VirtualClock) -> None:
    """Cancelled again while it cleans up, too."""
    for turns in range(80):
        where = Await(-1)
        run = chain_that_awaits_everywhere(where).stream(source_that_awaits(where), clock=clock)

        async def consume(run: Any = run) -> None:
            async for _ in run:
                pass

        task = asyncio.create_task(consume())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}, turns
        assert clock.pending == 0, turns


@pytest.mark.rule("3.7")
async def test_aclose_after_every_output_leaves_nothing(clock: VirtualClock) -> None:
    chain = batch(2, linger=SECOND) >> flat_map(lambda items: items) >> SlowDouble().concurrent(2)
    for count in range(6):
        recorder = Recorder()
        run = chain.stream(recorder.feed(in_turn(range(5))), clock=clock)
        for _ in range(count):
            await anext(run, None)
        await run.aclose()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert clock.pending == 0
        assert recorder.story[-1:] in ([], [("closed", None)])


@pytest.mark.rule("3.7")
async def test_a_cancellation_while_closing_waits_for_the_end_of_it(clock: VirtualClock) -> None:
    closed = False

    async def source() -> AsyncIterator[int]:
        nonlocal closed
        try:
            yield 1
            await asyncio.Event().wait()
        finally:
            await clock.sleep(5)
            closed = True

    run = tumbling(SECOND).stream(source(), clock=clock)
    first = asyncio.ensure_future(anext(run))
    await clock.advance(1)
    assert await first == [1]
    closing = asyncio.ensure_future(run.aclose())
    await settle()
    closing.cancel()
    await settle()
    assert not closing.done()
    await clock.advance(5)
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert closed


# 3.8: several items of one stage at once


@pytest.mark.rule("3.8")
async def test_up_to_the_limit_are_started_and_undelivered(clock: VirtualClock) -> None:
    started: list[int] = []

    async def work(item: int) -> int:
        started.append(item)
        await clock.sleep(1)
        return item

    run = map(work).concurrent(3).stream(range(10), clock=clock)
    first = asyncio.ensure_future(anext(run))
    await settle()
    assert started == [0, 1, 2]
    await clock.advance(1)
    assert await first == 0
    await settle()
    assert started == [0, 1, 2, 3]  # two are done and not delivered: one place was free
    await run.aclose()


@pytest.mark.rule("3.8")
@pytest.mark.parametrize(("ordered", "expected"), [(True, [3, 1, 2]), (False, [1, 2, 3])])
async def test_the_order_of_the_results(
    ordered: bool, expected: list[int], clock: VirtualClock
) -> None:
    async def work(item: int) -> int:
        await clock.sleep(item)
        return item

    consumer = Consumer(map(work).concurrent(3, ordered).stream([3, 1, 2], clock=clock), clock)
    await clock.advance(5)
    assert consumer.values == expected


@pytest.mark.rule("3.8")
async def test_unordered_results_that_wait_come_in_the_order_of_their_completion(
    clock: VirtualClock,
) -> None:
    async def work(item: int) -> int:
        await clock.sleep(item)
        return item

    run = map(work).concurrent(4, ordered=False).stream([0, 3, 1, 2], clock=clock)
    assert await anext(run) == 0
    await clock.advance(5)  # the consumer is busy meanwhile
    assert [output async for output in run] == [1, 2, 3]


@pytest.mark.rule("3.8")
async def test_ordered_an_error_comes_after_all_earlier_results(clock: VirtualClock) -> None:
    cancelled: list[int] = []

    async def work(item: int) -> int:
        try:
            await clock.sleep(0 if item == 2 else item + 1)
        except asyncio.CancelledError:
            cancelled.append(item)
            raise
        if item == 2:
            raise ValueError(item)
        return item

    monitor = PipelineMonitor()
    run = map(work).concurrent(4).stream(range(9), clock=clock, monitor=monitor)
    consumer = Consumer(run, clock)
    await clock.advance(10)
    assert consumer.values == [0, 1]
    error = consumer.error
    assert isinstance(error, StreamError)
    assert (error.item, error.item_index, error.stage) == (2, 2, 0)
    assert error.pending == (3, 4)
    assert cancelled == [3, 4]
    account(monitor, [0, 1], [2, *error.pending])


@pytest.mark.rule("3.8")
async def test_unordered_an_error_comes_at_once(clock: VirtualClock) -> None:
    async def work(item: int) -> int:
        await clock.sleep(10 - item)
        if item == 2:
            raise ValueError(item)
        return item

    consumer = Consumer(
        map(work).concurrent(3, ordered=False).stream([0, 1, 2], clock=clock), clock
    )
    await clock.advance(20)
    assert consumer.values == []
    assert isinstance(consumer.error, StreamError)
    assert consumer.error.pending == (0, 1)


@pytest.mark.rule("3.8")
async def test_unordered_what_is_in_flight_is_pending_in_input_order(clock: VirtualClock) -> None:
    async def work(item: int) -> int:
        await clock.sleep({9: 0, 0: 4, 1: 1}[item])
        return item

    async def fail_later(item: int) -> None:
        await clock.sleep(2)  # 1 is done in the meantime, and 0 is not
        raise ValueError(item)

    chain = map(work).concurrent(4, ordered=False) >> map(fail_later)
    consumer = Consumer(chain.stream([9, 0, 1], clock=clock), clock)
    await clock.advance(3)
    assert isinstance(consumer.error, StreamError)
    assert (consumer.error.item, consumer.error.pending) == (9, (0, 1))


@pytest.mark.rule("3.8")
async def test_in_flight_items_are_discarded_at_an_early_end(clock: VirtualClock) -> None:
    async def work(item: int) -> int:
        await clock.sleep(item)
        return item

    monitor = PipelineMonitor()
    run = map(work).concurrent(3).stream([0, 1, 2, 3], clock=clock, monitor=monitor)
    assert await anext(run) == 0
    await settle()
    await run.aclose()
    account(monitor, [0])
    assert monitor.get_metrics()["discarded"] == 3


@pytest.mark.rule("3.8")
async def test_sync_stages_work_in_threads() -> None:
    threads: set[int] = set()
    barrier = threading.Barrier(3, timeout=5)
    variable = contextvars.ContextVar("variable", default="")
    variable.set("seen")

    def work(item: int) -> str:
        threads.add(threading.get_ident())
        barrier.wait()
        return f"{item}{variable.get()}"

    chain = map(work).concurrent(3, threads=True)
    assert await outputs_of(chain, range(3)) == ["0seen", "1seen", "2seen"]
    assert len(threads) == 3
    assert threading.get_ident() not in threads


@pytest.mark.rule("3.8")
async def test_leaving_waits_for_the_threads() -> None:
    begun, release, done = threading.Event(), threading.Event(), threading.Event()

    def work(item: int) -> int:
        if item:
            begun.set()
            release.wait(5)
            done.set()
        return item

    run = map(work).concurrent(2, threads=True).stream([0, 1])
    assert await anext(run) == 0
    await until(begun.is_set)
    closing = asyncio.ensure_future(run.aclose())
    await settle()
    assert not closing.done()
    release.set()
    await closing
    assert done.is_set()


@pytest.mark.rule("3.8")
async def test_settings_apply_to_each_item_of_a_concurrent_stage() -> None:
    letters: list[Any] = []
    config = StreamConfig(on_error=lambda letter: letters.append(letter.item))
    chain = AsyncFailsOn(2, 4).concurrent(3).with_config(config)
    assert await outputs_of(chain, [1, 2, 3, 4, 5]) == [1, 3, 5]
    assert letters == [2, 4]


@pytest.mark.rule("3.8")
def test_what_cannot_be_concurrent_is_refused() -> None:
    with pytest.raises(ValueError, match="limit must be at least 1, got 0"):
        SlowDouble().concurrent(0)
    with pytest.raises(TypeError, match="threads=True"):
        Double().concurrent(2)
    with pytest.raises(TypeError, match="needs no threads"):
        SlowDouble().concurrent(2, threads=True)
    with pytest.raises(TypeError, match="single 1:1 stage"):
        sliding(2).concurrent(2, threads=True)
    with pytest.raises(TypeError, match="single 1:1 stage"):
        (SlowDouble() >> SlowDouble()).concurrent(2)

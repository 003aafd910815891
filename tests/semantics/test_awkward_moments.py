"""Several things at once: two errors, a cancellation while cleaning up, a stop in the same turn."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rivusio import (
    AsyncPipeline,
    BackpressureConfig,
    DeadLetter,
    FilterPipe,
    PipelineMonitor,
    StreamConfig,
    StreamError,
    StreamPipe,
    batch,
    filter,
    flat_map,
    map,
    pipe,
    take,
    tumbling,
)
from rivusio.testing import ScriptedSource, VirtualClock, settle
from tests.semantics.support import (
    AsyncFailsOn,
    Consumer,
    Double,
    FailsOn,
    SlowDouble,
    account,
    in_turn,
    outputs_of,
    until,
)

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")

SECOND = timedelta(seconds=1)
BUFFER = BackpressureConfig(max_buffer_size=2, min_processing_time=0.0)


class Same(StreamPipe[Any, Any]):
    async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
        async for item in stream:
            yield item


async def slow_to_close(*items: Any) -> AsyncIterator[Any]:
    """A source whose clean-up takes a while."""
    try:
        for item in items:
            yield item
    finally:
        for _ in range(5):
            await asyncio.sleep(0)


# a boundary that is cleaning up by itself when the run is left


@pytest.mark.rule("3.7")
async def test_leaving_while_a_task_cleans_up_is_no_cancellation() -> None:
    chain = SlowDouble().concurrent(2) >> take(1) >> map(str).with_config(BUFFER)
    async with chain.stream(range(9)) as run:
        assert await anext(run) == "0"
    other = take(2) >> map(str).with_config(BUFFER)
    run = other.stream(slow_to_close(1, 2, 3))
    assert await anext(run) == "1"
    await run.aclose()


@pytest.mark.rule("3.7", "6.1")
async def test_an_error_while_a_task_cleans_up_stays_the_error() -> None:
    chain = take(2) >> FailsOn(1).with_config(BUFFER)
    with pytest.raises(StreamError, match="bad 1"):
        await outputs_of(chain, slow_to_close(1, 2, 3))  # type: ignore[arg-type]  # async


@pytest.mark.rule("3.8", "6.3")
async def test_an_unordered_error_while_others_are_cancelled(clock: VirtualClock) -> None:
    async def fail(item: int) -> None:
        await clock.sleep(0.01 if item == 1 else 1)
        raise ValueError(item)

    monitor = PipelineMonitor()
    run = map(fail).concurrent(8, ordered=False).stream(range(4), clock=clock, monitor=monitor)
    consumer = Consumer(run, clock)
    await clock.advance(5)
    error = consumer.error
    assert isinstance(error, StreamError)
    assert (error.item, error.pending) == (1, (0, 2, 3))
    account(monitor, [], [1, *error.pending])


# a stop at the wrong moment


@pytest.mark.rule("3.6", "5.3")
async def test_stop_makes_a_full_buffer_drop_nothing() -> None:
    chain = flat_map(lambda _: range(10)) >> map(str).with_config(BUFFER)
    run = chain.stream([1])
    outputs = []
    async for output in run:
        outputs.append(output)
        run.stop()
        await settle()
    assert outputs == [str(item) for item in range(10)]
    assert run.buffers[0].dropped == 0


@pytest.mark.rule("3.6", "6.10")
async def test_a_cancellation_in_the_same_turn_as_a_stop_is_not_swallowed() -> None:
    run = map(str).stream(ScriptedSource().emit(1))
    task = asyncio.ensure_future(outputs(run))
    await settle()
    run.stop()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def outputs(run: Any) -> list[Any]:
    return [output async for output in run]


@pytest.mark.rule("3.6")
async def test_stop_reaches_the_source_of_a_very_long_chain() -> None:
    chain = AsyncPipeline([Double().with_config(BUFFER) for _ in range(400)])
    run = chain.stream(ScriptedSource())
    task = asyncio.ensure_future(outputs(run))
    await settle()
    run.stop()
    assert await task == []


# the body of `async with run:` has an error of its own


@pytest.mark.rule("3.7")
async def test_the_bodys_own_error_leaves_and_the_one_of_closing_is_chained() -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            message = "closing"
            raise OSError(message)

    with pytest.raises(KeyError) as caught:
        async with Double().stream(source()) as run:
            await anext(run)
            raise KeyError
    assert isinstance(caught.value.__context__, StreamError)
    with pytest.raises(StreamError, match="closing"):
        async with Double().stream(source()) as run:
            await anext(run)


# cancellations while something else is on its way


@pytest.mark.rule("6.10")
@pytest.mark.parametrize("chain", [FailsOn(1) >> Same(), FailsOn(1) >> batch(5)], ids=str)
async def test_a_cancellation_while_an_error_cleans_up_is_not_lost(
    chain: Any, clock: VirtualClock
) -> None:
    async def source() -> AsyncIterator[int]:
        try:
            yield 0
            yield 1
        finally:
            await clock.sleep(5)

    monitor = PipelineMonitor()
    task = asyncio.ensure_future(outputs(chain.stream(source(), clock=clock, monitor=monitor)))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    if len(chain.stages) == 2 and chain.stages[1].name == "batch":
        account(monitor)
        assert monitor.get_metrics()["discarded"] == 2


@pytest.mark.rule("3.7")
async def test_a_cancellation_that_user_code_swallows_does_not_start_the_source_anew(
    clock: VirtualClock,
) -> None:
    asked = 0

    async def keep(_: object) -> bool:
        nonlocal asked
        asked += 1
        try:
            await clock.sleep(10)
        except asyncio.CancelledError:
            return False
        return True

    async def source() -> AsyncIterator[int]:
        while True:
            yield 1

    run = (filter(keep) >> batch(2, linger=SECOND)).stream(source(), clock=clock)
    task = asyncio.ensure_future(anext(run))
    await settle()
    task.cancel()
    await settle()
    assert task.cancelled()
    assert asked == 1


# runs that nobody holds any more


class Holder:
    me: Any
    run: Any


@pytest.mark.rule("3.7")
async def test_a_run_in_a_circle_of_garbage_is_cleaned_up(clock: VirtualClock) -> None:
    closed = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    holder = Holder()
    holder.me = holder
    holder.run = batch(1, linger=SECOND).stream(source(), clock=clock)
    assert await anext(holder.run) == [1]
    del holder
    gc.collect()
    await until(lambda: bool(closed))


@pytest.mark.rule("3.7")
@pytest.mark.parametrize("kind", [map(str), Same(), batch(1, linger=SECOND)], ids=str)
def test_a_loop_that_ends_with_an_open_run_complains_of_nothing(
    kind: Any, caplog: pytest.LogCaptureFixture
) -> None:
    kept = []
    closed = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
            yield 2
        finally:
            await asyncio.sleep(0)
            closed.append(True)

    async def main() -> None:
        kept.append(kind.stream(source()))
        await anext(kept[0])

    with caplog.at_level(logging.WARNING), asyncio.Runner() as runner:
        runner.run(main())
    assert closed == [True]
    assert caplog.records == []


# two failures at once


@pytest.mark.rule("6.3")
async def test_what_an_overtaken_error_held_is_pending_and_it_is_noted(
    clock: VirtualClock,
) -> None:
    class Early(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            yield "early"
            async for item in stream:
                yield item

    async def fail(_: object) -> None:
        await clock.sleep(1)
        raise KeyError

    chain = FailsOn(4) >> batch(10) >> Early() >> map(fail).with_config(BUFFER)
    consumer = Consumer(chain.stream([1, 2, 3, 4], clock=clock), clock)
    await clock.advance(2)
    error = consumer.error
    assert isinstance(error, StreamError)
    assert error.item == "early"
    assert error.pending == (1, 2, 3, 4)
    assert any("bad 4" in note for note in error.__notes__)


@pytest.mark.rule("6.3", "6.4")
async def test_what_an_upstream_error_brought_is_pending_in_the_error_raised_instead() -> None:
    class Instead(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            try:
                async for item in stream:
                    yield item
            except StreamError as error:
                raise RuntimeError from error

    with pytest.raises(StreamError) as caught:
        await outputs_of(FailsOn(3) >> batch(5) >> Instead(), [1, 2, 3])
    assert caught.value.pending == (1, 2)


# values and errors with methods of their own


class Undecided:
    def __bool__(self) -> bool:
        message = "ambiguous"
        raise ValueError(message)


@pytest.mark.rule("6.1", "6.7")
async def test_a_filters_answer_whose_truth_fails_is_an_error_of_that_stage() -> None:
    stage = filter(lambda _: Undecided())
    with pytest.raises(StreamError, match="ambiguous"):
        await outputs_of(stage, [1])
    assert await outputs_of(stage.with_config(StreamConfig(on_error="skip")), [1]) == []


class OddError(Exception):
    def __bool__(self) -> bool:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.rule("6.1", "3.7")
async def test_errors_with_odd_methods_leave_like_any_other() -> None:
    def fail(_: object) -> None:
        raise OddError

    def letter(_: object) -> None:
        raise OddError

    async def source() -> AsyncIterator[int]:
        try:
            yield 1
        finally:
            raise OddError

    def expand(item: int) -> Iterator[int]:
        try:
            yield item
        finally:
            raise OddError

    for config in (StreamConfig(on_error=letter), StreamConfig(retry_attempts=1)):
        with pytest.raises(StreamError) as caught:
            await outputs_of(flat_map(expand) >> map(fail).with_config(config), source())  # type: ignore[arg-type]  # async
        assert isinstance(caught.value.error, OddError)


@pytest.mark.rule("2.3", "2.4")
async def test_an_awaitable_may_be_an_item() -> None:
    future = asyncio.get_running_loop().create_future()
    future.set_result(3)
    chain = take(1) >> StreamPipe[Any, Any]() >> batch(1) >> flat_map(list)
    assert await outputs_of(chain, [future]) == [future]


# settings at their edges


@pytest.mark.rule("6.8")
def test_very_many_retries_overflow_nothing(clock: VirtualClock) -> None:
    failing = FailsOn(1)
    config = StreamConfig(retry_attempts=2000, retry_delay=1.0, on_error="skip")
    assert list(failing.with_config(config).iterate([1], clock=clock)) == []
    assert len(failing.calls) == 2000
    assert clock.now() < 2000 * 86_400 + 1


@pytest.mark.rule("6.9")
def test_a_timeout_where_nothing_is_called_has_no_effect() -> None:
    config = StreamConfig(timeout=5.0)
    assert list(batch(2).with_config(config).iterate(range(4))) == [[0, 1], [2, 3]]
    assert list(take(1).with_config(config).iterate(range(4))) == [0]


@pytest.mark.rule("3.2", "6.7")
def test_a_dead_letter_that_must_be_awaited_cannot_be_in_a_plain_run() -> None:
    async def letter(_: object) -> None: ...

    for target in (letter, pipe(letter), map(str) >> letter):
        config = StreamConfig(on_error=target)
        with pytest.raises(TypeError, match=r"async dead-letter callable.*stream\(source\)"):
            FailsOn(1).iterate([1], config=config)
    hidden = StreamConfig(on_error=lambda dead: letter(dead))
    with pytest.raises(StreamError, match="the dead-letter callable is sync, but gave"):
        list(FailsOn(1).iterate([1], config=hidden))


@pytest.mark.rule("2.5")
async def test_an_async_pipe_inside_an_operator_makes_it_async() -> None:
    assert await outputs_of(map(AsyncFailsOn()), [1]) == [1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"monitor": PipelineMonitor}, "monitor must be a PipelineMonitor, got <class"),
        ({"clock": "x"}, "clock must be a Clock, got 'x' of type str"),
        ({"config": {"retry_attempts": 3}}, "config must be a StreamConfig or a Backpressure"),
        ({"config": StreamConfig}, "config must be a StreamConfig or a BackpressureConfig"),
    ],
)
@pytest.mark.parametrize("way", ["stream", "iterate"])
def test_options_of_another_kind_are_refused_at_once(options: Any, message: str, way: str) -> None:
    with pytest.raises(TypeError, match=message):
        getattr(Double(), way)([1], **options)


# a user stream and its input


@pytest.mark.rule("6.4")
async def test_two_pulls_of_a_user_streams_input_at_once_are_an_error() -> None:
    class Both(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            yield await asyncio.gather(anext(stream), anext(stream))

    with pytest.raises(StreamError, match="is already being asked for an item"):
        await outputs_of(SlowDouble().concurrent(2) >> Both(), [1, 2, 3])


@pytest.mark.rule("7.3")
async def test_an_input_that_was_broken_off_ends_and_loses_nothing(clock: VirtualClock) -> None:
    class Impatient(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            try:
                async with asyncio.timeout(0):
                    await anext(stream)
            except TimeoutError:
                yield await anext(stream, "the end")

    async def slow(item: int) -> int:
        await clock.sleep(10)
        return item

    monitor = PipelineMonitor()
    chain = map(slow) >> Impatient()
    assert await outputs_of(chain, in_turn([1, 2]), clock=clock, monitor=monitor) == ["the end"]  # type: ignore[arg-type]  # async
    metrics = monitor.get_metrics()
    assert metrics["items_in"] == metrics["discarded"]


@pytest.mark.rule("3.4")
async def test_a_timer_of_a_closed_window_is_gone(clock: VirtualClock) -> None:
    run = tumbling(SECOND).stream(ScriptedSource(clock).emit(1), clock=clock)
    task = asyncio.ensure_future(anext(run))
    await settle()
    assert clock.pending == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert clock.pending == 0


@pytest.mark.rule("6.10")
@pytest.mark.parametrize("base", [KeyboardInterrupt, SystemExit])
async def test_what_is_no_exception_is_not_lost_when_the_consumer_leaves_first(
    base: type[BaseException],
) -> None:
    async def work(item: int) -> int:
        if item == 2:
            raise base
        if item:
            await asyncio.Event().wait()
        return item

    run = map(work).concurrent(3).stream([0, 1, 2])
    assert await anext(run) == 0
    await settle()
    with pytest.raises(base):
        await run.aclose()


@pytest.mark.rule("7.3")
async def test_what_an_unseen_error_held_is_counted_where_it_was_held(clock: VirtualClock) -> None:
    def source() -> Iterator[int]:
        yield from (1, 2, 3)
        raise OSError

    monitor = PipelineMonitor()
    chain = batch(2) >> Same() >> map(len).with_config(BackpressureConfig(max_buffer_size=9))
    run = chain.stream(source(), clock=clock, monitor=monitor)
    assert await anext(run) == 2
    await settle()
    await run.aclose()
    assert [stage["discarded"] for stage in monitor.get_metrics()["stages"]] == [1, 0, 0]


@pytest.mark.rule("3.8", "3.7")
async def test_items_that_are_cancelled_may_clean_up() -> None:
    cleaned = []

    async def work(item: int) -> int:
        if item == 0:
            return 0
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(3):
                await asyncio.sleep(0)
            cleaned.append(item)
        return item

    async with map(work).concurrent(2).stream(range(3)) as run:
        assert await anext(run) == 0
        await settle()
    assert cleaned == [1, 2]


@pytest.mark.rule("6.1", "6.6", "6.7")
def test_a_filter_handlers_answer_whose_truth_fails_is_an_error_of_that_stage() -> None:
    class Failing(FilterPipe[int]):
        def keep(self, item: int) -> bool:
            raise KeyError(item)

        def handle_error(self, error: Exception, data: int) -> Any:
            return Undecided()

    with pytest.raises(StreamError, match="ambiguous"):
        list(Failing().iterate([1]))
    assert list(Failing().with_config(StreamConfig(on_error="skip")).iterate([1])) == []


def small(size: int, overflow: Any = "block") -> BackpressureConfig:
    return BackpressureConfig(max_buffer_size=size, min_processing_time=0.0, overflow=overflow)


@pytest.mark.rule("6.3")
async def test_pending_keeps_the_order_of_two_buffers_in_a_row(clock: VirtualClock) -> None:
    async def fail(_: object) -> None:
        await clock.sleep(1)
        raise KeyError

    run = map(fail).with_config(small(2)).stream(range(9), clock=clock, config=small(3))
    consumer = Consumer(run, clock)
    await clock.advance(2)
    assert isinstance(consumer.error, StreamError)
    assert consumer.error.pending == (1, 2, 3, 4, 5)


@pytest.mark.rule("6.3")
async def test_pending_keeps_the_order_before_an_overflow_that_was_overtaken(
    clock: VirtualClock,
) -> None:
    async def fail(_: object) -> None:
        await clock.sleep(1)
        raise KeyError

    run = map(fail).with_config(small(2, "fail")).stream(range(9), clock=clock)
    consumer = Consumer(run, clock)
    await clock.advance(2)
    assert isinstance(consumer.error, StreamError)
    assert consumer.error.pending == (1, 2, 3)


@pytest.mark.rule("3.7", "6.4")
async def test_leaving_while_an_error_is_handed_to_a_user_stream_interrupts_nothing() -> None:
    cleaned = []

    async def source() -> AsyncIterator[int]:
        try:
            yield 0
            yield 1
        finally:
            for _ in range(30):
                await asyncio.sleep(0)
            cleaned.append(True)

    run = (FailsOn(1) >> Same() >> map(str).with_config(BUFFER)).stream(source())
    assert await anext(run) == "0"
    for _ in range(5):
        await asyncio.sleep(0)
    await run.aclose()
    assert cleaned == [True]


@pytest.mark.rule("3.6", "5.3")
@pytest.mark.parametrize("overflow", ["fail", "drop_oldest", "drop_newest"])
async def test_a_stop_makes_a_throttled_buffer_neither_fail_nor_drop(
    overflow: Any, clock: VirtualClock
) -> None:
    config = BackpressureConfig(
        max_buffer_size=4, throttle_threshold=0.5, min_processing_time=1.0, overflow=overflow
    )
    chain = flat_map(lambda _: range(12)) >> map(str).with_config(config)
    run = chain.stream([1], clock=clock)
    delivered = []

    async def consume() -> None:
        async for output in run:
            delivered.append(output)
            await clock.sleep(1)

    task = asyncio.create_task(consume())
    await clock.advance(3)
    run.stop()
    await clock.advance(30)
    await task
    assert delivered == [str(item) for item in range(12)]


@pytest.mark.rule("3.6")
async def test_a_take_that_is_satisfied_ends_what_runs_ahead_of_it() -> None:
    pulled = []

    async def source() -> AsyncIterator[int]:
        for item in range(1000):
            await asyncio.sleep(0)
            pulled.append(item)
            yield item

    for stage in (map(str).with_config(small(100)), SlowDouble().concurrent(10)):
        pulled.clear()
        run = (stage >> take(1)).stream(source())
        await anext(run)
        seen = len(pulled)
        await settle()
        assert len(pulled) <= seen + 1
        await run.aclose()


@pytest.mark.rule("6.7")
def test_a_dead_letter_that_raises_the_error_itself_makes_no_circle() -> None:
    def letter(dead: DeadLetter) -> None:
        raise dead.error

    with pytest.raises(StreamError) as caught:
        list(FailsOn(1).with_config(StreamConfig(on_error=letter)).iterate([1]))
    assert caught.value.error is not None
    assert caught.value.error.__context__ is None


@pytest.mark.rule("3.7", "6.8")
async def test_a_run_that_is_left_tries_nothing_again(clock: VirtualClock) -> None:
    tries = 0

    async def stubborn(_: object) -> None:
        nonlocal tries
        tries += 1
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise RuntimeError from None

    config = StreamConfig(retry_attempts=50, retry_delay=10.0)
    chain = map(stubborn).with_config(config) >> map(str).with_config(BUFFER)
    task = asyncio.ensure_future(anext(chain.stream([1, 2], clock=clock)))
    await settle()
    task.cancel()
    await settle()
    assert task.cancelled()
    assert tries == 1


@pytest.mark.rule("3.7")
async def test_the_input_of_a_user_stream_that_is_closed_has_ended() -> None:
    drained = []

    class Draining(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            try:
                async for item in stream:
                    yield item
            finally:
                drained.append([item async for item in stream])

    run = Draining().stream(range(20))
    assert await anext(run) == 0
    await run.aclose()
    assert drained == [[]]

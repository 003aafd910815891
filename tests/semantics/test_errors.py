"""§6: what leaves a run when something fails, and what may be done about it."""

from __future__ import annotations

import asyncio
import functools
import pickle
import traceback
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rivusio import (
    AsyncBasePipe,
    AsyncFilterPipe,
    AsyncStream,
    BackpressureConfig,
    BatchStreamPipe,
    DeadLetter,
    FilterPipe,
    FlatMapPipe,
    PipeError,
    PipelineError,
    PipelineMonitor,
    StreamConfig,
    StreamError,
    StreamPipe,
    SyncBasePipe,
    SyncStream,
    WindowedStreamPipe,
    batch,
    filter,
    flat_map,
    map,
    sliding,
    take,
    tumbling,
)
from rivusio.testing import Recorder, ScriptedSource, VirtualClock, settle
from tests.semantics.support import (
    AsyncFailsOn,
    Consumer,
    Double,
    FailsOn,
    SlowDouble,
    account,
    outputs_of,
    until,
)

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")

SECOND = timedelta(seconds=1)


async def failure_of(chain: Any, source: Any, **options: Any) -> StreamError:
    with pytest.raises(StreamError) as caught:
        await outputs_of(chain, source, **options)
    return caught.value


# 6.1: one StreamError, with its fields


@pytest.mark.rule("6.1")
@pytest.mark.parametrize("failing", [FailsOn(6), AsyncFailsOn(6)], ids=str)
async def test_an_exception_leaves_as_one_stream_error(failing: Any) -> None:
    error = await failure_of(Double() >> failing >> map(str), [1, 2, 3, 4])
    assert (error.pipe, error.stage, error.item, error.item_index) == (str(failing), 1, 6, 2)
    assert isinstance(error.error, ValueError)
    assert error.__cause__ is error.error
    assert error.pending == ()
    assert str(error) == f"Error in pipe {failing} (stage 2, item 2): ValueError: bad 6"


@pytest.mark.rule("6.1")
def test_a_plain_run_fails_alike() -> None:
    run = (Double() >> FailsOn(6)).iterate([1, 2, 3, 4])
    assert [next(run), next(run)] == [2, 4]
    with pytest.raises(StreamError) as caught:
        next(run)
    assert (caught.value.stage, caught.value.item_index) == (1, 2)
    assert list(run) == []


class FailingBatch(BatchStreamPipe[int, int]):
    async def process_batch(self, batch: list[int]) -> int:
        if sum(batch) > 5:
            raise ValueError(batch)
        return sum(batch)


@pytest.mark.rule("6.1")
async def test_the_item_of_a_batch_is_the_list() -> None:
    error = await failure_of(FailingBatch(2), [1, 2, 3, 4, 5])
    assert (error.item, error.item_index, error.pipe) == ([3, 4], 3, "FailingBatch")


@pytest.mark.rule("6.1")
async def test_in_a_flush_there_is_no_item_index() -> None:
    error = await failure_of(FailingBatch(4), [1, 1, 1, 1, 6])
    assert (error.item, error.item_index) == ([6], None)


@pytest.mark.rule("6.1")
async def test_in_a_timer_there_is_no_item_index(clock: VirtualClock) -> None:
    class Failing(WindowedStreamPipe[int, int]):
        async def process_window(self, window: list[int]) -> int:
            raise ValueError(window)

    source = ScriptedSource(clock).emit(1, 2)
    consumer = Consumer(Failing(SECOND).stream(source, clock=clock), clock)
    await clock.advance(1)
    error = consumer.error
    assert isinstance(error, StreamError)
    assert (error.item, error.item_index, error.stage) == ([1, 2], None, 0)


@pytest.mark.rule("6.1")
async def test_behind_a_user_stream_there_is_no_item_index() -> None:
    class Same(StreamPipe[int, int]):
        async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in stream:
                yield item

    error = await failure_of(Same() >> FailsOn(2), [1, 2])
    assert (error.item, error.item_index, error.stage) == (2, None, 1)


@pytest.mark.rule("6.1")
async def test_the_item_index_passes_through_buffers_and_concurrent_stages() -> None:
    config = BackpressureConfig(max_buffer_size=3)
    chain = SlowDouble().concurrent(2) >> StreamPipe[int, int](config) >> FailsOn(4)
    error = await failure_of(chain, [0, 1, 2, 3])
    assert (error.item, error.item_index, error.stage) == (4, 2, 2)


@pytest.mark.rule("6.1")
async def test_an_error_in_the_outputs_of_a_flat_map_is_that_stages() -> None:
    def expand(item: int) -> Iterator[int]:
        yield item
        raise KeyError(item)

    async def expand_slowly(item: int) -> AsyncIterator[int]:
        yield item
        raise KeyError(item)

    for function in (expand, expand_slowly):
        error = await failure_of(flat_map(function), [7])
        assert (error.stage, error.item, error.item_index) == (0, 7, 0)
        assert isinstance(error.error, KeyError)


@pytest.mark.rule("6.1")
async def test_an_error_of_a_user_stream_is_that_stages() -> None:
    class Failing(StreamPipe[int, int]):
        async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in stream:
                yield item
                if item == 2:
                    raise KeyError(item)

    error = await failure_of(Double() >> Failing(), [1, 2])
    assert (error.pipe, error.stage, error.item_index) == ("Failing", 1, None)
    assert error.item == 2


@pytest.mark.rule("6.1")
async def test_process_stream_that_is_no_async_generator_is_told() -> None:
    class Wrong(StreamPipe[int, int]):
        async def process_stream(self, stream: Any) -> Any:  # type: ignore[override]  # the mistake
            return stream

    error = await failure_of(Wrong(), [1])
    assert "must be an async generator (async def with yield), but gave a coroutine" in str(error)


@pytest.mark.rule("6.1")
async def test_process_raises_a_pipeline_error() -> None:
    with pytest.raises(PipelineError) as caught:
        (Double() >> FailsOn(6))(3)
    error = caught.value
    assert (error.pipe, error.stage, error.item, error.item_index) == ("FailsOn", 1, 6, None)
    assert error.__cause__ is error.error
    assert str(error) == "Error in pipe FailsOn: bad 6"


class Unpicklable:
    def __reduce__(self) -> Any:
        message = "no"
        raise TypeError(message)

    def __repr__(self) -> str:
        return "<Unpicklable>"


class PickyError(Exception):
    """Its arguments are not those of its constructor: it pickles, and cannot be loaded."""

    def __init__(self, one: str, other: str) -> None:
        super().__init__(one + other)


@pytest.mark.rule("6.1")
def test_errors_are_pickled() -> None:
    original = ValueError("no")
    error = StreamError("p", original, stage=1, item=[1], item_index=7, pending=(2, 3))
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is StreamError
    assert (copy.pipe, copy.stage, copy.item, copy.item_index) == ("p", 1, [1], 7)
    assert copy.pending == (2, 3)
    assert str(copy) == str(error)
    assert isinstance(copy.error, ValueError)
    assert copy.__cause__ is copy.error
    one = pickle.loads(pickle.dumps(PipeError("only a message")))
    assert (str(one), one.pipe, one.error) == ("only a message", None, None)


@pytest.mark.rule("6.1")
def test_what_cannot_be_pickled_travels_as_its_repr() -> None:
    bad = Unpicklable()
    error = PipelineError("p", PickyError("a", "b"), item=bad, pending=(1, bad))
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.item, copy.pending) == ("<Unpicklable>", (1, "<Unpicklable>"))
    assert copy.error == "PickyError('ab')"
    assert copy.__cause__ is None
    assert "ab" in str(copy)


# 6.2: errors of the source


@pytest.mark.rule("6.2")
@pytest.mark.parametrize("stage", [batch(5), tumbling(SECOND), batch(5, linger=SECOND)], ids=str)
async def test_an_error_of_the_source_flushes_nothing(stage: Any, clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(1, 2).fail(OSError("gone"))
    error = await failure_of(map(str) >> stage, source, clock=clock, monitor=monitor)
    assert (error.stage, error.pipe, error.item, error.item_index) == (None, "source", None, 2)
    assert isinstance(error.error, OSError)
    assert error.pending == ("1", "2")
    account(monitor, [], error.pending)


@pytest.mark.rule("6.2")
def test_an_error_of_a_plain_source() -> None:
    def source() -> Iterator[int]:
        yield 1
        message = "gone"
        raise OSError(message)

    run = (Double() >> batch(5)).iterate(source())
    with pytest.raises(StreamError, match=r"pipe source \(item 1\): OSError: gone") as caught:
        next(run)
    assert caught.value.pending == (2,)


@pytest.mark.rule("6.2")
async def test_a_source_that_cannot_even_be_opened() -> None:
    class Broken:
        def __iter__(self) -> Iterator[int]:
            message = "closed"
            raise OSError(message)

    error = await failure_of(Double(), Broken())
    assert (error.stage, error.pipe) == (None, "source")


# 6.3: pending


@pytest.mark.rule("6.3")
async def test_pending_is_downstream_first_and_in_order_within_each_holder() -> None:
    chain = batch(2) >> flat_map(lambda pair: pair) >> FailsOn("h") >> batch(3) >> batch(2)
    error = await failure_of(chain, "abcdefghij")
    assert error.item == "h"
    assert error.pending == ("g",)  # two triples were delivered as a pair
    error = await failure_of(chain, "abcdehij")
    assert error.pending == (["a", "b", "c"], "d", "e")


@pytest.mark.rule("6.3")
async def test_pending_has_the_outputs_of_a_flat_map_that_exist_already() -> None:
    made: list[int] = []

    def lazily(item: int) -> Iterator[int]:
        for each in range(item):
            made.append(each)
            yield each

    error = await failure_of(flat_map(lambda item: list(range(item))) >> FailsOn(1), [4])
    assert (error.item, error.pending) == (1, (2, 3))
    error = await failure_of(flat_map(lazily) >> FailsOn(1), [4])
    assert (error.item, error.pending) == (1, ())
    assert made == [0, 1]


@pytest.mark.rule("6.3")
async def test_pending_of_every_kind_of_holder(clock: VirtualClock) -> None:
    """Sliding window, batch, concurrent stage, buffer, time window: from downstream on."""

    async def slow(item: int) -> int:
        await clock.sleep(1 if item < 3 else 1000)
        return item

    config = BackpressureConfig(max_buffer_size=4, min_processing_time=0.0)
    chain = (
        StreamPipe[int, int](config)
        >> map(slow).concurrent(2)
        >> FailsOn(2)
        >> batch(2)
        >> sliding(9)
    )
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(*range(12))
    consumer = Consumer(chain.stream(source, clock=clock, monitor=monitor), clock)
    await clock.advance(10)
    error = consumer.error
    assert isinstance(error, StreamError)
    assert error.item == 2
    window, *rest = error.pending
    assert window == [0, 1]
    assert rest == list(range(3, 3 + len(rest)))
    assert len(rest) >= 5
    account(monitor, [], [2, *error.pending])


@pytest.mark.rule("6.3")
async def test_pending_has_closed_windows_that_were_not_taken(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1).idle(1.5).emit(2).idle(1).emit(3)
    failing = FailsOn([1])
    run = (tumbling(SECOND) >> failing).stream(source, clock=clock)
    pull = asyncio.ensure_future(anext(run))
    await clock.advance(1)
    with pytest.raises(StreamError) as caught:
        await pull
    assert caught.value.item == [1]
    assert caught.value.pending == ()


@pytest.mark.rule("6.3")
async def test_a_window_that_has_closed_meanwhile_is_pending(clock: VirtualClock) -> None:
    async def fail_later(_: object) -> None:
        await clock.sleep(5)
        raise ValueError

    source = ScriptedSource(clock).emit(1).idle(1.5).emit(2).idle(1).emit(3)
    consumer = Consumer((tumbling(SECOND) >> map(fail_later)).stream(source, clock=clock), clock)
    await clock.advance(10)
    assert isinstance(consumer.error, StreamError)
    assert (consumer.error.item, consumer.error.pending) == ([1], (2,))


@pytest.mark.rule("6.3")
async def test_what_a_sliding_window_has_shown_is_not_pending() -> None:
    def source() -> Iterator[int]:
        yield from range(4)
        raise OSError

    run = sliding(3, 2).stream(source())
    assert await anext(run) == [0, 1, 2]
    with pytest.raises(StreamError) as caught:
        await anext(run)
    assert caught.value.pending == (3,)


@pytest.mark.rule("6.3")
async def test_what_is_in_flight_at_a_stage_is_downstream_of_its_buffer(
    clock: VirtualClock,
) -> None:
    async def slow(item: int) -> int:
        await clock.sleep(item)
        return item

    buffered = BackpressureConfig(max_buffer_size=9, min_processing_time=0.0)
    chain = map(slow).concurrent(2).with_config(buffered) >> FailsOn(1)
    consumer = Consumer(chain.stream([1, 5, 6, 7], clock=clock), clock)
    await clock.advance(1)
    assert isinstance(consumer.error, StreamError)
    assert (consumer.error.item, consumer.error.pending) == (1, (5, 6, 7))


@pytest.mark.rule("6.3")
@pytest.mark.parametrize("config", [None, StreamConfig(timeout=1000.0)], ids=["bare", "treated"])
async def test_an_item_in_flight_at_any_stage_is_pending_unobserved_too(
    config: StreamConfig | None, clock: VirtualClock
) -> None:
    async def slow(item: int) -> int:
        await clock.sleep(item)
        return item

    stage = map(slow) if config is None else map(slow).with_config(config)
    chain = stage >> tumbling(SECOND) >> FailsOn([0])
    consumer = Consumer(chain.stream([0, 5, 6], clock=clock), clock)
    await clock.advance(1)
    assert isinstance(consumer.error, StreamError)
    assert (consumer.error.item, consumer.error.pending) == ([0], (5,))


@pytest.mark.rule("6.3")
async def test_an_item_in_flight_before_a_boundary_is_pending(clock: VirtualClock) -> None:
    async def slow(item: int) -> int:
        await clock.sleep(item)
        return item

    monitor = PipelineMonitor()
    chain = map(slow) >> tumbling(SECOND) >> FailsOn([0])
    run = chain.stream([0, 5, 6], clock=clock, monitor=monitor)
    consumer = Consumer(run, clock)
    await clock.advance(1)
    error = consumer.error
    assert isinstance(error, StreamError)
    assert (error.item, error.pending) == ([0], (5,))
    account(monitor, [], [[0], *error.pending])


# 6.4: wrapped once


@pytest.mark.rule("6.4")
@pytest.mark.parametrize(
    "own",
    [PipeError("mine"), StreamError("x", ValueError()), PipelineError("x", ValueError())],
    ids=lambda error: type(error).__name__,
)
async def test_a_users_own_pipe_error_is_wrapped(own: Exception) -> None:
    def fail(_: object) -> None:
        raise own

    error = await failure_of(map(fail), [1])
    assert error is not own
    assert error.__cause__ is own
    assert error.stage == 0


@pytest.mark.rule("6.4")
async def test_the_error_of_another_run_is_wrapped() -> None:
    inner = Double() >> FailsOn(2)

    async def through_another_run(item: int) -> list[int]:
        return await outputs_of(inner, [item])

    error = await failure_of(map(through_another_run), [1])
    assert (error.stage, error.item) == (0, 1)
    assert isinstance(error.__cause__, StreamError)
    assert error.__cause__.stage == 1


@pytest.mark.rule("6.4")
async def test_the_error_of_another_run_is_wrapped_in_a_user_stream_too() -> None:
    inner = Double() >> FailsOn(2)

    class Through(StreamPipe[int, int]):
        async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in inner.stream(stream):
                yield item

    error = await failure_of(Through(), [1])
    assert (error.stage, error.pipe) == (0, "Through")
    assert isinstance(error.__cause__, StreamError)
    assert error.__cause__.stage == 1


class Catching(StreamPipe[Any, Any]):
    """Catches what comes from upstream, says so, and asks once more."""

    def __init__(self) -> None:
        super().__init__()
        self.caught: list[Exception] = []
        self.asked_again: list[Any] = []

    async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
        try:
            async for item in stream:
                yield item
        except StreamError as error:
            self.caught.append(error)
            self.asked_again.append(await anext(stream, "the end"))
            yield "caught"


@pytest.mark.rule("6.4")
async def test_an_upstream_error_arrives_in_a_user_stream_and_may_be_caught() -> None:
    catching = Catching()
    chain = FailsOn(3) >> batch(2) >> catching >> batch(2)
    assert await outputs_of(chain, [1, 2, 1, 3, 4]) == [[[1, 2], "caught"]]
    (error,) = catching.caught
    assert isinstance(error, StreamError)
    assert (error.stage, error.item, error.pending) == (0, 3, (1,))
    assert catching.asked_again == ["the end"]


@pytest.mark.rule("6.4")
async def test_an_upstream_error_behind_a_timer_arrives_with_its_pending(
    clock: VirtualClock,
) -> None:
    catching = Catching()
    chain = FailsOn(3) >> tumbling(SECOND) >> catching
    assert await outputs_of(chain, [1, 2, 3, 4], clock=clock) == ["caught"]
    (error,) = catching.caught
    assert isinstance(error, StreamError)
    assert error.pending == (1, 2)


@pytest.mark.rule("6.4")
async def test_an_upstream_error_that_is_let_through_is_wrapped_once() -> None:
    class Same(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            async for item in stream:
                yield item

    error = await failure_of(FailsOn(2) >> batch(5) >> Same() >> batch(3), [1, 2])
    assert (error.stage, error.pending) == (0, (1,))
    assert isinstance(error.error, ValueError)


@pytest.mark.rule("6.4")
async def test_what_a_user_stream_raises_instead_is_wrapped_as_its_own() -> None:
    class Instead(StreamPipe[Any, Any]):
        async def process_stream(self, stream: AsyncIterator[Any]) -> AsyncIterator[Any]:
            try:
                async for item in stream:
                    yield item
            except StreamError as error:
                raise KeyError from error

    error = await failure_of(FailsOn(2) >> Instead(), [1, 2])
    assert (error.stage, error.pipe) == (1, "Instead")
    assert isinstance(error.error, KeyError)
    assert isinstance(error.error.__cause__, StreamError)


# 6.5: both forms


@pytest.mark.rule("6.5")
def test_both_forms_of_a_pipe_error() -> None:
    one = PipeError("the sensor is gone")
    assert (str(one), one.pipe, one.error) == ("the sensor is gone", None, None)
    cause = ValueError("no number")
    two = PipeError("Parse", cause)
    assert (str(two), two.pipe, two.error) == ("Error in pipe Parse: no number", "Parse", cause)


# 6.6: handle_error


class Handled(SyncBasePipe[int, int]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int]] = []

    def process(self, data: int) -> int:
        if data < 0:
            raise ValueError(data)
        return data

    def handle_error(self, error: Exception, data: int) -> int:
        self.seen.append((repr(error), data))
        return 0


class AsyncHandled(AsyncBasePipe[int, int]):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, int]] = []

    async def process(self, data: int) -> int:
        if data < 0:
            raise ValueError(data)
        return data

    async def handle_error(self, error: Exception, data: int) -> int:
        await asyncio.sleep(0)
        self.seen.append((repr(error), data))
        return 0


@pytest.mark.rule("6.6")
@pytest.mark.parametrize("kind", [Handled, AsyncHandled])
async def test_what_handle_error_returns_goes_on(kind: Any) -> None:
    pipe = kind()
    assert await outputs_of(pipe >> Double(), [1, -2, 3]) == [2, 0, 6]
    assert pipe.seen == [("ValueError(-2)", -2)]


@pytest.mark.rule("6.6")
async def test_a_plain_handle_error_on_an_async_pipe() -> None:
    class Plain(AsyncFailsOn):
        def handle_error(self, error: Exception, data: object) -> str:
            return "handled"

    assert await outputs_of(Plain(2), [1, 2]) == [1, "handled"]


@pytest.mark.rule("6.6")
async def test_a_plain_handle_error_of_an_async_pipe_may_give_an_awaitable() -> None:
    async def later() -> str:
        return "handled"

    class Plain(AsyncFailsOn):
        def handle_error(self, error: Exception, data: object) -> Any:
            return later()

    assert await outputs_of(Plain(2), [1, 2]) == [1, "handled"]


@pytest.mark.rule("6.6")
async def test_the_handler_of_a_filter_answers_whether_to_keep() -> None:
    class Keep(FilterPipe[int]):
        def keep(self, item: int) -> bool:
            raise ValueError

        def handle_error(self, error: Exception, data: int) -> bool:
            return data > 1

    class AsyncKeep(AsyncFilterPipe[int]):
        async def keep(self, item: int) -> bool:
            raise ValueError

        async def handle_error(self, error: Exception, data: int) -> bool:
            return data > 1

    assert list(Keep().iterate([1, 2])) == [2]
    assert await outputs_of(AsyncKeep(), [1, 2]) == [2]


@pytest.mark.rule("6.6")
def test_the_handler_of_a_flat_map_gives_an_iterable() -> None:
    class Expand(FlatMapPipe[int, int]):
        def expand(self, item: int) -> Iterator[int]:
            yield item
            if item == 2:
                raise ValueError
            yield item

        def handle_error(self, error: Exception, data: int) -> list[int]:
            return [-data]

    assert list(Expand().iterate([1, 2, 3])) == [1, 1, -2, 3, 3]


@pytest.mark.rule("6.6")
async def test_the_handler_of_a_batch_gets_the_list() -> None:
    class Handling(FailingBatch):
        def handle_error(self, error: Exception, data: list[int]) -> int:
            return -sum(data)

    assert await outputs_of(Handling(2), [1, 2, 3, 4]) == [3, -7]


@pytest.mark.rule("6.6")
@pytest.mark.parametrize("kind", [FailsOn, AsyncFailsOn])
async def test_a_handler_that_raises_makes_the_error_of_the_stage(kind: Any) -> None:
    class Worse(kind):  # type: ignore[misc]  # the base is a parameter
        def handle_error(self, error: Exception, data: object) -> None:
            raise KeyError(data)

    error = await failure_of(Worse(2), [1, 2])
    assert isinstance(error.error, KeyError)
    assert isinstance(error.error.__context__, ValueError)
    assert error.item == 2


# 6.7: on_error


@pytest.mark.rule("6.7")
async def test_skip_drops_and_counts() -> None:
    monitor = PipelineMonitor()
    config = StreamConfig(on_error="skip")
    chain = AsyncFailsOn(2).with_config(config) >> FailsOn(3).with_config(config)
    outputs = await outputs_of(chain, [1, 2, 3, 4], monitor=monitor)
    assert outputs == [1, 4]
    metrics = monitor.get_metrics()
    assert (metrics["skipped"], metrics["errors"]) == (2, 2)
    account(monitor, outputs)


@pytest.mark.rule("6.7")
async def test_a_skipped_batch_counts_its_items() -> None:
    monitor = PipelineMonitor()
    config = StreamConfig(on_error="skip")
    outputs = await outputs_of(FailingBatch(2, config=config), [1, 2, 3, 4, 5], monitor=monitor)
    assert outputs == [3, 5]
    assert monitor.get_metrics()["skipped"] == 2


@pytest.mark.rule("6.7")
async def test_dead_letters_are_called_in_order_before_the_next_item() -> None:
    recorder = Recorder()

    async def letter(dead: DeadLetter) -> None:
        await asyncio.sleep(0)
        recorder.note("letter", dead)

    monitor = PipelineMonitor()
    chain = Double() >> AsyncFailsOn(4).with_config(StreamConfig(on_error=letter))
    run = chain.stream(recorder.feed([1, 2, 3]), monitor=monitor)
    outputs = [output async for output in run]
    assert outputs == [2, 6]
    assert [kind for kind, _ in recorder.story] == ["pull", "pull", "letter", "pull", "closed"]
    (dead,) = recorder.values("letter")
    assert (dead.item, dead.pipe, dead.stage, dead.item_index) == (4, "AsyncFailsOn", 1, 1)
    assert isinstance(dead.error, ValueError)
    assert monitor.get_metrics()["dead_letters"] == 1
    account(monitor, outputs)


@pytest.mark.rule("6.7")
def test_a_dead_letter_may_be_a_plain_callable_in_a_plain_run() -> None:
    letters: list[DeadLetter] = []
    config = StreamConfig(on_error=letters.append)
    assert list(FailsOn(2).with_config(config).iterate([1, 2, 3])) == [1, 3]
    assert [dead.item for dead in letters] == [2]


@pytest.mark.rule("6.7")
async def test_a_dead_letter_may_be_a_pipe_or_a_chain() -> None:
    class Keeping(AsyncBasePipe[DeadLetter, None]):
        def __init__(self) -> None:
            super().__init__()
            self.items: list[object] = []

        async def process(self, data: DeadLetter) -> None:
            self.items.append(data.item)

    keeping = Keeping()

    def same(dead: DeadLetter) -> DeadLetter:
        return dead

    for target in (keeping, map(same) >> keeping):
        config = StreamConfig(on_error=target)
        assert await outputs_of(FailsOn(2).with_config(config), [1, 2]) == [1]
    assert keeping.items == [2, 2]


@pytest.mark.rule("6.7")
@pytest.mark.parametrize("kind", [FailsOn, AsyncFailsOn])
async def test_a_dead_letter_that_fails_ends_the_run(kind: Any) -> None:
    def letter(_: DeadLetter) -> None:
        message = "disk full"
        raise OSError(message)

    config = StreamConfig(on_error=letter)
    error = await failure_of(kind(2).with_config(config) >> batch(5), [1, 2, 3])
    assert isinstance(error.error, OSError)
    assert isinstance(error.error.__context__, ValueError)
    assert (error.item, error.stage, error.pending) == (2, 0, (1,))


# 6.8: retry, then handle_error, then on_error


class FailsTimes(AsyncBasePipe[Any, Any]):
    """Fails so many times for each item, and then works."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times
        self.tries: dict[Any, int] = {}

    async def process(self, data: Any) -> Any:
        self.tries[data] = self.tries.get(data, 0) + 1
        if self.tries[data] <= self.times:
            raise ValueError(self.tries[data])
        return data


@pytest.mark.rule("6.8")
@pytest.mark.parametrize(
    ("attempts", "tries"), [(0, 1), (1, 1), (2, 2), (3, 3)], ids=lambda n: str(n)
)
async def test_retry_attempts_count_tries_in_total(attempts: int, tries: int) -> None:
    pipe = FailsTimes(99)
    monitor = PipelineMonitor()
    config = StreamConfig(retry_attempts=attempts, retry_delay=0.0, on_error="skip")
    await outputs_of(pipe.with_config(config), ["x"], monitor=monitor)
    assert pipe.tries == {"x": tries}
    metrics = monitor.get_metrics()
    assert (metrics["retries"], metrics["errors"]) == (tries - 1, 1)


@pytest.mark.rule("6.8")
async def test_a_try_that_works_ends_the_retries() -> None:
    monitor = PipelineMonitor()
    pipe = FailsTimes(2)
    config = StreamConfig(retry_attempts=5, retry_delay=0.0)
    assert await outputs_of(pipe.with_config(config), "ab", monitor=monitor) == ["a", "b"]
    metrics = monitor.get_metrics()
    assert (metrics["retries"], metrics["errors"]) == (4, 0)


@pytest.mark.rule("6.8")
async def test_delays_grow_by_the_backoff(clock: VirtualClock) -> None:
    times: list[float] = []

    async def fail(_: object) -> None:
        times.append(clock.now())
        raise ValueError

    config = StreamConfig(retry_attempts=4, retry_delay=1.0, retry_backoff=3.0, on_error="skip")
    consumer = Consumer(map(fail).with_config(config).stream([1], clock=clock), clock)
    await clock.advance(100)
    assert times == [0.0, 1.0, 4.0, 13.0]
    assert consumer.ended


@pytest.mark.rule("6.8")
async def test_jitter_is_off_and_can_be_turned_on(clock: VirtualClock) -> None:
    delays = {False: set[float](), True: set[float]()}
    for jitter, seen in delays.items():
        config = StreamConfig(
            retry_attempts=2, retry_delay=1.0, on_error="skip", retry_jitter=0.5 if jitter else 0.0
        )
        for _ in range(20):
            start = clock.now()
            times: list[float] = []

            async def fail(_: object, times: list[float] = times) -> None:
                times.append(clock.now())
                raise ValueError

            consumer = Consumer(map(fail).with_config(config).stream([1], clock=clock), clock)
            await clock.advance(2)
            assert consumer.ended
            seen.add(round(times[1] - start, 9))
    assert delays[False] == {1.0}
    assert len(delays[True]) > 10
    assert all(0.5 <= delay <= 1.5 for delay in delays[True])


@pytest.mark.rule("6.8")
async def test_a_timeout_bounds_each_try(clock: VirtualClock) -> None:
    cancelled = 0

    async def hang(_: object) -> None:
        nonlocal cancelled
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled += 1
            raise

    config = StreamConfig(timeout=2.0, retry_attempts=2, retry_delay=1.0)
    consumer = Consumer(map(hang).with_config(config).stream([1], clock=clock), clock)
    await clock.advance(4.9)
    assert cancelled == 1
    await clock.advance(0.1)
    assert isinstance(consumer.error, StreamError)
    assert isinstance(consumer.error.error, TimeoutError)
    assert str(consumer.error.error) == "no result within 2 s"
    assert cancelled == 2


@pytest.mark.rule("6.8")
async def test_a_timeout_is_not_taken_for_a_cancellation_and_the_other_way_round(
    clock: VirtualClock,
) -> None:
    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    run = map(hang).with_config(StreamConfig(timeout=2.0)).stream([1], clock=clock)
    pull = asyncio.ensure_future(anext(run))
    await settle()
    pull.cancel()
    with pytest.raises(asyncio.CancelledError):
        await pull
    async with asyncio.timeout(None):
        quick = map(AsyncFailsOn().process).with_config(StreamConfig(timeout=2.0))
        assert await outputs_of(quick, [1], clock=clock) == [1]
    assert asyncio.current_task().cancelling() == 0  # type: ignore[union-attr]  # inside a task


@pytest.mark.rule("6.8")
async def test_a_timeout_leaves_no_cancellation_behind(clock: VirtualClock) -> None:
    async def hang(_: object) -> None:
        await asyncio.Event().wait()

    async def consume() -> int:
        config = StreamConfig(timeout=2.0, on_error="skip")
        assert await outputs_of(map(hang).with_config(config), [1], clock=clock) == []
        return asyncio.current_task().cancelling()  # type: ignore[union-attr]  # inside a task

    consuming = asyncio.create_task(consume())
    await clock.advance(2)
    assert await consuming == 0


@pytest.mark.rule("6.8")
async def test_retry_comes_before_handle_error_and_that_before_on_error() -> None:
    story: list[str] = []

    class Failing(AsyncBasePipe[int, int]):
        async def process(self, data: int) -> int:
            story.append("try")
            raise ValueError

        def handle_error(self, error: Exception, data: int) -> int:
            story.append("handle")
            raise error

    config = StreamConfig(
        retry_attempts=2, retry_delay=0.0, on_error=lambda _: story.append("letter")
    )
    assert await outputs_of(Failing().with_config(config), [1]) == []
    assert story == ["try", "try", "handle", "letter"]


def strip(text: Any) -> Any:
    return text.strip()


@pytest.mark.rule("6.8")
async def test_only_what_was_said_applies_through_a_stream() -> None:
    pipe = FailsTimes(1)
    error = await failure_of(pipe, ["x"], config=StreamConfig(retry_delay=0.0))
    assert error.item == "x"
    assert pipe.tries == {"x": 1}  # the default of three attempts was not asked for
    through = AsyncStream(["x", None], StreamConfig(retry_delay=0.0)).through(map(strip))
    assert await anext(through) == "x"
    with pytest.raises(StreamError) as caught:  # None is not skipped, as the default would have it
        await anext(through)
    assert caught.value.item is None


@pytest.mark.rule("6.8")
@pytest.mark.parametrize(
    "config",
    [
        StreamConfig(retry_attempts=2, retry_delay=0.0),
        StreamConfig(on_error="skip"),
        StreamConfig(timeout=60.0),
    ],
    ids=["retry", "on_error", "timeout"],
)
async def test_outputs_of_a_treated_flat_map_are_collected_first(config: StreamConfig) -> None:
    made: list[int] = []

    async def expand(item: int) -> AsyncIterator[int]:
        for each in range(item):
            made.append(each)
            yield each

    run = flat_map(expand).with_config(config).stream([3])
    assert await anext(run) == 0
    assert made == [0, 1, 2]
    await run.aclose()


@pytest.mark.rule("6.8")
async def test_a_flat_map_that_fails_midway_is_retried_as_a_whole() -> None:
    tries = 0

    def expand(item: int) -> Iterator[int]:
        nonlocal tries
        tries += 1
        yield item
        if tries == 1:
            raise ValueError
        yield item

    config = StreamConfig(retry_attempts=2, retry_delay=0.0)
    assert list(flat_map(expand).with_config(config).iterate([5])) == [5, 5]


# 6.9: what cannot work


class Overridden(StreamPipe[int, int]):
    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
        async for item in stream:
            yield item


class OverriddenWithHandler(Overridden):
    def handle_error(self, error: Exception, data: int) -> int:
        return data


class SyncWithAsyncHandler(FailsOn):
    async def handle_error(self, error: Exception, data: object) -> None: ...


@pytest.mark.rule("6.9")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Double().with_config(StreamConfig(timeout=1.0)), "timeout on stage 'Double'"),
        (lambda: filter(bool).with_config(StreamConfig(timeout=1.0)), "timeout on stage 'filter'"),
        (lambda: SyncWithAsyncHandler() >> Double(), "handle_error of 'SyncWithAsync.*is async"),
        (lambda: Double() >> OverriddenWithHandler(), "handle_error on stage 'OverriddenWith"),
        (
            lambda: Overridden().with_config(StreamConfig(retry_attempts=2)),
            "retry_attempts on stage 'Overridden'",
        ),
        (lambda: Overridden().with_config(StreamConfig(timeout=1.0)), "timeout on stage 'Overrid"),
        (
            lambda: Overridden().with_config(StreamConfig(on_error="skip")),
            "on_error='skip' on stage 'Overridden'",
        ),
        (lambda: Overridden(StreamConfig(on_error=print)) >> Double(), "on_error.*'Overridden'"),
        (
            lambda: Double().stream([1], config=StreamConfig(batch_size=3)),
            r"batch_size in the config of a stream.*put batch\(n\) into the chain",
        ),
        (
            lambda: AsyncStream([1], StreamConfig(window_size=3.0)).through(Double()),
            r"window_size in the config of a stream.*put tumbling\(duration\)",
        ),
        (
            lambda: SyncStream([1], StreamConfig(batch_size=3)).through(Double()),
            "batch_size in the config of a stream",
        ),
        (
            lambda: Double().with_config(StreamConfig(batch_size=3)),
            "batch_size in the config of stage 'Double'",
        ),
    ],
)
def test_what_cannot_work_is_refused_when_made(make: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        make()


@pytest.mark.rule("6.9")
async def test_settings_mean_nothing_where_no_user_code_runs() -> None:
    config = StreamConfig(timeout=1.0, retry_attempts=2)
    chain = SlowDouble() >> take(2) >> batch(2)
    assert await outputs_of(chain, [1, 2, 3], config=config) == [[2, 4]]


# 6.10: what is no Exception, and StopIteration


@pytest.mark.rule("6.10")
@pytest.mark.parametrize("base", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
@pytest.mark.parametrize("is_async", [False, True])
async def test_what_is_no_exception_passes_untouched_after_the_clean_up(
    base: type[BaseException], is_async: bool
) -> None:
    own = base("mine")
    called: list[int] = []

    def fail(item: int) -> int:
        called.append(item)
        if item == 2:
            raise own
        return item

    async def fail_slowly(item: int) -> int:
        return fail(item)

    recorder, monitor = Recorder(), PipelineMonitor()
    config = StreamConfig(on_error="skip", retry_attempts=3)
    failing = map(fail_slowly) if is_async else map(fail)
    chain = failing.with_config(config) >> batch(5)
    with pytest.raises(base) as caught:
        async for _ in chain.stream(recorder.feed([1, 2, 3]), monitor=monitor):
            pass
    assert caught.value is own
    assert called == [1, 2]  # no retry of it either
    assert recorder.story[-1] == ("closed", None)
    account(monitor)
    assert monitor.get_metrics()["discarded"] == 2


@pytest.mark.rule("6.10")
def test_in_a_plain_run_too() -> None:
    def fail(_: object) -> None:
        raise KeyboardInterrupt

    recorder, monitor = Recorder(), PipelineMonitor()
    with pytest.raises(KeyboardInterrupt):
        list(map(fail).iterate(recorder.feed_plain([1]), monitor=monitor))
    assert recorder.story[-1] == ("closed", None)
    account(monitor)


@pytest.mark.rule("6.10")
@pytest.mark.parametrize("base", [KeyboardInterrupt, SystemExit])
async def test_from_a_task_of_the_run_it_leaves_through_the_consumer(
    base: type[BaseException], clock: VirtualClock
) -> None:
    def fail(_: object) -> None:
        raise base

    async def fail_slowly(_: object) -> None:
        raise base

    for chain in (map(fail) >> tumbling(SECOND), map(fail_slowly).concurrent(2)):
        with pytest.raises(base):
            await outputs_of(chain, [1], clock=clock)


@pytest.mark.rule("6.10")
async def test_a_cancelled_error_from_a_task_of_the_run_is_no_end(clock: VirtualClock) -> None:
    def fail(item: int) -> int:
        if item == 2:
            raise asyncio.CancelledError
        return item

    with pytest.raises(asyncio.CancelledError):
        await outputs_of(map(fail) >> tumbling(SECOND), [1, 2, 3], clock=clock)


@pytest.mark.rule("6.10")
async def test_what_is_no_exception_leaves_from_the_clean_up_too() -> None:
    def source() -> Iterator[int]:
        try:
            yield 1
        finally:
            raise KeyboardInterrupt

    run, plain = Double().stream(source()), Double().iterate(source())
    assert await anext(run) == next(plain) == 2
    with pytest.raises(KeyboardInterrupt):
        await run.aclose()
    with pytest.raises(KeyboardInterrupt):
        plain.close()


def stops(item: Any) -> Any:
    raise StopIteration(item)


async def stops_slowly(item: Any) -> Any:
    raise StopIteration(item)


class StopsBatch(BatchStreamPipe[Any, Any]):
    def process_batch(self, batch: list[Any]) -> Any:
        raise StopIteration


class StopsHandling(FailsOn):
    def handle_error(self, error: Exception, data: Any) -> Any:
        raise StopIteration


@pytest.mark.rule("6.10")
@pytest.mark.parametrize(
    "stage",
    [
        map(stops),
        map(stops_slowly),
        filter(stops),
        flat_map(stops),
        StopsBatch(1),
        StopsHandling(1),
        map(stops).with_config(StreamConfig(retry_attempts=2, retry_delay=0.0)),
        map(functools.partial(stops)).concurrent(2, threads=True),
    ],
    ids=lambda stage: type(stage).__name__,
)
async def test_a_stop_iteration_that_escapes_becomes_a_runtime_error(stage: Any) -> None:
    error = await failure_of(stage, [1, 2])
    assert isinstance(error.error, RuntimeError)
    assert "raised StopIteration" in str(error.error)
    assert error.item in (1, [1])


@pytest.mark.rule("6.10")
def test_a_stop_iteration_in_a_plain_run() -> None:
    with pytest.raises(StreamError, match="generator raised StopIteration"):
        list(map(stops).iterate([1]))
    with pytest.raises(PipelineError, match="generator raised StopIteration"):
        (map(stops) >> Double())(1)


# 6.11: tracebacks


@pytest.mark.rule("6.11")
@pytest.mark.parametrize("kind", [FailsOn, AsyncFailsOn])
async def test_the_traceback_shows_the_users_line(kind: Any) -> None:
    error = await failure_of(Double() >> kind(2), [1])
    shown = "".join(traceback.format_exception(error))
    assert "raise ValueError(message)" in shown
    assert f'File "{__file__.replace("test_errors", "support")}"' in shown
    frames = traceback.extract_tb(error.error.__traceback__)  # type: ignore[union-attr]  # it has one
    assert frames[-1].name == "process"


@pytest.mark.rule("6.3", "6.10")
async def test_an_upstream_failure_that_nobody_came_to_see_loses_nothing(
    clock: VirtualClock,
) -> None:
    """The reader has failed on an item, and the consumer leaves before it gets there."""
    monitor = PipelineMonitor()
    chain = FailsOn(3) >> StreamPipe[Any, Any](BackpressureConfig(max_buffer_size=9))
    run = chain.stream([0, 1, 2, 3, 4], clock=clock, monitor=monitor)
    assert await anext(run) == 0
    await until(lambda: monitor.get_metrics()["errors"] == 1)
    await run.aclose()
    account(monitor, [0])

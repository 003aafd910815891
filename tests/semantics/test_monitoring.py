"""§7: what the monitor counts and measures."""

from __future__ import annotations

import asyncio
import threading
import tracemalloc
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from rivusio import (
    BackpressureConfig,
    BatchStreamPipe,
    MetricValue,
    MetricWindow,
    PipelineMonitor,
    StreamConfig,
    StreamError,
    StreamPipe,
    batch,
    filter,
    flat_map,
    map,
    sliding,
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
    outputs_of,
)

pytestmark = pytest.mark.usefixtures("mode", "nothing_left")

SECOND = timedelta(seconds=1)


# 7.1: who observes, and what it costs without


@pytest.mark.rule("7.1")
async def test_a_monitor_is_given_to_a_pipe_or_to_a_run() -> None:
    own, given = PipelineMonitor(), PipelineMonitor()
    pipe = SlowDouble().set_monitor(own)
    await outputs_of(pipe, [1, 2])
    await outputs_of(pipe, [1], monitor=given)
    list(Double().set_monitor(own).iterate([1]))
    assert own.get_metrics()["items_in"] == 3
    assert given.get_metrics()["items_in"] == 1


@pytest.mark.rule("7.1")
async def test_a_monitor_shared_by_runs_sums_them() -> None:
    monitor = PipelineMonitor()
    runs = [SlowDouble().stream(range(50), monitor=monitor) for _ in range(3)]

    async def consume(run: Any) -> None:
        async for _ in run:
            pass

    await asyncio.gather(*map_to(consume, runs))
    metrics = monitor.get_metrics()
    assert (metrics["items_in"], metrics["items_out"]) == (150, 150)
    assert metrics["stages"][0]["items_in"] == 150


def map_to(function: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    return [function(item) for item in items]


@pytest.mark.rule("7.1")
def test_runs_in_several_threads_lose_no_count() -> None:
    monitor = PipelineMonitor()

    def work() -> None:
        for _ in (Double() >> filter(lambda item: item % 4 == 0)).iterate(
            range(5000), monitor=monitor
        ):
            pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    metrics = monitor.get_metrics()
    assert (metrics["items_in"], metrics["items_out"]) == (20_000, 10_000)
    assert metrics["filtered"] == 10_000


@pytest.mark.rule("7.1")
def test_a_monitor_can_be_read_from_another_thread_while_a_run_goes_on() -> None:
    monitor = PipelineMonitor()
    seen: list[int] = []
    failures: list[Exception] = []
    over = threading.Event()

    def read() -> None:
        try:
            while not over.is_set():
                metrics = monitor.get_metrics()
                f"{metrics['throughput']:.1f} {metrics['processing_time'].p95}"
                seen.append(metrics["items_in"])
        except Exception as error:  # noqa: BLE001  the test looks at it
            failures.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in Double().iterate(range(100_000), monitor=monitor):
        pass
    over.set()
    reader.join()
    assert not failures
    assert seen == sorted(seen)
    assert len(seen) > 1


@pytest.mark.rule("7.1")
async def test_a_run_can_be_watched_while_it_goes_on() -> None:
    monitor = PipelineMonitor()
    run = Double().stream(range(9), monitor=monitor)
    for expected in range(1, 4):
        await anext(run)
        assert monitor.get_metrics()["items_out"] == expected
    await run.aclose()
    assert monitor.get_metrics()["items_out"] == 3


class Unwatched(VirtualClock):
    """A clock that nobody may look at."""

    def now(self) -> float:
        message = "the clock was read, though nobody measures and nothing is timed"
        raise AssertionError(message)


@pytest.mark.rule("7.1")
async def test_without_a_monitor_nothing_is_measured() -> None:
    chain = map(str) >> filter(bool) >> batch(2) >> sliding(2)
    assert await outputs_of(chain, range(8), clock=Unwatched())
    assert list(chain.iterate(range(8), clock=Unwatched()))


@pytest.mark.rule("7.1")
async def test_with_a_monitor_the_clock_is_read_for_few_items_only() -> None:
    class Counting(VirtualClock):
        reads = 0

        def now(self) -> float:
            self.reads += 1
            return super().now()

    clock = Counting()
    await outputs_of(Double(), range(6400), clock=clock, monitor=PipelineMonitor())
    assert clock.reads < 6400 / 64 * 6


# 7.2: what get_metrics() gives


@pytest.mark.rule("7.2")
async def test_the_names_and_their_kinds() -> None:
    monitor = PipelineMonitor()
    await outputs_of(Double() >> map(str), range(10), monitor=monitor)
    metrics = monitor.get_metrics()
    for each in (metrics, *metrics["stages"]):
        for name in ("throughput", "processing_time", "error_rate"):
            assert isinstance(each[name], MetricWindow), name
        for name in (
            "items_in",
            "items_out",
            "errors",
            "retries",
            "filtered",
            "dropped",
            "discarded",
        ):
            assert type(each[name]) is int, name
        assert type(each["total_time"]) is float
    assert [stage["name"] for stage in metrics["stages"]] == ["Double", "str"]


@pytest.mark.rule("7.2")
async def test_throughput_is_in_items_per_second(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()

    async def slow(item: int) -> int:
        await clock.sleep(0.01)
        return item

    consumer = Consumer(map(slow).stream(range(1000), clock=clock, monitor=monitor), clock)
    await clock.advance(20)
    assert consumer.ended
    throughput = monitor.get_metrics()["throughput"]
    assert float(throughput) == pytest.approx(100, rel=0.02)
    assert f"{throughput:.0f}" == "100"
    assert throughput.min == pytest.approx(100, rel=0.02)
    assert throughput.max == pytest.approx(100, rel=0.02)


@pytest.mark.rule("7.2")
async def test_processing_time_is_in_seconds_per_item(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()

    async def slow(item: int) -> int:
        await clock.sleep(0.25)
        return item

    chain = map(slow) >> map(slow)
    consumer = Consumer(chain.stream(range(200), clock=clock, monitor=monitor), clock)
    await clock.advance(1000)
    assert consumer.ended
    metrics = monitor.get_metrics()
    assert float(metrics["processing_time"]) == pytest.approx(0.5)
    assert metrics["processing_time"].p99 == pytest.approx(0.5)
    assert [float(each["processing_time"]) for each in metrics["stages"]] == [0.25, 0.25]


@pytest.mark.rule("7.2")
async def test_time_between_two_items_is_not_processing_time(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    source = ScriptedSource(clock).emit(1).idle(100).emit(2).end()
    consumer = Consumer(Double().stream(source, clock=clock, monitor=monitor), clock)
    await clock.advance(200)
    assert consumer.ended
    assert float(monitor.get_metrics()["processing_time"]) == 0.0


@pytest.mark.rule("7.2")
async def test_error_rate_is_a_share_of_the_items() -> None:
    monitor = PipelineMonitor()
    chain = FailsOn(3, 7).with_config(StreamConfig(on_error="skip"))
    await outputs_of(chain, range(10), monitor=monitor)
    assert float(monitor.get_metrics()["error_rate"]) == 0.2
    assert f"{monitor.get_metrics()['error_rate']:.1%}" == "20.0%"


@pytest.mark.rule("7.2")
async def test_a_short_run_has_a_throughput_too(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()

    async def slow(item: int) -> int:
        await clock.sleep(0.5)
        return item

    consumer = Consumer(map(slow).stream(range(10), clock=clock, monitor=monitor), clock)
    await clock.advance(10)
    assert consumer.ended
    assert float(monitor.get_metrics()["throughput"]) == pytest.approx(2.0)


@pytest.mark.rule("7.2")
async def test_an_item_of_a_batch_has_its_share_of_the_call(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()

    async def slow(items: list[int]) -> int:
        await clock.sleep(5)
        return len(items)

    chain = batch(10) >> map(slow)
    consumer = Consumer(chain.stream(range(100), clock=clock, monitor=monitor), clock)
    await clock.advance(100)
    assert consumer.ended
    assert float(monitor.get_metrics()["processing_time"]) == pytest.approx(0.5)


@pytest.mark.rule("7.2")
async def test_the_metrics_of_a_stage_are_its_own() -> None:
    monitor = PipelineMonitor()
    skip = StreamConfig(on_error="skip")
    chain = filter(lambda item: item < 5) >> FailsOn(3).with_config(skip)
    await outputs_of(chain, range(10), monitor=monitor)
    monitor.stop()
    metrics = monitor.get_metrics()
    assert [float(each["error_rate"]) for each in metrics["stages"]] == [0.0, 0.2]
    rates = [float(each["throughput"]) * metrics["total_time"] for each in metrics["stages"]]
    assert rates == pytest.approx([10, 5])


@pytest.mark.rule("7.2")
async def test_total_time_goes_on_until_the_end_of_the_last_run() -> None:
    monitor = PipelineMonitor()
    run = Double().stream([1, 2], monitor=monitor)
    await anext(run)
    early = monitor.get_metrics()["total_time"]
    await asyncio.sleep(0.002)
    assert monitor.get_metrics()["total_time"] >= early + 0.001
    await run.aclose()
    total = monitor.get_metrics()["total_time"]
    await asyncio.sleep(0.002)
    assert monitor.get_metrics()["total_time"] == total


@pytest.mark.rule("7.2")
def test_what_a_metric_window_says() -> None:
    window = MetricWindow(MetricValue(0.0, float(value)) for value in [*range(1, 100), 200])
    assert (window.min, window.max, window.average) == (1.0, 200.0, 51.5)
    assert (window.p50, window.p95, window.p99) == (50.0, 95.0, 99.0)
    assert (float(window), int(window), f"{window:.2f}") == (51.5, 51, "51.50")


@pytest.mark.rule("7.2")
def test_an_empty_monitor() -> None:
    metrics = PipelineMonitor().get_metrics()
    assert metrics["stages"] == []
    assert (metrics["items_in"], metrics["total_time"]) == (0, 0.0)
    assert metrics["throughput"].average is None
    assert f"{metrics['throughput']:.1f}" == "0.0"


# 7.3: exact counts, added up


@pytest.mark.rule("7.3")
async def test_errors_count_calls_that_failed_after_their_retries_however_resolved() -> None:
    class Handled(FailsOn):
        def handle_error(self, error: Exception, data: object) -> object:
            return data

    monitor = PipelineMonitor()
    config = StreamConfig(retry_attempts=3, retry_delay=0.0, on_error="skip")
    chain = Handled(1).with_config(config) >> FailsOn(2).with_config(config)
    outputs = await outputs_of(chain, [0, 1, 2], monitor=monitor)
    metrics = monitor.get_metrics()
    assert outputs == [0, 1]
    assert (metrics["errors"], metrics["retries"], metrics["skipped"]) == (2, 4, 1)
    assert [each["errors"] for each in metrics["stages"]] == [1, 1]
    account(monitor, outputs)


async def flaky_source(clock: VirtualClock) -> AsyncIterator[int]:
    for item in range(40):
        await clock.sleep(0.3)
        yield item
    message = "gone"
    raise OSError(message)


@pytest.mark.rule("7.3")
@pytest.mark.parametrize("take_only", [None, 2, 4])
@pytest.mark.parametrize("fails", [False, True])
async def test_everything_that_came_in_is_accounted_for(
    take_only: int | None, fails: bool, clock: VirtualClock
) -> None:
    """Filters, drops, skips, letters, windows, buffers and a failure, in one chain."""
    monitor = PipelineMonitor()
    letters: list[Any] = []

    async def slow(item: int) -> int:
        await clock.sleep(1)
        return item

    chain = (
        filter(lambda item: item % 5 != 0)
        >> AsyncFailsOn(3, 13).with_config(StreamConfig(on_error="skip"))
        >> FailsOn(4, 14).with_config(StreamConfig(on_error=letters.append))
        >> map(slow).with_config(
            BackpressureConfig(max_buffer_size=2, overflow="drop_oldest", min_processing_time=0.0)
        )
        >> FailsOn(*([17, 18, 19] if fails else []))
        >> batch(3, linger=timedelta(seconds=2))
    )
    run = chain.stream(flaky_source(clock), clock=clock, monitor=monitor)
    delivered: list[Any] = []
    error: StreamError | None = None

    async def consume() -> None:
        nonlocal error
        try:
            async for output in run:
                delivered.append(output)
                if len(delivered) == take_only:
                    break
        except StreamError as caught:
            error = caught
        await run.aclose()

    task = asyncio.create_task(consume())
    await clock.advance(200)
    await task
    lost = [] if error is None or error.stage is None else [error.item]
    pending = [] if error is None else error.pending
    account(monitor, delivered, [*lost, *pending])
    metrics = monitor.get_metrics()
    assert min(metrics["dropped"], metrics["skipped"], metrics["dead_letters"]) > 0


@pytest.mark.rule("7.3")
async def test_a_sliding_windows_items_are_accounted_for() -> None:
    monitor = PipelineMonitor()
    outputs = await outputs_of(sliding(2, 5), range(14), monitor=monitor)
    metrics = monitor.get_metrics()
    assert outputs == [[0, 1], [5, 6], [10, 11]]
    assert (metrics["filtered"], metrics["discarded"]) == (8, 0)
    account(monitor, outputs)
    monitor = PipelineMonitor()
    outputs = await outputs_of(sliding(3, 3), range(7), monitor=monitor)
    assert monitor.get_metrics()["discarded"] == 1  # a partial window is never emitted
    account(monitor, outputs)


@pytest.mark.rule("7.3")
async def test_errors_of_flat_maps_and_user_streams_are_counted() -> None:
    def expand(item: int) -> Iterator[int]:
        yield item
        raise ValueError

    class Failing(StreamPipe[int, int]):
        async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
            async for item in stream:
                yield item
                raise ValueError

    for chain in (flat_map(expand), Failing()):
        monitor = PipelineMonitor()
        with pytest.raises(StreamError):
            await outputs_of(chain, [1, 2], monitor=monitor)
        metrics = monitor.get_metrics()
        assert (metrics["errors"], metrics["stages"][0]["errors"]) == (1, 1)
        assert (metrics["items_in"], metrics["items_out"]) == (1, 1)


class Nothing(BatchStreamPipe[int, None]):
    def process_batch(self, batch: list[int]) -> None:
        if sum(batch) > 9:
            raise ValueError


@pytest.mark.rule("7.3")
async def test_a_batch_is_counted_by_its_items_whatever_becomes_of_it() -> None:
    monitor = PipelineMonitor()
    letters: list[Any] = []
    config = StreamConfig(skip_none=True, on_error=letters.append)
    outputs = await outputs_of(Nothing(3, config=config), range(6), monitor=monitor)
    assert outputs == []
    metrics = monitor.get_metrics()
    assert (metrics["filtered"], metrics["dead_letters"], metrics["errors"]) == (3, 3, 1)
    account(monitor)


@pytest.mark.rule("7.3")
async def test_what_a_buffer_drops_or_holds_has_come_to_its_stage(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    config = BackpressureConfig(
        max_buffer_size=2, overflow="drop_oldest", throttle_threshold=1.0, min_processing_time=0.0
    )
    chain = Double() >> map(str).with_config(config)
    run = chain.stream(ScriptedSource().emit(*range(6)), clock=clock, monitor=monitor)
    assert await anext(run) == "0"
    await settle()
    await run.aclose()
    stage = monitor.get_metrics()["stages"][1]
    assert (stage["items_out"], stage["dropped"], stage["discarded"]) == (1, 3, 2)
    assert stage["items_in"] == 6


@pytest.mark.rule("7.3")
async def test_items_of_a_time_window_are_counted_as_they_come(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    outputs = await outputs_of(tumbling(SECOND), range(5), clock=clock, monitor=monitor)
    metrics = monitor.get_metrics()
    assert (metrics["items_in"], metrics["items_out"]) == (5, len(outputs))
    (stage,) = metrics["stages"]
    assert (stage["items_in"], stage["items_out"]) == (5, 1)


@pytest.mark.rule("7.3")
async def test_what_take_leaves_upstream_is_discarded(clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    chain = tumbling(SECOND) >> map(tuple) >> take(1)
    source = ScriptedSource(clock).emit(1, 2).idle(1).emit(3)
    outputs = []
    run = chain.stream(source, clock=clock, monitor=monitor)
    consumer = Consumer(run, clock)
    await clock.advance(5)
    outputs = [list(each) for each in consumer.values]
    assert consumer.ended
    account(monitor, outputs)


@pytest.mark.rule("7.3")
async def test_counts_of_a_stage_are_in_units_of_its_input() -> None:
    monitor = PipelineMonitor()
    chain = batch(2) >> filter(lambda pair: sum(pair) > 3) >> flat_map(lambda pair: pair)
    await outputs_of(chain, [1, 2, 3, 4], monitor=monitor)
    stages = monitor.get_metrics()["stages"]
    assert [each["items_in"] for each in stages] == [4, 2, 1]
    assert [each["items_out"] for each in stages] == [2, 1, 2]
    assert stages[1]["filtered"] == 1


# memory


def peak_of(run: Callable[[], None]) -> int:
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("monitored", [False, True])
def test_memory_stays_flat_over_many_items(monitored: bool) -> None:
    monitor = PipelineMonitor() if monitored else None
    chain = Double() >> batch(100) >> map(len)

    def run(count: int = 200_000) -> None:  # 8 bytes kept of each would be too many
        for _ in chain.iterate(range(count), monitor=monitor):
            pass

    run(1)  # what is made once, as by the compiler, is not what is measured
    assert peak_of(run) < 1_000_000  # bytes


@pytest.mark.parametrize("monitored", [False, True])
async def test_memory_stays_flat_over_many_items_with_tasks(monitored: bool) -> None:
    monitor = PipelineMonitor() if monitored else None
    chain = Double() >> tumbling(timedelta(milliseconds=1)) >> map(len)
    tracemalloc.start()
    try:
        async for _ in chain.stream(range(150_000), monitor=monitor):
            pass
        assert tracemalloc.get_traced_memory()[1] < 2_000_000  # bytes
    finally:
        tracemalloc.stop()

"""Measurements: values, windows, collectors and monitors."""

from __future__ import annotations

import asyncio
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from rivusio import (
    BackpressureConfig,
    MetricsCollector,
    MetricValue,
    MetricWindow,
    PipelineMonitor,
    StreamConfig,
    batch,
    map,
)
from rivusio.artifacts.mode import Mode
from rivusio.observe.metrics import MOST_VALUES
from rivusio.testing import MockAsyncPipe, VirtualClock


def window_of(*numbers: float) -> MetricWindow:
    return MetricWindow(MetricValue(0.0, number) for number in numbers)


def in_threads(record: Callable[[], None], threads: int = 4, times: int = 200) -> None:
    """Call `record` from several threads at once."""

    def work(_: int) -> None:
        for _ in range(times):
            record()

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, range(threads)))


class Slow:
    """Takes a millisecond for each item, on a clock of the test."""

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def __call__(self, item: object) -> object:
        self._clock.wait(0.001)
        return item


# A value and a window of values


def test_a_value_has_a_time() -> None:
    value = MetricValue(timestamp=1.0, value=2.0)
    assert (value.timestamp, value.value) == (1.0, 2.0)


def test_a_window_tells_the_average_the_least_and_the_greatest() -> None:
    window = window_of(1.0, 2.0, 6.0)
    assert (window.average, window.min, window.max) == (3.0, 1.0, 6.0)


def test_an_empty_window_has_none_of_them() -> None:
    window = MetricWindow()
    assert [window.average, window.min, window.max] == [None] * 3
    assert [window.p50, window.p95, window.p99] == [None] * 3


def test_a_window_tells_its_percentiles_by_the_nearest_rank() -> None:
    window = window_of(*range(1, 201))
    assert (window.p50, window.p95, window.p99) == (100, 190, 198)


def test_a_window_converts_as_its_average() -> None:
    window = window_of(1.0, 2.0)
    assert (float(window), int(window)) == (1.5, 1)


def test_an_empty_window_converts_as_zero() -> None:
    window = MetricWindow()
    assert (float(window), int(window), f"{window:.1f}", f"{window}") == (0.0, 0, "0.0", "0")


@pytest.mark.parametrize(
    ("spec", "shown"), [("", "1.5"), (".2f", "1.50"), (">6", "   1.5"), (".0%", "150%")]
)
def test_a_window_formats_as_a_number(spec: str, shown: str) -> None:
    assert format(window_of(1.0, 2.0), spec) == shown


def test_a_window_prints_as_a_short_number() -> None:
    assert str(window_of(1 / 3)) == "0.333333"


def test_an_empty_window_is_still_a_window() -> None:
    assert MetricWindow()
    assert len(MetricWindow()) == 0


def test_a_window_forgets_what_is_too_old() -> None:
    window = MetricWindow([], timedelta(seconds=10))
    for second in (0.0, 5.0, 11.0):
        window.add_value(second, second)
    assert [each.value for each in window.values] == [5.0, 11.0]


def test_a_value_that_is_as_old_as_the_window_still_counts() -> None:
    window = MetricWindow([], timedelta(seconds=10))
    window.add_value(1.0, 0.0)
    window.add_value(2.0, 10.0)
    assert len(window) == 2


def test_a_value_is_added_now_unless_a_time_is_given() -> None:
    window = MetricWindow([], timedelta(minutes=5))
    window.add_value(0.123)
    window.add_value(0.125)
    first, second = window.values
    assert first.timestamp <= second.timestamp
    assert window.average == pytest.approx(0.124)


def test_a_window_never_grows_beyond_its_bound() -> None:
    """0.2 kept every value and built a new list for each."""
    window = MetricWindow()
    for number in range(MOST_VALUES + 5):
        window.add_value(number)
    assert len(window) == MOST_VALUES
    assert window.min == 5


def test_the_values_are_the_callers_own_list() -> None:
    window = window_of(1.0)
    window.values.clear()
    assert len(window) == 1


@pytest.mark.parametrize("size", [timedelta(0), timedelta(seconds=-1)])
def test_a_window_of_no_length_is_refused(size: timedelta) -> None:
    with pytest.raises(ValueError, match="window_size must be longer than zero"):
        MetricWindow([], size)


def test_a_window_whose_size_is_a_number_is_refused() -> None:
    with pytest.raises(TypeError, match=r"window_size .* did you mean timedelta\(seconds=5\)"):
        MetricWindow([], 5)  # type: ignore[arg-type]  # that is the test


def test_values_added_by_several_threads_are_all_there() -> None:
    """0.2 lost some: each thread replaced the list of another."""
    window = MetricWindow()
    in_threads(lambda: window.add_value(1.0))
    assert len(window) == 800


def test_a_window_survives_pickling() -> None:
    window = pickle.loads(pickle.dumps(MetricWindow([MetricValue(0.0, 3.0)], timedelta(7))))
    assert (window.average, window.window_size) == (3.0, timedelta(7))


# A collector


def test_a_collector_has_nothing_at_first() -> None:
    metrics = MetricsCollector().get_metrics()
    assert [metrics[name].average for name in metrics] == [None, None, None]
    assert list(metrics) == ["throughput", "processing_time", "error_rate"]


def test_a_collector_averages_processing_times() -> None:
    collector = MetricsCollector()
    collector.record_processing_time(0.1)
    collector.record_processing_time(0.3)
    assert collector.get_metrics()["processing_time"].average == pytest.approx(0.2)


def test_a_collector_tells_the_share_of_errors() -> None:
    collector = MetricsCollector()
    collector.record_error()
    for _ in range(3):
        collector.record_success()
    assert collector.get_metrics()["error_rate"].average == 0.25


def test_a_collector_averages_throughput_as_it_was_given() -> None:
    collector = MetricsCollector()
    collector.record_throughput(100)
    collector.record_throughput(50)
    assert collector.get_metrics()["throughput"].average == 75


def test_measurements_are_a_copy() -> None:
    collector = MetricsCollector()
    before = collector.get_metrics()["error_rate"]
    collector.record_error()
    assert before.average is None


def test_a_collector_gives_its_window_size_to_its_windows() -> None:
    minute = timedelta(minutes=1)
    metrics = MetricsCollector(window_size=minute).get_metrics()
    assert {window.window_size for window in metrics.values()} == {minute}


def test_a_collector_counts_for_five_minutes_unless_told_otherwise() -> None:
    assert MetricsCollector().window_size == timedelta(minutes=5)


def test_a_collector_refuses_a_window_of_no_length() -> None:
    with pytest.raises(ValueError, match="window_size must be longer than zero"):
        MetricsCollector(timedelta(0))


def test_records_of_several_threads_are_not_lost() -> None:
    collector = MetricsCollector()
    in_threads(collector.record_error)
    in_threads(collector.record_success, times=50)
    error_rate = collector.get_metrics()["error_rate"]
    assert (len(error_rate), error_rate.average) == (1000, 0.8)


def test_a_collector_observes_runs_too(mode: Mode) -> None:
    collector = MetricsCollector()
    list(map(str).iterate([1, 2], monitor=collector))
    assert collector.get_metrics()["error_rate"].average == 0.0


# A monitor: its time


def test_no_time_has_passed_before_the_start() -> None:
    monitor = PipelineMonitor()
    assert (monitor.start_time, monitor.end_time, monitor.total_time) == (None, None, 0.0)


def test_start_and_stop_note_date_and_time() -> None:
    before = datetime.now(UTC)
    monitor = PipelineMonitor()
    monitor.start()
    monitor.stop()
    assert monitor.start_time is not None
    assert monitor.end_time is not None
    assert before <= monitor.start_time <= monitor.end_time <= datetime.now(UTC)


def test_the_total_time_stands_still_after_the_stop() -> None:
    monitor = PipelineMonitor()
    monitor.start()
    monitor.stop()
    assert monitor.total_time == monitor.total_time


def test_the_total_time_goes_on_until_the_stop() -> None:
    monitor = PipelineMonitor()
    monitor.start()
    earlier = monitor.total_time
    while monitor.total_time == earlier:
        pass  # until the machine's clock has gone on
    assert monitor.total_time > earlier


def test_the_total_time_does_not_follow_the_wall_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """0.2 subtracted dates: a clock that is set back made the time negative."""

    class SetBack(datetime):
        @classmethod
        def now(cls, tz: object = None) -> SetBack:
            return cls(1999, 1, 1, tzinfo=UTC)

    monitor = PipelineMonitor()
    monitor.start()
    monkeypatch.setattr("rivusio.observe.monitoring.datetime", SetBack)
    monitor.stop()
    assert monitor.total_time >= 0


def test_a_second_start_begins_anew() -> None:
    monitor = PipelineMonitor()
    monitor.start()
    monitor.stop()
    monitor.start()
    assert monitor.end_time is None


def test_a_stop_without_a_start_measures_nothing() -> None:
    monitor = PipelineMonitor()
    monitor.stop()
    assert monitor.total_time == 0.0


def test_a_run_starts_and_stops_the_time(mode: Mode) -> None:
    monitor = PipelineMonitor()
    run = map(str).iterate([1, 2], monitor=monitor)
    assert not monitor.start_time
    next(run)
    assert monitor.start_time
    assert not monitor.end_time
    list(run)
    assert monitor.end_time


# A monitor: what runs count


def test_a_monitor_has_everything_before_any_run() -> None:
    metrics = PipelineMonitor().get_metrics()
    assert metrics["total_time"] == 0.0
    assert metrics["stages"] == []
    counts = ["items_in", "items_out", "errors", "retries", "filtered", "dropped", "discarded"]
    assert [metrics[count] for count in counts] == [0] * 7
    assert f"{metrics['throughput']:.1f} {metrics['error_rate']:.1%}" == "0.0 0.0%"


def test_a_monitor_sums_its_runs(mode: Mode) -> None:
    monitor = PipelineMonitor()
    for _ in range(2):
        list(map(str).iterate([1, 2, 3], monitor=monitor))
    assert monitor.get_metrics()["items_out"] == 6


def test_a_monitor_tells_each_stage_apart(mode: Mode) -> None:
    monitor = PipelineMonitor()
    list((map(int) >> batch(2)).iterate(["1", "2"], monitor=monitor))
    first, second = monitor.get_metrics()["stages"]
    assert (first["name"], first["items_in"], first["items_out"]) == ("int", 2, 2)
    assert (second["name"], second["items_in"], second["items_out"]) == ("batch", 2, 1)


def test_a_monitor_can_be_read_during_a_run(mode: Mode) -> None:
    monitor = PipelineMonitor()
    run = map(str).iterate([1, 2, 3], monitor=monitor)
    next(run)
    assert monitor.get_metrics()["items_out"] == 1
    run.close()


def test_throughput_is_in_source_items_per_second(mode: Mode, clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    list(map(Slow(clock)).iterate(range(500), monitor=monitor, clock=clock))
    assert float(monitor.get_metrics()["throughput"]) == pytest.approx(1000, rel=0.05)


def test_a_slow_run_tells_its_throughput_while_it_goes_on(mode: Mode, clock: VirtualClock) -> None:
    monitor = PipelineMonitor()

    def a_line_each_second() -> Iterator[int]:
        for number in range(10):
            clock.wait(1.0)
            yield number

    run = map(str).iterate(a_line_each_second(), monitor=monitor, clock=clock)
    for _ in range(5):
        next(run)
    assert float(monitor.get_metrics()["throughput"]) == pytest.approx(1.0)
    run.close()


def test_processing_time_is_in_seconds_per_source_item(mode: Mode, clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    list(map(Slow(clock)).iterate(range(500), monitor=monitor, clock=clock))
    processing_time = monitor.get_metrics()["processing_time"]
    assert processing_time.average == pytest.approx(0.001)
    assert processing_time.p99 == pytest.approx(0.001)


def test_processing_time_adds_up_the_stages(mode: Mode, clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    chain = map(Slow(clock)) >> map(Slow(clock)) >> map(Slow(clock))
    list(chain.iterate(range(100), monitor=monitor, clock=clock))
    assert monitor.get_metrics()["processing_time"].average == pytest.approx(0.003)


def test_a_batch_shares_its_processing_time_among_its_items(
    mode: Mode, clock: VirtualClock
) -> None:
    monitor = PipelineMonitor()
    chain = batch(100) >> map(Slow(clock))
    list(chain.iterate(range(1000), monitor=monitor, clock=clock))
    assert monitor.get_metrics()["processing_time"].average == pytest.approx(0.00001)


async def test_processing_time_is_not_mistaken_where_a_buffer_reads_ahead(
    mode: Mode, clock: VirtualClock
) -> None:
    monitor = PipelineMonitor()
    run = map(Slow(clock)).stream(
        range(200), config=BackpressureConfig(min_processing_time=0), monitor=monitor, clock=clock
    )
    assert [item async for item in run] == list(range(200))
    assert monitor.get_metrics()["processing_time"].average == pytest.approx(0.001)


async def test_waiting_counts_as_processing_time(mode: Mode, clock: VirtualClock) -> None:
    monitor = PipelineMonitor()
    run = MockAsyncPipe("done", delay=2.0, clock=clock).stream([1], monitor=monitor, clock=clock)
    result = asyncio.ensure_future(run.__anext__())
    await clock.advance(2.0)
    assert await result == "done"
    await run.aclose()
    assert monitor.get_metrics()["processing_time"].average == pytest.approx(2.0)


def test_the_error_rate_is_the_share_of_items(mode: Mode) -> None:
    monitor = PipelineMonitor()
    safe = map(int).with_config(StreamConfig(on_error="skip"))
    list(safe.iterate(["1", "x", "2", "y"], monitor=monitor))
    assert monitor.get_metrics()["error_rate"].average == 0.5


def test_runs_and_records_by_hand_share_one_error_rate(mode: Mode) -> None:
    monitor = PipelineMonitor()
    list(map(int).iterate(["1", "2", "3"], monitor=monitor))
    monitor.record_error()
    assert monitor.get_metrics()["error_rate"].average == 0.25


def test_a_monitors_windows_have_its_size(mode: Mode) -> None:
    monitor = PipelineMonitor(timedelta(minutes=1))
    list(map(int).iterate(["1"], monitor=monitor))
    assert monitor.get_metrics()["processing_time"].window_size == timedelta(minutes=1)


def test_a_monitor_can_be_read_while_other_threads_run(mode: Mode) -> None:
    monitor = PipelineMonitor()
    chain = map(str)

    def run(_: int) -> None:
        list(chain.iterate(range(500), monitor=monitor))

    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(run, number) for number in range(8)]
        while not all(each.done() for each in runs):
            assert monitor.get_metrics()["items_out"] <= 4000
            assert monitor.total_time >= 0
        for each in runs:
            each.result()
    assert monitor.get_metrics()["items_out"] == 4000

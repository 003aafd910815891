"""Watching pipelines: what they count, how long they take, how fast they go."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

from rivusio.counters import COUNTS, RunCounters, StageCounters
from rivusio.metrics import FIVE_MINUTES, MetricValue, MetricWindow, merged

Metrics = dict[str, Any]  # a mapping of windows, floats, ints and the list of stages


class MetricsCollector:
    """Takes measurements by hand, from any thread.

    Args:
        window_size: how long a measurement counts.
    """

    def __init__(self, window_size: timedelta = FIVE_MINUTES) -> None:
        self.window_size = window_size
        self._lock = threading.Lock()
        self._processing_time = MetricWindow(window_size=window_size)
        self._throughput = MetricWindow(window_size=window_size)
        self._outcomes = {"errors": 0, "successes": 0}
        self._last_throughput: float | None = None

    def record_processing_time(self, seconds: float) -> None:
        """Note how long one item took."""
        self._processing_time.add_value(seconds, time.monotonic())

    def record_error(self) -> None:
        """Count one item that failed."""
        with self._lock:
            self._outcomes["errors"] += 1

    def record_success(self) -> None:
        """Count one item that went well."""
        with self._lock:
            self._outcomes["successes"] += 1

    def record_throughput(self, items: int) -> None:
        """Note that so many items were handled since the last call.

        The first call counts from nothing known, so it only starts the interval.
        """
        now = time.monotonic()
        with self._lock:
            last, self._last_throughput = self._last_throughput, now
        if last is not None and now > last:
            self._throughput.add_value(items / (now - last), now)

    def get_metrics(self) -> Metrics:
        """Give `throughput` (items/s), `processing_time` (s) and `error_rate` (share of items)."""
        with self._lock:
            errors, successes = self._outcomes["errors"], self._outcomes["successes"]
        return {
            "throughput": merged([self._throughput]),
            "processing_time": merged([self._processing_time]),
            "error_rate": _share(errors, errors + successes),
        }


class PipelineMonitor(MetricsCollector):
    """Observes every run it is given to, and sums them; can be read at any time, from any thread.

    >>> from rivusio import map
    >>> monitor = PipelineMonitor()
    >>> list(map(str).iterate([1, 2, 3], monitor=monitor))
    ['1', '2', '3']
    >>> monitor.get_metrics()["items_out"]
    3
    """

    def __init__(self, window_size: timedelta = FIVE_MINUTES) -> None:
        super().__init__(window_size)
        self._live: list[RunCounters] = []
        self._finished = _Total()
        self.start_time: float | None = None
        self.end_time: float | None = None

    def start(self) -> None:
        """Start the time that `total_time` measures; the first run does it by itself."""
        self.start_time = time.monotonic()
        self.end_time = None

    def stop(self) -> None:
        """Stop the time that `total_time` measures; the end of the last run does it by itself."""
        self.end_time = time.monotonic()

    @property
    def total_time(self) -> float:
        """Seconds from the start to the stop, or until now; 0.0 before the start."""
        if self.start_time is None:
            return 0.0
        return (time.monotonic() if self.end_time is None else self.end_time) - self.start_time

    def attach(self, counters: RunCounters) -> None:
        """Called when a run that this monitor observes starts."""
        with self._lock:
            self._live.append(counters)
            if self.start_time is None:
                self.start_time = time.monotonic()
            self.end_time = None

    def detach(self, counters: RunCounters) -> None:
        """Called when a run that this monitor observes has ended and cleaned up."""
        with self._lock:
            self._live.remove(counters)
            self._finished.add(counters)
            if not self._live:
                self.end_time = time.monotonic()

    def get_metrics(self) -> Metrics:
        """Give everything measured so far.

        `throughput` (source items per second), `processing_time` (seconds per source item) and
        `error_rate` (share of items) are `MetricWindow`s; `total_time` is in seconds; the counts
        are ints, each the sum over the stages but for `items_in` (items of the source) and
        `items_out` (items delivered). `metrics["stages"][index]` has the same for one stage.
        """
        with self._lock:
            total = self._finished.copy()
            for counters in self._live:
                total.add(counters)
            errors, successes = self._outcomes["errors"], self._outcomes["successes"]
        calls = total.counts["items_in"] + errors + successes
        return {
            "throughput": merged([self._throughput, total.throughput]),
            "processing_time": merged([self._processing_time, total.processing_time]),
            "error_rate": _share(total.counts["errors"] + errors, calls),
            "total_time": self.total_time,
            **total.counts,
            "stages": [stage.metrics(self.total_time) for stage in total.stages],
        }


class _StageTotal:
    """The sum of one stage's counters over runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.counts = dict.fromkeys(COUNTS, 0)
        self.processing_time = MetricWindow()

    def add(self, counts: dict[str, int], processing_time: MetricWindow) -> None:
        for name, value in counts.items():
            self.counts[name] += value
        self.processing_time = merged([self.processing_time, processing_time])

    def metrics(self, seconds: float) -> Metrics:
        rate = self.counts["items_in"] / seconds if seconds > 0 else 0.0
        return {
            "name": self.name,
            "throughput": MetricWindow([MetricValue(0.0, rate)]),
            "processing_time": self.processing_time,
            "error_rate": _share(self.counts["errors"], self.counts["items_in"]),
            "total_time": seconds,
            **self.counts,
        }


class _Total:
    """The sum of runs; stages are matched by their place."""

    def __init__(self) -> None:
        self.counts = dict.fromkeys(COUNTS, 0)
        self.stages: list[_StageTotal] = []
        self.throughput = MetricWindow()
        self.processing_time = MetricWindow()

    def copy(self) -> _Total:
        total = _Total()
        total.counts = dict(self.counts)
        for stage in self.stages:
            total._stage(len(total.stages), stage.name).add(stage.counts, stage.processing_time)
        total.throughput = self.throughput
        total.processing_time = self.processing_time
        return total

    def add(self, run: RunCounters) -> None:
        for index, stage in enumerate(run.stages):
            self._stage(index, stage.name).add(_counts_of(stage), stage.processing_time)
        for name in COUNTS:
            self.counts[name] += run.total(name) if name not in ("items_in", "items_out") else 0
        self.counts["items_in"] += run.items_in
        self.counts["items_out"] += run.items_out
        self.counts["discarded"] += run.discarded_outputs
        self.throughput = merged([self.throughput, run.throughput])
        self.processing_time = merged([self.processing_time, run.processing_time])

    def _stage(self, index: int, name: str) -> _StageTotal:
        if index == len(self.stages):
            self.stages.append(_StageTotal(name))
        return self.stages[index]


def _counts_of(stage: StageCounters) -> dict[str, int]:
    return {name: getattr(stage, name) for name in COUNTS}


def _share(part: int, whole: int) -> MetricWindow:
    return MetricWindow([MetricValue(0.0, part / whole)] if whole else [])


__all__ = ["MetricValue", "MetricWindow", "MetricsCollector", "PipelineMonitor"]

"""Watching pipelines: what they count, how long they take, how fast they go."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rivusio.observe.counters import COUNTS, RunCounters, StageCounters
from rivusio.observe.metrics import FIVE_MINUTES, MetricValue, MetricWindow, merged

Metrics = dict[str, Any]  # a mapping of windows, floats, ints and the list of stages


class MetricsCollector:
    """Takes measurements by hand, and those of the runs it is given to; from any thread.

    Args:
        window_size: how long a measurement counts.

    Raises:
        TypeError, ValueError: naming the field, the value and the rule.

    >>> collector = MetricsCollector()
    >>> collector.record_success(), collector.record_error()
    (None, None)
    >>> f"{collector.get_metrics()['error_rate']:.0%}"
    '50%'
    """

    def __init__(self, window_size: timedelta = FIVE_MINUTES) -> None:
        self.window_size = window_size
        self._processing_time = MetricWindow(window_size=window_size)
        self._throughput = MetricWindow(window_size=window_size)
        self._outcomes = MetricWindow(window_size=window_size)  # 1.0 for an error, else 0.0
        self._lock = threading.RLock()
        self._live: list[RunCounters] = []
        self._finished = _Total(window_size)

    def record_processing_time(self, duration: float) -> None:
        """Note how many seconds one item took."""
        self._processing_time.add_value(duration)

    def record_error(self) -> None:
        """Note one item that failed."""
        self._outcomes.add_value(1.0)

    def record_success(self) -> None:
        """Note one item that went well."""
        self._outcomes.add_value(0.0)

    def record_throughput(self, items: int) -> None:
        """Note how many items were handled at once, or in whatever the caller's interval is."""
        self._throughput.add_value(float(items))

    def attach(self, counters: RunCounters) -> None:
        """Called when a run that is observed starts."""
        with self._lock:
            self._live.append(counters)

    def detach(self, counters: RunCounters) -> None:
        """Called when a run that is observed has ended and cleaned up."""
        with self._lock:
            self._live.remove(counters)
            self._finished.add(counters)

    def get_metrics(self) -> Metrics:
        """Give `throughput`, `processing_time` and `error_rate`, each as a `MetricWindow`.

        For runs these are source items per second, seconds per source item and the share of
        items that failed. What was recorded by hand is added as it was given.
        """
        return self._windows(self._total())

    def _total(self) -> _Total:
        with self._lock:
            total = self._finished.copy()
            for counters in self._live:
                total.add(counters)
        return total

    def _windows(self, total: _Total) -> Metrics:
        return {
            "throughput": merged([self._throughput, total.throughput], self.window_size),
            "processing_time": merged(
                [self._processing_time, total.processing_time], self.window_size
            ),
            "error_rate": self._error_rate(total.counts),
        }

    def _error_rate(self, counts: dict[str, int]) -> MetricWindow:
        if not counts["items_in"]:
            return merged([self._outcomes], self.window_size)
        by_hand = [outcome.value for outcome in self._outcomes.values]
        return _share(counts["errors"] + sum(by_hand), counts["items_in"] + len(by_hand))


@dataclass(frozen=True, slots=True)
class _Instant:
    """A point in time: a date for people, and a number that can be reckoned with."""

    date: datetime = field(default_factory=lambda: datetime.now(UTC))
    seconds: float = field(default_factory=time.monotonic)


class PipelineMonitor(MetricsCollector):
    """Observes every run it is given to, and sums them; can be read at any time, from any thread.

    >>> from rivusio import map
    >>> monitor = PipelineMonitor()
    >>> list(map(str).iterate([1, 2, 3], monitor=monitor))
    ['1', '2', '3']
    >>> monitor.get_metrics()["items_out"]
    3
    """

    _start: _Instant | None = None
    _end: _Instant | None = None

    def __repr__(self) -> str:
        counts = self._total().counts
        said = ", ".join(f"{name}={count}" for name, count in counts.items() if count)
        return f"<PipelineMonitor: {said or 'nothing yet'}>"

    def start(self) -> None:
        """Start the time that `total_time` measures; the first run does it by itself."""
        with self._lock:
            self._start, self._end = _Instant(), None

    def stop(self) -> None:
        """Stop the time that `total_time` measures; the end of the last run does it by itself."""
        with self._lock:
            self._end = _Instant()

    @property
    def start_time(self) -> datetime | None:
        """The date and time (UTC) of the start, or `None` before it."""
        return self._start.date if self._start else None

    @property
    def end_time(self) -> datetime | None:
        """The date and time (UTC) of the stop, or `None` before it."""
        with self._lock:
            return self._end.date if self._end else None

    @property
    def total_time(self) -> float:
        """Seconds from the start to the stop, or until now; 0.0 before the start."""
        with self._lock:
            start, end = self._start, self._end or _Instant()
        return end.seconds - start.seconds if start else 0.0

    def attach(self, counters: RunCounters) -> None:
        """Called when a run that is observed starts."""
        with self._lock:
            super().attach(counters)
            self._start, self._end = self._start or _Instant(), None

    def detach(self, counters: RunCounters) -> None:
        """Called when a run that is observed has ended and cleaned up."""
        with self._lock:
            super().detach(counters)
            if not self._live:
                self._end = _Instant()

    def get_metrics(self) -> Metrics:
        """Give everything measured so far.

        `throughput` (source items per second), `processing_time` (seconds per source item) and
        `error_rate` (share of items) are `MetricWindow`s; `total_time` is in seconds; the counts
        are ints, each the sum over the stages but for `items_in` (items of the source) and
        `items_out` (items delivered). `metrics["stages"][index]` has the same for one stage.
        """
        total = self._total()
        seconds = self.total_time
        return {
            **self._windows(total),
            "total_time": seconds,
            **total.counts,
            "stages": [stage.metrics(seconds) for stage in total.stages],
        }


class _StageTotal:
    """The sum of one stage's counters over runs."""

    def __init__(self, name: str, window_size: timedelta) -> None:
        self.name = name
        self.counts = dict.fromkeys(COUNTS, 0)
        self.processing_time = MetricWindow(window_size=window_size)

    def add(self, counts: dict[str, int], processing_time: MetricWindow) -> None:
        for name, value in counts.items():
            self.counts[name] += value
        self.processing_time.extend(processing_time.values)  # put in order when they are read

    def metrics(self, seconds: float) -> Metrics:
        rate = self.counts["items_in"] / seconds if seconds > 0 else 0.0
        return {
            "name": self.name,
            "throughput": MetricWindow([MetricValue(0.0, rate)]),
            "processing_time": merged([self.processing_time], self.processing_time.window_size),
            "error_rate": _share(self.counts["errors"], self.counts["items_in"]),
            "total_time": seconds,
            **self.counts,
        }


class _Total:
    """The sum of runs; stages are matched by their place."""

    def __init__(self, window_size: timedelta) -> None:
        self._window_size = window_size
        self.counts = dict.fromkeys(COUNTS, 0)
        self.stages: list[_StageTotal] = []
        self.throughput = MetricWindow(window_size=window_size)
        self.processing_time = MetricWindow(window_size=window_size)

    def copy(self) -> _Total:
        total = _Total(self._window_size)
        total.counts = dict(self.counts)
        for index, stage in enumerate(self.stages):
            total._stage(index, stage.name).add(stage.counts, stage.processing_time)
        total.throughput.extend(self.throughput.values)
        total.processing_time.extend(self.processing_time.values)
        return total

    def add(self, run: RunCounters) -> None:
        for index, stage in enumerate(run.stages):
            self._stage(index, stage.name).add(_counts_of(stage), stage.processing_time)
        for name in COUNTS:
            self.counts[name] += run.total(name) if name not in ("items_in", "items_out") else 0
        self.counts["items_in"] += run.items_in
        self.counts["items_out"] += run.items_out
        self.counts["discarded"] += run.discarded_outputs
        self.throughput.extend(run.throughput().values)
        self.processing_time.extend(run.processing_time().values)

    def _stage(self, index: int, name: str) -> _StageTotal:
        if index == len(self.stages):
            self.stages.append(_StageTotal(name, self._window_size))
        return self.stages[index]


def _counts_of(stage: StageCounters) -> dict[str, int]:
    return {name: getattr(stage, name) for name in COUNTS}


def _share(part: float, whole: int) -> MetricWindow:
    return MetricWindow([MetricValue(0.0, part / whole)] if whole else [])


__all__ = ["MetricValue", "MetricWindow", "MetricsCollector", "PipelineMonitor"]

"""Measured values over a bounded window of time."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from rivusio.graph.validators import seconds

FIVE_MINUTES = timedelta(minutes=5)
MOST_VALUES = 1024  # a window forgets its oldest value rather than grow beyond this


@dataclass(frozen=True, slots=True)
class MetricValue:
    """One measurement: when (seconds on a clock that never goes backwards) and what."""

    timestamp: float
    value: float


# Large: it stands in for the number that 0.2 had: conversions and formatting are most of it.
class MetricWindow:
    """The latest measurements: no more than 1024, none older than `window_size` by the last one.

    It converts and formats as its average; without values that is `0.0`, while `average`,
    `min`, `max` and the percentiles are `None`. Safe to read while other threads add.

    Args:
        values: measurements to begin with, oldest first.
        window_size: how long a measurement counts.

    Raises:
        TypeError: if `window_size` is no `timedelta`.
        ValueError: if it is zero or negative.

    >>> window = MetricWindow([MetricValue(0.0, 1.0), MetricValue(1.0, 2.0)])
    >>> f"{window:.2f}", window.max, float(MetricWindow())
    ('1.50', 2.0, 0.0)
    """

    def __init__(
        self, values: Iterable[MetricValue] = (), window_size: timedelta = FIVE_MINUTES
    ) -> None:
        self._seconds = seconds("window_size", window_size)
        self.window_size = window_size
        self._values: deque[MetricValue] = deque(values, maxlen=MOST_VALUES)
        self._lock = threading.Lock()

    def add_value(self, value: float, timestamp: float | None = None) -> None:
        """Add one measurement and forget those that have left the window.

        Args:
            value: what was measured.
            timestamp: when, in seconds; `time.monotonic()` if left out.
        """
        timestamp = time.monotonic() if timestamp is None else timestamp
        with self._lock:
            values = self._values
            values.append(MetricValue(timestamp, value))
            while values[0].timestamp < timestamp - self._seconds:
                values.popleft()

    def extend(self, values: Iterable[MetricValue]) -> None:
        """Add the measurements of another window as they are, old ones too."""
        with self._lock:
            self._values.extend(values)

    @property
    def values(self) -> list[MetricValue]:
        """The measurements, oldest first: a list of the caller's own."""
        with self._lock:
            return list(self._values)

    def _numbers(self) -> list[float]:
        return [each.value for each in self.values]

    @property
    def average(self) -> float | None:
        """The arithmetic mean, or `None` without values."""
        numbers = self._numbers()
        return math.fsum(numbers) / len(numbers) if numbers else None

    @property
    def min(self) -> float | None:
        """The least value, or `None` without values."""
        return min(self._numbers(), default=None)

    @property
    def max(self) -> float | None:
        """The greatest value, or `None` without values."""
        return max(self._numbers(), default=None)

    @property
    def p50(self) -> float | None:
        """The median, or `None` without values."""
        return self._percentile(0.50)

    @property
    def p95(self) -> float | None:
        """The value that 95 % of the values do not exceed, or `None` without values."""
        return self._percentile(0.95)

    @property
    def p99(self) -> float | None:
        """The value that 99 % of the values do not exceed, or `None` without values."""
        return self._percentile(0.99)

    def _percentile(self, share: float) -> float | None:
        """Nearest rank: the smallest value that at least this share of the values reach."""
        numbers = sorted(self._numbers())
        return numbers[math.ceil(share * len(numbers)) - 1] if numbers else None

    def __float__(self) -> float:
        return self.average or 0.0

    def __int__(self) -> int:
        return int(float(self))

    def __format__(self, spec: str) -> str:
        return format(float(self), spec or ".6g")

    def __str__(self) -> str:
        return format(self)

    def __len__(self) -> int:
        return len(self._values)

    def __bool__(self) -> bool:
        return True  # an empty window is still a window

    def __repr__(self) -> str:
        return (
            f"MetricWindow(average={self.average}, min={self.min}, max={self.max}, n={len(self)})"
        )

    def __reduce__(self) -> tuple[Any, ...]:  # object.__reduce__'s own type
        return type(self), (self.values, self.window_size)  # a lock cannot travel


def merged(windows: Iterable[MetricWindow], window_size: timedelta = FIVE_MINUTES) -> MetricWindow:
    """Give one window with the latest values of all.

    Each may have a clock of its own, so each tells by its own last value what is too old.
    """
    recent = [value for window in windows for value in _recent(window.values, window_size)]
    return MetricWindow(sorted(recent, key=lambda value: value.timestamp), window_size)


def _recent(values: list[MetricValue], window_size: timedelta) -> list[MetricValue]:
    if not values:
        return []
    oldest = values[-1].timestamp - window_size.total_seconds()
    return [value for value in values if value.timestamp >= oldest]

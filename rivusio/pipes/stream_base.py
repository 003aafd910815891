"""What both kinds of stream have in common: a source, its settings, and what was measured."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Any, Generic, TypeVar

from rivusio.graph.config import LONGEST_WINDOW, BackpressureConfig, StreamConfig
from rivusio.graph.settings import StageConfig
from rivusio.graph.stage import Stage
from rivusio.graph.validators import seconds
from rivusio.observe.monitoring import MetricsCollector, PipelineMonitor
from rivusio.pipes.base import BasePipe
from rivusio.pipes.operators import batch, tumbling
from rivusio.safe_repr import describe, repr_of
from rivusio.time.clock import Clock

In = TypeVar("In")
Out = TypeVar("Out")


# The fields of a StreamConfig that say how a single call of a stage is treated.
_OF_A_CALL = {
    "retry_attempts",
    "retry_delay",
    "retry_backoff",
    "retry_jitter",
    "timeout",
    "on_error",
    "skip_none",
}


class _Stream(Generic[In]):
    """A source, its settings, what was measured, and whether it was closed."""

    def __init__(
        self,
        source: Any,  # the two kinds of stream say what
        config: StageConfig | None,
        metrics: MetricsCollector | None,
        clock: Clock | None,
    ) -> None:
        _refuse_other("config", config, StreamConfig, BackpressureConfig)
        _refuse_other("metrics", metrics, MetricsCollector)
        self.source = source
        self.config = StreamConfig() if config is None else config
        self.metrics = PipelineMonitor() if metrics is None else metrics
        self._metrics_were_given = metrics is not None
        self._clock = clock
        self._closed = False

    def is_closed(self) -> bool:
        """Tell whether the stream was closed."""
        return self._closed

    def metrics_dict(self) -> dict[str, Any]:
        """Give `"buffer_size"`, the items read ahead now, and `"metrics"`.

        The metrics are what `.metrics.get_metrics()` gives of the runs of `process`; none are
        taken, and the dictionary is empty, with `collect_metrics=False`.
        """
        collects = self._stream_config.collect_metrics
        return {
            "buffer_size": self._read_ahead(),
            "metrics": self.metrics.get_metrics() if collects else {},
        }

    def _read_ahead(self) -> int:
        return 0

    def _refuse_closed(self) -> None:
        if self._closed:
            message = "the stream is closed; make another one over a fresh source"
            raise RuntimeError(message)

    @property
    def _monitor(self) -> MetricsCollector | None:
        return self.metrics if self._stream_config.collect_metrics else None

    @property
    def _stream_config(self) -> StreamConfig:
        if isinstance(self.config, BackpressureConfig):
            return StreamConfig(backpressure=self.config)
        return self.config

    def _configured(self, pipe: BasePipe[In, Out]) -> list[Stage]:
        """Give the stages of `pipe` with this stream's settings, defaults and all.

        In front stands the batch or the time window that the settings ask for.
        """
        config = self._stream_config
        stages = [_with_defaults(stage, config) for stage in pipe._rivusio_stages()]
        collect: BasePipe[Any, Any] | None = None
        if config.batch_size > 1:
            collect = batch(config.batch_size)
        elif config.window_size > 0:
            collect = tumbling(_as_duration("window_size", config.window_size))
        return stages if collect is None else [*collect._rivusio_stages(), *stages]


def _refuse_other(field: str, value: object, *kinds: type) -> None:
    if value is None or isinstance(value, kinds):
        return
    wanted = " or ".join(kind.__name__ for kind in kinds)
    message = f"{field} must be a {wanted}, got {describe(value)}"
    raise TypeError(message)


def _with_defaults(stage: Stage, config: StreamConfig) -> Stage:
    """Give a stage the settings of 0.2: all that can work on it, and all that was said.

    What was said and cannot work is refused by the stage; a mere default stands back.
    """
    if stage.said is not None:
        return stage
    works = {"skip_none"}
    if stage.has_single_call:
        works |= _OF_A_CALL
        if not stage.pipe.is_async:
            works.discard("timeout")
    applies = works | (_OF_A_CALL & config.model_fields_set)
    return stage.with_default(StreamConfig(**{field: getattr(config, field) for field in applies}))


def _as_duration(field: str, duration: timedelta | float) -> timedelta:
    """Give a duration that may be said in seconds.

    Raises:
        TypeError: if it is neither a number nor a `timedelta`.
        ValueError: if it is not finite, not longer than zero, or longer than a `timedelta` can be.
    """
    if isinstance(duration, int | float) and not isinstance(duration, bool):
        duration = _of_seconds(field, duration)
    return _of_seconds(field, seconds(field, duration))


def _of_seconds(field: str, number: float) -> timedelta:
    if not -math.inf < number < math.inf:
        message = f"{field} must be finite, got {number!r}"
        raise ValueError(message)
    if number > LONGEST_WINDOW:
        message = f"{field} must be at most {LONGEST_WINDOW:.0f} s, got {repr_of(number)}"
        raise ValueError(message)
    try:
        return timedelta(seconds=number)
    except OverflowError:  # the last second of the longest is no whole one
        return timedelta.max if number > 0 else timedelta.min

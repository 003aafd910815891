"""Streams by their public path: a source with its settings, and the pipes over streams.

`AsyncStream(source).through(pipe)` is `pipe.stream(source)`. The methods of 0.2 (`process`,
`sliding_window`, …) build the chain that they stand for, and run it the same way.
"""

from __future__ import annotations

import inspect
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
    Iterator,
)
from datetime import timedelta
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from rivusio.config import BackpressureConfig, StreamConfig
from rivusio.errors import BufferOverflowError, DeadLetter, StreamError
from rivusio.interpreter.source import check_source
from rivusio.monitoring import PipelineMonitor
from rivusio.operators import batch, sliding, tumbling
from rivusio.pipeline import BasePipe, SyncFamily, chain_of, stages_of
from rivusio.runs import Run
from rivusio.settings import StageConfig
from rivusio.stage import Stage
from rivusio.stream_pipes import BatchStreamPipe, SlidingWindowPipe, StreamPipe, WindowedStreamPipe

In = TypeVar("In")
Out = TypeVar("Out")

# The fields of a StreamConfig that say how a single call of a stage is treated.
_OF_A_CALL = (
    "retry_attempts",
    "retry_delay",
    "retry_backoff",
    "retry_jitter",
    "timeout",
    "on_error",
    "skip_none",
)


class _Stream(Generic[In]):
    """A source, its settings, what was measured, and whether it was closed."""

    def __init__(
        self, source: Any, config: StageConfig | None, metrics: PipelineMonitor | None
    ) -> None:
        self.source = source
        self.config = StreamConfig() if config is None else config
        self.metrics = PipelineMonitor() if metrics is None else metrics
        self._explicit = config
        self._closed = False

    def is_closed(self) -> bool:
        """Tell whether the stream was closed."""
        return self._closed

    def metrics_dict(self) -> dict[str, Any]:
        """Give what `process` has measured, as `PipelineMonitor.get_metrics` does."""
        return self.metrics.get_metrics()

    def _refuse_closed(self) -> None:
        if self._closed:
            message = "the stream is closed"
            raise RuntimeError(message)

    @property
    def _monitor(self) -> PipelineMonitor | None:
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
            collect = tumbling(timedelta(seconds=config.window_size))
        return stages if collect is None else [*collect._rivusio_stages(), *stages]


def _with_defaults(stage: Stage, config: StreamConfig) -> Stage:
    """Give a stage the settings of 0.2: all that can work on it, whether said or not."""
    if stage.said is not None:
        return stage
    values = {field: getattr(config, field) for field in _OF_A_CALL}
    if not stage.pipe.is_async and "timeout" not in config.model_fields_set:
        values["timeout"] = None
    if not stage.has_single_call:
        values = {"skip_none": config.skip_none}
    return stage.with_default(StreamConfig(**values))


class AsyncStream(_Stream[In]):
    """A source to be run in an event loop.

    Args:
        source: any iterable or async iterable.
        config: settings. In `through` what was set explicitly applies, in `process` all of it.
        metrics: takes what `process` measures; one of its own if left out.
    """

    def __init__(
        self,
        source: AsyncIterable[In] | Iterable[In],
        config: StageConfig | None = None,
        metrics: PipelineMonitor | None = None,
    ) -> None:
        check_source(source, in_loop=True)
        super().__init__(source, config, metrics)

    def through(self, pipe: BasePipe[In, Out]) -> Run[Out]:
        """Run through a pipe: the same as `pipe.stream(source, config=config)`."""
        self._refuse_closed()
        return _pipe(pipe).stream(self.source, config=self._explicit)

    def process(self, pipe: BasePipe[Any, Out]) -> Run[Out]:
        """Run through a pipe with every setting of the `StreamConfig`.

        The pipe gets batches if `batch_size > 1`, else time windows if `window_size > 0`, else
        items; calls are retried, bounded in time and measured, results that are `None` are
        dropped, and up to `buffer_size` items are read ahead.
        """
        self._refuse_closed()
        config = self._stream_config
        buffer = config.backpressure or BackpressureConfig(
            max_buffer_size=config.buffer_size, throttle_threshold=1.0, min_processing_time=0.0
        )
        return chain_of(self._configured(_pipe(pipe))).stream(
            self.source,
            config=StreamConfig(backpressure=buffer, yield_every=config.yield_every),
            monitor=self._monitor,
        )

    def sliding_window(self, window_size: int, step_size: int = 1) -> Run[list[In]]:
        """Give lists of the last `window_size` items after every `step_size` items."""
        return self._through_operator(sliding(window_size, step_size))

    def tumbling_window(self, n: int) -> Run[list[In]]:
        """Give lists of `n` items, and of the rest."""
        return self._through_operator(batch(n))

    def time_window(self, duration: timedelta | float) -> Run[list[In]]:
        """Give lists of what came in each `duration`, a `timedelta` or seconds."""
        return self._through_operator(tumbling(_as_duration(duration)))

    def _through_operator(self, operator: BasePipe[Any, Any]) -> Run[list[In]]:
        self._refuse_closed()
        return operator.stream(self.source)

    async def close(self) -> None:
        """Close the stream, and its source if that is a generator."""
        self._closed = True
        if inspect.isasyncgen(self.source):
            await self.source.aclose()
        elif inspect.isgenerator(self.source):
            self.source.close()

    def __aiter__(self) -> AsyncIterator[In]:
        self._refuse_closed()
        return aiter(StreamPipe[Any, Any]().stream(self.source))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()


class SyncStream(_Stream[In]):
    """A source to be run without an event loop.

    Args:
        source: any iterable.
        config: settings. In `through` what was set explicitly applies, in `process` all that
            can work without an event loop: no timeout, no reading ahead.
    """

    def __init__(self, source: Iterable[In], config: StageConfig | None = None) -> None:
        check_source(source, in_loop=False)
        super().__init__(source, config, None)

    def through(self, pipe: SyncFamily[In, Out]) -> Generator[Out, None, None]:
        """Run through a sync pipe: the same as `pipe.iterate(source, config=config)`.

        Raises:
            TypeError: when the pipe is async, or the settings need an event loop.
        """
        self._refuse_closed()
        return _sync_pipe(pipe).iterate(self.source, config=self._explicit)

    def process(self, pipe: SyncFamily[Any, Out]) -> Generator[Out, None, None]:
        """Run through a sync pipe with every setting of the `StreamConfig` that can work here.

        The pipe gets batches if `batch_size > 1`, else time windows if `window_size > 0`, else
        items; calls are retried and measured, and results that are `None` are dropped.

        Raises:
            TypeError: when the pipe is async, or the settings say something explicitly that
                needs an event loop.
        """
        self._refuse_closed()
        config = self._stream_config
        said = config.model_fields_set & {"buffer_size", "backpressure"}
        if said:
            message = f"{', '.join(sorted(said))}: only an AsyncStream can read ahead"
            raise TypeError(message)
        chain = chain_of(self._configured(_sync_pipe(pipe)))
        return _sync_pipe(chain).iterate(self.source, monitor=self._monitor)

    def sliding_window(
        self, window_size: int, step_size: int = 1
    ) -> Generator[list[In], None, None]:
        """Give lists of the last `window_size` items after every `step_size` items."""
        return self._through_operator(sliding(window_size, step_size))

    def tumbling_window(self, n: int) -> Generator[list[In], None, None]:
        """Give lists of `n` items, and of the rest."""
        return self._through_operator(batch(n))

    def time_window(self, duration: timedelta | float) -> Generator[list[In], None, None]:
        """Give lists of what came in each `duration`, a `timedelta` or seconds."""
        return self._through_operator(tumbling(_as_duration(duration)))

    def _through_operator(self, operator: SyncFamily[Any, Any]) -> Generator[list[In], None, None]:
        self._refuse_closed()
        return operator.iterate(self.source)

    def close(self) -> None:
        """Close the stream, and its source if that is a generator."""
        self._closed = True
        if inspect.isgenerator(self.source):
            self.source.close()

    def __iter__(self) -> Iterator[In]:
        self._refuse_closed()
        return iter(self.source)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def _pipe(pipe: object) -> BasePipe[Any, Any]:
    """Give what `>>` would make of it."""
    return pipe if isinstance(pipe, BasePipe) else chain_of(stages_of(pipe))


def _sync_pipe(pipe: object) -> SyncFamily[Any, Any]:
    pipe = _pipe(pipe)
    if isinstance(pipe, SyncFamily):
        return pipe
    message = f"{pipe.name} is async: a SyncStream cannot run it; use AsyncStream"
    raise TypeError(message)


def _as_duration(duration: timedelta | float) -> timedelta:
    return duration if isinstance(duration, timedelta) else timedelta(seconds=duration)


__all__ = [
    "AsyncStream",
    "BackpressureConfig",
    "BatchStreamPipe",
    "BufferOverflowError",
    "DeadLetter",
    "Run",
    "SlidingWindowPipe",
    "StreamConfig",
    "StreamError",
    "StreamPipe",
    "SyncStream",
    "WindowedStreamPipe",
]

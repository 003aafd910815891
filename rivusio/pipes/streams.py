"""Streams: a source with its settings.

`AsyncStream(source).through(pipe)` is `pipe.stream(source)`. The methods of 0.2 (`process`,
`sliding_window`, …) build the chain that they stand for, and run it the same way.
"""

from __future__ import annotations

import inspect
import weakref
from collections.abc import (
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import AsyncExitStack, ExitStack
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from rivusio.engine.source import check_source
from rivusio.graph.config import BackpressureConfig, StreamConfig
from rivusio.graph.settings import StageConfig
from rivusio.graph.validators import at_least, capacity
from rivusio.observe.monitoring import MetricsCollector
from rivusio.pipes.base import BasePipe, SyncFamily, chain_of, stages_of
from rivusio.pipes.operators import batch, sliding, tumbling
from rivusio.pipes.stream_base import In, Out, _as_duration, _Stream
from rivusio.pipes.windowed import (
    StreamPipe,
)
from rivusio.runs.run import Run
from rivusio.time.clock import Clock

if TYPE_CHECKING:
    from rivusio.runs.run import Execution


class AsyncStream(_Stream[In]):
    """A source to be run in an event loop.

    Args:
        source: any iterable or async iterable.
        config: settings. In `through` what was set explicitly applies, in `process` all of it.
        metrics: takes what `process` measures; a `PipelineMonitor` of its own if left out.
        clock: the time for timers, windows and delays; the system's if left out.

    Raises:
        TypeError: for an argument of another kind, saying which is wanted.
    """

    def __init__(
        self,
        source: AsyncIterable[In] | Iterable[In],
        config: StageConfig | None = None,
        metrics: MetricsCollector | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        check_source(source, in_loop=True)
        super().__init__(source, config, metrics, clock)
        # Weak, both: whatever holds a run that was left by a `break` would keep it from ending.
        self._runs: weakref.WeakSet[AsyncIterator[Any]] = weakref.WeakSet()
        self._execution: Callable[[], Execution | None] = lambda: None

    def through(self, pipe: BasePipe[In, Out]) -> Run[Out]:
        """Run through a pipe: the same as `pipe.stream(source, config=config)`."""
        monitor = self._monitor if self._metrics_were_given else None
        return self._run(_pipe(pipe), self.config, monitor)

    def process(self, pipe: BasePipe[Any, Out]) -> Run[Out]:
        """Run through a pipe with every setting of the `StreamConfig`.

        The pipe gets batches if `batch_size > 1`, else time windows if `window_size > 0`, else
        items; calls are retried, bounded in time and measured, results that are `None` are
        dropped, and up to `buffer_size` items are read ahead.

        Raises:
            TypeError: when the settings say something explicitly that a stage cannot do.
        """
        config = self._stream_config
        buffer = config.backpressure or BackpressureConfig(
            max_buffer_size=config.buffer_size, throttle_threshold=1.0, min_processing_time=0.0
        )
        chain: BasePipe[Any, Out] = chain_of(self._configured(_pipe(pipe)))
        of_the_run = StreamConfig(backpressure=buffer, yield_every=config.yield_every)
        return self._run(chain, of_the_run, self._monitor)

    def sliding_window(self, window_size: int, step_size: int = 1) -> Run[list[In]]:
        """Give lists of the last `window_size` items after every `step_size` items."""
        return self._run(_sliding(window_size, step_size))

    def tumbling_window(self, n: int) -> Run[list[In]]:
        """Give lists of `n` items, and of the rest."""
        return self._run(batch(n))

    def time_window(self, duration: timedelta | float) -> Run[list[In]]:
        """Give lists of what came in each `duration`, a `timedelta` or seconds."""
        return self._run(tumbling(_as_duration("duration", duration)))

    def _run(
        self,
        pipe: BasePipe[Any, Out],
        config: StageConfig | None = None,
        monitor: MetricsCollector | None = None,
    ) -> Run[Out]:
        self._refuse_closed()
        run = pipe.stream(self.source, config=config, monitor=monitor, clock=self._clock)
        self._runs.add(aiter(run))
        self._execution = weakref.ref(run._execution)
        return run

    def _read_ahead(self) -> int:
        execution = self._execution()
        buffers = () if execution is None else execution.line.buffers()
        return sum(buffer.current for buffer in buffers)

    async def close(self) -> None:
        """End the runs of this stream, and close its source if that is a generator.

        What a run still holds is discarded. A run that another task is waiting for goes on; it
        closes the source itself, in the task that reads it.
        """
        self._closed = True
        runs = [run for run in self._runs if inspect.isasyncgen(run)]
        awaited = any(run.ag_running for run in runs)
        async with AsyncExitStack() as closing:  # one that fails lets the others be closed
            if inspect.isasyncgen(self.source) and not awaited:
                closing.push_async_callback(self.source.aclose)
            elif inspect.isgenerator(self.source) and not awaited:
                closing.callback(self.source.close)
            for run in runs:
                if not run.ag_running:
                    closing.push_async_callback(run.aclose)

    def __aiter__(self) -> AsyncIterator[In]:
        return aiter(self._run(StreamPipe[Any, Any]()))

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

    def __init__(
        self,
        source: Iterable[In],
        config: StageConfig | None = None,
        *,
        clock: Clock | None = None,
    ) -> None:
        check_source(source, in_loop=False)
        super().__init__(source, config, None, clock)
        # Weak: a run that was left by a `break` ends when nothing else holds it.
        self._runs: weakref.WeakSet[Generator[Any, None, None]] = weakref.WeakSet()

    def through(self, pipe: SyncFamily[In, Out]) -> Generator[Out, None, None]:
        """Run through a sync pipe: the same as `pipe.iterate(source, config=config)`.

        Raises:
            TypeError: when the pipe is async, or the settings need an event loop.
        """
        return self._run(_sync_pipe(pipe), self.config)

    def process(self, pipe: SyncFamily[Any, Out]) -> Generator[Out, None, None]:
        """Run through a sync pipe with every setting of the `StreamConfig` that can work here.

        The pipe gets batches if `batch_size > 1`, else time windows if `window_size > 0`, else
        items; calls are retried and measured, and results that are `None` are dropped.

        Raises:
            TypeError: when the pipe is async, or the settings say something explicitly that
                needs an event loop.
        """
        said = self._stream_config.model_fields_set & {"buffer_size", "backpressure"}
        if said:
            message = (
                f"{' and '.join(sorted(said))} in the config of a SyncStream: reading ahead needs "
                f"an event loop; use AsyncStream"
            )
            raise TypeError(message)
        chain: SyncFamily[Any, Out] = _sync_pipe(chain_of(self._configured(_sync_pipe(pipe))))
        return self._run(chain, monitor=self._monitor)

    def sliding_window(
        self, window_size: int, step_size: int = 1
    ) -> Generator[list[In], None, None]:
        """Give lists of the last `window_size` items after every `step_size` items."""
        return self._run(_sliding(window_size, step_size))

    def tumbling_window(self, n: int) -> Generator[list[In], None, None]:
        """Give lists of `n` items, and of the rest."""
        return self._run(batch(n))

    def time_window(self, duration: timedelta | float) -> Generator[list[In], None, None]:
        """Give lists of what came in each `duration`, a `timedelta` or seconds."""
        return self._run(tumbling(_as_duration("duration", duration)))

    def _run(
        self,
        pipe: SyncFamily[Any, Out],
        config: StageConfig | None = None,
        monitor: MetricsCollector | None = None,
    ) -> Generator[Out, None, None]:
        self._refuse_closed()
        run = pipe.iterate(self.source, config=config, monitor=monitor, clock=self._clock)
        self._runs.add(run)
        return run

    def close(self) -> None:
        """End the runs of this stream, and close its source if that is a generator.

        What a run still holds is discarded. A pipe may call this too: its run then ends as if
        the source had ended.
        """
        self._closed = True
        with ExitStack() as closing:  # one that fails lets the others be closed
            if inspect.isgenerator(self.source):
                closing.callback(self.source.close)
            for run in self._runs:
                if inspect.isgenerator(run) and not run.gi_running:
                    closing.callback(run.close)

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


def _sliding(window_size: int, step_size: int) -> SyncFamily[Any, Any]:
    size = capacity("window_size", window_size)
    operator: SyncFamily[Any, Any] = sliding(size, at_least(1, "step_size", step_size))
    return operator

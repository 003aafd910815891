"""One consumption of one source by one pipeline: how it starts, is iterated and ends."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Generator,
    Iterable,
)
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Self

from rivusio.artifacts.fitting import Starting
from rivusio.artifacts.loader import program_for
from rivusio.compiled.assembly import CompiledLine
from rivusio.engine.buffer import BufferStatistics
from rivusio.engine.cleanup import CleanupReport, chain_closing, note_closing, yield_to_loop
from rivusio.engine.drive import drive
from rivusio.engine.node import Node
from rivusio.engine.run_state import RunState
from rivusio.engine.source import check_source
from rivusio.errors import StreamError
from rivusio.graph.config import DEFAULT_YIELD_EVERY, StreamConfig
from rivusio.graph.settings import StageConfig
from rivusio.interpreter.topology import Topology
from rivusio.items import END, Item
from rivusio.observe.counters import RunCounters
from rivusio.observe.monitoring import MetricsCollector
from rivusio.safe_repr import describe
from rivusio.time.clock import SYSTEM, Clock

if TYPE_CHECKING:
    from typing_extensions import TypeVar
else:
    from typing import TypeVar

Out_co = TypeVar("Out_co", covariant=True)


class Execution:
    """A run's line of nodes together with what observes it."""

    def __init__(
        self,
        starting: Starting,
        source: Iterable[Item] | AsyncIterable[Item],
        config: StageConfig | None,
        monitor: MetricsCollector | None,
        clock: Clock | None,
        *,
        in_loop: bool,
    ) -> None:
        stages, read_ahead = starting.stages, starting.read_ahead
        program = program_for(starting)
        check_source(source, in_loop=in_loop)
        _refuse_other("monitor", monitor, "attach", "a PipelineMonitor")
        _refuse_other("clock", clock, "now", "a Clock")
        clock = SYSTEM if clock is None else clock
        self._monitor = monitor
        self._counters: RunCounters | None = None
        if monitor is not None:
            self._counters = RunCounters([stage.name for stage in stages], clock)
        every = config.yield_every if isinstance(config, StreamConfig) else DEFAULT_YIELD_EVERY
        self.run = RunState(clock, in_loop=in_loop, yield_every=every, counters=self._counters)
        self.line: Topology | CompiledLine
        if program is None:
            self.line = Topology(self.run, stages, source, read_ahead)
        else:
            self.line = CompiledLine(self.run, stages, source, program, read_ahead)
        self.told = " >> ".join(stage.name for stage in stages)
        self.loop: asyncio.AbstractEventLoop | None = None

    def begin(self) -> None:
        """Called before the first item is asked for."""
        if self._monitor is not None and self._counters is not None:
            self._counters.begin()
            self._monitor.attach(self._counters)

    def outputs(self) -> AsyncGenerator[Any, None]:  # the pipeline's Out
        """Give the generator whose items the consumer takes; nothing runs before it is asked."""
        if isinstance(self.line, Topology):
            return _outputs(self, self.line.last)
        return self.line.stream(self.start, self.end)

    def plain_outputs(self) -> Generator[Any, None, None]:  # the pipeline's Out
        """Do the same, without an event loop."""
        if isinstance(self.line, Topology):
            return _plain_outputs(self, self.line.last)
        return self.line.iterate(self.begin, self.end)

    def start(self) -> None:
        """Called in the event loop before the first item is asked for."""
        self.loop = asyncio.get_running_loop()
        self.begin()

    def deliver(self) -> None:
        """Called for each item that the consumer is about to get."""
        if self._counters is not None:
            self._counters.items_out += 1

    async def end(self, leaving: BaseException | None) -> None:
        """Clean everything up; raise what came to light if nothing else is leaving.

        `leaving` is what ends the run: an error, a cancellation, the consumer's leaving, or
        `None` when the source has ended.
        """
        closing = self.run.closing
        self.run.ending = True
        if self.run.in_loop and isinstance(leaving, GeneratorExit):
            try:
                await yield_to_loop()
            except BaseException as error:  # noqa: BLE001  it leaves once all is clean
                closing.failed(error)
        await self.line.last.close(closing)
        if isinstance(leaving, StreamError) and self.run.raised(leaving):
            if closing.leaving is None:
                leaving.pending = closing.take_pending() + leaving.pending
            elif leaving.stage is not None:  # nobody will see this error: a cancellation overtakes
                units = self.run.units_of(leaving)
                closing.hold(leaving.stage, [*units, *leaving.pending])
        closing.discard(self._counters)
        self.run.forget_errors()
        if self._monitor is not None and self._counters is not None:
            self._counters.finish()
            self._monitor.detach(self._counters)
        _raise_what_closing_found(closing, leaving)


def _raise_what_closing_found(closing: CleanupReport, leaving: BaseException | None) -> None:
    if leaving is None or isinstance(leaving, (Exception, GeneratorExit)):
        stronger = closing.leaving
    else:
        stronger = None
    if isinstance(leaving, GeneratorExit):
        leaving = None  # the consumer's leaving is no error that others could be chained to
    if stronger is not None:
        leaving = stronger
    errors: list[Exception] = closing.errors
    if leaving is not None:
        chain_closing(leaving, errors)
        note_closing(leaving, closing.overtaken)
    elif errors:
        note_closing(errors[0], errors[1:])
        raise errors[0]
    if stronger is not None:
        raise stronger


async def _outputs(
    execution: Execution, last: Node
) -> AsyncGenerator[Any, None]:  # the pipeline's Out
    execution.start()
    pull = last.pull
    try:
        while (item := await pull()) is not END:
            execution.deliver()
            yield item
    except BaseException as error:
        await execution.end(error)
        raise
    await execution.end(None)


def _plain_outputs(
    execution: Execution, last: Node
) -> Generator[Any, None, None]:  # the pipeline's Out
    execution.begin()
    pull = last.pull
    try:
        while (item := drive(pull())) is not END:
            execution.deliver()
            yield item
    except BaseException as error:
        drive(execution.end(error))
        raise
    drive(execution.end(None))


class Run(Generic[Out_co]):
    """A run in an event loop: iterate it with `async for`.

    Leave it early with `aclose()` or by using it as `async with`: both return when everything
    that the run had started is cleaned up. `stop()` lets it end as if its source had ended.
    """

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._generator: AsyncGenerator[Out_co, None] = execution.outputs()

    def __aiter__(self) -> AsyncIterator[Out_co]:
        return self._generator  # the native generator: iterating it costs nothing extra

    async def __anext__(self) -> Out_co:
        return await anext(self._generator)

    async def aclose(self) -> None:
        """End the run now and clean up; what it still held is counted as discarded."""
        await self._generator.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self.aclose()
        except Exception as closing:
            if error is None:
                raise
            chain_closing(error, [closing])  # the body's own error is the one that leaves

    def __repr__(self) -> str:
        return f"<Run of {self._execution.told}>"

    def stop(self) -> None:
        """Let the source end now: what is held is flushed, then the run ends.

        May be called from a signal handler and from any thread.
        """
        self._execution.line.source.stop()
        loop = self._execution.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._execution.line.interrupt)

    @property
    def buffers(self) -> tuple[BufferStatistics, ...]:
        """The state of each backpressure buffer, in the order of the stages."""
        return self._execution.line.buffers()


def _refuse_other(field: str, value: object, method: str, wanted: str) -> None:
    """Refuse what has not even the first method that will be called, or is the class of it."""
    if value is None or (hasattr(value, method) and not isinstance(value, type)):
        return
    message = f"{field} must be {wanted}, got {describe(value)}"
    raise TypeError(message)

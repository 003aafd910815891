"""The parts of one compiled run, put together by the generated module's entry function."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Callable,
    Coroutine,
    Generator,
    Iterable,
    Sequence,
)
from typing import Any, TypeVar

from rivusio.artifacts.program import Program
from rivusio.compiled.bound_stages import fix
from rivusio.compiled.buffer_sink import Reader
from rivusio.compiled.loops import Fill, Filling, Inner, PlainInner, Results
from rivusio.compiled.source import Feed
from rivusio.compiled.window_sink import Window
from rivusio.engine.buffer import BufferStatistics
from rivusio.engine.concurrent_node import ConcurrentBoundary
from rivusio.engine.executors import HoldingExecutor, make_executor
from rivusio.engine.factory import make_holder
from rivusio.engine.node import Closable, Node, upstream_of
from rivusio.engine.run_state import RunState
from rivusio.engine.user_stream_node import UserStreamNode
from rivusio.graph.config import BackpressureConfig
from rivusio.graph.operations import Batch, time_matters
from rivusio.graph.stage import Stage
from rivusio.items import Item

Results_ = TypeVar("Results_")  # a generator, of whichever kind
Begin = Callable[[], None]
End = Callable[[BaseException | None], Coroutine[Any, Any, None]]


# Large: a method for each part that a generated module may build its run of.
class CompiledLine:
    """The parts of one run, from the source to the consumer.

    Args:
        run: the run.
        stages: the stages of the chain.
        items: the user's iterable.
        program: the generated module.
        read_ahead: the buffer of the run as a whole, before the first stage.
    """

    def __init__(
        self,
        run: RunState,
        stages: Sequence[Stage],
        items: Iterable[Item] | AsyncIterable[Item],
        program: Program,
        read_ahead: BackpressureConfig | None = None,
    ) -> None:
        lines = frozenset(line for line, place in program.places.items() if place.does == "source")
        self._run = run
        self._stages = tuple(stages)
        self._fixed = fix(run, stages, program.shapes[-len(stages) :])
        self._items = items
        self._program = program
        self._read_ahead = read_ahead
        self._buffers: list[Reader] = []
        self.source = Feed(run, items, lines)
        self.last: Closable = self.source

    def stream(self, begin: Begin, end: End) -> AsyncGenerator[Item, None]:
        """Give the generator of the results; nothing runs before it is asked."""
        self._begin, self._end = begin, end
        is_async = isinstance(self._items, AsyncIterable)
        results: AsyncGenerator[Item, None] = self._entry(
            "stream_async" if is_async else "stream_plain"
        )
        return results

    def iterate(self, begin: Begin, end: End) -> Generator[Item, None, None]:
        """Do the same, without an event loop."""
        self._begin, self._end = begin, end
        results: Generator[Item, None, None] = self._entry("iterate")
        return results

    def _entry(self, name: str) -> Any:  # a generator, of whichever kind the name says
        kind = name if self._run.counters is None else f"{name}_monitored"
        return self._program.namespace[kind](self)

    # What the generated module builds its line with

    def inner(self, function: Callable[[Inner, Any], Any], of: Node) -> Node:
        """Give a part whose results another part takes."""
        part = Inner(self._run, self._fixed, self._program, function.__name__, of)
        part.generator = function(part, of)
        if of is self.source:
            self.source.runs_in(part.generator)
        return part

    def plain_inner(self, function: Callable[[PlainInner, Any], Any], of: Closable) -> Closable:
        """Do the same, without an event loop."""
        part = PlainInner(self._run, self._fixed, self._program, function.__name__, of)
        part.generator = function(part, of)
        return part

    def results(self, function: Callable[[Results, Any], Results_], of: Closable) -> Results_:
        """Give the generator whose results the consumer takes."""
        part = Results(self._run, self._fixed, self._program, function.__name__, of)
        part.begin, part._end = self._begin, self._end
        self.last = part
        generator = function(part, of)
        if of is self.source:
            self.source.runs_in(generator)
        return generator

    def window(self, stage: int, fill: Fill, of: Node) -> Window:
        """Give the batch or window of a stage that a timer may close, filled by a loop."""
        operation = self._stages[stage].operation
        assert time_matters(operation)  # noqa: S101  the shapes have been compared
        step = HoldingExecutor(self._run, stage, self._stages[stage], None)
        room = operation.size - 1 if isinstance(operation, Batch) else 0
        return Window(self._run, step, make_holder(operation), room, self._filling(fill, of), fill)

    def buffer(self, stage: int, fill: Fill, of: Node) -> Reader:
        """Give the buffer before a stage, filled by a loop."""
        config = self._stages[stage].settings.backpressure
        assert config is not None  # noqa: S101  the shapes have been compared
        return self._reader(stage, config, fill, of)

    def read_ahead(self, fill: Fill, of: Node) -> Reader:
        """Give the buffer of the run as a whole, filled by a loop."""
        assert self._read_ahead is not None  # noqa: S101  the shapes have been compared
        return self._reader(0, self._read_ahead, fill, of)

    def _reader(self, stage: int, config: BackpressureConfig, fill: Fill, of: Node) -> Reader:
        name = self._fixed[stage].name
        reader = Reader(self._run, stage, name, config, self._filling(fill, of), fill)
        self._buffers.append(reader)
        return reader

    def _filling(self, fill: Fill, of: Node) -> Filling:
        return Filling(self._run, self._fixed, self._program, fill.__name__, of)

    def concurrent(self, stage: int, of: Node) -> Node:
        """Give a stage that has several items in hand."""
        concurrency = self._stages[stage].concurrency
        assert concurrency is not None  # noqa: S101  the shapes have been compared
        step = make_executor(self._run, stage, self._stages[stage])
        return ConcurrentBoundary(self._run, step, concurrency, of)

    def user_stream(self, stage: int, of: Node) -> Node:
        """Give a stage whose `process_stream` the user wrote."""
        return UserStreamNode(self._run, stage, self._stages[stage], of)

    # What a run asks of its line

    def interrupt(self) -> None:
        """Called in the event loop when the source is to end now."""
        for node in (self.last, *upstream_of(self.last)):
            node.interrupt()

    def buffers(self) -> tuple[BufferStatistics, ...]:
        """Look at every buffer, in the order of the stages."""
        return tuple(each.statistics() for each in self._buffers)

"""The parts of an interpreted run, put together."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Sequence

from rivusio.engine.buffer import BufferStatistics
from rivusio.engine.buffer_node import BufferedBoundary
from rivusio.engine.concurrent_node import ConcurrentBoundary
from rivusio.engine.executors import HoldingExecutor, make_executor
from rivusio.engine.factory import make_holder
from rivusio.engine.node import Node, upstream_of
from rivusio.engine.run_state import RunState
from rivusio.engine.source import Source
from rivusio.engine.stage_executor import StageExecutor
from rivusio.engine.user_stream_node import UserStreamNode
from rivusio.engine.window_node import TimedBoundary
from rivusio.graph.config import BackpressureConfig
from rivusio.graph.operations import UserStream, time_matters
from rivusio.graph.stage import Stage
from rivusio.interpreter.fused_segment import FusedSegment
from rivusio.items import Item


class Topology:
    """The nodes of one run, from the source to the last stage."""

    def __init__(
        self,
        run: RunState,
        stages: Sequence[Stage],
        items: Iterable[Item] | AsyncIterable[Item],
        read_ahead: BackpressureConfig | None = None,
    ) -> None:
        self.source = Source(run, items)
        self._run = run
        self._buffers: list[BufferedBoundary] = []
        self._steps: list[StageExecutor] = []
        self._last: Node = self.source
        if read_ahead is not None:
            self._buffer(0, stages[0], read_ahead)
        for index, stage in enumerate(stages):
            self._append(index, stage)
        self._cut()
        self.last = self._last

    def _append(self, index: int, stage: Stage) -> None:
        run = self._run
        operation = stage.operation
        backpressure = stage.settings.backpressure
        if backpressure is not None:
            self._buffer(index, stage, backpressure)
        if isinstance(operation, UserStream):
            self._last = UserStreamNode(run, index, stage, self._cut())
        elif stage.concurrency is not None:
            step = make_executor(run, index, stage)
            self._last = ConcurrentBoundary(run, step, stage.concurrency, self._cut())
        elif run.in_loop and time_matters(operation):
            closed = HoldingExecutor(run, index, stage, None)
            self._last = TimedBoundary(run, closed, make_holder(operation), self._cut())
            self._steps.append(closed)
        else:
            self._steps.append(make_executor(run, index, stage))

    def _buffer(self, index: int, stage: Stage, config: BackpressureConfig) -> None:
        buffered = BufferedBoundary(self._run, index, stage.name, config, self._cut())
        self._buffers.append(buffered)
        self._last = buffered

    def _cut(self) -> Node:
        """End the current segment and give the last node."""
        if self._steps:
            self._last = FusedSegment(self._run, self._steps, self._last)
            self._steps = []
        return self._last

    def interrupt(self) -> None:
        """Called in the event loop when the source is to end now."""
        for node in (self.last, *upstream_of(self.last)):
            node.interrupt()

    def buffers(self) -> tuple[BufferStatistics, ...]:
        """Look at every buffer, in the order of the stages."""
        return tuple(each.statistics() for each in self._buffers)

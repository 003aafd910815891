"""Which step does what a stage's operation says."""

from __future__ import annotations

from typing import assert_never, overload

from rivusio.engine.executors import FilterExecutor, HoldingExecutor, TakeExecutor
from rivusio.engine.flat_map import FlatMapExecutor
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.graph.operations import (
    Batch,
    DropNone,
    Filter,
    FlatMap,
    Map,
    SlidingWindow,
    Take,
    TumblingWindow,
)
from rivusio.graph.stage import Stage
from rivusio.time.windows import BatchHolder, Holder, SlidingHolder, TumblingHolder


def make_executor(run: RunState, index: int, stage: Stage) -> StageExecutor:
    """Give the step of a stage that is entered item by item."""
    operation = stage.operation
    match operation:
        case Map() | DropNone():
            return StageExecutor(run, index, stage)
        case Filter():
            return FilterExecutor(run, index, stage)
        case FlatMap():
            return FlatMapExecutor(run, index, stage)
        case Take(count):
            return TakeExecutor(run, index, stage, count)
        case Batch() | TumblingWindow() | SlidingWindow():
            return HoldingExecutor(run, index, stage, make_holder(operation))
        case _:
            message = f"{operation} is no step"  # a user stream is a node of its own
            raise AssertionError(message)


@overload
def make_holder(operation: Batch | TumblingWindow) -> BatchHolder | TumblingHolder: ...
@overload
def make_holder(operation: Batch | TumblingWindow | SlidingWindow) -> Holder: ...
def make_holder(operation: Batch | TumblingWindow | SlidingWindow) -> Holder:
    """Give an empty holder for a run of the operation."""
    match operation:
        case Batch(size, linger):
            return BatchHolder(size, linger)
        case TumblingWindow(size):
            return TumblingHolder(size)
        case SlidingWindow(size, step):
            return SlidingHolder(size, step)
        case _:
            assert_never(operation)

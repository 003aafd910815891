"""The executors of stages that do more with an item than call a function with it."""

from __future__ import annotations

from rivusio.engine.factory import make_holder
from rivusio.engine.flat_map import FlatMapExecutor
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.graph.operations import (
    Batch,
    DropNone,
    Filter,
    FlatMap,
    Map,
    Skip,
    SlidingWindow,
    Take,
    TakeWhile,
    TumblingWindow,
    time_matters,
)
from rivusio.graph.stage import Stage
from rivusio.items import NOTHING, Item
from rivusio.time.windows import Holder, SlidingHolder


class FilterExecutor(StageExecutor):
    """Passes the item itself on, or nothing."""

    async def _enter(self, data: Item) -> Item:
        return bool(await super()._enter(data))  # whose truth may fail, as an array's does

    def _handled(self, data: Item, result: Item) -> Item:  # noqa: ARG002  see StageExecutor
        return bool(result)

    def emit(self, data: Item, result: Item) -> Item:
        """Give the item if `keep` said so."""
        if result:
            return super().emit(data, data)
        if self.counters is not None:
            self.counters.filtered += 1
        return NOTHING


class TakeExecutor(StageExecutor):
    """Passes `remaining` items on; then the segment ends here."""

    def __init__(self, run: RunState, index: int, stage: Stage, count: int) -> None:
        super().__init__(run, index, stage)
        self.remaining = count

    @property
    def is_done(self) -> bool:  # type: ignore[override]  # it changes here, and is read only
        """Whether it has passed on all that it may."""
        return self.remaining == 0

    def accept(self, item: Item) -> Item:
        """Count the item."""
        self.remaining -= 1
        return super().accept(item)


class TakeWhileExecutor(FilterExecutor):
    """Passes items on until one is refused; then the segment ends here."""

    def emit(self, data: Item, result: Item) -> Item:
        """Give the item if it is not refused."""
        self.is_done = not result
        return super().emit(data, result)


class SkipExecutor(StageExecutor):
    """Passes items on when it has left `remaining` of them out."""

    def __init__(self, run: RunState, index: int, stage: Stage, count: int) -> None:
        super().__init__(run, index, stage)
        self._remaining = count

    def accept(self, item: Item) -> Item:
        """Leave the item out, if it is one of the first."""
        data = super().accept(item)
        if not self._remaining:
            return data
        self._remaining -= 1
        if self.counters is not None:
            self.counters.filtered += 1
        return NOTHING


class HoldingExecutor(StageExecutor):
    """Keeps items until a batch or a window is closed, and then calls with the list.

    Without a holder it takes lists that were closed elsewhere: where a timer must be able to
    close them, a node of its own holds the items.
    """

    def __init__(self, run: RunState, index: int, stage: Stage, holder: Holder | None) -> None:
        super().__init__(run, index, stage)
        self.holder = holder
        self._looks_at_the_time = time_matters(stage.operation)

    def accept(self, item: Item) -> Item:
        """Keep the item; give the list that it closes."""
        if self.holder is None:
            return item
        if self.counters is not None:
            self.counters.items_in += 1
        now = self._run.clock.now() if self._looks_at_the_time else 0.0
        closed = self.holder.add(item, now)
        if self.counters is not None and isinstance(self.holder, SlidingHolder):
            self.counters.filtered += self.holder.take_passed_over()
        return NOTHING if closed is None else closed

    def flush(self) -> Item:
        """Give the list that the end of the source closes, or `NOTHING`."""
        return (self.holder and self.holder.close()) or NOTHING

    def fresh(self, data: Item) -> Item:
        """Give a list that nobody else has."""
        return list(data)

    def units(self, data: Item) -> list[Item]:
        """Give the items of the list."""
        return list(data)


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
        case TakeWhile():
            return TakeWhileExecutor(run, index, stage)
        case Skip(count):
            return SkipExecutor(run, index, stage, count)
        case Batch() | TumblingWindow() | SlidingWindow():
            return HoldingExecutor(run, index, stage, make_holder(operation))
        case _:
            message = f"{operation} is no step"  # a user stream is a node of its own
            raise AssertionError(message)

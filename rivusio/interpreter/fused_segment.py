"""Consecutive stages that run item by item, in one task, with nothing between them."""

from __future__ import annotations

from collections.abc import Sequence

from rivusio.engine.calls import as_escaped
from rivusio.engine.cleanup import CleanupReport
from rivusio.engine.executors import HoldingExecutor
from rivusio.engine.flat_map import FlatMapCursor
from rivusio.engine.node import Node, upstream_of
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.errors import StreamError
from rivusio.items import END, NOTHING, Item


class FusedSegment(Node):
    """Takes one item through its steps before it asks for the next.

    Outputs of flat-maps lie on a stack, the one furthest downstream on top: they are taken before
    anything else moves. When the source has ended, the holders are flushed from the left.
    """

    def __init__(self, run: RunState, steps: Sequence[StageExecutor], upstream: Node) -> None:
        self._run = run
        self._steps = steps
        self.upstream: Node = upstream
        self._halted = False
        self._open: list[FlatMapCursor] = []
        self._in_flight: tuple[StageExecutor, Item] | None = None
        self._ended_before = -1  # steps before this position get no more items; -1: all do
        self._flush = 0  # the next position to flush, once something has ended
        for position, step in enumerate(steps):
            if step.is_done:
                self._end_before(position + 1)

    async def pull(self) -> Item:
        """Give the next item that comes out of the last step."""
        while not self._halted:
            if self._open and self._open[-1].position >= self._ended_before:
                item, position = await self._next_output()
            elif self._ended_before >= 0:
                if self._flush == len(self._steps):
                    return END
                item, position = await self._next_flushed()
            else:
                item, position = await self.upstream.pull(), 0
                if item is END:
                    self._end_before(0)
                    continue
                self.item_index = self.upstream.item_index
            if item is not NOTHING:
                item = await self._advance(item, position)
                if item is not NOTHING:
                    return item
        return END

    async def _advance(self, item: Item, position: int) -> Item:
        """Take an item through the steps from `position` on, as far as it gets."""
        for step in self._steps[position:] if position else self._steps:
            position += 1
            counters = step.counters
            if not step.is_bare or (counters is not None and counters.samples_next_call):
                if (data := step.accept(item)) is NOTHING:
                    return NOTHING
                item = await self._perform(data, position - 1)
                if step.is_done:
                    self._take_is_done(position)
                if item is NOTHING:
                    return NOTHING
                continue
            # What `accept` and `perform` do, where nothing but the call itself matters.
            if counters is not None:
                counters.items_in += 1
                counters.calls += 1
            try:
                result = step.function(item)
                if hasattr(type(result), "__await__"):
                    result = await step.awaited(result)
                if step.is_filter:
                    result = item if result else NOTHING
            except Exception as error:  # noqa: BLE001  whatever the user's code raises
                await step.resolve(as_escaped(error), item, self.item_index)
            except BaseException:
                self._in_flight = step, item
                raise
            if result is NOTHING:
                if counters is not None:
                    counters.filtered += 1
                return NOTHING
            item = result
            if counters is not None:
                counters.items_out += 1
        return item

    async def _perform(self, data: Item, position: int) -> Item:
        step = self._steps[position]
        self._in_flight = step, data
        try:
            result = await step.perform(data, self.item_index)
        except StreamError:
            self._in_flight = None  # the error carries it
            raise
        self._in_flight = None
        if isinstance(result, FlatMapCursor):
            result.position = position
            self._open.append(result)
            return NOTHING
        return result

    async def _next_output(self) -> tuple[Item, int]:
        """Give the next output of the innermost flat-map, and where it goes on."""
        expansion = self._open[-1]
        step = self._steps[expansion.position]
        try:
            output = await expansion.next()
        except Exception as error:
            self._open.pop()
            if step.counters is not None:
                step.counters.errors += 1
            data = expansion.data
            raise self._run.failure(step.name, step.index, data, error, self.item_index) from error
        if output is END:
            self._open.pop()
            return NOTHING, 0
        return output, expansion.position + 1

    async def _next_flushed(self) -> tuple[Item, int]:
        """Flush the next step, and give what comes of it and where that goes on."""
        position = self._flush
        self._flush += 1
        self.item_index = None
        step = self._steps[position]
        data = step.flush() if isinstance(step, HoldingExecutor) else NOTHING
        if data is NOTHING:
            return NOTHING, 0
        return await self._perform(data, position), position + 1

    def _take_is_done(self, position: int) -> None:
        """End what stands before `position`, upstream of this segment too."""
        self._end_before(position)
        for node in upstream_of(self):
            node.halt()

    def _end_before(self, position: int) -> None:
        """Note that the steps before `position` get no more items."""
        self._ended_before = max(self._ended_before, position)
        self._flush = max(self._flush, position)

    def halt(self) -> None:
        """Ask for nothing more, and flush nothing."""
        self._halted = True

    async def close(self, closing: CleanupReport) -> None:
        """Hand over what is held, close the user's generators, then what is upstream."""
        if self._in_flight is not None:
            step, data = self._in_flight
            closing.hold(step.index, step.units(data))
            self._in_flight = None
        while self._open:
            await self._close_expansion(self._open.pop(), closing)
        for step in self._steps:
            if isinstance(step, HoldingExecutor) and step.holder is not None:
                closing.hold(step.index, step.holder.held())
        await self.upstream.close(closing)

    async def _close_expansion(self, expansion: FlatMapCursor, closing: CleanupReport) -> None:
        step = self._steps[expansion.position]
        try:
            closing.hold_outputs(step.index, expansion.rest())
            await expansion.close()
        except Exception as error:  # noqa: BLE001  whatever a user's finally block raises
            failure = self._run.failure(step.name, step.index, expansion.data, error, None)
            closing.failed(failure)
        except BaseException as error:  # noqa: BLE001  it leaves the run once all is clean
            closing.failed(error)

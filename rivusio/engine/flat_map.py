"""A stage that gives any number of outputs for an item, one by one."""

from __future__ import annotations

import inspect
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator

from rivusio.engine.calls import enter_plain, is_awaitable, iterable, refuse_awaitable
from rivusio.engine.cleanup import close_generator
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.graph.stage import Stage
from rivusio.items import END, Item

# What these hold exists already, so what is left of it can be handed over as pending items. A
# generator's outputs do not exist until they are asked for.
COLLECTIONS = (list, tuple, set, frozenset, deque, dict, str, bytes)


class FlatMapExecutor(StageExecutor):
    """Passes on the outputs of its call one by one, lazily where nothing forbids it."""

    def __init__(self, run: RunState, index: int, stage: Stage) -> None:
        super().__init__(run, index, stage)
        self._collects = self._is_treated  # a failure must be known before the first output

    async def _enter(self, data: Item) -> Item:
        result = enter_plain(self.function, data)
        if self.entry == "call":
            refuse_awaitable(result, self.name)
        elif is_awaitable(result):
            result = await result
        if isinstance(result, AsyncIterable) and self.entry != "call":
            if self._collects:
                result = [each async for each in result]
            else:
                return FlatMapCursor(self, data, more=aiter(result))
        return self._expansion(data, result)

    def _expansion(self, data: Item, result: Item) -> FlatMapCursor:
        outputs = iterable(result, self.name)
        if self._collects:
            result = list(outputs)
            outputs = iter(result)
        return FlatMapCursor(self, data, outputs, is_collection=isinstance(result, COLLECTIONS))

    def _handled(self, data: Item, result: Item) -> Item:
        return self._expansion(data, result)

    def emit(self, data: Item, result: Item) -> Item:  # noqa: ARG002  the outputs say it all
        """Give the outputs, none of them taken yet."""
        return result


class FlatMapCursor:
    """The outputs of a flat-map for one item, on their way.

    Args:
        step: the flat-map.
        data: the item that they came from.
        outputs: the outputs.
        more: further outputs that must be awaited.
        is_collection: whether the outputs exist already.
    """

    def __init__(
        self,
        step: FlatMapExecutor,
        data: Item,
        outputs: Iterator[Item] | None = None,
        *,
        more: AsyncIterator[Item] | None = None,
        is_collection: bool = False,
    ) -> None:
        self._step = step
        self.data = data
        self.position = 0  # of the step in its segment
        self._is_collection = is_collection
        self._outputs = outputs
        self._more = more

    async def next(self) -> Item:
        """Give the next output, or `END`."""
        step = self._step
        while True:
            if self._outputs is not None:
                output = next(self._outputs, END)
            else:
                assert self._more is not None  # noqa: S101  there is one or the other
                output = await anext(self._more, END)
            if output is None and step.settings.skip_none:
                continue
            if output is not END and step.counters is not None:
                step.counters.items_out += 1
            return output

    def rest(self) -> list[Item]:
        """Take the outputs that exist and were not given."""
        return list(self._outputs) if self._is_collection and self._outputs is not None else []

    async def close(self) -> None:
        """Close the user's generator, if it is one."""
        if inspect.isasyncgen(self._more):
            await close_generator(self._more)
        elif inspect.isgenerator(self._outputs):
            self._outputs.close()

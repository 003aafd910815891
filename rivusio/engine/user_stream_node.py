"""A stage whose `process_stream` the user wrote: a stream to a stream."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator
from typing import Self

from rivusio.engine.calls import enter_plain
from rivusio.engine.cleanup import CleanupReport, close_generator
from rivusio.engine.node import Node
from rivusio.engine.run_state import RunState
from rivusio.errors import StreamError
from rivusio.graph.operations import UserStream
from rivusio.graph.stage import Stage
from rivusio.items import END, Item
from rivusio.safe_repr import type_name


class UserStreamNode(Node):
    """Asks the user's stream for items; that asks for the upstream's in its own time."""

    def __init__(self, run: RunState, index: int, stage: Stage, upstream: Node) -> None:
        operation = stage.operation
        assert isinstance(operation, UserStream)  # noqa: S101  the builder has looked
        self._run = run
        self._index = index
        self.name = stage.name
        self._skip_none = stage.settings.skip_none
        self._call = operation.call
        self._counters = run.stage_counters(index)
        self.upstream: Node = upstream
        self._input = _Input(run, upstream, self)
        self._outputs: AsyncIterator[Item] | None = None
        self._over = False

    async def pull(self) -> Item:
        """Give the next item of the user's stream; whose it was is not known."""
        if self._over:
            return END
        try:
            if self._outputs is None:
                self._outputs = self._opened()
            output = await anext(self._outputs, END)
            while output is None and self._skip_none:
                output = await anext(self._outputs, END)
        except Exception as error:
            self._over = True
            if self._run.raised(error):
                raise
            raise self._failure(error) from error
        if output is END:
            self._over = True
        elif self._counters is not None:
            self._counters.items_out += 1
        return output

    def _failure(self, error: BaseException) -> StreamError:
        if self._counters is not None:
            self._counters.errors += 1
        failure = self._run.failure(self.name, self._index, self._input.last, error, None)
        failure.pending, self._input.moved = self._input.moved, ()
        return failure

    def _opened(self) -> AsyncIterator[Item]:
        outputs = enter_plain(self._call, self._input)
        if isinstance(outputs, AsyncIterator):
            return outputs
        if inspect.iscoroutine(outputs):
            outputs.close()  # it will never be awaited, and need not complain
        message = (
            f"{self.name}.process_stream must be an async generator (async def with yield), "
            f"but gave a {type_name(outputs)}"
        )
        raise TypeError(message)

    def count_input(self) -> None:
        """Count an item that the user's stream has taken."""
        if self._counters is not None:
            self._counters.items_in += 1

    async def close(self, closing: CleanupReport) -> None:
        """Close the user's generator, then what is upstream of it."""
        self._over = self._input.over = True
        outputs, self._outputs = self._outputs, None
        try:
            if inspect.isasyncgen(outputs):
                await close_generator(outputs)
        except Exception as error:  # noqa: BLE001  whatever a user's finally block raises
            closing.failed(error if self._run.raised(error) else self._failure(error))
        except BaseException as error:  # noqa: BLE001  it leaves the run once all is clean
            closing.failed(error)
        await self._input.close(closing)


class _Input:
    """What a user's `process_stream` iterates."""

    def __init__(self, run: RunState, upstream: Node, node: UserStreamNode) -> None:
        self._run = run
        self._upstream = upstream
        self._node = node
        self._asked = False
        self.over = False
        self._closed = False
        self.last: Item = None  # the item that the user's stream took last
        self.moved: tuple[Item, ...] = ()  # what an upstream error has brought to the user

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        if self._asked:
            message = f"the stream of {self._node.name} is already being asked for an item"
            raise RuntimeError(message)
        self._asked = True
        try:
            item = END if self.over else await self._upstream.pull()
        except StreamError as error:
            self.over = True
            await self._hand_over_to(error)
            raise
        except BaseException:
            self.over = True  # as with any generator that an exception has gone through
            raise
        finally:
            self._asked = False
        if item is END:
            raise StopAsyncIteration
        self.last = item
        self._node.count_input()
        return item

    async def _hand_over_to(self, error: StreamError) -> None:
        """Give an upstream error all that was upstream of the user's stream.

        Whoever catches it has it; there is no more to come.
        """
        upstream = CleanupReport()
        self._node.cleaning = True
        await self.close(upstream)
        self._node.cleaning = False
        error.pending = upstream.take_pending() + error.pending
        self.moved = error.pending
        leaving, upstream.leaving = upstream.leaving, None
        self._run.closing.absorb(upstream)
        if leaving is not None:
            raise leaving from error

    async def close(self, closing: CleanupReport) -> None:
        if not self._closed:
            self._closed = True
            await self._upstream.close(closing)

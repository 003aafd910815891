"""A stage in a run: how it takes an item, how its call is made, and what comes of it.

    item ── accept ──▶ the call's input ── perform ──▶ an item, an FlatMapCursor or NOTHING
                └─▶ NOTHING: the stage keeps the item for a batch or window

`perform` is where retry, `handle_error` and `on_error` apply, in this order.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable

from rivusio.engine.calls import (
    as_escaped,
    enter_plain,
    is_awaitable,
    refuse,
    refuse_awaitable,
)
from rivusio.engine.run_state import RunState
from rivusio.errors import DeadLetter, StreamError
from rivusio.graph.callables import is_async_callable
from rivusio.graph.operations import (
    DropNone,
    Entry,
    Filter,
    Map,
    Operation,
    UserStream,
)
from rivusio.graph.settings import Settings
from rivusio.graph.stage import Stage
from rivusio.items import NOTHING, Item
from rivusio.time.clock import Deadline


# Large: the order of tries, handler and policy is one rule (6.8), and subclasses change its steps.
class StageExecutor:
    """One stage of one run, and the call it makes for an item."""

    is_done = False  # whether it wants no further item: then what stands before it has ended

    def __init__(self, run: RunState, index: int, stage: Stage) -> None:
        self._run = run
        self.index = index
        self.name = stage.name
        self.settings = stage.settings
        if not stage.has_single_call:  # there is nothing that could fail or take its time
            drops_none = isinstance(stage.operation, DropNone) or self.settings.skip_none
            self.settings = Settings(skip_none=drops_none)
        self.counters = run.stage_counters(index)
        self._handler = stage.handler
        self.function, self.entry = _call_of(stage.operation)
        settings = self.settings
        self._is_treated = self._handler is not None or settings.treat_failures
        self.is_filter = isinstance(stage.operation, Filter)
        # Nothing but the call itself matters, so a segment may make it without ceremony.
        self.is_bare = (
            isinstance(stage.operation, Map | Filter)
            and not self._is_treated
            and not settings.skip_none
            and self.entry != "pass"
        )

    def enter_in(self, in_thread: Callable[..., Awaitable[Item]]) -> None:
        """Let `in_thread(function, data)` make the calls of this sync stage."""
        function, name = self.function, self.name

        async def enter_in_thread(data: Item) -> Item:
            result = await in_thread(enter_plain, function, data)
            refuse_awaitable(result, name)
            return result

        self.function, self.entry = enter_in_thread, "await"

    def accept(self, item: Item) -> Item:
        """Take an item; give the input of the call, or `NOTHING` to keep the item for now."""
        if self.counters is not None:
            self.counters.items_in += 1
        return item

    async def perform(self, data: Item, item_index: int | None) -> Item:
        """Make the call, with all that is to happen if it fails.

        Raises:
            StreamError: when the failure was neither handled nor to be skipped.
        """
        try:
            result = await self.attempt(data)
        except Exception as error:  # noqa: BLE001  whatever the user's code raises
            return await self.resolve(error, data, item_index)
        return self.emit(data, result)

    async def attempt(self, data: Item) -> Item:
        """Make the call, timed if it is to be: retry first, then `handle_error`."""
        counters = self.counters
        sampled = False
        if counters is not None:
            sampled = counters.samples_next_call
            counters.calls += 1
        if counters is None or not sampled:
            return await (self._try(data) if self._is_treated else self._enter(data))
        started = self._run.clock.now()
        try:
            return await self._try(data)
        finally:
            counters.timed(started, self._run.clock.now())

    async def recover(
        self,
        error: Exception,
        data: Item,
        item_index: int | None,
        started: float | None = None,
    ) -> Item:
        """Go on where compiled code has made the first try of a call, and `error` came of it.

        `started` is when it was made, if the call is to be timed. Gives the result, or `NOTHING`
        if the input was skipped or set aside.

        Raises:
            StreamError: when the failure was neither handled nor to be skipped.
        """
        try:
            try:
                return await self._try(data, self._escaped(error))
            finally:
                if started is not None and self.counters is not None:
                    self.counters.timed(started, self._run.clock.now())
        except Exception as last:  # noqa: BLE001  whatever the user's code raises
            return await self.resolve(last, data, item_index)

    async def retry(self, error: Exception, data: Item) -> Item:
        """Do the same for a single item: what is not retried or handled leaves as it is."""
        return await self._try(data, self._escaped(error))

    def _escaped(self, error: Exception) -> Exception:
        is_coroutine = inspect.iscoroutinefunction(self.function)
        return as_escaped(error, "coroutine" if is_coroutine else "generator")

    async def _try(self, data: Item, failed: Exception | None = None) -> Item:
        """Try until it goes well or there are no more tries; `failed` is what the first came to."""
        retry = self.settings.retry
        failures = 0
        while True:
            try:
                if failed is not None:
                    first, failed = failed, None
                    raise first
                return await self._once(data)
            except Exception as error:
                failures += 1
                if retry is None or failures >= retry.attempts or self._run.ending:
                    if self._handler is None:
                        raise
                    result = self._handled(data, await self._handle(error, self.fresh(data)))
                    if self.counters is not None:
                        self.counters.errors += 1
                    return result
            if self.counters is not None:
                self.counters.retries += 1
            await self._run.pause(retry.pause(failures))

    async def _once(self, data: Item) -> Item:
        if self.settings.timeout is None:
            return await self._enter(data)
        async with Deadline(self._run.clock, self.settings.timeout):
            return await self._enter(data)

    async def _enter(self, data: Item) -> Item:
        if self.entry == "pass":
            return data
        result = enter_plain(self.function, self.fresh(data))
        return await self.awaited(result) if is_awaitable(result) else result

    def awaited(self, result: Awaitable[Item]) -> Awaitable[Item]:
        """Give what the call has given to be awaited, if the stage may wait."""
        if self.entry == "call":
            refuse(result, self.name)
        return result

    async def _handle(self, error: Exception, data: Item) -> Item:
        assert self._handler is not None  # noqa: S101  the caller has asked
        result = enter_plain(self._handler, error, data)
        if is_async_callable(self._handler) or (self.entry != "call" and is_awaitable(result)):
            return await result
        refuse_awaitable(result, f"{self.name}.handle_error")
        return result

    def _handled(self, data: Item, result: Item) -> Item:  # noqa: ARG002  a flat-map needs it
        return result

    def fresh(self, data: Item) -> Item:
        """Give the input as a retry, a handler or a dead letter may have it."""
        return data

    def units(self, data: Item) -> list[Item]:
        """Give the items that one input of the call stands for."""
        return [data]

    async def resolve(self, error: Exception, data: Item, item_index: int | None) -> Item:
        """Count a failed input, and do with it what `on_error` says."""
        on_error = self.settings.on_error
        counters = self.counters
        if counters is not None:
            counters.errors += 1
        if on_error == "raise":
            raise self._failure(data, error, item_index) from error
        if on_error == "skip":
            if counters is not None:
                counters.skipped += len(self.units(data))
            return NOTHING
        letter = DeadLetter(self.fresh(data), self.name, self.index, error, item_index)
        try:
            answer = enter_plain(on_error, letter)
            if is_awaitable(answer):
                if not self._run.in_loop:
                    refuse(answer, "the dead-letter callable")
                await answer
        except Exception as failure:
            if failure.__context__ is None and failure is not error:
                failure.__context__ = error
            raise self._failure(data, failure, item_index) from failure
        if counters is not None:
            counters.dead_letters += len(self.units(data))
        return NOTHING

    def _failure(self, data: Item, error: Exception, item_index: int | None) -> StreamError:
        units = self.units(data)
        return self._run.failure(self.name, self.index, data, error, item_index, units)

    def emit(self, data: Item, result: Item) -> Item:
        """Give what the stage passes on."""
        counters = self.counters
        if self.settings.skip_none and result is None:
            if counters is not None:
                counters.filtered += len(self.units(data))
            return NOTHING
        if counters is not None:
            counters.items_out += 1
        return result


def _same(item: Item) -> Item:
    return item


def _call_of(operation: Operation) -> tuple[Callable[[Item], Item], Entry]:
    if operation.call is None:
        return _same, "pass"
    if isinstance(operation, UserStream):
        message = f"{operation} has no call of its own"
        raise AssertionError(message)
    return operation.call, operation.entry

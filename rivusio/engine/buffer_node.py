"""A bounded buffer before a stage: a reader task fills it ahead of the consumer."""

from __future__ import annotations

import asyncio
import types
from collections.abc import Coroutine, Generator
from functools import partial
from typing import Any

from rivusio.engine.async_boundary import Boundary
from rivusio.engine.buffer import BoundedBuffer, BufferStatistics
from rivusio.engine.cleanup import CleanupReport
from rivusio.engine.node import Node
from rivusio.engine.run_state import RunState
from rivusio.errors import BufferOverflowError
from rivusio.graph.config import BackpressureConfig
from rivusio.items import END, Item

BURST = 64  # items that a source which does wait may give at once


class BufferedBoundary(Boundary):
    """Reads ahead into the buffer as fast as it may, and gives items as they are asked for."""

    def __init__(
        self, run: RunState, index: int, name: str, config: BackpressureConfig, upstream: Node
    ) -> None:
        super().__init__(run, upstream)
        self._index = index
        self._name = name
        self._interval = config.min_processing_time
        self._buffer = BoundedBuffer(config)
        self._counters = run.stage_counters(index)
        self._last_read = -float("inf")
        self._stopped = False
        self._without_waiting = BURST  # items since the source has waited; at first, none did

    async def pull(self) -> Item:
        """Give the oldest buffered item; an error only after the items read before it."""
        self._start()
        while True:
            failure = self._failure
            overflowed = failure is not None and self._is_overflow(failure)
            if self._buffer and not overflowed:
                self.item_index, item = self._buffer.take()
                self.wanted.set()
                return item
            if self._over:
                self._failure = None
                if failure is not None:
                    raise failure
                return END
            await self.changed.wait()

    def _is_overflow(self, failure: BaseException) -> bool:
        return isinstance(failure.__cause__, BufferOverflowError) and self._run.raised(failure)

    async def _produce(self) -> None:
        await self._until_reading_is_due()
        while not (self._closing or self._halted):
            item, waited = await _noticing(self.upstream.pull())
            if item is END:
                return
            self._last_read = self._run.clock.now()
            self._put(self.upstream.item_index, item)
            self.changed.set()
            self._without_waiting = 0 if waited else self._without_waiting + 1
            if self._without_waiting > BURST or (not waited and self._buffer.throttles):
                await asyncio.sleep(0)
            if not self._closing:  # else the upstream has swallowed the cancellation
                await self._until_reading_is_due()

    def _put(self, item_index: int | None, item: Item) -> None:
        try:
            dropped = self._buffer.put(item_index, item)
        except BufferOverflowError as error:
            failure = self._run.failure(self._name, self._index, item, error, item_index)
            raise failure from error
        if self._counters is not None:
            self._counters.dropped += dropped
            self._counters.items_in += dropped  # it came as far as this stage

    async def _until_reading_is_due(self) -> None:
        clock = self._run.clock
        while True:
            if self._buffer.blocks or (self._stopped and self._buffer.is_full):
                await self.wanted.wait()
                continue
            due = self._last_read + self._interval
            now = clock.now()
            if self._stopped or not self._buffer.throttles or now >= due:
                return
            timer = clock.call_at(due, self.wanted.set)
            try:
                await self.wanted.wait()
            finally:
                timer.cancel()
                self._buffer.throttled += max(0.0, clock.now() - now)

    def interrupt(self) -> None:
        """Stop reading: what is buffered is still delivered."""
        self._stopped = True
        super().interrupt()

    def statistics(self) -> BufferStatistics:
        """Look at the buffer."""
        return self._buffer.statistics(self._index)

    async def _hand_over(self, closing: CleanupReport) -> None:
        buffered = self._buffer.clear()
        if self._counters is not None:
            self._counters.items_in += len(buffered)  # they came as far as this stage
        closing.hold(self._index, buffered)


@types.coroutine
def _noticing(
    coroutine: Coroutine[Any, Any, Item],
) -> Generator[Any, Any, tuple[Item, bool]]:
    """Await a coroutine; give its result, and whether it has had to wait.

    A source that never waits would fill the buffer without a turn for the consumer.
    """
    try:
        signal = coroutine.send(None)
    except StopIteration as done:
        return done.value, False
    while True:
        try:
            answer = yield signal
        except BaseException as error:  # noqa: BLE001  whatever comes is for the coroutine
            step = partial(coroutine.throw, error)
        else:
            step = partial(coroutine.send, answer)
        try:
            signal = step()
        except StopIteration as done:
            return done.value, True

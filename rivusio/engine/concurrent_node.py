"""Several items of one 1:1 stage at once."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from rivusio.engine.async_boundary import Boundary, keep
from rivusio.engine.cleanup import CleanupReport, joined
from rivusio.engine.node import Node
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.graph.stage import Concurrency
from rivusio.items import END, NOTHING, Item


@dataclass(slots=True)
class _Started:
    """One item that was started and not delivered."""

    number: int  # in input order
    item_index: int | None
    data: Item
    task: asyncio.Task[Item]
    is_done: bool = False


class ConcurrentBoundary(Boundary):
    """Starts up to `limit` items, and gives their results in input order or as they come."""

    def __init__(
        self, run: RunState, step: StageExecutor, concurrency: Concurrency, upstream: Node
    ) -> None:
        super().__init__(run, upstream)
        self._step = step
        self._limit = concurrency.limit
        self._ordered = concurrency.ordered
        self._started: dict[int, _Started] = {}  # by number, so in input order
        self._queue: deque[_Started] = deque()  # in the order in which results are due
        self._count = 0
        self._running: dict[asyncio.Task[Item], _Started] = {}  # in input order
        self._cancelled: set[asyncio.Task[Item]] = set()
        self._threads = _Threads(concurrency.limit) if concurrency.threads else None
        if self._threads is not None:
            step.enter_in(self._threads.call)

    async def pull(self) -> Item:
        """Give the next result that is due."""
        self._start()
        while (result := await self._next_result()) is NOTHING:
            pass  # it was dropped, as its settings say
        return result

    async def _next_result(self) -> Item:
        while (started := self._due()) is None:
            if self._over and not self._started:
                if (failure := self._take_failure()) is not None:
                    raise failure
                return END
            await self.changed.wait()
        self.item_index = started.item_index
        try:
            result = await self._outcome(started)
        except Exception:
            self._forget(started)  # the error carries it
            raise
        self._forget(started)
        self.wanted.set()
        return result

    def _due(self) -> _Started | None:
        """Give the item whose result comes next, if that is there."""
        return self._queue[0] if self._queue and self._queue[0].is_done else None

    def _forget(self, started: _Started) -> None:
        self._queue.popleft()
        del self._started[started.number]

    async def _outcome(self, started: _Started) -> Item:
        try:
            result = started.task.result()
        except Exception as error:  # noqa: BLE001  whatever the user's code raised
            return await self._step.resolve(error, started.data, started.item_index)
        if isinstance(result, _Escaped):
            raise result.error
        return self._step.emit(started.data, result)

    async def _produce(self) -> None:
        while not self._closing:
            while len(self._started) >= self._limit:
                await self.wanted.wait()
            item = await self.upstream.pull()
            if item is END:
                return
            data = self._step.accept(item)
            task = asyncio.create_task(self._attempt(data))
            self._count += 1
            started = _Started(self._count, self.upstream.item_index, data, task)
            self._started[self._count] = self._running[task] = started
            if self._ordered:
                self._queue.append(started)
            keep(task)
            task.add_done_callback(self._on_done)

    async def _attempt(self, data: Item) -> Item:
        try:
            return await self._step.attempt(data)
        except (Exception, asyncio.CancelledError):
            raise
        except BaseException as error:  # noqa: BLE001  it leaves through the consumer instead
            return _Escaped(error)

    def _on_done(self, task: asyncio.Task[Item]) -> None:
        started = self._running.pop(task)
        started.is_done = True
        if not self._ordered:
            self._queue.append(started)
        self.changed.set()

    async def close(self, closing: CleanupReport) -> None:
        """End the reader and every started item, and wait for them."""
        self._closing = True
        self._cancelled = set(self._running)
        for task in list(self._running):
            task.cancel()
        await super().close(closing)

    async def _hand_over(self, closing: CleanupReport) -> None:
        for task in self._running:
            if task not in self._cancelled:  # the reader has started it meanwhile
                task.cancel()
        for each in self._started.values():
            if (cancelled := await joined(each.task)) is not None:
                closing.failed(cancelled)
            # An error that is not due yet is seen here: the run is leaving for another reason.
            if not each.task.cancelled() and each.task.exception() is None:
                result = each.task.result()
                if isinstance(result, _Escaped):
                    closing.failed(result.error)
        closing.hold(self._step.index, [each.data for each in self._started.values()])
        self._started.clear()
        if self._threads is not None and (cancelled := await self._threads.close()) is not None:
            closing.failed(cancelled)


@dataclass(frozen=True, slots=True)
class _Escaped:
    """A `KeyboardInterrupt` or its like, on its way to the consumer."""

    error: BaseException


class _Threads:
    """Threads of one stage of one run."""

    def __init__(self, limit: int) -> None:
        self._pool = ThreadPoolExecutor(limit, thread_name_prefix="rivusio")
        self._working: set[Future[Item]] = set()

    async def call(self, function: Callable[..., Item], *arguments: Item) -> Item:
        """Make a call in a thread, in a copy of the context."""
        context = contextvars.copy_context()
        future = self._pool.submit(context.run, function, *arguments)
        self._working.add(future)
        future.add_done_callback(self._working.discard)
        return await asyncio.wrap_future(future)

    async def close(self) -> asyncio.CancelledError | None:
        """Wait for the calls that are in a thread now: a thread cannot be interrupted."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        waiting = asyncio.create_task(self._until_idle())
        cancelled = await joined(waiting)
        self._pool.shutdown(wait=True)
        return cancelled

    async def _until_idle(self) -> None:
        while working := list(self._working):
            loop = asyncio.get_running_loop()
            idle = loop.create_future()
            for future in working:
                future.add_done_callback(
                    lambda _: loop.call_soon_threadsafe(_settle, idle)  # noqa: B023  one turn each
                )
            await idle


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)

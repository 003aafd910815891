"""Several items of one 1:1 stage at once."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from rivusio.interpreter.boundary import Boundary, keep
from rivusio.interpreter.node import END, NOTHING, Closing, Item, Node, Place, RunState, joined
from rivusio.interpreter.steps import Step
from rivusio.stage import Concurrency


@dataclass(slots=True)
class _Started:
    """One item that was started and not delivered."""

    number: int  # in input order
    item_index: int | None
    data: Item
    task: asyncio.Task[Item]


class ConcurrentBoundary(Boundary):
    """Starts up to `limit` items, and gives their results in input order or as they come."""

    def __init__(self, run: RunState, step: Step, concurrency: Concurrency, upstream: Node) -> None:
        super().__init__(run, upstream)
        self._step = step
        self._limit = concurrency.limit
        self._ordered = concurrency.ordered
        self._started: deque[_Started] = deque()  # in input order, or in that of completion
        self._count = 0
        self._running: dict[asyncio.Task[Item], None] = {}  # in input order
        self._threads = _Threads(concurrency.limit) if concurrency.threads else None
        if self._threads is not None:
            step.enter_in(self._threads.call)

    async def pull(self) -> Item:
        """Give the next result that is due."""
        self._start()
        while True:
            started = self._next_done()
            if started is None:
                if self._over and not self._started:
                    if (failure := self._take_failure()) is not None:
                        raise failure
                    return END
                await self.changed.wait()
                continue
            self.item_index = started.item_index
            try:
                result = await self._outcome(started)
            except Exception:
                self._started.remove(started)  # the error carries it
                raise
            self._started.remove(started)
            self.wanted.set()
            if result is not NOTHING:
                return result

    def _next_done(self) -> _Started | None:
        if self._ordered:
            first = self._started[0] if self._started else None
            return first if first is not None and first.task.done() else None
        return next((each for each in self._started if each.task.done()), None)

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
            self._started.append(_Started(self._count, self.upstream.item_index, data, task))
            self._running[task] = None
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
        self._running.pop(task, None)
        if not self._ordered and not self._closing:
            self._move_before_the_running(task)
        self.changed.set()

    def _move_before_the_running(self, task: asyncio.Task[Item]) -> None:
        """Keep what is done at the front, in the order of completion."""
        done = next((each for each in self._started if each.task is task), None)
        if done is None:
            return
        self._started.remove(done)
        position = sum(each.task not in self._running for each in self._started)
        self._started.insert(position, done)

    async def close(self, closing: Closing) -> None:
        """End the reader and every started item, and wait for them."""
        self._closing = True
        for task in list(self._running):
            task.cancel()
        await super().close(closing)
        for task in list(self._running):  # those that the reader has started meanwhile, too
            task.cancel()
        for each in list(self._started):
            if (cancelled := await joined(each.task)) is not None:
                closing.failed(cancelled)
            if not each.task.cancelled():
                each.task.exception()  # seen: the run is leaving for another reason
        in_order = sorted(self._started, key=lambda each: each.number)
        closing.hold(self._step.index, Place.CALL, [each.data for each in in_order])
        self._started.clear()
        if self._threads is not None and (cancelled := await self._threads.close()) is not None:
            closing.failed(cancelled)

    def _hand_over(self, closing: Closing) -> None:
        """Leave it to `close`, which has to wait for the items first."""


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

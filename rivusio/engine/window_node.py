"""A batch or window that a timer closes while the source is idle."""

from __future__ import annotations

from collections import deque

from rivusio.engine.async_boundary import Boundary
from rivusio.engine.cleanup import CleanupReport
from rivusio.engine.node import Node
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.items import END, Item
from rivusio.time.clock import Timer
from rivusio.time.windows import Holder


class TimedBoundary(Boundary):
    """Holds the items of one stage, and gives the lists that were closed.

    The task asks upstream only while the consumer wants a list, so nothing is read ahead. A
    timer that fires in the meantime closes the open list from outside; the item that is being
    waited for stays asked for and goes into the next one.
    """

    def __init__(self, run: RunState, step: StageExecutor, holder: Holder, upstream: Node) -> None:
        super().__init__(run, upstream)
        self._step = step
        self._holder = holder
        self._timer: Timer | None = None
        self._due: float | None = None  # when the timer fires
        self._ready: deque[tuple[int | None, list[Item]]] = deque()
        self._hungry = False  # the consumer has asked, and nothing was handed over since

    async def pull(self) -> Item:
        """Give the next list."""
        while not self._ready:
            if self._over:
                if (failure := self._take_failure()) is not None:
                    raise failure
                return END
            self._hungry = True
            self.wanted.set()
            self._start()
            await self.changed.wait()
        self.item_index, closed = self._ready.popleft()
        return closed

    async def _produce(self) -> None:
        while True:
            while not self._hungry:
                await self.wanted.wait()
            item = END if self._halted else await self.upstream.pull()
            if item is END:
                self._disarm()
                self._hand(None, self._holder.close())
                return
            if self._step.counters is not None:
                self._step.counters.items_in += 1
            closed = self._holder.add(item, self._run.clock.now())
            if self._holder.deadline != self._due:
                self._arm()
            if closed is not None:
                self._hand(self.upstream.item_index, closed)
            if self._closing:  # the upstream has swallowed the cancellation
                return

    def _hand(self, item_index: int | None, closed: list[Item]) -> None:
        if closed:
            self._hungry = False
            self._ready.append((item_index, closed))
            self.changed.set()

    def _arm(self) -> None:
        self._disarm()
        self._due = self._holder.deadline
        if self._due is not None:
            self._timer = self._run.clock.call_at(self._due, self._on_time)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._due = None

    def _on_time(self) -> None:
        self._timer = self._due = None
        self._hand(None, self._holder.close())

    async def _hand_over(self, closing: CleanupReport) -> None:
        self._disarm()
        closed = [item for _, items in self._ready for item in items]
        self._ready.clear()
        closing.hold(self._step.index, closed)
        closing.hold(self._step.index, self._holder.held())

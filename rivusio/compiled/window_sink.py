"""A window that a generated loop fills, in a task of the run, and that a timer closes."""

from __future__ import annotations

from typing import Any

from rivusio.compiled.loops import Fill, Filling
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.engine.window_node import TimedBoundary
from rivusio.items import Item
from rivusio.time.windows import BatchHolder, TumblingHolder

NEVER = -float("inf")  # the end of a window that is not open


class Window(TimedBoundary):
    """A lingering batch or tumbling windows that a generated loop fills.

    Attributes:
        items: those of the open window.
        deadline: when it closes; long ago where none is open.
        room: how many items it may hold before the next one closes it.
        pauses: whether the loop must ask before it goes on.
    """

    def __init__(
        self,
        run: RunState,
        step: StageExecutor,
        holder: BatchHolder | TumblingHolder,
        room: int,
        part: Filling,
        fill: Fill,
    ) -> None:
        super().__init__(run, step, holder, part)
        self._open: BatchHolder | TumblingHolder = holder
        self._part = part
        self._fill = fill
        part.window = part.sink = self
        self.items: list[Item] = holder.items
        self.deadline = NEVER
        self.room = room
        self.pauses = True

    async def _produce(self) -> None:
        await self._until_hungry()
        if not self._part.is_halted:
            await self._part.filled_by(self._fill)
        if not self._closing:
            self._disarm()
            self._hand(None, self._open.close())

    def turn(self, item: Item, now: float, item_index: int | None) -> None:
        """Take an item that opens or closes a window."""
        closed = self._open.add(item, now)
        if self._open.deadline != self._due:
            self._arm()
        if closed is not None:
            self._hand(item_index, closed)
        self._look()

    def _look(self) -> None:
        self.items = self._open.items
        self.deadline = NEVER if self._open.deadline is None else self._open.deadline
        self.pauses = not self._hungry or self._is_ending

    @property
    def _is_ending(self) -> bool:
        return self._closing or self._part.is_halted

    def must_be_asked(self) -> None:
        """Let the loop ask before it goes on."""
        self.pauses = True

    async def pause(self) -> bool:
        """Wait until the consumer wants another list; tell whether the run is ending instead."""
        await self._until_hungry()
        self._look()
        return self._is_ending

    async def _until_hungry(self) -> None:
        while not self._hungry and not self._closing:
            await self.wanted.wait()

    async def pull(self) -> Item:
        """Give the next list."""
        if not self._ready:
            self.pauses = self._is_ending
        return await super().pull()

    def _on_time(self) -> None:
        super()._on_time()
        self._look()

    async def close(self, closing: Any) -> None:
        """End the task, wait for it, and hand over what is held here."""
        self.pauses = True
        await super().close(closing)

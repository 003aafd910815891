"""Windows and buffers that a generated loop fills, in a task of the run.

What happens for every item stands in the generated loop: an item goes into the open window, or
into a buffer that has room. Everything else is here: a window is closed, a buffer is nearly full,
the consumer sleeps, the run ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, NoReturn

from rivusio.buffer import BufferStatistics
from rivusio.compiled.feed import Feed
from rivusio.compiled.parts import Upstream
from rivusio.config import BackpressureConfig
from rivusio.interpreter.buffered import BURST, BufferedBoundary
from rivusio.interpreter.node import Item, RunState
from rivusio.interpreter.steps import Step
from rivusio.interpreter.timed import TimedBoundary
from rivusio.windows import BatchHolder, TumblingHolder

NEVER = -float("inf")  # the end of a window that is not open

Fill = Callable[[Any, Any], Coroutine[Any, Any, None]]


class Filling(Upstream):
    """The part of a generated loop that fills a window or a buffer.

    Attributes:
        window: the windows that it fills, or
        buffer: the buffer that it fills.
    """

    window: Window
    buffer: Reader

    def pull(self) -> NoReturn:
        """Refuse: what the loop gives is in the window or the buffer."""
        message = "a loop that fills something is not pulled"
        raise AssertionError(message)

    def filled_by(self, fill: Fill) -> Coroutine[Any, Any, None]:
        """Start the generated loop."""
        loop = fill(self, self.upstream)
        if isinstance(self.upstream, Feed):
            self.upstream.runs_in(loop)
        return loop


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
        step: Step,
        holder: BatchHolder | TumblingHolder,
        room: int,
        part: Filling,
        fill: Fill,
    ) -> None:
        super().__init__(run, step, holder, part)
        self._open: BatchHolder | TumblingHolder = holder
        self._part = part
        self._fill = fill
        part.window = self
        self.items: list[Item] = holder.items
        self.deadline = NEVER
        self.room = room
        self.pauses = True

    async def _produce(self) -> None:
        await self._until_hungry()
        await self._part.filled_by(self._fill)
        await self._until_hungry()
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
        self.pauses = not self._hungry or self._closing

    async def pause(self) -> bool:
        """Wait until the consumer wants another list; tell whether the run is ending instead."""
        await self._until_hungry()
        self._look()
        return self._closing

    async def _until_hungry(self) -> None:
        while not self._hungry and not self._closing:
            await self.wanted.wait()

    async def pull(self) -> Item:
        """Give the next list."""
        if not self._ready:
            self.pauses = self._closing
        return await super().pull()

    def _on_time(self) -> None:
        super()._on_time()
        self._look()

    async def close(self, closing: Any) -> None:
        """End the task, wait for it, and hand over what is held here."""
        self.pauses = True
        await super().close(closing)


class Reader(BufferedBoundary):
    """A bounded buffer that a generated loop fills, and another one empties.

    Attributes:
        items: what is buffered, each with the number of its source item.
        calm: below so many items nothing has to be looked at.
        turned: whether the event loop has had a turn since this was last asked.
        peak: the most items there were; whoever takes one looks first.
        overflowed: whether an overflow has made the rest worthless.
    """

    overflowed = False

    def __init__(
        self,
        run: RunState,
        index: int,
        name: str,
        config: BackpressureConfig,
        part: Filling,
        fill: Fill,
    ) -> None:
        super().__init__(run, index, name, config, part)
        self._part = part
        self._fill = fill
        part.buffer = self
        self.items = self._buffer.items
        self.calm: float = min(self._buffer.throttle_level, config.max_buffer_size)
        self.peak = 0
        self.turned = False
        self._tick: asyncio.Handle | None = None

    def statistics(self) -> BufferStatistics:
        """Look at the buffer."""
        seen = super().statistics()
        return replace(seen, peak=max(seen.peak, self.peak, seen.current))

    async def filled(self) -> bool:
        """Wait until there is an item; tell whether there is one, or the end has come."""
        self._start()
        while not self.items or self.overflowed:
            if self._over:
                failure = self._take_failure()
                if failure is not None:
                    raise failure
                return False
            await self.changed.wait()
        return True

    async def _produce(self) -> None:
        await self._until_reading_is_due()
        self.restart()
        try:
            await self._part.filled_by(self._fill)
        except Exception as error:
            self.overflowed = self._is_overflow(error)
            raise
        finally:
            if self._tick is not None:
                self._tick.cancel()

    def restart(self) -> int:
        """Begin to count the items that come without a turn of the event loop."""
        self.turned = False
        self._tick = asyncio.get_running_loop().call_soon(self._on_turn)
        return 0

    def _on_turn(self) -> None:
        self.turned = True
        self._tick = None

    def put(self, item_index: int | None, item: Item) -> None:
        """Take an item that finds the buffer nearly full.

        Raises:
            StreamError: when it is full, and `overflow` is `"fail"`.
        """
        self._put(item_index, item)

    async def pause(self, burst: int) -> int:
        """Give a turn, or wait until reading is due; -1 if the run is ending.

        `burst` is how many items have come without a turn of the event loop.
        """
        waited = burst == 0
        self._last_read = self._run.clock.now()
        if burst > BURST or (not waited and self._buffer.throttles):
            await asyncio.sleep(0)
            self._forget_turn()
        if not self._closing:
            before = self.turned
            await self._until_reading_is_due()
            if self.turned and not before:
                self._forget_turn()
        return -1 if self._closing else burst

    def _forget_turn(self) -> None:
        """A turn that was given here is none of the source's."""
        if self.turned:
            self.restart()

    async def close(self, closing: Any) -> None:
        """End the task, wait for it, and hand over what is held here."""
        self.calm = -1.0
        await super().close(closing)

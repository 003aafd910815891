"""Windows and buffers that a generated loop fills, in a task of the run.

What happens for every item stands in the generated loop: an item goes into the open window, or
into a buffer that has room. Everything else is here: a window is closed, a buffer is nearly full,
the consumer sleeps, the run ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from math import ceil
from operator import length_hint
from typing import Any, NoReturn

from rivusio.compiled.frames import Upstream
from rivusio.compiled.source import Feed
from rivusio.engine.buffer import BufferStatistics
from rivusio.engine.buffer_node import BURST, BufferedBoundary
from rivusio.engine.node import END, Item, RunState
from rivusio.engine.stage_executor import Step
from rivusio.engine.window_node import TimedBoundary
from rivusio.graph.config import BackpressureConfig
from rivusio.time.windows import BatchHolder, TumblingHolder

NEVER = -float("inf")  # the end of a window that is not open

Fill = Callable[[Any, Any], Coroutine[Any, Any, None]]
_Numbered = tuple[int | None, Item]


class Filling(Upstream):
    """The part of a generated loop that fills a window or a buffer.

    Attributes:
        window: the windows that it fills, or
        buffer: the buffer that it fills.
    """

    window: Window
    buffer: Reader
    sink: Window | Reader | None = None

    def pull(self) -> NoReturn:
        """Refuse: what the loop gives is in the window or the buffer."""
        message = "a loop that fills something is not pulled"
        raise AssertionError(message)

    def halt(self) -> None:
        """Let the loop end with the item that it has in hand: nobody wants another."""
        super().halt()
        if self.sink is not None:
            self.sink.must_be_asked()

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


class Reader(BufferedBoundary):
    """A bounded buffer that a generated loop fills, and another one empties.

    Between two turns of the event loop nobody but the filling loop runs. So it appends without a
    look as long as there is `room`, and the emptying loop takes all that is there at once; what
    is left of that still counts as buffered.

    Attributes:
        items: what is buffered and not yet taken, each with the number of its source item.
        room: as many items may be there before the filling loop must look about.
    """

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
        part.buffer = part.sink = self
        self.items = self._buffer.items
        self.room = -1
        self._calm = min(self._buffer.throttle_level, config.max_buffer_size)
        self._taken: list[_Numbered] = []
        self._taking = iter(self._taken)  # where the emptying loop is
        self._one_by_one = False  # the consumer must be heard of for each item
        self._overflowed = False  # the rest is worthless
        self._peak = 0
        self._looked_at = 0  # the items that were there at the last look, and
        self._left = 0  # those that had been taken and not yet used
        self._burst = BURST  # items that came without a turn of the event loop
        self._turned = False  # whether there was a turn since the last look
        self._tick: asyncio.Handle | None = None

    def statistics(self) -> BufferStatistics:
        """Look at the buffer."""
        self._note_peak()
        seen = super().statistics()
        current = seen.current + len(self._rest())
        return replace(seen, current=current, peak=max(seen.peak, self._peak))

    # Emptying it

    async def taken(self) -> Iterator[_Numbered] | None:
        """Wait until there are items, and give them; None at the end."""
        if not await self._has_items():
            return None
        if self._one_by_one:
            self._taken = [self._take_one()]
        else:
            self._taken = list(self.items)
            self.items.clear()
        self._taking = iter(self._taken)
        return self._taking

    async def pull(self) -> Item:
        """Give the oldest item, to what is no generated loop."""
        if not await self._has_items():
            return END
        self.item_index, item = self._take_one()
        return item

    async def _has_items(self) -> bool:
        """Wait until there are items; tell whether there are some, or it is over.

        Raises:
            BaseException: what has ended the filling loop, after the items that came before it.
        """
        self._start()
        while not self.items or self._overflowed:
            if self._over:
                failure = self._take_failure()
                if failure is not None:
                    raise failure
                return False
            self.room = -1  # the next item is waited for
            await self.changed.wait()
        self._note_peak()
        return True

    def _take_one(self) -> _Numbered:
        self.wanted.set()
        return self.items.popleft()

    def _rest(self) -> list[_Numbered]:
        """Give what was taken and not yet used."""
        return self._taken[len(self._taken) - length_hint(self._taking) :]

    def _take_back(self) -> None:
        """Put what was taken and not yet used back: the loop over it ends where it is."""
        rest = self._rest()
        if rest:
            del self._taken[-len(rest) :]
            self.items.extendleft(reversed(rest))
        self._left = 0

    def _note_peak(self) -> None:
        self._peak = max(self._peak, len(self.items) + self._left)

    # Filling it

    async def _produce(self) -> None:
        await self._until_reading_is_due()
        if self._part.is_halted:
            return
        self._count_anew()
        try:
            await self._part.filled_by(self._fill)
        except Exception as error:
            self._overflowed = self._is_overflow(error)
            raise
        finally:
            if self._tick is not None:
                self._tick.cancel()

    def _count_anew(self) -> None:
        """Begin to count the items that come without a turn of the event loop."""
        self._turned = False
        self._tick = asyncio.get_running_loop().call_soon(self._on_turn)

    def _on_turn(self) -> None:
        self._turned = True
        self._tick = None
        self.room = -1

    async def put(self, item_index: int | None, item: Item) -> bool:
        """Take an item for which there was no room without a look; tell whether the run is ending.

        It gives a turn where one is due, and waits until the next item may be read.

        Raises:
            StreamError: when the buffer is full, and `overflow` is `"fail"`.
        """
        self._note_peak()
        if self._turned:
            self._burst = 0
            self._count_anew()
        else:
            self._burst += len(self.items) - self._looked_at + 1
        if len(self.items) + len(self._rest()) >= self._calm:
            self._take_back()
        self._put(item_index, item)
        self.changed.set()
        if self._burst > BURST or len(self.items) + len(self._rest()) >= self._calm:
            await self._pause()
        self._left = len(self._rest())
        self._looked_at = len(self.items)
        unseen = max(0, BURST - self._burst)
        self.room = min(ceil(self._calm) - 1 - self._left, self._looked_at + unseen)
        if self._turned or self._is_awaited():
            self.room = -1
        self._one_by_one = False
        return self._closing or self._part.is_halted

    def must_be_asked(self) -> None:
        """Let the loop look about before it goes on."""
        self.room = -1

    def _is_awaited(self) -> bool:
        """Tell whether the consumer has found nothing while the last item was put here."""
        sleeper = self.changed.sleeper
        return sleeper is not None and not sleeper.done()

    async def _pause(self) -> None:
        self._one_by_one = True
        self._take_back()
        waited = self._burst == 0
        self._last_read = self._run.clock.now()
        if self._burst > BURST or (not waited and self._buffer.throttles):
            await asyncio.sleep(0)
            self._forget_turn()
        if not self._closing:
            before = self._turned
            await self._until_reading_is_due()
            if self._turned and not before:
                self._forget_turn()

    def _forget_turn(self) -> None:
        """A turn that was given here is none of the source's."""
        if self._turned:
            self._count_anew()

    async def close(self, closing: Any) -> None:
        """End the task, wait for it, and hand over what is held here."""
        self.room = -1
        await super().close(closing)

    async def _hand_over(self, closing: Any) -> None:
        self._note_peak()
        self._take_back()
        await super()._hand_over(closing)

"""A buffer that a generated loop fills, in a task of the run."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from math import ceil
from operator import length_hint
from typing import Any

from rivusio.compiled.loops import Fill, Filling
from rivusio.engine.buffer import BufferStatistics
from rivusio.engine.buffer_node import BURST, BufferedBoundary
from rivusio.engine.run_state import RunState
from rivusio.graph.config import BackpressureConfig
from rivusio.items import END, Item

_Numbered = tuple[int | None, Item]


# Large: two loops and a task share its counts, which only one object can keep in step.
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

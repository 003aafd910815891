"""When a batch or a window opens and closes: arithmetic, no I/O and no waiting.

Each of these belongs to one stage of one run. A holder takes items with `add`, which answers
the list that this item has closed, if it has; `close` takes what is open. A list that was
handed out is never touched again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from typing import Protocol

from rivusio.items import Item


class Holder(Protocol):
    """What a batch or a window stage keeps between items."""

    deadline: float | None

    @property
    def items(self) -> Collection[Item]:
        """What was not handed out; whoever adds to it keeps to what `add` does."""

    def add(self, item: Item, now: float) -> list[Item] | None:
        """Take one item at the time `now`; answer the list that is closed by it."""

    def close(self) -> list[Item]:
        """Take what is due when time has run out or the source has ended; it may be empty."""

    def held(self) -> list[Item]:
        """Take every item that was not handed out, in order."""


class BatchHolder:
    """Closes when `size` items are there, or `linger` seconds after the first of them.

    >>> batch = BatchHolder(size=2)
    >>> batch.add("a", now=0.0), batch.add("b", now=0.0)
    (None, ['a', 'b'])
    """

    def __init__(self, size: int, linger: float | None = None) -> None:
        self._size = size
        self._linger = linger
        self.items: list[Item] = []
        self.deadline: float | None = None

    def add(self, item: Item, now: float) -> list[Item] | None:
        """Take one item; an item that comes when the linger has passed opens the next batch."""
        closed = None
        if self.deadline is not None and now >= self.deadline:
            closed = self.close()
        self.items.append(item)
        if len(self.items) == self._size:
            return self.close()
        if self._linger is not None and len(self.items) == 1:
            self.deadline = now + self._linger
        return closed

    def close(self) -> list[Item]:
        """Take the batch as it is."""
        items, self.items = self.items, []
        self.deadline = None
        return items

    held = close


class TumblingHolder:
    """Windows `[t0 + k*size, t0 + (k+1)*size)`, `t0` being when the first item came.

    The bounds are multiples, so they never drift. A window that was closed stays closed, even
    if the clock then reads a little earlier than its end.

    >>> window = TumblingHolder(size=10.0)
    >>> window.add("a", now=3.0), window.add("b", now=12.9), window.add("c", now=13.0)
    (None, None, ['a', 'b'])
    """

    def __init__(self, size: float) -> None:
        self._size = size
        self._start: float | None = None
        self._current = 0  # the k of the earliest window that may still take items
        self.items: list[Item] = []
        self.deadline: float | None = None

    def add(self, item: Item, now: float) -> list[Item] | None:
        """Take one item; the one that comes at or after the end opens a later window."""
        if self._start is None:
            self._start = now
        closed = None
        if now >= self._end(self._current):
            if self.items:
                closed, self.items = self.items, []
            self._current = self._number(now)
        self.items.append(item)
        self.deadline = self._end(self._current)
        return closed

    def close(self) -> list[Item]:
        """Take the open window and let no item into it any more."""
        items, self.items = self.items, []
        self._current += 1
        self.deadline = None
        return items

    def held(self) -> list[Item]:
        """Take what the open window holds."""
        items, self.items = self.items, []
        self.deadline = None
        return items

    def _end(self, number: int) -> float:
        assert self._start is not None  # noqa: S101  set by the first item, before any use
        return self._start + (number + 1) * self._size

    def _number(self, now: float) -> int:
        """Which window `now` lies in; the division alone may be off by one in the last digit."""
        assert self._start is not None  # noqa: S101  set by the first item, before any use
        number = max(self._current, int((now - self._start) // self._size) - 1)
        while now >= self._end(number):
            number += 1
        return number


class SlidingHolder:
    """The last `size` items, once they are there and then after every `step` items.

    >>> window = SlidingHolder(size=2, step=1)
    >>> [window.add(item, now=0.0) for item in "abc"]
    [None, ['a', 'b'], ['b', 'c']]
    >>> window = SlidingHolder(size=1, step=2)
    >>> [window.add(item, now=0.0) for item in "abc"]
    [['a'], None, ['c']]
    """

    deadline: float | None = None  # it closes by count alone

    def __init__(self, size: int, step: int) -> None:
        self._size = size
        self._step = step
        self.items: deque[Item] = deque(maxlen=size)
        self._missing = size  # items to come before the next window is emitted
        self._fresh = 0  # items at the right end that no window has shown yet
        self._passed_over = 0  # items that no window will ever show, because step > size

    def add(self, item: Item, now: float) -> list[Item] | None:  # noqa: ARG002  by count alone
        """Take one item; answer the window that it completes."""
        if self._missing > self._size:
            self._passed_over += 1
        else:
            self.items.append(item)
            self._fresh += 1
        self._missing -= 1
        if self._missing:
            return None
        self._missing = self._step
        self._fresh = 0
        return list(self.items)

    def take_passed_over(self) -> int:
        """Answer how many items were skipped since the last time, because step > size."""
        count, self._passed_over = self._passed_over, 0
        return count

    def close(self) -> list[Item]:
        """Answer nothing: a partial window is never emitted."""
        return []

    def held(self) -> list[Item]:
        """Take the items that no window has shown."""
        items = list(self.items)[len(self.items) - self._fresh :]
        self.items.clear()
        self._fresh = 0
        return items

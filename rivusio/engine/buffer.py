"""The bounded buffer behind backpressure, and what it tells about itself."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from rivusio.errors import BufferOverflowError
from rivusio.graph.config import BackpressureConfig
from rivusio.items import Item


@dataclass(frozen=True, slots=True)
class BufferStatistics:
    """One look at a buffer.

    Attributes:
        stage: the index of the stage that the buffer stands before.
        max_buffer_size: the most items it may hold.
        current: the items it holds now.
        peak: the most items it has held.
        dropped: the items that overflow has thrown away.
        throttled: the seconds for which its reader was slowed down.
    """

    stage: int
    max_buffer_size: int
    current: int
    peak: int
    dropped: int
    throttled: float


class BoundedBuffer:
    """At most `max_buffer_size` items, in order, each with the number of its source item.

    >>> buffer = BoundedBuffer(BackpressureConfig(max_buffer_size=1, overflow="drop_oldest"))
    >>> buffer.put(0, "a"), buffer.put(1, "b"), buffer.take()
    (0, 1, (1, 'b'))
    """

    def __init__(self, config: BackpressureConfig) -> None:
        self._config = config
        self.items: deque[tuple[int | None, Item]] = deque()
        self.throttle_level = config.throttle_threshold * config.max_buffer_size
        self.peak = 0
        self.dropped = 0
        self.throttled = 0.0

    def __len__(self) -> int:
        return len(self.items)

    @property
    def is_full(self) -> bool:
        """Whether there is no room for one more."""
        return len(self.items) >= self._config.max_buffer_size

    @property
    def blocks(self) -> bool:
        """Whether the reader is to wait now, because of `overflow="block"`."""
        return self.is_full and self._config.overflow == "block"

    @property
    def throttles(self) -> bool:
        """Whether the level is at or above the threshold."""
        return len(self.items) >= self.throttle_level

    def put(self, item_index: int | None, item: Item) -> int:
        """Put an item in; answer how many were dropped for it, 0 or 1.

        Raises:
            BufferOverflowError: if the buffer is full and `overflow` is `"fail"`.
        """
        dropped = 0
        if self.is_full:
            if self._config.overflow == "fail":
                size = self._config.max_buffer_size
                message = f"the buffer is full: it may hold {size} and the consumer is slower"
                raise BufferOverflowError(message)
            dropped = 1
            self.dropped += 1
            if self._config.overflow == "drop_newest":
                return dropped
            self.items.popleft()
        self.items.append((item_index, item))
        self.peak = max(self.peak, len(self.items))
        return dropped

    def take(self) -> tuple[int | None, Item]:
        """Take the oldest item, with the number of its source item."""
        return self.items.popleft()

    def clear(self) -> list[Item]:
        """Take everything."""
        items = [item for _, item in self.items]
        self.items.clear()
        return items

    def statistics(self, stage: int) -> BufferStatistics:
        """Look at the buffer."""
        return BufferStatistics(
            stage=stage,
            max_buffer_size=self._config.max_buffer_size,
            current=len(self.items),
            peak=self.peak,
            dropped=self.dropped,
            throttled=self.throttled,
        )

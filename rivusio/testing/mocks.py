"""Pipes that only record their calls."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from rivusio.items import Item
from rivusio.pipes.elementwise import AsyncBasePipe, SyncBasePipe
from rivusio.testing.clock import VirtualClock


class MockSyncPipe(SyncBasePipe[Any, Any]):
    """Records its `.calls`, and after a delay returns a value or raises.

    Args:
        returns: what every call returns.
        error: what every call raises instead.
        delay: seconds before that.
        clock: is moved on by the delay; without one the call really blocks.
        name: the pipe's name.
    """

    def __init__(
        self,
        returns: Item = None,
        *,
        error: Exception | None = None,
        delay: float = 0.0,
        clock: VirtualClock | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.returns = returns
        self.error = error
        self.delay = delay
        self.calls: list[Item] = []
        self._wait = time.sleep if clock is None else clock.wait

    def process(self, data: Item) -> Item:
        """Record the call."""
        self.calls.append(data)
        if self.delay:
            self._wait(self.delay)
        if self.error is not None:
            raise self.error
        return self.returns


class MockAsyncPipe(AsyncBasePipe[Any, Any]):
    """Records its `.calls`, and after a delay returns a value or raises.

    Args:
        returns: what every call returns.
        error: what every call raises instead.
        delay: seconds before that.
        clock: measures the delay; the event loop's time if left out.
        name: the pipe's name.
    """

    def __init__(
        self,
        returns: Item = None,
        *,
        error: Exception | None = None,
        delay: float = 0.0,
        clock: VirtualClock | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.returns = returns
        self.error = error
        self.delay = delay
        self.calls: list[Item] = []
        self._sleep = asyncio.sleep if clock is None else clock.sleep

    async def process(self, data: Item) -> Item:
        """Record the call."""
        self.calls.append(data)
        if self.delay:
            await self._sleep(self.delay)
        if self.error is not None:
            raise self.error
        return self.returns

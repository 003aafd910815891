"""The time of a run: the system's, or a virtual one in tests.

Everything in rivusio that waits or looks at the time asks a `Clock`, so that a test can turn
the hands itself (see `rivusio.testing.VirtualClock`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self


class Timer(Protocol):
    """A call that a clock has promised to make."""

    def cancel(self) -> None:
        """Take the promise back; harmless once the call was made."""


class Clock(Protocol):
    """Time in seconds from a beginning of the clock's own; it never goes backwards by design."""

    def now(self) -> float:
        """Seconds since the clock's beginning."""

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` in the running event loop once `now()` has reached `when`."""

    async def sleep(self, seconds: float) -> None:
        """Let the other tasks run for `seconds`."""

    def wait(self, seconds: float) -> None:
        """Block this thread for `seconds`: what a run without an event loop does."""


class SystemClock:
    """The monotonic clock of the machine."""

    def now(self) -> float:
        """Seconds of `time.monotonic()`."""
        return time.monotonic()

    def call_at(self, when: float, callback: Callable[[], object]) -> Timer:
        """Call `callback` in the running event loop at `when`."""
        return asyncio.get_running_loop().call_later(max(0.0, when - self.now()), callback)

    async def sleep(self, seconds: float) -> None:
        """`asyncio.sleep`."""
        await asyncio.sleep(seconds)

    def wait(self, seconds: float) -> None:
        """`time.sleep`."""
        time.sleep(seconds)

    def __repr__(self) -> str:
        return "SystemClock()"


SYSTEM = SystemClock()


class Deadline:
    """`async with Deadline(clock, seconds):` bounds what is awaited inside, on a clock.

    It is `asyncio.timeout` for a clock that is not the event loop's.

    Raises:
        TimeoutError: when the seconds have passed before the block was left.
    """

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._seconds = seconds
        self._expired = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            message = "a timeout can only be used inside a task"
            raise RuntimeError(message)
        self._task = task
        self._cancelling = task.cancelling()
        self._timer = self._clock.call_at(self._clock.now() + self._seconds, self._expire)
        return self

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()
        if not self._expired:
            return
        ours_alone = self._task.uncancel() <= self._cancelling
        if ours_alone and kind is not None and issubclass(kind, asyncio.CancelledError):
            message = f"no result within {self._seconds:g} s"
            raise TimeoutError(message) from error

"""An event loop whose time is a virtual clock's: whatever waits in it takes no time at all."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVarTuple

from rivusio.testing.clock import VirtualClock

Arguments = TypeVarTuple("Arguments")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Turns the clock on to the next timer as soon as nothing is left to run.

    `asyncio.sleep` and `asyncio.timeout` in such a loop go by the same clock as a run that is
    given it, and timers of the same time fire in the order in which they were set.

    Args:
        clock: the time of the loop; one of its own if left out.
        on_stuck: called when nothing is left to run and no timer is set, so that without it
            the loop would wait for ever.

    >>> import asyncio
    >>> with asyncio.Runner(loop_factory=VirtualLoop) as runner:
    ...     runner.run(asyncio.sleep(3600, "an hour later"))
    'an hour later'
    """

    def __init__(
        self, clock: VirtualClock | None = None, on_stuck: Callable[[], None] | None = None
    ) -> None:
        self.clock = VirtualClock() if clock is None else clock
        self.on_stuck = on_stuck
        super().__init__(_Idle(self))

    def time(self) -> float:
        """Seconds on the clock."""
        return self.clock.now()

    def call_at(
        self,
        when: float,
        callback: Callable[[*Arguments], object],
        *args: *Arguments,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call `callback` once the clock has come to `when`."""
        handle = _Timer(when, callback, args, self, context)
        handle.promise = self.clock.promise(when, lambda: self.call_soon(handle.run))
        return handle

    def idle(self) -> bool:
        """Turn the clock on to what is due next; tell whether there is anything."""
        return self.clock.fire_next()


class _Timer(asyncio.TimerHandle):
    """A handle whose timer is the clock's."""

    promise: Any = None  # the clock's own timer, which `call_at` sets at once

    def cancel(self) -> None:
        super().cancel()
        self.promise.cancel()

    def run(self) -> None:
        if not self.cancelled():
            self._run()


class _Idle(selectors.SelectSelector):
    """Where an event loop waits: here it turns its clock on instead."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:  # as the base class gives it
        ready = super().select(0)
        if ready or timeout == 0 or self._loop.idle():
            return ready
        if self._loop.on_stuck is not None:
            self._loop.on_stuck()
            return ready
        return super().select(timeout)

"""A node whose upstream runs in a task of the run, because something must go on while it waits.

The task pulls from upstream and leaves outputs in `ready`; the consumer takes them. They wake
each other through bare futures. The task holds nothing of the consumer's side, so an abandoned
run can be collected; and it closes the upstream itself, in the task that iterated it.
"""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from typing import Any

from rivusio.engine.cleanup import CleanupReport, joined
from rivusio.engine.node import Node, upstream_of
from rivusio.engine.run_state import RunState
from rivusio.errors import StreamError


class Wakeup:
    """Lets one task sleep until another one says that something has changed."""

    def __init__(self) -> None:
        self.sleeper: asyncio.Future[None] | None = None  # what the sleeping task awaits

    async def wait(self) -> None:
        """Sleep until the next `set`."""
        self.sleeper = asyncio.get_running_loop().create_future()
        try:
            await self.sleeper
        finally:
            self.sleeper = None

    def set(self) -> None:
        """Wake the sleeper, if there is one."""
        if self.sleeper is not None and not self.sleeper.done():
            self.sleeper.set_result(None)


# Event loops hold tasks weakly. A run that is collected as part of a circle must find its tasks
# alive, to end them. They hold nothing of the consumer's side, so they keep no run from that; but
# for a run that the user's own source or stages refer to, which wants aclose().
_tasks: set[asyncio.Task[Any]] = set()


def keep(task: asyncio.Task[Any]) -> None:
    """Hold a task of a run until it is done."""
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


class Boundary(Node):
    """Runs its upstream in one task, from the first pull to the end of the run."""

    def __init__(self, run: RunState, upstream: Node) -> None:
        self._run = run
        self.upstream: Node = upstream
        self._task: asyncio.Task[Any] | None = None
        self._closing = False
        self._halted = False
        self._over = False  # the task has come to its end, by whatever way
        self._failure: BaseException | None = None
        self._upstream_closing = CleanupReport()
        self.changed = Wakeup()  # for the consumer: something is ready, or it is over
        self.wanted = Wakeup()  # for the task: the consumer has taken or wants something

    def _start(self) -> None:
        """Start the task, with a copy of the context as it is at the first pull."""
        if self._task is None:
            self._task = asyncio.create_task(self._work())
            keep(self._task)

    async def _work(self) -> None:
        try:
            await self._produce()
        except asyncio.CancelledError as error:
            # Ours when closing; otherwise somebody's, and the consumer must hear of it.
            self._failure = None if self._closing else error
        except BaseException as error:  # noqa: BLE001  it leaves through the consumer instead
            self._failure = error
        finally:
            self.cleaning = True
            await self.upstream.close(self._upstream_closing)
            self._over = True
            self.changed.set()

    @abstractmethod
    async def _produce(self) -> None:
        """Pull from upstream until its end; runs in the task."""

    def _take_failure(self) -> BaseException | None:
        failure, self._failure = self._failure, None
        return failure

    def interrupt(self) -> None:
        """Let the task see it."""
        self.wanted.set()

    def halt(self) -> None:
        """Let the task end with the item that it has in hand: nobody wants another."""
        self._halted = True

    async def close(self, closing: CleanupReport) -> None:
        """End the task, wait for it, and hand over what is held here."""
        self._closing = True
        if self._task is None:
            await self.upstream.close(closing)
        elif not self._task.done():
            for node in upstream_of(self):
                node.halt()  # a cancellation that user code swallows must not start it anew
            if not self._is_cleaning():
                self._task.cancel()
            if (cancelled := await joined(self._task)) is not None:
                closing.failed(cancelled)
        await self._hand_over(closing)
        self._tell_of_failure(closing)
        closing.absorb(self._upstream_closing)

    def _is_cleaning(self) -> bool:
        """Tell whether the task is closing user code, which a cancellation would interrupt."""
        if self.cleaning:
            return True
        for node in upstream_of(self):
            if isinstance(node, Boundary):
                return False  # it has a task of its own
            if node.cleaning:
                return True
        return False

    def _tell_of_failure(self, closing: CleanupReport) -> None:
        """Hand over a failure that the consumer was ended before it came to."""
        failure = self._take_failure()
        if isinstance(failure, StreamError):
            closing.overtaken.append(failure)
            units = [] if failure.stage is None else self._run.units_of(failure)
            closing.hold(failure.stage or 0, [*failure.pending, *units])
        elif failure is not None:
            closing.failed(failure)

    @abstractmethod
    async def _hand_over(self, closing: CleanupReport) -> None:
        """Give what is held here to the closing."""

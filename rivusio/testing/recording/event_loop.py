"""The event loop that a recorded run has for itself: its time is virtual, and so is its end."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Coroutine
from typing import Any

import rivusio
from rivusio.testing.recording.run_log import RunLog
from rivusio.testing.scripts import ConsumerScript
from rivusio.testing.virtual_loop import VirtualLoop

LONG = 3600.0  # seconds on the clock for what goes on after a bare `break`
PATIENCE = 3  # how often a run that is stuck is cancelled before it is given up


class RecordingError(RuntimeError):
    """A run that can be neither ended nor cancelled."""


def consume_in_loop(
    consume: Callable[[], Coroutine[Any, Any, None]], consumer: ConsumerScript, log: RunLog
) -> None:
    """Consume a run in a loop of its own, and write down how that ends and what is left.

    Args:
        consume: makes the coroutine that consumes it.
        consumer: says when it is cancelled.
        log: is written to.

    Raises:
        NotCompiledError: when there is nothing compiled to run.
        RecordingError: when the run can be neither ended nor cancelled.
    """
    unstick = _Unsticking(log)
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(log.clock, unstick)) as runner:
        loop = runner.get_loop()
        loop.set_exception_handler(lambda _, context: _note_unhandled(context, log))
        runner.run(_consume(consume, consumer, log))


class _Unsticking:
    """Called when nothing is left that could run: cancels the consumer, a few times."""

    def __init__(self, log: RunLog) -> None:
        self._log = log
        self._count = 0

    def __call__(self) -> None:
        self._count += 1
        task = self._log.task
        if task is None or task.done() or self._count > PATIENCE:
            raise RecordingError("nothing is left that could run")
        self._log.write("stuck: cancelled")
        task.cancel()


def _note_unhandled(context: dict[str, Any], log: RunLog) -> None:
    error = context.get("exception")
    if error is not None:
        log.note_error(error, "unhandled")
    else:
        log.write("unhandled", context["message"])


async def _consume(
    consume: Callable[[], Coroutine[Any, Any, None]], consumer: ConsumerScript, log: RunLog
) -> None:
    before = asyncio.all_tasks()
    log.task = asyncio.create_task(consume())
    timer = _set_timer(log.task, consumer.cancelled_after)
    await asyncio.wait([log.task])
    if timer is not None:
        timer.cancel()
    if log.task.cancelled():
        log.write("cancelled")
    elif (error := log.task.exception()) is not None:
        if isinstance(error, rivusio.NotCompiledError):
            raise error
        log.note_error(error)
    log.task = None  # a task that was cancelled keeps the run that it was in
    if _leaves_late(consumer):
        gc.collect()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    left = asyncio.all_tasks() - before
    if left and _leaves_late(consumer):
        await asyncio.wait(left, timeout=LONG)
        left = {each for each in left if not each.done()}
    log.write("left", f"tasks: {len(left)}, timers: {log.clock.pending}")


def _set_timer(task: asyncio.Task[None], seconds: float | None) -> asyncio.TimerHandle | None:
    """Cancel a task after so many seconds."""
    if seconds is None:
        return None
    return asyncio.get_running_loop().call_later(seconds, task.cancel)


def _leaves_late(script: ConsumerScript) -> bool:
    """Tell whether the loop's own hook has to close the generator, in a task of its own."""
    is_cancelled = script.cancelled_at is not None or script.cancelled_after is not None
    return is_cancelled or (script.takes is not None and script.leaves == "break")

"""The events of a run on its way."""

from __future__ import annotations

import asyncio
from typing import Any

from rivusio.observe.monitoring import PipelineMonitor
from rivusio.pipes.base import BasePipe
from rivusio.testing.as_text import text_of, text_of_error
from rivusio.testing.clock import VirtualClock
from rivusio.testing.events import Event
from rivusio.testing.recording.state import describe_monitor, state_of

LEAVING = (KeyboardInterrupt, SystemExit)  # what leaves even an event loop


class RunLog:
    """Writes down what happens in one run; it listens to what user code notes.

    Args:
        monitor: what observes the run, if anything does.
        cancelled_at: the `pause` or `wait` at which the consumer is cancelled, from 1.

    Attributes:
        events: what has happened so far.
        clock: the time of the run.
        monitor: as given.
        task: that of the consumer, as long as it can be cancelled.
        left_by: the `SystemExit` or `KeyboardInterrupt` that has left the run.
    """

    def __init__(self, monitor: PipelineMonitor | None, cancelled_at: int | None) -> None:
        self.events: list[Event] = []
        self.clock = VirtualClock()
        self.monitor = monitor
        self.task: asyncio.Task[None] | None = None
        self.left_by: BaseException | None = None
        self._cancelled_at = cancelled_at
        self._waits = 0

    def note(self, kind: str, value: object = None) -> None:
        """Write an event down, its value as text."""
        self.write(kind, None if value is None else text_of(value))

    def write(self, kind: str, text: str | None = None) -> None:
        """Write an event down whose value is text already."""
        # To the millisecond: the timeout of a single item is measured by the system's clock.
        self.events.append(Event(round(self.clock.now(), 3), kind, text))

    def waits(self) -> None:
        """Write down that user code waits, and cancel the consumer if this is the place."""
        self._waits += 1
        self.write("wait", str(self._waits))
        if self._waits == self._cancelled_at and self.task is not None:
            self.write("cancelled here")
            self.task.cancel()

    def note_output(self, output: object) -> None:
        """Write an output down, and what the monitor has counted by now."""
        self.note("output", output)
        if self.monitor is not None:
            self.write("counts", describe_monitor(self.monitor))

    def note_error(self, error: BaseException, kind: str = "error") -> None:
        """Write an error down, with all that it tells."""
        self.write(kind, text_of_error(error))

    def note_leaving(self, error: BaseException) -> None:
        """Write down what has left the run, and keep it for whoever has asked for the run."""
        self.left_by = error
        self.note_error(error, "left by")

    def note_end(self, pipe: BasePipe[Any, Any]) -> None:
        """Write down what can be looked at after a run: what was measured, and what pipes keep."""
        if self.monitor is not None:
            self.write("measured", describe_monitor(self.monitor, whole=True))
        for kept in state_of(pipe):
            self.write("state", kept)

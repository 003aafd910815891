"""One run of a pipeline, from its beginning to its end, on a virtual clock."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

import rivusio
from rivusio.artifacts.mode import Mode
from rivusio.graph.settings import StageConfig
from rivusio.observe.monitoring import PipelineMonitor
from rivusio.pipes.base import BasePipe
from rivusio.testing.events import Event
from rivusio.testing.notes import listening
from rivusio.testing.recording.event_loop import consume_in_loop
from rivusio.testing.recording.iterating import consume_plainly
from rivusio.testing.recording.run_log import LEAVING, RunLog
from rivusio.testing.recording.single_items import process_in_loop, process_plainly
from rivusio.testing.recording.streaming import consume_stream
from rivusio.testing.recording.surroundings import garbage_in_order, hear_warnings, threads_at_once
from rivusio.testing.scripts import ConsumerScript, RunScript, SourceScript


def record(
    pipe: BasePipe[Any, Any],
    source: SourceScript,
    consumer: ConsumerScript | None = None,
    *,
    mode: Mode = "interpreted",
    monitor: bool = False,
    config: StageConfig | None = None,
) -> list[Event]:
    """Run a pipeline once, on a virtual clock, and give all that can be seen of the run.

    Told are: how the source is asked, what it gives, and who closes it; what the code of the
    pipes notes itself with `note`, `pause` and `wait`, for its calls cannot be seen from outside
    where its bodies are inlined; each output; the error with its fields, its places and what it
    came of; what the monitor counts at each output and in the end, and its measurements; the
    statistics of the buffers; what a pipe keeps on `self`; tasks, timers and threads that are
    left; warnings, and errors that nobody would see. All values are text.

    Nothing really waits: the event loop goes by the clock, too. What is given to a pool of
    threads is done at once, so that the order is the same each time. State on `self` goes on
    from one recording to the next: import the pipeline afresh to start equal.

    Args:
        pipe: a pipe or a chain.
        source: what the source does.
        consumer: what the consumer does; it takes everything if left out.
        mode: how the run is carried out; in mode `"compiled"` nothing is interpreted.
        monitor: whether a monitor observes the run.
        config: the settings of the run.

    Raises:
        NotCompiledError: in mode `"compiled"`, when there is nothing compiled to run.
        RecordingError: when the run can be neither ended nor cancelled.
        KeyboardInterrupt, SystemExit: when the run is left so.

    >>> from rivusio import map
    >>> events = record(map(str), SourceScript.of([1, 2], "iterable"))
    >>> for event in events:
    ...     print(event.at, event.kind, event.value)
    0.0 source iterated None
    0.0 ask None
    0.0 pull 1
    0.0 output '1'
    0.0 ask None
    0.0 pull 2
    0.0 output '2'
    0.0 ask None
    0.0 end None
    0.0 left tasks: 0, timers: 0
    """
    consumer = ConsumerScript() if consumer is None else consumer
    events, left_by = record_run(pipe, source, consumer, mode, config, monitor=monitor)
    if left_by is not None:
        raise left_by
    return events


def record_run(
    pipe: BasePipe[Any, Any],
    source: SourceScript,
    consumer: ConsumerScript,
    mode: Mode,
    config: StageConfig | None = None,
    *,
    monitor: bool = False,
) -> tuple[list[Event], BaseException | None]:
    """Do as `record`; a `SystemExit` or `KeyboardInterrupt` that leaves the run is given beside.

    It is the last event of the run, too.
    """
    script = RunScript(pipe, source, consumer, config)
    log = RunLog(PipelineMonitor() if monitor else None, consumer.cancelled_at)
    with ExitStack() as stack:
        stack.enter_context(rivusio.mode(mode))
        stack.enter_context(listening(log))
        stack.enter_context(threads_at_once())
        stack.enter_context(hear_warnings(log.note))
        stack.enter_context(garbage_in_order())
        try:
            _carry_out(script, log)
        except LEAVING as error:
            log.note_leaving(error)
        log.note_end(pipe)
    return log.events, log.left_by


def _carry_out(script: RunScript, log: RunLog) -> None:
    """Run the pipeline as the consumer's script says."""
    consumer = script.consumer
    if consumer.entry == "iterate":
        consume_plainly(script, log)
    elif consumer.entry == "stream":
        consume_in_loop(lambda: consume_stream(script, log), consumer, log)
    elif script.pipe.is_async:
        consume_in_loop(lambda: process_in_loop(script, log), consumer, log)
    else:
        process_plainly(script, log)

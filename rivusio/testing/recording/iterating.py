"""The consumer of `pipe.iterate(...)`, as its script says."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Any

import rivusio
from rivusio.pipes.base import SyncFamily
from rivusio.testing.recording.run_log import LEAVING, RunLog
from rivusio.testing.scripts import ConsumerScript, RunScript


def consume_plainly(script: RunScript, log: RunLog) -> None:
    """Run a sync pipe without an event loop; write down each output, and how it ends.

    Raises:
        NotCompiledError: when there is nothing compiled to run.
        KeyboardInterrupt, SystemExit: when the run is left so.
    """
    assert isinstance(script.pipe, SyncFamily)  # noqa: S101  the caller's script says so
    source: Any = script.source.source(log.clock)
    outputs = None
    try:
        outputs = script.pipe.iterate(
            source, config=script.config, monitor=log.monitor, clock=log.clock
        )
        _take(outputs, script.consumer, log)
    except (rivusio.NotCompiledError, *LEAVING):
        raise
    except BaseException as error:  # noqa: BLE001  it is what was to be seen
        log.note_error(error)
    del outputs
    if script.consumer.takes is not None:
        gc.collect()


def _take(outputs: Generator[Any, None, None], consumer: ConsumerScript, log: RunLog) -> None:
    """Take outputs: all, or so many as the consumer wants."""
    takes, count = consumer.takes, 0
    if takes != 0:
        for output in outputs:
            log.note_output(output)
            count += 1
            if consumer.slow:
                log.clock.wait(consumer.slow)
            if count == takes:
                break
        else:
            log.write("end")
            return
    log.write("enough")
    if consumer.leaves == "aclose":
        outputs.close()
        log.write("left by close")

"""The consumer of `pipe.stream(...)`, as its script says."""

from __future__ import annotations

import asyncio
from typing import Any

import rivusio
from rivusio.runs.run import Run
from rivusio.testing.recording.run_log import LEAVING, RunLog
from rivusio.testing.scripts import ConsumerScript, RunScript


class LeavingError(Exception):
    """What a consumer that `"raise"`s raises."""


async def consume_stream(script: RunScript, log: RunLog) -> None:
    """Start a run and take its outputs; write down each of them, and how it ends.

    Raises:
        NotCompiledError: when there is nothing compiled to run.
    """
    source = script.source.source(log.clock)
    try:
        run = script.pipe.stream(source, config=script.config, monitor=log.monitor, clock=log.clock)
    except rivusio.NotCompiledError:
        raise
    except Exception as error:  # noqa: BLE001  what refuses to start is told, too
        log.note_error(error, "refused")
        return
    consumer, stopping = script.consumer, None
    if consumer.stops_after is not None:
        loop = asyncio.get_running_loop()
        stopping = loop.call_later(consumer.stops_after, run.stop)
    try:
        await _consume(run, consumer, log)
    except Exception as error:  # noqa: BLE001  it is what was to be seen
        log.note_error(error)
    except LEAVING as error:  # here, and not in the event loop, which it would break off
        log.note_leaving(error)
    finally:
        if stopping is not None:
            stopping.cancel()
        for each in run.buffers:
            log.note("buffer", each)


async def _consume(run: Run[Any], consumer: ConsumerScript, log: RunLog) -> None:
    how, takes = consumer.leaves, consumer.takes
    if takes == 0 and how == "stop":
        run.stop()
    if takes is None or how in ("break", "stop"):
        if not (takes == 0 and how == "break"):
            await _take(run, consumer, log)
    elif how == "aclose":
        await _take(run, consumer, log)
        await run.aclose()
        log.write("left by aclose")
    else:
        async with run:
            await _take(run, consumer, log)
            if how == "raise":
                raise LeavingError


async def _take(run: Run[Any], consumer: ConsumerScript, log: RunLog) -> None:
    """Take outputs: all, or so many as the consumer wants."""
    takes, count = consumer.takes, 0
    if takes == 0 and consumer.leaves != "stop":
        return
    async for output in run:
        log.note_output(output)
        count += 1
        if consumer.slow:
            await asyncio.sleep(consumer.slow)
        if count == takes:
            if consumer.leaves != "stop":
                log.write("enough")
                return
            log.write("stop")
            run.stop()
    log.write("end")

"""A whole run of a pipeline, told as the list of everything that can be seen of it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterable, Generator
from contextlib import ExitStack
from typing import Any

import rivusio
from rivusio.artifacts.mode import Mode
from rivusio.graph.settings import StageConfig
from rivusio.observe.monitoring import PipelineMonitor
from rivusio.pipes.base import AsyncPipeline, BasePipe, SyncFamily, SyncPipeline, chain_of
from rivusio.runs.run import Run
from rivusio.testing.as_text import text_of, told
from rivusio.testing.clock import VirtualClock
from rivusio.testing.notes import listening
from rivusio.testing.observed import monitored, state_of
from rivusio.testing.recorder import Event
from rivusio.testing.scripts import ConsumerScript, SourceScript
from rivusio.testing.surroundings import garbage_in_order, heard, threads_at_once
from rivusio.testing.virtual_loop import VirtualLoop

LONG = 3600.0  # seconds on the clock for what goes on after a bare `break`
LEAVING = (KeyboardInterrupt, SystemExit)  # what leaves even an event loop
PATIENCE = 3  # how often a run that is stuck is cancelled before it is given up


class RecordingError(RuntimeError):
    """A run that can be neither ended nor cancelled."""


class LeavingError(Exception):
    """What a consumer that `"raise"`s raises."""


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
    events, left_by = recorded(pipe, source, consumer, mode, config, monitor=monitor)
    if left_by is not None:
        raise left_by
    return events


def recorded(
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
    recording = _Recording(pipe, source, consumer)
    with ExitStack() as stack:
        stack.enter_context(rivusio.mode(mode))
        stack.enter_context(listening(recording))
        stack.enter_context(threads_at_once())
        stack.enter_context(heard(recording.note))
        stack.enter_context(garbage_in_order())
        recording.carry_out(PipelineMonitor() if monitor else None, config)
    return recording.events, recording.left_by


class _Recording:
    """One run on its way, and what was seen of it so far."""

    def __init__(
        self, pipe: BasePipe[Any, Any], source: SourceScript, consumer: ConsumerScript
    ) -> None:
        self.events: list[Event] = []
        self._pipe = pipe
        self._source = source
        self._consumer = consumer
        self._clock = VirtualClock()
        self._monitor: PipelineMonitor | None = None
        self._config: StageConfig | None = None
        self._waits = 0
        self._stuck = 0
        self._task: asyncio.Task[None] | None = None
        self.left_by: BaseException | None = None

    def note(self, kind: str, value: object = None) -> None:
        """Write an event down, its value as text."""
        self._write(kind, None if value is None else text_of(value))

    def _write(self, kind: str, text: str | None = None) -> None:
        # To the millisecond: the timeout of a single item is measured by the system's clock.
        self.events.append(Event(round(self._clock.now(), 3), kind, text))

    def waits(self) -> None:
        """Write down that user code waits, and cancel the consumer if this is the place."""
        self._waits += 1
        self._write("wait", str(self._waits))
        if self._waits == self._consumer.cancelled_at and self._task is not None:
            self._write("cancelled here")
            self._task.cancel()

    def carry_out(self, monitor: PipelineMonitor | None, config: StageConfig | None) -> None:
        """Run the pipeline as the consumer's script says."""
        self._monitor, self._config = monitor, config
        try:
            self._carry_out()
        except LEAVING as error:
            self._note_left(error)
        self._look_at_what_is_there()

    def _note_left(self, error: BaseException) -> None:
        self.left_by = error
        self._write("left by", told(error))

    def _carry_out(self) -> None:
        if self._consumer.entry == "iterate":
            self._iterate()
        elif self._consumer.entry == "process" and not self._pipe.is_async:
            self._process_plainly()
        else:
            with asyncio.Runner(loop_factory=self._loop) as runner:
                loop = runner.get_loop()
                loop.set_exception_handler(self._note_unhandled)
                runner.run(self._in_loop())

    def _loop(self) -> VirtualLoop:
        return VirtualLoop(self._clock, self._on_stuck)

    def _on_stuck(self) -> None:
        self._stuck += 1
        if self._task is None or self._task.done() or self._stuck > PATIENCE:
            raise RecordingError("nothing is left that could run")
        self._write("stuck: cancelled")
        self._task.cancel()

    def _note_unhandled(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._write("unhandled", told(error) if error is not None else context["message"])

    async def _in_loop(self) -> None:
        process = self._consumer.entry == "process"
        before = asyncio.all_tasks()
        self._task = asyncio.create_task(self._process() if process else self._stream())
        timer = self._set_timer(self._task)
        await asyncio.wait([self._task])
        if timer is not None:
            timer.cancel()
        if self._task.cancelled():
            self._write("cancelled")
        elif (error := self._task.exception()) is not None:
            if isinstance(error, rivusio.NotCompiledError):
                raise error
            self._write("error", told(error))
        self._task = None  # a task that was cancelled keeps the run that it was in
        if self._leaves_late():
            gc.collect()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        left = asyncio.all_tasks() - before
        if left and self._leaves_late():
            await asyncio.wait(left, timeout=LONG)
            left = {each for each in left if not each.done()}
        self._write("left", f"tasks: {len(left)}, timers: {self._clock.pending}")

    def _leaves_late(self) -> bool:
        """Tell whether the loop's own hook has to close the generator, in a task of its own."""
        script = self._consumer
        is_cancelled = script.cancelled_at is not None or script.cancelled_after is not None
        return is_cancelled or (script.takes is not None and script.leaves == "break")

    def _set_timer(self, task: asyncio.Task[None]) -> asyncio.TimerHandle | None:
        if self._consumer.cancelled_after is None:
            return None
        loop = asyncio.get_running_loop()
        return loop.call_later(self._consumer.cancelled_after, task.cancel)

    async def _stream(self) -> None:
        source = self._source.source(self._clock)
        try:
            run = self._pipe.stream(
                source, config=self._config, monitor=self._monitor, clock=self._clock
            )
        except rivusio.NotCompiledError:
            raise
        except Exception as error:  # noqa: BLE001  what refuses to start is told, too
            self._write("refused", told(error))
            return
        stopping = None
        if self._consumer.stops_after is not None:
            loop = asyncio.get_running_loop()
            stopping = loop.call_later(self._consumer.stops_after, run.stop)
        try:
            await self._consume(run)
        except Exception as error:  # noqa: BLE001  it is what was to be seen
            self._write("error", told(error))
        except LEAVING as error:  # here, and not in the event loop, which it would break off
            self._note_left(error)
        finally:
            if stopping is not None:
                stopping.cancel()
            for each in run.buffers:
                self.note("buffer", each)

    async def _consume(self, run: Run[Any]) -> None:
        how, takes = self._consumer.leaves, self._consumer.takes
        if takes == 0 and how == "stop":
            run.stop()
        if takes is None or how in ("break", "stop"):
            if not (takes == 0 and how == "break"):
                await self._take(run, run)
        elif how == "aclose":
            await self._take(run, run)
            await run.aclose()
            self._write("left by aclose")
        else:
            async with run:
                await self._take(run, run)
                if how == "raise":
                    raise LeavingError

    async def _take(self, run: Run[Any], outputs: AsyncIterable[Any]) -> None:
        takes, count = self._consumer.takes, 0
        if takes == 0 and self._consumer.leaves != "stop":
            return
        async for output in outputs:
            self._note_output(output)
            count += 1
            if self._consumer.slow:
                await asyncio.sleep(self._consumer.slow)
            if count == takes:
                if self._consumer.leaves != "stop":
                    self._write("enough")
                    return
                self._write("stop")
                run.stop()
        self._write("end")

    def _iterate(self) -> None:
        assert isinstance(self._pipe, SyncFamily)  # noqa: S101  the caller's script says so
        source: Any = self._source.source(self._clock)
        outputs = None
        try:
            outputs = self._pipe.iterate(
                source, config=self._config, monitor=self._monitor, clock=self._clock
            )
            self._take_plainly(outputs)
        except (rivusio.NotCompiledError, *LEAVING):
            raise
        except BaseException as error:  # noqa: BLE001  it is what was to be seen
            self._write("error", told(error))
        del outputs
        if self._consumer.takes is not None:
            gc.collect()

    def _take_plainly(self, outputs: Generator[Any, None, None]) -> None:
        takes, count = self._consumer.takes, 0
        if takes != 0:
            for output in outputs:
                self._note_output(output)
                count += 1
                if self._consumer.slow:
                    self._clock.wait(self._consumer.slow)
                if count == takes:
                    break
            else:
                self._write("end")
                return
        self._write("enough")
        if self._consumer.leaves == "aclose":
            outputs.close()
            self._write("left by close")

    def _process_plainly(self) -> None:
        chain = self._chain()
        assert isinstance(chain, SyncPipeline)  # noqa: S101  its stages are sync
        for item in self._source.items:
            self.note("process", item)
            try:
                self._note_output(chain.process(item))
            except (rivusio.NotCompiledError, *LEAVING):
                raise
            except BaseException as error:  # noqa: BLE001  it is what was to be seen
                self._write("error", told(error))

    async def _process(self) -> None:
        chain = self._chain()
        assert isinstance(chain, AsyncPipeline)  # noqa: S101  one of its stages is async
        for item in self._source.items:
            self.note("process", item)
            try:
                self._note_output(await chain.process(item))
            except rivusio.NotCompiledError:
                raise
            except Exception as error:  # noqa: BLE001  it is what was to be seen
                self._write("error", told(error))
            except LEAVING as error:  # see _stream
                self._note_left(error)
                return

    def _chain(self) -> BasePipe[Any, Any]:
        """Give the chain of which single items are asked: a lone pipe is one of one stage."""
        if isinstance(self._pipe, SyncPipeline | AsyncPipeline):
            return self._pipe
        chain = chain_of(self._pipe._rivusio_stages())
        chain._rivusio_place = self._pipe._rivusio_place
        return chain

    def _note_output(self, output: object) -> None:
        self.note("output", output)
        if self._monitor is not None:
            self._write("counts", monitored(self._monitor))

    def _look_at_what_is_there(self) -> None:
        if self._monitor is not None:
            self._write("measured", monitored(self._monitor, whole=True))
        for kept in state_of(self._pipe):
            self._write("state", kept)

"""A run over the items of an input, to its end or until signals end it."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TypeVar

from rivusio.artifacts.mode import NotCompiledError, NotCompiledWarning
from rivusio.cli.running.error_policies import LetterError
from rivusio.cli.signals import Ended, Stopping
from rivusio.cli.terminal import say
from rivusio.errors import StreamError
from rivusio.graph.callables import is_async_callable
from rivusio.graph.origins import Place
from rivusio.graph.stage import Stage
from rivusio.io.line_items import LineError, LineItems
from rivusio.observe.monitoring import MetricsCollector
from rivusio.runs.start import plain_execution, start_run
from rivusio.user_code.refusal import Refusal

Write = Callable[[object], None]
Started = TypeVar("Started")


@dataclass(frozen=True, slots=True)
class Consumption:
    """What is to be run, and what is to become of it.

    Attributes:
        stages: the stages.
        place: what has made the chain, if that is known.
        items: the input.
        write: is given each result.
        monitor: observes the run.
        options: those that have changed what the stages do with items that fail.
        may_give_letters: whether a stage may hand lines that do not fit to the user's code.
    """

    stages: Sequence[Stage]
    place: Place | None
    items: LineItems
    write: Write
    monitor: MetricsCollector | None
    options: str = ""
    may_give_letters: bool = False


def needs_loop(stages: Sequence[Stage]) -> bool:
    """Tell whether only an event loop can serve stages, or their settings."""
    return any(
        stage.is_async
        or stage.settings.backpressure is not None
        or is_async_callable(stage.settings.on_error)
        for stage in stages
    )


def consume(what: Consumption, stopping: Stopping) -> None:
    """Run, and write the results.

    Raises:
        StreamError: when a stage or the source fails.
        Ended: when a signal has cancelled the run.
        Refusal: when it cannot start.
    """
    try:
        if needs_loop(what.stages):
            asyncio.run(_consume_in_loop(what, stopping))
        else:
            _consume_plainly(what, stopping)
    except asyncio.CancelledError:
        if stopping.last is None:  # a stage has cancelled the task of the run
            raise Refusal("a stage has cancelled the run") from None
        raise Ended(stopping.last) from None
    except StreamError as error:
        if isinstance(error.error, LineError) and error.pending:
            error.add_note(f"pending items: {len(error.pending)}")
        if not isinstance(error.error, LetterError):
            raise
        letter = error.error  # it belongs to a stage, though it came up while a line was read
        letter.pending = error.pending
        raise letter from letter.error


def _consume_plainly(what: Consumption, stopping: Stopping) -> None:
    execution = _start(
        what, lambda: plain_execution(what.stages, what.items, what.monitor, what.place)
    )
    with (
        stopping.stop_run(what.items.lines.stop),
        _report_loss(lambda: execution.run.closing.discarded),
        closing(execution.plain_outputs()) as results,
    ):
        for result in results:
            what.write(result)


async def _consume_in_loop(what: Consumption, stopping: Stopping) -> None:
    items = what.items
    live = items.lines.may_wait or what.may_give_letters
    results = _start(
        what,
        lambda: start_run(
            what.stages,
            items.live() if live else items,
            None,
            what.monitor,
            None,
            what.place,
        ),
    )
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101  a coroutine runs in a task

    def stop() -> None:
        items.lines.stop()
        results.stop()

    def cancel() -> None:
        loop.call_soon_threadsafe(task.cancel)

    with (
        stopping.stop_run(stop, cancel),
        _report_loss(lambda: results._execution.run.closing.discarded),
    ):
        async with results:
            async for result in results:
                what.write(result)


@contextmanager
def _report_loss(discarded: Callable[[], int]) -> Iterator[None]:
    """Say what a run that was cancelled has lost."""
    try:
        yield
    except (KeyboardInterrupt, asyncio.CancelledError):
        count = discarded()
        lost = "1 item is" if count == 1 else f"{count:,} items are"
        say(f"cancelled: {lost} lost that the stages held", err=True)
        raise


def _start(what: Consumption, start: Callable[[], Started]) -> Started:
    try:
        if not what.options:
            return start()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", NotCompiledWarning)
            started = start()
    except (NotCompiledError, NotCompiledWarning, TypeError, ValueError) as error:
        raise Refusal(f"cannot run: {error}") from error
    for each in caught:
        if issubclass(each.category, NotCompiledWarning) and "stale: " not in str(each.message):
            say(
                f"note: the chain runs interpreted, as it was compiled without {what.options}; "
                f"say on_error in the file, and compile it, to have both",
                err=True,
            )
        else:
            warnings.showwarning(each.message, each.category, each.filename, each.lineno)
    return started

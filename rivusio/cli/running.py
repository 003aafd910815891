"""`rivusio run` and `rivusio graph`: a pipeline over lines, and its stages."""

from __future__ import annotations

import asyncio
import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from signal import SIGINT, signal
from typing import Any, BinaryIO, TextIO, TypeVar

import click

from rivusio.cli.first_type import maker_of, type_of_items
from rivusio.cli.messages import told_in_lines
from rivusio.cli.tables import AnyPipe, counts_of, stages_of, totals_of
from rivusio.cli.terminal import say, show
from rivusio.lines import Kind, Lines, as_line, kind_of, partial_of, replaced
from rivusio.mode import NotCompiledError
from rivusio.monitoring import PipelineMonitor
from rivusio.pipeline import SyncFamily
from rivusio.runs import Run
from rivusio.stage import Stage, is_async_callable
from rivusio.user_file import Refusal, find_pipeline, shown

STDERR = 2
STOPPING = b"stopping: what the stages hold is passed on; Ctrl-C again cancels\n"

Write = Callable[[object], None]
Started = TypeVar("Started")

INPUT = "The input, one item a line; - is stdin, and the default."
ITEMS = "What a line holds. By default JSON if DATA ends in .jsonl or .json, else text."
INSTEAD = "use --output FILE"
OUTPUT = "The results, one a line; - is stdout, and the default."


@click.command()
@click.argument("target")
@click.option("--input", "source", metavar="DATA", default="-", help=INPUT)
@click.option("--items", "kind", type=click.Choice(["text", "json"]), help=ITEMS)
@click.option("--output", metavar="OUT", default="-", help=OUTPUT)
@click.option("--stats", is_flag=True, help="Show what the stages have counted, on stderr.")
def run(target: str, source: str, kind: Kind | None, output: str, *, stats: bool) -> None:
    """Run a pipeline over the lines of DATA, and write each result as a line.

    A result that is a string is written as it is, anything else as JSON. OUT is replaced only
    when the run has come to its end; until then the results are in OUT.partial. JSON is made
    by pydantic into what the first stage takes, if that says so.
    """
    with told_in_lines(INSTEAD):
        name, pipe = find_pipeline(target)
        monitor = PipelineMonitor() if stats else None
        try:
            with ExitStack() as files:
                data = files.enter_context(_input(source))
                lines = _lines(pipe, data, source, kind or kind_of(source))
                file = files.enter_context(_output(output))
                _consume(pipe, lines, _writer(file, at_once=lines.may_wait), monitor)
        finally:
            if monitor is not None:
                show(counts_of(name, monitor), err=True)
                say(totals_of(monitor), err=True)


@click.command()
@click.argument("target")
def graph(target: str) -> None:
    """Show the stages of a pipeline: what they do, and their settings."""
    with told_in_lines():
        show(stages_of(*find_pipeline(target)))


# Lines in and out


def _lines(pipe: AnyPipe, data: BinaryIO, source: str, kind: Kind) -> Lines:
    make = maker_of(type_of_items(pipe._rivusio_stages())) if kind == "json" else None
    return Lines(data, "stdin" if source == "-" else source, kind, make)


@contextmanager
def _input(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        if sys.stdin.isatty():
            say("reading lines from the terminal; end with Ctrl-D", err=True)
        yield sys.stdin.buffer
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115  closed below
    except OSError as error:
        reason = f'cannot read "{name}": {error.strerror}; give another file with --input'
        raise Refusal(reason) from error
    with file:
        yield file


@contextmanager
def _output(name: str) -> Iterator[TextIO]:
    if name == "-":
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
        yield sys.stdout
        return
    path = Path(name)
    try:
        with replaced(path) as file:
            yield file
    except BrokenPipeError:
        raise
    except OSError as error:  # ours: what fails in the user's code is a StreamError
        reason = f'cannot write "{name}": {error.strerror}; give another file with --output'
        raise Refusal(reason) from error
    except BaseException as error:
        if (partial := partial_of(path)).exists():
            error.add_note(f'"{name}" is as it was; the results so far are in "{shown(partial)}"')
        raise


def _writer(file: TextIO, *, at_once: bool) -> Write:
    """Give what writes a result: at once, where the next may be long in coming."""

    def write(result: object) -> None:
        file.write(as_line(result) + "\n")
        if at_once:
            file.flush()

    return write


# Runs


def _consume(pipe: AnyPipe, lines: Lines, write: Write, monitor: PipelineMonitor | None) -> None:
    if isinstance(pipe, SyncFamily) and not any(map(_needs_loop, pipe._rivusio_stages())):
        try:
            with closing(_started(lambda: pipe.iterate(lines, monitor=monitor))) as results:
                for result in results:
                    write(result)
        except KeyboardInterrupt:
            say("interrupted: what the stages held is discarded", err=True)
            raise
        return
    try:
        asyncio.run(_consume_in_loop(pipe, lines, write, monitor))
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


async def _consume_in_loop(
    pipe: AnyPipe, lines: Lines, write: Write, monitor: PipelineMonitor | None
) -> None:
    source = lines.live() if lines.may_wait else lines
    results = _started(lambda: pipe.stream(source, monitor=monitor))
    with _stopped_by_ctrl_c(results):
        async with results:
            async for result in results:
                write(result)


@contextmanager
def _stopped_by_ctrl_c(run: Run[Any]) -> Iterator[None]:
    """Let the first Ctrl-C stop the run, the second cancel it, the third break off whatever runs.

    Raises:
        KeyboardInterrupt: once a run that was stopped has ended.
    """
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None  # noqa: S101  a coroutine runs in a task
    pressed = 0

    def press(*_: object) -> None:
        nonlocal pressed
        pressed += 1
        if pressed == 1:
            os.write(STDERR, STOPPING)  # a print could meet itself in a signal handler
            run.stop()
        elif pressed == 2:
            loop.call_soon_threadsafe(task.cancel)
        else:
            raise KeyboardInterrupt

    before = signal(SIGINT, press)
    try:
        yield
    finally:
        signal(SIGINT, before)
    if pressed:
        raise KeyboardInterrupt


def _needs_loop(stage: Stage) -> bool:
    """Tell whether a stage of a sync chain has settings that only an event loop can serve."""
    settings = stage.settings
    return settings.backpressure is not None or is_async_callable(settings.on_error)


def _started(start: Callable[[], Started]) -> Started:
    try:
        return start()
    except (NotCompiledError, TypeError, ValueError) as error:
        raise Refusal(f"cannot run: {error}") from error

"""The command `rivusio`: run a pipeline over lines, show its stages, or check its joints."""

from __future__ import annotations

import asyncio
import io
import json
import os
import select
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from signal import SIGINT, signal
from types import ModuleType
from typing import Any, BinaryIO, NoReturn, TextIO, TypeVar, assert_never

import click
from rich.console import Console
from rich.table import Table

import rivusio
from rivusio.errors import StreamError
from rivusio.lines import Kind, LineError, Lines, as_line, kind_of, partial_of, replaced
from rivusio.mode import NotCompiledError
from rivusio.monitoring import PipelineMonitor
from rivusio.pipeline import BasePipe, SyncFamily
from rivusio.runs import Run
from rivusio.stage import (
    Batch,
    Filter,
    FlatMap,
    Map,
    Operation,
    SlidingWindow,
    Stage,
    Take,
    TumblingWindow,
    UserStream,
    is_async_callable,
)
from rivusio.user_file import Refusal, find_pipeline, place_of, shown, told

FAILED = 1
INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C has ended
LONGEST = 200  # characters of an item in a message
STDERR = 2
STOPPING = b"stopping: what the stages hold is passed on; Ctrl-C again cancels\n"
WIDEST = 1000  # characters of a line of a table that goes to a file

AnyPipe = BasePipe[Any, Any]  # a user's pipeline has the user's types
Write = Callable[[object], None]
Started = TypeVar("Started")

INPUT = "The input, one item a line; - is stdin, and the default."
ITEMS = "What a line holds. By default JSON if DATA ends in .jsonl or .json, else text."
FORM = "Lines for people, or a list of objects for editors and CI."
OUTPUT = "The results, one a line; - is stdout, and the default."

TIMEOUT = "How long mypy may take, in seconds; 120 by default."


@click.group()
@click.version_option(rivusio.__version__, prog_name="rivusio", message="%(prog)s %(version)s")
def main() -> None:
    """Stream pipelines of small typed pipes, joined with >>.

    A TARGET is a Python file that holds a pipeline, or FILE:NAME where it holds several.
    """


@main.command()
@click.argument("target")
@click.option("--input", "source", metavar="DATA", default="-", help=INPUT)
@click.option("--items", "kind", type=click.Choice(["text", "json"]), help=ITEMS)
@click.option("--output", metavar="OUT", default="-", help=OUTPUT)
@click.option("--stats", is_flag=True, help="Show what the stages have counted, on stderr.")
def run(target: str, source: str, kind: Kind | None, output: str, *, stats: bool) -> None:
    """Run a pipeline over the lines of DATA, and write each result as a line.

    A result that is a string is written as it is, anything else as JSON. OUT is replaced only
    when the run has come to its end; until then the results are in OUT.partial.
    """
    with _told_in_lines():
        name, pipe = find_pipeline(target)
        monitor = PipelineMonitor() if stats else None
        try:
            with ExitStack() as files:
                data = files.enter_context(_input(source))
                lines = Lines(data, "stdin" if source == "-" else source, kind or kind_of(source))
                file = files.enter_context(_output(output))
                _consume(pipe, lines, _writer(file, at_once=lines.may_wait), monitor)
        finally:
            if monitor is not None:
                _show(_counts(name, monitor), Console(stderr=True, markup=False))


@main.command()
@click.argument("target")
def graph(target: str) -> None:
    """Show the stages of a pipeline: what they do, and their settings."""
    with _told_in_lines():
        _show(_stages(*find_pipeline(target)), Console(markup=False))


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--output", "form", type=click.Choice(["text", "json"]), default="text", help=FORM)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help=TIMEOUT)
def check(files: tuple[str, ...], form: str, timeout: float | None) -> None:
    """Check every joint of every chain in Python files.

    It runs nothing of yours, and writes nothing but a cache for mypy. mypy says what the types
    are, under your own settings; what it finds besides wrong joints is shown as warnings. The exit
    code is 1 if there is an error, 0 otherwise.
    """
    with _told_in_lines():
        oracle, checker = _compiler()
        try:
            report = checker.check(files, timeout or oracle.TIMEOUT)
        except oracle.OracleError as error:
            raise Refusal(str(error)) from error
        if form == "json":
            click.echo(json.dumps([asdict(each) for each in report.diagnostics], indent=2))
        else:
            for diagnostic in report.diagnostics:
                click.echo(str(diagnostic))
            click.echo(report.summary, err=True)
        if report.failed:
            sys.stdout.flush()
            sys.exit(FAILED)


def _compiler() -> tuple[ModuleType, ModuleType]:
    """Give the modules of the compiler: a production install has not what they need."""
    from rivusio.compiler import check, oracle

    if not oracle.is_there():
        raise Refusal('this needs mypy: pip install "rivusio[compiler]"')
    return oracle, check


# Lines in and out


@contextmanager
def _input(name: str) -> Iterator[BinaryIO]:
    if name == "-":
        if sys.stdin.isatty():
            click.echo("reading lines from the terminal; end with Ctrl-D", err=True)
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
            click.echo("interrupted: what the stages held is discarded", err=True)
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


# Tables


def _stages(name: str, pipe: AnyPipe) -> Table:
    table = Table(title=name)
    table.add_column("stage", justify="right")
    for title in ("name", "what it does", "family", "settings"):
        table.add_column(title, overflow="fold")
    for number, stage in enumerate(pipe._rivusio_stages(), 1):
        family = "async" if stage.pipe.is_async else "sync"
        settings = "\n".join(_settings(stage))
        table.add_row(str(number), stage.name, _words(stage.operation), family, settings)
    return table


def _words(operation: Operation) -> str:
    match operation:
        case Map():
            return "one item to one"
        case Filter():
            return "filter"
        case FlatMap():
            return "one item to many"
        case Take(count=count):
            return f"the first {count} items"
        case Batch(size=size, linger=None):
            return f"batch of {size}"
        case Batch(size=size, linger=linger):
            return f"batch of {size}, linger {linger:g} s"
        case TumblingWindow(size=seconds):
            return f"tumbling window of {seconds:g} s"
        case SlidingWindow(size=size, step=step):
            return f"sliding window of {size}, step {step}"
        case UserStream():
            return "stream to stream"
        case _:
            assert_never(operation)


def _settings(stage: Stage) -> Iterator[str]:
    """Say what applies to a stage, in the order in which it does."""
    settings = stage.settings
    if (buffer := settings.backpressure) is not None:
        yield f"buffer of {buffer.max_buffer_size}, overflow {buffer.overflow}"
    if (concurrency := stage.concurrency) is not None:
        yield (
            f"{concurrency.limit} at once, {'' if concurrency.ordered else 'un'}ordered"
            f"{', in threads' if concurrency.threads else ''}"
        )
    if settings.timeout is not None:
        yield f"timeout {settings.timeout:g} s"
    if (retry := settings.retry) is not None:
        yield f"{retry.attempts} tries, delay {retry.delay:g} s, backoff {retry.backoff:g}"
    if stage.handler is not None:
        yield "handle_error"
    if settings.on_error == "skip":
        yield "on_error: skip"
    elif callable(settings.on_error):
        yield f"dead letters to {_name_of(settings.on_error)}"
    if settings.skip_none:
        yield "skip_none"


def _name_of(function: object) -> str:
    if isinstance(function, BasePipe):
        return function.name
    return str(getattr(function, "__qualname__", type(function).__name__))


COUNTED = ("errors", "retries", "filtered", "skipped", "dead_letters", "dropped", "discarded")


def _counts(name: str, monitor: PipelineMonitor) -> Table:
    """Show the counts; those that are 0 everywhere are left out."""
    metrics = monitor.get_metrics()
    counts = ["items_in", "items_out", *(count for count in COUNTED if metrics[count])]
    caption = (
        f"{metrics['items_in']:,} items in, {metrics['items_out']:,} out, "
        f"{metrics['total_time']:.3f} s, {metrics['throughput']:,.0f} items/s"
    )
    table = Table(title=name, caption=caption)
    table.add_column("stage", justify="right")
    table.add_column("name", overflow="fold")
    for count in counts:
        table.add_column(count.replace("_", " "), justify="right")
    for number, stage in enumerate(metrics["stages"], 1):
        table.add_row(str(number), stage["name"], *(f"{stage[count]:,}" for count in counts))
    return table


def _show(table: Table, console: Console) -> None:
    """Print a table, as wide as it must be where no terminal says how wide it may be."""
    if not console.is_terminal:
        wide = console.options.update_width(WIDEST)
        console.width = max(console.width, console.measure(table, options=wide).maximum)
    console.print(table)


# Messages


@contextmanager
def _told_in_lines() -> Iterator[None]:
    """Turn what leaves a command into a message and an exit code."""
    try:
        for name in ("stdin", "stdout"):
            if getattr(sys, name) is None:
                _leave(FAILED, [f"error: {name} is closed; open it, or give it /dev/null"])
        yield
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        _leave(INTERRUPTED, _notes(error))
    except Refusal as refusal:
        _leave(FAILED, [f"error: {refusal}"])
    except StreamError as error:
        if isinstance(error.error, BrokenPipeError) and _nobody_reads():
            _leave_quietly()  # a stage that prints has noticed it first
        _leave(FAILED, _story(error) + _notes(error))
    except BrokenPipeError:
        _leave_quietly()
    except OSError as error:  # ours: what fails in the user's code is a StreamError
        _leave(FAILED, [f"error: cannot write the results: {error.strerror}; use --output FILE"])
    except Exception as error:  # noqa: BLE001  a bug: it deserves a report, not a traceback
        frame = traceback.extract_tb(error.__traceback__)[-1]
        at = f"{frame.filename}:{frame.lineno}"
        reason = f"error: rivusio itself failed at {at}: {told(error)}; please report it"
        _leave(FAILED, [reason, *_notes(error)])


def _leave(code: int, message: list[str]) -> NoReturn:
    with suppress(OSError, AttributeError):  # what is written so far; a closed stdout is None
        sys.stdout.flush()
    for line in message:
        click.echo(line, err=True)
    sys.exit(code)


def _notes(error: BaseException) -> list[str]:
    return [f"    {note}" for note in getattr(error, "__notes__", [])]


def _nobody_reads() -> bool:
    """Tell whether stdout is a pipe whose reader has gone."""
    if sys.platform == "win32":  # select() there knows sockets only
        return False
    poll = select.poll()
    poll.register(sys.stdout, select.POLLOUT)
    return any(event & select.POLLERR for _, event in poll.poll(0))


def _leave_quietly() -> NoReturn:
    """Exit well: the reader, such as `head`, has all it wants."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(0)


def _story(error: StreamError) -> list[str]:
    """Tell which stage failed, on what, and where in the user's code."""
    cause = error.error
    assert cause is not None  # noqa: S101  a StreamError of a run has its cause
    if isinstance(cause, LineError):
        return [f"error: {cause}"]
    place = place_of(cause)
    where = f"{place[0]}: " if place else ""
    stage = "the source" if error.stage is None else f'stage {error.stage + 1} "{error.pipe}"'
    item = "" if error.item_index is None else f" at item {error.item_index}"
    lines = [f"{where}error: {stage} failed{item}: {told(cause)}"]
    if place:
        lines.append(f"    {place[1]}")
    if error.stage is not None:
        lines.append(f"    its input was {_short(error.item)}")
    if error.pending:
        lines.append(f"    pending items: {len(error.pending)}")
    return lines + _notes(cause)


def _short(item: object) -> str:
    shown = repr(item)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"


if __name__ == "__main__":
    main()

"""`rivusio run`: a pipeline over the lines of a file."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import click

from rivusio.cli.item_types import type_of_items, type_of_results
from rivusio.cli.line_readings import ItemsOption, reading_of
from rivusio.cli.messages import report_failures
from rivusio.cli.running.consumption import Consumption, Write, consume, needs_loop
from rivusio.cli.running.error_policies import Choice, apply_policy, policy_for_lines, skip
from rivusio.cli.running.files import open_input, open_letters, open_output
from rivusio.cli.running.outcome import Outcome
from rivusio.cli.running.statistics import show_statistics
from rivusio.cli.signals import Ended, Stopping, catch_signals
from rivusio.cli.terminal import say
from rivusio.graph.stage import Stage
from rivusio.io.line_items import LineItems
from rivusio.io.lines import Lines
from rivusio.io.output_files import Writable
from rivusio.io.results import ResultError, as_line, encoder_of
from rivusio.pipes.base import BasePipe
from rivusio.user_code.pipeline_file import find_pipeline
from rivusio.user_code.refusal import Refusal

INPUT = "The input, one item a line; - is stdin, and the default."
ITEMS = "What a line holds, whatever the first stage takes."
INSTEAD = "use --output FILE"
OUTPUT = "The results, one a line; - is stdout, and the default."
ON_ERROR = (
    "What becomes of items that fail, and of lines that do not fit: skip, for stages that do not "
    "say it themselves; raise, for all."
)
LETTERS = "Append what failed to FILE, a JSON object a line; the run goes on (--on-error skip)."


@dataclass(frozen=True, slots=True)
class Options:
    """What the user has asked of a run."""

    source: str
    items: ItemsOption | None
    output: str
    on_error: Choice | None
    letters: str | None
    stats: bool

    @property
    def of_errors(self) -> str:
        """The options that say what becomes of items that fail, as they are written."""
        if self.letters is not None:
            return "--dead-letters"
        return "" if self.on_error is None else f"--on-error {self.on_error}"


@click.command()
@click.argument("target")
@click.option("--input", "source", metavar="DATA", default="-", help=INPUT)
@click.option("--items", type=click.Choice(["text", "json"]), help=ITEMS)
@click.option("--output", metavar="OUT", default="-", help=OUTPUT)
@click.option("--on-error", type=click.Choice(["raise", "skip"]), help=ON_ERROR)
@click.option("--dead-letters", "letters", metavar="FILE", help=LETTERS)
@click.option("--stats", is_flag=True, help="Show what the stages have counted, on stderr.")
def run(
    target: str,
    source: str,
    items: ItemsOption | None,
    output: str,
    on_error: Choice | None,
    letters: str | None,
    *,
    stats: bool,
) -> None:
    """Run a pipeline over the lines of DATA, and write each result as a line.

    Where the first stage takes str, a line is text; where it takes bytes, the line without its
    end; else it is JSON, from which pydantic makes what the stage takes. Where no type says so, it
    is JSON if DATA ends in .jsonl, .ndjson or .json, else text.

    A result that is a string is written as it is, anything else as JSON. OUT is replaced only
    when the run has come to its end.

    Ctrl-C and SIGTERM end the input: what the stages hold is passed on. Then OUT is replaced only
    if the input was stdin. The second one cancels.

    The exit code is 1 where the run failed, or every item did.
    """
    if letters is not None and on_error == "raise":
        raise click.UsageError("--dead-letters goes with --on-error skip, not with raise")
    options = Options(source, items, output, on_error, letters, stats)
    with catch_signals() as stopping, report_failures(INSTEAD):
        name, pipe = find_pipeline(target)
        _run(name, pipe, options, stopping)
        if stopping.last is not None:
            raise Ended(stopping.last)


def _run(name: str, pipe: BasePipe[Any, Any], options: Options, stopping: Stopping) -> None:
    with ExitStack() as files:
        data = files.enter_context(open_input(options.source))
        letters = files.enter_context(open_letters(options.letters, options.source, options.output))
        stages = apply_policy(pipe._rivusio_stages(), options.on_error, letters)
        in_loop = needs_loop(stages)
        policy = policy_for_lines(stages, options.on_error, letters, in_loop=in_loop)
        its = type_of_items(stages)
        input_name = "stdin" if options.source == "-" else options.source
        lines = Lines(data, input_name)
        reading = reading_of(its, options.source, options.items)
        items = LineItems(lines, reading, policy, remembers=letters is not None)
        if letters is not None:
            letters.items = items
        output = files.enter_context(open_output(options.output))
        outcome = Outcome(stages, items, wanted=options.stats)
        write = _make_writer(output.file, stages, outcome, at_once=lines.may_wait)
        what = Consumption(
            stages,
            pipe._rivusio_place,
            items,
            write,
            outcome.beside(pipe._rivusio_monitor),
            options.of_errors,
            policy is not None and policy is not skip,
        )
        try:
            consume(what, stopping)
        finally:
            if letters is not None and letters.count:
                count = "1 item" if letters.count == 1 else f"{letters.count:,} items"
                say(f'{count} failed: see "{options.letters}"', err=True)
            outcome.tell_of_skipped(lines=policy is skip)
            if options.stats and outcome.monitor is not None:
                show_statistics(name, outcome.monitor)
        outcome.refuse_if_all_failed()
        output.file.flush()
        if stopping.last is not None and not (options.source == "-" or lines.ended):
            raise Ended(stopping.last)  # the results are not those of the whole file


def _make_writer(
    file: Writable, stages: tuple[Stage, ...], outcome: Outcome, *, at_once: bool
) -> Write:
    """Give what writes a result: at once, where the next may be long in coming."""
    encode = encoder_of(type_of_results(stages))

    def write(result: object) -> None:
        try:
            line = as_line(result, encode)
        except ResultError as error:
            last = f'stage {len(stages)} "{stages[-1].name}"'
            number = outcome.results + 1
            raise Refusal(f"result {number} of {last} cannot be written: {error}") from error
        file.write(line)
        outcome.results += 1
        if at_once:
            file.flush()

    return write

"""`rivusio explain`: what the compiler makes of each stage, and why it is no better."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from typing import TYPE_CHECKING

import click
from rich.table import Table

from rivusio.cli.compiling.compilation import as_json_object, compile_files, leave_if_failed
from rivusio.cli.compiling.json_output import report_failures_as_json
from rivusio.cli.compiling.options import (
    files_argument,
    form_option,
    no_import_option,
    timeout_option,
)
from rivusio.cli.messages import report_failures
from rivusio.cli.terminal import say, show

if TYPE_CHECKING:
    from rivusio.compiler.driver import Chain


@click.command()
@files_argument
@no_import_option
@form_option
@timeout_option
def explain(files: tuple[str, ...], form: str, timeout: float | None, *, no_import: bool) -> None:
    """Show what the compiler makes of each stage, and why it is no better.

    Nothing is written; mypy verifies the modules, as it does when they are compiled, since what it
    does not take in a loop stays a call. Stages with one number in the column "loop" run in one
    flat loop.
    """
    with report_failures(), report_failures_as_json(form, as_json_object):
        done = compile_files(files, writes=False, no_import=no_import, timeout=timeout)
        if form == "json":
            say(json.dumps(as_json_object(map(asdict, done.diagnostics), done), indent=2))
        else:
            for diagnostic in done.diagnostics:
                say(str(diagnostic), err=True)
            for chain in done.chains:
                show(_make_table(chain))
            if not (done.chains or done.unmade or done.failed):
                say("no chain found", err=True)
        leave_if_failed(done)


def _make_table(chain: Chain) -> Table:
    table = Table(title=f"{chain.name}  {chain.path}:{chain.line}")
    for title in ("stage", "loop"):
        table.add_column(title, justify="right")
    for title in ("name", "takes", "gives", "how", "why", "where"):
        table.add_column(title, overflow="fold")
    for number, stage in enumerate(chain.stages, 1):
        table.add_row(
            str(number),
            str(stage.loop),
            stage.name,
            _drop_modules(stage.takes),
            _drop_modules(stage.gives),
            stage.how,
            stage.why,
            stage.where,
        )
    return table


def _drop_modules(annotation: str) -> str:
    """Give a type without the modules of its classes."""
    return re.sub(r"\bm0?_\w+\.", "", annotation)

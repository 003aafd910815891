"""`rivusio compile` and `rivusio explain`: flat modules for chains, and what was made of them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from rivusio.cli.checking import FORM, TIMEOUT, compiler
from rivusio.cli.messages import FAILED, told_in_lines
from rivusio.cli.terminal import say, show
from rivusio.user_file import Refusal

if TYPE_CHECKING:
    from rivusio.compiler.driver import Chain, Compilation

CHECK = "Write nothing; exit with 1 if an artifact is missing or stale (or, with --strict, calls)."
NO_IMPORT = "Never import a file, also where its text alone does not tell what its chains are."
STRICT = "Let any stage that stays a call be an error."
DUMP = "Show the plans, or the modules, instead of writing anything."


@click.command(name="compile")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", "only_check", is_flag=True, help=CHECK)
@click.option("--no-import", is_flag=True, help=NO_IMPORT)
@click.option("--strict", is_flag=True, help=STRICT)
@click.option("--dump", type=click.Choice(["plan", "module"]), help=DUMP)
@click.option("--output", "form", type=click.Choice(["text", "json"]), default="text", help=FORM)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help=TIMEOUT)
def compile_(
    files: tuple[str, ...],
    form: str,
    timeout: float | None,
    *,
    only_check: bool,
    no_import: bool,
    strict: bool,
    dump: str | None,
) -> None:
    """Write one flat module for each chain of Python files.

    The modules stand in __rivusio__ beside each file, and run in the chains' place. Every joint
    is checked, and mypy verifies what was written. A file is imported, in a process of its own,
    only where its text does not tell what its chains are. The exit code is 1 if there is an error;
    a file with an error keeps the modules that it has.
    """
    with told_in_lines():
        driver = compiler("driver")
        if only_check:
            _only_check(files, strict=strict)
            return
        options = driver.Options(not no_import, timeout or driver.TIMEOUT, strict)
        make = driver.compile_files if dump is None else driver.explained
        try:
            done = make(files, options)
        except driver.FAILURES as error:
            raise Refusal(str(error)) from error
        if dump is None:
            _tell(done, form)
        else:
            _dump(done, dump)


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--no-import", is_flag=True, help=NO_IMPORT)
@click.option("--output", "form", type=click.Choice(["text", "json"]), default="text", help=FORM)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help=TIMEOUT)
def explain(files: tuple[str, ...], form: str, timeout: float | None, *, no_import: bool) -> None:
    """Show what the compiler makes of each stage, and why it is no better.

    Nothing is written; mypy verifies the modules, as it does when they are compiled, since what it
    does not take in a loop stays a call. Stages with one number in the column "loop" run in one
    flat loop.
    """
    with told_in_lines():
        driver = compiler("driver")
        options = driver.Options(not no_import, timeout or driver.TIMEOUT)
        try:
            done = driver.explained(files, options)
        except driver.FAILURES as error:
            raise Refusal(str(error)) from error
        if form == "json":
            chains = [_as_json(each) for each in done.chains]
            diagnostics = [asdict(each) for each in done.diagnostics]
            say(json.dumps({"chains": chains, "diagnostics": diagnostics}, indent=2))
        else:
            for diagnostic in done.diagnostics:
                say(str(diagnostic), err=True)
            for chain in done.chains:
                show(_table(chain))
            if not done.chains and not done.failed:
                say("no chain found", err=True)
        _leave_if_failed(done)


def _only_check(files: Sequence[str], *, strict: bool) -> None:
    artifact = compiler("artifact")
    for file in files:
        if not Path(file).is_file():
            raise Refusal(f'cannot check "{file}": there is no such file; give a Python file')
    stale = [(file, artifact.outdated(Path(file))) for file in dict.fromkeys(files)]
    for file, reason in stale:
        if reason is not None:
            say(f"{file}: {reason}; run `rivusio compile {file}`")
    calls = [each for file, reason in stale if strict and not reason for each in _calls(file)]
    for each in calls:
        say(each)
    if calls or any(reason is not None for _, reason in stale):
        sys.stdout.flush()
        sys.exit(FAILED)


def _calls(file: str) -> Iterator[str]:
    """Say which stages of a file's artifacts are calls."""
    for chain, index, stage in compiler("artifact").calls(Path(file)):
        told = f'stage {index + 1} "{stage.name}" is {stage.how}: {stage.why}'
        yield f'{file}: chain "{chain}", {told}'


def _dump(done: Compilation, what: str) -> None:
    plans = compiler("dump")
    for diagnostic in done.diagnostics:
        say(str(diagnostic), err=True)
    for chain in done.chains:
        say(plans.dump(chain.plan) if what == "plan" else chain.text)
    _leave_if_failed(done)


def _tell(done: Compilation, form: str) -> None:
    if form == "json":
        chains = [_as_json(each) for each in done.chains]
        diagnostics = [asdict(each) for each in done.diagnostics]
        told: dict[str, Any] = {
            "chains": chains,
            "diagnostics": diagnostics,
            "fresh": list(done.fresh),
        }
        say(json.dumps(told, indent=2))
    else:
        for diagnostic in done.diagnostics:
            say(str(diagnostic))
        for chain in done.chains:
            say(f"{chain.name} -> {chain.artifact}  ({_summary(chain)})", err=True)
        for path in done.fresh:
            say(f"{path}: up to date", err=True)
        for path in done.without_chains:
            say(f"{path}: no chain found", err=True)
    _leave_if_failed(done)


def _leave_if_failed(done: Compilation) -> None:
    if done.failed:
        sys.stdout.flush()
        sys.exit(FAILED)


def _summary(chain: Chain) -> str:
    loops = len({stage.loop for stage in chain.stages})
    inlined = sum(stage.how == "inlined" for stage in chain.stages)
    stages = f"{len(chain.stages)} stage{'s' if len(chain.stages) != 1 else ''}"
    return f"{stages} in {loops} loop{'s' if loops != 1 else ''}, {inlined} inlined"


def _as_json(chain: Chain) -> dict[str, Any]:
    return {
        "name": chain.name,
        "path": chain.path,
        "line": chain.line,
        "artifact": chain.artifact,
        "stages": [stage.model_dump() for stage in chain.stages],
    }


def _table(chain: Chain) -> Table:
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
            _short(stage.takes),
            _short(stage.gives),
            stage.how,
            stage.why,
            stage.where,
        )
    return table


def _short(annotation: str) -> str:
    """Give a type without the modules of its classes."""
    return re.sub(r"\bm0?_\w+\.", "", annotation)

"""`rivusio compile`: a flat module for each chain of files."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from rivusio.cli.compiling.compilation import as_json_object, compile_files, leave_if_failed
from rivusio.cli.compiling.compiler_modules import import_compiler
from rivusio.cli.compiling.json_output import report_failures_as_json
from rivusio.cli.compiling.options import (
    files_argument,
    form_option,
    no_import_option,
    timeout_option,
)
from rivusio.cli.compiling.up_to_date import check_artifacts
from rivusio.cli.messages import report_failures
from rivusio.cli.terminal import say

if TYPE_CHECKING:
    from rivusio.compiler.driver import Chain, Compilation

CHECK = "Write nothing; exit with 1 if a module is missing or stale (or, with --strict, calls)."
STRICT = "Let any stage that stays a call be an error."
DUMP = "Show the plans, or the modules, instead of writing anything."


@click.command(name="compile")
@files_argument
@click.option("--check", "only_check", is_flag=True, help=CHECK)
@no_import_option
@click.option("--strict", is_flag=True, help=STRICT)
@click.option("--dump", type=click.Choice(["plan", "module"]), help=DUMP)
@form_option
@timeout_option
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

    The modules stand in __rivusio__ beside each file, and run in the chains' place. Every join
    is checked, and mypy verifies what was written. A file is imported, in a process of its own,
    only where its text does not tell what its chains are. The exit code is 1 if there is an error.
    A chain with an error is left out; a file that cannot be compiled keeps the modules that it has.
    """
    with report_failures(), report_failures_as_json(form, as_json_object):
        if only_check:
            check_artifacts(files, form, strict=strict)
            return
        done = compile_files(
            files, writes=dump is None, no_import=no_import, timeout=timeout, strict=strict
        )
        _report(done, form, dump)


def _report(done: Compilation, form: str, dump: str | None) -> None:
    if form == "json":
        told = as_json_object(map(asdict, done.diagnostics), done)
        for record, chain in zip(told["chains"], done.chains, strict=True):
            if dump is not None:
                record[dump] = _dump(chain, dump)
        say(json.dumps(told, indent=2))
    else:
        for diagnostic in done.diagnostics:
            say(str(diagnostic), err=dump is not None)
        for chain in done.chains:
            if dump is not None:
                say(_dump(chain, dump))
            else:
                say(f"{chain.name} -> {chain.artifact}  ({_summarize(chain)})", err=True)
        for path in done.fresh:
            say(f"{path}: up to date", err=True)
        for path in done.without_chains if dump is None else ():
            say(f"{path}: no chain found", err=True)
        for path in _files_stopped_elsewhere(done):
            say(f"{path}: not compiled; it keeps the modules that it has", err=True)
    leave_if_failed(done)


def _files_stopped_elsewhere(done: Compilation) -> list[str]:
    """Give the files that an error elsewhere has stopped."""
    told = {each.path for each in done.diagnostics if each.severity == "error"}
    return [path for path in done.unfinished if path not in told]


def _dump(chain: Chain, what: str) -> str:
    if what == "module":
        return chain.text
    text: str = import_compiler("rivusio.compiler.ir.dump").dump(chain.plan)
    return text


def _summarize(chain: Chain) -> str:
    loops = len({stage.loop for stage in chain.stages})
    inlined = sum(stage.how == "inlined" for stage in chain.stages)
    stages = f"{len(chain.stages)} stage{'s' if len(chain.stages) != 1 else ''}"
    return f"{stages} in {loops} loop{'s' if loops != 1 else ''}, {inlined} inlined"

"""`rivusio compile` and `rivusio explain`: flat modules for chains, and what was made of them."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from rivusio.cli.checking import FORM, TIMEOUT, compiler, told_as_json
from rivusio.cli.messages import FAILED, told_in_lines
from rivusio.cli.terminal import say, show
from rivusio.user_code.user_file import Refusal

if TYPE_CHECKING:
    from rivusio.compiler.artifacts.index import Unmade
    from rivusio.compiler.diagnostics import Diagnostic
    from rivusio.compiler.driver import Chain, Compilation

CHECK = "Write nothing; exit with 1 if a module is missing or stale (or, with --strict, calls)."
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
    only where its text does not tell what its chains are. The exit code is 1 if there is an error.
    A chain with an error is left out; a file that cannot be compiled keeps the modules that it has.
    """
    with told_in_lines(), told_as_json(form, _as_object):
        driver = compiler("rivusio.compiler.driver")
        if only_check:
            _only_check(files, form, strict=strict)
            return
        options = driver.Options(not no_import, timeout or driver.TIMEOUT, strict)
        make = driver.compile_files if dump is None else driver.explain
        try:
            done = make(files, options)
        except driver.FAILURES as error:
            raise Refusal(str(error)) from error
        _tell(done, form, dump)


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
    with told_in_lines(), told_as_json(form, _as_object):
        driver = compiler("rivusio.compiler.driver")
        options = driver.Options(not no_import, timeout or driver.TIMEOUT)
        try:
            done = driver.explain(files, options)
        except driver.FAILURES as error:
            raise Refusal(str(error)) from error
        if form == "json":
            say(json.dumps(_as_object(map(asdict, done.diagnostics), done), indent=2))
        else:
            for diagnostic in done.diagnostics:
                say(str(diagnostic), err=True)
            for chain in done.chains:
                show(_table(chain))
            if not (done.chains or done.unmade or done.failed):
                say("no chain found", err=True)
        _leave_if_failed(done)


def _only_check(files: Sequence[str], form: str, *, strict: bool) -> None:
    for file in files:
        if not Path(file).is_file():
            raise Refusal(f'cannot check "{file}": there is no such file; give a Python file')
    once = compiler("rivusio.compiler.apart").each_once(files)
    said = {file: list(_said_of(file, strict=strict)) for file in once}
    wrong = [file for file, each in said.items() if any(one.is_wrong for one in each)]
    if form == "json":
        told = _as_object(asdict(one.diagnostic) for each in said.values() for one in each)
        told["fresh"] = [file for file in once if file not in wrong]
        say(json.dumps(told, indent=2))
    else:
        for one in (one for each in said.values() for one in each):
            say(one.line, err=not one.is_wrong)
    if wrong:
        sys.stdout.flush()
        sys.exit(FAILED)


@dataclass(frozen=True, slots=True)
class _Said:
    """One line of `--check`, and the same for machines; what is not wrong is a warning."""

    line: str
    diagnostic: Diagnostic

    @property
    def is_wrong(self) -> bool:
        return self.diagnostic.severity == "error"


def _said_of(file: str, *, strict: bool) -> Iterator[_Said]:
    """Say what is wrong with the artifacts of a file, and which of its chains have none."""
    artifact, planning = (
        compiler("rivusio.compiler.artifacts.index"),
        compiler("rivusio.compiler.planning"),
    )
    run = f"run `rivusio compile {file}`"
    reason = artifact.tell_outdated(Path(file))
    if reason is not None:
        yield _Said(f"{file}: {reason}; {run}", replace(planning.failure(file, reason), note=run))
        return
    for each in artifact.read_index(Path(file)).unmade:
        said = planning.repeat_reason(file, each)
        line = f"{file}: {said.message}; {run if each.failed else 'it runs interpreted'}"
        yield _Said(line, said)
    for chain, index, stage in artifact.list_calls(Path(file)) if strict else ():
        told = f'stage {index + 1} "{stage.name}" is {stage.how}: {stage.why}'
        wrong = planning.failure(file, f'chain "{chain}", {told}')
        yield _Said(f"{file}: {wrong.message}", wrong)


def _tell(done: Compilation, form: str, dump: str | None) -> None:
    if form == "json":
        told = _as_object(map(asdict, done.diagnostics), done)
        for record, chain in zip(told["chains"], done.chains, strict=True):
            if dump is not None:
                record[dump] = _dumped(chain, dump)
        say(json.dumps(told, indent=2))
    else:
        for diagnostic in done.diagnostics:
            say(str(diagnostic), err=dump is not None)
        for chain in done.chains:
            if dump is not None:
                say(_dumped(chain, dump))
            else:
                say(f"{chain.name} -> {chain.artifact}  ({_summary(chain)})", err=True)
        for path in done.fresh:
            say(f"{path}: up to date", err=True)
        for path in done.without_chains if dump is None else ():
            say(f"{path}: no chain found", err=True)
        for path in _not_told(done):
            say(f"{path}: not compiled; it keeps the modules that it has", err=True)
    _leave_if_failed(done)


def _not_told(done: Compilation) -> list[str]:
    """Give the files that an error elsewhere has stopped."""
    told = {each.path for each in done.diagnostics if each.severity == "error"}
    return [path for path in done.unfinished if path not in told]


def _dumped(chain: Chain, what: str) -> str:
    text: str = (
        compiler("rivusio.compiler.ir.dump").dump(chain.plan) if what == "plan" else chain.text
    )
    return text


def _leave_if_failed(done: Compilation) -> None:
    if done.failed:
        sys.stdout.flush()
        sys.exit(FAILED)


def _summary(chain: Chain) -> str:
    loops = len({stage.loop for stage in chain.stages})
    inlined = sum(stage.how == "inlined" for stage in chain.stages)
    stages = f"{len(chain.stages)} stage{'s' if len(chain.stages) != 1 else ''}"
    return f"{stages} in {loops} loop{'s' if loops != 1 else ''}, {inlined} inlined"


def _as_object(
    diagnostics: Iterable[dict[str, Any]], done: Compilation | None = None
) -> dict[str, Any]:
    """Give what `--output json` writes, whatever comes of a command."""
    return {
        "chains": [] if done is None else [_as_json(each) for each in done.chains],
        "unmade": [] if done is None else [_unmade(*each) for each in done.unmade],
        "diagnostics": list(diagnostics),
        "fresh": [] if done is None else list(done.fresh),
        "unfinished": [] if done is None else list(done.unfinished),
    }


def _as_json(chain: Chain) -> dict[str, Any]:
    return {
        "name": chain.name,
        "path": chain.path,
        "line": chain.line,
        "artifact": chain.artifact,
        "stages": [stage.model_dump() for stage in chain.stages],
    }


def _unmade(path: str, unmade: Unmade) -> dict[str, Any]:
    return {"name": unmade.chain, "path": path} | unmade.model_dump(exclude={"chain"})


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

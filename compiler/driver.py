"""All phases of the compiler, in order: one function each.

`apart` says which files mypy can be asked for in one go, `examine` reads them and checks the joins
of their chains, `plan` finds out what each stage is and makes modules of them, `validate` lets mypy
verify those, and `artifact.write` lays them beside the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from rivusio.artifacts.manifest import FOLDER, StageReport
from rivusio.compiler import apart
from rivusio.compiler.artifacts import write as artifact_files
from rivusio.compiler.artifacts.index import Unmade, read_index, tell_outdated
from rivusio.compiler.backends.python.templates import read_templates
from rivusio.compiler.check import examine, in_order
from rivusio.compiler.diagnostics import COMPILE, Diagnostic
from rivusio.compiler.frontend.source import Source
from rivusio.compiler.ir.explain import STAYS_A_CALL
from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.mypy_server import client
from rivusio.compiler.planning import Planned, failure, plan, repeat_reason
from rivusio.compiler.typecheck.request import TIMEOUT, OracleError
from rivusio.compiler.validate import validate
from rivusio.compiler.validate.validate import Made

FAILURES = (OracleError, artifact_files.ArtifactError)  # each says why, in one line


@dataclass(frozen=True, slots=True)
class Options:
    """How files are to be compiled.

    Attributes:
        may_import: whether a file may be imported, in a child process, where its text alone
            does not tell what its chains are.
        timeout: how long mypy, and such an import, may take, in seconds.
        strict: whether a stage that stays a call is an error.
    """

    may_import: bool = True
    timeout: float = TIMEOUT
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """One compiled chain of a file.

    Attributes:
        name: what it is called.
        line: where it is made.
        path: the file that has it.
        artifact: the generated module.
        text: what is in it.
        plan: the plan after all passes.
        stages: what was made of each stage.
    """

    name: str
    line: int
    path: str
    artifact: str
    text: str
    plan: Plan
    stages: tuple[StageReport, ...]


@dataclass(frozen=True, slots=True)
class Compilation:
    """What came of compiling some files.

    Attributes:
        diagnostics: errors and warnings.
        chains: what was compiled.
        fresh: the files whose artifacts were up to date, so that nothing was done.
        without_chains: the files that have no chain.
        unfinished: the files that could not be compiled at all: their artifacts are as they were.
        unmade: the chains that have no module, each with its file.
    """

    diagnostics: tuple[Diagnostic, ...] = ()
    chains: tuple[Chain, ...] = ()
    fresh: tuple[str, ...] = ()
    without_chains: tuple[str, ...] = ()
    unfinished: tuple[str, ...] = ()
    unmade: tuple[tuple[str, Unmade], ...] = ()

    @property
    def failed(self) -> bool:
        """Tell whether there is an error among the diagnostics."""
        return any(each.severity == "error" for each in self.diagnostics)


def compile_files(paths: Sequence[str], options: Options) -> Compilation:
    """Compile every chain of the files, and write the artifacts beside them.

    A chain with an error is left out. A file in which nothing could be compiled, or which mypy
    could not be asked for, keeps the artifacts that it has.

    Raises:
        OracleError: when mypy gives no answer for any of them.
        ArtifactError: when nothing can be written.
    """
    named = apart.each_once(paths)
    # What is up to date has not been looked at as strictly as that.
    fresh = [] if options.strict else [each for each in named if _is_fresh(each, options)]
    stale = [path for path in named if path not in fresh]
    work = _Work(stale)
    if stale:
        work.validate(options, keeps=True)
        if options.strict:
            work.refuse_calls()
        work.write(options)
    done = work.compilation()
    unmade = [(path, each) for path in fresh for each in read_index(Path(path)).unmade]
    said = [repeat_reason(path, each) for path, each in unmade]
    return replace(
        done,
        diagnostics=in_order([*said, *done.diagnostics], named),
        fresh=tuple(fresh),
        unmade=(*unmade, *done.unmade),
    )


def _is_fresh(path: str, options: Options) -> bool:
    """Tell whether compiling a file again would bring nothing."""
    if tell_outdated(Path(path)) is not None:
        return False
    index = read_index(Path(path))
    may_bring_more = options.may_import and not index.imported and index.unmade
    return not may_bring_more and not any(each.failed for each in index.unmade)


def explain(paths: Sequence[str], options: Options) -> Compilation:
    """Do the same, but write nothing.

    Raises:
        OracleError: when mypy gives no answer for any of them.
    """
    work = _Work(apart.each_once(paths))
    work.validate(options, keeps=False)
    return work.compilation()


class _Work:
    """The files of one command, and what has come of them so far."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = paths
        self._planned: list[Planned] = []
        self._failures: dict[str, Exception] = {}

    def validate(self, options: Options, *, keeps: bool) -> None:
        """Plan the files and let mypy verify the modules; what it does not take is called."""
        with client.keep_child():
            read_templates()  # mypy takes longer to be there
            ask = partial(_validate, options=options, keeps=keeps)
            for group, done in apart.each_apart(self._paths, ask, options.timeout):
                if isinstance(done, OracleError):
                    self._failures |= dict.fromkeys(group, done)
                else:
                    self._planned.append(done)
        self._raise_if_all_failed()

    def refuse_calls(self) -> None:
        """Leave out the chains with a stage that stays a call."""
        for planned in self._planned:
            for each in list(planned.made):
                said = list(_calls(each, planned.sources[each.path]))
                if said:
                    planned.diagnostics.extend(said)
                    planned.made.remove(each)
                    planned.leave_out(each.path, each.chain.chain.name, each.span, said)

    def write(self, options: Options) -> None:
        """Write what was compiled; a file of which all went wrong keeps what it has."""
        for planned in self._planned:
            for path in list(planned.looked_at):
                made = [each for each in planned.made if each.path == path]
                unmade = planned.unmade.get(path, [])
                if not made and any(each.failed for each in unmade):
                    continue
                try:
                    artifact_files.write(
                        Path(path),
                        [each.written for each in made],
                        unmade,
                        planned.looked_at[path],
                        imported=options.may_import,
                    )
                except artifact_files.ArtifactError as error:
                    self._failures[path] = error
                    del planned.looked_at[path]
        self._raise_if_all_failed()

    def _raise_if_all_failed(self) -> None:
        apart.raise_if_all_failed(self._failures.get(path) for path in self._paths)

    def compilation(self) -> Compilation:
        """Give the outcome."""
        diagnostics = [failure(path, str(error)) for path, error in self._failures.items()]
        made: list[Made] = []
        unmade: list[tuple[str, Unmade]] = []
        finished: set[str] = set()
        for planned in self._planned:
            diagnostics.extend(planned.diagnostics)
            finished |= planned.looked_at.keys()
            made.extend(each for each in planned.made if each.path in planned.looked_at)
            for path, left in planned.unmade.items():
                unmade.extend((path, each) for each in left)
        order = {path: index for index, path in enumerate(self._paths)}
        with_chains = {each.path for each in made} | {path for path, _ in unmade}
        return Compilation(
            in_order(diagnostics, self._paths),
            tuple(_chain(each) for each in sorted(made, key=lambda each: order[each.path])),
            without_chains=tuple(
                path for path in self._paths if path in finished and path not in with_chains
            ),
            unfinished=tuple(path for path in self._paths if path not in finished),
            unmade=tuple(sorted(unmade, key=lambda each: order[each[0]])),
        )


def _validate(paths: list[str], options: Options, *, keeps: bool) -> Planned:
    """Plan files and let mypy verify the modules."""
    seen = examine(paths, options.timeout, single_stage=True)
    planned = plan(seen, may_import=options.may_import, timeout=options.timeout)
    texts = [(source.path, source.text) for source in planned.sources.values()]
    planned.made, invalid = validate.validate(planned.made, texts, options.timeout, keeps=keeps)
    for each in invalid:
        made = each.made
        planned.diagnostics.extend(each.diagnostics)
        planned.leave_out(made.path, made.chain.chain.name, made.span, each.diagnostics)
    return planned


def _calls(made: Made, source: Source) -> Iterator[Diagnostic]:
    """Say which stages stay calls, for `--strict`."""
    column = source.column(made.span.line, made.span.column)
    for index, stage in enumerate(made.written.manifest.report):
        if stage.how in STAYS_A_CALL:
            message = f'stage {index + 1} "{stage.name}" is {stage.how}: {stage.why}'
            yield Diagnostic(made.path, made.span.line, column, "error", message, COMPILE)


def _chain(made: Made) -> Chain:
    folder = Path(made.path).parent / FOLDER
    return Chain(
        made.written.manifest.chain,
        made.span.line,
        made.path,
        str(folder / f"{made.written.name}.py"),
        made.written.text,
        made.plan,
        made.written.manifest.report,
    )

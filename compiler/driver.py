"""All phases of the compiler, in order: one function each.

`examine` reads the files and checks the joints of their chains, `resolved` says what each stage
is, `run_passes` and `emit` make modules of them, `proved` lets mypy verify those, and
`artifact.write` lays them beside the files.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import rivusio
from rivusio.compiled.manifest import FOLDER, StageReport
from rivusio.compiler import artifact, mypy_child, proving, resolve
from rivusio.compiler.check import examine, in_order
from rivusio.compiler.emit import FormatError, Refused, emit
from rivusio.compiler.ir import COMPILE, Diagnostic
from rivusio.compiler.oracle import TIMEOUT, OracleError
from rivusio.compiler.passes import run_passes
from rivusio.compiler.plan import Plan, plan_of
from rivusio.compiler.proving import Made, made_of
from rivusio.compiler.rendering import read_templates
from rivusio.compiler.report import STAYS_A_CALL
from rivusio.compiler.source import Source

FAILURES = (OracleError, artifact.ArtifactError, FormatError)  # each says why, in one line


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
    """

    diagnostics: tuple[Diagnostic, ...] = ()
    chains: tuple[Chain, ...] = ()
    fresh: tuple[str, ...] = ()
    without_chains: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Tell whether there is an error among the diagnostics."""
        return any(each.severity == "error" for each in self.diagnostics)


def compile_files(paths: Sequence[str], options: Options) -> Compilation:
    """Compile every chain of the files, and write the artifacts beside them.

    A file with an error keeps the artifacts that it has.

    Raises:
        OracleError: when mypy gives no answer.
        ArtifactError: when nothing can be written.
    """
    named = list(dict.fromkeys(paths))
    # What is up to date has not been looked at as strictly as that.
    fresh = [] if options.strict else [path for path in named if _is_fresh(path)]
    stale = [path for path in named if path not in fresh]
    if not stale:
        return Compilation(fresh=tuple(fresh))
    planned = _proved(stale, options, keeps=True)
    wrong = {each.path for each in planned.diagnostics if each.severity == "error"}
    for path, source in planned.sources.items():
        if path not in wrong and source.path not in wrong:
            _write(path, planned)
    done = _compilation(planned, stale, wrong)
    return replace(done, fresh=tuple(fresh))


def _is_fresh(path: str) -> bool:
    return artifact.outdated(Path(path)) is None


def explained(paths: Sequence[str], options: Options) -> Compilation:
    """Do the same, but write nothing.

    Raises:
        OracleError: when mypy gives no answer.
    """
    planned = _proved(list(dict.fromkeys(paths)), options, keeps=False)
    return _compilation(planned, paths, set())


def _proved(paths: Sequence[str], options: Options, *, keeps: bool) -> Planned:
    """Plan files and let mypy verify the modules; what it does not take is called."""
    with mypy_child.kept():
        read_templates()  # mypy takes longer to be there
        planned = plan_files(paths, options)
        texts = [(source.path, source.text) for source in planned.sources.values()]
        planned.made, said = proving.proved(planned.made, texts, options.timeout, keeps=keeps)
    planned.diagnostics.extend(said)
    if options.strict:
        for each in planned.made:
            planned.diagnostics.extend(_calls(each, planned.sources[each.path]))
    return planned


def _compilation(planned: Planned, paths: Sequence[str], wrong: set[str]) -> Compilation:
    chains = tuple(_chain(each) for each in planned.made if each.path not in wrong)
    told = {each.path for each in planned.made} | {
        each.path
        for each in planned.diagnostics
        if each.severity == "error" or each.code == COMPILE
    }
    empty = tuple(path for path in planned.sources if path not in told)
    return Compilation(in_order(planned.diagnostics, paths), chains, without_chains=empty)


@dataclass(slots=True)
class Planned:
    """Chains that are ready to be written."""

    sources: dict[str, Source]
    made: list[Made]
    diagnostics: list[Diagnostic]
    looked_at: dict[str, set[str]]


def plan_files(paths: Sequence[str], options: Options) -> Planned:
    """Do all phases up to the text of the modules; nothing is written."""
    seen = examine(paths, options.timeout, lone=True)
    planned = Planned(seen.sources, [], list(seen.diagnostics), {})
    for file in seen.files:
        source = seen.sources[file.path]
        resolution = resolve.resolved(
            source, file, may_import=options.may_import, timeout=options.timeout
        )
        planned.diagnostics.extend(resolution.diagnostics)
        chains = resolution.chains
        for each, made in zip(chains, _made(file.path, chains), strict=True):
            if isinstance(made, Refused):
                planned.diagnostics.append(_refused(file.path, each, source, made.reason))
                continue
            planned.made.append(made)
        planned.looked_at[file.path] = {file.path, *_files(chains)}
    return planned


def _files(chains: Sequence[resolve.ResolvedChain]) -> Iterator[str]:
    for chain in chains:
        for stage in chain.stages:
            if stage.function is not None:
                yield stage.function.file


def _made(path: str, chains: Sequence[resolve.ResolvedChain]) -> Iterator[Made | Refused]:
    """Write the modules of a file's chains."""
    names = artifact.artifact_names(Path(path), [each.chain.name for each in chains])
    plans = [run_passes(plan_of(each.chain.name, each.stages)) for each in chains]
    emitted = emit(plans, rivusio.__version__)
    for each, name, plan, module in zip(chains, names, plans, emitted, strict=True):
        if isinstance(module, Refused):
            yield module
            continue
        yield made_of(path, each, name, plan, module)


def _refused(path: str, of: resolve.ResolvedChain, source: Source, reason: str) -> Diagnostic:
    message = (
        f'chain "{of.chain.name}" is not compiled: Python does not take the code of its '
        f"{len(of.stages)} stages ({reason})"
    )
    span = of.chain.span
    column = source.column(span.line, span.column)
    note = "it runs interpreted; functions with shorter expressions can be compiled"
    return Diagnostic(path, span.line, column, "warning", message, COMPILE, note)


def _calls(made: Made, source: Source) -> Iterator[Diagnostic]:
    """Say which stages stay calls, for `--strict`."""
    column = source.column(made.span.line, made.span.column)
    for index, stage in enumerate(made.written.manifest.report):
        if stage.how in STAYS_A_CALL:
            message = f'stage {index + 1} "{stage.name}" is {stage.how}: {stage.why}'
            yield Diagnostic(made.path, made.span.line, column, "error", message, COMPILE)


def _write(path: str, planned: Planned) -> None:
    written = [each.written for each in planned.made if each.path == path]
    artifact.write(Path(path), written, planned.looked_at.get(path, {path}))


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

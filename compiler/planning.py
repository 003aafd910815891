"""Files -> the texts of their chains' modules, and why a chain has none.

The trouble of one chain, or of one file, is told and stops no other.
"""

from __future__ import annotations

import tokenize
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import rivusio
from rivusio.compiler.artifacts import write
from rivusio.compiler.artifacts.index import Unmade
from rivusio.compiler.artifacts.write import ArtifactError
from rivusio.compiler.backends.python.format import FormatError
from rivusio.compiler.backends.python.module import GeneratedModule, Refused, render_modules
from rivusio.compiler.check import Examined, mismatches_of
from rivusio.compiler.diagnostics import COMPILE, Diagnostic, Severity
from rivusio.compiler.frontend.source import Source
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.ir.plan import Plan, make_plan
from rivusio.compiler.passes import run_passes
from rivusio.compiler.resolve import resolve
from rivusio.compiler.resolve.resolve import Resolution, ResolvedChain
from rivusio.compiler.typecheck.request import TypedFile
from rivusio.compiler.validate.validate import Made, add_manifest
from rivusio.user_code.describe import describe_error

ONLY_RUNNING = "only running the file tells what it is"


@dataclass(slots=True)
class Planned:
    """What has come of files that mypy was asked for together.

    Attributes:
        sources: those that could be read.
        looked_at: for each file that was gone through to its end, the hashes of all that it was
            made from. The others are left as they are.
        made: the chains with a module.
        unmade: the others, by file.
        diagnostics: errors and warnings.
        stopped: whether something stopped mypy.
    """

    sources: dict[str, Source]
    diagnostics: list[Diagnostic]
    stopped: bool
    looked_at: dict[str, dict[str, str]] = field(default_factory=dict)
    made: list[Made] = field(default_factory=list)
    unmade: dict[str, list[Unmade]] = field(default_factory=dict)

    def leave_out(self, path: str, name: str, span: Span, said: Sequence[Diagnostic]) -> None:
        """Note that a chain has no module, and why; the first error counts."""
        errors = [each for each in said if each.severity == "error"]
        first = next(iter([*errors, *said]), None)
        column = self.sources[path].column(span.line, span.column)
        why = ONLY_RUNNING if first is None else first.message
        for head in (f'chain "{name}"', f'"{name}"'):
            why = why.removeprefix(f"{head} is not compiled: ")
        unmade = Unmade(chain=name, line=span.line, column=column, why=why, failed=bool(errors))
        self.unmade.setdefault(path, []).append(unmade)


@dataclass(frozen=True, slots=True)
class Failed:
    """A module that could not be written, and why."""

    reason: str


def plan(seen: Examined, *, may_import: bool, timeout: float) -> Planned:
    """Do all phases up to the text of the modules; nothing is written."""
    planned = Planned(seen.sources, list(seen.diagnostics), seen.stopped)
    for file in seen.files:
        try:
            _plan_file(planned, file, may_import=may_import, timeout=timeout)
        except ArtifactError as error:
            planned.diagnostics.append(failure(file.path, str(error)))
        except Exception as error:  # noqa: BLE001  the other files have nothing to do with it
            planned.diagnostics.append(failure(file.path, _bug(error)))
    return planned


def failure(path: str, reason: str) -> Diagnostic:
    """Say why a whole file is not compiled."""
    return Diagnostic(path, 1, 1, "error", reason, COMPILE)


def repeat_reason(path: str, unmade: Unmade) -> Diagnostic:
    """Say once more of a chain why it has no module."""
    message = f'chain "{unmade.chain}" is not compiled: {unmade.why}'
    severity: Severity = "error" if unmade.failed else "warning"
    return Diagnostic(path, unmade.line, unmade.column, severity, message, COMPILE)


def _plan_file(planned: Planned, file: TypedFile, *, may_import: bool, timeout: float) -> None:
    path, source = file.path, planned.sources[file.path]
    looked_at = write.snapshot({path, *file.imports})
    _refuse_changed(source)
    resolution = resolve.resolved(source, file, may_import=may_import, timeout=timeout)
    wrong = [typed.chain.span for typed in file.chains if typed.mismatches]
    chains = [
        each
        for each in resolution.chains
        if not (
            each.chain.single_stage and _has_error(resolution)
        )  # it may be there for another only
        and not any(_is_part(each.chain.span, span) for span in wrong)  # the import has it, too
    ]
    modules = list(_modules(path, chains))
    looked_at |= write.snapshot(set(_files(chains)) - looked_at.keys())
    planned.diagnostics.extend(resolution.diagnostics)
    for chain, module in zip(chains, modules, strict=True):
        if isinstance(module, Made):
            planned.made.append(module)
        else:
            said = _not_compiled(chain, source, module)
            planned.diagnostics.append(said)
            planned.leave_out(path, chain.chain.name, chain.chain.span, [said])
    made = {each.chain.span for each in chains}
    for typed in file.chains:
        if not typed.chain.single_stage and typed.chain.span not in made:
            said_of = [
                *_within(typed.chain.span, resolution, source),
                *mismatches_of(typed, source),
            ]
            planned.leave_out(path, typed.chain.name, typed.chain.span, said_of)
    for name in _loose(file, resolution, may_import=may_import):
        planned.leave_out(path, name, Span(1, 0, 1, 0), resolution.diagnostics)
    planned.looked_at[path] = looked_at


def _refuse_changed(source: Source) -> None:
    """Refuse to go on with what is no more: the hash of the file would be that of another text."""
    try:
        with tokenize.open(source.path) as file:
            is_there = file.read() == source.text
    except (OSError, SyntaxError, ValueError, LookupError):
        is_there = False
    if not is_there:
        message = f'"{source.path}" changed while it was compiled; compile it again'
        raise ArtifactError(message)


def _files(chains: Iterable[ResolvedChain]) -> Iterator[str]:
    for chain in chains:
        for stage in chain.stages:
            if stage.function is not None:
                yield stage.function.file


# Modules


def _modules(path: str, chains: Sequence[ResolvedChain]) -> Iterator[Made | Refused | Failed]:
    """Write the modules of a file's chains: all in one go, or else each alone."""
    names = write.name_artifacts(Path(path), [each.chain.name for each in chains])
    written: list[tuple[Plan, GeneratedModule | Refused] | Refused | Failed]
    try:
        plans = [_plan(each) for each in chains]
        written = list(zip(plans, render_modules(plans, rivusio.__version__), strict=True))
    except Exception:  # noqa: BLE001  whatever it is, one of them tells it again
        written = [_alone(each) for each in chains]
    for chain, name, each in zip(chains, names, written, strict=True):
        if not isinstance(each, tuple):
            yield each
            continue
        plan, module = each
        yield (
            module if isinstance(module, Refused) else add_manifest(path, chain, name, plan, module)
        )


def _plan(chain: ResolvedChain) -> Plan:
    return run_passes(make_plan(chain.chain.name, chain.stages))


def _alone(chain: ResolvedChain) -> tuple[Plan, GeneratedModule | Refused] | Refused | Failed:
    try:
        plan = _plan(chain)
        [module] = render_modules([plan], rivusio.__version__)
    except (RecursionError, MemoryError):
        return Refused("it is too deep")
    except FormatError as error:
        return Failed(f"the formatter refuses its module: {' '.join(str(error).split())}")
    except Exception as error:  # noqa: BLE001  the other chains have nothing to do with it
        return Failed(_bug(error))
    return plan, module


def _bug(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"rivusio itself failed at {frame.filename}:{frame.lineno}: {describe_error(error)}"


def _not_compiled(of: ResolvedChain, source: Source, why: Refused | Failed) -> Diagnostic:
    span = of.chain.span
    place = source.path, span.line, source.column(span.line, span.column)
    message = f'chain "{of.chain.name}" is not compiled: {why.reason}'
    if isinstance(why, Failed):
        note = "please report it; the chain runs interpreted"
        return Diagnostic(*place, "error", message, COMPILE, note)
    message = (
        f'chain "{of.chain.name}" is not compiled: Python does not take the code of its '
        f"{len(of.stages)} stages ({why.reason})"
    )
    note = "it runs interpreted; functions with shorter expressions can be compiled"
    return Diagnostic(*place, "warning", message, COMPILE, note)


def _has_error(resolution: Resolution) -> bool:
    return any(each.severity == "error" for each in resolution.diagnostics)


# What is left out before there is a module


def _is_part(span: Span, whole: Span) -> bool:
    begin, end = (span.line, span.column), (span.end_line, span.end_column)
    return whole.holds(*begin) and end <= (whole.end_line, whole.end_column)


def _within(span: Span, resolution: Resolution, source: Source) -> list[Diagnostic]:
    """Give what is said of a chain: what is said where it stands."""
    begin = span.line, source.column(span.line, span.column)
    end = span.end_line, source.column(span.end_line, span.end_column)
    return [each for each in resolution.diagnostics if begin <= (each.line, each.column) < end]


def _loose(file: TypedFile, resolution: Resolution, *, may_import: bool) -> Iterator[str]:
    """Give the names that only running the file tells of, where it was not run to its end."""
    if _has_error(resolution) or not may_import:
        made = {each.chain.name for each in resolution.chains}
        yield from (name for name in file.dynamic if name not in made)

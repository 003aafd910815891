"""The artifacts beside a user's file: found, checked, and loaded once.

Nothing of an artifact is executed before its hashes, its versions and the code of the functions
that it stands for have been compared.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from rivusio.artifacts.guards import Inlined, difference, function_of
from rivusio.artifacts.manifest import (
    FOLDER,
    BrokenArtifact,
    FunctionAt,
    Manifest,
    hash_of,
    read,
    stem_for,
    stem_of,
    this_python,
    this_version,
)
from rivusio.artifacts.program import Program
from rivusio.artifacts.tracebacks import LineMap, Origin
from rivusio.graph.stage import Stage

PYTEST = "@pytest_ar"  # the name by which asserts that pytest has rewritten call it


@dataclass(slots=True)
class Artifact:
    """One artifact of a user's file: its manifest, or why it cannot be used; never both.

    Attributes:
        path: the generated module.
        of: the user's file, by the name that was asked for.
        manifest: what stands beside it.
        broken: why it cannot be used at all.
        programs: what was loaded of it, by the user's modules that it reads.
        seen: the code that each stage was last seen to call, and is that of its function.
    """

    path: Path
    of: str
    manifest: Manifest | None = None
    broken: str = ""
    programs: dict[tuple[int, ...], tuple[Program, tuple[Inlined, ...]]] = field(
        default_factory=dict
    )
    seen: dict[int, CodeType] = field(default_factory=dict)


@dataclass(slots=True)
class _Folder:
    """The artifacts of one user's file, as they were when the folder last changed."""

    changed: int
    artifacts: list[Artifact]


_folders: dict[str, _Folder] = {}
_sources: dict[str, tuple[int, int, str]] = {}  # by path: its time and size, and its hash
_codes: dict[str, dict[tuple[str, int], list[CodeType]]] = {}  # by hash and file name


def artifacts_of(file: str) -> list[Artifact]:
    """Give the artifacts that stand beside a user's file; they are read anew when they change."""
    folder = os.path.join(os.path.dirname(file), FOLDER)  # noqa: PTH118, PTH120  at each start of a run: Path is slow
    try:
        changed = os.stat(folder).st_mtime_ns  # noqa: PTH116  see above
    except OSError:
        return []
    known = _folders.get(file)
    if known is None or known.changed != changed:
        known = _folders[file] = _Folder(changed, list(_read_all(Path(folder), file)))
    return known.artifacts


def _read_all(folder: Path, file: str) -> Iterator[Artifact]:
    stem = stem_for(file)
    for path in sorted(folder.glob("*.json")):
        if stem_of(path) != stem:
            continue
        module = path.with_suffix(".py")
        try:
            yield Artifact(module, file, read(path))
        except BrokenArtifact as error:
            yield Artifact(module, file, broken=str(error))


def loaded(
    artifact: Artifact, stages: Sequence[Stage]
) -> tuple[Program, tuple[Inlined, ...]] | str:
    """Load an artifact for live stages of its shapes; or say why it cannot be used for them."""
    manifest = artifact.manifest
    if manifest is None:
        return artifact.broken
    for known in artifact.programs.values():
        if difference(stages, known[1]) is None:
            return known
    inlined = _inlined(artifact, manifest, stages)
    if isinstance(inlined, str):
        return inlined
    modules = _modules(manifest, inlined)
    if isinstance(modules, str):
        return modules
    key = tuple(id(each.function) for each in inlined)
    if key not in artifact.programs:
        program = _program(artifact, manifest, modules, inlined)
        if isinstance(program, str):
            return program
        artifact.programs[key] = program, inlined
    return artifact.programs[key]


def staleness(artifact: Artifact) -> str | None:
    """Say which of the files that an artifact was made from has changed; None if none has."""
    manifest = artifact.manifest
    if manifest is None:
        return artifact.broken
    if manifest.rivusio != this_version():
        return f"it was compiled by rivusio {manifest.rivusio}"
    if manifest.python != this_python():
        return f"it was compiled for Python {manifest.python}"
    home = artifact.path.parent.parent
    for relative, expected in manifest.sources.items():
        found = _hash_of_file(str(home / relative))
        if found is None:
            return f"stale: {Path(relative).name} is gone"
        if found != expected:
            return f"stale: {Path(relative).name} changed"
    return None


def _hash_of_file(path: str) -> str | None:
    try:
        status = os.stat(path)  # noqa: PTH116  at each start of a run: Path is slow
        known = _sources.get(path)
        if known is None or known[:2] != (status.st_mtime_ns, status.st_size):
            content = Path(path).read_bytes()
            known = _sources[path] = status.st_mtime_ns, status.st_size, hash_of(content)
    except OSError:
        return None
    return known[2]


def _inlined(
    artifact: Artifact, manifest: Manifest, stages: Sequence[Stage]
) -> tuple[Inlined, ...] | str:
    """Compare the functions whose bodies were inlined with those that the stages call now."""
    found = []
    for index in manifest.inlined:
        name = f"stage {index + 1} {stages[index].name!r}"
        function, at = function_of(stages[index]), manifest.functions[index]
        if function is None or at is None or not is_named(at, stages[index]):
            return f"{name} calls another function"
        code = function.__code__
        if not is_function(artifact, index, stages[index]):
            return f"the code of {name} is not what {Path(at.file).name} says{_rewritten(code)}"
        if function.__defaults__ or function.__kwdefaults__ or function.__closure__:
            return f"the function of {name} was changed"
        found.append(Inlined(index, function, code))
    return tuple(found)


def is_named(at: FunctionAt, stage: Stage) -> bool:
    """Tell whether a stage calls a function of that name and line."""
    function = function_of(stage)
    if function is None:
        return False
    code = function.__code__
    return (code.co_qualname, code.co_firstlineno) == (at.qualname, at.line)


def is_function(artifact: Artifact, index: int, stage: Stage) -> bool:
    """Tell whether a stage calls the very function that is known of it: also its code is that."""
    function = function_of(stage)
    manifest = artifact.manifest
    if function is None or manifest is None:
        return False
    code, at = function.__code__, manifest.functions[index]
    if artifact.seen.get(index) is code:
        return True
    if at is None or not is_named(at, stage):
        return False
    codes = _codes_of(artifact.path.parent.parent / at.file, code)
    if len(codes) == at.among:
        codes = codes[at.ordinal : at.ordinal + 1]  # else Python has made one of several
    if [code] != codes:
        return False
    artifact.seen[index] = code
    return True


def _rewritten(code: CodeType) -> str:
    """Say who has changed a function, where that can be seen."""
    if PYTEST not in code.co_names:
        return ""
    return ", for pytest has rewritten its asserts; --assert=plain leaves them"


def _codes_of(path: Path, code: CodeType) -> list[CodeType]:
    """Give what Python makes of the functions of that name and line in a user's file, in order."""
    key = f"{_hash_of_file(str(path))} {path}"
    if key not in _codes:
        codes: dict[tuple[str, int], list[CodeType]] = {}
        try:
            whole = compile(path.read_bytes(), code.co_filename, "exec", dont_inherit=True)
        except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            return []
        for each in _within(whole):
            codes.setdefault((each.co_qualname, each.co_firstlineno), []).append(each)
        _codes[key] = codes
    found = _codes[key].get((code.co_qualname, code.co_firstlineno), [])
    if len(found) < 2:
        return found
    starts = {id(each): _start_of(each) for each in found}
    if None in starts.values():
        return []  # they cannot be told apart
    return sorted(found, key=lambda each: starts[id(each)] or (0, 0))


def _start_of(code: CodeType) -> tuple[int, int] | None:
    """Give where the body of a function begins; None where Python keeps no columns."""
    positions = [each for each in code.co_positions() if each[3]]
    return min(((line or 0, column or 0) for line, _, column, _ in positions), default=None)


def _within(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _within(constant)


def _modules(manifest: Manifest, inlined: Sequence[Inlined]) -> dict[str, ModuleType] | str:
    """Give the live modules that the generated one reads: those of the live functions."""
    by_stage = {each.stage: each.function for each in inlined}
    modules = {}
    for alias, stage in manifest.modules.items():
        function = by_stage.get(stage)
        module = None if function is None else sys.modules.get(function.__module__)
        if function is None or module is None or vars(module) is not function.__globals__:
            return f"the module of stage {stage + 1} cannot be found"
        modules[alias] = module
    return modules


def _program(
    artifact: Artifact,
    manifest: Manifest,
    modules: dict[str, ModuleType],
    inlined: Sequence[Inlined],
) -> Program | str:
    """Execute a generated module, once its text is sure to be what was written."""
    try:
        content = artifact.path.read_bytes()
    except OSError as error:
        return f"{artifact.path.name} cannot be read: {error.strerror}"
    if hash_of(content) != manifest.module:
        return f"{artifact.path.name} was changed after it was written"
    file = str(artifact.path)
    namespace: dict[str, Any] = {"__name__": f"rivusio_generated.{artifact.path.stem}"}
    namespace.update(modules)
    try:
        code = compile(content, file, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"Python does not accept {artifact.path.name}: {error}"
    exec(code, namespace)  # noqa: S102  its hash was compared
    linecache.checkcache(file)
    return Program(
        file,
        manifest.shapes,
        namespace,
        manifest.places,
        manifest.holdings,
        LineMap(file, _origins(manifest, {each.stage: each.function for each in inlined})),
    )


def _origins(manifest: Manifest, functions: dict[int, FunctionType]) -> dict[int, Origin]:
    return {
        line: statement.origin(functions[statement.stage])
        for line, statement in manifest.origins.items()
        if statement.stage in functions
    }

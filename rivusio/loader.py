"""Finds what was compiled for a chain when a run starts, or the one reason to interpret it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from rivusio.compiled.artifacts import Artifact, artifacts_of, loaded, staleness
from rivusio.compiled.guards import Inlined, function_of, why_not
from rivusio.compiled.program import Program
from rivusio.compiled.shape import Shape, shapes_of
from rivusio.config import BackpressureConfig
from rivusio.mode import Mode, NotCompiledError, NotCompiledWarning, current_mode
from rivusio.stage import Stage


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program that was compiled in this process, and the stages whose bodies stand in it."""

    program: Program
    inlined: tuple[Inlined, ...] = field(default=())


# Compiles what is about to run, in this process: for tests, which forbid to interpret.
Compile = Callable[[Sequence[Stage], BackpressureConfig | None], Compiled]
Key = tuple[tuple[Shape, ...], tuple[int, ...]]

_in_process: dict[Key, tuple[Compiled, object]] = {}
_warned: set[tuple[str, str]] = set()  # where, and what
compile_on_demand: Compile | None = None


def key_of(stages: Sequence[Stage], read_ahead: BackpressureConfig | None) -> Key:
    """Give what tells programs apart that were compiled in this process."""
    functions = tuple(id(function_of(stage)) for stage in stages)
    return shapes_of(stages, read_ahead), functions


def register(
    stages: Sequence[Stage], read_ahead: BackpressureConfig | None, compiled: Compiled
) -> None:
    """Let runs of such stages be carried out by a program that was compiled in this process."""
    # The key goes by identity, so what it names is kept alive.
    _in_process[key_of(stages, read_ahead)] = compiled, tuple(stages)


def program_for(
    stages: Sequence[Stage], read_ahead: BackpressureConfig | None, files: Iterable[str]
) -> Program | None:
    """Give the program for a run that starts now; None if it is to be interpreted.

    `files` are those that may have an artifact of this chain beside them.

    Raises:
        NotCompiledError: in mode "compiled", with the reason why there is nothing to run.
    """
    mode = current_mode()
    if mode == "interpreted":
        return None
    files = tuple(files)
    found = _found(stages, read_ahead, files)
    if isinstance(found, Program):
        return found
    _interpret(mode, stages, found, files[0] if files else "")
    return None


def _interpret(mode: Mode, stages: Sequence[Stage], reason: str | None, file: str) -> None:
    """Let a run be interpreted, if the mode allows that; `reason` is None if nothing is there."""
    told = " >> ".join(stage.name for stage in stages)
    if mode == "compiled":
        message = f"{told} cannot run compiled: {reason or 'it was not compiled'}; {_mend(file)}"
        raise NotCompiledError(message)
    message = f"{told} runs interpreted: {reason}"
    if reason is not None and reason.startswith("stale: "):
        message += f"; {_mend(file)}"
    if reason is not None and (file, message) not in _warned:
        _warned.add((file, message))
        warnings.warn(message, NotCompiledWarning, stacklevel=6)


def _mend(file: str) -> str:
    """Say what to run, with the file as a person would name it from here."""
    with suppress(OSError):  # the working folder may be gone
        file = file.removeprefix(f"{os.getcwd()}{os.sep}")  # noqa: PTH109  a prefix of text
    return f"run `rivusio compile {file}`" if file else "run `rivusio compile` on its file"


def _found(
    stages: Sequence[Stage], read_ahead: BackpressureConfig | None, files: Iterable[str]
) -> Program | str | None:
    """Give a program, or why none can be used; None if there is none at all."""
    if _in_process and (known := _in_process.get(key_of(stages, read_ahead))) is not None:
        return _guarded(known[0], stages, read_ahead)
    if compile_on_demand is not None:
        return _guarded(compile_on_demand(stages, read_ahead), stages, read_ahead)
    return _of_files(stages, read_ahead, files)


def _guarded(
    compiled: Compiled, stages: Sequence[Stage], read_ahead: BackpressureConfig | None
) -> Program | str:
    reason = why_not(stages, read_ahead, compiled.program.shapes, compiled.inlined)
    return compiled.program if reason is None else reason


def _of_files(
    stages: Sequence[Stage], read_ahead: BackpressureConfig | None, files: Iterable[str]
) -> Program | str | None:
    candidates = [artifact for file in dict.fromkeys(files) for artifact in artifacts_of(file)]
    if not candidates:
        return None
    shapes = shapes_of(stages, read_ahead)
    reason = None
    for artifact in _fitting(candidates, shapes, stages):
        why = staleness(artifact)
        if why is None:
            found = loaded(artifact, stages)
            if not isinstance(found, str):
                return found[0]
            why = found
        reason = reason or why
    return (
        reason
        or next(_whole_reasons(candidates), None)
        or _changed(candidates, shapes, stages)
        or _set_anew(candidates, stages)
    )


def _fitting(
    candidates: Sequence[Artifact], shapes: tuple[Shape, ...], stages: Sequence[Stage]
) -> Iterator[Artifact]:
    """Give the artifacts that may be of this chain: of its shapes, and of its functions' names."""
    for artifact in candidates:
        manifest = artifact.manifest
        if manifest is None or manifest.shapes != shapes:
            continue
        if all(
            at is None or (found := function_of(stage)) is None or _is_named(found, at.qualname)
            for at, stage in zip(manifest.functions, stages, strict=True)
        ):
            yield artifact


def _is_named(function: object, qualname: str) -> bool:
    return getattr(function, "__qualname__", qualname) == qualname


def _changed(
    candidates: Sequence[Artifact], shapes: tuple[Shape, ...], stages: Sequence[Stage]
) -> str | None:
    """Say which function of a chain was replaced, if its stages have the names they had."""
    names = [stage.name for stage in stages]
    for artifact in candidates:
        manifest = artifact.manifest
        if manifest is None or manifest.shapes != shapes:
            continue
        if [each.name for each in manifest.report] == names:
            for index, (at, stage) in enumerate(zip(manifest.functions, stages, strict=True)):
                found = function_of(stage)
                if at is not None and found is not None and not _is_named(found, at.qualname):
                    return f"stage {index + 1} {stage.name!r} calls another function"
    return None


def _set_anew(candidates: Sequence[Artifact], stages: Sequence[Stage]) -> str | None:
    """Say that a chain has other settings than it was compiled with, if it is of those stages."""
    called = [(stage.name, function_of(stage)) for stage in stages]
    for artifact in candidates:
        manifest = artifact.manifest
        if manifest is None or [each.name for each in manifest.report] != [n for n, _ in called]:
            continue
        known = [None if at is None else at.qualname for at in manifest.functions]
        if all(
            qualname is None or function is None or _is_named(function, qualname)
            for qualname, (_, function) in zip(known, called, strict=True)
        ):
            return (
                "it has other settings than it was compiled with; give them to the chain with "
                ".with_config(...), and not to the run"
            )
    return None


def _whole_reasons(candidates: Sequence[Artifact]) -> Iterator[str]:
    """Give why the artifacts of a file cannot be used at all, whatever chain they are of."""
    for artifact in candidates:
        if (why := staleness(artifact)) is not None:
            yield why

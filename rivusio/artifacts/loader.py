"""Finds what was compiled for a chain when a run starts, or the one reason to interpret it."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from rivusio.artifacts.fitting import Starting, fitting, why_none_fits
from rivusio.artifacts.guards import Inlined, function_of, why_not
from rivusio.artifacts.mode import Mode, NotCompiledError, NotCompiledWarning, current_mode
from rivusio.artifacts.program import Program
from rivusio.artifacts.store import Artifact, artifacts_of, loaded, staleness
from rivusio.graph.config import BackpressureConfig
from rivusio.graph.origins import calling_frame, files_of
from rivusio.graph.signature import Shape, shapes_of
from rivusio.graph.stage import Stage


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


def program_for(starting: Starting) -> Program | None:
    """Give the program for a run that starts now; None if it is to be interpreted.

    Raises:
        NotCompiledError: in mode "compiled", with the reason why there is nothing to run.
    """
    mode = current_mode()
    if mode == "interpreted":
        return None
    files = tuple(files_of(starting.place, starting.stages))
    found = _found(starting, files)
    if isinstance(found, Program):
        return found
    _interpret(mode, starting.stages, found, files[0] if files else "")
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
        _warn(message)


def _warn(message: str) -> None:
    """Warn at the user's line, however many calls of ours are between."""
    frame = calling_frame()
    warnings.warn_explicit(
        message,
        NotCompiledWarning,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__"),
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _mend(file: str) -> str:
    """Say what to run, with the file as a person would name it from here."""
    with suppress(OSError):  # the working folder may be gone
        file = file.removeprefix(f"{os.getcwd()}{os.sep}")  # noqa: PTH109  a prefix of text
    return f"run `rivusio compile {file}`" if file else "run `rivusio compile` on its file"


def _found(starting: Starting, files: Iterable[str]) -> Program | str | None:
    """Give a program, or why none can be used; None if there is none at all."""
    stages, read_ahead = starting.stages, starting.read_ahead
    if _in_process and (known := _in_process.get(key_of(stages, read_ahead))) is not None:
        return _guarded(known[0], stages, read_ahead)
    if compile_on_demand is not None:
        return _guarded(compile_on_demand(stages, read_ahead), stages, read_ahead)
    return _of_files(starting, files)


def _guarded(
    compiled: Compiled, stages: Sequence[Stage], read_ahead: BackpressureConfig | None
) -> Program | str:
    reason = why_not(stages, read_ahead, compiled.program.shapes, compiled.inlined)
    return compiled.program if reason is None else reason


def _of_files(starting: Starting, files: Iterable[str]) -> Program | str | None:
    candidates = [artifact for file in dict.fromkeys(files) for artifact in artifacts_of(file)]
    if not candidates:
        return None
    reason = None
    shapes = starting.shapes()
    for artifact in fitting(candidates, starting, shapes):
        why = staleness(artifact)
        if why is None:
            found = loaded(artifact, starting.stages)
            if not isinstance(found, str):
                return found[0]
            why = found
        reason = reason or why
    return (
        reason
        or next(_whole_reasons(candidates), None)
        or why_none_fits(candidates, starting, shapes)
    )


def _whole_reasons(candidates: Sequence[Artifact]) -> Iterator[str]:
    """Give why the artifacts of a file cannot be used at all, whatever chain they are of."""
    for artifact in candidates:
        if (why := staleness(artifact)) is not None:
            yield why

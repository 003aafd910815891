"""The child process that imports a user's file and says what its chains are then.

Every chain is noted when it is made, with the place in the user's code that makes it.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePath
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import TypeGuard, TypeVar

import rivusio
from rivusio import pipeline
from rivusio.compiled.guards import function_of
from rivusio.compiled.shape import shape_of
from rivusio.compiler.functions import FunctionRef, needed_around
from rivusio.compiler.ir import Span
from rivusio.compiler.live_child import (
    ANSWER,
    REQUEST,
    Live,
    LiveChain,
    LiveModule,
    LiveStage,
    Request,
)
from rivusio.origins import calling_frame
from rivusio.pipeline import BasePipe
from rivusio.stage import Stage, call_of
from rivusio.user_file import Refusal, import_file

HERE = os.path.join(os.path.dirname(os.path.abspath(rivusio.__file__)), "")  # noqa: PTH100, PTH118, PTH120  names of files, as code objects have them
INSTALLED = {"site-packages", "dist-packages"}
FOREIGN = "it is not the project's own code"

AnyPipe = BasePipe[object, object]
PIPE: type[AnyPipe] = BasePipe  # type: ignore[type-abstract]  # nobody makes one of it here
_Kind = TypeVar("_Kind")
_Place = tuple[CodeType, int]


class Recorder:
    """Notes every chain that is made, and where."""

    def __init__(self) -> None:
        self.made: list[tuple[AnyPipe, _Place]] = []

    def watch(self) -> None:
        """Begin to note."""
        set_stages = pipeline._Chain._set_stages

        def noted(chain: pipeline._Chain[object, object], stages: tuple[Stage, ...]) -> None:
            set_stages(chain, stages)
            self.made.append((chain, _place()))

        pipeline._Chain._set_stages = noted  # type: ignore[method-assign, assignment]  # this process is for it


def _place() -> _Place:
    """Give the code outside rivusio that is running, and where in it."""
    frame = calling_frame()
    return frame.f_code, frame.f_lasti


def span_of(place: _Place) -> Span | None:
    """Give the expression that an instruction belongs to, as far as Python knows it."""
    code, instruction = place
    positions = list(code.co_positions())
    if not 0 <= instruction // 2 < len(positions):
        return None
    line, end_line, column, end_column = positions[instruction // 2]
    if line is None or end_line is None or column is None or end_column is None:
        return None
    return Span(line, column, end_line, end_column)


def answer(request: Request) -> Live:
    """Import the file, and say what its chains are."""
    recorder = Recorder()
    recorder.watch()
    try:
        module = import_file(Path(request.path))
    except Refusal as refusal:
        return Live((), (), str(refusal))
    except BaseException as error:  # noqa: BLE001  a user's file may raise even KeyboardInterrupt
        return Live((), (), f'importing "{request.path}" failed: {error!r}')
    names = dict(_named(module))
    chains = [
        LiveChain(names.pop(id(chain), None), place[0].co_filename, span_of(place), _stages(chain))
        for chain, place in recorder.made
    ]
    for name, pipe in _pipes(module):
        if id(pipe) in names:
            del names[id(pipe)]
            chains.append(LiveChain(name, pipe._rivusio_origin, None, _stages(pipe)))
    return Live(tuple(chains), tuple(_modules(chains)))


def _named(module: ModuleType) -> Iterator[tuple[int, str]]:
    """Give a name for each pipe that has one; of several names, the first."""
    for name, pipe in reversed(list(_pipes(module))):
        yield id(pipe), name


def _pipes(module: ModuleType) -> Iterator[tuple[str, AnyPipe]]:
    """Give the pipes at the top level of a module and in its classes, with qualified names."""
    waiting: list[tuple[str, dict[str, object]]] = [("", vars(module))]
    seen: set[int] = set()
    while waiting:
        prefix, namespace = waiting.pop(0)
        for name, value in list(namespace.items()):
            if _is(value, PIPE):
                yield f"{prefix}{name}", value
            elif (
                _is(value, type)
                and value.__module__ == module.__name__
                and value.__qualname__ == f"{prefix}{name}"
                and id(value) not in seen
            ):
                seen.add(id(value))
                waiting.append((f"{prefix}{name}.", dict(vars(value))))


def _is(value: object, kind: type[_Kind]) -> TypeGuard[_Kind]:
    """Do as `isinstance`, but ask nothing of the value: its `__class__` may be the user's."""
    return issubclass(type(value), kind)


def _stages(pipe: AnyPipe) -> tuple[LiveStage, ...]:
    return tuple(_stage(each) for each in pipe._rivusio_stages())


def _stage(stage: Stage) -> LiveStage:
    function = function_of(stage)
    ref = _why_none(stage) if function is None else _ref(function)
    if isinstance(ref, str):
        return LiveStage(stage.name, shape_of(stage), None, ref)
    return LiveStage(stage.name, shape_of(stage), ref, "")


def _ref(function: FunctionType) -> FunctionRef | str:
    """Say where a function is written; or why that is of no use."""
    code = function.__code__
    module = sys.modules.get(function.__module__)
    if is_foreign(code.co_filename):
        return FOREIGN
    if (around := needed_around(code)) is not None:
        return around
    if module is None or vars(module) is not function.__globals__:
        return "its module cannot be found"
    return FunctionRef(function.__module__, code.co_filename, code.co_qualname, code.co_firstlineno)


def is_foreign(file: str) -> bool:
    """Tell whether a file is installed, of Python's own, or of rivusio's."""
    path = PurePath(file)
    return (
        file.startswith((HERE, "<", os.path.join(os.path.dirname(os.__file__), "")))  # noqa: PTH118, PTH120  names of files, as code objects have them
        or bool(INSTALLED & set(path.parts))
        or path.suffix != ".py"
    )


def _why_none(stage: Stage) -> str:
    """Say why a stage calls no plain function of the user's."""
    call = call_of(stage.operation)
    if call is None:
        return "it runs no code of yours"
    if inspect.isclass(call):
        return "it is a class"
    if isinstance(call, MethodType):
        return "it is a method of another object"
    return "it is no Python function"


def _modules(chains: Iterable[LiveChain]) -> Iterator[LiveModule]:
    refs = [each.function for chain in chains for each in chain.stages]
    for name, file in sorted({(ref.module, ref.file) for ref in refs if ref is not None}):
        yield LiveModule(name, file, tuple(sorted(vars(sys.modules[name]))))


def main() -> None:
    """Answer the request on stdin; whatever the user's file prints goes to stderr."""
    request = REQUEST.validate_json(sys.stdin.buffer.read())
    sys.path.append("")  # as if Python had been started here, but behind our own
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)  # `input()` finds the end, and not what is left of the request
        replies.write(ANSWER.dump_json(answer(request)))
    os._exit(0)  # threads that the file has started shall not keep this process


if __name__ == "__main__":
    main()

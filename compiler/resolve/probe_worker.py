"""The child process that imports a user's file and says what its chains are then.

Every chain is noted when it is made, with the place in the user's code that makes it.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FunctionType, MethodType, ModuleType
from typing import TypeGuard, TypeVar

import rivusio
from rivusio.artifacts.guards import function_of
from rivusio.compiler.frontend.functions import FOREIGN, FunctionRef, may_be_own, needed_around
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.resolve.probe import (
    ANSWER,
    REQUEST,
    Live,
    LiveChain,
    LiveModule,
    LiveStage,
    Request,
)
from rivusio.graph.signature import shape_of
from rivusio.graph.stage import Stage
from rivusio.pipes import base
from rivusio.pipes.base import BasePipe
from rivusio.user_code.importing import import_file
from rivusio.user_code.refusal import Refusal
from rivusio.user_code.serving import serve_once

HERE = os.path.join(os.path.dirname(os.path.abspath(rivusio.__file__)), "")  # noqa: PTH100, PTH118, PTH120  names of files, as code objects have them

AnyPipe = BasePipe[object, object]
PIPE: type[AnyPipe] = BasePipe  # type: ignore[type-abstract]  # nobody makes one of it here
_Kind = TypeVar("_Kind")


class Recorder:
    """Notes every chain that is made."""

    def __init__(self) -> None:
        self.made: list[AnyPipe] = []

    def watch(self) -> None:
        """Begin to note."""
        set_stages = base._Chain._set_stages

        def noted(chain: base._Chain[object, object], stages: tuple[Stage, ...]) -> None:
            set_stages(chain, stages)
            self.made.append(chain)

        base._Chain._set_stages = noted  # type: ignore[method-assign, assignment]  # this process is for it


def span_of(pipe: AnyPipe) -> Span | None:
    """Give the expression that has made a pipe, as far as Python knows it."""
    place = pipe._rivusio_place
    stretch = None if place is None else place.stretch
    return None if stretch is None else Span(*stretch)


def file_of(pipe: AnyPipe) -> str | None:
    """Give the file with that expression."""
    return None if pipe._rivusio_place is None else pipe._rivusio_place.file


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
        LiveChain(names.pop(id(chain), None), file_of(chain), made_by, _stages(chain), made_by)
        for chain in recorder.made
        for made_by in [span_of(chain)]
    ]
    for name, pipe in _pipes(module):
        if id(pipe) in names:
            del names[id(pipe)]
            chains.append(LiveChain(name, file_of(pipe), None, _stages(pipe), span_of(pipe)))
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
    if function is None:
        return LiveStage(stage.name, shape_of(stage), None, _why_none(stage))
    at, reason = _ref(function), _why_useless(function)
    called = None if is_foreign(at.file) else at
    return LiveStage(stage.name, shape_of(stage), None if reason else at, reason, called)


def _ref(function: FunctionType) -> FunctionRef:
    """Say where a function is written."""
    code = function.__code__
    module = str(function.__module__)  # it may be None, of what `exec` has made
    return FunctionRef(module, code.co_filename, code.co_qualname, code.co_firstlineno)


def _why_useless(function: FunctionType) -> str:
    """Say why the source of a function is of no use; nothing if it is."""
    code = function.__code__
    module = sys.modules.get(function.__module__)
    if is_foreign(code.co_filename):
        return FOREIGN
    if (around := needed_around(code)) is not None:
        return around
    if module is None or vars(module) is not function.__globals__:
        return "its module cannot be found"
    return ""


def is_foreign(file: str) -> bool:
    """Tell whether a file is installed, of Python's own, or of rivusio's."""
    return (
        file.startswith((HERE, "<", os.path.join(os.path.dirname(os.__file__), "")))  # noqa: PTH118, PTH120  names of files, as code objects have them
        or not may_be_own(file)
    )


def _why_none(stage: Stage) -> str:
    """Say why a stage calls no plain function of the user's."""
    call = stage.operation.call
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
    """Answer the request on stdin, and end."""
    with serve_once() as (request, replies):
        replies.write(ANSWER.dump_json(answer(REQUEST.validate_json(request))))
    os._exit(0)  # threads that the file has started shall not keep this process


if __name__ == "__main__":
    main()

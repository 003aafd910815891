"""Compiles a live chain in this very process: for notebooks and tests."""

from __future__ import annotations

import itertools
import linecache
import sys
from collections.abc import Sequence
from typing import Any

import rivusio
from rivusio.artifacts import loader
from rivusio.artifacts.guards import Inlined, function_of
from rivusio.artifacts.mode import NotCompiledError
from rivusio.artifacts.program import Program
from rivusio.artifacts.tracebacks import LineMap
from rivusio.compiler.backends.python.module import GeneratedModule, Refused, render_modules
from rivusio.compiler.ir.plan import make_plan
from rivusio.compiler.passes import run_passes
from rivusio.compiler.resolve import live_stages
from rivusio.graph.callables import refuse_uncalled
from rivusio.graph.config import BackpressureConfig
from rivusio.graph.signature import Shape, shapes_of
from rivusio.graph.stage import Stage
from rivusio.pipes.base import BasePipe

_numbers = itertools.count(1)


def compile_pipeline(pipeline: BasePipe[Any, Any]) -> str:
    """Compile a pipeline in this process: its runs from now on are carried out compiled.

    Gives the text of the generated module.

    Raises:
        NotCompiledError: when Python does not take the code of so many stages.
        TypeError: when it is given what is no pipeline.
    """
    _refuse_other(pipeline)
    stages = pipeline._rivusio_stages()
    compiled = compile_stages(stages, None)
    loader.register(stages, None, compiled)
    return compiled.program.text


def _refuse_other(given: object) -> None:
    if isinstance(given, BasePipe):
        return
    refuse_uncalled(given)
    if isinstance(given, type) and issubclass(given, BasePipe):
        message = f"{given.__name__} is a class, and no pipe; did you mean {given.__name__}()?"
    else:
        message = (
            f"{given!r} of type {type(given).__name__} is no pipeline; give a chain, or one pipe"
        )
    raise TypeError(message)


def compile_stages(
    stages: Sequence[Stage], read_ahead: BackpressureConfig | None
) -> loader.Compiled:
    """Compile live stages as they are.

    Raises:
        NotCompiledError: when Python does not take the code of so many stages.
    """
    infos = live_stages.stages_of(stages)
    name = " >> ".join(stage.name for stage in stages)
    plan = make_plan(name, infos, read_ahead=read_ahead is not None)
    [generated] = render_modules([run_passes(plan)], rivusio.__version__)
    if isinstance(generated, Refused):
        raise NotCompiledError(f"{name}: {generated.reason}")
    program = _load(generated, stages, shapes_of(stages, read_ahead))
    inlined = []
    for index in sorted(generated.inlined):
        function = function_of(stages[index])
        assert function is not None  # noqa: S101  its body was inlined
        inlined.append(Inlined(index, function, function.__code__))
    return loader.Compiled(program, tuple(inlined))


def _load(
    generated: GeneratedModule, stages: Sequence[Stage], shapes: tuple[Shape, ...]
) -> Program:
    file = f"<rivusio {next(_numbers)}>"
    namespace: dict[str, Any] = {"__name__": "rivusio_generated"}
    for alias, stage in generated.modules.items():
        function = function_of(stages[stage])
        assert function is not None  # noqa: S101  its body was inlined
        namespace[alias] = sys.modules[function.__module__]
    text = generated.text
    linecache.cache[file] = len(text), None, text.splitlines(keepends=True), file
    exec(compile(text, file, "exec", dont_inherit=True), namespace)  # noqa: S102  just written
    origins = {}
    for line, statement in generated.origins.items():
        function = function_of(stages[statement.stage])
        if function is not None:
            origins[line] = statement.origin(function)
    return Program(
        file, shapes, namespace, generated.places, generated.holdings, LineMap(file, origins), text
    )

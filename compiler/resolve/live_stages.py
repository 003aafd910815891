"""What a live chain's stages are: read off the objects, and their functions' source found."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Sequence
from types import FunctionType

from rivusio.artifacts.guards import function_of
from rivusio.compiler.frontend.functions import FunctionRef, definition, definitions, needed_around
from rivusio.compiler.ir.stage_info import StageInfo, UserFunction
from rivusio.graph.signature import shape_of
from rivusio.graph.stage import Stage


def stages_of(stages: Sequence[Stage]) -> tuple[StageInfo, ...]:
    """Read off what the compiler must know of each stage."""
    return tuple(_info(index, stage) for index, stage in enumerate(stages))


def _info(index: int, stage: Stage) -> StageInfo:
    called = function_of(stage)
    found = None if called is None else _source_of(called)
    where = ""
    if called is not None:
        where = f"{called.__code__.co_filename.rpartition('/')[2]}:{called.__code__.co_firstlineno}"
    function, reason = found if found is not None else (None, "it is no Python function")
    return StageInfo(
        index,
        stage.name,
        shape_of(stage),
        where=where,
        function=function,
        no_source=reason,
    )


def _source_of(function: FunctionType) -> tuple[UserFunction | None, str]:
    """Give the source of a function; or None, and why not."""
    code = function.__code__
    if (around := needed_around(code)) is not None:
        return None, around
    lines = linecache.getlines(code.co_filename, function.__globals__)
    if not lines:
        return None, "its source is not known"
    module = sys.modules.get(function.__module__)
    if module is None or vars(module) is not function.__globals__:
        return None, "its module cannot be found"
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None, "its source is not what it was made from"
    ref = FunctionRef(function.__module__, code.co_filename, code.co_qualname, code.co_firstlineno)
    found = definition(definitions(tree), ref)
    if found is None:
        return None, "its source cannot be told from others"
    user = UserFunction(
        found.node,
        code.co_qualname,
        found.class_name,
        function.__module__,
        code.co_filename,
        frozenset(function.__globals__),
        code.co_firstlineno,
    )
    return user, ""

"""`rivusio-pickle`: what cannot travel to other processes, in a pipeline that is to run in some."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mypy import nodes, types
from mypy.plugin import CheckerPluginInterface, MethodContext
from mypy.types import get_proper_type

from rivusio.compiler.known_names import EXECUTION_STRATEGY
from rivusio.compiler.mypy_plugin import reporting
from rivusio.compiler.mypy_plugin.file_chains import FileChains, seen

POOL = "process_pool"
MEMBER = (EXECUTION_STRATEGY, "PROCESS_POOL")
LOCAL = re.compile(r"@\d+")  # in mypy's name of a class that a function defines


def configured(context: MethodContext, file: FileChains) -> None:
    """Look at the stages of a pipeline that is configured for processes."""
    match context.context:
        case nodes.CallExpr(callee=nodes.MemberExpr(expr=pipeline)) if _wants_processes(context):
            pass
        case _:
            return
    steps = file.chain(pipeline)
    if steps is None:
        return
    for index, operand in enumerate(steps.found.operands):
        there = file.node(operand.span)
        for what, fix in () if there is None else _stays_here(context.api, there):
            stage = f'stage {index + 1} "{steps.name(index)}"'
            message = f"{stage} cannot go to another process: {what}"
            reporting.report(context.api, there or pipeline, message, fix, reporting.PICKLE)


def _wants_processes(context: MethodContext) -> bool:
    names = context.callee_arg_names
    if "strategy" not in names:
        return False
    match context.args[names.index("strategy")]:
        case [nodes.StrExpr(value=value)]:
            return value == POOL
        case [nodes.MemberExpr(expr=nodes.RefExpr(fullname=of), name=name)]:
            return (of, name) == MEMBER
    return False


def _stays_here(api: CheckerPluginInterface, stage: nodes.Expression) -> Iterator[tuple[str, str]]:
    match stage:
        case nodes.LambdaExpr():
            yield "it is a lambda", "make it a function of the module"
        case nodes.RefExpr(node=nodes.FuncDef() as function) if _is_local(function):
            yield "it is local to a function", "define it at the top of the module"
        case nodes.CallExpr(callee=nodes.RefExpr(fullname=name), args=[given, *_]) if (
            name.startswith("rivusio.")
        ):
            yield from _stays_here(api, given)
            return
    its = seen(api, stage)
    proper = None if its is None else get_proper_type(its)
    if isinstance(proper, types.FunctionLike) and proper.is_type_obj():
        info: nodes.TypeInfo | None = proper.type_object()
    else:
        info = proper.type if isinstance(proper, types.Instance) else None
    if info is not None and LOCAL.search(info.fullname):
        yield "its class is local to a function", f"define {info.name} at the top of the module"


def _is_local(function: nodes.FuncDef) -> bool:
    return "." not in function.fullname and not function.info

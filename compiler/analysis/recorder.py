"""Notes, while mypy checks a file, the types that operands have by themselves.

mypy types an operand such as `map(parse)` again for each overload of `>>` that it tries, and what
is left in the end is the type in the last try: wrong, where the join is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from mypy import nodes, types
from mypy.options import Options
from mypy.plugin import MethodSigContext, Plugin

from rivusio.compiler.typecheck import stage_types

JOINS = ("__rshift__", "__rrshift__", "then")

AloneTypes = dict[nodes.Expression, types.Type]


class Recorder(Plugin):
    """Notes the types that operands have by themselves."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.alone: AloneTypes = {}

    def get_method_signature_hook(
        self, fullname: str
    ) -> Callable[[MethodSigContext], types.FunctionLike] | None:
        """Called for every call of a method, before its overloads are tried."""
        return self._record if fullname.rpartition(".")[2] in JOINS else None

    def _record(self, context: MethodSigContext) -> types.FunctionLike:
        with contextlib.suppress(Exception):  # the user's mypy run matters more
            self._note_left(context)
            for operand in (each for group in context.args for each in group):
                if stage_types.is_definite(self.alone.get(operand)):
                    continue
                with context.api.msg.filter_errors():
                    self.alone[operand] = context.api.get_expression_type(operand)
        return context.default_signature

    def _note_left(self, context: MethodSigContext) -> None:
        """Note the type of what stands left of `>>`: its method is the one that is called."""
        match context.context:
            case nodes.OpExpr(left=left, right=right) if [right] in context.args:
                pass
            case nodes.CallExpr(callee=nodes.MemberExpr(expr=left)):
                pass
            case _:
                return
        if not stage_types.is_definite(self.alone.get(left)):
            self.alone[left] = context.type

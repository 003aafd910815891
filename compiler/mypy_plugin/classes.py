"""The classes of pipes: mypy meets each twice, and only at the second time knows all its types.

At first, while it works out the names of a file, it shows the definition itself. Later, while it
checks types, it makes as if it called `__init_subclass__` of the first base that has one, at the
place of the definition.
"""

from __future__ import annotations

from mypy import nodes
from mypy.plugin import CheckerPluginInterface, ClassDefContext, MethodContext
from mypy.types import Type

from rivusio.compiler.known_names import BASE_PIPE
from rivusio.compiler.mypy_plugin import async_methods, handler

_Place = tuple[str, str, int]


class Classes:
    """The classes of pipes of the files that mypy checks."""

    def __init__(self) -> None:
        self._met: dict[_Place, nodes.ClassDef] = {}

    def meet(self, context: ClassDefContext) -> None:
        """Called when the bases of a class are known, and nothing else of it."""
        definition = context.cls
        if definition.info.has_base(BASE_PIPE):
            path = context.api.modules[context.api.cur_mod_id].path
            self._met[path, definition.name, definition.line] = definition

    def check(self, context: MethodContext) -> Type:
        """Called when the types of a class are checked."""
        match context.context:
            case nodes.CallExpr(callee=nodes.MemberExpr(expr=nodes.NameExpr(name=name))) as call:
                definition = self._met.get((context.api.path, name, call.line))
                if definition is not None:
                    _check(context.api, definition.info)
        return context.default_return_type


def _check(api: CheckerPluginInterface, info: nodes.TypeInfo) -> None:
    async_methods.check(api, info)
    handler.check(api, info)

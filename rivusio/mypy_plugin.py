"""A plugin for mypy that says of chains what `rivusio check` says: `plugins = rivusio.mypy_plugin`.

This is a table of hooks and nothing else; what they do is in `rivusio.compiler.mypy_plugin`. A hook
that fails, on a mypy that this rivusio does not know, is as good as none: mypy says what it says
without a plugin.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mypy.nodes import TypeInfo
from mypy.options import Options
from mypy.plugin import (
    ClassDefContext,
    FunctionContext,
    FunctionSigContext,
    MethodContext,
    MethodSigContext,
    Plugin,
    ReportConfigContext,
)
from mypy.types import FunctionLike, Type

import rivusio

Context = TypeVar("Context")
Result = TypeVar("Result")


class RivusioPlugin(Plugin):
    """Hands what mypy meets of rivusio to the hooks."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        from rivusio.compiler.mypy_plugin.hooks import Table

        self._table = Table(self._class_of)

    def _class_of(self, fullname: str) -> TypeInfo | None:
        found = self.lookup_fully_qualified(fullname)
        return found.node if found is not None and isinstance(found.node, TypeInfo) else None

    def report_config_data(self, ctx: ReportConfigContext) -> object:
        """Called for every module that mypy reads from its cache, or writes there.

        What stands beside rivusio's own modules makes mypy look anew at those that use them.
        """
        is_ours = ctx.id.partition(".")[0] == "rivusio"
        return rivusio.__version__ if is_ours else None

    def get_function_signature_hook(
        self, fullname: str
    ) -> Callable[[FunctionSigContext], FunctionLike] | None:
        """Called before mypy looks at the arguments of a call."""
        return _safe(self._table.function_signature, fullname, _signature)

    def get_function_hook(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Called when mypy has checked a call."""
        return _safe(self._table.function, fullname, _returned)

    def get_method_signature_hook(
        self, fullname: str
    ) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Called before mypy looks at the arguments of a method; an operator is one, too."""
        return _safe(self._table.method_signature, fullname, _signature)

    def get_method_hook(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Called when mypy has checked the call of a method."""
        return _safe(self._table.method, fullname, _returned)

    def get_customize_class_mro_hook(
        self, fullname: str
    ) -> Callable[[ClassDefContext], None] | None:
        """Called when mypy knows the bases of a class."""
        return _safe(self._table.class_, fullname, _nothing)


def plugin(_: str) -> type[Plugin]:
    """Called by mypy, with its version; what it gets may be a plugin that does nothing."""
    try:
        import rivusio.compiler.mypy_plugin.hooks  # noqa: F401  to see whether all of it is there
    except Exception:  # noqa: BLE001  a mypy that has not what the hooks build upon
        return Plugin
    return RivusioPlugin


def _safe(
    find: Callable[[str], Callable[[Context], Result] | None],
    fullname: str,
    otherwise: Callable[[Context], Result],
) -> Callable[[Context], Result] | None:
    """Give the hook for a name, so that it leaves mypy alone where it fails."""
    try:
        hook = find(fullname)
    except Exception:  # noqa: BLE001  the user's mypy run matters more
        return None
    if hook is None:
        return None
    found = hook

    def safe(context: Context) -> Result:
        try:
            return found(context)
        except Exception:  # noqa: BLE001  the user's mypy run matters more
            return otherwise(context)

    return safe


def _signature(context: FunctionSigContext | MethodSigContext) -> FunctionLike:
    return context.default_signature


def _returned(context: FunctionContext | MethodContext) -> Type:
    return context.default_return_type


def _nothing(_: ClassDefContext) -> None:
    """Leave the class as it is."""

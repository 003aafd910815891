"""Which hook looks at what, by its full name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mypy.nodes import TypeInfo
from mypy.plugin import (
    ClassDefContext,
    FunctionContext,
    FunctionSigContext,
    MethodContext,
    MethodSigContext,
)
from mypy.types import FunctionLike, Type

from rivusio.compiler.known_names import ASYNC_PIPELINE, SYNC_PIPELINE, TAKING_FUNCTIONS, THROUGH
from rivusio.compiler.mypy_plugin import blocking, config
from rivusio.compiler.mypy_plugin.argument_rules import METHODS, Rules
from rivusio.compiler.mypy_plugin.classes import Classes
from rivusio.compiler.mypy_plugin.file_chains import JOINS
from rivusio.compiler.mypy_plugin.joins import Chains

OF_CLASS = "__init_subclass__"  # what mypy calls in thought for each class that it checks


class Table:
    """The hooks of one run of mypy.

    Args:
        class_of: gives a class by its full name.
    """

    def __init__(self, class_of: Callable[[str], TypeInfo | None]) -> None:
        self._class_of = class_of
        self._chains = Chains(class_of)
        self._classes = Classes()
        self._rules: dict[str, Rules | None] = {}

    def function_signature(
        self, fullname: str
    ) -> Callable[[FunctionSigContext], FunctionLike] | None:
        """Give what looks at a call before mypy looks at its arguments."""
        if fullname not in self._rules:
            self._rules[fullname] = config.rules_of(fullname, self._class_of(fullname))
        rules = self._rules[fullname]
        name = fullname.rpartition(".")[2]
        return None if rules is None else partial(config.call, name=name, rules=rules)

    def function(self, fullname: str) -> Callable[[FunctionContext], Type] | None:
        """Give what looks at a call that mypy has checked."""
        if fullname in {SYNC_PIPELINE, ASYNC_PIPELINE}:
            return self._chains.made
        if fullname in TAKING_FUNCTIONS:
            return blocking.made
        return blocking.call if blocking.is_blocking_function(fullname) else None

    def method_signature(self, fullname: str) -> Callable[[MethodSigContext], FunctionLike] | None:
        """Give what looks at the call of a method before mypy looks at its arguments."""
        name = fullname.rpartition(".")[2]
        if name in JOINS:
            return self._chains.join
        if fullname == THROUGH:
            return self._chains.through
        if name == "concurrent":
            return config.concurrent
        if name == "configure_parallel":
            return partial(config.call, name=name, rules=METHODS[name])
        return None

    def method(self, fullname: str) -> Callable[[MethodContext], Type] | None:
        """Give what looks at the call of a method that mypy has checked."""
        name = fullname.rpartition(".")[2]
        if name == OF_CLASS:
            return self._classes.check
        if name == "configure_parallel":
            return self._chains.configured
        return blocking.call if blocking.is_blocking_method(fullname) else None

    def class_(self, fullname: str) -> Callable[[ClassDefContext], None]:
        """Give what looks at a class whose bases are known."""
        self._rules.pop(fullname, None)  # in a daemon, it may have changed
        return self._classes.meet

"""What a stage calls: a function, a method, a lambda, or whatever else can be called."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

from mypy import nodes, types
from mypy.expandtype import expand_type_by_instance
from mypy.maptype import map_instance_to_supertype

from rivusio.compiler.analysis.mypy_functions import (
    is_class,
    is_coroutine_function,
    is_coroutine_object,
    is_ours,
    may_be_awaited,
    return_type,
    undecorated,
)
from rivusio.compiler.analysis.project import Located, Project
from rivusio.compiler.analysis.settings import Reading, Undetermined
from rivusio.compiler.frontend.functions import FOREIGN, FunctionRef
from rivusio.compiler.known_names import PIPE
from rivusio.compiler.typecheck import stage_types, type_predicates
from rivusio.compiler.typecheck.facts import KnownFunction
from rivusio.compiler.typecheck.stage_types import Pipe

DECORATED = "it is decorated"
NO_FUNCTION = "it is no function that is written here"
UNKNOWN = "what it calls is not written here"


@dataclass(frozen=True)
class Called:
    """What a stage calls with its items.

    Attributes:
        is_async: whether rivusio will see that it gives a coroutine.
        is_coroutine: whether it is a true coroutine function.
        is_async_generator: whether it is an `async def` with a `yield`.
        ref: where it is written; None if it is no function that Python calls directly.
        no_function: why it is not.
        at: where it is written, whatever that is good for; None if any other may be called.
        by_itself: whether all this holds of that function wherever it is called: the place where
            a lambda stands, or the type of a generic pipe, has no say in it.
        is_typed: whether it says its types, and mypy has nothing against its body.
        may_give_awaitable: whether what it gives could be awaited; of a coroutine function,
            what awaiting it gives.
    """

    is_async: bool = False
    is_coroutine: bool = False
    is_async_generator: bool = False
    ref: FunctionRef | None = None
    no_function: str = ""
    is_typed: bool = False
    may_give_awaitable: bool = True
    at: FunctionRef | None = None
    by_itself: bool = True


@dataclass(frozen=True)
class Functions:
    """Finds out what is called in one file."""

    module: str
    reading: Reading
    project: Project

    def of(self, expression: nodes.Expression) -> Called:
        """Say what an expression is that is called with each item.

        Raises:
            Undetermined: when the text does not tell whether it gives a coroutine.
        """
        expression = self.reading.bindings.seen_through(expression)
        its = self.reading.inferred.get(expression)
        match expression:
            case nodes.LambdaExpr():
                located = self.project.locate(expression, self.module)
                return self._plain(located, its)
            case nodes.RefExpr(node=nodes.SymbolNode() as node) if not (
                isinstance(node, nodes.FuncDef | nodes.OverloadedFuncDef | nodes.Decorator)
                and node.info
            ):
                return self._named(node, its)
            case nodes.MemberExpr(expr=owner, name=name):
                return self._member(owner, name, its)
            case nodes.CallExpr(
                callee=nodes.RefExpr(fullname="functools.partial"), args=[function, *_]
            ):
                return self._partial(function, its)
        return self._by_type(its, NO_FUNCTION)

    def method(self, of: types.Instance, name: str, *, is_async_family: bool) -> Called:
        """Say what a method of a pipe is.

        Raises:
            Undetermined: when the text does not tell how it is entered.
        """
        owner = next((base for base in of.type.mro if name in base.names), None)
        node = None if owner is None else owner.names[name].node
        function = undecorated(node)
        if owner is None or is_ours(owner):
            raise Undetermined(f"its method {name} is not written here")
        if function is None:
            if is_async_family:
                raise Undetermined(f"its method {name} is no plain method")
            return Called(no_function=DECORATED)
        base = map_instance_to_supertype(of, owner)
        ret = function.type.ret_type if isinstance(function.type, types.CallableType) else None
        gives = None if ret is None else expand_type_by_instance(ret, base)
        return self._function(function, owner.module_name, gives)

    def of_decorator(self, decorator: nodes.Decorator) -> Called:
        """Say what the function is that `@pipe` has made a pipe of.

        Raises:
            Undetermined: when there are other decorators.
        """
        match decorator.decorators:
            case [nodes.RefExpr(fullname=name)] if name == PIPE:
                function = decorator.func
                return self._function(
                    function, self._module_of(function), return_type(function.type)
                )
        raise Undetermined(UNKNOWN)

    def known(
        self, node: nodes.FuncDef | nodes.LambdaExpr, module: str | None = None
    ) -> KnownFunction | None:
        """Say what mypy knows of a function of a module, or of this file; None if it is no use."""
        if isinstance(node, nodes.LambdaExpr):
            called = self._plain(
                self.project.locate(node, self.module), self.reading.inferred.get(node)
            )
        else:
            called = self._function(node, module or self.module, return_type(node.type))
        if called.ref is None:
            return None
        at = called.ref
        return KnownFunction(
            at.file,
            at.qualname,
            at.line,
            called.is_typed,
            called.may_give_awaitable,
            called.by_itself,
        )

    # Kinds

    def _named(self, node: nodes.SymbolNode, its: types.Type | None) -> Called:
        if isinstance(node, nodes.TypeInfo) or is_class(its):
            return self._class(node, its)
        function = undecorated(node)
        if function is not None:
            return self._function(function, self._module_of(function), return_type(function.type))
        if isinstance(node, nodes.OverloadedFuncDef) and node.fullname.startswith("builtins."):
            return Called(
                no_function=FOREIGN
            )  # such as `sum`: none of them is a coroutine function
        is_decorated = isinstance(node, nodes.Decorator | nodes.OverloadedFuncDef)
        return self._by_type(its, DECORATED if is_decorated else UNKNOWN)

    def _class(self, node: nodes.SymbolNode, its: types.Type | None) -> Called:
        if isinstance(node, nodes.TypeInfo) and node.get("__call__") is not None:
            raise Undetermined(
                "it is a class whose instances can be called"
            )  # rivusio asks for that
        gives = return_type(its)
        return Called(
            no_function="it is a class",
            may_give_awaitable=gives is None or type_predicates.awaiting(gives) == "maybe",
        )

    def _member(self, owner: nodes.Expression, name: str, its: types.Type | None) -> Called:
        """Say what `owner.name` is: a method that is bound to its object, or a function."""
        of = self.reading.inferred.get(owner)
        proper = None if of is None else types.get_proper_type(of)
        info: nodes.TypeInfo | None = None
        match proper:
            case types.Instance():
                info = proper.type
            case types.LiteralType(fallback=fallback):
                info = fallback.type
            case types.FunctionLike() if proper.is_type_obj():
                info = proper.type_object()
        found = None if info is None else info.get(name)
        function = None if found is None else undecorated(found.node)
        if function is None or info is None:
            return self._by_type(its, "it is a method of another object")
        called = self._function(function, function.info.module_name, return_type(its))
        reason = called.no_function or "it is a method of another object"
        return Called(
            called.is_async,
            called.is_coroutine,
            called.is_async_generator,
            no_function=reason,
            may_give_awaitable=called.may_give_awaitable,
        )

    def _partial(self, function: nodes.Expression, its: types.Type | None) -> Called:
        """Say what `partial(function, ...)` is: Python asks the function that it holds."""
        with suppress(Undetermined):
            held = self.of(function)
            if held.ref is not None and (held.is_coroutine or held.is_async_generator):
                return Called(
                    is_async=held.is_coroutine,
                    is_async_generator=held.is_async_generator,
                    no_function=NO_FUNCTION,
                )
        return self._by_type(its, NO_FUNCTION)

    def _by_type(self, its: types.Type | None, reason: str) -> Called:
        """Say what is called by its type alone."""
        match stage_types.meaning_of(its):
            case (stage_types.Function(type=types.FunctionLike() as function),):
                gives = [each.ret_type for each in function.items]
            case (Pipe(family="sync"),):
                return Called(no_function="it is a pipe")
            case (Pipe(family="async"),):
                return Called(is_async=True, no_function="it is a pipe")
            case _:
                raise Undetermined(UNKNOWN)
        proper = None if its is None else types.get_proper_type(its)
        if isinstance(proper, types.Instance) and is_coroutine_object(proper):
            return Called(is_async=True, no_function=reason)
        if any(type_predicates.awaiting(each) == "maybe" for each in gives):
            raise Undetermined(UNKNOWN)
        return Called(no_function=reason, may_give_awaitable=False)

    # Functions

    def _function(self, function: nodes.FuncDef, module: str, gives: types.Type | None) -> Called:
        is_vague = self.project.is_stub(module) and not is_coroutine_function(function)
        if is_vague and gives is not None and type_predicates.awaitable_of(gives) is not None:
            raise Undetermined(UNKNOWN)  # a stub does not say whether it was an `async def`
        located = self.project.locate(function, module)
        return self._plain(located, gives, function)

    def _plain(
        self, located: Located, gives: types.Type | None, function: nodes.FuncDef | None = None
    ) -> Called:
        if function is None:  # a lambda, whose type is that of a callable
            gives = return_type(gives)
        is_coroutine = function is not None and is_coroutine_function(function)
        may_be = located.returns_any and located.reason != FOREIGN
        declared = None if function is None else return_type(function.type)
        return Called(
            is_async=is_coroutine,
            is_coroutine=is_coroutine,
            is_async_generator=function is not None and function.is_async_generator,
            ref=located.ref,
            no_function=located.reason,
            is_typed=located.is_typed,
            may_give_awaitable=may_be or may_be_awaited(gives, is_coroutine=is_coroutine),
            at=located.at,
            by_itself=may_be
            or (
                may_be_awaited(gives, is_coroutine=is_coroutine)
                or not may_be_awaited(declared, is_coroutine=is_coroutine)
            ),
        )

    def _module_of(self, function: nodes.FuncDef) -> str:
        name = function.fullname
        is_local = "." not in name
        return (None if is_local else self.project.module_of(name)) or self.module

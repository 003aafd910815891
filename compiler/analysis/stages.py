"""What the text says of each stage of a chain, so that code can be written without running it.

    map(json.loads)                        map, called
    Clean()                                map, awaited: its `process` is an `async def`
    Mean(100, linger=SECOND)               a batch that time closes, too
    parse.with_config(RETRIES)             what `parse` is, and treated

The kind comes from the first of rivusio's classes that the pipe's class inherits from, or from
the operator that makes the stage. What only running the program can tell is said to be unsure.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

from mypy import nodes, types

from rivusio.compiler.analysis.callees import Called, Functions
from rivusio.compiler.analysis.constructors import given
from rivusio.compiler.analysis.settings import Said, Unsure
from rivusio.compiler.frontend.finder import PIPELINES, SAME_STAGES
from rivusio.compiler.frontend.syntax import Operand, Span
from rivusio.compiler.known_names import (
    ASYNC_BASE_PIPE,
    ASYNC_FILTER_PIPE,
    ASYNC_FLAT_MAP_PIPE,
    BASE_PIPE,
    BATCH_STREAM_PIPE,
    FILTER_PIPE,
    FLAT_MAP_PIPE,
    IN_OPERATORS,
    IN_PIPES,
    SLIDING_WINDOW_PIPE,
    STREAM_PIPE,
    SYNC_BASE_PIPE,
    WINDOWED_STREAM_PIPE,
)
from rivusio.compiler.typecheck import stage_types
from rivusio.compiler.typecheck.facts import UNKNOWN_PIPE, Facts
from rivusio.graph.operations import Entry, Kind
from rivusio.graph.signature import Shape

NO_CODE = "it runs no code of yours"


@dataclass(frozen=True)
class _Family:
    """What a class of rivusio's makes of the classes that inherit from it."""

    kind: Kind
    method: str
    entry: Entry | None = None  # None: awaited if it is a coroutine function, else looked at


FAMILIES = {
    SYNC_BASE_PIPE: _Family("map", "process", entry="call"),
    ASYNC_BASE_PIPE: _Family("map", "process"),
    FILTER_PIPE: _Family("filter", "keep", entry="call"),
    ASYNC_FILTER_PIPE: _Family("filter", "keep"),
    FLAT_MAP_PIPE: _Family("flat_map", "expand", entry="call"),
    ASYNC_FLAT_MAP_PIPE: _Family("flat_map", "expand"),
    STREAM_PIPE: _Family("map", "process_item"),
    BATCH_STREAM_PIPE: _Family("batch", "process_batch"),
    WINDOWED_STREAM_PIPE: _Family("tumbling", "process_window"),
    SLIDING_WINDOW_PIPE: _Family("sliding", "process_window"),
}
# What a stage calls: where something is assigned to one of these, its class does not say it.
METHODS = {each.method for each in FAMILIES.values()} | {"process_stream", "handle_error"}


@dataclass(frozen=True)
class _Made:
    """A stage as it is made, before any settings from outside."""

    shape: Shape
    called: Called
    config: nodes.Expression | None = None
    has_handler: bool = False


@dataclass(frozen=True)
class StageFacts:
    """Finds out the facts of the stages of one file.

    Attributes:
        functions: says what is called.
        node_at: gives the expression at a span.
    """

    functions: Functions
    node_at: Callable[[Span], nodes.Expression | None]

    def of(self, operand: Operand) -> Facts:
        """Say what the text tells of a stage."""
        found = self.node_at(operand.span)
        try:
            if found is None:
                raise Unsure(UNKNOWN_PIPE)
            return self._facts(found, operand)
        except Unsure as unsure:
            called = Called(no_function="its source is not known")
            if found is not None:
                with suppress(Unsure):
                    called = self._guessed(found)
            return _facts(None, called, str(unsure))

    def _guessed(self, found: nodes.Expression) -> Called:
        """Say what is called if the type says all: for when the live stage says the rest."""
        its = self.functions.reading.inferred.get(self._peeled(found)[0])
        proper = None if its is None else types.get_proper_type(its)
        if isinstance(proper, types.Instance) and proper.type.has_base(BASE_PIPE):
            family, ours = _family(proper.type)
            return self._entered(proper, family, ours).called
        return self._made(self._peeled(found)[0]).called

    def _facts(self, found: nodes.Expression, operand: Operand) -> Facts:
        bare, config, is_concurrent = self._peeled(found)
        made = self._made(bare)
        said = self._said(made, config, operand)
        has_single_call = made.shape.entry != "pass" and made.shape.kind != "stream"
        shape = replace(
            made.shape,
            treated=has_single_call and (said.treats or made.has_handler),
            timed=has_single_call and said.times,
            skip_none=said.skips_none,
            buffered=said.buffers,
            concurrent=is_concurrent,
        )
        return _facts(shape, made.called, None)

    def _said(self, made: _Made, config: nodes.Expression | None, operand: Operand) -> Said:
        """Say which settings apply: those of the stage, of the pipe, or of a chain around it."""
        reading = self.functions.reading
        own = made.config if config is None else config
        said = None if own is None else reading.said(own)
        for span in operand.settings:
            if said is None:
                said = self._chain_said(span)
        return Said() if said is None else said

    def _chain_said(self, span: Span) -> Said | None:
        match self.node_at(span):
            case nodes.CallExpr(callee=nodes.MemberExpr(name="with_config"), args=[config]):
                return self.functions.reading.said(config)
        return None

    def _peeled(
        self, found: nodes.Expression
    ) -> tuple[nodes.Expression, nodes.Expression | None, bool]:
        """Give what a stage is made of, the last settings it gets, and whether it is concurrent."""
        config, is_concurrent = None, False
        while True:
            found = self.functions.reading.bindings.seen_through(
                found, unless_changed=True, attributes=METHODS
            )
            match found:
                case nodes.CallExpr(
                    callee=nodes.MemberExpr(expr=inner, name=method), args=arguments
                ) if method in SAME_STAGES:
                    if method == "with_config" and config is None and arguments:
                        config = arguments[0]
                    is_concurrent = is_concurrent or method == "concurrent"
                    found = inner
                case nodes.CallExpr(
                    callee=callee,
                    args=[nodes.ListExpr(items=[only]) | nodes.TupleExpr(items=[only]), *_],
                ) if _name(callee).rpartition(".")[2] in PIPELINES:
                    found = only
                case _:
                    return found, config, is_concurrent

    # Kinds

    def _made(self, expression: nodes.Expression) -> _Made:
        match expression:
            case nodes.CallExpr(callee=callee, args=arguments):
                name = _name(callee)
                if name.startswith((IN_OPERATORS, IN_PIPES)) and isinstance(
                    _node(callee), nodes.OverloadedFuncDef | nodes.FuncDef
                ):
                    return self._operator(name.rpartition(".")[2], arguments, expression)
                info = self._class_of(expression)
                if info is not None:
                    return self._pipe(info, expression)
            case nodes.RefExpr(node=nodes.Decorator() as decorator) if self._is_pipe(expression):
                return _applied(self.functions.of_decorator(decorator))
        if not isinstance(expression, nodes.LambdaExpr) and self._is_pipe(expression):
            raise Unsure(UNKNOWN_PIPE)
        return _applied(self.functions.of(expression))

    def _operator(
        self, name: str, arguments: list[nodes.Expression], call: nodes.CallExpr
    ) -> _Made:
        reading = self.functions.reading
        nothing = Called(no_function=NO_CODE, may_give_awaitable=False)
        match name, arguments:
            case (("map" | "pipe"), [function, *_]):
                return _applied(self.functions.of(function))
            case "filter", [function]:
                return _applied(self.functions.of(function), "filter")
            case "flat_map", [function]:
                called = self.functions.of(function)
                if called.is_async_generator:
                    return _Made(Shape("flat_map", "either"), called)
                return _applied(called, "flat_map")
            case "take", [count]:
                kind: Kind = "take_none" if reading.number(count) == 0 else "take"
                return _Made(Shape(kind, "pass"), nothing)
            case "drop_none", []:
                return _Made(Shape("drop_none", "pass"), nothing)
            case "batch", _:
                linger = next(
                    (
                        value
                        for index, (its, value) in enumerate(
                            zip(call.arg_names, arguments, strict=True)
                        )
                        if its == "linger" or (its is None and index == 1)
                    ),
                    None,
                )
                lingers = reading.is_given(linger, "its linger")
                return _Made(Shape("lingering_batch" if lingers else "batch", "pass"), nothing)
            case ("tumbling" | "sliding") as kind, _:
                return _Made(Shape(kind, "pass"), nothing)
        raise Unsure(UNKNOWN_PIPE)

    def _pipe(self, of: types.Instance, call: nodes.CallExpr) -> _Made:
        """Say what an instance of a class of pipes is."""
        info = of.type
        family, ours = _family(info)
        arguments = given(call, info, self.functions.project)
        handler = info.get("handle_error")
        if handler is not None and not isinstance(
            handler.node, nodes.FuncDef | nodes.Decorator | nodes.OverloadedFuncDef
        ):
            raise Unsure("its handle_error is no method that is written here")
        self._refuse_dynamic(of, family.method)
        made = self._entered(of, family, ours)
        if family.kind == "batch" and self.functions.reading.is_given(
            arguments.linger, "its linger"
        ):
            made = replace(made, shape=replace(made.shape, kind="lingering_batch"))
        return replace(made, config=arguments.config, has_handler=handler is not None)

    def _refuse_dynamic(self, of: types.Instance, method: str) -> None:
        """Refuse to say what a pipe is whose methods are made while it runs.

        Raises:
            Unsure: saying what makes them.
        """
        info = of.type
        if _defines(info, "__getattribute__"):
            raise Unsure("its class has a __getattribute__")
        if info.get("handle_error") is None and _defines(info, "__getattr__"):
            raise Unsure("its class has a __getattr__, which may give it a handle_error")
        for name in (method, "handle_error", "process_stream"):
            if self._is_assigned(info, name):
                raise Unsure(f"something is assigned to its {name}")

    def _is_assigned(self, info: nodes.TypeInfo, name: str) -> bool:
        """Tell whether a method is assigned: to the class, or to objects by its own methods."""
        if any(self.functions.project.sets_on_itself(base, name) for base in info.mro):
            return True
        reading = self.functions.reading
        owners = (
            _class_itself(reading.inferred.get(each)) for each in reading.bindings.owners_of(name)
        )
        return any(owner is not None and info.has_base(owner.fullname) for owner in owners)

    def _entered(self, of: types.Instance, family: _Family, ours: nodes.TypeInfo) -> _Made:
        """Say how the method is entered that a pipe's class defines."""
        if ours.fullname == STREAM_PIPE:
            if of.type is ours:
                called = Called(no_function=NO_CODE, may_give_awaitable=False)
                return _Made(Shape("map", "pass"), called)
            if _defines(of.type, "process_stream"):
                called = self.functions.method(of, "process_stream", is_async_family=False)
                return _Made(Shape("stream", "call"), called)
        called = self.functions.method(of, family.method, is_async_family=family.entry is None)
        entry = family.entry or ("await" if called.is_coroutine else "either")
        return _Made(Shape(family.kind, entry), called)

    # Types

    def _class_of(self, call: nodes.CallExpr) -> types.Instance | None:
        """Give the type of what a class of pipes makes, where it is called by its own name."""
        node = _node(call.callee)
        if not isinstance(node, nodes.TypeInfo | nodes.TypeAlias):
            return None
        made = self.functions.reading.inferred.get(call)
        proper = None if made is None else types.get_proper_type(made)
        if isinstance(proper, types.Instance) and proper.type.has_base(BASE_PIPE):
            return proper
        return None

    def _is_pipe(self, expression: nodes.Expression) -> bool:
        meanings = stage_types.meaning_of(self.functions.reading.inferred.get(expression))
        return any(isinstance(each, stage_types.Pipe | stage_types.Unknown) for each in meanings)


def _facts(shape: Shape | None, called: Called, unsure: str | None) -> Facts:
    return Facts(
        shape,
        called.ref,
        called.no_function,
        called.is_typed,
        called.may_give_awaitable,
        unsure,
        called.at,
        called.by_itself,
    )


def _family(info: nodes.TypeInfo) -> tuple[_Family, nodes.TypeInfo]:
    """Say what rivusio makes of a class of pipes, and by which class of its own."""
    ours = next((base for base in info.mro if base.fullname.startswith("rivusio.")), None)
    family = None if ours is None else FAMILIES.get(ours.fullname)
    if ours is None or family is None or _defines(info, "_rivusio_operation"):
        raise Unsure(UNKNOWN_PIPE)
    return family, ours


def is_made_by_rivusio(expression: nodes.Expression) -> bool:
    """Tell whether an expression calls a function or class of rivusio's, such as `map`."""
    match expression:
        case nodes.CallExpr(callee=nodes.MemberExpr(expr=pipe, name=method)) if (
            method in SAME_STAGES
        ):
            return is_made_by_rivusio(pipe)
        case nodes.CallExpr(callee=callee):
            return _name(callee).startswith("rivusio.")
    return False


def _applied(called: Called, kind: Kind = "map") -> _Made:
    """Give the stage that calls a function."""
    entry: Entry = "await" if called.is_coroutine else "either" if called.is_async else "call"
    return _Made(Shape(kind, entry), called)


def _defines(info: nodes.TypeInfo, name: str) -> bool:
    """Tell whether a class of the user's own has that name, and not only rivusio's."""
    owner = next((base for base in info.mro if name in base.names), None)
    return owner is not None and not owner.fullname.startswith(("rivusio.", "builtins."))


def _class_itself(its: types.Type | None) -> nodes.TypeInfo | None:
    """Give the class that a type stands for, if it is that of a class itself."""
    match None if its is None else types.get_proper_type(its):
        case types.FunctionLike() as function if function.is_type_obj():
            return function.type_object()
    return None


def _callee(callee: nodes.Expression) -> nodes.Expression:
    return callee.base if isinstance(callee, nodes.IndexExpr) else callee


def _name(callee: nodes.Expression) -> str:
    """Give the full name of what is called; an alias stands for its class."""
    inner = _callee(callee)
    return inner.fullname if isinstance(inner, nodes.RefExpr) else ""


def _node(callee: nodes.Expression) -> nodes.SymbolNode | None:
    inner = _callee(callee)
    return inner.node if isinstance(inner, nodes.RefExpr) else None

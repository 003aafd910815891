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
from rivusio.compiler.analysis.operator_stages import (
    NO_CODE,
    StageAsMade,
    calling_stage,
    stage_of_operator,
)
from rivusio.compiler.analysis.pipe_families import (
    METHODS,
    PipeFamily,
    called_name,
    called_node,
    class_itself,
    defines,
    family_of,
)
from rivusio.compiler.analysis.settings import Said, Undetermined
from rivusio.compiler.frontend.forms import PIPELINES, SAME_STAGES
from rivusio.compiler.frontend.syntax import Operand, Span
from rivusio.compiler.known_names import (
    BASE_PIPE,
    IN_OPERATORS,
    IN_PIPES,
    STREAM_PIPE,
)
from rivusio.compiler.typecheck import stage_types
from rivusio.compiler.typecheck.facts import UNKNOWN_PIPE, Facts
from rivusio.graph.signature import Shape


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
                raise Undetermined(UNKNOWN_PIPE)
            return self._facts(found, operand)
        except Undetermined as unsure:
            called = Called(no_function="its source is not known")
            if found is not None:
                with suppress(Undetermined):
                    called = self._guessed(found)
            return _facts(None, called, str(unsure))

    def _guessed(self, found: nodes.Expression) -> Called:
        """Say what is called if the type says all: for when the live stage says the rest."""
        its = self.functions.reading.inferred.get(self._peeled(found)[0])
        proper = None if its is None else types.get_proper_type(its)
        if isinstance(proper, types.Instance) and proper.type.has_base(BASE_PIPE):
            family, ours = family_of(proper.type)
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

    def _said(self, made: StageAsMade, config: nodes.Expression | None, operand: Operand) -> Said:
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
                ) if called_name(callee).rpartition(".")[2] in PIPELINES:
                    found = only
                case _:
                    return found, config, is_concurrent

    # Kinds

    def _made(self, expression: nodes.Expression) -> StageAsMade:
        match expression:
            case nodes.CallExpr(callee=callee, args=arguments):
                name = called_name(callee)
                if name.startswith((IN_OPERATORS, IN_PIPES)) and isinstance(
                    called_node(callee), nodes.OverloadedFuncDef | nodes.FuncDef
                ):
                    return stage_of_operator(
                        self.functions, name.rpartition(".")[2], arguments, expression
                    )
                info = self._class_of(expression)
                if info is not None:
                    return self._pipe(info, expression)
            case nodes.RefExpr(node=nodes.Decorator() as decorator) if self._is_pipe(expression):
                return calling_stage(self.functions.of_decorator(decorator))
        if not isinstance(expression, nodes.LambdaExpr) and self._is_pipe(expression):
            raise Undetermined(UNKNOWN_PIPE)
        return calling_stage(self.functions.of(expression))

    def _pipe(self, of: types.Instance, call: nodes.CallExpr) -> StageAsMade:
        """Say what an instance of a class of pipes is."""
        info = of.type
        family, ours = family_of(info)
        arguments = given(call, info, self.functions.project)
        handler = info.get("handle_error")
        if handler is not None and not isinstance(
            handler.node, nodes.FuncDef | nodes.Decorator | nodes.OverloadedFuncDef
        ):
            raise Undetermined("its handle_error is no method that is written here")
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
            Undetermined: saying what makes them.
        """
        info = of.type
        if defines(info, "__getattribute__"):
            raise Undetermined("its class has a __getattribute__")
        if info.get("handle_error") is None and defines(info, "__getattr__"):
            raise Undetermined("its class has a __getattr__, which may give it a handle_error")
        for name in (method, "handle_error", "process_stream"):
            if self._is_assigned(info, name):
                raise Undetermined(f"something is assigned to its {name}")

    def _is_assigned(self, info: nodes.TypeInfo, name: str) -> bool:
        """Tell whether a method is assigned: to the class, or to objects by its own methods."""
        if any(self.functions.project.sets_on_itself(base, name) for base in info.mro):
            return True
        reading = self.functions.reading
        owners = (
            class_itself(reading.inferred.get(each)) for each in reading.bindings.owners_of(name)
        )
        return any(owner is not None and info.has_base(owner.fullname) for owner in owners)

    def _entered(self, of: types.Instance, family: PipeFamily, ours: nodes.TypeInfo) -> StageAsMade:
        """Say how the method is entered that a pipe's class defines."""
        if ours.fullname == STREAM_PIPE:
            if of.type is ours:
                called = Called(no_function=NO_CODE, may_give_awaitable=False)
                return StageAsMade(Shape("map", "pass"), called)
            if defines(of.type, "process_stream"):
                called = self.functions.method(of, "process_stream", is_async_family=False)
                return StageAsMade(Shape("stream", "call"), called)
        called = self.functions.method(of, family.method, is_async_family=family.entry is None)
        entry = family.entry or ("await" if called.is_coroutine else "either")
        return StageAsMade(Shape(family.kind, entry), called)

    # Types

    def _class_of(self, call: nodes.CallExpr) -> types.Instance | None:
        """Give the type of what a class of pipes makes, where it is called by its own name."""
        node = called_node(call.callee)
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


def _facts(shape: Shape | None, called: Called, undetermined: str | None) -> Facts:
    return Facts(
        shape,
        called.ref,
        called.no_function,
        called.is_typed,
        called.may_give_awaitable,
        undetermined,
        called.at,
        called.by_itself,
    )


def is_made_by_rivusio(expression: nodes.Expression) -> bool:
    """Tell whether an expression calls a function or class of rivusio's, such as `map`."""
    match expression:
        case nodes.CallExpr(callee=nodes.MemberExpr(expr=pipe, name=method)) if (
            method in SAME_STAGES
        ):
            return is_made_by_rivusio(pipe)
        case nodes.CallExpr(callee=callee):
            return called_name(callee).startswith("rivusio.")
    return False

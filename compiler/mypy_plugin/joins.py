"""`rivusio-chain`: the joins that do not fit, in the words of `rivusio check`.

mypy calls the hook of a join once for each overload of `>>`, and again whenever it has reason to
look at the join once more. The first call finds out what is wrong, the others repeat it. Where
something is, the join is taken as if it fitted: mypy has nothing to say of it any more, and what
stands on its right is checked, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mypy import nodes, types
from mypy.plugin import CheckerPluginInterface, FunctionContext, MethodContext, MethodSigContext

from rivusio.compiler.frontend.syntax import Join
from rivusio.compiler.known_names import ASYNC_PIPELINE, SYNC_PIPELINE
from rivusio.compiler.mypy_plugin import blocking, pickling, reporting
from rivusio.compiler.mypy_plugin.file_chains import (
    ClassOf,
    FileChains,
    looked_at,
    said,
    seen,
)
from rivusio.compiler.typecheck import stage_types, type_predicates
from rivusio.compiler.typecheck.infer import Steps
from rivusio.compiler.typecheck.joins import check_join, check_operand, fits, join_around
from rivusio.compiler.typecheck.mismatches import Mismatch
from rivusio.compiler.typecheck.stage_types import Pipe, PipeClass

FILES = 8  # that are kept in mind: mypy goes to and fro between files that import each other


@dataclass(frozen=True)
class _Sides:
    """Both sides of a join, as mypy has them."""

    left: nodes.Expression
    left_type: types.Type | None
    right: nodes.Expression
    right_type: types.Type | None


@dataclass(frozen=True)
class _Judgement:
    """What is wrong at a join, and what it gives all the same."""

    context: nodes.Context
    object: types.Type
    steps: Steps | None = None
    mismatches: tuple[Mismatch, ...] = ()
    gives: types.Type | None = None


class Chains:
    """The chains of the files that mypy checks.

    Args:
        class_of: gives a class by its full name.
    """

    def __init__(self, class_of: ClassOf) -> None:
        self._class_of = class_of
        self._files: dict[str, FileChains] = {}
        self._last: _Judgement | None = None

    def join(self, context: MethodSigContext) -> types.FunctionLike:
        """Called when `left >> right` or `left.then(right)` is checked, once for each overload."""
        judged = self._last
        if (
            judged is None
            or judged.context is not context.context
            or judged.object is not context.type
        ):
            judged = self._last = self._judged(context)
        if judged.steps is None:
            return context.default_signature
        self._report(context.api, judged.steps, judged.mismatches, context.context)
        if judged.gives is None:
            return context.default_signature
        return context.default_signature.copy_modified(
            arg_types=[type_predicates.ANY for _ in context.default_signature.arg_types],
            ret_type=judged.gives,
            variables=[],
        )

    def made(self, context: FunctionContext) -> types.Type:
        """Called for `SyncPipeline([...])` and its kin, when mypy has checked the call."""
        file, call = self._file(context.api), context.context
        steps = file.written(call) if isinstance(call, nodes.CallExpr) else None
        if isinstance(call, nodes.CallExpr) and steps is not None:
            file.look_into(call)
            steps.forget(0)
            mismatches = [
                *(
                    each
                    for join in steps.found.joins
                    if join.in_list
                    for each in check_join(steps, join)
                ),
                *(
                    each
                    for index in range(len(steps.found.operands))
                    for each in check_operand(steps, index)
                ),
            ]
            self._report(context.api, steps, tuple(mismatches), call)
        return context.default_return_type

    def through(self, context: MethodSigContext) -> types.CallableType:
        """Called for `SyncStream(...).through(pipe)`, before mypy looks at the pipe."""
        match context.args:
            case [[pipe], *_]:
                pass
            case _:
                return context.default_signature
        match stage_types.meaning_of(looked_at(context.api, pipe)):
            case (Pipe(family="async", info=info),):
                stage = self._async_stage(context.api, pipe, info)
                message = f"{stage} is async: a SyncStream cannot run it"
                note = 'use AsyncStream, and "async for"'
                reporting.report(context.api, pipe, message, note, reporting.CHAIN)
                taken = [type_predicates.ANY, *context.default_signature.arg_types[1:]]
                return context.default_signature.copy_modified(arg_types=taken)
        return context.default_signature

    def _async_stage(
        self, api: CheckerPluginInterface, pipe: nodes.Expression, info: nodes.TypeInfo
    ) -> str:
        """Say which stage makes a chain an async one."""
        file = self._file(api)
        steps = file.chain(pipe)
        if steps is not None:
            for index, step in enumerate(steps.between(0, len(steps.found.operands))):
                if step.family == "async":
                    return f'stage {index + 1} "{steps.name(index)}"'
        return f'"{info.name}"'

    def configured(self, context: MethodContext) -> types.Type:
        """Called for `pipeline.configure_parallel(...)`, when mypy has checked the call."""
        pickling.configured(context, self._file(context.api))
        return context.default_return_type

    def _file(self, api: CheckerPluginInterface) -> FileChains:
        """Give what is known of the file that is checked."""
        known = self._files.pop(api.path, None)
        if known is None or known.api is not api:
            known = FileChains(api, self._class_of)
        self._files[api.path] = known  # the last one now
        if len(self._files) > FILES:
            del self._files[next(iter(self._files))]
        return known

    def _report(
        self,
        api: CheckerPluginInterface,
        steps: Steps,
        mismatches: tuple[Mismatch, ...],
        join: nodes.Context,
    ) -> None:
        file = self._file(api)
        with reporting.past_operator(api, join):
            for mismatch in mismatches:
                where = file.node(mismatch.at) or join
                reporting.report(api, where, *said(steps, mismatch), reporting.CHAIN)

    def _judged(self, context: MethodSigContext) -> _Judgement:
        right = _Judgement(context.context, context.type)
        sides = _sides(context)
        if sides is None:
            return right
        left_meaning = stage_types.meaning_of(sides.left_type)
        right_meaning = stage_types.meaning_of(sides.right_type)
        if not any(isinstance(each, Pipe | PipeClass) for each in (*left_meaning, *right_meaning)):
            return right  # another library's operator
        file = self._file(context.api)
        file.meet(sides.left, sides.left_type)
        file.meet(sides.right, sides.right_type)
        for side in (sides.left, sides.right):
            if isinstance(side, nodes.LambdaExpr | nodes.RefExpr):
                with reporting.past_operator(context.api, context.context):
                    blocking.check_function(context.api, side)
        if fits(left_meaning, right_meaning, file.function):
            return right
        place = file.place(sides.right)
        if place is None:
            return right
        join, steps = place.join, place.steps
        file.learn(join, sides.left, sides.right)
        is_leftmost = join.middle - join.first == 1
        steps.forget(join.first if is_leftmost else join.middle)
        file.expect(steps.between(join.first, join.middle)[-1].gives)
        mismatches = tuple(_mismatches(steps, join))
        if not mismatches:
            return right
        gives = _pipeline(self._class_of, steps, join)
        return _Judgement(context.context, context.type, steps, mismatches, gives)


def _sides(context: MethodSigContext) -> _Sides | None:
    api = context.api
    match context.context:  # mypy makes an `a >> b` of `a >>= b`, too
        case nodes.OpExpr(op=">>", left=left, right=right):
            return _Sides(left, seen(api, left), right, seen(api, right))
        case nodes.CallExpr(callee=nodes.MemberExpr(expr=left, name="then"), args=[right]):
            return _Sides(left, context.type, right, looked_at(api, right))
    return None


def _mismatches(steps: Steps, join: Join) -> Iterator[Mismatch]:
    yield from check_join(steps, join, join.first)
    for index in range(join.first, join.end):
        if join_around(steps.found, index) == join:
            yield from check_operand(steps, index, join.first)


def _pipeline(class_of: ClassOf, steps: Steps, join: Join) -> types.Type | None:
    """Say what the join would give if it fitted."""
    stretch = steps.between(join.first, join.end)
    is_async = any(step.family == "async" for step in stretch)
    name = ASYNC_PIPELINE if is_async else SYNC_PIPELINE
    info = class_of(name)
    return types.Instance(info, [stretch[0].takes, stretch[-1].gives]) if info else None

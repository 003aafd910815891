"""The IR verifier: what holds of every plan. Tests let it look at a plan after every pass."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from rivusio.compiler.ir.ops import (
    OPS,
    Await,
    Batch,
    Bodiless,
    Body,
    Buffer,
    Call,
    Concurrent,
    Either,
    Elided,
    FlatMap,
    Inline,
    Op,
    Pass,
)
from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.ir.stage_info import StageInfo


class PlanError(AssertionError):
    """A plan is not what a plan has to be: a fault of the compiler's."""


def verify_plan(plan: Plan, *, is_final: bool = False) -> None:
    """Look whether a plan is sound.

    Args:
        plan: before, between or after the passes.
        is_final: whether all passes have been made.

    Raises:
        PlanError: with all that is wrong, one fault a line.
    """
    faults = [*_check_ops(plan), *(fault for op in plan.ops for fault in _check_op(op))]
    if is_final:
        faults += [
            f"{_name_stage(op.of)}: an elided await was left"
            for op in plan.ops
            if isinstance(getattr(op, "body", None), Elided)
        ]
    if faults:
        raise PlanError("\n".join([f'the plan of "{plan.name}" is wrong', *faults]))


def _check_ops(plan: Plan) -> Iterator[str]:
    """Say what is wrong with the row of ops."""
    stages = [op.of.index for op in plan.ops if not isinstance(op, Buffer)]
    if stages != list(range(len(stages))):
        yield f"its stages are {stages}, and not one after another"
    for op, following in zip(plan.ops, [*plan.ops[1:], None], strict=True):
        if isinstance(op, Buffer):
            stands = isinstance(following, Buffer) if op.whole else following is not None
            is_before = following is not None and following.of.index == op.of.index
            if not (is_before and (stands or op.whole)):
                yield f"{_name_stage(op.of)}: its buffer does not stand before it"
            if not (op.whole or op.of.shape.buffered):
                yield f"{_name_stage(op.of)}: it has a buffer that its shape does not have"
    if plan.is_sync and any(isinstance(op, Buffer) or op.of.shape.needs_loop for op in plan.ops):
        yield "it is sync, with a stage that needs an event loop"


def _is_of(op: Op, stage: StageInfo) -> bool:
    """Tell whether an op does what its stage does."""
    if isinstance(op, Buffer):
        return True
    if isinstance(op, Concurrent):
        return stage.shape.kind == "map"
    return type(op) is type(OPS[stage.shape.kind](stage, Pass()))


def _check_op(op: Op) -> Iterator[str]:
    stage = op.of
    if not _is_of(op, stage):
        yield f'{_name_stage(stage)}: {type(op).__name__} of a "{stage.shape.kind}"'
    if isinstance(op, Bodiless):
        return
    match op:
        case Concurrent() if not stage.shape.concurrent:
            yield f"{_name_stage(stage)}: its shape is not concurrent"
        case Batch(linger=linger) if linger != (stage.shape.kind == "lingering_batch"):
            yield f"{_name_stage(stage)}: it lingers where its shape does not, or the other way"
        case _:
            pass
    body = op.body
    if not _fits(body, stage):
        kind = type(body).__name__
        yield f'{_name_stage(stage)}: {kind} where its shape says "{stage.shape.entry}"'
    if isinstance(body, Inline | Elided) and stage.function is None:
        yield f"{_name_stage(stage)}: {type(body).__name__} without a function"
    if isinstance(body, Inline) and isinstance(op, FlatMap | Concurrent):
        yield f"{_name_stage(stage)}: the body of a {type(op).__name__} cannot stand in a loop"


def _fits(body: Body, stage: StageInfo) -> bool:
    """Tell whether a function may be entered so, for what its stage's shape says."""
    entry = stage.shape.entry
    match body:
        case Pass():
            return entry == "pass"
        case Call(checks=checks):
            sure = checks or not stage.may_be_awaitable
            return entry == "call" or (entry == "either" and not checks and sure)
        case Await():
            return entry == "await"
        case Elided():
            return entry == "await" and not stage.shape.timed
        case Either():
            return entry == "either"
        case Inline(in_coroutine=in_coroutine):
            return entry in (("await",) if in_coroutine else ("call", "either"))
        case _:
            assert_never(body)


def _name_stage(stage: StageInfo) -> str:
    return f'stage {stage.index + 1} "{stage.name}"'

"""What was made of each stage, and why it is no better: what `rivusio explain` shows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from rivusio.artifacts.manifest import StageReport
from rivusio.compiler.ir.fusion import split_into_loops
from rivusio.compiler.ir.ops import (
    Await,
    Bodiless,
    Body,
    Call,
    Concurrent,
    Either,
    Elided,
    FlatMap,
    Inline,
    Op,
    Pass,
    UserStream,
)
from rivusio.compiler.ir.plan import Plan

STAYS_A_CALL = {"called", "awaited", "called or awaited"}


def explain(plan: Plan) -> tuple[StageReport, ...]:
    """Say of each stage which loop it stands in, and how its function is called there."""
    return tuple(_explain_stages(plan))


def _explain_stages(plan: Plan) -> Iterator[StageReport]:
    for loop in split_into_loops(plan, in_loop=True):
        if loop.before is not None and loop.before.kind in ("user_stream", "concurrent"):
            index = loop.before.stage.index
            between = (op for op in plan.ops if isinstance(op, UserStream | Concurrent))
            yield from (_explain_stage(op, loop.number) for op in between if op.of.index == index)
        for op in loop.ops:
            yield _explain_stage(op, loop.number)


def _explain_stage(op: Op, loop: int) -> StageReport:
    how, why = describe_call(op)
    stage = op.of
    return StageReport(
        name=stage.name,
        loop=loop,
        how=how,
        why=why,
        where=stage.where,
        takes=stage.takes.text,
        gives=stage.gives.text,
    )


def describe_call(op: Op) -> tuple[str, str]:
    """Say how an op's function is called, and why it is no better."""
    if isinstance(op, Bodiless):
        return op.how
    match op:
        case Concurrent():
            return "several at once", "each item has a task of its own"
        case FlatMap() if op.of.shape.treated:
            return "called", "its settings treat all outputs as one call"
        case _:
            return _describe_body(op.body)


def _describe_body(body: Body) -> tuple[str, str]:
    match body:
        case Pass():
            return "passed on", ""
        case Inline():
            return "inlined", ""
        case Call(why=why):
            return "called", why
        case Await(why=why):
            return "awaited", why
        case Either(why=why):
            return "called or awaited", why
        case Elided():
            return "awaited", ""
        case _:
            assert_never(body)

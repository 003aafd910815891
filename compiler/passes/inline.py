"""The bodies of small functions stand in the loop itself.

    1 map Double    call           1 map Double    inline
    2 map loads     call      →    2 map loads     call: it is no Python function

Only where the meaning is the same; every refusal is a reason that `rivusio explain` shows.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import assert_never

from rivusio.compiler.inlining.inline import Refused, Site
from rivusio.compiler.inlining.inline import inline as try_to_inline
from rivusio.compiler.ir.ops import (
    Await,
    Body,
    Call,
    Either,
    Elided,
    FlatMap,
    Inlinable,
    Inline,
    Op,
    Pass,
)
from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.ir.stage_info import StageInfo

REFUSED_BY_MYPY = "mypy does not take its body in the loop"
NAME_TAKEN = "a name that its body needs is taken in the loop"


def inline(plan: Plan) -> Plan:
    """Let the bodies that can stand in the loop do so."""
    return replace(plan, ops=tuple(map(_inline_op, plan.ops)))


def _inline_op(op: Op) -> Op:
    if isinstance(op, Inlinable):
        return replace(op, body=_inline_body(op.of, op.body))
    match op:
        case FlatMap(body=Call() as body):
            return replace(op, body=replace(body, why="its outputs are taken one by one"))
        case _:
            return op


def _inline_body(stage: StageInfo, body: Body) -> Body:
    match body:
        case Pass() | Inline() | Await():
            return body
        case Call(checks=checks):
            reason = find_refusal(stage)
            return Inline(checks=checks) if reason is None else replace(body, why=reason)
        case Either():
            reason = find_refusal(stage)
            return Inline(checks=True) if reason is None else replace(body, why=reason)
        case Elided():
            reason = find_refusal(stage)
            return Inline(in_coroutine=True, checks=False) if reason is None else Await(reason)
        case _:
            assert_never(body)


def call_instead(plan: Plan, stages: Collection[int], why: str) -> Plan:
    """Let the functions of some stages be called after all, for a reason."""
    ops = (_as_call(op, why) if op.of.index in stages else op for op in plan.ops)
    return replace(plan, ops=tuple(ops))


def match_module(plan: Plan, inlined: Collection[int]) -> Plan:
    """Give a plan as its module came out, in which the bodies of some stages stand."""
    others = {op.of.index for op in plan.ops} - set(inlined)
    return call_instead(plan, others, NAME_TAKEN)


def _as_call(op: Op, why: str) -> Op:
    if isinstance(op, Inlinable) and isinstance(op.body, Inline):
        return replace(op, body=body_as_call(op.of, op.body, why))
    return op


def body_as_call(stage: StageInfo, body: Inline, why: str = "") -> Body:
    """Say how a function is called whose body was to stand in the loop."""
    if body.in_coroutine:
        return Await(why)
    return Either(why) if stage.shape.entry == "either" else Call(body.checks, why)


def find_refusal(stage: StageInfo) -> str | None:
    """Say why the body of a stage's function cannot stand in the loop; None if it can."""
    function = stage.function
    if function is None:
        return stage.no_source
    if not function.is_typed:
        return "mypy has something against it, or cannot say its types"
    site = Site(  # no name that is given here can be one of the user's
        item="the item",
        receiver=None if function.class_name is None else "the pipe",
        module="the module",
        module_names=function.module_names,
        fresh=lambda name: f"the {name}",
        class_name=function.class_name,
    )
    tried = try_to_inline(function.node, site)
    return tried.reason if isinstance(tried, Refused) else None

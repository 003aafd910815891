"""Coroutine functions that never wait are entered as plain code.

    1 map Double    await          1 map Double    elided
    2 map Fetch     await     →    2 map Fetch     await

An `async def` with no `await`, `async for`, `async with` or `yield` in its own body never
suspends, so nothing is gained by making a coroutine of it: that costs more than most bodies.
Whether the body can stand in the loop is for the pass `inline` to say; if it cannot, the stage is
awaited after all.
"""

from __future__ import annotations

import ast
from dataclasses import replace

from rivusio.compiler.inlining.inline import waits
from rivusio.compiler.ir.ops import (
    Await,
    Elided,
    Inlinable,
    Op,
)
from rivusio.compiler.ir.plan import Plan


def elide_await(plan: Plan) -> Plan:
    """Mark the coroutine functions that never wait."""
    return replace(plan, ops=tuple(map(_elide_op, plan.ops)))


def _elide_op(op: Op) -> Op:
    if not (isinstance(op, Inlinable) and isinstance(op.body, Await)):
        return op
    function = op.of.function
    if function is None:
        return replace(op, body=Await(op.of.no_source))
    if not isinstance(function.node, ast.AsyncFunctionDef) or waits(function.node):
        return replace(op, body=Await("it waits"))
    if op.of.shape.timed:
        return replace(op, body=Await("it has a timeout"))
    return replace(op, body=Elided())

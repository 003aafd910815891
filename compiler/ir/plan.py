"""The plan of a chain: what the compiler will write, and how it is made of the stages.

    Chain or live stages ── plan ──▶ Plan ── passes ──▶ Plan ── lower ──▶ text

A plan is a row of ops from a small closed set. Passes give a new plan; nothing is changed in
place. `dump.py` shows a plan as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rivusio.compiler.ir.ops import OPS, Await, Body, Buffer, Call, Concurrent, Either, Op, Pass
from rivusio.compiler.ir.stage_info import StageInfo


@dataclass(frozen=True, slots=True)
class Plan:
    """A chain as it will be written.

    Attributes:
        name: what the chain is called.
        ops: what it does, in order.
        is_sync: whether it can run without an event loop.
    """

    name: str
    ops: tuple[Op, ...]
    is_sync: bool


def make_plan(name: str, stages: Sequence[StageInfo], *, read_ahead: bool = False) -> Plan:
    """Give the plan of a chain as its stages say it, before any pass."""
    ops: list[Op] = []
    if read_ahead:
        ops.append(Buffer(stages[0], whole=True))
    for stage in stages:
        if stage.shape.buffered:
            ops.append(Buffer(stage))
        ops.append(_make_op(stage))
    is_sync = not read_ahead and not any(stage.shape.needs_loop for stage in stages)
    return Plan(name, tuple(ops), is_sync)


def _make_op(stage: StageInfo) -> Op:
    body = _make_body(stage)
    if stage.shape.concurrent:
        return Concurrent(stage, body)
    return OPS[stage.shape.kind](stage, body)


def _make_body(stage: StageInfo) -> Body:
    match stage.shape.entry:
        case "pass":
            return Pass()
        case "call":
            return Call(checks=stage.may_be_awaitable)
        case "await":
            return Await()
        case "either":
            return Either() if stage.may_be_awaitable else Call(checks=False)

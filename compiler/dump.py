"""A plan as text: for `--dump`, golden cases and people.

*(1) loop
1 map Double: int -> int   inlined   case.py:4
"""

from __future__ import annotations

from collections.abc import Iterator

from rivusio.compiler.loops import loops_of
from rivusio.compiler.plan import Op, Plan, Take, UserStream
from rivusio.compiler.report import entered


def dump(plan: Plan) -> str:
    """Write a plan, one op a line, in the loops of a run in an event loop."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    yield plan.name
    for loop in loops_of(plan, in_loop=True):
        if loop.before is not None:
            yield f"     {loop.before.kind} {loop.before.stage.name}"
        yield f"*({loop.number}) loop"
        for op in loop.ops:
            yield f"       {_line(op)}"


def _line(op: Op) -> str:
    stage = op.of
    how, why = ("", "") if isinstance(op, Take | UserStream) else entered(op)
    told = f"{how}: {why}" if why else how
    types = f"{stage.takes.text} -> {stage.gives.text}"
    parts = [f"{stage.index + 1} {stage.shape.kind} {stage.name}: {types}", told, stage.where]
    return "   ".join(part for part in parts if part)

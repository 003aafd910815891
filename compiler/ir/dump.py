"""A plan as text: for golden cases and people.

*(1) loop
     1 map     Double   int -> int          inlined                  case.py:4
     2 map     loads    str -> Any          called: it is a class    case.py:9
   buffer before 3 Fetch
*(2) loop
     3 map     Fetch    Any -> Flight       awaited: it waits        case.py:12
"""

from __future__ import annotations

from collections.abc import Iterator

from rivusio.compiler.ir.explain import describe_call
from rivusio.compiler.ir.fusion import Cut, split_into_loops
from rivusio.compiler.ir.ops import Elided, Op
from rivusio.compiler.ir.plan import Plan


def dump(plan: Plan) -> str:
    """Write a plan, one op a line, in the loops of a run in an event loop."""
    return "\n".join(_lines(plan))


def _lines(plan: Plan) -> Iterator[str]:
    loops = split_into_loops(plan, in_loop=True)
    rows = {op.of.index: _row(op) for loop in loops for op in loop.ops}
    widths = [max(map(len, column)) for column in zip(*rows.values(), strict=True)]
    for loop in loops:
        if loop.before is not None:
            yield f"   {_cut(loop.before)}"
        yield f"*({loop.number}) loop" if loop.ops else f"*({loop.number}) what comes is given"
        for op in loop.ops:
            cells = zip(rows[op.of.index], widths, strict=True)
            yield "     " + "   ".join(f"{cell:{width}}" for cell, width in cells).rstrip()


def _cut(cut: Cut) -> str:
    """Say what stands between two loops."""
    stage = f"{cut.stage.index + 1} {cut.stage.name}"
    match cut.kind:
        case "read_ahead":
            return "buffer of the run"
        case "user_stream" | "concurrent":
            return f"{stage}: {cut.kind.replace('_', ' ')}"
        case _:
            return f"{cut.kind} before {stage}"


def _row(op: Op) -> tuple[str, ...]:
    stage = op.of
    how, why = describe_call(op)
    if isinstance(getattr(op, "body", None), Elided):
        how = "never waits"
    told = f"{how}: {why}" if why else how
    types = f"{stage.takes.text} -> {stage.gives.text}"
    return f"{stage.index + 1} {stage.shape.kind}", stage.name, types, told, stage.where

"""Where a plan is cut into loops, and in which versions each loop is written.

A chain is cut where something must go on while something else waits: at a buffer, a stream of
the user's, a concurrent stage, and in an event loop at what a timer may close. What lies between
two cuts is one loop; where that would be too long to read, or nested deeper than Python takes, it
is cut into groups of stages, each a loop that gives its results to the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from rivusio.artifacts.program import Holding
from rivusio.compiler.ir.ops import (
    Batch,
    Buffer,
    Concurrent,
    FlatMap,
    Inline,
    Op,
    SlidingWindow,
    TumblingWindow,
    UserStream,
)
from rivusio.compiler.ir.plan import Plan
from rivusio.compiler.ir.stage_info import StageInfo

SourceKind = Literal["async", "plain", "sync", "node", "sync_node", "buffer"]
SinkKind = Literal["results", "inner", "window", "buffer"]

# What one loop may hold: a cut between two groups costs a step through a generator for each item.
MOST_LINES = 200
MOST_NESTED = 4  # flat-maps, each of which is a loop in the loop


@dataclass(frozen=True, slots=True)
class Variant:
    """Which of its versions a loop is written in.

    Attributes:
        source: what it iterates: an async iterable, a plain one in an event loop or without
            one, another part of the run in an event loop or without one, or a buffer.
        monitored: whether it counts.
        sink: what takes what it gives: the consumer, another part of the run, windows, a buffer.
    """

    source: SourceKind
    monitored: bool
    sink: SinkKind

    @property
    def is_plain(self) -> bool:
        """Whether it iterates a plain iterable."""
        return self.source in ("plain", "sync")

    @property
    def is_sync(self) -> bool:
        """Whether there is no event loop."""
        return self.source in ("sync", "sync_node")


@dataclass(frozen=True, slots=True)
class Cut:
    """What stands between two loops: its kind, and its stage."""

    kind: Literal["buffer", "read_ahead", "window", "user_stream", "concurrent", "group"]
    stage: StageInfo


@dataclass(frozen=True, slots=True)
class Loop:
    """The ops between two cuts.

    Attributes:
        number: counts from 1 along the chain.
        ops: what one item goes through.
        closed: whether the items are lists that a timer has closed: the first op takes them.
        before: what stands before it; None before the first.
        after: what stands behind it; None behind the last.
        in_loop: whether there is an event loop.
    """

    number: int
    ops: tuple[Op, ...]
    closed: bool = False
    before: Cut | None = None
    after: Cut | None = None
    in_loop: bool = True

    @property
    def source(self) -> SourceKind:
        """What it takes its items from, if it is not the first."""
        if not self.in_loop:
            return "sync_node"
        is_buffer = self.before is not None and self.before.kind in ("buffer", "read_ahead")
        return "buffer" if is_buffer else "node"

    @property
    def sink(self) -> SinkKind:
        """What takes what it gives."""
        if self.after is None:
            return "results"
        match self.after.kind:
            case "buffer" | "read_ahead":
                return "buffer"
            case "window":
                return "window"
            case _:
                return "inner"

    def takes_closed(self, position: int) -> bool:
        """Tell whether an op's lists come closed from an earlier part."""
        return self.closed and position == 0

    @property
    def is_written(self) -> bool:
        """Whether there is anything for it to do."""
        return bool(self.ops) or self.sink != "inner"


def split_into_loops(plan: Plan, *, in_loop: bool, monitored: bool = False) -> tuple[Loop, ...]:
    """Cut a plan into loops: those that count are longer, so there may be more of them."""
    loops = [Loop(1, (), in_loop=in_loop)]

    def cut(kind: Cut, *, closed: bool = False) -> None:
        loops[-1] = replace(loops[-1], after=kind)
        number = loops[-1].number + 1
        loops.append(Loop(number, (), closed=closed, before=kind, in_loop=in_loop))

    for op in plan.ops:
        match op:
            case Buffer(of=stage, whole=whole):
                cut(Cut("read_ahead" if whole else "buffer", stage))
                continue
            case UserStream(of=stage):
                cut(Cut("user_stream", stage))
                continue
            case Concurrent(of=stage):
                cut(Cut("concurrent", stage))
                continue
            case TumblingWindow(of=stage) if in_loop:
                cut(Cut("window", stage), closed=True)
            case Batch(of=stage, linger=True) if in_loop:
                cut(Cut("window", stage), closed=True)
            case _ if not _fit((*loops[-1].ops, op), monitored=monitored):
                cut(Cut("group", op.of))
            case _:
                pass
        loops[-1] = replace(loops[-1], ops=(*loops[-1].ops, op))
    return tuple(loops)


def split_into_groups(ops: Sequence[Op]) -> list[tuple[Op, ...]]:
    """Cut ops that one item goes through into groups that can be read."""
    groups: list[tuple[Op, ...]] = [()]
    for op in ops:
        if not _fit((*groups[-1], op)):
            groups.append(())
        groups[-1] = (*groups[-1], op)
    return groups


def _fit(ops: tuple[Op, ...], *, monitored: bool = False) -> bool:
    """Tell whether ops are few enough for one function; one alone always is."""
    nested = sum(isinstance(op, FlatMap) for op in ops)
    lines = sum(_lines(op) + (6 if monitored else 0) for op in ops)
    return len(ops) == 1 or (nested <= MOST_NESTED and lines <= MOST_LINES)


def _lines(op: Op) -> int:
    """Say about how many lines an op takes in a run that nobody observes."""
    lines = 3
    function = op.of.function
    if isinstance(getattr(op, "body", None), Inline) and function is not None:
        lines += (function.node.end_lineno or 0) - function.node.lineno
    if isinstance(op, FlatMap):
        lines += 2
    if isinstance(op, Batch | SlidingWindow | TumblingWindow):
        lines += 6
    return lines + 12 if op.of.shape.treated else lines


@dataclass
class Module:
    """The functions of a module, as text with marks, and what they import.

    Attributes:
        functions: their texts.
        modules: the modules whose values they read: the name they have here, and a stage that
            is written there.
        holdings: for each function, the locals that hold items.
        inlined: the stages whose bodies stand in them.
    """

    functions: list[str] = field(default_factory=list)
    modules: dict[str, tuple[str, int]] = field(default_factory=dict)
    holdings: dict[str, list[Holding]] = field(default_factory=dict)
    inlined: set[int] = field(default_factory=set)

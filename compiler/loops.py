"""Where a plan is cut into loops, and in which versions each loop is written.

A chain is cut where something must go on while something else waits: at a buffer, a stream of
the user's, a concurrent stage, and in an event loop at what a timer may close. What lies between
two cuts is one loop.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from rivusio.compiled.program import Holding
from rivusio.compiler.plan import (
    Batch,
    Buffer,
    Concurrent,
    Op,
    Plan,
    StageInfo,
    TumblingWindow,
    UserStream,
)

SourceKind = Literal["async", "plain", "sync", "node", "buffer"]
SinkKind = Literal["results", "inner", "window", "buffer"]


@dataclass(frozen=True, slots=True)
class Variant:
    """Which of its versions a loop is written in.

    Attributes:
        source: what it iterates: an async iterable, a plain one in an event loop or without
            one, another part of the run, or a buffer.
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
        return self.source == "sync"


@dataclass(frozen=True, slots=True)
class Cut:
    """What stands between two loops: its kind, and its stage."""

    kind: Literal["buffer", "read_ahead", "window", "user_stream", "concurrent"]
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
    """

    number: int
    ops: tuple[Op, ...]
    closed: bool = False
    before: Cut | None = None
    after: Cut | None = None

    @property
    def source(self) -> SourceKind:
        """What it takes its items from, if it is not the first."""
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

    @property
    def is_written(self) -> bool:
        """Whether there is anything for it to do."""
        return bool(self.ops) or self.sink != "inner"


def loops_of(plan: Plan, *, in_loop: bool) -> tuple[Loop, ...]:
    """Cut a plan into loops; without an event loop there is nothing to cut."""
    loops = [Loop(1, ())]

    def cut(kind: Cut, *, closed: bool = False) -> None:
        loops[-1] = replace(loops[-1], after=kind)
        loops.append(Loop(loops[-1].number + 1, (), closed=closed, before=kind))

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
            case _:
                pass
        loops[-1] = replace(loops[-1], ops=(*loops[-1].ops, op))
    return tuple(loops)


@dataclass
class Module:
    """The functions of a module, as text with marks, and what they import.

    Attributes:
        functions: their texts.
        names: the runtime's names that they use.
        modules: the modules whose values they read: the name they have here, and a stage that
            is written there.
        holdings: for each function, the locals that hold items.
    """

    functions: list[str] = field(default_factory=list)
    modules: dict[str, tuple[str, int]] = field(default_factory=dict)
    holdings: dict[str, list[Holding]] = field(default_factory=dict)
    inlined: set[int] = field(default_factory=set)

"""What the compiler will write: one op for each stage, and how its function is entered.

    Chain or live stages ── plan ──▶ Plan ── passes ──▶ Plan ── lower ──▶ text

A plan is a row of ops from a small closed set. Passes give a new plan; nothing is changed in
place. `dump.py` shows a plan as text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rivusio.compiler.frontend.functions import Function
from rivusio.graph.signature import Shape


@dataclass(frozen=True, slots=True)
class UserFunction:
    """The source of the function that a stage calls.

    Attributes:
        node: its syntax tree.
        qualname: its qualified name, such as `"Clean.process"`.
        class_name: the class whose method it is.
        module: the module it is written in.
        file: the file it is written in.
        module_names: the names that its module has.
        first_line: its first line, that of its first decorator if it has one.
        is_typed: whether a type checker has nothing against it, and it says its types.
    """

    node: Function
    qualname: str
    class_name: str | None
    module: str
    file: str
    module_names: frozenset[str]
    first_line: int
    is_typed: bool = True


@dataclass(frozen=True, slots=True)
class WrittenAt:
    """Where the function is written that a stage calls, whatever its source is good for.

    Attributes:
        file: the file.
        qualname: its qualified name.
        line: its first line.
        ordinal: which it is of the functions of that name and line, from the left.
        among: how many those are.
        is_only: whether no other definition in the file may be meant by that name.
        by_itself: whether it is enough to know it: no type of its place has a say in the code.
    """

    file: str
    qualname: str
    line: int
    ordinal: int
    among: int
    is_only: bool
    by_itself: bool = True


@dataclass(frozen=True, slots=True)
class Type:
    """A type as generated code writes it, and the modules it needs: each with its name there."""

    text: str = "Any"
    modules: tuple[tuple[str, str], ...] = ()


ANY = Type()


@dataclass(frozen=True, slots=True)
class StageInfo:
    """What is known of one stage.

    Attributes:
        index: its place in the flat chain.
        name: what people call it.
        shape: what of it decides how its code looks.
        where: the file and line that messages and comments give.
        takes: the type of its items; for a batch or window, of one item of the list.
        gives: the type of its results.
        may_be_awaitable: whether a result could be something to await, for all that is known.
        function: the user's function, if its source is known.
        no_source: why it is not.
        written_at: where the function is written, if that is known.
    """

    index: int
    name: str
    shape: Shape
    where: str = ""
    takes: Type = ANY
    gives: Type = ANY
    may_be_awaitable: bool = True
    function: UserFunction | None = None
    no_source: str = "its source is not known"
    written_at: WrittenAt | None = None


# How the user's function is entered


@dataclass(frozen=True, slots=True)
class Pass:
    """There is no function: the item passes as it is."""


@dataclass(frozen=True, slots=True)
class Call:
    """It is called. Its result is looked at, unless it is sure to be nothing awaitable."""

    checks: bool = True
    why: str = ""


@dataclass(frozen=True, slots=True)
class Await:
    """It is a coroutine function: called and awaited."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Either:
    """It is called, and what it gives is awaited if it can be."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Elided:
    """It is a coroutine function that never waits: its body can be entered as plain code."""


@dataclass(frozen=True, slots=True)
class Inline:
    """Its body stands in the loop; `in_coroutine` if it was written as a coroutine function's."""

    in_coroutine: bool = False
    checks: bool = True


Body = Pass | Call | Await | Either | Elided | Inline


# The ops


@dataclass(frozen=True, slots=True)
class Map:
    """One item in, one item out."""

    of: StageInfo
    body: Body


@dataclass(frozen=True, slots=True)
class Filter:
    """An item passes or not."""

    of: StageInfo
    body: Body


@dataclass(frozen=True, slots=True)
class FlatMap:
    """One item in, any number out."""

    of: StageInfo
    body: Body


@dataclass(frozen=True, slots=True)
class Take:
    """The first items; `none` of them at all is a shape of its own."""

    of: StageInfo
    none: bool


@dataclass(frozen=True, slots=True)
class DropNone:
    """Every item but those that are `None`."""

    of: StageInfo


@dataclass(frozen=True, slots=True)
class Batch:
    """Lists of a number of items; with `linger`, time closes them too."""

    of: StageInfo
    body: Body
    linger: bool


@dataclass(frozen=True, slots=True)
class TumblingWindow:
    """Lists of what came in a stretch of time."""

    of: StageInfo
    body: Body


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """Lists of the last items, after every so many."""

    of: StageInfo
    body: Body


@dataclass(frozen=True, slots=True)
class UserStream:
    """A stream to a stream, as the user wrote it."""

    of: StageInfo


@dataclass(frozen=True, slots=True)
class Buffer:
    """A bounded buffer before a stage, or before the whole chain."""

    of: StageInfo
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Concurrent:
    """A 1:1 stage that has several items in hand."""

    of: StageInfo
    body: Body


Op = (
    Map
    | Filter
    | FlatMap
    | Take
    | DropNone
    | Batch
    | TumblingWindow
    | SlidingWindow
    | UserStream
    | Buffer
    | Concurrent
)
Entered = Map | Filter | FlatMap | Batch | TumblingWindow | SlidingWindow
Holding = Batch | TumblingWindow | SlidingWindow


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


def plan_of(name: str, stages: Sequence[StageInfo], *, read_ahead: bool = False) -> Plan:
    """Give the plan of a chain as its stages say it, before any pass."""
    ops: list[Op] = []
    if read_ahead:
        ops.append(Buffer(stages[0], whole=True))
    for stage in stages:
        if stage.shape.buffered:
            ops.append(Buffer(stage))
        ops.append(_op_of(stage))
    is_sync = not read_ahead and not any(stage.shape.needs_loop for stage in stages)
    return Plan(name, tuple(ops), is_sync)


def _op_of(stage: StageInfo) -> Op:
    body = _body_of(stage)
    if stage.shape.concurrent:
        return Concurrent(stage, body)
    match stage.shape.kind:
        case "map":
            return Map(stage, body)
        case "filter":
            return Filter(stage, body)
        case "flat_map":
            return FlatMap(stage, body)
        case "take" | "take_none":
            return Take(stage, none=stage.shape.kind == "take_none")
        case "drop_none":
            return DropNone(stage)
        case "batch" | "lingering_batch":
            return Batch(stage, body, linger=stage.shape.kind == "lingering_batch")
        case "tumbling":
            return TumblingWindow(stage, body)
        case "sliding":
            return SlidingWindow(stage, body)
        case "stream":
            return UserStream(stage)


def _body_of(stage: StageInfo) -> Body:
    match stage.shape.entry:
        case "pass":
            return Pass()
        case "call":
            return Call(checks=stage.may_be_awaitable)
        case "await":
            return Await()
        case "either":
            return Either() if stage.may_be_awaitable else Call(checks=False)

"""The closed union of ops, what is known of the stage of each, and how its function is entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from rivusio.compiler.frontend.functions import Function
from rivusio.graph.operations import TRAITS, Kind
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

    how: ClassVar[tuple[str, str]] = ("counted", "")
    of: StageInfo
    none: bool


@dataclass(frozen=True, slots=True)
class Skip:
    """Every item but the first ones."""

    how: ClassVar[tuple[str, str]] = ("counted", "")
    of: StageInfo


@dataclass(frozen=True, slots=True)
class DropNone:
    """Every item but those that are `None`."""

    how: ClassVar[tuple[str, str]] = ("inlined", "")
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

    how: ClassVar[tuple[str, str]] = ("your stream", "process_stream is a loop of its own")
    of: StageInfo


@dataclass(frozen=True, slots=True)
class Buffer:
    """A bounded buffer before a stage, or before the whole chain."""

    how: ClassVar[tuple[str, str]] = ("buffered", "")
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
    | Skip
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
Inlinable = Map | Filter | Batch | TumblingWindow | SlidingWindow  # its body may stand in the loop
Bodiless = Take | Skip | DropNone | UserStream | Buffer  # no function of the user's is called here

# What is made of a stage, by what it does: the ops that stand between two buffers.
OPS: Final[Mapping[Kind, Callable[[StageInfo, Body], Op]]] = {
    "map": Map,
    "filter": Filter,
    "flat_map": FlatMap,
    "take": lambda stage, _: Take(stage, none=False),
    "take_none": lambda stage, _: Take(stage, none=True),
    "skip": lambda stage, _: Skip(stage),
    "drop_none": lambda stage, _: DropNone(stage),
    "batch": lambda stage, body: Batch(stage, body, linger=False),
    "lingering_batch": lambda stage, body: Batch(stage, body, linger=True),
    "tumbling": TumblingWindow,
    "sliding": SlidingWindow,
    "stream": lambda stage, _: UserStream(stage),
}


def takes_list(op: Op) -> bool:
    """Tell whether the user's function takes the list of what was held."""
    return TRAITS[op.of.shape.kind].takes_list


def judges(op: Op) -> bool:
    """Tell whether what the user's function gives is only taken as true or false."""
    return TRAITS[op.of.shape.kind].judges


def ends_early(op: Op) -> bool:
    """Tell whether an op may end what stands before it."""
    return TRAITS[op.of.shape.kind].ends_early

"""The closed union of ops, what is known of the stage of each, and how its function is entered."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final

from rivusio.compiler.ir.stage_info import StageInfo
from rivusio.graph.operations import TRAITS, Kind

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
class TakeWhile:
    """The items before the first that the user's function refuses."""

    of: StageInfo
    body: Body


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
    | TakeWhile
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
Inlinable = (
    Map | Filter | TakeWhile | Batch | TumblingWindow | SlidingWindow
)  # its body may stand in the loop
Bodiless = Take | Skip | DropNone | UserStream | Buffer  # no function of the user's is called here

# What is made of a stage, by what it does: the ops that stand between two buffers.
OPS: Final[Mapping[Kind, Callable[[StageInfo, Body], Op]]] = {
    "map": Map,
    "filter": Filter,
    "flat_map": FlatMap,
    "take": lambda stage, _: Take(stage, none=False),
    "take_none": lambda stage, _: Take(stage, none=True),
    "take_while": TakeWhile,
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

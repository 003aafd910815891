"""What stages do to items: a closed set of operations, and one table of what holds of each.

Both modes, the compiler and the commands ask this table. An operation that is added here is added
to nothing else of this folder: see CONTRIBUTING.md for what it needs besides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, TypeGuard

from rivusio.items import Item

# What a stage does. A `take` of no items, and a batch that time can close, are kinds of their own:
# their code looks otherwise.
Kind = Literal[
    "map",
    "filter",
    "flat_map",
    "take",
    "take_none",
    "take_while",
    "skip",
    "drop_none",
    "batch",
    "lingering_batch",
    "tumbling",
    "sliding",
    "stream",
]

# How a callable is entered: called; called and awaited; called and awaited if need be; or not at
# all, where the item passes as it is.
Entry = Literal["call", "await", "either", "pass"]


@dataclass(frozen=True, slots=True)
class Traits:
    """What holds of every operation of a kind.

    Attributes:
        takes_function: a function of the user's makes it.
        is_one_to_one: every item gives exactly one result.
        gives_many: an item may give any number of results.
        gives_items: its own items go on, as they came, whatever its function gives.
        judges: what its function gives is only taken as true or false.
        ends_early: it may end what stands before it.
        takes_list: its function takes the list of the items that it has held.
        takes_stream: its function takes the stream of its items.
        needs_timer: time alone can close what it holds.
    """

    takes_function: bool = False
    is_one_to_one: bool = False
    gives_many: bool = False
    gives_items: bool = False
    judges: bool = False
    ends_early: bool = False
    takes_list: bool = False
    takes_stream: bool = False
    needs_timer: bool = False


TRAITS: Final[Mapping[Kind, Traits]] = {
    "map": Traits(takes_function=True, is_one_to_one=True),
    "filter": Traits(takes_function=True, judges=True, gives_items=True),
    "flat_map": Traits(takes_function=True, gives_many=True),
    "take": Traits(gives_items=True, ends_early=True),
    "take_none": Traits(gives_items=True),
    "take_while": Traits(takes_function=True, judges=True, gives_items=True, ends_early=True),
    "skip": Traits(gives_items=True),
    "drop_none": Traits(gives_items=True),
    "batch": Traits(takes_list=True),
    "lingering_batch": Traits(takes_list=True, needs_timer=True),
    "tumbling": Traits(takes_list=True, needs_timer=True),
    "sliding": Traits(takes_list=True),
    "stream": Traits(gives_many=True, takes_stream=True),
}

# The least that the numbers may be that operators are given; durations have a rule of their own.
LEAST: Final[Mapping[str, Mapping[str, int]]] = {
    "take": {"count": 0},
    "skip": {"count": 0},
    "batch": {"n": 1},
    "tumbling": {},
    "sliding": {"size": 1, "step": 1},
}


@dataclass(frozen=True, slots=True)
class Map:
    """One item in, one item out."""

    kind: ClassVar[Kind] = "map"
    call: Callable[[Item], Item]
    entry: Entry

    @property
    def words(self) -> str:
        """What it does, for people."""
        return "one item to one"


@dataclass(frozen=True, slots=True)
class Filter:
    """One item in, the same item out or none."""

    kind: ClassVar[Kind] = "filter"
    call: Callable[[Item], Item]
    entry: Entry

    @property
    def words(self) -> str:
        """What it does, for people."""
        return "filter"


@dataclass(frozen=True, slots=True)
class FlatMap:
    """One item in, any number out, lazily."""

    kind: ClassVar[Kind] = "flat_map"
    call: Callable[[Item], Item]
    entry: Entry

    @property
    def words(self) -> str:
        """What it does, for people."""
        return "one item to many"


@dataclass(frozen=True, slots=True)
class Take:
    """The first `count` items, and then the end."""

    call: ClassVar[None] = None
    entry: ClassVar[Entry] = "pass"
    count: int

    @property
    def kind(self) -> Kind:
        """What it does: a `take` of no items never asks for one."""
        return "take" if self.count else "take_none"

    @property
    def words(self) -> str:
        """What it does, for people."""
        return f"the first {self.count} items"


@dataclass(frozen=True, slots=True)
class TakeWhile:
    """The items before the first that the function refuses, and then the end."""

    kind: ClassVar[Kind] = "take_while"
    call: Callable[[Item], Item]
    entry: Entry

    @property
    def words(self) -> str:
        """What it does, for people."""
        return "the items before the first that is refused"


@dataclass(frozen=True, slots=True)
class Skip:
    """Every item but the first `count`."""

    kind: ClassVar[Kind] = "skip"
    call: ClassVar[None] = None
    entry: ClassVar[Entry] = "pass"
    count: int

    @property
    def words(self) -> str:
        """What it does, for people."""
        return f"all but the first {self.count} items"


@dataclass(frozen=True, slots=True)
class DropNone:
    """Every item but those that are `None`."""

    kind: ClassVar[Kind] = "drop_none"
    call: ClassVar[None] = None
    entry: ClassVar[Entry] = "pass"

    @property
    def words(self) -> str:
        """What it does, for people."""
        return "drops None"


@dataclass(frozen=True, slots=True)
class Batch:
    """Lists of `size` items, or of what came within `linger` seconds of the first."""

    size: int
    linger: float | None
    call: Callable[[list[Item]], Item] | None
    entry: Entry

    @property
    def kind(self) -> Kind:
        """What it does: time can close a batch that lingers."""
        return "batch" if self.linger is None else "lingering_batch"

    @property
    def words(self) -> str:
        """What it does, for people."""
        linger = "" if self.linger is None else f", linger {self.linger:g} s"
        return f"batch of {self.size}{linger}"


@dataclass(frozen=True, slots=True)
class TumblingWindow:
    """Lists of what came in each `size` seconds."""

    kind: ClassVar[Kind] = "tumbling"
    size: float
    call: Callable[[list[Item]], Item] | None
    entry: Entry

    @property
    def words(self) -> str:
        """What it does, for people."""
        return f"tumbling window of {self.size:g} s"


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """Lists of the last `size` items after every `step` items."""

    kind: ClassVar[Kind] = "sliding"
    size: int
    step: int
    call: Callable[[list[Item]], Item] | None
    entry: Entry

    @property
    def words(self) -> str:
        """What it does, for people."""
        return f"sliding window of {self.size}, step {self.step}"


@dataclass(frozen=True, slots=True)
class UserStream:
    """A stream to a stream: an overridden `process_stream`."""

    kind: ClassVar[Kind] = "stream"
    entry: ClassVar[Entry] = "call"
    call: Callable[[Item], Item]

    @property
    def words(self) -> str:
        """What it does, for people."""
        return "stream to stream"


Operation = (
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
)


def traits_of(operation: Operation) -> Traits:
    """Give what holds of an operation."""
    return TRAITS[operation.kind]


def time_matters(operation: Operation) -> TypeGuard[Batch | TumblingWindow]:
    """Tell whether time alone can close what the operation holds."""
    return traits_of(operation).needs_timer


def runs_user_code(operation: Operation) -> bool:
    """Tell whether a stage of the operation calls anything; one that passes items on does not."""
    passes = isinstance(operation, Map) and operation.entry == "pass"
    return operation.call is not None and not passes

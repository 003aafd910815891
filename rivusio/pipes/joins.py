"""What `>>` can tell of the stages that take their types from the pipe on their left.

`take`, `batch` and their kin have no type of items of their own, so the pipes must say in their
overloads of `>>` what comes out. They name these protocols, and not the classes, which inherit from
the pipes: imports go one way. Each is told by a mark that only its classes have.
"""

from __future__ import annotations

from typing import ClassVar, Literal, Protocol


class GivesSameItems(Protocol):
    """A sync stage that gives some of its items, as they came: `take`."""

    _rivusio_gives_same_items: ClassVar[Literal[True]]


class GivesLists(Protocol):
    """A sync stage that gives lists of its items: `batch`, `tumbling`, `sliding`."""

    _rivusio_gives_lists: ClassVar[Literal[True]]


class GivesLingeringLists(Protocol):
    """An async stage that gives lists of its items: `batch` with `linger`."""

    _rivusio_gives_lingering_lists: ClassVar[Literal[True]]


class GivesWithoutNone(Protocol):
    """A sync stage that gives its items but for `None`: `drop_none`."""

    _rivusio_gives_without_none: ClassVar[Literal[True]]

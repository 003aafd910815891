"""What the templates of a module and of whole functions print: a record for each template.

All is decided when a record is made; its template prints it as `this`. A text that is empty is one
that is not printed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class ModuleText:
    """Printed by `module`; `type_imports` are for type checkers only."""

    template: ClassVar[str] = "module"
    doc: str
    imports: tuple[str, ...]
    type_imports: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """Printed by `entry`: the function that puts the parts of a run together."""

    template: ClassVar[str] = "entry"
    name: str
    gives: str
    doc: str
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LoopFunction:
    """Printed by `loop`.

    Attributes:
        is_async: whether there is an event loop.
        name: its name.
        part: the type of its first parameter.
        takes: its other parameter: where its items come from.
        gives: the type of what it returns.
        doc: its docstring.
        hoisted: the lines before the loop.
        is_results: whether the consumer takes what it gives.
        loop: the loop; empty where no item is ever wanted.
        flush: what the end of the source closes.
        leave: what is told of an error.
        end: what is told of the end.
    """

    template: ClassVar[str] = "loop"
    is_async: bool
    name: str
    part: str
    takes: str
    gives: str
    doc: str
    hoisted: tuple[str, ...]
    is_results: bool
    loop: str
    flush: str
    leave: str
    end: str


@dataclass(frozen=True, slots=True)
class AsyncIterableSource:
    """Printed by `source/async_iterable`."""

    template: ClassVar[str] = "source/async_iterable"
    item: str
    body: str
    exits: str


@dataclass(frozen=True, slots=True)
class IterableSource:
    """Printed by `source/iterable`; `numbers` gives those of the items until others have a turn."""

    template: ClassVar[str] = "source/iterable"
    item: str
    body: str
    exits: str
    numbers: str


@dataclass(frozen=True, slots=True)
class UpstreamSource:
    """Printed by `source/upstream`; `pulled` is the next item."""

    template: ClassVar[str] = "source/upstream"
    item: str
    body: str
    exits: str
    pulled: str


@dataclass(frozen=True, slots=True)
class BufferSource:
    """Printed by `source/buffer`."""

    template: ClassVar[str] = "source/buffer"
    item: str
    body: str
    exits: str


@dataclass(frozen=True, slots=True)
class SingleFunction:
    """Printed by `single/function`: takes one item through some stages."""

    template: ClassVar[str] = "single/function"
    is_async: bool
    name: str
    item: str
    takes: str
    gives: str
    doc: str
    hoisted: tuple[str, ...]
    body: str


@dataclass(frozen=True, slots=True)
class SingleChain:
    """Printed by `single/chain`: takes one item through functions, one after another."""

    template: ClassVar[str] = "single/chain"
    is_async: bool
    item: str
    takes: str
    gives: str
    steps: tuple[str, ...]

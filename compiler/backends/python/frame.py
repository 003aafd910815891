"""One generated function while it is written: its names, and where in it something is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rivusio.artifacts.program import Holding
from rivusio.compiler.backends.python.names import Names, item_name
from rivusio.compiler.ir.fusion import Loop, Module, Variant
from rivusio.compiler.ir.ops import Op, ends_early

# What generated functions take their items from, besides the source.
OF = {
    "node": "upstream: Node",
    "sync_node": "upstream: PlainInner",
    "buffer": "upstream: Reader",
}


@dataclass
class Function:
    """What one function is being made of.

    Attributes:
        loop: the ops of this function.
        variant: the version in which it is written.
        module: what it is a part of.
        names: those that are taken.
        hoisted: the lines before the loop, by the name that each binds.
        holdings: the locals that hold items.
        items: what goes into each op, by its place in the loop.
        callees: the names of the functions that are called, by stage.
        state: the names that each stage keeps things under.
        declared: the locals whose types have been said.
        is_loop: whether it is a loop; else it takes a single item and returns what comes of it.
    """

    loop: Loop
    variant: Variant
    module: Module
    names: Names
    hoisted: dict[str, str] = field(default_factory=dict)
    holdings: list[Holding] = field(default_factory=list)
    items: dict[int, str] = field(default_factory=dict)
    callees: dict[int, str] = field(default_factory=dict)
    state: dict[int, dict[str, str]] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    is_loop: bool = True

    def declare(self, name: str, type_text: str) -> str:
        """Give a name with its type, where it stands for the first time."""
        if name in self.declared:
            return name
        self.declared.add(name)
        return f"{name}: {type_text}"

    def item_at(self, position: int) -> str:
        """Name what goes into an op, or out of the last one."""
        if position not in self.items:
            self.items[position] = self.names.fresh(item_name(self.loop.ops, position))
        return self.items[position]

    def counters_of(self, index: int) -> str:
        """Name the counters of a stage; nothing where nobody counts."""
        return f"counters_{index}" if self.variant.monitored else ""

    def wait_for(self, call: str) -> str:
        """Write how the result of one of rivusio's coroutine functions is waited for."""
        return f"drive({call})" if self.variant.is_sync else f"await {call}"

    def hoist(self, name: str, value: str) -> str:
        """Bind a name before the loop; give it."""
        self.hoisted.setdefault(name, f"{name} = {value}")
        return name


def left_of(op: Op) -> str:
    """Name what tells whether an op that may end early still wants items."""
    return f"left_{op.of.index}"


def lefts_of(ops: Iterable[Op]) -> list[str]:
    """Name what tells so of those among some ops that may end early."""
    return [left_of(op) for op in ops if ends_early(op)]


@dataclass(frozen=True)
class Here:
    """Where in a function something is written.

    Attributes:
        in_flush: whether the source has ended.
        exits: the conditions that end the innermost loop.
    """

    in_flush: bool = False
    exits: tuple[str, ...] = ()

    @property
    def item_index(self) -> str:
        """What stands for the number of the source's item."""
        return "None" if self.in_flush else "item_index"

    @property
    def ends(self) -> str:
        """The condition that ends the innermost loop, as a part of another; empty if none does."""
        ends = " or ".join(self.exits)
        return f"({ends})" if len(self.exits) > 1 else ends

    @property
    def drop(self) -> str:
        """What is written where an item goes no further."""
        if not self.exits:
            return "continue"
        return f"if {' or '.join(self.exits)}:\n    break\ncontinue"

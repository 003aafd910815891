"""One generated function while it is written: its names, and what stands before its loop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rivusio.artifacts.program import Holding
from rivusio.compiler.backends.python.names import TOO_PLAIN, Names, by_type, parameter, plain
from rivusio.compiler.ir.fusion import Loop, Module, Variant
from rivusio.compiler.ir.ops import Batch, Op, SlidingWindow, Take, TumblingWindow
from rivusio.compiler.ir.plan import Plan

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
        plan: the whole chain.
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

    plan: Plan
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

    def takes_closed(self, position: int) -> bool:
        """Tell whether an op's lists come closed from an earlier part."""
        return self.loop.closed and position == 0

    def header(self) -> Iterator[str]:
        """Give the lines before the loop."""
        variant = self.variant
        if variant.source in OF:
            yield "item_index: int | None = None"
        else:
            yield "item_index = -1"
        yield from self.hoisted.values()

    def item_at(self, position: int) -> str:
        """Name what goes into an op, or out of the last one."""
        if position not in self.items:
            self.items[position] = self.names.fresh(self._wanted_name(position))
        return self.items[position]

    def _wanted_name(self, position: int) -> str:
        ops = self.loop.ops
        if position < len(ops):
            op = ops[position]
            function = op.of.function
            own_name = parameter(function) if function is not None else None
            lists = isinstance(op, Batch | TumblingWindow | SlidingWindow)
            if own_name and own_name not in TOO_PLAIN and not lists:
                return own_name
            return by_type(op.of.takes.text) or "item"
        gives = ops[-1].of.gives.text if ops else "Any"
        return by_type(gives) or "result"

    @property
    def doc(self) -> str:
        """What its docstring says."""
        ops = self.loop.ops
        if not ops:
            return "Give what comes."
        first, last = ops[0].of, ops[-1].of
        names = f"{first.name}" if first is last else f"{first.name} to {last.name}"
        return f"Take items through {plain(names)}."

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

    def prepare(self) -> None:
        """Bind what a run fixes at its start, and what the function holds between items."""
        variant = self.variant
        if variant.monitored:
            self.hoist("now", "part.now")
        if variant.sink == "results" and variant.monitored:
            self.hoist("run_counters", "part.run_counters")
        if variant.sink == "window":
            self.hoist("now", "part.now")
            self.hoist("window", "part.window")
            if variant.monitored and self.loop.after is not None:
                index = self.loop.after.stage.index
                self.hoist(f"counters_{index}", f"part.counters({index})")
        if variant.sink == "buffer":
            self.hoist("buffer", "part.buffer")
            self.hoist("buffered", "buffer.items")
        for position, op in enumerate(self.loop.ops):
            index = op.of.index
            if variant.monitored:
                self.hoist(f"counters_{index}", f"part.counters({index})")
            closed = self.takes_closed(position)
            match op:
                case Take(none=False):
                    self.hoist(left_of(op), f"part.operation({index}).count")
                case Batch(linger=False):
                    held, size = self.names.fresh("open_batch"), self.names.fresh("batch_size")
                    self.state[index] = {"held": held, "size": size}
                    element = op.of.takes.text
                    self.hoisted[held] = f"{held}: list[{element}] = []"
                    self.hoist(size, f"part.operation({index}).size")
                    self.holdings.append(Holding("list", index, held))
                case Batch() | TumblingWindow() if not closed:
                    self.hoist("now", "part.now")
                    held = self.names.fresh("open_window")
                    self.state[index] = {"held": held, "closed": f"closed_{index}"}
                    self.hoist(held, f"part.holder({index})")
                    self.holdings.append(Holding("holder", index, held))
                case SlidingWindow():
                    held = self.names.fresh("latest")
                    names = {
                        "held": held,
                        "size": self.names.fresh("size"),
                        "step_size": self.names.fresh("step"),
                        "missing": self.names.fresh("missing"),
                        "period": self.names.fresh("period"),
                    }
                    self.state[index] = names
                    self.hoist(names["size"], f"part.operation({index}).size")
                    self.hoist(names["step_size"], f"part.operation({index}).step")
                    element = op.of.takes.text
                    self.hoisted[held] = f"{held}: deque[{element}] = deque(maxlen={names['size']})"
                    self.hoisted[names["missing"]] = (
                        f"{names['missing']} = {names['period']} = {names['size']}"
                    )
                    beside = (names["size"], names["period"], names["missing"])
                    self.holdings.append(Holding("sliding", index, held, beside))
                case _:
                    pass


def left_of(op: Take) -> str:
    """Name what counts how many items a `take` still wants."""
    return f"left_{op.of.index}"


def lefts_of(ops: Iterable[Op]) -> list[str]:
    """Name what counts down in the `take`s among some ops."""
    return [left_of(op) for op in ops if isinstance(op, Take) and not op.none]


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

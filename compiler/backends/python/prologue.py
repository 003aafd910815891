"""What stands before the loop of a generated function: what a run fixes, and what it holds."""

from __future__ import annotations

from collections.abc import Iterator

from rivusio.artifacts.program import Holding
from rivusio.compiler.backends.python.frame import OF, Function, left_of
from rivusio.compiler.ir.ops import Batch, SlidingWindow, Take, TumblingWindow


def prepare(own: Function) -> None:
    """Bind what a run fixes at its start, and what the function holds between items."""
    variant = own.variant
    if variant.monitored:
        own.hoist("now", "part.now")
    if variant.sink == "results" and variant.monitored:
        own.hoist("run_counters", "part.run_counters")
    if variant.sink == "window":
        own.hoist("now", "part.now")
        own.hoist("window", "part.window")
        if variant.monitored and own.loop.after is not None:
            index = own.loop.after.stage.index
            own.hoist(f"counters_{index}", f"part.counters({index})")
    if variant.sink == "buffer":
        own.hoist("buffer", "part.buffer")
        own.hoist("buffered", "buffer.items")
    for position, op in enumerate(own.loop.ops):
        index = op.of.index
        if variant.monitored:
            own.hoist(f"counters_{index}", f"part.counters({index})")
        closed = own.loop.takes_closed(position)
        match op:
            case Take(none=False):
                own.hoist(left_of(op), f"part.operation({index}).count")
            case Batch(linger=False):
                held, size = own.names.fresh("open_batch"), own.names.fresh("batch_size")
                own.state[index] = {"held": held, "size": size}
                element = op.of.takes.text
                own.hoisted[held] = f"{held}: list[{element}] = []"
                own.hoist(size, f"part.operation({index}).size")
                own.holdings.append(Holding("list", index, held))
            case Batch() | TumblingWindow() if not closed:
                own.hoist("now", "part.now")
                held = own.names.fresh("open_window")
                own.state[index] = {"held": held, "closed": f"closed_{index}"}
                own.hoist(held, f"part.holder({index})")
                own.holdings.append(Holding("holder", index, held))
            case SlidingWindow():
                held = own.names.fresh("latest")
                names = {
                    "held": held,
                    "size": own.names.fresh("size"),
                    "step_size": own.names.fresh("step"),
                    "missing": own.names.fresh("missing"),
                    "period": own.names.fresh("period"),
                }
                own.state[index] = names
                own.hoist(names["size"], f"part.operation({index}).size")
                own.hoist(names["step_size"], f"part.operation({index}).step")
                element = op.of.takes.text
                own.hoisted[held] = f"{held}: deque[{element}] = deque(maxlen={names['size']})"
                own.hoisted[names["missing"]] = (
                    f"{names['missing']} = {names['period']} = {names['size']}"
                )
                beside = (names["size"], names["period"], names["missing"])
                own.holdings.append(Holding("sliding", index, held, beside))
            case _:
                pass


def header_lines(own: Function) -> Iterator[str]:
    """Give the lines before the loop."""
    variant = own.variant
    if variant.source in OF:
        yield "item_index: int | None = None"
    else:
        yield "item_index = -1"
    yield from own.hoisted.values()

"""The code of each op: what happens to an item from one op on, to the end of the loop.

The text of what comes after an op stands in its template, so it is written from the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rivusio.artifacts.program import Holding
from rivusio.compiler.backends.python.calls import decide_call, decide_outcome
from rivusio.compiler.backends.python.frame import OF, Function, Here, left_of, lefts_of
from rivusio.compiler.backends.python.names import (
    comment,
    list_name,
)
from rivusio.compiler.backends.python.stage_records import (
    BatchStage,
    BufferSink,
    EmitSink,
    FilterStage,
    FlatMapStage,
    MapStage,
    SkipStage,
    SlidingStage,
    TakeStage,
    TakeWhileStage,
    WindowSink,
    WindowStage,
)
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir import ops
from rivusio.compiler.ir.ops import (
    Batch,
    DropNone,
    Filter,
    FlatMap,
    Map,
    Op,
    Pass,
    Skip,
    SlidingWindow,
    Take,
    TakeWhile,
    TumblingWindow,
)


def write_from(own: Function, position: int, here: Here, item: str) -> str:
    """Write what happens to an item from an op on."""
    if position == len(own.loop.ops):
        return _write_sink(own, here, item)
    op = own.loop.ops[position]
    match op:
        case Map():
            return _write_map(own, position, op, here, item)
        case Filter():
            return _write_filter(own, position, op, here, item)
        case FlatMap():
            return _write_flat_map(own, position, op, here, item)
        case Take():
            return _write_take(own, position, op, here, item)
        case TakeWhile():
            return _write_take_while(own, position, op, here, item)
        case Skip():
            return _write_skip(own, position, op, here, item)
        case DropNone():
            return _write_drop_none(own, position, op, here, item)
        case Batch() | TumblingWindow() | SlidingWindow():
            return _write_holding(own, position, op, here, item)
        case _:
            message = f"{op} stands between loops"
            raise AssertionError(message)


def _write_sink(own: Function, here: Here, item: str) -> str:
    """Write what takes an item at the end of the loop."""
    variant, after = own.variant, own.loop.after
    if after is None or variant.sink in ("results", "inner"):
        is_results = variant.sink == "results"
        index = "" if is_results else here.item_index
        return render(EmitSink(item, index, counts=is_results and variant.monitored))
    if variant.sink == "buffer":
        return render(BufferSink(comment(after.stage), item, here.item_index))
    return render(
        WindowSink(
            comment=comment(after.stage),
            counters=own.counters_of(after.stage.index),
            is_batch=after.stage.shape.kind == "lingering_batch",
            item=item,
            item_index=here.item_index,
        )
    )


def _write_map(own: Function, position: int, op: Map, here: Here, item: str) -> str:
    output = own.item_at(position + 1)
    call = decide_call(own, op, here, item, output, op.body)
    outcome = decide_outcome(own, op, here, call.output)
    rest = write_from(own, position + 1, here, call.output)
    return render(MapStage(comment(op.of), call.counters, call, outcome, rest))


def _write_filter(own: Function, position: int, op: Filter, here: Here, item: str) -> str:
    kept = _name_verdict(own, op)
    call = decide_call(own, op, here, item, kept, op.body)
    outcome = decide_outcome(own, op, here, item)
    own.items[position + 1] = item
    rest = write_from(own, position + 1, here, item)
    return render(FilterStage(comment(op.of), call.counters, call, outcome, rest))


def _name_verdict(own: Function, op: Op) -> str:
    """Name what a stage's function says of an item: the same wherever its code is written."""
    state = own.state.setdefault(op.of.index, {})
    if "kept" not in state:
        state["kept"] = own.names.fresh("kept")
    return state["kept"]


def _write_take(own: Function, position: int, op: Take, here: Here, item: str) -> str:
    call = decide_call(own, op, here, item, item, Pass())
    outcome = decide_outcome(own, op, here, item)
    own.items[position + 1] = item
    rest = write_from(own, position + 1, here, item)
    halts = own.variant.source in OF
    return render(TakeStage(comment(op.of), call.counters, left_of(op), halts, call, outcome, rest))


def _write_take_while(own: Function, position: int, op: TakeWhile, here: Here, item: str) -> str:
    left = own.hoist(left_of(op), "True")
    verdict = _name_verdict(own, op)
    call = decide_call(own, op, here, item, verdict, op.body)
    outcome = decide_outcome(own, op, here, item)
    own.items[position + 1] = item
    rest = write_from(own, position + 1, here, item)
    tells = own.variant.source in OF
    told = comment(op.of)
    return render(TakeWhileStage(told, call.counters, left, tells, call, outcome, rest))


def _write_skip(own: Function, position: int, op: Skip, here: Here, item: str) -> str:
    call = decide_call(own, op, here, item, item, Pass())
    outcome = decide_outcome(own, op, here, item)
    own.items[position + 1] = item
    index = op.of.index
    left = own.hoist(f"left_out_{index}", f"part.operation({index}).count")
    rest = write_from(own, position + 1, here, item)
    return render(SkipStage(comment(op.of), call.counters, left, call, outcome, rest))


def _write_drop_none(own: Function, position: int, op: DropNone, here: Here, item: str) -> str:
    call = decide_call(own, op, here, item, item, Pass())
    outcome = decide_outcome(own, op, here, item)
    own.items[position + 1] = item
    rest = write_from(own, position + 1, here, item)
    return render(MapStage(comment(op.of), call.counters, call, outcome, rest))


def _write_flat_map(own: Function, position: int, op: FlatMap, here: Here, item: str) -> str:
    index, shape = op.of.index, op.of.shape
    outputs, expanded = f"outputs_{index}", f"expanded_{index}"
    each = own.item_at(position + 1)
    call = decide_call(own, op, here, item, expanded, op.body)
    exits = tuple(f"not {left}" for left in lefts_of(own.loop.ops[position + 1 :]))
    awaits_outputs = not shape.treated and shape.entry != "call"
    if _may_be_halted(own, own.loop.ops[position if awaits_outputs else position + 1 :]):
        exits = (*exits, "part.is_halted")
    opened = performed = ""
    if shape.treated:
        performed = own.wait_for(f"{call.settings}.perform({item}, {here.item_index})")
    else:
        name = own.hoist(f"name_{index}", f"part.name({index})")
        opened = f"{'async_' if awaits_outputs else ''}iterable({expanded}, {name})"
    holding = Holding("outputs", index, outputs, (expanded, item))
    if holding not in own.holdings:
        own.holdings.append(holding)
    inner = replace(here, exits=exits)
    rest = write_from(own, position + 1, inner, each)
    return render(
        FlatMapStage(
            comment=comment(op.of),
            counters=call.counters,
            call=call,
            performed=performed,
            expansion=f"expansion_{index}",
            drop=here.drop,
            opened=opened,
            may_be_halted=_may_be_halted(own, own.loop.ops[: position + 1], with_source=True),
            outputs=outputs,
            outputs_mark=f"#@ outputs {index} {item}{' flush' if here.in_flush else ''}",
            is_async=awaits_outputs,
            each=each,
            outcome=replace(decide_outcome(own, op, inner, each), drop=inner.drop),
            exits=" or ".join(exits),
            rest=rest,
        )
    )


def _may_be_halted(own: Function, ops: Sequence[Op], *, with_source: bool = False) -> bool:
    """Tell whether a `take` in another task may have all it wants while ops are awaited.

    `with_source` is for what is awaited before them.
    """
    if own.variant.is_sync or own.variant.sink == "results":
        return False
    if with_source and not own.variant.is_plain:
        return True
    shapes = [op.of.shape for op in ops]
    return any(shape.treated or shape.entry in ("await", "either") for shape in shapes)


def _write_holding(own: Function, position: int, op: ops.Holding, here: Here, item: str) -> str:
    """Write how an item comes into an open list, and what happens when that is full."""
    if own.loop.takes_closed(position):
        return write_list_call(own, position, op, here, item)
    state = own.state[op.of.index]
    full = state.get("full", "")
    if not full:
        full = state["full"] = own.names.fresh(list_name(op))
    rest = write_list_call(own, position, op, here, full)
    told, counters = comment(op.of), own.counters_of(op.of.index)
    held, drop = state["held"], here.drop
    match op:
        case Batch(linger=False):
            size = state["size"]
            return render(BatchStage(told, counters, item, held, size, full, drop, rest))
        case Batch() | TumblingWindow():
            closed = state["closed"]
            return render(WindowStage(told, counters, item, held, closed, full, drop, rest))
        case SlidingWindow():
            return render(
                SlidingStage(
                    comment=told,
                    counters=counters,
                    item=item,
                    held=held,
                    size=state["size"],
                    step_size=state["step_size"],
                    missing=state["missing"],
                    period=state["period"],
                    input=full,
                    drop=drop,
                    rest=rest,
                )
            )


def write_list_call(own: Function, position: int, op: ops.Holding, here: Here, full: str) -> str:
    """Write the call of a batch's or window's function with a list that is closed."""
    output = own.item_at(position + 1)
    if isinstance(op.body, Pass) and not own.variant.monitored and not op.of.shape.skip_none:
        return write_from(own, position + 1, here, full)
    call = decide_call(own, op, here, full, output, op.body)
    drop = _drop_list(own, op.of.index, here, full)
    outcome = replace(decide_outcome(own, op, here, call.output), drop=drop)
    # Where the list was closed here, there is a comment above.
    told = comment(op.of) if own.loop.takes_closed(position) else ""
    rest = write_from(own, position + 1, here, call.output)
    return render(MapStage(told, "", call, outcome, rest))


def _drop_list(own: Function, index: int, here: Here, full: str) -> str:
    if not own.variant.monitored:
        return here.drop
    return f"counters_{index}.filtered += len({full})\n{here.drop}"

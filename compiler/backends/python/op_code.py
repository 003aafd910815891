"""The code of each op: what happens to an item from one op on, to the end of the loop.

The text of what comes after an op stands in its template, so it is written from the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rivusio.artifacts.program import Holding
from rivusio.compiler.backends.python.calls import record_of
from rivusio.compiler.backends.python.frame import OF, Function, Here, left_of
from rivusio.compiler.backends.python.names import (
    comment,
    list_name,
)
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir.fusion import Variant
from rivusio.compiler.ir.ops import (
    Batch,
    DropNone,
    Entered,
    Filter,
    FlatMap,
    Map,
    Op,
    Pass,
    SlidingWindow,
    Take,
    TumblingWindow,
)
from rivusio.observe.counters import SAMPLE


def write_from(own: Function, position: int, here: Here, item: str) -> str:
    """Write what happens to an item from an op on."""
    if position == len(own.loop.ops):
        return _write_sink(own, here, item)
    op = own.loop.ops[position]
    match op:
        case Map():
            return _write_call(own, "stage/map", position, op, here, item)
        case Filter():
            return _write_filter(own, position, op, here, item)
        case FlatMap():
            return _write_flat_map(own, position, op, here, item)
        case Take():
            return _write_take(own, position, op, here, item)
        case DropNone():
            return _write_drop_none(own, position, op, here, item)
        case Batch() | TumblingWindow() | SlidingWindow():
            return _write_holding(own, position, op, here, item)
        case _:
            message = f"{op} stands between loops"
            raise AssertionError(message)


def _write_sink(own: Function, here: Here, item: str) -> str:
    """Write what takes an item at the end of the loop."""
    index = "None" if here.in_flush else "item_index"
    variant, after = own.variant, own.loop.after
    if after is None or variant.sink == "inner":
        return render("sink/emit", v=variant_words(variant), item=item, item_index=index)
    record = {
        "comment": comment(after.stage),
        "is_batch": after.stage.shape.kind == "lingering_batch",
        "counters": f"counters_{after.stage.index}",
        "item": item,
        "item_index": index,
    }
    return render(f"sink/{variant.sink}", s=record, v=variant_words(variant))


def _write_call(
    own: Function, template: str, position: int, op: Entered, here: Here, item: str
) -> str:
    output = own.item_at(position + 1)
    record = record_of(own, op, here, item, output, op.body)
    rest = write_from(own, position + 1, here, record["output"])
    return render(template, s=record, v=variant_words(own.variant), rest=rest)


def _write_filter(own: Function, position: int, op: Filter, here: Here, item: str) -> str:
    state = own.state.setdefault(op.of.index, {})
    kept = state.get("kept") or own.names.fresh("kept")
    state["kept"] = kept
    record = record_of(own, op, here, item, kept, op.body)
    record["given"] = item
    own.items[position + 1] = item
    rest = write_from(own, position + 1, here, item)
    return render("stage/filter", s=record, v=variant_words(own.variant), rest=rest)


def _write_take(own: Function, position: int, op: Take, here: Here, item: str) -> str:
    record = record_of(own, op, here, item, item, Pass())
    record["left"] = left_of(op)
    record["result"] = item
    record["halts"] = own.variant.source in OF
    own.items[position + 1] = item
    rest = write_from(own, position + 1, here, item)
    return render("stage/take", s=record, v=variant_words(own.variant), rest=rest)


def _write_drop_none(own: Function, position: int, op: DropNone, here: Here, item: str) -> str:
    record = record_of(own, op, here, item, item, Pass())
    record["skip_none"] = True
    own.items[position + 1] = item
    rest = write_from(own, position + 1, here, item)
    return render("stage/map", s=record, v=variant_words(own.variant), rest=rest)


def _write_flat_map(own: Function, position: int, op: FlatMap, here: Here, item: str) -> str:
    index = op.of.index
    state = own.state.setdefault(index, {})
    outputs = state.setdefault("outputs", f"outputs_{index}")
    of = state.setdefault("of", f"expanded_{index}")
    each = own.item_at(position + 1)
    record = record_of(own, op, here, item, of, op.body)
    exits = tuple(
        f"not {left_of(later)}"
        for later in own.loop.ops[position + 1 :]
        if isinstance(later, Take) and not later.none
    )
    shape = op.of.shape
    awaits_outputs = not shape.treated and shape.entry != "call"
    if _may_be_halted(own, own.loop.ops[position if awaits_outputs else position + 1 :]):
        exits = (*exits, "part.is_halted")
    name = "" if shape.treated else own.hoist(f"name_{index}", f"part.name({index})")
    record |= {
        "outputs": outputs,
        "each": each,
        "given": each,
        "expansion": f"expansion_{index}",
        "exits": " or ".join(exits),
        "is_async": False,
        "may_be_halted": _may_be_halted(own, own.loop.ops[: position + 1], with_source=True),
        "opened": f"iterable({of}, {name})",
    }
    if awaits_outputs:
        record["is_async"] = True
        record["opened"] = f"async_iterable({of}, {name})"
    holding = Holding("outputs", index, outputs, (of, item))
    if holding not in own.holdings:
        own.holdings.append(holding)
    inner = replace(here, in_outputs=True, exits=exits)
    record["drop_filtered"] = here.drop
    skipped = inner.drop
    rest = write_from(own, position + 1, inner, each)
    record["drop_filtered"] = skipped
    return render("stage/flat_map", s=record, v=variant_words(own.variant), rest=rest)


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


def _write_holding(own: Function, position: int, op: Entered, here: Here, item: str) -> str:
    closed = own.takes_closed(position)
    if closed:
        return write_list_call(own, position, op, here, item)
    index = op.of.index
    full = own.state[index].setdefault("full", "")
    if not full:
        full = own.state[index]["full"] = own.names.fresh(list_name(op))
    rest = write_list_call(own, position, op, here, full)
    record = {
        **own.state[index],
        "comment": comment(op.of),
        "counters": f"counters_{index}",
        "item": item,
        "input": full,
        "drop": here.drop,
    }
    template = "stage/sliding"
    if isinstance(op, Batch) and not op.linger:
        template = "stage/batch"
    elif isinstance(op, Batch | TumblingWindow):
        template = "stage/window"
    return render(template, s=record, v=variant_words(own.variant), rest=rest)


def write_list_call(own: Function, position: int, op: Entered, here: Here, full: str) -> str:
    """Write the call of a batch's or window's function with a list that is closed."""
    output = own.item_at(position + 1)
    if isinstance(op.body, Pass) and not own.variant.monitored and not op.of.shape.skip_none:
        return write_from(own, position + 1, here, full)
    record = record_of(own, op, here, full, output, op.body)
    record["counts_input"] = False
    record["drop_filtered"] = _drop_list(own, op.of.index, here, full)
    if not own.takes_closed(position):
        record["comment"] = ""  # there is one above, where the list was closed
    rest = write_from(own, position + 1, here, record["output"])
    return render("stage/map", s=record, v=variant_words(own.variant), rest=rest)


def _drop_list(own: Function, index: int, here: Here, full: str) -> str:
    if not own.variant.monitored:
        return here.drop
    return f"counters_{index}.filtered += len({full})\n{here.drop}"


def variant_words(variant: Variant) -> dict[str, Any]:
    """Give what the templates ask of a variant."""
    return {
        "source": variant.source,
        "monitored": variant.monitored,
        "is_results": variant.sink == "results",
        "sink": variant.sink,
        "is_sync": variant.is_sync,
        "sample": SAMPLE,
    }

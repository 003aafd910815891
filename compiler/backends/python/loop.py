"""One generated function: its loop over a source, what stands before it, and its flush.

Everything is decided here and printed by the templates. A template gets a record with the words
it needs and the text of what comes after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rivusio.compiler.backends.python.frame import OF, Function, Here, left_of
from rivusio.compiler.backends.python.names import (
    RESERVED,
    Names,
    inner_names,
    plain,
)
from rivusio.compiler.backends.python.op_code import variant_words, write_from, write_list_call
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir.fusion import Loop, Module, Variant
from rivusio.compiler.ir.ops import (
    Batch,
    Take,
    TumblingWindow,
)
from rivusio.compiler.ir.plan import Plan

PARTS = {"results": "Results", "inner": "Inner", "window": "Filling", "buffer": "Filling"}
SOURCES = {  # templates; those of plain iterables share one
    "async": "async_iterable",
    "node": "upstream",
    "sync_node": "upstream",
    "buffer": "buffer",
}
PLAIN_PARTS = PARTS | {"inner": "PlainInner"}


def write_loop(plan: Plan, loop: Loop, variant: Variant, name: str, module: Module) -> str:
    """Write one function."""
    own = Function(plan, loop, variant, module, Names(RESERVED | inner_names(plan.ops)))
    item, ops = own.item_at(0), loop.ops
    takes = [left_of(op) for op in ops if isinstance(op, Take) and not op.none]
    exits = tuple(f"not {left}" for left in takes)
    over = ("feed.is_over",) if variant.source == "async" else ()
    own.prepare()
    is_empty = any(isinstance(op, Take) and op.none for op in ops)
    body = write_from(own, 0, Here(exits=over + exits), item)
    flush = "" if is_empty else "\n".join(_write_flushes(own))
    if variant.source in ("async", "plain", "sync"):
        counts = ["feed.arrived()"] if variant.monitored else []
        body = "\n".join([*counts, body])
    hoisted = list(own.header())
    module.holdings[name] = own.holdings
    record = {
        "name": name,
        "part": (PLAIN_PARTS if variant.is_sync else PARTS)[variant.sink],
        "of": OF.get(variant.source, "feed: Feed"),
        "gives": _result_type(own),
        "doc": own.doc,
        "hoisted": hoisted,
        "item": item,
        "body": body,
        "exits": " or ".join(over + exits),
        "flush": flush,
        "is_empty": is_empty,
    }
    source = "iterable" if variant.is_plain else SOURCES[variant.source]
    record["loop"] = render(f"source/{source}", f=record, v=variant_words(variant))
    return render("loop", f=record, v=variant_words(variant))


def _write_flushes(own: Function) -> Iterator[str]:
    """Write what the end of the source closes, from the left."""
    for position, op in enumerate(own.loop.ops):
        closed = own.takes_closed(position)
        if closed or not isinstance(op, Batch | TumblingWindow):
            continue
        index = op.of.index
        later = [
            left_of(each)
            for each in own.loop.ops[position + 1 :]
            if isinstance(each, Take) and not each.none
        ]
        state = own.state[index]
        here = Here(in_flush=True, exits=tuple(f"not {left}" for left in later))
        rest = write_list_call(own, position, op, here, state["full"])
        held, full = state["held"], state["full"]
        if isinstance(op, Batch) and not op.linger:
            record = {
                "open": " and ".join([held, *later]),
                "taken": f"{full}, {held} = {held}, []",
            }
        else:
            taken = f"({full} := {held}.close())"
            record = {"open": " and ".join([*later, taken]), "taken": ""}
        record["comment"] = f"{index + 1} {plain(op.of.name)}"
        yield render("flush", s=record, rest=rest)


def _result_type(own: Function) -> str:
    gives = own.loop.ops[-1].of.gives.text if own.loop.ops else "Any"
    if own.variant.sink in ("window", "buffer"):
        return "None"
    if own.variant.sink == "results":
        gives = own.plan.ops[-1].of.gives.text
    if own.variant.is_sync:
        return f"Generator[{gives}, None, None]"
    return f"AsyncGenerator[{gives}, None]"

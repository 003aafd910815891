"""One generated function: its loop over a source, what stands before it, and its flush.

Everything is decided here and printed by the templates. A template gets a record with the words
it needs and the text of what comes after it.
"""

from __future__ import annotations

from collections.abc import Iterator

from rivusio.compiler.backends.python.frame import OF, Function, Here, lefts_of
from rivusio.compiler.backends.python.function_records import (
    AsyncIterableSource,
    BufferSource,
    IterableSource,
    LoopFunction,
    UpstreamSource,
)
from rivusio.compiler.backends.python.names import (
    RESERVED,
    Names,
    docstring_of,
    inner_names,
    plain,
)
from rivusio.compiler.backends.python.op_code import write_from, write_list_call
from rivusio.compiler.backends.python.prologue import header_lines, prepare
from rivusio.compiler.backends.python.stage_records import Flush
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir.fusion import Loop, Module, Variant
from rivusio.compiler.ir.ops import (
    Batch,
    Take,
    TumblingWindow,
)
from rivusio.compiler.ir.plan import Plan

PARTS = {"results": "Results", "inner": "Inner", "window": "Filling", "buffer": "Filling"}
PLAIN_PARTS = PARTS | {"inner": "PlainInner"}


def write_loop(plan: Plan, loop: Loop, variant: Variant, name: str, module: Module) -> str:
    """Write one function."""
    own = Function(loop, variant, module, Names(RESERVED | inner_names(plan.ops)))
    item, is_results = own.item_at(0), variant.sink == "results"
    over = ("feed.is_over",) if variant.source == "async" else ()
    exits = (*over, *(f"not {left}" for left in lefts_of(loop.ops)))
    prepare(own)
    is_empty = any(isinstance(op, Take) and op.none for op in loop.ops)
    body = write_from(own, 0, Here(exits=exits), item)
    flush = "" if is_empty else "\n".join(_write_flushes(own))
    if variant.source in ("async", "plain", "sync") and variant.monitored:
        body = f"feed.arrived()\n{body}"
    leave, end = (
        ("await part.leave", "await part.end") if is_results else ("part.leave", "part.done")
    )
    if is_results and variant.is_sync:
        leave, end = "part.leave_plain", "part.end_plain"
    module.holdings[name] = own.holdings
    return render(
        LoopFunction(
            is_async=not variant.is_sync,
            name=name,
            part=(PLAIN_PARTS if variant.is_sync else PARTS)[variant.sink],
            takes=OF.get(variant.source, "feed: Feed"),
            gives=_result_type(plan, own),
            doc=docstring_of(loop.ops),
            hoisted=tuple(header_lines(own)),
            is_results=is_results,
            loop="" if is_empty else _write_source(variant, item, body, " or ".join(exits)),
            flush=flush,
            leave=leave,
            end=end,
        )
    )


def _write_source(variant: Variant, item: str, body: str, exits: str) -> str:
    """Write the loop over what gives the items."""
    match variant.source:
        case "async":
            return render(AsyncIterableSource(item, body, exits))
        case "plain":
            return render(IterableSource(item, body, exits, "await feed.turn(item_index)"))
        case "sync":
            return render(IterableSource(item, body, exits, "feed.numbers(item_index)"))
        case "node":
            return render(UpstreamSource(item, body, exits, "await upstream.pull()"))
        case "sync_node":
            return render(UpstreamSource(item, body, exits, "upstream.next()"))
        case "buffer":
            return render(BufferSource(item, body, exits))


def _write_flushes(own: Function) -> Iterator[str]:
    """Write what the end of the source closes, from the left."""
    for position, op in enumerate(own.loop.ops):
        if own.loop.takes_closed(position) or not isinstance(op, Batch | TumblingWindow):
            continue
        later = lefts_of(own.loop.ops[position + 1 :])
        here = Here(in_flush=True, exits=tuple(f"not {left}" for left in later))
        state = own.state[op.of.index]
        held, full = state["held"], state["full"]
        rest = write_list_call(own, position, op, here, full)
        if isinstance(op, Batch) and not op.linger:
            is_open, taken = [held, *later], f"{full}, {held} = {held}, []"
        else:
            is_open, taken = [*later, f"({full} := {held}.close())"], ""
        told = f"{op.of.index + 1} {plain(op.of.name)}"
        yield render(Flush(told, " and ".join(is_open), taken, rest))


def _result_type(plan: Plan, own: Function) -> str:
    gives = own.loop.ops[-1].of.gives.text if own.loop.ops else "Any"
    if own.variant.sink in ("window", "buffer"):
        return "None"
    if own.variant.sink == "results":
        gives = plan.ops[-1].of.gives.text
    if own.variant.is_sync:
        return f"Generator[{gives}, None, None]"
    return f"AsyncGenerator[{gives}, None]"

"""Writes one generated function: its loop, what it holds between items, and its flush.

Everything is decided here and printed by the templates. A template gets a record with the words
it needs and the text of what comes after it, so the body of a loop is written from its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from rivusio.artifacts.program import Holding
from rivusio.compiler.backends.python.calls import record_of
from rivusio.compiler.backends.python.frame import OF, Function, Here, left_of
from rivusio.compiler.backends.python.names import (
    RESERVED,
    TOO_PLAIN,
    Names,
    by_type,
    comment,
    inner_names,
    list_name,
    parameter,
    plain,
)
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir.fusion import Loop, Module, SourceKind, Variant, groups_of
from rivusio.compiler.ir.plan import (
    Batch,
    Concurrent,
    DropNone,
    Entered,
    Filter,
    FlatMap,
    Inline,
    Map,
    Op,
    Pass,
    Plan,
    SlidingWindow,
    Take,
    TumblingWindow,
)
from rivusio.observe.counters import SAMPLE

PARTS = {"results": "Results", "inner": "Inner", "window": "Filling", "buffer": "Filling"}
SOURCES = {  # templates; those of plain iterables share one
    "async": "async_iterable",
    "node": "upstream",
    "sync_node": "upstream",
    "buffer": "buffer",
}
PLAIN_PARTS = PARTS | {"inner": "PlainInner"}


def function(plan: Plan, loop: Loop, variant: Variant, name: str, module: Module) -> str:
    """Write one function."""
    own = Function(plan, loop, variant, module, Names(RESERVED | inner_names(plan.ops)))
    return _Writer(own, name).text()


def process(plan: Plan, module: Module) -> list[str]:
    """Write the functions that take one item through a chain of 1:1 stages."""
    source: SourceKind = "sync" if all_sync(plan) else "async"
    variant = Variant(source, monitored=False, sink="results")
    groups = groups_of([op for op in plan.ops if isinstance(op, Map | Concurrent)])
    if len(groups) == 1:
        return [_one(plan, Loop(1, groups[0]), variant, "process", module)]
    names = [f"process_{number}" for number, _ in enumerate(groups, 1)]
    written = [
        _one(plan, Loop(number, ops), variant, name, module)
        for number, (ops, name) in enumerate(zip(groups, names, strict=True), 1)
    ]
    record = {
        "item": "item",
        "takes": plan.ops[0].of.takes.text,
        "gives": plan.ops[-1].of.gives.text,
        "steps": list(_in_turn(names, "" if variant.is_sync else "await ")),
    }
    return [*written, render("single/chain", f=record, v=_variant(variant))]


def _in_turn(names: Sequence[str], awaits: str) -> Iterator[str]:
    item = "item"
    for number, name in enumerate(names, 1):
        call = f"{awaits}{name}(part, {item})"
        item = f"result_{number}"
        yield f"return {call}" if number == len(names) else f"{item} = {call}"


def _one(plan: Plan, loop: Loop, variant: Variant, name: str, module: Module) -> str:
    names = Names(RESERVED | inner_names(loop.ops))
    return _Writer(Function(plan, loop, variant, module, names, is_loop=False), name).process()


def all_sync(plan: Plan) -> bool:
    """Tell whether every stage of a plan is sync, buffers aside: then one item needs no loop."""
    return all(op.of.shape.entry == "call" and not op.of.shape.concurrent for op in plan.ops)


class _Writer:
    def __init__(self, own: Function, name: str) -> None:
        self._own = own
        self._name = name
        self._v = own.variant
        self._ops = own.loop.ops

    def text(self) -> str:
        own, variant, ops = self._own, self._v, self._ops
        first = self._item_of(0)
        takes = [left_of(op) for op in ops if isinstance(op, Take) and not op.none]
        own.items[0] = own.names.fresh(first)
        exits = tuple(f"not {name}" for name in takes)
        over = ("feed.is_over",) if variant.source == "async" else ()
        own.prepare()
        is_empty = any(isinstance(op, Take) and op.none for op in ops)
        body = self._rest(0, Here(exits=over + exits), own.items[0])
        flush = "" if is_empty else "\n".join(self._flushes())
        if variant.source in ("async", "plain", "sync"):
            counts = ["feed.arrived()"] if variant.monitored else []
            body = "\n".join([*counts, body])
        hoisted = list(own.header())
        module = own.module
        module.holdings[self._name] = own.holdings
        record = {
            "name": self._name,
            "part": (PLAIN_PARTS if variant.is_sync else PARTS)[variant.sink],
            "of": OF.get(variant.source, "feed: Feed"),
            "gives": self._gives(),
            "doc": self._doc(),
            "hoisted": hoisted,
            "item": own.items[0],
            "body": body,
            "exits": " or ".join(over + exits),
            "flush": flush,
            "is_empty": is_empty,
        }
        source = "iterable" if variant.is_plain else SOURCES[variant.source]
        record["loop"] = render(f"source/{source}", f=record, v=_variant(variant))
        return render("loop", f=record, v=_variant(variant))

    def process(self) -> str:
        own = self._own
        own.items[0] = own.names.fresh(self._item_of(0))
        body = self._one(0, own.items[0])
        record = {
            "name": self._name,
            "doc": self._doc() if self._name != "process" else "Take one item through all stages.",
            "item": own.items[0],
            "takes": self._ops[0].of.takes.text,
            "gives": self._ops[-1].of.gives.text,
            "hoisted": list(own.hoisted.values()),
            "body": body,
        }
        return render("single/function", f=record, v=_variant(self._v))

    def _one(self, position: int, item: str) -> str:
        """Write what happens to a single item from an op on."""
        if position == len(self._ops):
            return f"return {item}"
        op = self._ops[position]
        assert isinstance(op, Map | Concurrent)  # noqa: S101  others have been refused
        output = self._next_item(position)
        record = record_of(self._own, op, Here(), item, output, op.body)
        rest = self._one(position + 1, record["output"])
        if position == len(self._ops) - 1 and self._may_be_any(op, record):
            name = self._own.names.fresh("result")
            rest = f"{name}: {op.of.gives.text} = {record['output']}\nreturn {name}"
        return render("single/stage", s=record, v=_variant(self._v), rest=rest)

    @staticmethod
    def _may_be_any(op: Op, record: dict[str, Any]) -> bool:
        """Tell whether the last result might be anything to mypy, where its type is known."""
        if op.of.gives.text == "Any":
            return False
        if record["treated"]:
            return True  # what a retry or a handler gives is
        is_own = isinstance(op, Map) and isinstance(op.body, Inline)  # so is what `self` has
        declared = record["target"].partition(": ")[2]
        return declared in ("", "Any") and bool(is_own or record["checks"])

    # Names

    def _item_of(self, position: int) -> str:
        """Say what to call the items that go into an op, or out of the last."""
        if position < len(self._ops):
            op = self._ops[position]
            function = op.of.function
            own_name = parameter(function) if function is not None else None
            lists = isinstance(op, Batch | TumblingWindow | SlidingWindow)
            if own_name and own_name not in TOO_PLAIN and not lists:
                return own_name
            return by_type(op.of.takes.text) or "item"
        gives = self._ops[-1].of.gives.text if self._ops else "Any"
        return by_type(gives) or "result"

    def _next_item(self, position: int) -> str:
        own = self._own
        if position + 1 not in own.items:
            own.items[position + 1] = own.names.fresh(self._item_of(position + 1))
        return own.items[position + 1]

    # The loop's body, written from its end

    def _rest(self, position: int, here: Here, item: str) -> str:
        """Write what happens to an item from an op on."""
        if position == len(self._ops):
            return self._given(here, item)
        op = self._ops[position]
        match op:
            case Map():
                return self._entered("stage/map", position, op, here, item)
            case Filter():
                return self._filter(position, op, here, item)
            case FlatMap():
                return self._flat_map(position, op, here, item)
            case Take():
                return self._take(position, op, here, item)
            case DropNone():
                return self._drop_none(position, op, here, item)
            case Batch() | TumblingWindow() | SlidingWindow():
                return self._holding(position, op, here, item)
            case _:
                message = f"{op} stands between loops"
                raise AssertionError(message)

    def _given(self, here: Here, item: str) -> str:
        """Write what takes an item at the end of the loop."""
        index = "None" if here.in_flush else "item_index"
        variant, after = self._v, self._own.loop.after
        if after is None or variant.sink == "inner":
            return render("sink/emit", v=_variant(variant), item=item, item_index=index)
        record = {
            "comment": comment(after.stage),
            "is_batch": after.stage.shape.kind == "lingering_batch",
            "counters": f"counters_{after.stage.index}",
            "item": item,
            "item_index": index,
        }
        return render(f"sink/{variant.sink}", s=record, v=_variant(variant))

    def _entered(self, template: str, position: int, op: Entered, here: Here, item: str) -> str:
        own = self._own
        output = self._next_item(position)
        record = record_of(own, op, here, item, output, op.body)
        rest = self._rest(position + 1, here, record["output"])
        return render(template, s=record, v=_variant(self._v), rest=rest)

    def _filter(self, position: int, op: Filter, here: Here, item: str) -> str:
        own = self._own
        state = own.state.setdefault(op.of.index, {})
        kept = state.get("kept") or own.names.fresh("kept")
        state["kept"] = kept
        record = record_of(own, op, here, item, kept, op.body)
        record["given"] = item
        own.items[position + 1] = item
        rest = self._rest(position + 1, here, item)
        return render("stage/filter", s=record, v=_variant(self._v), rest=rest)

    def _take(self, position: int, op: Take, here: Here, item: str) -> str:
        own = self._own
        record = record_of(own, op, here, item, item, Pass())
        record["left"] = left_of(op)
        record["result"] = item
        record["halts"] = own.variant.source in OF
        own.items[position + 1] = item
        rest = self._rest(position + 1, here, item)
        return render("stage/take", s=record, v=_variant(self._v), rest=rest)

    def _drop_none(self, position: int, op: DropNone, here: Here, item: str) -> str:
        own = self._own
        record = record_of(own, op, here, item, item, Pass())
        record["skip_none"] = True
        own.items[position + 1] = item
        rest = self._rest(position + 1, here, item)
        return render("stage/map", s=record, v=_variant(self._v), rest=rest)

    def _flat_map(self, position: int, op: FlatMap, here: Here, item: str) -> str:
        own = self._own
        index = op.of.index
        state = own.state.setdefault(index, {})
        outputs = state.setdefault("outputs", f"outputs_{index}")
        of = state.setdefault("of", f"expanded_{index}")
        each = self._next_item(position)
        record = record_of(own, op, here, item, of, op.body)
        exits = tuple(
            f"not {left_of(later)}"
            for later in self._ops[position + 1 :]
            if isinstance(later, Take) and not later.none
        )
        shape = op.of.shape
        awaits_outputs = not shape.treated and shape.entry != "call"
        if self._may_be_halted(self._ops[position if awaits_outputs else position + 1 :]):
            exits = (*exits, "part.is_halted")
        name = "" if shape.treated else own.hoist(f"name_{index}", f"part.name({index})")
        record |= {
            "outputs": outputs,
            "each": each,
            "given": each,
            "expansion": f"expansion_{index}",
            "exits": " or ".join(exits),
            "is_async": False,
            "may_be_halted": self._may_be_halted(self._ops[: position + 1], with_source=True),
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
        rest = self._rest(position + 1, inner, each)
        record["drop_filtered"] = skipped
        return render("stage/flat_map", s=record, v=_variant(self._v), rest=rest)

    def _may_be_halted(self, ops: Sequence[Op], *, with_source: bool = False) -> bool:
        """Tell whether a `take` in another task may have all it wants while ops are awaited.

        `with_source` is for what is awaited before them.
        """
        if self._v.is_sync or self._v.sink == "results":
            return False
        if with_source and not self._v.is_plain:
            return True
        shapes = [op.of.shape for op in ops]
        return any(shape.treated or shape.entry in ("await", "either") for shape in shapes)

    def _holding(self, position: int, op: Entered, here: Here, item: str) -> str:
        own = self._own
        closed = own.takes_closed(position)
        if closed:
            return self._list_call(position, op, here, item)
        index = op.of.index
        full = own.state[index].setdefault("full", "")
        if not full:
            full = own.state[index]["full"] = own.names.fresh(list_name(op))
        rest = self._list_call(position, op, here, full)
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
        return render(template, s=record, v=_variant(self._v), rest=rest)

    def _list_call(self, position: int, op: Entered, here: Here, full: str) -> str:
        """Write the call of a batch's or window's function with a list that is closed."""
        own = self._own
        output = self._next_item(position)
        if isinstance(op.body, Pass) and not self._v.monitored and not op.of.shape.skip_none:
            return self._rest(position + 1, here, full)
        record = record_of(own, op, here, full, output, op.body)
        record["counts_input"] = False
        record["drop_filtered"] = self._counted_list_drop(op.of.index, here, full)
        if not self._own.takes_closed(position):
            record["comment"] = ""  # there is one above, where the list was closed
        rest = self._rest(position + 1, here, record["output"])
        return render("stage/map", s=record, v=_variant(self._v), rest=rest)

    def _counted_list_drop(self, index: int, here: Here, full: str) -> str:
        if not self._v.monitored:
            return here.drop
        return f"counters_{index}.filtered += len({full})\n{here.drop}"

    # The flush

    def _flushes(self) -> Iterator[str]:
        """Write what the end of the source closes, from the left."""
        own = self._own
        for position, op in enumerate(self._ops):
            closed = own.takes_closed(position)
            if closed or not isinstance(op, Batch | TumblingWindow):
                continue
            index = op.of.index
            later = [
                left_of(each)
                for each in self._ops[position + 1 :]
                if isinstance(each, Take) and not each.none
            ]
            state = own.state[index]
            here = Here(in_flush=True, exits=tuple(f"not {left}" for left in later))
            rest = self._list_call(position, op, here, state["full"])
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

    # Words

    def _gives(self) -> str:
        gives = self._ops[-1].of.gives.text if self._ops else "Any"
        if self._v.sink in ("window", "buffer"):
            return "None"
        if self._v.sink == "results":
            gives = self._own.plan.ops[-1].of.gives.text
        if self._v.is_sync:
            return f"Generator[{gives}, None, None]"
        return f"AsyncGenerator[{gives}, None]"

    def _doc(self) -> str:
        if not self._ops:
            return "Give what comes."
        first, last = self._ops[0].of, self._ops[-1].of
        names = f"{first.name}" if first is last else f"{first.name} to {last.name}"
        return f"Take items through {plain(names)}."


def _variant(variant: Variant) -> dict[str, Any]:
    return {
        "source": variant.source,
        "monitored": variant.monitored,
        "is_results": variant.sink == "results",
        "sink": variant.sink,
        "is_sync": variant.is_sync,
        "sample": SAMPLE,
    }

"""`process(item)` of a chain of 1:1 stages: functions that take one item through it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rivusio.compiler.backends.python.calls import decide_call
from rivusio.compiler.backends.python.frame import Function, Here
from rivusio.compiler.backends.python.function_records import SingleChain, SingleFunction
from rivusio.compiler.backends.python.names import (
    RESERVED,
    Names,
    comment,
    docstring_of,
    inner_names,
)
from rivusio.compiler.backends.python.stage_records import Call, SingleStage
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir.fusion import Loop, Module, SourceKind, Variant, split_into_groups
from rivusio.compiler.ir.ops import (
    Concurrent,
    Inline,
    Map,
    Op,
)
from rivusio.compiler.ir.plan import Plan


def write_process(plan: Plan, module: Module) -> list[str]:
    """Write the functions that take one item through a chain of 1:1 stages."""
    source: SourceKind = "sync" if all_sync(plan) else "async"
    variant = Variant(source, monitored=False, sink="results")
    groups = split_into_groups([op for op in plan.ops if isinstance(op, Map | Concurrent)])
    if len(groups) == 1:
        return [_write_function(Loop(1, groups[0]), variant, "process", module)]
    names = [f"process_{number}" for number, _ in enumerate(groups, 1)]
    written = [
        _write_function(Loop(number, ops), variant, name, module)
        for number, (ops, name) in enumerate(zip(groups, names, strict=True), 1)
    ]
    chain = SingleChain(
        is_async=not variant.is_sync,
        item="item",
        takes=plan.ops[0].of.takes.text,
        gives=plan.ops[-1].of.gives.text,
        steps=tuple(_in_turn(names, "" if variant.is_sync else "await ")),
    )
    return [*written, render(chain)]


def _in_turn(names: Sequence[str], awaits: str) -> Iterator[str]:
    item = "item"
    for number, name in enumerate(names, 1):
        call = f"{awaits}{name}(part, {item})"
        item = f"result_{number}"
        yield f"return {call}" if number == len(names) else f"{item} = {call}"


def _write_function(loop: Loop, variant: Variant, name: str, module: Module) -> str:
    names = Names(RESERVED | inner_names(loop.ops))
    own = Function(loop, variant, module, names, is_loop=False)
    item = own.item_at(0)
    body = _write_from(own, 0, item)
    return render(
        SingleFunction(
            is_async=not variant.is_sync,
            name=name,
            item=item,
            takes=loop.ops[0].of.takes.text,
            gives=loop.ops[-1].of.gives.text,
            doc=docstring_of(loop.ops)
            if name != "process"
            else "Take one item through all stages.",
            hoisted=tuple(own.hoisted.values()),
            body=body,
        )
    )


def all_sync(plan: Plan) -> bool:
    """Tell whether every stage of a plan is sync, buffers aside: then one item needs no loop."""
    return all(op.of.shape.entry == "call" and not op.of.shape.concurrent for op in plan.ops)


def _write_from(own: Function, position: int, item: str) -> str:
    """Write what happens to a single item from an op on."""
    if position == len(own.loop.ops):
        return f"return {item}"
    op = own.loop.ops[position]
    assert isinstance(op, Map | Concurrent)  # noqa: S101  others have been refused
    output = own.item_at(position + 1)
    call = decide_call(own, op, Here(), item, output, op.body)
    rest = _write_from(own, position + 1, call.output)
    if position == len(own.loop.ops) - 1 and _may_be_any(op, call):
        name = own.names.fresh("result")
        rest = f"{name}: {op.of.gives.text} = {call.output}\nreturn {name}"
    retry = ""
    if call.settings:
        retry = own.wait_for(f"{call.settings}.retry(failures.pop(), {call.input})")
    return render(SingleStage(comment(op.of), call, retry, rest))


def _may_be_any(op: Op, call: Call) -> bool:
    """Tell whether the last result might be anything to mypy, where its type is known."""
    if op.of.gives.text == "Any":
        return False
    if call.settings:
        return True  # what a retry or a handler gives is
    is_own = isinstance(op, Map) and isinstance(op.body, Inline)  # so is what `self` has
    declared = call.target.partition(": ")[2]
    return declared in ("", "Any") and bool(is_own or call.check)

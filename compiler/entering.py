"""How the user's function of a stage is entered: called, awaited, or its body written out."""

from __future__ import annotations

import ast
from typing import Any, assert_never

from rivusio.compiler.aliases import alias_of
from rivusio.compiler.bodies import Inlined, inline
from rivusio.compiler.function import Function, Here
from rivusio.compiler.marks import marked
from rivusio.compiler.naming import comment, snake
from rivusio.compiler.plan import (
    Await,
    Batch,
    Body,
    Call,
    Either,
    Elided,
    Inline,
    Op,
    Pass,
    SlidingWindow,
    StageInfo,
    TumblingWindow,
)


def record_of(
    own: Function, op: Op, here: Here, item: str, output: str, body: Body
) -> dict[str, Any]:
    """Give what the templates want to know of a stage."""
    stage = op.of
    index = stage.index
    shape = stage.shape
    flush = " flush" if here.in_flush else ""
    coroutine = " coroutine" if isinstance(body, Inline) and body.in_coroutine else ""
    mark = f"#@ call {index} {item}{flush}{coroutine}"
    record: dict[str, Any] = {
        "index": index,
        "name": stage.name,
        "comment": comment(stage),
        "input": item,
        "item": item,
        "output": output,
        "given": output,
        "counters": f"counters_{index}",
        "counts_input": True,
        "treated": shape.treated,
        "timed": shape.timed,
        "skip_none": shape.skip_none,
        "item_index": "None" if here.in_flush else "item_index",
        "mark": mark,
        "settle_mark": f"#@ settle {index} {item}{flush}",
        "outputs_mark": f"#@ outputs {index} {item}{flush}",
        "drop": here.drop,
        "drop_filtered": counted_drop(own, index, here),
        "statements": [],
        "result": output,
        "checks": "",
        "is_filter": False,
    }
    if shape.treated:
        record["step"] = own.hoist(f"settings_{index}", f"part.step({index})")
    if shape.timed:
        own.hoist("clock", "part.clock")
        record["timeout"] = own.hoist(f"timeout_{index}", f"part.timeout({index})")
    _enter(own, op, record, body, mark)
    return record


def counted_drop(own: Function, index: int, here: Here) -> str:
    """Write how an item is dropped that its stage did not let pass."""
    if not own.variant.monitored:
        return here.drop
    return f"counters_{index}.filtered += 1\n{here.drop}"


def _enter(own: Function, op: Op, record: dict[str, Any], body: Body, mark: str) -> None:
    """Say how the user's function is entered."""
    item = record["input"]
    if isinstance(op, Batch | TumblingWindow | SlidingWindow) and not isinstance(body, Pass):
        item = f"{item}.copy()"  # the list is the user's, and the errors' is another
    match body:
        case Pass():
            record["result"] = item
        case Call(checks=checks):
            record["result"] = f"{_callee(own, op.of)}({item})"
            record["checks"] = "refuse" if checks else ""
            if checks and op.of.shape.entry == "either":
                record["checks"] = "await"
        case Either():
            record["result"] = f"{_callee(own, op.of)}({item})"
            record["checks"] = "await"
        case Await() | Elided():
            record["result"] = f"await {_callee(own, op.of)}({item})"
        case Inline():
            _inlined(own, op, record, body, mark, item)
        case _:
            assert_never(body)


def _callee(own: Function, stage: StageInfo) -> str:
    name = f"call_{stage.index}"
    if stage.index not in own.callees:
        own.callees[stage.index] = own.names.fresh(snake(stage.name) or name)
    return own.hoist(own.callees[stage.index], f"part.call({stage.index})")


def _inlined(
    own: Function, op: Op, record: dict[str, Any], body: Inline, mark: str, item: str
) -> None:
    """Say how the function's body stands in the loop."""
    function = op.of.function
    assert function is not None  # noqa: S101  the pass has looked
    item_name = item
    if item.endswith(".copy()"):
        item_name = own.names.fresh(f"{record['input']}_given")
        record["statements"].append(f"{mark}\n{item_name} = {item}")
    alias = alias_of(function.module)
    receiver = None
    if function.class_name is not None:
        receiver = f"pipe_{op.of.index}"
    done = inline(
        function.node,
        item=item_name,
        receiver=receiver,
        module=alias,
        module_names=function.module_names,
        fresh=own.names.fresh,
        class_name=function.class_name,
    )
    assert isinstance(done, Inlined)  # noqa: S101  the pass has tried
    if done.reads_receiver and receiver is not None:
        own.hoist(receiver, f"part.pipe({op.of.index})")
    if done.globals:
        own.module.modules[function.module] = alias, op.of.index
    own.module.inlined.add(op.of.index)
    origin = f"{mark} origin={op.of.index}"
    for statement in done.statements:
        record["statements"].append(marked(statement, origin))
    record["result"] = ast.unparse(done.result)
    position = ":".join(
        str(getattr(done.result, name, 0) or 0)
        for name in ("lineno", "end_lineno", "col_offset", "end_col_offset")
    )
    record["mark"] = f"{origin}:{position}"
    if body.checks:
        record["checks"] = "await" if op.of.shape.entry in ("either", "await") else "refuse"
        if body.in_coroutine:
            record["checks"] = ""  # what a coroutine function returns is not awaited again

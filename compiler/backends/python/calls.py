"""How the user's function of a stage is entered: called, awaited, or its body written out."""

from __future__ import annotations

import ast
import re
from typing import Any, assert_never

from rivusio.compiler.backends.python.frame import Function, Here
from rivusio.compiler.backends.python.names import comment, parameter, snake
from rivusio.compiler.backends.python.source_map import marked
from rivusio.compiler.inlining.inline import Inlined, inline
from rivusio.compiler.ir.ops import (
    Await,
    Batch,
    Body,
    Call,
    Either,
    Elided,
    Filter,
    FlatMap,
    Inline,
    Op,
    Pass,
    SlidingWindow,
    TumblingWindow,
)
from rivusio.compiler.passes.inline import body_as_call
from rivusio.compiler.typecheck.aliases import alias_of

SCALARS = {"int", "float", "str", "bytes", "bool"}  # what is inferred instead is of no harm


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
        "ends": here.ends,
        "drop_filtered": counted_drop(own, index, here),
        "statements": [],
        "result": output,
        "checks": "",
        "target": output,
        "declaration": "",
        "is_judged": False,
    }
    if shape.treated:
        own.hoisted["failures"] = "failures: list[Exception] = []"
        record["step"] = own.hoist(f"settings_{index}", f"part.step({index})")
    if shape.timed:
        own.hoist("clock", "part.clock")
        record["timeout"] = own.hoist(f"timeout_{index}", f"part.timeout({index})")
    if not (isinstance(op, FlatMap) and shape.treated):  # else its settings make the call
        _enter(own, op, record, body, mark)
    _declare(own, op, record, body)
    if shape.treated and isinstance(op, Filter):
        if record["checks"] or record["result"] == output:
            record["is_judged"] = True
        else:
            record["result"] = f"bool({record['result']})"
    return record


def counted_drop(own: Function, index: int, here: Here) -> str:
    """Write how an item is dropped that its stage did not let pass."""
    if not own.variant.monitored:
        return here.drop
    return f"counters_{index}.filtered += 1\n{here.drop}"


def _enter(own: Function, op: Op, record: dict[str, Any], body: Body, mark: str) -> None:
    """Say how the user's function is entered."""
    item = record["input"]
    if _takes_list(op) and not isinstance(body, Pass):
        item = f"{item}.copy()"  # the list is the user's, and the errors' is another
    match body:
        case Pass():
            record["result"] = item
        case Call(checks=checks):
            record["result"] = f"{_callee(own, op)}({item})"
            record["checks"] = "refuse" if checks else ""
            if checks and op.of.shape.entry == "either":
                record["checks"] = "await"
        case Either():
            record["result"] = f"{_callee(own, op)}({item})"
            record["checks"] = "await"
        case Await() | Elided():
            record["result"] = f"await {_callee(own, op)}({item})"
        case Inline():
            if not _inlined(own, op, record, body, mark, item):
                _enter(own, op, record, body_as_call(op.of, body), mark)
        case _:
            assert_never(body)


def _takes_list(op: Op) -> bool:
    return isinstance(op, Batch | TumblingWindow | SlidingWindow)


def _callee(own: Function, op: Op) -> str:
    """Name the user's function, and bind it before the loop."""
    stage = op.of
    if stage.index not in own.callees:
        own.callees[stage.index] = own.names.fresh(snake(stage.name) or f"call_{stage.index}")
    name = own.callees[stage.index]
    own.hoisted.setdefault(name, f"{name}: {_type_of(op)} = part.call({stage.index})")
    return name


def _type_of(op: Op) -> str:
    """Write the type of the user's function, as the generated code calls it."""
    stage = op.of
    takes, gives = stage.takes.text, stage.gives.text
    match op:
        case Batch() | TumblingWindow() | SlidingWindow():
            takes = f"list[{takes}]"
        case Filter():
            gives = "object"
        case FlatMap():
            gives = f"Iterable[{gives}]"
        case _:
            pass
    match stage.shape.entry:
        case "await":
            gives = f"Awaitable[{gives}]"
        case "either":
            gives = "Any"
        case _:
            pass
    return f"Callable[[{takes}], {gives}]"


def _inlined(
    own: Function, op: Op, record: dict[str, Any], body: Inline, mark: str, item: str
) -> bool:
    """Say how the function's body stands in the loop, if it can with the names that are here."""
    stage, function = op.of, op.of.function
    if function is None:
        return False
    alias = alias_of(function.module)
    receiver = None if function.class_name is None else f"pipe_{stage.index}"
    before, item_type, item_name = [], stage.takes.text, item
    if _takes_list(op):
        item_name = own.names.fresh(parameter(function) or "items")
        item_type = f"list[{item_type}]"
        before.append(f"{mark}\n{item_name} = {item}")
    local_names: set[str] = set()

    def fresh(wanted: str) -> str:
        name = own.names.fresh(wanted)
        local_names.add(name)
        return name

    done = inline(
        function.node,
        item=item_name,
        receiver=receiver,
        module=alias,
        module_names=function.module_names,
        fresh=fresh,
        class_name=function.class_name,
        item_type=item_type,
        result=record["output"],
    )
    if not isinstance(done, Inlined):
        return False  # a name that it needs is one of those here
    if done.reads_receiver and receiver is not None:
        own.hoist(receiver, f"part.pipe({stage.index})")
    if done.globals:
        own.module.modules[function.module] = alias, stage.index
    own.module.inlined.add(stage.index)
    origin = f"{mark} origin={stage.index}"
    record["statements"] = before + [marked(each, origin) for each in done.statements]
    record["result"] = ast.unparse(done.result)
    position = ":".join(
        str(getattr(done.result, name, 0) or 0)
        for name in ("lineno", "end_lineno", "col_offset", "end_col_offset")
    )
    record["mark"] = f"{origin}:{position}"
    if body.checks and not body.in_coroutine:  # what a coroutine function gives is not awaited
        record["checks"] = "await" if stage.shape.entry in ("either", "await") else "refuse"
    is_plain = not (record["checks"] or record["treated"] or isinstance(op, Filter))
    if is_plain and record["result"] in local_names:
        record["output"] = record["target"] = record["given"] = record["result"]
        own.declared.add(record["output"])  # by the user, if at all
    return True


def _declare(own: Function, op: Op, record: dict[str, Any], body: Body) -> None:
    """Say the type of what a stage gives, where mypy might infer another from what is there."""
    if isinstance(op, FlatMap):
        return
    output, result = record["output"], record["result"]
    gives = _verdict_of(op) if isinstance(op, Filter) else op.of.gives.text
    if record["checks"]:
        gives = "Any"  # it may be something to await before it is what the stage gives
    if result == output:
        if any(_assigns(each, output) for each in record["statements"]):
            name = own.declare(output, gives)
            record["declaration"] = name if name != output else ""
        return
    if isinstance(op, Filter) or gives == "Any":
        is_checked = record["checks"] == "await" or (record["checks"] and record["treated"])
        is_plain = not (is_checked and isinstance(body, Inline))
    else:
        is_known = op.of.shape.entry != "either"  # else its type is not said
        callee = own.callees.get(op.of.index) if is_known else None
        is_plain = _shows(result, gives, callee) or (own.is_loop and gives in SCALARS)
    if not is_plain:
        record["target"] = own.declare(output, gives)


def _verdict_of(op: Filter) -> str:
    """Give the type of what a filter's function returns."""
    function = op.of.function
    returns = None if function is None else getattr(function.node, "returns", None)
    return "bool" if isinstance(returns, ast.Name) and returns.id == "bool" else "Any"


def _assigns(statement: str, name: str) -> bool:
    """Tell whether a statement of the user's assigns a name that was not among the user's."""
    return re.search(rf"^\s*{name} = ", statement, re.MULTILINE) is not None


def _shows(result: str, gives: str, callee: str | None) -> bool:
    """Tell whether an expression shows its type: an object of a class, or what has a type."""
    node = ast.parse(result, mode="eval").body
    match node:
        case ast.Await(value=ast.Call(func=ast.Name(id=name))) | ast.Call(func=ast.Name(id=name)):
            return name in (callee, gives)
        case ast.Call(func=made):
            return ast.unparse(made) == gives
    return False

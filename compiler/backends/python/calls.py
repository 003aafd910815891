"""How the user's function of a stage is entered: called, awaited, or its body written out."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, replace
from typing import Literal, assert_never

from rivusio.compiler.backends.python.frame import Function, Here
from rivusio.compiler.backends.python.names import parameter, snake
from rivusio.compiler.backends.python.source_map import mark_statements
from rivusio.compiler.backends.python.stage_records import Call, Outcome
from rivusio.compiler.inlining.inline import Inlined, Site, inline
from rivusio.compiler.ir import ops
from rivusio.compiler.ir.ops import (
    Await,
    Batch,
    Body,
    DropNone,
    Either,
    Elided,
    FlatMap,
    Inline,
    Op,
    Pass,
    SlidingWindow,
    TumblingWindow,
    judges,
    takes_list,
)
from rivusio.compiler.passes.inline import body_as_call
from rivusio.compiler.typecheck.aliases import alias_of

SCALARS = {"int", "float", "str", "bytes", "bool"}  # what is inferred instead is of no harm


@dataclass(frozen=True, slots=True)
class _Entered:
    """How the result of a user's function is come by.

    Attributes:
        result: the expression that it is.
        output: the local that it is to stand in.
        mark: what the line means.
        statements: what has to run first.
        checks: what is done with a result that can be awaited; empty if none can be.
    """

    result: str
    output: str
    mark: str
    statements: tuple[str, ...] = ()
    checks: Literal["", "await", "refuse"] = ""


def decide_call(own: Function, op: Op, here: Here, item: str, output: str, body: Body) -> Call:
    """Say how a stage's function is called for `item`, so that `output` is what it gives."""
    stage = op.of
    index = stage.index
    shape = stage.shape
    flush = " flush" if here.in_flush else ""
    coroutine = " coroutine" if isinstance(body, Inline) and body.in_coroutine else ""
    mark = f"#@ call {index} {item}{flush}{coroutine}"
    counters = own.counters_of(index)
    settings = recovery = timeout = ""
    if shape.treated:
        own.hoisted["failures"] = "failures: list[Exception] = []"
        settings = own.hoist(f"settings_{index}", f"part.step({index})")
        started = f", started_{index}" if counters else ""
        given = f"failures.pop(), {item}, {here.item_index}{started}"
        recovery = own.wait_for(f"{settings}.recover({given})")
    if shape.timed:
        own.hoist("clock", "part.clock")
        timeout = own.hoist(f"timeout_{index}", f"part.timeout({index})")
    entered = _Entered(output, output, mark)
    if not (isinstance(op, FlatMap) and shape.treated):  # else its settings make the call
        entered = _enter(own, op, item, entered, body)
    declaration, target = _declare(own, op, entered, body)
    result, is_judged = entered.result, False
    if shape.treated and judges(op):
        is_judged = bool(entered.checks) or result == entered.output
        if not is_judged:
            result = f"bool({result})"
    return Call(
        index=index,
        input=item,
        output=entered.output,
        declaration=declaration,
        statements=entered.statements,
        target=target,
        result=result,
        mark=entered.mark,
        check=_check(entered, index),
        is_judged=is_judged,
        counters=counters,
        settings=settings,
        recovery=recovery,
        settle_mark=f"#@ settle {index} {item}{flush}",
        timeout=timeout,
        ends=here.ends,
    )


def decide_outcome(own: Function, op: Op, here: Here, tested: str) -> Outcome:
    """Say what becomes of a stage's result, which is in `tested`."""
    index = op.of.index
    tested = tested if op.of.shape.skip_none or isinstance(op, DropNone) else ""
    return Outcome(tested, write_drop(own, index, here), own.counters_of(index))


def write_drop(own: Function, index: int, here: Here) -> str:
    """Write how an item is dropped that its stage did not let pass."""
    if not own.variant.monitored:
        return here.drop
    return f"counters_{index}.filtered += 1\n{here.drop}"


def _check(entered: _Entered, index: int) -> str:
    output = entered.output
    match entered.checks:
        case "await":
            return f"{output} = await {output}"
        case "refuse":
            return f"refuse({output}, part.name({index}))"
        case "":
            return ""


def _enter(own: Function, op: Op, item: str, plain: _Entered, body: Body) -> _Entered:
    """Say how the user's function is entered; `plain` has the output and the mark."""
    given = item
    if takes_list(op) and not isinstance(body, Pass):
        given = f"{item}.copy()"  # the list is the user's, and the errors' is another
    match body:
        case Pass():
            return replace(plain, result=given)
        case ops.Call(checks=checks):
            checked: Literal["await", "refuse"] = "refuse"
            if op.of.shape.entry == "either":
                checked = "await"
            result = f"{_callee(own, op)}({given})"
            return replace(plain, result=result, checks=checked if checks else "")
        case Either():
            return replace(plain, result=f"{_callee(own, op)}({given})", checks="await")
        case Await() | Elided():
            return replace(plain, result=f"await {_callee(own, op)}({given})")
        case Inline():
            inlined = _inline(own, op, given, plain, body)
            return inlined or _enter(own, op, item, plain, body_as_call(op.of, body))
        case _:
            assert_never(body)


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
        case _ if judges(op):
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


def _inline(own: Function, op: Op, item: str, plain: _Entered, body: Inline) -> _Entered | None:
    """Say how the function's body stands in the loop, if it can with the names that are here."""
    mark, output = plain.mark, plain.output
    stage, function = op.of, op.of.function
    if function is None:
        return None
    alias = alias_of(function.module)
    receiver = None if function.class_name is None else f"pipe_{stage.index}"
    before, item_type, item_name = [], stage.takes.text, item
    if takes_list(op):
        item_name = own.names.fresh(parameter(function) or "items")
        item_type = f"list[{item_type}]"
        before.append(f"{mark}\n{item_name} = {item}")
    local_names: set[str] = set()

    def fresh(wanted: str) -> str:
        name = own.names.fresh(wanted)
        local_names.add(name)
        return name

    site = Site(
        item=item_name,
        receiver=receiver,
        module=alias,
        module_names=function.module_names,
        fresh=fresh,
        class_name=function.class_name,
        item_type=item_type,
        result=output,
    )
    done = inline(function.node, site)
    if not isinstance(done, Inlined):
        return None  # a name that it needs is one of those here
    if done.reads_receiver and receiver is not None:
        own.hoist(receiver, f"part.pipe({stage.index})")
    if done.globals:
        own.module.modules[function.module] = alias, stage.index
    own.module.inlined.add(stage.index)
    origin = f"{mark} origin={stage.index}"
    result = ast.unparse(done.result)
    position = ":".join(
        str(getattr(done.result, name, 0) or 0)
        for name in ("lineno", "end_lineno", "col_offset", "end_col_offset")
    )
    checks: Literal["", "await", "refuse"] = ""
    if body.checks and not body.in_coroutine:  # what a coroutine function gives is not awaited
        checks = "await" if stage.shape.entry in ("either", "await") else "refuse"
    is_plain = not (checks or stage.shape.treated or judges(op))
    if is_plain and result in local_names:
        output = result
        own.declared.add(output)  # by the user, if at all
    statements = (*before, *(mark_statements(each, origin) for each in done.statements))
    return _Entered(result, output, f"{origin}:{position}", statements, checks)


def _declare(own: Function, op: Op, entered: _Entered, body: Body) -> tuple[str, str]:
    """Say the type of what a stage gives, where mypy might infer another from what is there.

    The first text is a declaration ahead of the statements, the second what the result is
    assigned to; both may be empty.
    """
    output, result = entered.output, entered.result
    if isinstance(op, FlatMap):
        return "", output
    gives = _verdict_of(op) if judges(op) else op.of.gives.text
    if entered.checks:
        gives = "Any"  # it may be something to await before it is what the stage gives
    if result == output:
        if any(_assigns(each, output) for each in entered.statements):
            name = own.declare(output, gives)
            return name if name != output else "", ""
        return "", ""
    if judges(op) or gives == "Any":
        is_checked = entered.checks == "await" or (entered.checks and op.of.shape.treated)
        is_plain = not (is_checked and isinstance(body, Inline))
    else:
        is_known = op.of.shape.entry != "either"  # else its type is not said
        callee = own.callees.get(op.of.index) if is_known else None
        is_plain = _shows(result, gives, callee) or (own.is_loop and gives in SCALARS)
    return "", output if is_plain else own.declare(output, gives)


def _verdict_of(op: Op) -> str:
    """Give the type of what the function of a stage that judges returns."""
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

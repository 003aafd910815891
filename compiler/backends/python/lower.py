"""Plan -> the functions of a module: each loop in all its versions, and what joins them.

The first loop is written once for each kind of source; each loop is written without counters and
with them.
"""

from __future__ import annotations

from collections.abc import Iterator

from rivusio.compiler.backends.python.function_records import Entry
from rivusio.compiler.backends.python.loop import write_loop
from rivusio.compiler.backends.python.single_item import write_process
from rivusio.compiler.backends.python.templates import render
from rivusio.compiler.ir.fusion import Loop, Module, SourceKind, Variant, split_into_loops
from rivusio.compiler.ir.plan import Plan


def lower(plan: Plan) -> Module:
    """Write the functions of a plan."""
    module = Module()
    if plan.is_sync:
        _lower_way(plan, module, ("sync",), in_loop=False)
    _lower_way(plan, module, ("async", "plain"), in_loop=True)
    if all(op.of.shape.kind == "map" for op in plan.ops):
        module.functions += write_process(plan, module)
    return module


def _lower_way(
    plan: Plan, module: Module, sources: tuple[SourceKind, ...], *, in_loop: bool
) -> None:
    for monitored in (False, True):
        loops = split_into_loops(plan, in_loop=in_loop, monitored=monitored)
        for source in sources:
            module.functions.append(_entry(plan, loops, source, monitored=monitored))
            _function(plan, loops[0], source, module, monitored=monitored)
        for loop in loops[1:]:
            _function(plan, loop, loop.source, module, monitored=monitored)


def _function(
    plan: Plan, loop: Loop, source: SourceKind, module: Module, *, monitored: bool
) -> None:
    if loop.is_written:
        variant = Variant(source, monitored, loop.sink)
        name = function_name(loop, variant)
        module.functions.append(write_loop(plan, loop, variant, name, module))


def function_name(loop: Loop, variant: Variant) -> str:
    """Name a generated function."""
    words = ["results"] if variant.sink == "results" else ["loop", str(loop.number)]
    match variant.source:
        case "async":
            words.append("over_async")
        case "plain":
            words.append("over_plain")
        case "sync" | "sync_node":
            words.append("without_loop")
        case "node" | "buffer":
            pass
    if variant.monitored:
        words.append("monitored")
    return "_".join(words)


ENTRIES = {
    "async": "stream_async",
    "plain": "stream_plain",
    "sync": "iterate",
}


def _entry(plan: Plan, loops: tuple[Loop, ...], source: SourceKind, *, monitored: bool) -> str:
    """Write the function that puts the parts of a run together."""
    steps = tuple(_assembly(loops, source, monitored=monitored))
    gives = plan.ops[-1].of.gives.text
    kind = (
        f"Generator[{gives}, None, None]" if source == "sync" else f"AsyncGenerator[{gives}, None]"
    )
    name = ENTRIES[source] + ("_monitored" if monitored else "")
    words = {
        "async": "an async iterable",
        "plain": "a plain iterable",
        "sync": "an iterable, without an event loop",
    }
    doc = f"Run over {words[source]}{', and count' if monitored else ''}."
    return render(Entry(name, kind, doc, steps))


def _assembly(loops: tuple[Loop, ...], source: SourceKind, *, monitored: bool) -> Iterator[str]:
    """Write the calls that put the parts of a run together, the last first to be asked."""
    at = "line.source"
    for loop in loops:
        kind = source if loop is loops[0] else loop.source
        name = function_name(loop, Variant(kind, monitored, loop.sink))
        cut = loop.after
        if cut is None:
            yield f"return line.results({name}, {at})"
            return
        stage = cut.stage.index
        made = f"{cut.kind}_{stage}"
        match cut.kind:
            case "read_ahead":
                yield f"{made} = line.read_ahead({name}, {at})"
            case "group":
                made = f"part_{loop.number}"
                inner = "inner" if loop.in_loop else "plain_inner"
                yield f"{made} = line.{inner}({name}, {at})"
            case "buffer" | "window":
                yield f"{made} = line.{cut.kind}({stage}, {name}, {at})"
            case _:
                if loop.is_written:
                    yield f"part_{loop.number} = line.inner({name}, {at})"
                    at = f"part_{loop.number}"
                yield f"{made} = line.{cut.kind}({stage}, {at})"
        at = made

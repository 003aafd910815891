"""`rivusio-async`, of the classes of pipes: `async def` where the family wants `def`, and so on."""

from __future__ import annotations

from mypy import nodes, types
from mypy.plugin import CheckerPluginInterface
from mypy.types import get_proper_type
from mypy.typevars import fill_typevars

from rivusio.compiler.known_names import (
    ASYNC_BASE_PIPE,
    ASYNC_FILTER_PIPE,
    ASYNC_FLAT_MAP_PIPE,
    FILTER_PIPE,
    FLAT_MAP_PIPE,
    STREAM_PIPE,
    SYNC_BASE_PIPE,
)
from rivusio.compiler.mypy_plugin import reporting
from rivusio.compiler.typecheck import stage_types, type_predicates
from rivusio.compiler.typecheck.display import text
from rivusio.compiler.typecheck.stage_types import Pipe

# The method of each family that its user writes, and the class of the other family.
SYNC = {
    SYNC_BASE_PIPE: ("process", "AsyncBasePipe"),
    FILTER_PIPE: ("keep", "AsyncFilterPipe"),
    FLAT_MAP_PIPE: ("expand", "AsyncFlatMapPipe"),
}
ASYNC = {
    ASYNC_BASE_PIPE: ("process", "SyncBasePipe"),
    ASYNC_FILTER_PIPE: ("keep", "FilterPipe"),
    ASYNC_FLAT_MAP_PIPE: ("expand", "FlatMapPipe"),
}


def check(api: CheckerPluginInterface, info: nodes.TypeInfo) -> None:
    """Check how the methods of a class of pipes are written."""
    for base in info.mro[1:]:
        if base.fullname in SYNC:
            method, other = SYNC[base.fullname]
            _check_sync(api, info, method, base.name, other)
        elif base.fullname in ASYNC:
            method, other = ASYNC[base.fullname]
            _check_async(api, info, method, base.name, other)
        elif base.fullname == STREAM_PIPE:
            _check_stream(api, info)
    _check_result(api, info)


def _check_sync(
    api: CheckerPluginInterface, info: nodes.TypeInfo, method: str, base: str, other: str
) -> None:
    function = written(info, method)
    if function is not None and (function.is_coroutine or function.is_async_generator):
        message = f'"{method}" of "{info.name}" is "async def", but "{base}" wants "def"'
        note = f'make it "def", or derive "{info.name}" from {other}'
        reporting.report(api, function, message, note, reporting.ASYNC)


def _check_async(
    api: CheckerPluginInterface, info: nodes.TypeInfo, method: str, base: str, other: str
) -> None:
    function = written(info, method)
    if function is None or function.is_coroutine or function.is_async_generator:
        return
    gives = _gives(function)
    if gives is None or type_predicates.is_any(gives) or _waits(gives):
        return
    message = f'"{method}" of "{info.name}" is "def", but "{base}" wants "async def"'
    note = f'make it "async def", or derive "{info.name}" from {other}'
    reporting.report(api, function, message, note, reporting.ASYNC)


def _check_stream(api: CheckerPluginInterface, info: nodes.TypeInfo) -> None:
    function = written(info, "process_stream")
    if function is None or function.is_async_generator:
        return
    gives = _gives(function)
    if function.is_coroutine or not (
        gives is None or type_predicates.is_any(gives) or _waits(gives)
    ):
        kind = "async def" if function.is_coroutine else "def"
        message = (
            f'"process_stream" of "{info.name}" is "{kind}" without "yield", '
            f"but a stream is an asynchronous generator"
        )
        note = 'make it "async def", and "yield" what it gives'
        reporting.report(api, function, message, note, reporting.ASYNC)


def _check_result(api: CheckerPluginInterface, info: nodes.TypeInfo) -> None:
    """Look whether what a pipe gives is still to be awaited: nobody will."""
    itself = get_proper_type(fill_typevars(info))
    match stage_types.meaning_of(itself):
        case (Pipe(out=out, family=family),) if type_predicates.awaitable_of(out) is not None:
            message = f'"{info.name}" gives "{text(out)}" that nobody awaits'
            where = "in it" if family == "async" else "in an AsyncBasePipe"
            note = f"await it {where}, and give what comes of it"
            reporting.report(api, info.defn, message, note, reporting.ASYNC)


def written(info: nodes.TypeInfo, name: str) -> nodes.FuncDef | None:
    """Give a method that is written in a class itself."""
    symbol = info.names.get(name)
    match None if symbol is None else symbol.node:
        case nodes.FuncDef() as function:
            return function
        case nodes.Decorator(decorators=[], func=function):
            return function  # such as `@override`
    return None


def _gives(function: nodes.FuncDef) -> types.Type | None:
    its = function.type
    return its.ret_type if isinstance(its, types.CallableType) else None


def _waits(of: types.Type) -> bool:
    """Tell whether a value can be awaited or iterated over in an event loop."""
    proper = get_proper_type(of)
    names = {"typing.Awaitable", "typing.AsyncIterable"}
    return not isinstance(proper, types.Instance) or any(
        base.fullname in names for base in proper.type.mro
    )

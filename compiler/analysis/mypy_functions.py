"""What mypy's tree and types say of a function, whatever calls it."""

from __future__ import annotations

from mypy import nodes, types

from rivusio.compiler.typecheck import type_predicates


def may_be_awaited(gives: types.Type | None, *, is_coroutine: bool) -> bool:
    """Tell whether what a function gives, or its coroutine, could be something to await."""
    if gives is not None and is_coroutine:
        gives = type_predicates.awaited(gives)
    return gives is None or type_predicates.awaiting(gives) == "maybe"


def undecorated(node: nodes.SymbolNode | None) -> nodes.FuncDef | None:
    """Give the function that a name stands for, if nothing has been made of it."""
    match node:
        case nodes.FuncDef():
            return node
        case nodes.Decorator(decorators=[], func=function, var=nodes.Var(is_property=False)):
            return function  # what mypy takes away, such as `@override`, changes nothing
        case nodes.OverloadedFuncDef(impl=implementation, is_property=False):
            return undecorated(implementation)
    return None


def is_ours(info: nodes.TypeInfo) -> bool:
    """Tell whether a class is rivusio's own."""
    return info.module_name.partition(".")[0] == "rivusio"


def is_coroutine_function(function: nodes.FuncDef) -> bool:
    """Tell whether a function is an `async def` without a `yield`."""
    return function.is_coroutine and not function.is_async_generator


def is_coroutine_object(of: types.Instance) -> bool:
    """Tell whether an object's own `__call__` is a coroutine function."""
    found = of.type.get("__call__")
    function = None if found is None else undecorated(found.node)
    return function is not None and is_coroutine_function(function)


def is_class(of: types.Type | None) -> bool:
    """Tell whether a type is that of a class itself."""
    proper = None if of is None else types.get_proper_type(of)
    return isinstance(proper, types.FunctionLike) and proper.is_type_obj()


def return_type(of: types.Type | None) -> types.Type | None:
    """Give what calling gives, if there is one answer."""
    proper = None if of is None else types.get_proper_type(of)
    match proper:
        case types.CallableType(ret_type=gives):
            return gives
        case types.Overloaded(items=[first, *_]) if all(
            type_predicates.awaiting(each.ret_type) == "never" for each in proper.items
        ):
            return first.ret_type
    return None

"""What calling a function with an item gives, by its signatures."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mypy import types
from mypy.erasetype import erase_typevars
from mypy.expandtype import expand_type
from mypy.nodes import ArgKind
from mypy.subtypes import is_subtype, unify_generic_callable
from mypy.typeops import make_simplified_union

from rivusio.compiler.frontend.syntax import Family
from rivusio.compiler.known_names import (
    KEEPING,
    TAKING_FUNCTIONS,
)
from rivusio.compiler.typecheck.stage_types import Function
from rivusio.compiler.typecheck.type_predicates import ANY, awaited, has_any, known


@dataclass(frozen=True)
class Call:
    """What a function makes of an item."""

    takes: types.Type
    gives: types.Type
    family: Family


def call(function: Function, item: types.Type, fallback: types.Instance) -> Call | None:
    """Say what calling a function with an item gives; None if it cannot be called so.

    `fallback` is the class of functions, which every callable type must name.
    """
    wanted = types.CallableType([item], [ArgKind.ARG_POS], [None], ANY, fallback)
    solved = (_solved(signature, wanted) for signature in _signatures(function.type))
    fitting = [_call_of(each) for each in solved if each is not None and is_subtype(each, wanted)]
    if not fitting:
        return None
    first, *others = fitting
    if has_any(item) and any(each.gives != first.gives for each in others):
        return replace(first, takes=ANY, gives=ANY)  # only the item itself would tell which it is
    return first


def _solved(signature: types.CallableType, wanted: types.CallableType) -> types.CallableType | None:
    """Put in the type variables of a signature what they are for a call; None if nothing fits."""
    if not signature.variables:
        return signature
    return unify_generic_callable(
        types.NormalizedCallableType(signature.with_unpacked_kwargs()),
        types.NormalizedCallableType(wanted),
        ignore_return=True,
    )


def given(function: Function) -> Call:
    """Say what a function takes and gives by itself, where nothing stands on its left."""
    return _call_of(_signatures(function.type)[0])


def passed_on(function: Function, gives: types.Type) -> types.Type:
    """Say what a first stage gives to the next.

    What the function's own type variables stand for, only an item would tell.
    """
    signature = _signatures(function.type)[0]
    own = {each.id for each in signature.variables}
    return erase_typevars(_without_variables(gives, signature), own)


def taken(function: Function) -> list[types.Type]:
    """Give the types of item that a function takes; none if it cannot be called with one item."""
    items = ((each, _item_of(each)) for each in _signatures(function.type))
    return [_without_variables(item, each) for each, item in items if item is not None]


def _without_variables(item: types.Type, signature: types.CallableType) -> types.Type:
    """Say what a signature's own type variables may be, where it limits them."""
    limits: dict[types.TypeVarId, types.Type] = {}
    for variable in signature.variables:
        if isinstance(variable, types.TypeVarType) and variable.values:
            limits[variable.id] = make_simplified_union(variable.values)
        elif isinstance(variable, types.TypeVarType) and not _is_object(variable.upper_bound):
            limits[variable.id] = variable.upper_bound
    return expand_type(item, limits)


def _is_object(of: types.Type) -> bool:
    proper = types.get_proper_type(of)
    return isinstance(proper, types.Instance) and proper.type.fullname == "builtins.object"


def applied(name: str, function: types.Type) -> Function | None:
    """Say what `map(function)` and its kin are, by the full name of that operator.

    mypy settles for one overload of a function that is given away by name; the function itself
    can still take all that it takes.
    """
    proper = types.get_proper_type(function)
    if name in TAKING_FUNCTIONS and isinstance(proper, types.FunctionLike):
        return Function(proper, keeps=name in KEEPING)
    return None


def _call_of(signature: types.CallableType) -> Call:
    its = awaited(signature.ret_type)
    takes = known(_item_of(signature) or ANY)
    if its is None:
        return Call(takes, known(signature.ret_type), "sync")
    return Call(takes, known(its), "async")


def _item_of(signature: types.CallableType) -> types.Type | None:
    """Give the type of the one item that a signature takes."""
    kinds = signature.arg_kinds
    if sum(kind is ArgKind.ARG_POS for kind in kinds) > 1 or ArgKind.ARG_NAMED in kinds:
        return None
    for kind, its in zip(kinds, signature.arg_types, strict=True):
        if kind.is_positional(star=True):
            return its
    return None


def _signatures(of: types.ProperType) -> list[types.CallableType]:
    return list(of.items) if isinstance(of, types.FunctionLike) else []

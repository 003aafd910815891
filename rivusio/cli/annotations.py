"""What callables and pipes say of the types that they take and give: by their annotations."""

from __future__ import annotations

import functools
import inspect
import sys
import typing
from collections.abc import Awaitable, Callable, Mapping
from types import FunctionType, GenericAlias, SimpleNamespace, UnionType
from typing import Any

from pydantic_core import PydanticUndefined

from rivusio.pipes.base import BasePipe

Type = Any  # what may stand in an annotation
UNKNOWN = PydanticUndefined  # the type of what nobody has said

_POSITIONAL = {
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
}


def parameter_type_of(call: Callable[..., Any]) -> Type:
    """Give the type that a callable says of its first parameter: `str` for `str.upper`."""
    if isinstance(owner := getattr(call, "__objclass__", None), type):
        return owner
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):  # a builtin says nothing
        return UNKNOWN
    first = next((each for each in parameters if each.kind in _POSITIONAL), None)
    if first is None or first.annotation is inspect.Parameter.empty:
        return UNKNOWN
    return _evaluate_in_function(first.annotation, _function_of(call))


def result_type_of(call: Callable[..., Any]) -> Type:
    """Give the type of what a callable gives; once awaited, if it can be."""
    if isinstance(call, type):
        return call
    try:
        said = inspect.signature(call).return_annotation
    except (TypeError, ValueError):
        return UNKNOWN
    if said is inspect.Signature.empty:
        return UNKNOWN
    its = _evaluate_in_function(said, _function_of(call))
    origin = origin_of(its)
    if isinstance(origin, type) and issubclass(origin, Awaitable):
        return typing.get_args(its)[-1]  # Awaitable[int], Coroutine[Any, Any, int]
    return its


def arguments_of(pipe: object) -> tuple[Type, Type]:
    """Give what the class of a pipe says that it takes and gives: `SyncBasePipe[int, str]`."""
    said = getattr(pipe, "__orig_class__", type(pipe))
    found = _find_arguments(said)
    return (UNKNOWN, UNKNOWN) if found is None else (found[0], found[1])


def strip_aliases(its: Type) -> Type:
    """Give a type without what only names it: an alias, a `NewType`, `Annotated`, a variable."""
    while True:
        if hasattr(its, "__supertype__"):  # a NewType
            its = its.__supertype__
        elif hasattr(its, "__metadata__"):  # Annotated
            its = its.__origin__
        elif hasattr(its, "__value__"):  # type Alias = ...
            its = its.__value__
        elif hasattr(origin_of(its), "__value__"):  # Alias[int]
            alias = origin_of(its)
            known = dict(zip(alias.__type_params__, typing.get_args(its), strict=False))
            its = _substitute(alias.__value__, known)
        elif isinstance(its, typing.TypeVar):
            if not its.__constraints__ and its.__bound__ is None:
                return UNKNOWN
            its = union_of(its.__constraints__) if its.__constraints__ else its.__bound__
        else:
            return its


def members_of(its: Type) -> tuple[Type, ...]:
    """Give the types of a union, or the one type that it is, each without what only names it."""
    its = strip_aliases(its)
    if is_union(its):
        return tuple(member for each in typing.get_args(its) for member in members_of(each))
    return (its,)


def origin_of(its: Type) -> Type:
    """Give what a generic type is made of: `list` of `list[int]`; or `None`."""
    origin: Type = typing.get_origin(its)
    return origin


def union_of(types: tuple[Type, ...]) -> Type:
    """Give the union of some types, in the way that takes all of them, names in text too."""
    return typing.Union[types]  # noqa: UP007  how many they are is known when it runs


def is_union(its: Type) -> bool:
    """Tell whether a type is `A | B` or `Optional[A]`."""
    return origin_of(its) in (typing.Union, UnionType)


def is_open(its: Type) -> bool:
    """Tell whether a type has variables in it, which a pipe's class may know more of."""
    return isinstance(its, typing.TypeVar) or bool(getattr(its, "__parameters__", ()))


def is_anything(its: Type) -> bool:
    """Tell whether a type says nothing of an item."""
    return any(each is UNKNOWN or each is Any or each is object for each in members_of(its))


def _function_of(call: Any) -> FunctionType | None:
    """Give the function whose annotations the signature of a callable shows."""
    while not isinstance(call, FunctionType):
        if isinstance(call, functools.partial):
            call = call.func
        elif inspect.ismethod(call):
            call = call.__func__
        elif isinstance(call, type):
            made = [getattr(call, name) for name in ("__init__", "__new__")]
            call = next((each for each in made if isinstance(each, FunctionType)), None)
        elif hasattr(call, "__wrapped__"):
            call = call.__wrapped__
        else:
            call = getattr(type(call), "__call__", None)  # noqa: B004  the function is wanted
            if not isinstance(call, FunctionType):
                return None
    wrapped = getattr(call, "__wrapped__", None)
    return call if wrapped is None else _function_of(wrapped)


def _evaluate_in_function(annotation: Type, function: FunctionType | None) -> Type:
    """Give what an annotation means where a function stands; it may be text."""
    names = function.__globals__ if function is not None else {}
    return _evaluate(annotation, names, getattr(function, "__type_params__", ()))


def _evaluate(annotation: Type, names: Mapping[str, Any], variables: tuple[Any, ...] = ()) -> Type:
    holder = SimpleNamespace(__annotations__={"it": annotation}, __type_params__=variables)
    known = {**names, **{each.__name__: each for each in variables}}
    try:
        return typing.get_type_hints(holder, known, include_extras=True)["it"]
    except Exception:  # noqa: BLE001  whatever comes of evaluating the user's annotations
        return UNKNOWN


def _find_arguments(said: Type) -> tuple[Type, ...] | None:
    """Give the arguments of `BasePipe` that a class or an alias such as `Parse[int]` has."""
    itself = origin_of(said) or said
    if not isinstance(itself, type) or not issubclass(itself, BasePipe):
        return None
    parameters = getattr(itself, "__parameters__", ())
    given = dict(zip(parameters, typing.get_args(said), strict=False))
    if itself is BasePipe:
        return tuple(given.get(each, UNKNOWN) for each in parameters)
    names = vars(sys.modules.get(itself.__module__, typing))
    for base in itself.__dict__.get("__orig_bases__", itself.__bases__):
        origin = origin_of(base) or base
        if not isinstance(origin, type) or not issubclass(origin, BasePipe):
            continue
        of_base = tuple(
            _substitute(_evaluate(each, names), given) for each in typing.get_args(base)
        )
        alias = GenericAlias(origin, of_base) if of_base else origin
        if (found := _find_arguments(alias)) is not None:
            return found
    return None


def _substitute(its: Type, known: Mapping[Any, Type]) -> Type:
    """Give a type with what is known of its variables put in."""
    if isinstance(its, typing.TypeVar):
        return known.get(its, UNKNOWN)
    variables = getattr(its, "__parameters__", ())
    if not variables:
        return its
    put = tuple(known.get(each, UNKNOWN) for each in variables)
    return UNKNOWN if UNKNOWN in put else its[put]

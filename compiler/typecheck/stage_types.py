"""What the type of an operand says of it as a stage: its family, what it takes and what it gives.

A pipe says so by what it inherits from `BasePipe[In, Out]`; a function by its signature, a
coroutine function by what it gives when it is awaited. `take`, `batch`, `drop_none` and their kin
take what comes and say only how the result looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mypy import types
from mypy.maptype import map_instance_to_supertype
from mypy.nodes import TypeInfo
from mypy.subtypes import find_member

from rivusio.compiler.frontend.syntax import Family
from rivusio.compiler.known_names import (
    ASYNC_FAMILY,
    ASYNC_PIPELINE,
    BASE_PIPE,
    LINGERING_LISTS,
    LISTS,
    SAME_ITEMS,
    STREAM_PIPE,
    SYNC_FAMILY,
    SYNC_PIPELINE,
    WITHOUT_NONE,
)
from rivusio.compiler.typecheck.type_predicates import ANY, is_any, known

FAMILIES: dict[str, Family] = {SYNC_FAMILY: "sync", ASYNC_FAMILY: "async"}
# What a call that gives one of these has made, its type does not tell.
CHAINS = {BASE_PIPE, SYNC_PIPELINE, ASYNC_PIPELINE}
OF_LISTS = {LISTS, LINGERING_LISTS}


Gives = Literal["its own", "the same", "lists", "without None"]


@dataclass(frozen=True)
class Pipe:
    """An operand that is a pipe or a chain."""

    family: Family | None
    takes: types.Type
    out: types.Type
    gives: Gives
    info: TypeInfo


@dataclass(frozen=True)
class Function:
    """An operand that is called with each item; `type` is a callable or an overloaded type.

    A filter `keeps` the item, whatever its function gives.
    """

    type: types.ProperType
    keeps: bool = False


@dataclass(frozen=True)
class PipeClass:
    """The class of a pipe, where one of its instances is wanted."""

    name: str


@dataclass(frozen=True)
class NotAPipe:
    """What can stand in no chain."""

    type: types.ProperType


@dataclass(frozen=True)
class Unknown:
    """What mypy knows nothing of, so that anything goes."""


StageType = Pipe | Function | PipeClass | NotAPipe | Unknown


def meaning_of(of: types.Type | None) -> tuple[StageType, ...]:
    """Say what an operand of a type is: one meaning, or one for each member of a union."""
    if of is None:
        return (Unknown(),)
    proper = types.get_proper_type(of)
    if isinstance(proper, types.UnionType):
        return tuple(each for item in proper.items for each in meaning_of(item))
    return (_meaning(proper),)


def _meaning(proper: types.ProperType) -> StageType:
    match proper:
        case types.AnyType() | types.UninhabitedType() | types.PartialType():
            return Unknown()
        case types.TypeVarType():
            return _meaning(types.get_proper_type(proper.upper_bound))
        case types.FunctionLike() if proper.is_type_obj():
            info = proper.type_object()
            return PipeClass(info.name) if info.has_base(BASE_PIPE) else Function(proper)
        case types.FunctionLike():
            return Function(proper)
        case types.TypeType(item=types.Instance(type=info)):
            return PipeClass(info.name) if info.has_base(BASE_PIPE) else Unknown()
        case types.TypeType():
            return Unknown()
        case types.Instance() if proper.type.has_base(BASE_PIPE):
            return _pipe(proper)
        case types.Instance():
            return _called(proper)
        case types.TupleType():
            return _meaning(proper.partial_fallback)
        case types.LiteralType() | types.TypedDictType():
            return _meaning(proper.fallback)
    return NotAPipe(proper)


def _pipe(of: types.Instance) -> Pipe:
    base = next(info for info in of.type.mro if info.fullname == BASE_PIPE)
    takes, out = map_instance_to_supertype(of, base).args
    families = [FAMILIES[info.fullname] for info in of.type.mro if info.fullname in FAMILIES]
    family = families[0] if families else None
    if of.type.fullname == STREAM_PIPE and is_any(takes) and is_any(out):
        return Pipe(family, ANY, ANY, "the same", of.type)  # docs/semantics.md 2.3: the identity
    return Pipe(family, known(takes), known(out), _gives(of), of.type)


def _gives(of: types.Instance) -> Gives:
    bases = {info.fullname for info in of.type.mro}
    if bases & OF_LISTS:
        return "lists"
    if WITHOUT_NONE in bases:
        return "without None"
    return "the same" if SAME_ITEMS in bases else "its own"


def _called(of: types.Instance) -> StageType:
    """Say what an instance is that is no pipe: what has `__call__` is a function."""
    call = find_member("__call__", of, of)
    proper = None if call is None else types.get_proper_type(call)
    if isinstance(proper, types.AnyType) or of.type.fallback_to_any:
        return Unknown()
    return Function(proper) if isinstance(proper, types.FunctionLike) else NotAPipe(of)


def is_definite(of: types.Type | None) -> bool:
    """Tell whether mypy has inferred all of an operand's types, without those beside it."""
    for meaning in meaning_of(of):
        match meaning:
            case Pipe(gives="its own", takes=takes, out=out):
                if is_any(takes) or is_any(out):
                    return False
            case Unknown():
                return False
    return True

"""What the type of an operand says of it as a stage: its family, what it takes and what it gives.

A pipe says so by what it inherits from `BasePipe[In, Out]`; a function by its signature, a
coroutine function by what it gives when it is awaited. `take`, `batch`, `drop_none` and their kin
take what comes and say only how the result looks.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from mypy import types
from mypy.checkexpr import has_any_type
from mypy.erasetype import erase_typevars
from mypy.expandtype import expand_type
from mypy.maptype import map_instance_to_supertype
from mypy.nodes import ArgKind, TypeInfo
from mypy.subtypes import find_member, is_subtype, unify_generic_callable
from mypy.type_visitor import TypeTranslator
from mypy.typeops import make_simplified_union

from rivusio.compiler.frontend.syntax import Family
from rivusio.compiler.known_names import (
    ASYNC_FAMILY,
    ASYNC_PIPELINE,
    BASE_PIPE,
    FILTER,
    LINGERING_LISTS,
    LISTS,
    MAP,
    PIPE,
    SAME_ITEMS,
    STREAM_PIPE,
    SYNC_FAMILY,
    SYNC_PIPELINE,
    WITHOUT_NONE,
)
from rivusio.compiler.typecheck.typed import Awaitable

FAMILIES: dict[str, Family] = {SYNC_FAMILY: "sync", ASYNC_FAMILY: "async"}
# What a call that gives one of these has made, its type does not tell.
CHAINS = {BASE_PIPE, SYNC_PIPELINE, ASYNC_PIPELINE}
OF_LISTS = {LISTS, LINGERING_LISTS}
APPLIED = {MAP, FILTER, PIPE}
NO_COLLECTIONS = {"builtins.str", "builtins.bytes", "builtins.dict"}  # to take apart is no mend
ANYTHING = {"builtins.object", "builtins.function"}
GENERATOR = "typing.Generator"  # `types.coroutine` makes an awaitable one

ANY = types.AnyType(types.TypeOfAny.implementation_artifact)

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
class Stranger:
    """What can stand in no chain."""

    type: types.ProperType


@dataclass(frozen=True)
class Unknown:
    """What mypy knows nothing of, so that anything goes."""


Meaning = Pipe | Function | PipeClass | Stranger | Unknown


@dataclass(frozen=True)
class Call:
    """What a function makes of an item."""

    takes: types.Type
    gives: types.Type
    family: Family


def meaning_of(of: types.Type | None) -> tuple[Meaning, ...]:
    """Say what an operand of a type is: one meaning, or one for each member of a union."""
    if of is None:
        return (Unknown(),)
    proper = types.get_proper_type(of)
    if isinstance(proper, types.UnionType):
        return tuple(each for item in proper.items for each in meaning_of(item))
    return (_meaning(proper),)


def _meaning(proper: types.ProperType) -> Meaning:
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
    return Stranger(proper)


def _pipe(of: types.Instance) -> Pipe:
    base = next(info for info in of.type.mro if info.fullname == BASE_PIPE)
    takes, out = map_instance_to_supertype(of, base).args
    families = [FAMILIES[info.fullname] for info in of.type.mro if info.fullname in FAMILIES]
    family = families[0] if families else None
    if of.type.fullname == STREAM_PIPE and is_any(takes) and is_any(out):
        return Pipe(family, ANY, ANY, "the same", of.type)  # docs/semantics.md 2.3: the identity
    return Pipe(family, known(takes), known(out), _gives(of), of.type)


def is_any(of: types.Type) -> bool:
    """Tell whether a type is `Any`."""
    return isinstance(types.get_proper_type(of), types.AnyType)


def has_any(of: types.Type) -> bool:
    """Tell whether a type holds an `Any` anywhere."""
    return has_any_type(of)


def is_none(of: types.Type) -> bool:
    """Tell whether a type is that of `None`."""
    return isinstance(types.get_proper_type(of), types.NoneType)


def is_never(of: types.Type) -> bool:
    """Tell whether a type has no values; mypy has it, too, where it could infer none."""
    return isinstance(types.get_proper_type(of), types.UninhabitedType)


def _gives(of: types.Instance) -> Gives:
    bases = {info.fullname for info in of.type.mro}
    if bases & OF_LISTS:
        return "lists"
    if WITHOUT_NONE in bases:
        return "without None"
    return "the same" if SAME_ITEMS in bases else "its own"


def _called(of: types.Instance) -> Meaning:
    """Say what an instance is that is no pipe: what has `__call__` is a function."""
    call = find_member("__call__", of, of)
    proper = None if call is None else types.get_proper_type(call)
    if isinstance(proper, types.AnyType) or of.type.fallback_to_any:
        return Unknown()
    return Function(proper) if isinstance(proper, types.FunctionLike) else Stranger(of)


def known(of: types.Type) -> types.Type:
    """Give `Any` for what mypy could not infer, of all that a type holds.

    It is no fault of the user's.
    """
    return of.accept(_Known())


class _Known(TypeTranslator):
    def visit_uninhabited_type(self, t: types.UninhabitedType) -> types.Type:
        return ANY if t.ambiguous else t

    def visit_type_alias_type(self, t: types.TypeAliasType) -> types.Type:
        return t.copy_modified(args=[each.accept(self) for each in t.args])


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
    if name in APPLIED and isinstance(proper, types.FunctionLike):
        return Function(proper, keeps=name == FILTER)
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


def awaited(of: types.Type) -> types.Type | None:
    """Give what a coroutine gives; None for what is no coroutine."""
    proper = types.get_proper_type(of)
    if not isinstance(proper, types.Instance):
        return None
    coroutine = next((i for i in proper.type.mro if i.fullname == "typing.Coroutine"), None)
    if coroutine is None:
        return None
    return map_instance_to_supertype(proper, coroutine).args[2]


def awaitable_of(of: types.Type) -> types.Type | None:
    """Give what awaiting a value gives; None where it cannot be awaited."""
    proper = types.get_proper_type(of)
    if not isinstance(proper, types.Instance):
        return None
    base = next((info for info in proper.type.mro if info.fullname == "typing.Awaitable"), None)
    return None if base is None else map_instance_to_supertype(proper, base).args[0]


def awaiting(of: types.Type) -> Awaitable:
    """Tell whether a value of a type can be awaited, as far as its declared type goes.

    What says only how a value looks (a protocol, a callable) may well be met by an awaitable.
    """
    proper = types.get_proper_type(of)
    match proper:
        case types.UnionType(items=items):
            return "never" if all(awaiting(each) == "never" for each in items) else "maybe"
        case types.UninhabitedType(ambiguous=True):
            return "maybe"  # what mypy could not infer
        case types.NoneType() | types.UninhabitedType() | types.TypedDictType():
            return "never"
        case types.TupleType(partial_fallback=fallback) | types.LiteralType(fallback=fallback):
            return awaiting(fallback)
        case types.Instance(type=info):
            return "never" if _never_awaited(info) else "maybe"
    return "maybe"


def _never_awaited(info: TypeInfo) -> bool:
    is_open = info.is_protocol or info.fallback_to_any or info.fullname in ANYTHING
    return not is_open and not any(
        "__await__" in base.names or base.fullname == GENERATOR for base in info.mro
    )


def element_of(of: types.Type) -> types.Type | None:
    """Give what a collection holds; None for what is none, is text, or may hold anything."""
    proper = types.get_proper_type(of)
    if not isinstance(proper, types.Instance) or proper.type.fullname in NO_COLLECTIONS:
        return None
    base = next((info for info in proper.type.mro if info.fullname == "typing.Iterable"), None)
    if base is None:
        return None
    element = map_instance_to_supertype(proper, base).args[0]
    return None if is_any(element) else element


def without_none(of: types.Type) -> types.Type:
    """Give the type without `None`."""
    proper = types.get_proper_type(of)
    if not isinstance(proper, types.UnionType):
        return of
    left = [
        item for item in proper.items if not isinstance(types.get_proper_type(item), types.NoneType)
    ]
    return make_simplified_union(left)

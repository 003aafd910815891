"""What can be told of one type: whether it is `Any` or can be awaited, and what it holds."""

from __future__ import annotations

from mypy import types
from mypy.checkexpr import has_any_type
from mypy.maptype import map_instance_to_supertype
from mypy.nodes import TypeInfo
from mypy.type_visitor import TypeTranslator
from mypy.typeops import make_simplified_union

from rivusio.compiler.typecheck.typed import Awaitable

NO_COLLECTIONS = {"builtins.str", "builtins.bytes", "builtins.dict"}  # to take apart is no fix
ANYTHING = {"builtins.object", "builtins.function"}
GENERATOR = "typing.Generator"  # `types.coroutine` makes an awaitable one
ANY = types.AnyType(types.TypeOfAny.implementation_artifact)


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

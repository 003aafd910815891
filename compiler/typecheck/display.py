"""mypy's types as people write them.

mypy's own `str()` is for mypy's developers, and changes; this is for messages and comments. Names
stand without their modules, unless two types that are shown together would look the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from mypy import types
from mypy.nodes import ArgKind, TypeInfo

DEPTH = 8  # a type that holds itself is cut off here


def texts(*shown: types.Type) -> tuple[str, ...]:
    """Write types that are shown together: different ones look different.

    >>> from mypy.types import AnyType, TypeOfAny
    >>> texts(AnyType(TypeOfAny.explicit))
    ('Any',)
    """
    short = tuple(text(each) for each in shown)
    if len(set(short)) == len(set(shown)):
        return short
    return tuple(text(each, qualified=True) for each in shown)


def text(shown: types.Type, *, qualified: bool = False) -> str:
    """Write one type; `qualified` keeps the modules of classes that are not built in."""
    return _Writer(qualified).text(shown, DEPTH)


class _Writer:
    def __init__(self, qualified: bool) -> None:
        self._qualified = qualified

    def text(self, shown: types.Type, depth: int) -> str:
        if depth == 0:
            return "..."

        def inner(each: types.Type) -> str:
            return self.text(each, depth - 1)

        match shown:
            case types.TypeAliasType(alias=alias) if alias is not None:
                if shown.is_recursive:
                    return _subscripted(self._name(alias.fullname), shown.args, inner)
                return inner(types.get_proper_type(shown))  # what it is says more than its name
            case types.Instance():
                return _instance(self._name(shown.type.fullname), shown, inner)
            case types.NoneType():
                return "None"
            case types.UninhabitedType():
                return "Never"
            case types.UnionType():
                return self._union(shown, inner)
            case types.TypedDictType():
                return self._typed_dict(shown, inner)
            case types.TupleType():
                return self._tuple(shown, inner)
            case types.LiteralType():
                return f"Literal[{self._literal(shown)}]"
            case types.FunctionLike():
                return self._function(shown, inner)
            case types.TypeType():
                return f"type[{inner(shown.item)}]"
            case types.TypeVarLikeType():
                return shown.name
            case types.UnpackType():
                return f"*{inner(shown.type)}"
        return "Any"  # what mypy could not make out, or meets only while it works

    def _name(self, full: str) -> str:
        local = re.sub(r"@\d+", "", full)  # a class of a function
        short = local.rpartition(".")[2]
        return local if self._qualified and not local.startswith("builtins.") else short

    def _class(self, info: TypeInfo) -> str:
        return self._name(info.fullname)

    def _union(self, shown: types.UnionType, inner: Callable[[types.Type], str]) -> str:
        """Write the literals of a union as one."""
        items = [types.get_proper_type(each) for each in shown.items]
        literals = [self._literal(each) for each in items if isinstance(each, types.LiteralType)]
        others = [
            inner(each)
            for each, proper in zip(shown.items, items, strict=True)
            if not isinstance(proper, types.LiteralType)
        ]
        together = [f"Literal[{', '.join(literals)}]"] if literals else []
        return " | ".join(dict.fromkeys([*together, *others]))

    def _typed_dict(self, shown: types.TypedDictType, inner: Callable[[types.Type], str]) -> str:
        info = shown.fallback.type
        if not info.fullname.startswith(("typing.", "typing_extensions.")):
            return _subscripted(self._class(info), shown.fallback.args, inner)
        fields = ", ".join(f"{name!r}: {inner(each)}" for name, each in shown.items.items())
        return f"TypedDict({{{fields}}})"

    def _tuple(self, shown: types.TupleType, inner: Callable[[types.Type], str]) -> str:
        info = shown.partial_fallback.type
        if info.fullname != "builtins.tuple":
            return _subscripted(self._class(info), shown.partial_fallback.args, inner)
        return f"tuple[{', '.join(map(inner, shown.items)) or '()'}]"

    def _literal(self, shown: types.LiteralType) -> str:
        if shown.is_enum_literal():
            return f"{self._class(shown.fallback.type)}.{shown.value}"
        prefix = "b" if shown.fallback.type.fullname == "builtins.bytes" else ""
        return f"{prefix}{shown.value!r}"

    def _function(self, shown: types.FunctionLike, inner: Callable[[types.Type], str]) -> str:
        if shown.is_type_obj():
            return f"type[{self._class(shown.type_object())}]"
        if not isinstance(shown, types.CallableType):
            return "overloaded function"
        plain = all(kind is ArgKind.ARG_POS for kind in shown.arg_kinds)
        takes = f"[{', '.join(map(inner, shown.arg_types))}]" if plain else "..."
        return f"Callable[{takes}, {inner(shown.ret_type)}]"


def _instance(name: str, shown: types.Instance, inner: Callable[[types.Type], str]) -> str:
    if shown.type.fullname == "builtins.tuple" and len(shown.args) == 1:
        return f"{name}[{inner(shown.args[0])}, ...]"
    return _subscripted(name, shown.args, inner)


def _subscripted(
    name: str, arguments: Sequence[types.Type], inner: Callable[[types.Type], str]
) -> str:
    return f"{name}[{', '.join(map(inner, arguments))}]" if arguments else name

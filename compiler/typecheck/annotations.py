"""mypy's types as source text that a type checker accepts in another module.

    dict[str, Delays]     of examples.flights   ->  dict[str, m_examples_flights.Delays]
    Callable[[Row], int]  of a function's Row   ->  m_collections_abc.Callable[[m_typing.Any], int]

`type_text` writes types for people. Here every name leads to its class: builtins stand bare, all
others behind the alias of the module that defines them, to be imported where types are checked:
mypy finds modules there that no program can import, such as `_typeshed`. What has no name that
another module can write becomes `Any`, with the reason.
"""

from __future__ import annotations

import collections.abc
from collections.abc import Sequence

from mypy import types
from mypy.nodes import ArgKind, TypeInfo

from rivusio.compiler.typecheck.aliases import alias_of
from rivusio.compiler.typecheck.typed import Annotation

__all__ = ["Annotation", "alias_of", "annotation"]

DEPTH = 30  # a type that is nested deeper is one that never ends
TYPING = {"typing", "typing_extensions"}
# mypy says where typeshed defines them; people write them as the standard library documents it.
ABC_NAMES = {name: name for name in collections.abc.__all__ if name != "ByteString"} | {
    "AbstractSet": "Set"
}
LITERALS = {f"builtins.{name}" for name in ("int", "str", "bytes", "bool")}


def annotation(of: types.Type) -> Annotation:
    """Write one type for another module.

    >>> annotation(types.NoneType())
    Annotation(text='None', modules=(), any_reason=None)

    Args:
        of: the type, as mypy has it.
    """
    writer = _Writer()
    text = writer.text(of)
    return Annotation(text, tuple(sorted(writer.modules)), writer.reason)


# Large: one method for each kind of type that mypy knows.
class _Writer:
    """Writes one type, and notes the modules that it needs, and the first reason for an `Any`."""

    def __init__(self) -> None:
        self.modules: set[str] = set()
        self.reason: str | None = None
        self._depth = 0

    def text(self, of: types.Type) -> str:
        """Write a type, which may be a part of another."""
        if self._depth >= DEPTH:
            return self._any("the type is nested too deep")
        self._depth += 1
        written = self._text(of)
        self._depth -= 1
        return written

    def _text(self, of: types.Type) -> str:
        match of:
            case types.TypeAliasType():
                return self._alias(of)
            case types.AnyType():
                return self._any(_why_any(of))
            case types.NoneType():
                return "None"
            case types.UninhabitedType():
                return self._named("typing", "Never")
            case types.Instance():
                return self._instance(of)
            case types.UnionType():
                return self._union(of)
            case types.TupleType():
                return self._tuple(of)
            case types.TypedDictType():
                return self._typed_dict(of)
            case types.LiteralType():
                return self._literals([of])
            case types.CallableType() if of.is_type_obj():
                return f"type[{self.text(_made_by(of))}]"
            case types.CallableType():
                return self._function(of)
            case types.Overloaded() if of.is_type_obj():
                return self.text(of.items[0])
            case types.Overloaded():
                self._because("an overloaded function has no type that can be written")
                return f"{self._named('collections.abc', 'Callable')}[..., {self._any()}]"
            case types.TypeType():
                return f"type[{self.text(of.item)}]"
            case types.TypeVarType():
                return self._variable(of)
            case types.ParamSpecType() | types.TypeVarTupleType():
                return self._any(_unknown(of))
        return self._any("mypy could not make out the type")

    # Names, and what cannot be named

    def _named(self, module: str, name: str) -> str:
        self.modules.add(module)
        return f"{alias_of(module)}.{name}"

    def _any(self, reason: str | None = None) -> str:
        self._because(reason)
        return self._named("typing", "Any")

    def _because(self, reason: str | None) -> None:
        self.reason = self.reason or reason

    def _class(self, info: TypeInfo) -> str | None:
        """Name a class; None, with the reason noted, if no other module can."""
        module = info.module_name
        name = info.fullname.removeprefix(f"{module}.")
        if "@" in name:
            self._because(f'class "{info.name.partition("@")[0]}" is local to a function')
            return None
        if not _is_path(name):  # such as what `isinstance` makes of a value of another class
            self._because("only mypy knows such a class: it has no name")
            return None
        if module == "typing" and name in ABC_NAMES:
            return self._named("collections.abc", ABC_NAMES[name])
        if module == "builtins" and not name.startswith("_"):
            return name
        return self._named(module, name)

    def _of_class(self, info: TypeInfo, arguments: Sequence[types.Type]) -> str:
        name = self._class(info)
        if name is None:
            return self._any()
        written = ", ".join(map(self._argument, arguments))
        if info.has_type_var_tuple_type and not arguments:
            written = "()"
        return f"{name}[{written}]" if written else name

    def _argument(self, of: types.Type) -> str:
        """Write what stands between brackets: there are more kinds of that than types."""
        match of:
            case types.UnpackType():
                return self._unpacked(of.type)
            case types.Parameters():
                return self._parameters(of)
            case types.ParamSpecType():
                self._because(_unknown(of))
                return "..."
        return self.text(of)

    def _unpacked(self, of: types.Type) -> str:
        inner = types.get_proper_type(of)
        if isinstance(inner, types.TypeVarTupleType):
            return f"*tuple[{self.text(inner)}, ...]"
        return f"*{self.text(inner)}"

    # Kinds of types

    def _alias(self, of: types.TypeAliasType) -> str:
        """Write what an alias stands for, unless that holds the alias again."""
        alias = of.alias
        if alias is None:
            return self._any("mypy could not make out the type")
        whole = types.get_proper_type(of)
        if not of.is_recursive or _is_class(whole):
            return self.text(whole)
        module = getattr(alias, "module", None)
        name = alias.fullname.removeprefix(f"{module}.")
        if module is None or not _is_path(name):
            return self._any(f'type alias "{alias.name}" holds itself, and has no name elsewhere')
        arguments = ", ".join(map(self._argument, of.args))
        return self._named(module, f"{name}[{arguments}]" if arguments else name)

    def _instance(self, of: types.Instance) -> str:
        if of.type.fullname == "builtins.tuple" and len(of.args) == 1:
            return f"tuple[{self.text(of.args[0])}, ...]"
        return self._of_class(of.type, of.args)

    def _union(self, of: types.UnionType) -> str:
        """Write the literals of a union as one."""
        proper = [(each, types.get_proper_type(each)) for each in of.items]
        literals = [each for _, each in proper if isinstance(each, types.LiteralType)]
        others = [self.text(each) for each, it in proper if not isinstance(it, types.LiteralType)]
        together = [self._literals(literals)] if literals else []
        return " | ".join(dict.fromkeys([*together, *others]))

    def _tuple(self, of: types.TupleType) -> str:
        fallback = of.partial_fallback
        if fallback.type.fullname != "builtins.tuple":
            return self._of_class(fallback.type, fallback.args)
        return f"tuple[{', '.join(map(self._argument, of.items)) or '()'}]"

    def _typed_dict(self, of: types.TypedDictType) -> str:
        """Name a TypedDict by its class; one without is no `dict` to mypy, so `Any` it must be."""
        info = of.fallback.type
        if info.module_name in {*TYPING, "mypy_extensions"}:
            return self._any("a TypedDict without a name cannot be written")
        return self._of_class(info, of.fallback.args)

    def _literals(self, of: Sequence[types.LiteralType]) -> str:
        values = [self._literal(each) for each in of]
        known = [value for value in values if value is not None]
        if len(known) < len(values):
            return self._any("mypy has a literal that cannot be written")
        return f"{self._named('typing', 'Literal')}[{', '.join(known)}]"

    def _literal(self, of: types.LiteralType) -> str | None:
        info = of.fallback.type
        if of.is_enum_literal():
            name = self._class(info)
            return None if name is None else f"{name}.{of.value}"
        if info.fullname not in LITERALS:
            return None
        if info.fullname == "builtins.bytes":
            text = str(of.value)  # as `repr` has it, between its quotes
            return f'b"{text}"' if "'" in text and '"' not in text else f"b'{text}'"
        return repr(of.value)

    def _function(self, of: types.CallableType) -> str:
        gives = self._guard(of) or self.text(of.ret_type)
        return f"{self._named('collections.abc', 'Callable')}[{self._parameters(of)}, {gives}]"

    def _guard(self, of: types.CallableType) -> str | None:
        """Write what a function gives that tells of its argument what it is."""
        if of.type_guard is not None:
            return f"{self._named('typing', 'TypeGuard')}[{self.text(of.type_guard)}]"
        narrowed = getattr(of, "type_is", None)
        if narrowed is not None:
            return f"{self._named('typing_extensions', 'TypeIs')}[{self.text(narrowed)}]"
        return None

    def _parameters(self, of: types.CallableType | types.Parameters) -> str:
        """Write parameters, or `...` where they are more than a row of positions."""
        for each in of.arg_types:
            if isinstance(each, types.ParamSpecType):
                self._because(_unknown(each))
        if all(kind is ArgKind.ARG_POS for kind in of.arg_kinds):
            return f"[{', '.join(map(self.text, of.arg_types))}]"
        return "..."

    def _variable(self, of: types.TypeVarType) -> str:
        """Write what limits a type variable; one of several types is none that can be written."""
        bound = types.get_proper_type(of.upper_bound)
        is_object = isinstance(bound, types.Instance) and bound.type.fullname == "builtins.object"
        if is_object:
            return self._any(_unknown(of))
        return self.text(bound)


def _is_class(of: types.ProperType) -> bool:
    """Tell whether what an alias stands for is a class: it may hold itself by its own name."""
    match of:
        case types.TypedDictType():
            return True
        case types.TupleType(partial_fallback=fallback):
            return fallback.type.fullname != "builtins.tuple"
    return False


def _is_path(name: str) -> bool:
    """Tell whether a name can be written behind a module."""
    return all(part.isidentifier() for part in name.split("."))


def _unknown(of: types.TypeVarLikeType) -> str:
    return f'type variable "{of.name}" is not known here'


def _made_by(of: types.CallableType) -> types.Type:
    """Give what a class makes when it is called, if that is its own kind."""
    made = types.get_proper_type(of.ret_type)
    info = of.type_object()
    if isinstance(made, types.TupleType | types.TypedDictType):
        return made
    if isinstance(made, types.Instance) and made.type is info:
        return made
    return types.Instance(info, [types.AnyType(types.TypeOfAny.special_form)] * len(info.type_vars))


def _why_any(of: types.AnyType) -> str | None:
    """Say why mypy has `Any` for a type that the user wrote."""
    if of.type_of_any is types.TypeOfAny.from_unimported_type:
        return f'mypy knows no types for "{of.missing_import_name or "an import"}"'
    return None

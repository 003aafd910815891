"""What hypothesis is to make values of: types that it does not know, or that only mypy has told."""

from __future__ import annotations

import ast
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Any

from rivusio.cli.annotations import UNKNOWN

ALIAS = re.compile(r"\bm0?_\w+")  # what an artifact calls a module


def type_of_text(text: str) -> Any:
    """Give the type that an artifact says of the items of its chain, or `UNKNOWN`.

    Of a union, what exists only for type checkers is left out.
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return UNKNOWN
    aliases = import_module("rivusio.compiler.typecheck.aliases")
    known = {aliases.alias_of(name): module for name, module in list(sys.modules.items())}
    names = {**vars(typing), **{each: known.get(each) for each in ALIAS.findall(text)}}
    found = []
    for member in _members(tree):
        with suppress(Exception):  # whatever its modules do when they are asked for a name
            found.append(eval(ast.unparse(member), names))  # noqa: S307  our own compiler wrote it
    if not found or any(each is Any or isinstance(each, typing.TypeVar) for each in found):
        return UNKNOWN
    return reduce(or_, found)


def _members(tree: ast.expr) -> Iterator[ast.expr]:
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        yield from _members(tree.left)
        yield from _members(tree.right)
    else:
        yield tree


def teach_hypothesis(its: Any) -> None:
    """Teach hypothesis the classes in a type of which it needs to be told how they are made.

    It would give an argument with a default any value of its type, and fails where it knows none,
    as for a lock. Such a class is made with what has no default. What is registered by the user
    stays as it is.
    """
    with suppress(ImportError):
        from hypothesis import strategies  # only those who ask for values need it

        for cls in _classes_in(its, set()):
            try:
                strategies.from_type(cls).validate()
            except Exception:  # noqa: BLE001  it says in many ways that it cannot
                with suppress(Exception):
                    if _can_be_built(cls):
                        strategies.register_type_strategy(cls, strategies.builds(cls))


def _can_be_built(cls: type) -> bool:
    """Tell whether a class can be called, and has the type of each argument without a default."""
    if inspect.isabstract(cls) or getattr(cls, "_is_protocol", False):
        return False
    needed = [
        each.name
        for each in inspect.signature(cls).parameters.values()
        if each.default is each.empty and each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]
    return set(needed) <= _hints_of(cls).keys()


def _hints_of(cls: type) -> dict[str, Any]:
    """Give the types of a class's attributes, and of the arguments that make an instance."""
    hints: dict[str, Any] = {}
    with suppress(Exception):  # whatever comes of evaluating the user's annotations
        hints |= typing.get_type_hints(cls)
        hints |= typing.get_type_hints(vars(cls).get("__init__", cls))
    return hints


def _classes_in(its: Any, seen: set[int]) -> Iterator[type]:
    """Give the classes that a type is made of, those that others need first."""
    if id(its) in seen:
        return
    seen.add(id(its))
    for each in typing.get_args(its):
        yield from _classes_in(each, seen)
    if isinstance(its, type) and its.__module__ != "builtins":
        for each in _hints_of(its).values():
            yield from _classes_in(each, seen)
        yield its

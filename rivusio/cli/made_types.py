"""What hypothesis is to make values of: types that it does not know, or that only mypy has told."""

from __future__ import annotations

import ast
import re
import sys
import typing
from collections.abc import Iterator
from contextlib import suppress
from functools import reduce
from importlib import import_module
from operator import or_
from typing import Any

from rivusio.cli.first_type import UNKNOWN

ALIAS = re.compile(r"\bm0?_\w+")  # what an artifact calls a module


def type_of_text(text: str) -> Any:
    """Give the type that an artifact says of the items of its chain, or `UNKNOWN`.

    Of a union, what exists only for type checkers is left out.
    """
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError:
        return UNKNOWN
    aliases = import_module("rivusio.compiler.aliases")
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


def let_be_made(its: Any) -> None:
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
                    built = strategies.builds(cls)
                    built.validate()
                    strategies.register_type_strategy(cls, built)


def _classes_in(its: Any, seen: set[int]) -> Iterator[type]:
    """Give the classes that a type is made of, those that others need first."""
    if id(its) in seen:
        return
    seen.add(id(its))
    for each in typing.get_args(its):
        yield from _classes_in(each, seen)
    if isinstance(its, type) and its.__module__ != "builtins":
        hints: dict[str, Any] = {}
        with suppress(Exception):  # whatever comes of evaluating the user's annotations
            hints = typing.get_type_hints(its)
            hints |= typing.get_type_hints(vars(its).get("__init__", its))
        for each in hints.values():
            yield from _classes_in(each, seen)
        yield its

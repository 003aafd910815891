"""Finds the source of the functions that stages call."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from types import CodeType

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda

FOREIGN = "it is not the project's own code"
NOT_FOUND = "its source cannot be told from others"
INSTALLED = {"site-packages", "dist-packages"}


@dataclass(frozen=True, slots=True)
class FunctionRef:
    """Where a function is written.

    Attributes:
        module: the full name of its module.
        file: the file, as the compiler was given it or as Python names it.
        qualname: its qualified name, as Python has it: `"Clean.process"`, `"<lambda>"`.
        line: the first line, that of its first decorator if it has one.
        column: where on that line it starts, in bytes; None if that is not known.
    """

    module: str
    file: str
    qualname: str
    line: int
    column: int | None = None


def needed_around(code: CodeType) -> str | None:
    """Say what a function takes from around it, and would not have in a loop; None if nothing."""
    if code.co_freevars == ("__class__",):
        return "it uses super() or __class__"
    return "it uses names of the function around it" if code.co_freevars else None


@dataclass(frozen=True, slots=True)
class Definition:
    """A function's syntax tree, its qualified name and the class whose method it is."""

    node: Function
    qualname: str
    class_name: str | None


def definition(functions: Iterable[Definition], ref: FunctionRef) -> Definition | None:
    """Find a function among those of its file; None if it is not there, or not the only one."""
    found = [each for each in functions if _is(each, ref)]
    return found[0] if len(found) == 1 else None


def definitions(tree: ast.AST) -> Iterator[Definition]:
    """Give every function in a tree, in their order."""
    waiting: list[tuple[ast.AST, str, str | None]] = [(tree, "", None)]
    while waiting:  # no recursion: an expression may be deeper than that can go
        node, prefix, cls = waiting.pop()
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield Definition(node, f"{prefix}{name}", cls)
                prefix, cls = f"{prefix}{name}.<locals>.", None
            case ast.Lambda():
                yield Definition(node, f"{prefix}<lambda>", None)
                prefix, cls = f"{prefix}<lambda>.<locals>.", None
            case ast.ClassDef(name=name):
                prefix, cls = f"{prefix}{name}.", name
        children = list(ast.iter_child_nodes(node))
        waiting.extend((child, prefix, cls) for child in reversed(children))


def first_line(node: Function) -> int:
    """Give the first line of a function: that of its first decorator if it has one."""
    decorators = [] if isinstance(node, ast.Lambda) else node.decorator_list
    return decorators[0].lineno if decorators else node.lineno


def is_overload(node: Function) -> bool:
    """Tell whether a function only says one of the types of another."""
    return not isinstance(node, ast.Lambda) and any(
        ast.unparse(each).rpartition(".")[2] == "overload" for each in node.decorator_list
    )


def _is(found: Definition, ref: FunctionRef) -> bool:
    return (
        found.qualname == ref.qualname
        and first_line(found.node) == ref.line
        and ref.column in (None, found.node.col_offset)
    )


def may_be_own(file: str) -> bool:
    """Tell whether a file may be the project's own: a Python file that is not installed."""
    path = PurePath(file)
    return path.suffix == ".py" and not INSTALLED & set(path.parts)

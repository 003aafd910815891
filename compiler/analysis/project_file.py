"""One file of the project, and the functions that are written in it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import CodeType

from mypy import nodes

from rivusio.compiler.frontend.functions import (
    Definition,
    Function,
    definitions,
    is_overload,
)
from rivusio.compiler.frontend.source import Source

IGNORE = re.compile(r"#\s*type:\s*ignore")


@dataclass
class ProjectFile:
    """One of the project's own files."""

    source: Source
    is_asked: bool
    functions: dict[int, list[Definition]] = field(init=False)  # by the line they begin in
    codes: dict[tuple[str, int], list[CodeType]] = field(init=False)
    overloaded: set[str] = field(init=False)  # by their qualified names

    def __post_init__(self) -> None:
        self.functions = {}
        self.overloaded = set()
        for each in definitions(self.source.tree):
            self.functions.setdefault(each.node.lineno, []).append(each)
            if is_overload(each.node):
                self.overloaded.add(each.qualname)
        self.codes = {}
        for code in _codes(self.source):
            self.codes.setdefault((code.co_qualname, code.co_firstlineno), []).append(code)


def _codes(source: Source) -> Iterator[CodeType]:
    waiting = [compile(source.tree, source.path, "exec", dont_inherit=True)]
    while waiting:
        code = waiting.pop()
        yield code
        waiting.extend(each for each in code.co_consts if isinstance(each, CodeType))


def find_function(
    file: ProjectFile, node: nodes.FuncDef | nodes.LambdaExpr, module: str
) -> Definition | None:
    """Find a function by its place where mypy has read the file now, and else by its name."""
    here = file.functions.get(node.line, [])
    match node:
        case nodes.LambdaExpr():
            found = [each for each in here if _is_lambda_at(each.node, node)]
        case _ if file.is_asked and node.line > 0:
            found = [each for each in here if _is_named(each.node, node.name)]
        case _:
            name = node.fullname.removeprefix(f"{module}.")
            found = [
                each
                for there in file.functions.values()
                for each in there
                if each.qualname == name and not is_overload(each.node)
            ]
    return found[0] if len(found) == 1 else None


def _is_named(found: Function, name: str) -> bool:
    return not isinstance(found, ast.Lambda) and found.name == name


def _is_lambda_at(found: Function, node: nodes.LambdaExpr) -> bool:
    return isinstance(found, ast.Lambda) and (
        (found.lineno, found.col_offset) == (node.line, node.column)
    )


def is_annotated(found: Definition) -> bool:
    """Tell whether a function says the types of all its parameters and of its result."""
    node = found.node
    if isinstance(node, ast.Lambda):
        return True  # mypy infers its types from where it stands
    given = node.args
    named = [*given.posonlyargs, *given.args]
    if found.class_name is not None:
        named = named[1:]
    others = [each for each in (*given.kwonlyargs, given.vararg, given.kwarg) if each is not None]
    return node.returns is not None and all(each.annotation for each in (*named, *others))


def sets_on_first(node: Function, name: str) -> bool:
    """Tell whether a method assigns an attribute to its first parameter, in whichever words."""
    if isinstance(node, ast.Lambda) or not node.args.args:
        return False
    own = node.args.args[0].arg
    for each in ast.walk(node):
        match each:
            case ast.Attribute(value=ast.Name(id=owner), attr=its, ctx=ast.Store() | ast.Del()):
                found = owner, its
            case ast.Call(args=[ast.Name(id=owner), ast.Constant(value=str(its)), *_]) if (
                ast.unparse(each.func).endswith(("setattr", "__setattr__"))
            ):
                found = owner, its
            case ast.Subscript(
                value=ast.Attribute(value=ast.Name(id=owner), attr="__dict__"),
                slice=ast.Constant(value=str(its)),
                ctx=ast.Store(),
            ):
                found = owner, its
            case _:
                continue
        if found == (own, name):
            return True
    return False


def is_ignored(source: Source, node: Function) -> bool:
    """Tell whether a `type: ignore` stands in a function."""
    lines = source.text.split("\n")[node.lineno - 1 : node.end_lineno]
    return any(IGNORE.search(line) for line in lines)

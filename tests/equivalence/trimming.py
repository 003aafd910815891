"""Leaves out of a file what nothing in it needs, so that a person can read what is left."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator


def trimmed(text: str, wanted: set[str]) -> str:
    """Give the text of a module without the imports and definitions that `wanted` do not need.

    >>> print(trimmed("import a, b\\nx = 1\\ny = a.of(x)\\nz = 2\\n", {"y"}))
    import a
    x = 1
    y = a.of(x)
    """
    tree = ast.parse(text)
    needed = set(wanted)
    before = -1
    while len(needed) > before:
        before = len(needed)
        for statement in tree.body:
            if needed & set(_names(statement)) and not _is_import(statement):
                used = (each.id for each in ast.walk(statement) if isinstance(each, ast.Name))
                needed.update(used)
    kept: list[ast.stmt] = []
    for statement in tree.body:
        if isinstance(statement, (ast.Import, ast.ImportFrom)):
            statement.names = [each for each in statement.names if _is_needed(each, needed)]
            if statement.names:
                kept.append(statement)
        elif needed & set(_names(statement)):
            kept.append(statement)
    return "\n".join(
        "\n" * (2 * (_stands_alone(before) or _stands_alone(each))) + _text(text, each)
        for before, each in itertools.pairwise([None, *kept])
    ).strip("\n")


def name_at(text: str, line: int) -> str:
    """Give the name that the statement at a line of a module defines."""
    for statement in ast.parse(text).body:
        if statement.lineno <= line <= (statement.end_lineno or 0):
            return next(_names(statement), "")
    return ""


def _stands_alone(statement: ast.stmt | None) -> bool:
    return isinstance(statement, _DEFINITIONS)


def _text(text: str, statement: ast.stmt | None) -> str:
    assert statement is not None
    if _is_import(statement):
        return ast.unparse(statement)
    first = min([statement.lineno, *(each.lineno for each in _decorators(statement))])
    return "\n".join(text.split("\n")[first - 1 : statement.end_lineno])


_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def _decorators(statement: ast.stmt) -> list[ast.expr]:
    return statement.decorator_list if isinstance(statement, _DEFINITIONS) else []


def _is_import(statement: ast.stmt) -> bool:
    return isinstance(statement, (ast.Import, ast.ImportFrom))


def _is_needed(alias: ast.alias, needed: set[str]) -> bool:
    return alias.name == "annotations" or (alias.asname or alias.name).split(".")[0] in needed


def _names(statement: ast.stmt) -> Iterator[str]:
    """Give the names that a statement of a module defines."""
    if isinstance(statement, _DEFINITIONS):
        yield statement.name
    elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
        for each in ast.walk(statement):
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                yield each.id

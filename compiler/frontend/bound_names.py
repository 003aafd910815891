"""Which names a piece of a program binds: what the finder may not see through."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef
Scope = Definition | ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


def bound(nodes: Iterable[ast.AST]) -> Counter[str]:
    """Count how often each name is bound in the nodes, scopes within them included."""
    return Counter(name for node in nodes for each in ast.walk(node) for name in _binds(each))


def bound_here(nodes: Iterable[ast.AST]) -> Counter[str]:
    """Count how often each name is bound in the nodes, bodies of functions and classes left out.

    A name that a function declares `global` or `nonlocal` counts twice: it may change any time.
    """
    return Counter(name for node in nodes for name in _binds_here(node))


def _binds_here(node: ast.AST) -> Iterator[str]:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        yield from _binds(each)
        if isinstance(each, Definition):
            yield from _changed_from_within(each)
        else:
            waiting.extend(ast.iter_child_nodes(each))


def _changed_from_within(definition: Definition) -> Iterator[str]:
    for each in ast.walk(definition):
        if isinstance(each, ast.Global | ast.Nonlocal):
            yield from each.names * 2


def _binds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.arg(arg=name):
            yield name
        case ast.alias(name=name, asname=alias):
            yield alias or name.partition(".")[0]
        case ast.ExceptHandler(name=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name
        case ast.MatchMapping(rest=str(name)):
            yield name

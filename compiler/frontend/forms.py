"""The forms in which a chain is written, and what a stage is called by its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from rivusio.compiler.frontend.syntax import Family, Span

PIPELINES: dict[str, Family | None] = {"SyncPipeline": "sync", "AsyncPipeline": None}
SAME_STAGES = {"with_config", "set_monitor", "concurrent"}  # methods that give the same stages
LONGEST_NAME = 30  # of a stage that is called by its text
MAKERS = {"map", "pipe"}  # functions whose stage has the name of the function they are given


def sides_of(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """Give both sides of `left >> right` and of `left.then(right)`."""
    match node:
        case ast.BinOp(left=left, op=ast.RShift(), right=right):
            return left, right
        case ast.Call(func=ast.Attribute(value=left, attr="then"), args=[right], keywords=[]) if (
            not isinstance(right, ast.Starred)
        ):
            return left, right
    return None


def elements_of(node: ast.expr) -> list[ast.expr] | None:
    """Give the pipes of `SyncPipeline([...])`, if they are all written there."""
    match node:
        case ast.Call(func=function, args=[given, *_]) if last_name(function) in PIPELINES:
            pass
        case ast.Call(func=function, keywords=[ast.keyword(arg="pipes", value=given), *_]) if (
            last_name(function) in PIPELINES
        ):
            pass
        case _:
            return None
    match given:
        case ast.List(elts=[_, *_] as pipes) | ast.Tuple(elts=[_, *_] as pipes):
            return None if any(isinstance(each, ast.Starred) for each in pipes) else pipes
    return None


def is_written_chain(node: ast.expr) -> bool:
    """Tell whether an expression has one of these forms."""
    return sides_of(node) is not None or elements_of(node) is not None


def is_chain_with_settings(node: ast.expr) -> bool:
    """Tell whether a chain of several is written there with settings behind it."""
    start = node
    while (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in SAME_STAGES
    ):
        node = node.func.value
    elements = elements_of(node)
    is_chain = sides_of(node) is not None or (elements is not None and len(elements) > 1)
    return node is not start and is_chain


def inside_stages(chain: ast.expr) -> Iterator[ast.AST]:
    """Give what stands in the operands of a chain: it may hold other chains."""
    waiting: list[ast.expr] = [chain]
    while waiting:
        node = waiting.pop()
        sides = sides_of(node) or elements_of(node)
        if sides is not None:
            waiting.extend(sides)
        elif isinstance(node, ast.NamedExpr) and is_written_chain(node.value):
            waiting.append(node.value)
        elif (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in SAME_STAGES
        ):
            waiting.append(node.func.value)
            yield from (*node.args, *node.keywords)
        else:
            yield from ast.iter_child_nodes(node)


def stage_name(node: ast.expr) -> str:
    """Say what a stage will be called, as far as its text tells."""
    match node:
        case ast.Call(func=function, args=[made_of, *_]) if last_name(function) in MAKERS:
            return _given_name(node) or stage_name(made_of)
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in SAME_STAGES:
            return stage_name(value)
        case ast.Call(func=function):
            return _given_name(node) or stage_name(function)
        case ast.Subscript(value=value):
            return stage_name(value)
        case ast.Lambda():
            return "<lambda>"
        case ast.Name() | ast.Attribute():
            return last_name(node)
    return ""


def shorten(text: str) -> str:
    """Call a stage by its text, cut short."""
    line = " ".join(text.split()).replace('"', "'")  # it will stand in double quotes
    return line if len(line) <= LONGEST_NAME else f"{line[:LONGEST_NAME]}…"


def _given_name(call: ast.Call) -> str | None:
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="name", value=ast.Constant(value=str(name))):
                return name
    return None


def last_name(node: ast.expr) -> str:
    """Give the last part of a dotted name; an empty text for what is no name."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return last_name(value)
    return ""


def span_of(node: ast.expr | ast.stmt) -> Span:
    """Give the stretch of a node of the syntax tree."""
    # ast leaves the end open only for nodes that were not parsed.
    return Span(
        node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0
    )


def span_between(start: Span, end: Span) -> Span:
    """Give the stretch from the beginning of one to the end of another."""
    return Span(start.line, start.column, end.end_line, end.end_column)

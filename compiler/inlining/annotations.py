"""What the annotation of a local becomes in generated code: names that are there, or `Any`."""

from __future__ import annotations

import ast
from collections.abc import Callable


def write_out(node: ast.expr) -> ast.expr | None:
    """Put names for the texts of an annotation that are names written ahead; None if none can be.

    With a `Literal` in it, a text need not be such a name: then all is left as it is.
    """
    if _has_literal(node):
        return node
    try:
        written: ast.expr = _TextsWritten().visit(node)
    except SyntaxError:
        return None
    return written


def hide_unknown(node: ast.expr, is_known: Callable[[str], bool]) -> ast.AST:
    """Put `Any` for what an annotation cannot name in generated code."""
    return _UnknownHidden(is_known).visit(node)


class _TextsWritten(ast.NodeTransformer):
    """Puts names for the texts of an annotation that are names written ahead."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Read a text as Python reads it."""
        if not isinstance(node.value, str):
            return node
        parsed = ast.parse(node.value, mode="eval").body
        for each in ast.walk(parsed):
            ast.copy_location(each, node)
        return parsed


class _UnknownHidden(ast.NodeTransformer):
    """Puts `Any` for what an annotation cannot name in generated code."""

    def __init__(self, is_known: Callable[[str], bool]) -> None:
        self._is_known = is_known

    def visit(self, node: ast.AST) -> ast.AST:
        """Look at what a name, or what is reached from one, starts with."""
        is_named = isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
        return self._or_any(node) if is_named else super().visit(node)

    def _or_any(self, node: ast.AST) -> ast.AST:
        first: ast.AST = node
        while isinstance(first, ast.Attribute | ast.Subscript):
            first = first.value
        if isinstance(first, ast.Name) and not self._is_known(first.id):
            return _at(node, ast.Name("Any", ast.Load()))
        return self.generic_visit(node)


def _at(place: ast.AST, node: ast.expr) -> ast.expr:
    return ast.copy_location(node, place) if isinstance(place, ast.expr) else node


def _has_literal(node: ast.expr) -> bool:
    return any(
        isinstance(each, ast.Name | ast.Attribute) and ast.unparse(each).endswith("Literal")
        for each in ast.walk(node)
    )

"""Makes the flat chain of an expression: its stages in order, and the joins in it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace

from rivusio.compiler.frontend.forms import (
    PIPELINES,
    SAME_STAGES,
    elements_of,
    is_written_chain,
    last_name,
    shorten,
    sides_of,
    span_between,
    span_of,
    stage_name,
)
from rivusio.compiler.frontend.source import Source
from rivusio.compiler.frontend.syntax import Family, Join, Operand, Span

MOST_STAGES = 500  # of a chain that is seen through by its name: each join lists all of them


@dataclass(frozen=True)
class Parts:
    """The flat chain of an expression, and the joins that are written in it."""

    operands: tuple[Operand, ...]
    joins: tuple[Join, ...] = ()
    must_be: Family | None = None

    def joined(self, other: Parts, left: Span, at: Span, *, in_list: bool = False) -> Parts:
        """Give both as one chain."""
        here, end = len(self.operands), len(self.operands) + len(other.operands)
        moved = (
            replace(each, first=each.first + here, middle=each.middle + here, end=each.end + here)
            for each in other.joins
        )
        join = Join(0, here, end, left, at, span_between(left, at), in_list)
        return Parts((*self.operands, *other.operands), (*self.joins, *moved, join))

    def with_settings(self, call: Span) -> Parts:
        """Give the same chain, whose stages get settings from a call."""
        operands = (replace(each, settings=(*each.settings, call)) for each in self.operands)
        return replace(self, operands=tuple(operands))


# What the names of a scope stand for, as far as that is certain: chains, and single stages.
KnownChains = dict[str, Parts]


class FlatChains:
    """Makes the flat chains of one file.

    Attributes:
        taken_up: the single-stage chains that a chain has as a stage.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self.taken_up: set[Span] = set()

    def side(self, node: ast.expr, known: KnownChains) -> Parts:
        """Give the flat chain of one side of a join, or of a whole chain."""
        joins: list[tuple[ast.expr, ast.expr]] = []
        while (sides := sides_of(node)) is not None:  # no recursion: chains may be very long
            joins.append(sides)
            node = sides[0]
        parts = self._single(node, known)
        for left, right in reversed(joins):
            parts = parts.joined(self.side(right, known), span_of(left), span_of(right))
        return parts

    def _single(self, node: ast.expr, known: KnownChains) -> Parts:
        match node:
            case ast.Name(id=name) if name in known and len(known[name].operands) <= MOST_STAGES:
                meaning = known[name]
                if len(meaning.operands) > 1:
                    return replace(meaning, joins=(), must_be=None)
                self.taken_up.add(meaning.operands[0].span)
                return Parts((replace(self.operand(node), name=meaning.operands[0].name),))
            case ast.NamedExpr(value=value) if is_written_chain(value):
                return self.side(value, known)
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in SAME_STAGES:
                inner = self.side(value, known)
                if len(inner.operands) > 1:
                    return inner.with_settings(span_of(node))
                return Parts((replace(self.operand(node), name=inner.operands[0].name),))
            case ast.Call() if (elements := elements_of(node)) is not None:
                return self._listed(node, elements, known)
        return Parts((self.operand(node),))

    def _listed(self, node: ast.Call, elements: list[ast.expr], known: KnownChains) -> Parts:
        """Give the chain of `SyncPipeline([...])`: its joins are where the commas stand."""
        parts, start = self.side(elements[0], known), span_of(elements[0])
        for element in elements[1:]:
            at = span_of(element)
            parts = parts.joined(self.side(element, known), start, at, in_list=True)
            start = span_between(start, at)
        return replace(parts, must_be=PIPELINES[last_name(node.func)])

    def operand(self, node: ast.expr) -> Operand:
        """Give the one stage that an expression is."""
        span = span_of(node)
        text = self._source.segment(span)
        return Operand(text, span, stage_name(node) or shorten(text))

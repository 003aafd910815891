"""The expressions of one file, by where they stand, with the types that mypy has for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mypy import nodes, types

from rivusio.compiler.analysis.recorder import AloneTypes
from rivusio.compiler.frontend.forms import SAME_STAGES
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.typecheck import signatures, stage_types

NOT_CHILDREN = {"node", "info", "var", "type", "analyzed"}  # they lead out of the file

_Part = nodes.Expression | nodes.Statement


class ExpressionIndex:
    """The expressions of one file by where they stand, with the types that mypy has for them.

    Attributes:
        parts: every expression and statement of the file.
    """

    def __init__(
        self,
        tree: nodes.MypyFile,
        inferred: dict[nodes.Expression, types.Type],
        alone: AloneTypes,
        wrong: Sequence[tuple[int, int]],
    ) -> None:
        """Index a file.

        Args:
            tree: the file.
            inferred: mypy's types.
            alone: those that operands have by themselves.
            wrong: the places of mypy's complaints.
        """
        self.parts = list(_parts(tree))
        self._inferred, self._alone, self._wrong = inferred, alone, wrong
        self._spans = _by_span([*self.parts, *_decorated(self.parts, inferred)])
        self._lambdas = {
            (each.line, each.column): each
            for each in self.parts
            if isinstance(each, nodes.LambdaExpr)
        }

    def node_at(self, span: Span) -> nodes.Expression | None:
        """Give the expression at a span; of a lambda mypy knows only where it begins."""
        found = next(iter(self._spans.get(span, ())), None)
        return found or self._lambdas.get((span.line, span.column))

    def type_at(self, span: Span) -> types.Type | None:
        """Give the type that an operand has by itself if it is definite, or else in place."""
        there = self._spans.get(span, ())
        by_itself = (self._alone[each] for each in there if each in self._alone)
        definite = (each for each in by_itself if stage_types.is_definite(each))
        in_place = (self._inferred[each] for each in there if each in self._inferred)
        return next(definite, None) or next(in_place, None)

    def bare_type_at(self, span: Span) -> types.Type | None:
        """Give the type of what has the settings, where an operand is `pipe.with_config(...)`."""
        for each in self._spans.get(span, ()):
            inner = each
            while True:
                match inner:
                    case nodes.CallExpr(callee=nodes.MemberExpr(expr=pipe, name=method)) if (
                        method in SAME_STAGES
                    ):
                        inner = pipe
                    case _:
                        break
            if inner is not each and inner in self._inferred:
                return self._inferred[inner]
        return self.type_at(span)

    def type_in_place(self, span: Span) -> types.Type | None:
        """Give the type that an operand has in place, if mypy has nothing against it there."""
        if any(span.holds(*place) for place in self._wrong):
            return None
        return next(
            (self._inferred[each] for each in self._spans.get(span, ()) if each in self._inferred),
            None,
        )

    def applied_at(self, span: Span) -> stage_types.Function | None:
        """Give the function of `map(function)`, where it is given by its name."""
        for each in self._spans.get(span, ()):
            match each:
                case nodes.CallExpr(
                    callee=nodes.RefExpr(fullname=name), args=[nodes.RefExpr() as given, *_]
                ) if given in self._inferred:
                    return signatures.applied(name, self._inferred[given])
        return None

    def unannotated(self) -> Iterator[Span]:
        """Give the functions that mypy looks into for our sake only."""
        for part in self.parts:
            if isinstance(part, nodes.FuncDef) and part.unanalyzed_type is None:
                yield Span(part.line, 0, (part.end_line or part.line) + 1, 0)


def _parts(tree: nodes.MypyFile) -> Iterator[_Part]:
    """Give every expression and statement of a file."""
    seen: set[int] = set()
    waiting: list[object] = list(tree.defs)
    while waiting:
        part = waiting.pop()
        if isinstance(part, list | tuple):
            waiting.extend(part)
        elif isinstance(part, _Part) and id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting.extend(_children(part))


def _decorated(
    parts: list[_Part], inferred: dict[nodes.Expression, types.Type]
) -> Iterator[nodes.NameExpr]:
    """Give the name of each decorated function, where the function stands: `@pipe` makes a pipe."""
    for part in parts:
        if isinstance(part, nodes.Decorator) and part.var.type is not None:
            function, name = part.func, nodes.NameExpr(part.func.name)
            name.node, name.fullname = part, part.fullname
            end = function.end_line, function.end_column
            name.set_line(function.line, function.column, *end)
            inferred[name] = part.var.type
            yield name


def _children(part: _Part) -> Iterator[object]:
    """Give what the attributes of a node hold: mypy's own visitors cannot be subclassed."""
    for kind in type(part).__mro__:
        for name in getattr(kind, "__mypyc_attrs__", getattr(kind, "__slots__", ())):
            if name not in NOT_CHILDREN:
                yield getattr(part, name, None)


def _by_span(parts: list[_Part]) -> dict[Span, list[nodes.Expression]]:
    spans: dict[Span, list[nodes.Expression]] = {}
    for part in parts:
        if isinstance(part, nodes.Expression):
            end = part.end_line or part.line, part.end_column or part.column
            spans.setdefault(Span(part.line, part.column, *end), []).append(part)
    return spans

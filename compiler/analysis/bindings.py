"""What the names of a file are bound to, as mypy has resolved them.

    clean = Clean()            `clean` is `Clean()`
    chain = parse >> clean

A name counts only where it is bound once: then it is what stands on the right of its one `=`,
unless somebody changes the module from outside.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from mypy import nodes

LONGEST = 20  # names that are seen through in a row: two may stand for each other


class Bindings:
    """What each variable of a file gets, wherever in the file that is."""

    def __init__(self, parts: Iterable[nodes.Node]) -> None:
        self._values: dict[nodes.SymbolNode, list[nodes.Expression | None]] = {}
        self._changed: dict[nodes.SymbolNode, set[str]] = {}
        self._assigned: list[nodes.MemberExpr] = []
        for part in parts:
            for target in _attributes(part):
                self._assigned.append(target)
                if isinstance(target.expr, nodes.NameExpr) and target.expr.node is not None:
                    self._changed.setdefault(target.expr.node, set()).add(target.name)
            for name, value in _bound(part):
                if isinstance(name.node, nodes.Var):
                    self._values.setdefault(name.node, []).append(value)

    def value_of(self, expression: nodes.Expression) -> nodes.Expression | None:
        """Give the one thing that a name is bound to; None if it is no name, or not certain."""
        if not isinstance(expression, nodes.RefExpr) or expression.node is None:
            return None
        return self.bound_to(expression.node)

    def bound_to(self, name: nodes.SymbolNode) -> nodes.Expression | None:
        """Give the one thing that a variable is bound to; None if that is not certain."""
        match self._values.get(name):
            case [value]:
                return value
        return None

    def owners_of(self, attribute: str) -> Iterator[nodes.Expression]:
        """Give the objects to whose attribute of that name something is assigned."""
        return (each.expr for each in self._assigned if each.name == attribute)

    def seen_through(
        self,
        expression: nodes.Expression,
        *,
        unless_changed: bool = False,
        attributes: Collection[str] = (),
    ) -> nodes.Expression:
        """Give what an expression is, through names and `name := value`.

        With `unless_changed` a name stays a name if something is assigned to its attributes, or to
        one of these if some are given: then what it is bound to does no longer say all.
        """
        for _ in range(LONGEST):
            if unless_changed and isinstance(expression, nodes.RefExpr) and expression.node:
                changed = self._changed.get(expression.node, set())
                if changed.intersection(attributes) if attributes else changed:
                    break
            inner = (
                expression.value
                if isinstance(expression, nodes.AssignmentExpr)
                else self.value_of(expression)
            )
            if inner is None:
                break
            expression = inner
        return expression


_Binding = tuple[nodes.NameExpr, nodes.Expression | None]


def _bound(part: nodes.Node) -> Iterator[_Binding]:
    """Give the names that a node binds, each with what it gets if that is written there."""
    match part:
        case nodes.AssignmentStmt(rvalue=nodes.TempNode()):  # `name: int`
            pass
        case nodes.AssignmentStmt(lvalues=targets, rvalue=value):
            for target in targets:
                yield from _pairs(target, value)
        case nodes.AssignmentExpr(target=target, value=value):
            yield from _pairs(target, value)
        case nodes.OperatorAssignmentStmt(lvalue=target) | nodes.DelStmt(expr=target):
            yield from _pairs(target, None)
        case nodes.ForStmt(index=target):
            yield from _pairs(target, None)
        case nodes.WithStmt(target=targets):
            for each in targets:
                if each is not None:
                    yield from _pairs(each, None)
        case nodes.GeneratorExpr(indices=targets) | nodes.DictionaryComprehension(indices=targets):
            for each in targets:
                yield from _pairs(each, None)
        case nodes.TryStmt(vars=names):
            yield from ((name, None) for name in names if name is not None)


def _attributes(part: nodes.Node) -> Iterator[nodes.MemberExpr]:
    """Give the attributes that a statement assigns or deletes."""
    match part:
        case nodes.AssignmentStmt(lvalues=targets):
            yield from (each for each in targets if isinstance(each, nodes.MemberExpr))
        case nodes.DelStmt(expr=nodes.MemberExpr() as target):
            yield target


def _pairs(target: nodes.Expression, value: nodes.Expression | None) -> Iterator[_Binding]:
    match target:
        case nodes.NameExpr():
            yield target, value
        case nodes.TupleExpr(items=targets) | nodes.ListExpr(items=targets):
            values: list[nodes.Expression | None] = [None] * len(targets)
            if isinstance(value, nodes.TupleExpr) and len(value.items) == len(targets):
                values = list(value.items)
            for one, its in zip(targets, values, strict=True):
                yield from _pairs(one, its)
        case nodes.StarExpr(expr=inner):
            yield from _pairs(inner, None)

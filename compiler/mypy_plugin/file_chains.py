"""The chains of one file while mypy checks it: as they are written, and what mypy knows of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mypy import nodes, types
from mypy.plugin import CheckerPluginInterface

from rivusio.compiler.frontend import finder
from rivusio.compiler.frontend.forms import SAME_STAGES
from rivusio.compiler.frontend.source import Source, Unreadable, read
from rivusio.compiler.frontend.syntax import ChainSyntax, Join, Operand, Span
from rivusio.compiler.typecheck import signatures, stage_types, type_predicates
from rivusio.compiler.typecheck.infer import Steps
from rivusio.compiler.typecheck.messages import message_and_note
from rivusio.compiler.typecheck.mismatches import Mismatch
from rivusio.compiler.typecheck.type_lookup import TypeLookup

JOINS = ("__rshift__", "__rrshift__", "then")

if TYPE_CHECKING:  # it is heavy, and of no use here
    from rivusio.compiler.typecheck.facts import Facts

_Start = tuple[int, int]  # the line and the column where something begins
ClassOf = Callable[[str], nodes.TypeInfo | None]  # by its full name


@dataclass(frozen=True)
class Place:
    """A join, and the chain that it is written in."""

    steps: Steps
    join: Join


# Large: all of it reads and fills what mypy has shown of one file.
class FileChains:
    """What is known of the chains of one file, in one check of it."""

    def __init__(self, api: CheckerPluginInterface, class_of: ClassOf) -> None:
        self.api = api
        self._class_of = class_of
        self._nodes: dict[Span, nodes.Expression] = {}
        self._leaves: dict[_Start, nodes.Expression] = {}
        self._alone: dict[nodes.Expression, types.Type] = {}
        self._item: types.Type = type_predicates.ANY
        self._places: dict[_Start, Place] = {}
        self._chains: dict[_Start, Steps] = {}
        self.function = api.named_generic_type("builtins.function", [])
        self._met: list[tuple[nodes.Expression, types.Type | None]] = []
        self._source: Source | None = None
        self._is_read = False

    def _read(self) -> None:
        """Find the chains: only a file that needs it is read."""
        if self._is_read:
            return
        self._is_read = True
        self._source = _read(self.api.path)
        lookup = TypeLookup(
            type_at=self._type_at,
            bare_type_at=self._type_at,
            type_in_place=self._type_in_place,
            applied_at=self._applied_at,
            facts_of=_no_facts,
            function=self.function,
            list_of=lambda item: self.api.named_generic_type("builtins.list", [item]),
        )
        for found in _chains_of(self._source):
            steps = Steps(found, lookup)
            for start in self._starts(found.span):
                self._chains.setdefault(start, steps)
            for join in found.joins:
                for start in self._starts(join.at):
                    self._places.setdefault(start, Place(steps, join))

    # Where things are

    def place(self, right: nodes.Expression) -> Place | None:
        """Give the join that has the expression on its right."""
        self._read()
        return self._places.get((right.line, right.column))

    def written(self, expression: nodes.Context) -> Steps | None:
        """Give the chain that begins with an expression."""
        self._read()
        return self._chains.get((expression.line, expression.column))

    def named(self, name: str, line: int) -> Steps | None:
        """Give the last chain before a line that got a name."""
        self._read()
        before = (
            steps
            for steps in dict.fromkeys(self._chains.values())
            if steps.found.name.rpartition(".")[2] == name and steps.found.span.line < line
        )
        return max(before, key=lambda steps: steps.found.span, default=None)

    def chain(self, expression: nodes.Expression) -> Steps | None:
        """Give the chain that an expression stands for: it is written there, or has a name."""
        self.look_into(expression)
        if isinstance(expression, nodes.NameExpr):
            return self.named(expression.name, expression.line)
        return self.written(expression)

    def meet(self, expression: nodes.Expression, its: types.Type | None) -> None:
        """Keep one side of a join in mind, with the type that it has by itself.

        Both are looked at more closely when somebody asks.
        """
        self._met.append((expression, its))

    def node(self, span: Span) -> nodes.Expression | None:
        """Give the expression at a span."""
        met, self._met = self._met, []
        for each, its in met:
            self.look_into(each)
            self._note(each, its)
        exact = self._nodes.get(span)
        leaves = (self._leaves[each] for each in self._starts(span) if each in self._leaves)
        return exact or next(leaves, None)

    def _starts(self, span: Span) -> tuple[_Start, ...]:
        """Say where mypy may have a span begin.

        Its older parser counts bytes, as `ast` does. Its newer one takes those for characters, and
        counts once more, so that it stands too far to the left behind a letter such as "ä".
        """
        if self._source is None:
            return ((span.line, span.column),)
        characters = self._source.column(span.line, span.column) - 1
        less = span.column - characters
        columns = (characters - less, characters, span.column) if less else (span.column,)
        return tuple((span.line, column) for column in columns)

    def learn(self, join: Join, left: nodes.Expression, right: nodes.Expression) -> None:
        """Say which expressions are both sides of a join.

        mypy leaves out the parenthesis at the end of `a >> (lambda x: x)`.
        """
        self._nodes[join.left], self._nodes[join.at] = left, right

    def look_into(self, expression: nodes.Expression) -> None:
        """Take in an expression, and the stages that are written in it."""
        waiting = [expression]
        while waiting:
            each = waiting.pop()
            if isinstance(each, nodes.TempNode):
                continue
            span = _span(each)
            if self._nodes.get(span) is each:
                continue  # with all that is in it
            self._nodes[span] = each
            inner = list(self._stages_in(each))
            waiting.extend(inner)
            if not inner:
                self._leaves[each.line, each.column] = each

    def _stages_in(self, expression: nodes.Expression) -> Iterator[nodes.Expression]:
        match expression:
            case nodes.OpExpr(op=">>", left=left, right=right):
                yield from (left, right)
            case nodes.AssignmentExpr(value=value):
                yield value
            case nodes.CallExpr(callee=nodes.MemberExpr(expr=left, name=name), args=given) if (
                name in JOINS or name in SAME_STAGES
            ):
                yield from (left, *given)
            case (
                nodes.CallExpr(args=[nodes.ListExpr(items=items), *_])
                | nodes.CallExpr(args=[nodes.TupleExpr(items=items), *_])
            ):
                yield from items

    # What mypy knows

    def _note(self, expression: nodes.Expression, its: types.Type | None) -> None:
        if its is not None and stage_types.is_definite(its):
            self._alone[expression] = its
        else:
            self._alone.pop(expression, None)

    def expect(self, item: types.Type) -> None:
        """Say what comes to the operand that is looked at next."""
        self._item = item

    def _type_at(self, span: Span) -> types.Type | None:
        there = self.node(span)
        return None if there is None else self._alone.get(there) or seen(self.api, there)

    def _type_in_place(self, span: Span) -> types.Type | None:
        """Let mypy look at an operand with the items that come to it in mind."""
        there = self.node(span)
        if there is None:
            return None
        match stage_types.meaning_of(self._type_at(span)):
            case (stage_types.Pipe(family=family),) if family is not None:
                of = next(name for name, its in stage_types.FAMILIES.items() if its == family)
                info = self._class_of(of)
                wanted = types.Instance(info, [self._item, type_predicates.ANY]) if info else None
                return looked_at(self.api, there, wanted)
        return None

    def _applied_at(self, span: Span) -> stage_types.Function | None:
        """Give the function of `map(function)`, where it is given by its name."""
        match self.node(span):
            case nodes.CallExpr(
                callee=nodes.RefExpr(fullname=name), args=[nodes.RefExpr() as given, *_]
            ):
                its = seen(self.api, given)
                return None if its is None else signatures.applied(name, its)
        return None


def seen(api: CheckerPluginInterface, expression: nodes.Expression) -> types.Type | None:
    """Give the type that mypy had for an expression when it last looked at it."""
    lookup = getattr(api, "lookup_type", None)  # in no document of mypy's
    if lookup is None:
        return looked_at(api, expression)
    with contextlib.suppress(KeyError):
        return lookup(expression)  # type: ignore[no-any-return]  # a type, or a KeyError
    return None


def looked_at(
    api: CheckerPluginInterface, expression: nodes.Expression, context: types.Type | None = None
) -> types.Type | None:
    """Let mypy look at an expression; None if it has something against it in that context."""
    with api.msg.filter_errors() as errors:
        its = api.get_expression_type(expression, context)
    return None if context is not None and errors.has_new_errors() else its


def said(steps: Steps, mismatch: Mismatch) -> tuple[str, str]:
    """Give the words for what is wrong in a chain."""
    count = range(len(steps.found.operands))
    sources = [each.source for each in steps.found.operands]
    return message_and_note(mismatch.what, [steps.name(index) for index in count], sources)


def _chains_of(source: Source | None) -> tuple[ChainSyntax, ...]:
    with contextlib.suppress(Unreadable):  # too deep: `check` says so
        return () if source is None else finder.chains(source)
    return ()


def _read(path: str) -> Source | None:
    try:
        return read(path)
    except Unreadable:  # a text that stands in no file, such as that of `mypy -c`
        return None


def _no_facts(_: Operand) -> Facts:
    raise NotImplementedError  # only the compiler asks for them


def _span(of: nodes.Context) -> Span:
    end_line, end_column = of.end_line or of.line, of.end_column or of.column
    return Span(of.line, of.column, end_line, end_column)

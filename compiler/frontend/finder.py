"""Finds the chains of a file, from its text alone.

A chain is what `>>`, `>>=`, `.then()`, `SyncPipeline([...])` and `AsyncPipeline([...])` make:

    clean = Parse() >> Clean()            two stages, one join
    late = clean >> Late() >> batch(2)    four stages; the first join is the one above

A name that refers to an earlier chain is that chain, where nothing between the two could change
what the name means. Any other operand is one stage, whatever it holds. Nothing here knows types:
`1 << 3 >> 2` is found too, and it is for the typing phase to say that it is no chain.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rivusio.compiler.frontend.bound_names import Definition, Function, Scope, bound, bound_here
from rivusio.compiler.frontend.flat_chain import FlatChains, KnownChains, Parts
from rivusio.compiler.frontend.forms import (
    SAME_STAGES,
    inside_stages,
    is_chain_with_settings,
    is_written_chain,
    span_of,
)
from rivusio.compiler.frontend.source import Source, too_deep
from rivusio.compiler.frontend.syntax import ChainSyntax, Operand


@dataclass
class _Place:
    """Where the finder is: the names known there, and how that place is called."""

    known: KnownChains
    prefix: str = ""
    later: list[tuple[Function, str]] = field(default_factory=list)

    def inside(self) -> _Place:
        """Give a block of this place: what it assigns is known only in it."""
        return replace(self, known=self.known.copy())


def chains(source: Source, *, single_stage: bool = False) -> tuple[ChainSyntax, ...]:
    """Find the chains of a file, in the order in which they are written.

    With `single_stage`, so is every call, and every decorated function, whose result no chain of
    the file takes up: it may make a pipe that is run by itself.

    Raises:
        Unreadable: for a file that is nested too deep.
    """
    try:
        found = _Finder(source).module()
    except RecursionError as error:  # what Python's parser takes depends on its version
        raise too_deep(source.path) from error
    wanted = (each for each in found if single_stage or not each.single_stage)
    return tuple(sorted(wanted, key=lambda chain: chain.span))


class _Finder:
    """Goes through the scopes of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._flat = FlatChains(source)
        self._found: list[ChainSyntax] = []

    def module(self) -> list[ChainSyntax]:
        self._scope(self._source.tree.body, _Place({}))
        return [each for each in self._found if each.span not in self._flat.taken_up]

    def _scope(self, body: list[ast.stmt], place: _Place) -> None:
        """Go through a body, then through its functions: they run when all of it is there."""
        self._body(body, place)
        times = bound_here(body)
        lasting = {name: parts for name, parts in place.known.items() if times[name] == 1}
        for function, prefix in place.later:
            shadowed = bound([function.args, *function.body])
            known = {name: parts for name, parts in lasting.items() if not shadowed[name]}
            self._scope(function.body, _Place(known, f"{prefix}{function.name}.<locals>."))

    def _body(self, body: list[ast.stmt], place: _Place) -> None:
        for statement in body:
            self._statement(statement, place)

    def _statement(self, statement: ast.stmt, place: _Place) -> None:
        match statement:
            case ast.Assign(targets=[target], value=value):
                self._assign(statement, target, value, place)
            case ast.AnnAssign(target=target, value=ast.expr() as value):
                self._assign(statement, target, value, place)
            case ast.AugAssign(target=ast.Name(id=name) as target, op=ast.RShift(), value=value):
                self._grow(target, value, place)
                self._expressions(value, place)
            case ast.Return(value=ast.expr() as value):
                name = place.prefix.removesuffix(".<locals>.")
                self._expressions(value, place, name)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._function(statement, place)
            case ast.ClassDef(name=name, body=body):
                self._outside(statement, place)
                inner = replace(place.inside(), prefix=f"{place.prefix}{name}.")
                self._body(body, inner)
                place.known.pop(name, None)
            case _:
                self._compound(statement, place)

    def _function(self, function: Function, place: _Place) -> None:
        self._outside(function, place)
        place.later.append((function, place.prefix))
        place.known.pop(function.name, None)
        if function.decorator_list:
            operand = Operand(function.name, span_of(function), function.name)
            title = f"{place.prefix}{function.name}"
            self._found.append(ChainSyntax(title, operand.span, (operand,), (), single_stage=True))
            place.known[function.name] = Parts((operand,))

    def _outside(self, definition: Definition, place: _Place) -> None:
        """Go through what a definition evaluates where it stands."""
        for child in ast.iter_child_nodes(definition):
            if not isinstance(child, ast.stmt):
                self._expressions(child, place)

    def _compound(self, statement: ast.stmt, place: _Place) -> None:
        """Go through a statement that may have blocks: which of them run is not known."""
        changed = bound([statement])
        blocks = list(_blocks(statement))
        repeats = isinstance(statement, ast.For | ast.AsyncFor | ast.While)
        if repeats or not blocks:
            _forget(changed, place)
        for child in ast.iter_child_nodes(statement):
            if isinstance(child, ast.expr | ast.withitem):
                self._expressions(child, place)
        for block in blocks:
            inner = place.inside()
            _forget(bound_here(_headers(statement)), inner)
            self._body(block, inner)
        _forget(changed, place)

    def _assign(
        self, statement: ast.stmt, target: ast.expr, value: ast.expr, place: _Place
    ) -> None:
        self._expressions(value, place, f"{place.prefix}{_title(target)}")
        pairs = list(_pairs(target, value))
        parts = [(name, self._meaning(each, place)) for name, each in pairs]
        _forget(bound([statement]), place)
        for name, meaning in parts:
            if meaning is not None:
                place.known[name] = meaning

    def _grow(self, target: ast.Name, value: ast.expr, place: _Place) -> None:
        """Take up `target >>= value`."""
        left, right = self._flat.side(target, place.known), self._flat.side(value, place.known)
        parts = left.joined(right, span_of(target), span_of(value))
        whole = parts.joins[-1].whole
        self._found.append(
            ChainSyntax(f"{place.prefix}{target.id}", whole, parts.operands, parts.joins)
        )
        place.known[target.id] = parts

    def _meaning(self, value: ast.expr, place: _Place) -> Parts | None:
        """Say what a name stands for to which `value` is assigned; None if that is not clear."""
        if isinstance(value, ast.Name):
            return place.known.get(value.id)
        if isinstance(value, ast.NamedExpr | ast.Call | ast.BinOp):
            return self._flat.side(value, place.known)
        return None

    # Expressions

    def _expressions(self, node: ast.AST, place: _Place, name: str | None = None) -> None:
        """Take up every chain in an expression; `name` is that of the expression itself."""
        hidden = bound(each for each in ast.walk(node) if isinstance(each, Scope))
        known = {key: parts for key, parts in place.known.items() if not hidden[key]}
        waiting: list[tuple[ast.AST, str | None]] = [(node, name)]
        while waiting:
            each, title = waiting.pop()
            if isinstance(each, ast.expr) and (
                is_written_chain(each) or is_chain_with_settings(each)
            ):
                self._add(each, title, place, known)
                waiting.extend((operand, None) for operand in inside_stages(each))
            else:
                if isinstance(each, ast.Call):
                    self._add_single_stage(each, title, place)
                keeps = isinstance(each, ast.NamedExpr | ast.Await)
                waiting.extend(
                    (child, title if keeps else None) for child in ast.iter_child_nodes(each)
                )

    def _add(self, node: ast.expr, name: str | None, place: _Place, known: KnownChains) -> None:
        parts, span = self._flat.side(node, known), span_of(node)
        title = name or f"{place.prefix}line {span.line}"
        self._found.append(ChainSyntax(title, span, parts.operands, parts.joins, parts.must_be))

    def _add_single_stage(self, node: ast.Call, name: str | None, place: _Place) -> None:
        operand = self._flat.operand(node)
        match node.func:
            case ast.Attribute(value=pipe, attr=method) if (
                method in SAME_STAGES and not is_written_chain(pipe)
            ):
                self._flat.taken_up.add(span_of(pipe))
        title = name or f"{place.prefix}line {operand.span.line}"
        self._found.append(ChainSyntax(title, operand.span, (operand,), (), single_stage=True))


def _title(target: ast.expr) -> str:
    return ast.unparse(target)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Give the names that an assignment binds, each with what it gets."""
    match target, value:
        case ast.Name(id=name), _:
            yield name, value
        case (ast.Tuple(elts=targets), ast.Tuple(elts=values)) if len(targets) == len(values):
            for one, its in zip(targets, values, strict=True):
                yield from _pairs(one, its)


def _blocks(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Give the blocks of a compound statement."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(statement, name, None)
        if block:
            yield block
    for part in (*getattr(statement, "handlers", []), *getattr(statement, "cases", [])):
        yield part.body


def _headers(statement: ast.stmt) -> Iterator[ast.AST]:
    """Give what a compound statement binds before its blocks: loop variables and the like."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr | ast.withitem):
            yield child
        elif isinstance(child, ast.match_case):
            yield child.pattern


def _forget(names: Iterable[str], place: _Place) -> None:
    for name in names:
        place.known.pop(name, None)

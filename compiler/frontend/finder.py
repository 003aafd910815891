"""Finds the chains of a file, from its text alone.

A chain is what `>>`, `>>=`, `.then()`, `SyncPipeline([...])` and `AsyncPipeline([...])` make:

    clean = Parse() >> Clean()            two stages, one joint
    late = clean >> Late() >> batch(2)    four stages; the first joint is the one above

A name that refers to an earlier chain is that chain, where nothing between the two could change
what the name means. Any other operand is one stage, whatever it holds. Nothing here knows types:
`1 << 3 >> 2` is found too, and it is for the typing phase to say that it is no chain.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from rivusio.compiler.frontend.bound_names import Definition, Function, Scope, bound, bound_here
from rivusio.compiler.frontend.source import Source, too_deep
from rivusio.compiler.frontend.syntax import Family, Found, Joint, Operand, Span

PIPELINES: dict[str, Family | None] = {"SyncPipeline": "sync", "AsyncPipeline": None}
SAME_STAGES = {"with_config", "set_monitor", "concurrent"}  # methods that give the same stages
LONGEST_NAME = 30  # of a stage that is called by its text
MOST_STAGES = 500  # of a chain that is seen through by its name: each joint lists all of them
MAKERS = {"map", "pipe"}  # functions whose stage has the name of the function they are given


@dataclass(frozen=True)
class _Parts:
    """The flat chain of an expression, and the joints that are written in it."""

    operands: tuple[Operand, ...]
    joints: tuple[Joint, ...] = ()
    must_be: Family | None = None

    def joined(self, other: _Parts, left: Span, at: Span, *, in_list: bool = False) -> _Parts:
        """Give both as one chain."""
        here, end = len(self.operands), len(self.operands) + len(other.operands)
        moved = (
            replace(each, first=each.first + here, middle=each.middle + here, end=each.end + here)
            for each in other.joints
        )
        joint = Joint(0, here, end, left, at, _between(left, at), in_list)
        return _Parts((*self.operands, *other.operands), (*self.joints, *moved, joint))

    def with_settings(self, call: Span) -> _Parts:
        """Give the same chain, whose stages get settings from a call."""
        operands = (replace(each, settings=(*each.settings, call)) for each in self.operands)
        return replace(self, operands=tuple(operands))


# What the names of a scope stand for, as far as that is certain: chains, and single stages.
_Known = dict[str, _Parts]


@dataclass
class _Place:
    """Where the finder is: the names known there, and how that place is called."""

    known: _Known
    prefix: str = ""
    later: list[tuple[Function, str]] = field(default_factory=list)

    def inside(self) -> _Place:
        """Give a block of this place: what it assigns is known only in it."""
        return replace(self, known=self.known.copy())


def chains(source: Source, *, lone: bool = False) -> tuple[Found, ...]:
    """Find the chains of a file, in the order in which they are written.

    With `lone`, so is every call, and every decorated function, whose result no chain of the file
    takes up: it may make a pipe that is run by itself.

    Raises:
        Unreadable: for a file that is nested too deep.
    """
    try:
        found = _Finder(source).module()
    except RecursionError as error:  # what Python's parser takes depends on its version
        raise too_deep(source.path) from error
    wanted = (each for each in found if lone or not each.lone)
    return tuple(sorted(wanted, key=lambda chain: chain.span))


class _Finder:
    """Goes through the scopes of one file."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._found: list[Found] = []
        self._taken_up: set[Span] = set()  # lone pipes that a chain has as a stage

    def module(self) -> list[Found]:
        self._scope(self._source.tree.body, _Place({}))
        return [each for each in self._found if each.span not in self._taken_up]

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
            self._found.append(Found(title, operand.span, (operand,), (), lone=True))
            place.known[function.name] = _Parts((operand,))

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
        left, right = self._side(target, place.known), self._side(value, place.known)
        parts = left.joined(right, span_of(target), span_of(value))
        whole = parts.joints[-1].whole
        self._found.append(Found(f"{place.prefix}{target.id}", whole, parts.operands, parts.joints))
        place.known[target.id] = parts

    def _meaning(self, value: ast.expr, place: _Place) -> _Parts | None:
        """Say what a name stands for to which `value` is assigned; None if that is not clear."""
        if isinstance(value, ast.Name):
            return place.known.get(value.id)
        if isinstance(value, ast.NamedExpr | ast.Call | ast.BinOp):
            return self._side(value, place.known)
        return None

    # Expressions

    def _expressions(self, node: ast.AST, place: _Place, name: str | None = None) -> None:
        """Take up every chain in an expression; `name` is that of the expression itself."""
        hidden = bound(each for each in ast.walk(node) if isinstance(each, Scope))
        known = {key: parts for key, parts in place.known.items() if not hidden[key]}
        waiting: list[tuple[ast.AST, str | None]] = [(node, name)]
        while waiting:
            each, title = waiting.pop()
            if isinstance(each, ast.expr) and (_is_chain(each) or _is_set_chain(each)):
                self._add(each, title, place, known)
                waiting.extend((operand, None) for operand in _inside(each))
            else:
                if isinstance(each, ast.Call):
                    self._add_lone(each, title, place)
                keeps = isinstance(each, ast.NamedExpr | ast.Await)
                waiting.extend(
                    (child, title if keeps else None) for child in ast.iter_child_nodes(each)
                )

    def _add(self, node: ast.expr, name: str | None, place: _Place, known: _Known) -> None:
        parts, span = self._side(node, known), span_of(node)
        title = name or f"{place.prefix}line {span.line}"
        self._found.append(Found(title, span, parts.operands, parts.joints, parts.must_be))

    def _add_lone(self, node: ast.Call, name: str | None, place: _Place) -> None:
        operand = self._operand(node)
        match node.func:
            case ast.Attribute(value=pipe, attr=method) if method in SAME_STAGES and not _is_chain(
                pipe
            ):
                self._taken_up.add(span_of(pipe))
        title = name or f"{place.prefix}line {operand.span.line}"
        self._found.append(Found(title, operand.span, (operand,), (), lone=True))

    def _side(self, node: ast.expr, known: _Known) -> _Parts:
        """Give the flat chain of one side of a joint, or of a whole chain."""
        joints: list[tuple[ast.expr, ast.expr]] = []
        while (sides := _sides(node)) is not None:  # no recursion: chains may be very long
            joints.append(sides)
            node = sides[0]
        parts = self._single(node, known)
        for left, right in reversed(joints):
            parts = parts.joined(self._side(right, known), span_of(left), span_of(right))
        return parts

    def _single(self, node: ast.expr, known: _Known) -> _Parts:
        match node:
            case ast.Name(id=name) if name in known and len(known[name].operands) <= MOST_STAGES:
                meaning = known[name]
                if len(meaning.operands) > 1:
                    return replace(meaning, joints=(), must_be=None)
                self._taken_up.add(meaning.operands[0].span)
                return _Parts((replace(self._operand(node), name=meaning.operands[0].name),))
            case ast.NamedExpr(value=value) if _is_chain(value):
                return self._side(value, known)
            case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in SAME_STAGES:
                inner = self._side(value, known)
                if len(inner.operands) > 1:
                    return inner.with_settings(span_of(node))
                return _Parts((replace(self._operand(node), name=inner.operands[0].name),))
            case ast.Call() if (elements := _elements(node)) is not None:
                return self._listed(node, elements, known)
        return _Parts((self._operand(node),))

    def _listed(self, node: ast.Call, elements: list[ast.expr], known: _Known) -> _Parts:
        """Give the chain of `SyncPipeline([...])`: its joints are where the commas stand."""
        parts, start = self._side(elements[0], known), span_of(elements[0])
        for element in elements[1:]:
            at = span_of(element)
            parts = parts.joined(self._side(element, known), start, at, in_list=True)
            start = _between(start, at)
        return replace(parts, must_be=PIPELINES[_last_name(node.func)])

    def _operand(self, node: ast.expr) -> Operand:
        span = span_of(node)
        text = self._source.segment(span)
        return Operand(text, span, _name_of(node) or _shortened(text))


# The forms of a chain


def _sides(node: ast.expr) -> tuple[ast.expr, ast.expr] | None:
    """Give both sides of `left >> right` and of `left.then(right)`."""
    match node:
        case ast.BinOp(left=left, op=ast.RShift(), right=right):
            return left, right
        case ast.Call(func=ast.Attribute(value=left, attr="then"), args=[right], keywords=[]) if (
            not isinstance(right, ast.Starred)
        ):
            return left, right
    return None


def _elements(node: ast.expr) -> list[ast.expr] | None:
    """Give the pipes of `SyncPipeline([...])`, if they are all written there."""
    match node:
        case ast.Call(func=function, args=[given, *_]) if _last_name(function) in PIPELINES:
            pass
        case ast.Call(func=function, keywords=[ast.keyword(arg="pipes", value=given), *_]) if (
            _last_name(function) in PIPELINES
        ):
            pass
        case _:
            return None
    match given:
        case ast.List(elts=[_, *_] as pipes) | ast.Tuple(elts=[_, *_] as pipes):
            return None if any(isinstance(each, ast.Starred) for each in pipes) else pipes
    return None


def _is_chain(node: ast.expr) -> bool:
    return _sides(node) is not None or _elements(node) is not None


def _is_set_chain(node: ast.expr) -> bool:
    """Tell whether a chain of several is written there with settings behind it."""
    start = node
    while (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in SAME_STAGES
    ):
        node = node.func.value
    elements = _elements(node)
    is_chain = _sides(node) is not None or (elements is not None and len(elements) > 1)
    return node is not start and is_chain


def _inside(chain: ast.expr) -> Iterator[ast.AST]:
    """Give what stands in the operands of a chain: it may hold other chains."""
    waiting: list[ast.expr] = [chain]
    while waiting:
        node = waiting.pop()
        sides = _sides(node) or _elements(node)
        if sides is not None:
            waiting.extend(sides)
        elif isinstance(node, ast.NamedExpr) and _is_chain(node.value):
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


# Names and places


def _name_of(node: ast.expr) -> str:
    """Say what a stage will be called, as far as its text tells."""
    match node:
        case ast.Call(func=function, args=[made_of, *_]) if _last_name(function) in MAKERS:
            return _given_name(node) or _name_of(made_of)
        case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in SAME_STAGES:
            return _name_of(value)
        case ast.Call(func=function):
            return _given_name(node) or _name_of(function)
        case ast.Subscript(value=value):
            return _name_of(value)
        case ast.Lambda():
            return "<lambda>"
        case ast.Name() | ast.Attribute():
            return _last_name(node)
    return ""


def _shortened(text: str) -> str:
    line = " ".join(text.split()).replace('"', "'")  # it will stand in double quotes
    return line if len(line) <= LONGEST_NAME else f"{line[:LONGEST_NAME]}…"


def _given_name(call: ast.Call) -> str | None:
    for keyword in call.keywords:
        match keyword:
            case ast.keyword(arg="name", value=ast.Constant(value=str(name))):
                return name
    return None


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=value):
            return _last_name(value)
    return ""


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


def span_of(node: ast.expr | ast.stmt) -> Span:
    """Give the stretch of a node of the syntax tree."""
    # ast leaves the end open only for nodes that were not parsed.
    return Span(
        node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0
    )


def _between(start: Span, end: Span) -> Span:
    return Span(start.line, start.column, end.end_line, end.end_column)

"""Which names a body binds, and whether each has a value wherever it is read.

In a function, a local that is read too early is an error:

    if data:
        found = 1
    return found

In the loop that the body is written into, `found` would still hold the value of the item before.
So a body is taken only if no local can be read before it is assigned.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import reduce

from rivusio.compiler.inlining.eligibility import Comprehension, RefusalError

# The names that have a value for certain; None where no run comes.
State = frozenset[str] | None


def locals_of(body: Iterable[ast.AST]) -> set[str]:
    """Give the names that a body binds, those of its comprehensions and lambdas left out.

    Only for bodies that hold no definition, no import and no walrus in an inner scope.
    """
    return {name for part in body for node in _outside_scopes(part) for name in _binds(node)}


def line_of(name: str, body: list[ast.stmt]) -> int:
    """Give the line of the first statement of a body in which a name is bound."""
    return next(part.lineno for part in body if name in locals_of([part]))


def check(body: list[ast.stmt], bound: set[str], parameters: set[str]) -> None:
    """Refuse a body that may read one of its locals, which are `bound`, before it has a value.

    Raises:
        RefusalError: with the line where the name is read.
    """
    _exception_names(body, parameters)
    _Flow(bound).block(body, frozenset(parameters))


def always_matches(case: ast.match_case) -> bool:
    """Tell whether a case takes all that comes to it."""
    return case.guard is None and _takes_all(case.pattern)


def _takes_all(pattern: ast.pattern) -> bool:
    match pattern:
        case ast.MatchAs(pattern=None):
            return True
        case ast.MatchAs(pattern=ast.pattern() as inner):
            return _takes_all(inner)
        case ast.MatchOr(patterns=patterns):
            return any(map(_takes_all, patterns))
    return False


def _outside_scopes(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if not isinstance(node, ast.Lambda | Comprehension):
        for child in ast.iter_child_nodes(node):
            yield from _outside_scopes(child)


def _binds(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.Name(id=name, ctx=ast.Store()):
            yield name
        case ast.ExceptHandler(name=str(name)) | ast.MatchMapping(rest=str(name)):
            yield name
        case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
            yield name


def _exception_names(body: list[ast.stmt], parameters: set[str]) -> None:
    """Refuse a name of an exception that is more than that: a handler deletes it at its end."""
    nodes = [node for part in body for node in _outside_scopes(part)]
    handlers = [node for node in nodes if isinstance(node, ast.ExceptHandler) and node.name]
    others = [node for node in nodes if not isinstance(node, ast.ExceptHandler)]
    assigned = parameters | {name for node in others for name in _binds(node)}
    for handler in handlers:
        within = {
            node.name
            for part in handler.body
            for node in _outside_scopes(part)
            if isinstance(node, ast.ExceptHandler)
        }
        if handler.name in assigned | within:
            raise RefusalError(
                f'it uses "{handler.name}" for an exception and more', handler.lineno
            )


class _Flow:
    """Follows a body, in the order in which it runs, with what has a value at each place."""

    def __init__(self, names: set[str]) -> None:
        self._names = names
        self._breaks: list[list[State]] = []
        self._in_with: set[str] = set()

    def block(self, statements: list[ast.stmt], state: State) -> State:
        for statement in statements:
            state = self._statement(statement, state)
        return state

    def _statement(self, statement: ast.stmt, state: State) -> State:
        match statement:
            case ast.Return() | ast.Raise():
                self._children(statement, state)
                return None
            case ast.Break():
                self._breaks[-1].append(state)
                return None
            case ast.Continue():
                return None
            case ast.Assign(targets=targets, value=value):
                return self._all([value, *targets], state)
            case ast.AugAssign(target=target, value=value):
                read = [_loaded(target)] if isinstance(target, ast.Name) else []
                return self._all([*read, value, target], state)
            case ast.AnnAssign(target=target, value=value):
                return self._all([value, target], state) if value else state
            case ast.Assert(test=test, msg=message):
                _, wrong = self._condition(test, state)
                self._all([message], wrong)
                return state  # with `python -O` it does not run
            case ast.If(test=test, body=body, orelse=orelse):
                right, wrong = self._condition(test, state)
                return _join([self.block(body, right), self.block(orelse, wrong)])
            case ast.For(iter=iterable, target=target, body=body, orelse=orelse):
                state = self._expression(iterable, state)
                return self._loop(body, orelse, self._expression(target, state), state)
            case ast.While(test=test, body=body, orelse=orelse):
                right, wrong = self._condition(test, state)
                return self._loop(body, orelse, right, wrong)
            case ast.With(items=items, body=body):
                state = self._all(items, state)
                self._in_with |= (self.block(body, state) or frozenset()) - (state or frozenset())
                return state  # it may swallow what is raised in its first line
            case ast.Try():
                return self._try(statement, state)
            case ast.Match(subject=subject, cases=cases):
                return self._match(cases, self._expression(subject, state))
        return self._children(statement, state)

    def _loop(
        self, body: list[ast.stmt], orelse: list[ast.stmt], start: State, end: State
    ) -> State:
        self._breaks.append([])
        self.block(body, start)
        breaks = self._breaks.pop()
        return _join([self.block(orelse, end), *breaks])

    def _try(self, statement: ast.Try, state: State) -> State:
        ends = [self.block(statement.orelse, self.block(statement.body, state))]
        for handler in statement.handlers:
            start = self._all([handler.type], state)
            name = {handler.name} if handler.name else set()
            end = self.block(handler.body, start if start is None else start | name)
            ends.append(end if end is None else end - name)
        final = self.block(statement.finalbody, state)
        end = _join(ends)
        if final is None or end is None:
            return None
        return end | (final - (state or frozenset()))

    def _match(self, cases: list[ast.match_case], state: State) -> State:
        ends = []
        for case in cases:
            start = self._expression(case.pattern, state)
            if case.guard:
                start, _ = self._condition(case.guard, start)
            ends.append(self.block(case.body, start))
        if not always_matches(cases[-1]):
            ends.append(state)
        return _join(ends)

    # Expressions

    def _condition(self, test: ast.expr, state: State) -> tuple[State, State]:
        """Give what has a value when the test holds, and when it does not."""
        match test:
            case ast.Constant(value=constant):
                return (state, None) if constant else (None, state)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                right, wrong = self._condition(operand, state)
                return wrong, right
            case ast.BoolOp(op=ast.And(), values=values):
                wrongs = []
                for value in values:
                    state, wrong = self._condition(value, state)
                    wrongs.append(wrong)
                return state, _join(wrongs)
            case ast.BoolOp(values=values):
                rights = []
                for value in values:
                    right, state = self._condition(value, state)
                    rights.append(right)
                return _join(rights), state
        state = self._expression(test, state)
        return state, state

    def _expression(self, node: ast.AST, state: State) -> State:
        match node:
            case ast.Name(id=name, ctx=ast.Load()):
                if state is not None and name in self._names and name not in state:
                    raise self._too_early(node)
                return state
            case ast.BoolOp():
                return _join(self._condition(node, state))
            case ast.IfExp(test=test, body=body, orelse=orelse):
                right, wrong = self._condition(test, state)
                return _join([self._expression(body, right), self._expression(orelse, wrong)])
            case ast.NamedExpr(target=target, value=value):
                return self._all([value, target], state)
            case ast.Dict(keys=keys, values=values):
                pairs = zip(keys, values, strict=True)
                return self._all([each for pair in pairs for each in pair], state)
            case ast.Lambda(args=arguments):
                return self._all([*arguments.defaults, *arguments.kw_defaults], state)
            case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
                self._comprehension(node, state)
                return state
        state = self._children(node, state)
        return state if state is None else state | set(_binds(node))

    def _comprehension(self, node: Comprehension, state: State) -> None:
        self._expression(node.generators[0].iter, state)
        names = {name for each in node.generators for name in locals_of([each.target])}
        self._children(node, state if state is None else state | names)

    def _children(self, node: ast.AST, state: State) -> State:
        return self._all(ast.iter_child_nodes(node), state)

    def _all(self, nodes: Iterable[ast.AST | None], state: State) -> State:
        for node in nodes:
            state = state if node is None else self._expression(node, state)
        return state

    def _too_early(self, node: ast.Name) -> RefusalError:
        when = "if a with swallows an exception" if node.id in self._in_with else "yet"
        return RefusalError(f'"{node.id}" may have no value {when}', node.lineno)


def _loaded(name: ast.Name) -> ast.Name:
    return ast.copy_location(ast.Name(name.id, ast.Load()), name)


def _join(states: Iterable[State]) -> State:
    def both(one: State, other: State) -> State:
        if one is None or other is None:
            return other if one is None else one
        return one & other

    return reduce(both, states, None)

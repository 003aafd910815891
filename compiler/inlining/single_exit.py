"""Turns a body that returns in several places into one that runs to its end with a result.

    if not data:                      if not data:
        return None                       result = None
    size = len(data)        ->        else:
    return size * 2                       size = len(data)
                                          result = size * 2

    for each in data:                 for each in data:
        if each > 3:                      if each > 3:
            return each                       result = each
    return 0                ->                break
                                      else:
                                          result = 0

Where code behind a return would have to be written twice, a loop that runs once is left by `break`:

    try:                              while True:
        return int(data)                  try:
    except ValueError:                        result = int(data)
        pass                ->                break
    return 0                              except ValueError:
                                              pass
                                          result = 0
                                          break
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import TypeVar

from rivusio.compiler.inlining.definite_assignment import always_matches
from rivusio.compiler.inlining.eligibility import RefusalError

Node = TypeVar("Node", bound=ast.expr | ast.stmt)

DEEPEST = 4  # how deep the blocks with a return may stand in one another
LOOP = "it returns from inside a loop"


class _NotOnceError(Exception):
    """A block would have to be written twice, or where it means something else."""


def flatten(body: list[ast.stmt], result: Callable[[], str]) -> tuple[list[ast.stmt], ast.expr]:
    """Give statements without a `return`, and the expression that is the result after them.

    Args:
        body: of a function; it is taken apart. It is not empty.
        result: gives the name of a local for the result; called only if one is needed.

    Raises:
        RefusalError: when no form of it certainly means the same.
    """
    body = _up_to_its_end(body)
    match body:
        case [*before, ast.Return() as last] if not _returns(before):
            return before, _value(last)
    if not _returns(body):
        return body, _none(body[-1])
    form = _Form(result())
    try:
        statements = form.tail(deepcopy(body), body[-1])
    except _NotOnceError:
        statements = form.once(body)
    return statements, _at(body[-1], ast.Name(form.name, ast.Load()))


def _up_to_its_end(body: list[ast.stmt]) -> list[ast.stmt]:
    """Leave out what no run comes to."""
    for index, statement in enumerate(body, 1):
        if _ends(statement):
            return body[:index]
    return body


class _Form:
    """Writes blocks anew, so that they assign the result to `name` instead of returning it."""

    def __init__(self, name: str) -> None:
        self.name = name

    # Blocks that have nothing behind them

    def tail(self, block: list[ast.stmt], near: ast.stmt, level: int = 0) -> list[ast.stmt]:
        """Give a block after which the result is there, whichever way it was run through.

        Args:
            block: behind which nothing more is run.
            near: the statement whose place a result has that no statement gives.
            level: how deep the block stands in others with a return.
        """
        block = _up_to_its_end(block)
        for index, statement in enumerate(block):
            if _returns([statement]):
                before, rest = block[:index], block[index + 1 :]
                return [*before, *self._last(statement, rest, level)]
        if _end(block):
            return block
        last = block[-1] if block else near
        done = [each for each in block if not isinstance(each, ast.Pass)]
        return [*done, self._assign(_none(last), last)]

    def _last(self, statement: ast.stmt, rest: list[ast.stmt], level: int) -> list[ast.stmt]:
        """Write a statement that has a return in it, and take up what stands behind it."""
        if level > DEEPEST:
            reason = "its returns are nested too deep to be written flat"
            raise RefusalError(reason, statement.lineno)
        match statement:
            case ast.Return():
                return [self._assign(_value(statement), statement)]
            case ast.If():
                self._if(statement, rest, level)
            case ast.For() | ast.While():
                self._loop(statement, rest, level)
            case ast.Try():
                self._try(statement, rest, level)
            case ast.Match():
                self._match(statement, rest, level)
            case _:
                raise _NotOnceError  # a `with` may swallow an exception and go on
        return [statement]

    def _if(self, statement: ast.If, rest: list[ast.stmt], level: int) -> None:
        if rest and not (_end(statement.body) or _end(statement.orelse)):
            raise _NotOnceError
        body = [*statement.body, *([] if _end(statement.body) else rest)]
        orelse = [*statement.orelse, *([] if _end(statement.orelse) else rest)]
        is_elif = len(orelse) == 1 and isinstance(orelse[0], ast.If)
        statement.body = self.tail(body, statement, level + 1)
        statement.orelse = self.tail(orelse, statement, level + (not is_elif))

    def _loop(self, loop: ast.For | ast.While, rest: list[ast.stmt], level: int) -> None:
        if _breaks(loop.body):
            raise _NotOnceError
        if _is_endless(loop):
            loop.orelse = []  # only its returns end it
        else:
            loop.orelse = self.tail([*loop.orelse, *rest], loop, level + 1)
        loop.body = self._left(loop.body)

    def _try(self, statement: ast.Try, rest: list[ast.stmt], level: int) -> None:
        if _ends(statement):
            rest = []
        handled = all(_end(each.body) for each in statement.handlers)
        if rest and (statement.finalbody or not handled):
            raise _NotOnceError
        orelse = [*statement.orelse, *rest]
        if not orelse or _end(statement.body):
            statement.body = self.tail(statement.body, statement, level + 1)
            statement.orelse = []
        elif not _returns(statement.body):
            statement.orelse = self.tail(orelse, statement, level + 1)
        else:
            raise _NotOnceError
        for handler in statement.handlers:
            handler.body = self.tail(handler.body, statement, level + 1)

    def _match(self, statement: ast.Match, rest: list[ast.stmt], level: int) -> None:
        if rest and not all(_end(each.body) for each in statement.cases):
            raise _NotOnceError
        last = statement.cases[-1]
        for case in statement.cases:
            case.body = self.tail(case.body, case.body[-1], level + 1)
        if not always_matches(last):
            other = ast.match_case(
                pattern=ast.copy_location(ast.MatchAs(), last.pattern),
                guard=None,
                body=self.tail(rest, last.body[-1], level + 1),
            )
            statement.cases.append(other)

    # Loops that are left

    def once(self, body: list[ast.stmt]) -> list[ast.stmt]:
        """Give a body in a loop that runs once; it is left where the body returned.

        Raises:
            RefusalError: when the body returns from inside a loop of its own.
        """
        goes_on = not _end(body)
        inner = self._left(body)
        if goes_on:
            inner += [self._assign(_none(body[-1]), body[-1]), _at(body[-1], ast.Break())]
        return [_at(body[0], ast.While(_at(body[0], ast.Constant(value=True)), inner, []))]

    def _left(self, block: list[ast.stmt]) -> list[ast.stmt]:
        """Give a block of a loop that is left with the result where it returned."""
        written: list[ast.stmt] = []
        for statement in block:
            if isinstance(statement, ast.Return):
                written.append(self._assign(_value(statement), statement))
                written.append(_at(statement, ast.Break()))
                break
            if isinstance(statement, ast.For | ast.While) and (found := _returns(statement.body)):
                raise RefusalError(LOOP, found[0].lineno)
            for holder in _holders(statement):
                for name, inner in _own_blocks(holder):
                    setattr(holder, name, self._left(inner))
            written.append(statement)
        return written

    def _assign(self, value: ast.expr, at: ast.stmt) -> ast.stmt:
        target = _at(at, ast.Name(self.name, ast.Store()))
        return _at(at, ast.Assign(targets=[target], value=value))


# What a block does


def _returns(block: list[ast.stmt]) -> list[ast.Return]:
    return [each for part in block for each in ast.walk(part) if isinstance(each, ast.Return)]


def _breaks(body: list[ast.stmt]) -> bool:
    """Tell whether the body of a loop has a `break` of that loop."""
    for statement in body:
        if isinstance(statement, ast.Break):
            return True
        is_loop = isinstance(statement, ast.For | ast.While)
        for name, block in _blocks(statement):
            if not (is_loop and name == "body") and _breaks(block):
                return True
    return False


def _is_endless(loop: ast.For | ast.While) -> bool:
    match loop:
        case ast.While(test=ast.Constant(value=constant), body=body):
            return bool(constant) and not _breaks(body)
    return False


def _end(block: list[ast.stmt]) -> bool:
    """Tell whether no run comes to the end of a block."""
    return any(map(_ends, block))


def _ends(statement: ast.stmt) -> bool:
    """Tell whether no run comes from a statement to the next one."""
    match statement:
        case ast.Return() | ast.Raise() | ast.Break() | ast.Continue():
            return True
        case ast.If(body=body, orelse=orelse):
            return _end(body) and _end(orelse)
        case ast.For() | ast.While():
            return _is_endless(statement) or (
                _end(statement.orelse) and not _breaks(statement.body)
            )
        case ast.Try(body=body, handlers=handlers, orelse=orelse, finalbody=final):
            goes_on = not (_end(body) or _end(orelse))
            return _end(final) or not (goes_on or any(not _end(each.body) for each in handlers))
        case ast.Match(cases=cases):
            return always_matches(cases[-1]) and all(_end(each.body) for each in cases)
    return False


def _blocks(statement: ast.stmt) -> Iterator[tuple[str, list[ast.stmt]]]:
    """Give the blocks of a statement, those of its handlers and cases included."""
    for holder in _holders(statement):
        yield from _own_blocks(holder)


def _holders(statement: ast.stmt) -> list[ast.AST]:
    return [statement, *getattr(statement, "handlers", []), *getattr(statement, "cases", [])]


def _own_blocks(holder: ast.AST) -> Iterator[tuple[str, list[ast.stmt]]]:
    for name in ("body", "orelse", "finalbody"):
        if block := getattr(holder, name, None):
            yield name, block


# Nodes in the place of others


def _value(statement: ast.Return) -> ast.expr:
    return statement.value or _none(statement)


def _none(at: ast.stmt) -> ast.expr:
    return _at(at, ast.Constant(None))


def _at(place: ast.stmt, node: Node) -> Node:
    return ast.copy_location(node, place)

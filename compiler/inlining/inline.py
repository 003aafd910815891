"""Turns the body of a user's function into statements that can stand inside a generated loop.

    def process(self, data: str) -> float:      text_1 = item.strip()
        text = data.strip()                     self.seen += 1
        self.seen += 1                    ->    and the result:
        return RATES[text] * len(data)          m.RATES[text_1] * len(item)

A run with these statements cannot be told from one that calls the function; where that is not
certain, the answer is a reason instead. Names of the user's module are read from the live module
each time, as the function does. Two things are left to whoever calls this: that the function has
no closure, and that what is returned is written where no class would mangle its names again.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Container
from copy import deepcopy
from dataclasses import dataclass

from rivusio.compiler.inlining import definite_assignment, eligibility, single_exit
from rivusio.compiler.inlining.eligibility import Function, RefusalError, waits
from rivusio.compiler.inlining.mangle import mangle
from rivusio.compiler.inlining.rename import Names

__all__ = ["Function", "Inlined", "Refused", "Site", "inline", "waits"]


@dataclass(frozen=True, slots=True)
class Inlined:
    """A body that may stand in a loop.

    Attributes:
        statements: to be run; afterwards `result` is the result.
        result: to be evaluated exactly once, right after the statements.
        globals: the names that the body reads from its module, as `<module>.<name>`.
        builtins: the names that are left as they are: the module has none of that name.
        reads_receiver: whether the name of the pipe object occurs.
    """

    statements: tuple[ast.stmt, ...]
    result: ast.expr
    globals: frozenset[str]
    builtins: frozenset[str]
    reads_receiver: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a body stays a call, such as "it has a default", and the user's line that is why."""

    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Site:
    """Where a body is to stand, and what its names become there.

    Attributes:
        item: the name of what the function is called with; it is never assigned.
        receiver: the name of the live pipe object, for a method.
        module: the name of the live module object.
        module_names: the names that are globals of the user's module now.
        fresh: gives a name for a local: none of a builtin, nor one that is used elsewhere in the
            generated function. It is called once for each local.
        class_name: of the class that the method is written in.
        item_type: the type of the item, for where the body assigns to it; `"Any"` if not known.
        result: the name of the local that is assigned where the body returns in several places;
            None for a fresh one.
    """

    item: str
    receiver: str | None
    module: str
    module_names: Container[str]
    fresh: Callable[[str], str]
    class_name: str | None = None
    item_type: str = "Any"
    result: str | None = None


def inline(function: Function, site: Site) -> Inlined | Refused:
    """Give the body of a function as statements and a result, or the reason why not.

    Every node that is returned has the place of the user's code that it comes from. `function`,
    which has one parameter, or two when it is a method, is left as it is.
    """
    receiver = site.receiver
    try:
        eligibility.check_depth(function)
        function = mangle(deepcopy(function), site.class_name)
        eligibility.check(function, 1 if receiver is None else 2)
        own, data = _parameters(function, receiver)
        bound = definite_assignment.locals_of(_body(function))
        nothing = ast.copy_location(ast.Constant(None), _body(function)[0])
        if own in bound:
            raise RefusalError(
                f'it assigns to "{own}"', definite_assignment.line_of(own, _body(function))
            )
        body = [each for each in map(_Idle().visit, _body(function)) if each]
        definite_assignment.check(body, bound, {own, data} if own else {data})
        names = Names(
            bound={*bound, data},
            given={own: receiver} if own and receiver else {},
            module=site.module,
            module_names=site.module_names,
            fresh=site.fresh,
            own_name=None if receiver or isinstance(function, ast.Lambda) else function.name,
        )
        statements: list[ast.stmt] = []
        if data in definite_assignment.locals_of(body):
            statements.append(
                _copy_item(function.args, names.local(data), site.item, site.item_type)
            )
        else:
            names.give(data, site.item)
        body = [names.visit(each) for each in body]
        names.check_clashes()
        name = lambda: site.result or site.fresh("result")  # noqa: E731  asked for only if it is needed
        flat, gives = single_exit.flatten(body, name) if body else ([], nothing)
    except RefusalError as refusal:
        return Refused(refusal.reason, refusal.line)
    statements = [ast.fix_missing_locations(each) for each in (*statements, *flat)]
    parts = [node for each in (*statements, gives) for node in ast.walk(each)]
    return Inlined(
        tuple(statements),
        ast.fix_missing_locations(gives),
        frozenset(names.globals),
        frozenset(names.builtins),
        any(isinstance(each, ast.Name) and each.id == receiver for each in parts),
    )


def _parameters(function: Function, receiver: str | None) -> tuple[str | None, str]:
    names = [each.arg for each in (*function.args.posonlyargs, *function.args.args)]
    return (None if receiver is None else names[0]), names[-1]


def _body(function: Function) -> list[ast.stmt]:
    if isinstance(function, ast.Lambda):
        return [ast.copy_location(ast.Return(function.body), function.body)]
    return function.body


def _copy_item(arguments: ast.arguments, name: str, item: str, item_type: str) -> ast.stmt:
    """Copy the item into a local that the body may assign to."""
    place = (*arguments.posonlyargs, *arguments.args)[-1]
    target, value = ast.Name(name, ast.Store()), ast.Name(item, ast.Load())
    copy: ast.stmt = ast.Assign([target], value)
    if item_type != "Any":
        copy = ast.AnnAssign(target, ast.parse(item_type, mode="eval").body, value, simple=1)
    for node in ast.walk(copy):
        if isinstance(node, ast.stmt | ast.expr):
            ast.copy_location(node, place)
    return copy


class _Idle(ast.NodeTransformer):
    """Takes out the statements that do nothing, and puts `pass` where none would be left."""

    def visit_Pass(self, _: ast.Pass) -> None:
        """Take it out."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Take out a docstring and the like."""
        return None if isinstance(node.value, ast.Constant) else node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """Take out an annotation of what is no variable, if it assigns nothing."""
        return node if node.value or isinstance(node.target, ast.Name) else None

    def generic_visit(self, node: ast.AST) -> ast.AST:
        """Go through the blocks of a statement, handler or case."""
        body = getattr(node, "body", None)
        first = body[0] if isinstance(body, list) else None
        super().generic_visit(node)
        if first and not body:
            node.body = [ast.copy_location(ast.Pass(), first)]  # type: ignore[attr-defined]
        if isinstance(node, ast.Try) and not (node.handlers or node.finalbody):
            node.finalbody = [ast.copy_location(ast.Pass(), node)]
        return node

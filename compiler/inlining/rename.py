"""Gives every name of a body the name, or the expression, that it is in generated code.

A name in a function means one of four things, and in a comprehension or lambda one more:

    its parameters     what the loop calls the item and the pipe
    its locals         a fresh name each
    its module's       `m.RATES`: read from the live module, each time
    Python's own       left as they are
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Container
from dataclasses import dataclass
from typing import Any

from rivusio.compiler.inlining.annotations import hide_unknown, write_out
from rivusio.compiler.inlining.definite_assignment import locals_of
from rivusio.compiler.inlining.eligibility import FRAME_NAMES, Comprehension, RefusalError

BUILTINS = frozenset(vars(builtins))

# Builtins that have done with a generator when they return, by how many arguments they may have.
CONSUMERS = {
    **dict.fromkeys(("sum", "next"), 2),
    **dict.fromkeys(("any", "all", "min", "max", "sorted"), 1),
    **dict.fromkeys(("list", "tuple", "set", "dict", "frozenset"), 1),
}


@dataclass(frozen=True, slots=True)
class _Scope:
    """A comprehension or lambda: what its own names become, and whether it may run later."""

    names: dict[str, str]
    later: bool


# Large: Python has so many ways to bind or read a name; a visitor for each.
class Names(ast.NodeTransformer):
    """Changes the names of a body.

    Attributes:
        globals: the names that were found to be the module's.
        builtins: the names that were found to be Python's own.
    """

    def __init__(
        self,
        *,
        bound: Container[str],
        given: dict[str, str],
        module: str,
        module_names: Container[str],
        fresh: Callable[[str], str],
        own_name: str | None,
    ) -> None:
        self.globals: set[str] = set()
        self.builtins: set[str] = set()
        self._bound = bound
        self._locals = dict(given)
        self._inner: dict[str, str] = {}
        self._module = module
        self._module_names = module_names
        self._fresh = fresh
        self._own_name = own_name
        self._scopes: list[_Scope] = []
        self._harmless: list[ast.expr] = []  # for all that their nature says
        self._lambdas: list[ast.Lambda] = []

    def local(self, name: str) -> str:
        """Give the name that a local or parameter has from now on."""
        if name not in self._locals:
            self._locals[name] = self._fresh(name)
        return self._locals[name]

    def give(self, name: str, new: str) -> None:
        """Say what a local or parameter is called from now on."""
        self._locals[name] = new

    def check_clashes(self) -> None:
        """Refuse a lambda whose parameter has one of the names that were given.

        Such a parameter keeps its name, as it may be passed by it.

        Raises:
            RefusalError: with the line of the lambda.
        """
        given = {self._module, *self._locals.values(), *self._inner.values()}
        for node in self._lambdas:
            for name in _names_of(node.args):
                if name in given:
                    reason = f'its lambda has a parameter "{name}", which generated code needs'
                    raise RefusalError(reason, node.lineno)

    # Names

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Change a name, wherever it stands."""
        for scope in reversed(self._scopes):
            if node.id in scope.names:
                return ast.copy_location(ast.Name(scope.names[node.id], node.ctx), node)
        if self._is_local(node.id):
            if any(scope.later for scope in self._scopes):
                raise RefusalError(f'a lambda or generator in it uses "{node.id}"', node.lineno)
            return ast.copy_location(ast.Name(self.local(node.id), node.ctx), node)
        return self._free(node)

    def _is_local(self, name: str) -> bool:
        return name in self._locals or name in self._bound

    def _is_free(self, name: str) -> bool:
        return not (self._is_local(name) or any(name in each.names for each in self._scopes))

    def _is_builtin(self, name: str) -> bool:
        return self._is_free(name) and name not in self._module_names and name in BUILTINS

    def _free(self, node: ast.Name) -> ast.expr:
        name, wrong = node.id, None
        if name == self._own_name:
            wrong = "it calls itself"
        elif name == "super":
            wrong = "it uses super()"
        elif name == "__class__":
            wrong = "it uses __class__"
        elif name in FRAME_NAMES or (name in {"vars", "dir"} and node not in self._harmless):
            wrong = f'it looks at frames by "{name}"'
        elif name not in self._module_names and name not in BUILTINS:
            wrong = f'it reads "{name}", which is neither in its module nor a builtin'
        if wrong:
            raise RefusalError(wrong, node.lineno)
        if name not in self._module_names:
            self.builtins.add(name)
            return node
        self.globals.add(name)
        module = ast.copy_location(ast.Name(self._module, ast.Load()), node)
        return ast.copy_location(ast.Attribute(module, name, node.ctx), node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> ast.AST:
        """Change the name of the exception."""
        node.name = node.name and self.local(node.name)
        return self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> ast.AST:
        """Change the name that a pattern binds."""
        node.name = node.name and self.local(node.name)
        return self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> ast.AST:
        """Change the name that a pattern binds to the rest of a sequence."""
        node.name = node.name and self.local(node.name)
        return node

    def visit_MatchMapping(self, node: ast.MatchMapping) -> ast.AST:
        """Change the name that a pattern binds to the rest of a mapping."""
        node.rest = node.rest and self.local(node.rest)
        return self.generic_visit(node)

    # Scopes

    def visit(self, node: ast.AST) -> Any:
        """Change the names in a node; comprehensions of all kinds have names of their own."""
        return self._comprehension(node) if isinstance(node, Comprehension) else super().visit(node)

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        """Change what a lambda reads from outside."""
        self._lambdas.append(node)
        node.args = self.visit(node.args)
        self._scopes.append(_Scope({name: name for name in _names_of(node.args)}, later=True))
        node.body = self.visit(node.body)
        self._scopes.pop()
        return node

    def _comprehension(self, node: Comprehension) -> ast.AST:
        first = node.generators[0]
        outermost = self.visit(first.iter)  # it is evaluated outside
        first.iter = ast.copy_location(ast.Constant(None), outermost)
        names = {name for each in node.generators for name in locals_of([each.target])}
        renamed = {name: self._inner_name(name) for name in sorted(names)}
        later = isinstance(node, ast.GeneratorExp) and node not in self._harmless
        self._scopes.append(_Scope(renamed, later))
        self.generic_visit(node)
        self._scopes.pop()
        first.iter = outermost
        return node

    def _inner_name(self, name: str) -> str:
        if name not in self._inner:
            self._inner[name] = self._fresh(name)
        return self._inner[name]

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Look at the calls that make a difference to what stands in them."""
        match node:
            case ast.Call(func=ast.Name(id="vars" | "dir") as function, args=[given, *_]) if (
                not isinstance(given, ast.Starred)
            ):
                self._harmless.append(function)
            case ast.Call(func=ast.Name(id="type"), args=arguments) if self._is_builtin("type"):
                if len(arguments) != 1 or isinstance(arguments[0], ast.Starred):
                    raise RefusalError('it makes a class by "type"', node.lineno)
            case ast.Call(args=[ast.GeneratorExp() as generator, *_]) if self._consumes(node):
                self._harmless.append(generator)
        return self.generic_visit(node)

    def _consumes(self, call: ast.Call) -> bool:
        """Tell whether a generator that is given to a call has ended, or is gone, after it."""
        if any(isinstance(each, ast.NamedExpr) for each in ast.walk(call)):
            return False  # it might assign what the generator reads
        match call.func:
            case ast.Name(id=name) if name in CONSUMERS and self._is_builtin(name):
                starred = any(isinstance(each, ast.Starred) for each in call.args)
                return len(call.args) <= CONSUMERS[name] and not starred
            case ast.Attribute(value=ast.Constant(value=str()) | ast.JoinedStr(), attr="join"):
                return True
        return False

    # Annotations

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        """Keep the annotation of a local; what cannot be named here is `Any`."""
        annotation = self._annotation(node.annotation)
        target = self.visit(node.target)
        if node.value is None:
            node.target = target
            node.annotation = annotation or ast.copy_location(
                ast.Name("Any", ast.Load()), node.annotation
            )
            return node
        value = self.visit(node.value)
        if annotation is None or not isinstance(target, ast.Name):
            return ast.copy_location(ast.Assign(targets=[target], value=value), node)
        node.target, node.annotation, node.value = target, annotation, value
        return node

    def _annotation(self, node: ast.expr) -> ast.expr | None:
        written = write_out(node)
        if written is None:
            return None
        parts = list(ast.walk(written))
        if any(isinstance(each, ast.Call | ast.Lambda | Comprehension) for each in parts):
            return None
        known = hide_unknown(written, self._is_known)
        self._scopes.append(_Scope({"Any": "Any"}, later=False))
        changed: ast.expr = self.visit(known)
        self._scopes.pop()
        return changed

    def _is_known(self, name: str) -> bool:
        return self._is_free(name) and (name in self._module_names or name in BUILTINS)


def _names_of(taken: ast.arguments) -> list[str]:
    rest = [each for each in (taken.vararg, taken.kwarg) if each]
    return [each.arg for each in (*taken.posonlyargs, *taken.args, *taken.kwonlyargs, *rest)]

"""What mypy knows of a file beside its chains: for stages that only running the program tells."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from mypy import nodes, types
from mypy.build import BuildResult

from rivusio.compiler.analysis.callees import Functions
from rivusio.compiler.analysis.project import Project
from rivusio.compiler.analysis.settings import Reading, Undetermined
from rivusio.compiler.analysis.stages import is_made_by_rivusio
from rivusio.compiler.typecheck import stage_types
from rivusio.compiler.typecheck.facts import KnownFunction, KnownModule
from rivusio.compiler.typecheck.typed import Typed

REDUCE = "functools.reduce"  # of `operator.rshift` it gives a chain, and mypy cannot say of which


def dynamic_names(tree: nodes.MypyFile, reading: Reading, made: set[str]) -> tuple[str, ...]:
    """Give the names that hold a pipeline which something else makes than the text."""
    found = []
    for name, variable in _variables(tree.names, tree.fullname):
        value = None if name in made else reading.bindings.bound_to(variable)
        if isinstance(value, nodes.CallExpr | nodes.IndexExpr | nodes.ConditionalExpr) and (
            _may_be_pipe(variable.type, value) and not _is_call_of_a_maker(value, made)
        ):
            found.append(name)
    return tuple(found)


def _variables(
    names: nodes.SymbolTable, module: str, prefix: str = ""
) -> Iterator[tuple[str, nodes.Var]]:
    """Give the variables of a module and of its classes, with qualified names."""
    for name, symbol in names.items():
        match symbol.node:
            case nodes.Var() as variable:
                yield f"{prefix}{name}", variable
            case nodes.TypeInfo(fullname=fullname, names=inner) if (
                fullname == f"{module}.{prefix}{name}"
            ):
                yield from _variables(inner, module, f"{prefix}{name}.")


def _may_be_pipe(its: types.Type | None, value: nodes.Expression) -> bool:
    """Tell whether mypy takes a value for a pipe, or knows nothing of one that it may well be.

    That is what `reduce` has joined, and what `map` and its kin make of they know not what.
    """
    match stage_types.meaning_of(its):
        case (stage_types.Pipe(),):
            return True
        case (stage_types.Unknown(),) if isinstance(value, nodes.CallExpr):
            name = value.callee.fullname if isinstance(value.callee, nodes.RefExpr) else ""
            return name == REDUCE or is_made_by_rivusio(value)
    return False


def _is_call_of_a_maker(value: nodes.Expression, made: set[str]) -> bool:
    """Tell whether a function of this file is called in which a chain was found."""
    match value:
        case nodes.CallExpr(callee=nodes.NameExpr(name=name)):
            return any(f"{each}.".startswith(f"{name}.") for each in made)
    return False


def known_functions(parts: Iterable[nodes.Node], functions: Functions) -> Iterator[KnownFunction]:
    """Say what mypy knows of each function of a file."""
    for part in parts:
        if isinstance(part, nodes.FuncDef | nodes.LambdaExpr):
            with suppress(Undetermined):
                known = functions.known(part)
                if known is not None:
                    yield known


def known_beside(
    modules: Iterable[str], result: BuildResult, functions: Functions
) -> Iterator[KnownFunction]:
    """Say the same of the functions and methods at the top level of other modules."""
    for module in modules:
        for node in _defined(result.files[module].names, module):
            with suppress(Undetermined):
                known = functions.known(node, module)
                if known is not None:
                    yield known


def _defined(names: nodes.SymbolTable, module: str) -> Iterator[nodes.FuncDef]:
    for _, symbol in sorted(names.items()):
        node = symbol.node.func if isinstance(symbol.node, nodes.Decorator) else symbol.node
        if isinstance(node, nodes.FuncDef):
            yield node
        elif isinstance(node, nodes.TypeInfo) and node.module_name == module:
            yield from _defined(node.names, module)


def known_modules(
    chains: Sequence[Typed], module: str, path: str, project: Project, beside: Iterable[str]
) -> Iterator[KnownModule]:
    """Give the modules in which functions of the stages may be written, and the file's own."""
    files = {module: path} | {each: project.path_of(each) for each in beside}
    for typed in chains:
        for stage in typed.chain.stages:
            if (function := stage.facts.function) is not None:
                files[function.module] = function.file
    for name, file in sorted(files.items()):
        yield KnownModule(name, file, project.names_of(name))

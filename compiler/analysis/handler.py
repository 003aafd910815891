"""The child process of the oracle: one run of mypy over the files, and the types of their chains.

mypy types every expression of a file. Of an operand such as `map(parse)` it does so again for
each overload of `>>` that it tries, and what is left in the end is the type in the last try:
wrong, where the joint is. So a plugin notes the type that such an operand has by itself.

Names in mypy that are not documented are met in the children only, and with care: what a version
of mypy does not have means fewer types, not a crash.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from mypy import build, nodes, types
from mypy.errors import CompileError
from mypy.options import Options
from mypy.plugin import MethodSigContext, Plugin
from mypy.state import state

from rivusio.compiler.analysis import module_facts
from rivusio.compiler.analysis.bindings import Bindings
from rivusio.compiler.analysis.callees import Functions
from rivusio.compiler.analysis.project import Project
from rivusio.compiler.analysis.settings import Reading
from rivusio.compiler.analysis.stages import StageFacts
from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.frontend.finder import SAME_STAGES
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.mypy_server import build as mypy_build
from rivusio.compiler.mypy_server import options as mypy_options
from rivusio.compiler.mypy_server.options import complaints
from rivusio.compiler.typecheck import chains as typed_chains
from rivusio.compiler.typecheck import stage_types
from rivusio.compiler.typecheck.mismatches import Misfit
from rivusio.compiler.typecheck.request import (
    ANSWER,
    REQUEST,
    Answer,
    AskedFile,
    Request,
    TypedFile,
)
from rivusio.compiler.typecheck.typed import Typed

JOINS = ("__rshift__", "__rrshift__", "then")
# What mypy calls a joint that does not fit, where a `type: ignore` names what it ignores.
JOINT_CODES = {"operator", "arg-type", "misc", "call-overload", "rivusio-chain"}
BLIND = (
    'it finds no "rivusio", or another module of that name; look at what stands beside the file, '
    "and at python_executable and mypy_path in its settings"
)
NOT_CHILDREN = {"node", "info", "var", "type", "analyzed"}  # they lead out of the file

_AloneTypes = dict[nodes.Expression, types.Type]


class Recorder(Plugin):
    """Notes the types that operands have by themselves."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.alone: _AloneTypes = {}

    def get_method_signature_hook(
        self, fullname: str
    ) -> Callable[[MethodSigContext], types.FunctionLike] | None:
        """Called for every call of a method, before its overloads are tried."""
        return self._record if fullname.rpartition(".")[2] in JOINS else None

    def _record(self, context: MethodSigContext) -> types.FunctionLike:
        with contextlib.suppress(Exception):  # the user's mypy run matters more
            self._note_left(context)
            for operand in (each for group in context.args for each in group):
                if stage_types.is_definite(self.alone.get(operand)):
                    continue
                with context.api.msg.filter_errors():
                    self.alone[operand] = context.api.get_expression_type(operand)
        return context.default_signature

    def _note_left(self, context: MethodSigContext) -> None:
        """Note the type of what stands left of `>>`: its method is the one that is called."""
        match context.context:
            case nodes.OpExpr(left=left, right=right) if [right] in context.args:
                pass
            case nodes.CallExpr(callee=nodes.MemberExpr(expr=left)):
                pass
            case _:
                return
        if not stage_types.is_definite(self.alone.get(left)):
            self.alone[left] = context.type


def reply(request: bytes) -> bytes:
    """Answer a request as it comes from the parent process."""
    return ANSWER.dump_json(answer(REQUEST.validate_json(request)))


def answer(request: Request) -> Answer:
    """Run mypy over the files, and type their chains."""
    users, options = _options()
    sources = mypy_options.sources([(each.path, each.text) for each in request.files], options)
    recorder = Recorder(options)
    try:
        result = mypy_build.run_build(sources, options, [recorder])
    except CompileError as error:
        return Answer((), tuple(complaints(error.messages, stops=True)))
    said = list(complaints(result.errors))
    asked = {
        source.module: (file.path, file.text)
        for file, source in zip(request.files, sources, strict=True)
    }
    project = Project(result, asked, said, options)
    blind = [each.path for each in sources if each.path and project.misses_rivusio(each.module)]
    if blind:
        return Answer((), tuple(Complaint(each, 1, 0, BLIND, None, stops=True) for each in blind))
    files = []
    unread = {os.path.realpath(each.path) for each in said if each.stops}
    for file, source in zip(request.files, sources, strict=True):
        if os.path.realpath(file.path) in unread:
            continue  # there is nothing in it, as far as mypy knows
        with state.strict_optional_set(options.clone_for_module(source.module).strict_optional):
            typed = _typed_file(
                file,
                source.module,
                result,
                recorder.alone,
                project,
                strictly=users.check_untyped_defs,
            )
        files.append(typed)
    return Answer(tuple(files), tuple(_wanted(said, result, users)))


def _options() -> tuple[Options, Options]:
    """Give the user's own settings, and the same with what the oracle needs."""
    options = mypy_options.settings()
    users = options.apply_changes({})
    mypy_options.tell_more(options)
    options.export_types = options.preserve_asts = True
    return users, options


def _wanted(
    said: list[Complaint], result: build.BuildResult, users: Options
) -> Iterator[Complaint]:
    """Leave out what mypy has said for our sake only."""
    ours = {code: name for name, code in mypy_options.TELLING.items()}
    modules = {
        os.path.realpath(state.path): state.id for state in result.graph.values() if state.path
    }
    for each in said:
        name = ours.get(each.code or "")
        module = modules.get(os.path.realpath(each.path), "")
        if name is None or getattr(users.clone_for_module(module), name):
            yield each


# What mypy answers


def _typed_file(
    file: AskedFile,
    module: str,
    result: build.BuildResult,
    alone: _AloneTypes,
    project: Project,
    *,
    strictly: bool,
) -> TypedFile:
    tree = result.graph[module].tree
    if tree is None:
        return TypedFile(file.path, module, (), ())
    parts = list(_parts(tree))
    spans = _by_span([*parts, *_decorated(parts, result.types)])
    wrong = [
        (said.line, said.column)
        for said in project.complaints
        if os.path.realpath(said.path) == os.path.realpath(file.path)
    ]
    lambdas = {
        (each.line, each.column): each for each in parts if isinstance(each, nodes.LambdaExpr)
    }
    functions = Functions(module, Reading(Bindings(parts), result.types), project)
    world = typed_chains.World(
        partial(_type_at, spans, result.types, alone),
        partial(_bare_type_at, spans, result.types, alone),
        partial(_type_in_place, spans, result.types, wrong),
        partial(_applied_at, spans, result.types),
        StageFacts(functions, partial(_node_at, spans, lambdas)).of,
        _instance(result, "builtins.function"),
        lambda item: _instance(result, "builtins.list", item),
    )
    typed = (
        _excused(each, tree) for found in file.chains if (each := typed_chains.typed(found, world))
    )
    loose = () if strictly else tuple(_unannotated(parts))
    chains = tuple(typed)
    named = module_facts.loose(tree, functions.reading, _made(file, chains))
    # Only where the file will be imported can stages be functions that its text does not name.
    is_live = bool(named) or any(
        stage.facts.unsure for each in chains for stage in each.chain.stages
    )
    beside = project.imported_by(module) if is_live else []
    return TypedFile(
        file.path,
        module,
        chains,
        loose,
        named,
        (
            *module_facts.known_functions(parts, functions),
            *module_facts.known_beside(beside, result, functions),
        ),
        tuple(module_facts.known_modules(chains, module, file.path, project, beside)),
        project.files_of(module),
    )


def _made(file: AskedFile, chains: Sequence[Typed]) -> set[str]:
    """Name what the text makes, and what its chains have as stages.

    A call that gives some pipe tells of nothing by itself.
    """
    stages = {each.source for found in file.chains for each in found.operands}
    return stages | {
        each.chain.name
        for each in chains
        if not (each.chain.lone and any(stage.facts.unsure for stage in each.chain.stages))
    }


_Part = nodes.Expression | nodes.Statement


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


def _node_at(
    spans: dict[Span, list[nodes.Expression]],
    lambdas: dict[tuple[int, int], nodes.LambdaExpr],
    span: Span,
) -> nodes.Expression | None:
    """Give the expression at a span; of a lambda mypy knows only where it begins."""
    found = next(iter(spans.get(span, ())), None)
    return found or lambdas.get((span.line, span.column))


def _type_at(
    spans: dict[Span, list[nodes.Expression]],
    inferred: dict[nodes.Expression, types.Type],
    alone: _AloneTypes,
    span: Span,
) -> types.Type | None:
    """Give the type that an operand has by itself if that is a definite one, or else in place."""
    there = spans.get(span, ())
    by_itself = (alone[each] for each in there if each in alone)
    definite = (each for each in by_itself if stage_types.is_definite(each))
    in_place = (inferred[each] for each in there if each in inferred)
    return next(definite, None) or next(in_place, None)


def _bare_type_at(
    spans: dict[Span, list[nodes.Expression]],
    inferred: dict[nodes.Expression, types.Type],
    alone: _AloneTypes,
    span: Span,
) -> types.Type | None:
    """Give the type of what has the settings, where an operand is `pipe.with_config(...)`."""
    for each in spans.get(span, ()):
        inner = each
        while True:
            match inner:
                case nodes.CallExpr(callee=nodes.MemberExpr(expr=pipe, name=method)) if (
                    method in SAME_STAGES
                ):
                    inner = pipe
                case _:
                    break
        if inner is not each and inner in inferred:
            return inferred[inner]
    return _type_at(spans, inferred, alone, span)


def _type_in_place(
    spans: dict[Span, list[nodes.Expression]],
    inferred: dict[nodes.Expression, types.Type],
    wrong: list[tuple[int, int]],
    span: Span,
) -> types.Type | None:
    """Give the type that an operand has in place, if mypy has nothing against it there."""
    if any(span.holds(*place) for place in wrong):
        return None
    return next((inferred[each] for each in spans.get(span, ()) if each in inferred), None)


def _applied_at(
    spans: dict[Span, list[nodes.Expression]],
    inferred: dict[nodes.Expression, types.Type],
    span: Span,
) -> stage_types.Function | None:
    """Give the function of `map(function)`, where it is given by its name."""
    for each in spans.get(span, ()):
        match each:
            case nodes.CallExpr(
                callee=nodes.RefExpr(fullname=name), args=[nodes.RefExpr() as given, *_]
            ) if given in inferred:
                return stage_types.applied(name, inferred[given])
    return None


def _instance(result: build.BuildResult, name: str, *arguments: types.Type) -> types.Instance:
    info = result.files["builtins"].names[name.removeprefix("builtins.")].node
    assert isinstance(info, nodes.TypeInfo)  # noqa: S101  typeshed has it so
    return types.Instance(info, list(arguments))


def _excused(typed: Typed, tree: nodes.MypyFile) -> Typed:
    misfits = (replace(each, excused=_is_ignored(each, tree)) for each in typed.misfits)
    return replace(typed, misfits=tuple(misfits))


def _is_ignored(misfit: Misfit, tree: nodes.MypyFile) -> bool:
    """Tell whether a `type: ignore` at the joint means it."""
    lines = {misfit.at.line, misfit.whole.line, misfit.whole.end_line} & tree.ignored_lines.keys()
    codes = (set(tree.ignored_lines[line]) for line in lines)
    return any(not each or each & JOINT_CODES for each in codes)


def _unannotated(parts: list[_Part]) -> Iterator[Span]:
    """Give the functions that mypy looks into for our sake only."""
    for part in parts:
        if isinstance(part, nodes.FuncDef) and part.unanalyzed_type is None:
            yield Span(part.line, 0, (part.end_line or part.line) + 1, 0)

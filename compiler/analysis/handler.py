"""The child process of the oracle: one run of mypy over the files, and the types of their chains.

mypy types every expression of a file; a plugin, `recorder`, notes what operands are by themselves.

Names in mypy that are not documented are met in the children only, and with care: what a version
of mypy does not have means fewer types, not a crash.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace

from mypy import build, nodes, types
from mypy.errors import CompileError
from mypy.options import Options
from mypy.state import state

from rivusio.compiler.analysis import module_facts
from rivusio.compiler.analysis.bindings import Bindings
from rivusio.compiler.analysis.callees import Functions
from rivusio.compiler.analysis.expression_index import ExpressionIndex
from rivusio.compiler.analysis.project import Project
from rivusio.compiler.analysis.recorder import AloneTypes, Recorder
from rivusio.compiler.analysis.settings import Reading
from rivusio.compiler.analysis.stages import StageFacts
from rivusio.compiler.diagnostics import Complaint
from rivusio.compiler.mypy_server import build as mypy_build
from rivusio.compiler.mypy_server import options as mypy_options
from rivusio.compiler.mypy_server.options import complaints
from rivusio.compiler.typecheck import chains as typed_chains
from rivusio.compiler.typecheck.mismatches import Mismatch
from rivusio.compiler.typecheck.request import (
    ANSWER,
    REQUEST,
    Answer,
    AskedFile,
    Request,
    TypedFile,
)
from rivusio.compiler.typecheck.type_lookup import TypeLookup
from rivusio.compiler.typecheck.typed import Typed

# What mypy calls a join that does not fit, where a `type: ignore` names what it ignores.
JOIN_CODES = {"operator", "arg-type", "misc", "call-overload", "rivusio-chain"}
BLIND = (
    'it finds no "rivusio", or another module of that name; look at what stands beside the file, '
    "and at python_executable and mypy_path in its settings"
)


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
    alone: AloneTypes,
    project: Project,
    *,
    strictly: bool,
) -> TypedFile:
    tree = result.graph[module].tree
    if tree is None:
        return TypedFile(file.path, module, (), ())
    wrong = [
        (said.line, said.column)
        for said in project.complaints
        if os.path.realpath(said.path) == os.path.realpath(file.path)
    ]
    index = ExpressionIndex(tree, result.types, alone, wrong)
    functions = Functions(module, Reading(Bindings(index.parts), result.types), project)
    lookup = TypeLookup(
        type_at=index.type_at,
        bare_type_at=index.bare_type_at,
        type_in_place=index.type_in_place,
        applied_at=index.applied_at,
        facts_of=StageFacts(functions, index.node_at).of,
        function=_instance(result, "builtins.function"),
        list_of=lambda item: _instance(result, "builtins.list", item),
    )
    typed = (
        _excused(each, tree) for found in file.chains if (each := typed_chains.typed(found, lookup))
    )
    unasked = () if strictly else tuple(index.unannotated())
    chains = tuple(typed)
    named = module_facts.dynamic_names(tree, functions.reading, _made(file, chains))
    # Only where the file will be imported can stages be functions that its text does not name.
    is_live = bool(named) or any(
        stage.facts.undetermined for each in chains for stage in each.chain.stages
    )
    beside = project.imported_by(module) if is_live else []
    return TypedFile(
        file.path,
        module,
        chains,
        unasked,
        named,
        (
            *module_facts.known_functions(index.parts, functions),
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
        if not (
            each.chain.single_stage and any(stage.facts.undetermined for stage in each.chain.stages)
        )
    }


def _instance(result: build.BuildResult, name: str, *arguments: types.Type) -> types.Instance:
    info = result.files["builtins"].names[name.removeprefix("builtins.")].node
    assert isinstance(info, nodes.TypeInfo)  # noqa: S101  typeshed has it so
    return types.Instance(info, list(arguments))


def _excused(typed: Typed, tree: nodes.MypyFile) -> Typed:
    mismatches = (replace(each, excused=_is_ignored(each, tree)) for each in typed.mismatches)
    return replace(typed, mismatches=tuple(mismatches))


def _is_ignored(mismatch: Mismatch, tree: nodes.MypyFile) -> bool:
    """Tell whether a `type: ignore` at the join means it."""
    lines = {
        mismatch.at.line,
        mismatch.whole.line,
        mismatch.whole.end_line,
    } & tree.ignored_lines.keys()
    codes = (set(tree.ignored_lines[line]) for line in lines)
    return any(not each or each & JOIN_CODES for each in codes)

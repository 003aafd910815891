"""The child process of the oracle: one run of mypy over the files, and the types of their chains.

mypy types every expression of a file. Of an operand such as `map(parse)` it does so again for
each overload of `>>` that it tries, and what is left in the end is the type in the last try:
wrong, where the joint is. So a plugin notes the type that such an operand has by itself.

Names in mypy that are not documented are met here only, and with care: what a version of mypy
does not have means fewer types, not a crash.
"""

from __future__ import annotations

import contextlib
import gc
import hashlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from mypy import build, main, nodes, types
from mypy.errors import CompileError
from mypy.find_sources import InvalidSourceList, create_source_list
from mypy.modulefinder import BuildSource
from mypy.options import Options
from mypy.plugin import MethodSigContext, Plugin
from mypy.state import state

from rivusio.compiler import joints, operands
from rivusio.compiler.ir import Complaint, Misfit, Span, Typed
from rivusio.compiler.oracle import ANSWER, REQUEST, Answer, AskedFile, Request, TypedFile

JOINS = ("__rshift__", "__rrshift__", "then")
# What mypy calls a joint that does not fit, where a `type: ignore` names what it ignores.
JOINT_CODES = {"operator", "arg-type", "misc", "call-overload", "rivusio-chain"}
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
                if operands.is_definite(self.alone.get(operand)):
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
        if not operands.is_definite(self.alone.get(left)):
            self.alone[left] = context.type


def answer(request: Request) -> Answer:
    """Run mypy over the files, and type their chains."""
    user_checks_all, options = _options()
    sources = _sources(request, options)
    recorder = Recorder(options)
    try:
        result = build.build(sources, options, extra_plugins=[recorder], stdout=sys.stderr)
    except CompileError as error:
        return Answer((), tuple(_complaints(error.messages, stops=True)))
    files = []
    for file, source in zip(request.files, sources, strict=True):
        with state.strict_optional_set(options.clone_for_module(source.module).strict_optional):
            typed = _typed_file(
                file, source.module, result, recorder.alone, strictly=user_checks_all
            )
        files.append(typed)
    return Answer(tuple(files), tuple(_complaints(result.errors)))


# What mypy is given


def _options() -> tuple[bool, Options]:
    """Give the user's own settings with the few changes that the oracle needs.

    The first tells whether the user wants functions without annotations checked, too.
    """
    # Any file will do, so that mypy does not take those that the settings name.
    _, options = main.process_options([__file__], stdout=sys.stderr, stderr=sys.stderr)
    user_checks_all = options.check_untyped_defs
    options.cache_dir = _cache_dir(options)
    options.check_untyped_defs = True  # a chain in a function without annotations is a chain
    options.export_types = options.preserve_asts = True
    options.incremental = True
    if hasattr(options, "native_parser"):  # mypy 2: its columns are wrong behind a letter like "ä"
        options.native_parser = False
    if hasattr(options, "num_workers"):  # mypy 2
        options.num_workers = 0
    options.output = "json"
    options.report_dirs = {}
    options.pretty = False
    return user_checks_all, options


def _cache_dir(options: Options) -> str:
    """Give a cache of our own beside the user's settings, or elsewhere if it cannot be there."""
    if given := os.environ.get("MYPY_CACHE_DIR"):
        return str(Path(given) / "rivusio")
    beside = Path(options.config_file).parent if options.config_file else Path.cwd()
    place = hashlib.sha256(os.fsencode(Path.cwd())).hexdigest()[:16]
    elsewhere = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    for folder in (beside / ".mypy_cache" / "rivusio", elsewhere / "rivusio" / place):
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return str(folder)
    return os.devnull


def _sources(request: Request, options: Options) -> list[BuildSource]:
    """Name the modules as mypy does, each with its text: from its cache it has no types.

    Files that mypy cannot tell apart, such as two scripts of one name, get names of their own.
    """
    sources: list[BuildSource] = []
    for index, file in enumerate(request.files):
        module, base = _module_of(file.path, options)
        if module is None or any(source.module == module for source in sources):
            module, base = f"rivusio_checks_{index}", None
        sources.append(BuildSource(file.path, module, file.text, base))
    return sources


def _module_of(path: str, options: Options) -> tuple[str | None, str | None]:
    try:
        [source] = create_source_list([path], options)
    except InvalidSourceList:
        return None, None
    return source.module, source.base_dir


# What mypy answers


def _typed_file(
    file: AskedFile,
    module: str,
    result: build.BuildResult,
    alone: _AloneTypes,
    *,
    strictly: bool,
) -> TypedFile:
    tree = result.graph[module].tree
    if tree is None:
        return TypedFile(file.path, (), ())
    parts = list(_parts(tree))
    spans = _by_span(parts)
    wrong = [
        (said.line, said.column)
        for said in _complaints(result.errors)
        if os.path.realpath(said.path) == os.path.realpath(file.path)
    ]
    world = joints.World(
        partial(_type_at, spans, result.types, alone),
        partial(_type_in_place, spans, result.types, wrong),
        partial(_applied_at, spans, result.types),
        _instance(result, "builtins.function"),
        lambda item: _instance(result, "builtins.list", item),
    )
    typed = (_excused(each, tree) for found in file.chains if (each := joints.typed(found, world)))
    loose = () if strictly else tuple(_unannotated(parts))
    return TypedFile(file.path, tuple(typed), loose)


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


def _type_at(
    spans: dict[Span, list[nodes.Expression]],
    inferred: dict[nodes.Expression, types.Type],
    alone: _AloneTypes,
    span: Span,
) -> types.Type | None:
    """Give the type that an operand has by itself if that is a definite one, or else in place."""
    there = spans.get(span, ())
    by_itself = (alone[each] for each in there if each in alone)
    definite = (each for each in by_itself if operands.is_definite(each))
    in_place = (inferred[each] for each in there if each in inferred)
    return next(definite, None) or next(in_place, None)


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
) -> operands.Function | None:
    """Give the function of `map(function)`, where it is given by its name."""
    for each in spans.get(span, ()):
        match each:
            case nodes.CallExpr(
                callee=nodes.RefExpr(fullname=name), args=[nodes.RefExpr() as given, *_]
            ) if given in inferred:
                return operands.applied(name, inferred[given])
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


def _complaints(messages: list[str], *, stops: bool = False) -> Iterator[Complaint]:
    """Read what mypy reports, a line of JSON each; what is no JSON it says when it gives up."""
    for message in messages:
        try:
            said = json.loads(message)
        except ValueError:
            yield Complaint("", 1, 0, message, None, stops)
            continue
        if said["severity"] == "error":
            line, column = max(said["line"], 1), max(said["column"], 0)
            yield Complaint(said["file"], line, column, said["message"], said["code"], stops)


def run() -> None:
    """Answer the request on stdin; whatever a plugin of the user's prints goes to stderr."""
    gc.disable()  # a short life: collecting what mypy keeps anyway takes a third of the time
    request = REQUEST.validate_json(sys.stdin.buffer.read())
    with os.fdopen(os.dup(1), "wb") as replies:
        os.dup2(2, 1)
        replies.write(ANSWER.dump_json(answer(request)))


if __name__ == "__main__":
    run()

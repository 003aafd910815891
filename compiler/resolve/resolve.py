"""Makes of typed chains what a plan is made of: by their text, or by importing the file.

    TypedFile ── facts are sure ──▶ stages
              ── else, in a child: import ──▶ live stages ──▶ stages

What the text says is a good guess that a run compares with the live stages before it relies on
it; where the file was imported, what is live wins.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from rivusio.compiler.diagnostics import COMPILE, Diagnostic, Severity
from rivusio.compiler.frontend.finder import span_of
from rivusio.compiler.frontend.functions import FunctionRef
from rivusio.compiler.frontend.source import Source
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.ir.ops import ANY, StageInfo, Type, UserFunction
from rivusio.compiler.resolve import probe
from rivusio.compiler.resolve.function_sources import FunctionSources
from rivusio.compiler.resolve.match import Matches, matches
from rivusio.compiler.resolve.probe import Live, LiveChain, LiveError, LiveStage
from rivusio.compiler.typecheck.aliases import alias_of
from rivusio.compiler.typecheck.facts import KnownFunction
from rivusio.compiler.typecheck.request import TypedFile
from rivusio.compiler.typecheck.typed import Annotation, Chain, Stage, Typed

ANY_OF_TYPING = re.compile(rf"\b{alias_of('typing')}\.Any\b")  # generated code has a name for it


@dataclass(frozen=True, slots=True)
class ResolvedChain:
    """A chain of which everything is known that its code needs.

    Attributes:
        chain: the chain as it was typed; without stages, if only running the program makes it.
        stages: what the compiler must know of each stage.
        made_by: the expression that makes it, if that stands in the file; of Python's notes of
            it, those that are others.
    """

    chain: Chain
    stages: tuple[StageInfo, ...]
    made_by: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Resolution:
    """The chains of a file that can be compiled, and what is to be said of the others."""

    chains: tuple[ResolvedChain, ...]
    diagnostics: tuple[Diagnostic, ...]


def resolved(source: Source, typed: TypedFile, *, may_import: bool, timeout: float) -> Resolution:
    """Find out what each stage of the chains of a file is.

    Chains with a joint that does not fit are left out: it is the check that says so.

    Args:
        source: the file.
        typed: its chains, with their types.
        may_import: whether the file may be imported, in a child process, if its text alone
            does not tell.
        timeout: how long that may take, in seconds.
    """
    return _Resolver(source, typed).resolved(may_import=may_import, timeout=timeout)


class _Resolver:
    """Goes through the chains of one file."""

    def __init__(self, source: Source, typed: TypedFile) -> None:
        self._source = source
        self._typed = typed
        self._names = {each.name: frozenset(each.names) for each in typed.modules}
        self._by_file = {os.path.realpath(each.file): each.name for each in typed.modules}
        self._files = {os.path.realpath(each.file): each.file for each in typed.modules}
        self._sources = FunctionSources(source, self._names)
        self._known = _by_key(typed.functions) | _by_key(_functions(typed))
        self._said: list[Diagnostic] = []
        self._monitored = dict(_monitored(source.tree))

    def resolved(self, *, may_import: bool, timeout: float) -> Resolution:
        chains = [each.chain for each in self._typed.chains if self._fits(each)]
        chains = [
            each
            for each in chains
            if not (each.lone and _unsure(each)) or each.name in self._typed.loose
        ]
        unsure = [chain for chain in chains if _unsure(chain)]
        live = None
        if unsure or self._typed.loose:
            if may_import:
                live = self._live(unsure, timeout)
            else:
                self._refuse(unsure)
        if live is None:
            sure = [chain for chain in chains if chain not in unsure]
            found = [self._of_chain(chain) for chain in sure]
        else:
            found = list(self._with_live(chains, live))
        return Resolution(tuple(found), tuple(self._said))

    def _fits(self, typed: Typed) -> bool:
        if any(each.excused for each in typed.misfits):
            name = typed.chain.name
            message = f'chain "{name}" is not compiled: a "type: ignore" hides that it does not fit'
            self._say("warning", typed.chain.span, message)
        return not typed.misfits

    def _say(self, severity: Severity, span: Span, message: str, note: str | None = None) -> None:
        column = self._source.column(span.line, span.column)
        path = self._source.path
        self._said.append(Diagnostic(path, span.line, column, severity, message, COMPILE, note))

    # By the text alone

    def _refuse(self, unsure: Sequence[Chain]) -> None:
        """Say what the text does not tell, where the file must not be imported."""
        for chain in unsure:
            for index, stage in [] if chain.lone else _unsure(chain):
                note = "leave --no-import out, or write in the chain what it is"
                message = f'stage {index + 1} "{stage.name}": {stage.facts.unsure}'
                self._say("error", stage.operand.span, message, note)
        for name in self._typed.loose:
            message = f'"{name}" is not compiled: only running the file tells what it is'
            self._say("warning", Span(1, 0, 1, 0), message, "leave --no-import out")

    def _of_chain(self, chain: Chain) -> ResolvedChain:
        stages = tuple(self._of_text(index, stage) for index, stage in enumerate(chain.stages))
        return ResolvedChain(chain, stages, self._made_by(chain))

    def _made_by(self, chain: Chain, live: LiveChain | None = None) -> tuple[Span, ...]:
        """Give the expression of a chain, and what Python may note of it instead."""
        spans = [chain.span]
        while (inner := self._monitored.get(spans[-1])) is not None:
            spans.append(inner)  # `chain.set_monitor(...)` gives the chain that it was called on
        if live is not None and live.made_by is not None:
            spans.append(live.made_by)
        return tuple(dict.fromkeys(spans))

    def _of_text(self, index: int, stage: Stage) -> StageInfo:
        facts = stage.facts
        assert facts.shape is not None  # noqa: S101  it is sure
        function: UserFunction | str = facts.no_function
        if facts.function is not None:
            function = self._sources.function(facts.function, is_typed=facts.is_typed)
        return StageInfo(
            index,
            stage.name,
            facts.shape,
            self._where(stage.operand.span),
            _type(stage.takes_as),
            _type(stage.gives_as),
            facts.may_give_awaitable,
            None if isinstance(function, str) else function,
            function if isinstance(function, str) else "",
            self._sources.written_at(facts.at, by_itself=facts.by_itself),
        )

    def _where(self, span: Span) -> str:
        return f"{PurePath(self._source.path).name}:{span.line}"

    # With the file imported

    def _live(self, unsure: Sequence[Chain], timeout: float) -> Live | None:
        try:
            live = probe.look(self._source.path, timeout)
        except LiveError as error:
            spans = [chain.span for chain in unsure] or [Span(1, 0, 1, 0)]
            for span in spans:
                self._say("error", span, str(error), "or write in the chain what its stages are")
            return None
        for module in live.modules:
            self._names.setdefault(self._module(module.name, module.file), frozenset(module.names))
        return live

    def _module(self, name: str, file: str) -> str:
        """Give mypy's name of a module: types are written with it."""
        return self._by_file.get(os.path.realpath(file), name)

    def _with_live(self, chains: Sequence[Chain], live: Live) -> Iterator[ResolvedChain]:
        found = matches(self._source.path, chains, live)
        for chain in chains:
            yield from self._joined(chain, found)
        for each in found.others:
            if each.span is None and each.name not in self._typed.loose:
                continue  # a lone pipe: the text says what it is, or that a chain has it
            span = each.span or Span(1, 0, 1, 0)
            chain = Chain(each.name or f"line {span.line}", span, ())
            made_by = () if each.made_by is None else (each.made_by,)
            yield ResolvedChain(chain, self._of_live(chain, each), made_by)

    def _joined(self, chain: Chain, found: Matches) -> Iterator[ResolvedChain]:
        """Give what a chain of the text was when the file was imported."""
        there = found.of(chain)
        if not there:
            unsure = _unsure(chain)
            if not unsure:
                yield self._of_chain(chain)
            elif not chain.lone:  # it may be another pipe's, or made twice: its name tells
                self._never_made(unsure)
        for each in there:
            self._compare(chain, each)
            name = each.name if each.name and (len(there) > 1 or " " in chain.name) else chain.name
            stages = self._of_live(chain, each)
            made = Chain(name, chain.span, chain.stages)
            yield ResolvedChain(made, stages, self._made_by(chain, each))

    def _never_made(self, unsure: Sequence[tuple[int, Stage]]) -> None:
        """Say why a chain stays interpreted; the others of the file can be compiled."""
        for index, stage in unsure:
            message = (
                f'stage {index + 1} "{stage.name}": {stage.facts.unsure}, and importing the file '
                f"does not make this chain"
            )
            note = "write in the chain what it is, or make the chain at the top level of the file"
            self._say("warning", stage.operand.span, message, note)

    def _compare(self, chain: Chain, live: LiveChain) -> None:
        """Warn where the text was sure of something else than what is there."""
        if len(chain.stages) != len(live.stages):
            if not _unsure(chain):
                message = (
                    f'chain "{chain.name}" has {len(chain.stages)} stages in the text, but '
                    f"{len(live.stages)} when the file is imported; those count"
                )
                self._say("warning", chain.span, message)
            return
        for index, (stage, there) in enumerate(zip(chain.stages, live.stages, strict=True)):
            if stage.facts.unsure is None and stage.facts.shape != there.shape:
                message = (
                    f'stage {index + 1} "{stage.name}" is another when the file is imported than '
                    f"the text says; what is imported counts"
                )
                self._say("warning", stage.operand.span, message)

    def _of_live(self, chain: Chain, live: LiveChain) -> tuple[StageInfo, ...]:
        """Give the live stages, with the types of those of the text where they are the same."""
        typed: list[Stage | None] = [*chain.stages]
        if len(chain.stages) != len(live.stages):
            typed = [None] * len(live.stages)
        pairs = zip(live.stages, typed, strict=True)
        return tuple(
            self._of_object(index, stage, text, chain) for index, (stage, text) in enumerate(pairs)
        )

    def _of_object(
        self, index: int, stage: LiveStage, text: Stage | None, chain: Chain
    ) -> StageInfo:
        function: UserFunction | str = stage.no_function
        known: KnownFunction | None = None
        at = None if stage.called is None else self._ref(stage.called, text)
        if stage.function is not None:
            ref = self._ref(stage.function, text)
            known = self._known.get(_key(ref))
            is_typed = known is not None and known.is_typed
            function = self._sources.function(ref, is_typed=is_typed)
        may_be = known.may_give_awaitable if known else self._may_be(stage, text)
        return StageInfo(
            index,
            stage.name,
            stage.shape,
            self._where(chain.span if text is None else text.operand.span),
            ANY if text is None else _type(text.takes_as),
            ANY if text is None else _type(text.gives_as),
            may_be,
            None if isinstance(function, str) else function,
            function if isinstance(function, str) else "",
            self._sources.written_at(
                at, by_itself=may_be or (known is not None and known.by_itself)
            ),
        )

    def _ref(self, at: FunctionRef, text: Stage | None) -> FunctionRef:
        """Say where a live function is written: the text knows that better if it is the same."""
        module = self._module(at.module, at.file)
        of_text = None if text is None else text.facts.at
        if of_text is not None and _is_same(of_text, at):
            return of_text
        file = self._files.get(os.path.realpath(at.file), at.file)
        return FunctionRef(module, file, at.qualname, at.line)

    def _may_be(self, stage: LiveStage, text: Stage | None) -> bool:
        """Tell whether a result could be awaited, of a stage whose function is not known."""
        if text is None or text.facts.unsure or text.facts.shape != stage.shape:
            return stage.shape.entry != "pass"
        return text.facts.may_give_awaitable


def _monitored(tree: ast.Module) -> Iterator[tuple[Span, Span]]:
    """Give the calls of `chain.set_monitor(...)` in a file, each with its chain."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=chain, attr="set_monitor")):
                yield span_of(node), span_of(chain)


def _unsure(chain: Chain) -> list[tuple[int, Stage]]:
    """Give the stages of which the text does not tell all."""
    return [(index, stage) for index, stage in enumerate(chain.stages) if stage.facts.unsure]


def _functions(typed: TypedFile) -> Iterator[KnownFunction]:
    """Give the functions that the stages call, as far as the text tells by itself."""
    for each in typed.chains:
        for stage in each.chain.stages:
            facts, at = stage.facts, stage.facts.function
            if at is not None and facts.by_itself:
                place = at.file, at.qualname, at.line
                yield KnownFunction(*place, facts.is_typed, facts.may_give_awaitable)


def _by_key(functions: Iterable[KnownFunction]) -> dict[tuple[str, str, int], KnownFunction]:
    """Give functions by what a live one shows: of two lambdas in a line, what holds of both."""
    found: dict[tuple[str, str, int], KnownFunction] = {}
    for each in functions:
        other = found.setdefault(_key(each), each)
        if other != each:
            found[_key(each)] = replace(
                each,
                is_typed=each.is_typed and other.is_typed,
                may_give_awaitable=each.may_give_awaitable or other.may_give_awaitable,
                by_itself=each.by_itself and other.by_itself,
            )
    return found


def _key(at: FunctionRef | KnownFunction) -> tuple[str, str, int]:
    return os.path.realpath(at.file), at.qualname, at.line


def _is_same(one: FunctionRef, other: FunctionRef) -> bool:
    return (one.qualname, one.line) == (other.qualname, other.line) and (
        os.path.realpath(one.file) == os.path.realpath(other.file)
    )


def _type(of: Annotation) -> Type:
    text = ANY_OF_TYPING.sub("Any", of.text)
    aliases = tuple((module, alias_of(module)) for module in of.modules)
    return Type(text, tuple(each for each in aliases if f"{each[1]}." in text))

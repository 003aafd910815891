"""Makes of typed chains what a plan is made of: by their text, or by importing the file.

    TypedFile ── facts are sure ──▶ stages
              ── else, in a child: import ──▶ live stages ──▶ stages

What the text says is a good guess that a run compares with the live stages before it relies on
it; where the file was imported, what is live wins.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rivusio.compiler.diagnostics import COMPILE, Diagnostic, Severity
from rivusio.compiler.frontend.forms import span_of
from rivusio.compiler.frontend.source import Source
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.ir.stage_info import StageInfo
from rivusio.compiler.resolve import probe
from rivusio.compiler.resolve.match import Matches, matches
from rivusio.compiler.resolve.probe import Live, LiveChain, LiveError
from rivusio.compiler.resolve.stage_infos import StageInfos
from rivusio.compiler.typecheck.request import TypedFile
from rivusio.compiler.typecheck.typed import Chain, Stage, Typed


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

    Chains with a join that does not fit are left out: it is the check that says so.

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
        self._infos = StageInfos(source, typed)
        self._said: list[Diagnostic] = []
        self._monitored = dict(_monitored(source.tree))

    def resolved(self, *, may_import: bool, timeout: float) -> Resolution:
        chains = [each.chain for each in self._typed.chains if self._fits(each)]
        chains = [
            each
            for each in chains
            if not (each.single_stage and _unsure(each)) or each.name in self._typed.dynamic
        ]
        unsure = [chain for chain in chains if _unsure(chain)]
        live = None
        if unsure or self._typed.dynamic:
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
        if any(each.excused for each in typed.mismatches):
            name = typed.chain.name
            message = f'chain "{name}" is not compiled: a "type: ignore" hides that it does not fit'
            self._say("warning", typed.chain.span, message)
        return not typed.mismatches

    def _say(self, severity: Severity, span: Span, message: str, note: str | None = None) -> None:
        column = self._source.column(span.line, span.column)
        path = self._source.path
        self._said.append(Diagnostic(path, span.line, column, severity, message, COMPILE, note))

    # By the text alone

    def _refuse(self, unsure: Sequence[Chain]) -> None:
        """Say what the text does not tell, where the file must not be imported."""
        for chain in unsure:
            for index, stage in [] if chain.single_stage else _unsure(chain):
                note = "leave --no-import out, or write in the chain what it is"
                message = f'stage {index + 1} "{stage.name}": {stage.facts.undetermined}'
                self._say("error", stage.operand.span, message, note)
        for name in self._typed.dynamic:
            message = f'"{name}" is not compiled: only running the file tells what it is'
            self._say("warning", Span(1, 0, 1, 0), message, "leave --no-import out")

    def _of_chain(self, chain: Chain) -> ResolvedChain:
        stages = tuple(
            self._infos.of_text(index, stage) for index, stage in enumerate(chain.stages)
        )
        return ResolvedChain(chain, stages, self._made_by(chain))

    def _made_by(self, chain: Chain, live: LiveChain | None = None) -> tuple[Span, ...]:
        """Give the expression of a chain, and what Python may note of it instead."""
        spans = [chain.span]
        while (inner := self._monitored.get(spans[-1])) is not None:
            spans.append(inner)  # `chain.set_monitor(...)` gives the chain that it was called on
        if live is not None and live.made_by is not None:
            spans.append(live.made_by)
        return tuple(dict.fromkeys(spans))

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
            self._infos.learn_names(module)
        return live

    def _with_live(self, chains: Sequence[Chain], live: Live) -> Iterator[ResolvedChain]:
        found = matches(self._source.path, chains, live)
        for chain in chains:
            yield from self._joined(chain, found)
        for each in found.others:
            if each.span is None and each.name not in self._typed.dynamic:
                continue  # a single-stage chain: the text says what it is, or that a chain has it
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
            elif not chain.single_stage:  # it may be another pipe's, or made twice: its name tells
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
                f'stage {index + 1} "{stage.name}": {stage.facts.undetermined}, and importing '
                f"the file does not make this chain"
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
            if stage.facts.undetermined is None and stage.facts.shape != there.shape:
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
            self._infos.of_object(index, stage, text, chain)
            for index, (stage, text) in enumerate(pairs)
        )


def _monitored(tree: ast.Module) -> Iterator[tuple[Span, Span]]:
    """Give the calls of `chain.set_monitor(...)` in a file, each with its chain."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=chain, attr="set_monitor")):
                yield span_of(node), span_of(chain)


def _unsure(chain: Chain) -> list[tuple[int, Stage]]:
    """Give the stages of which the text does not tell all."""
    return [(index, stage) for index, stage in enumerate(chain.stages) if stage.facts.undetermined]

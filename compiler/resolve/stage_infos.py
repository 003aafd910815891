"""What the compiler must know of each stage, by its text or by the live stage."""

from __future__ import annotations

import os
import re
from pathlib import PurePath

from rivusio.compiler.frontend.functions import FunctionRef
from rivusio.compiler.frontend.source import Source
from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.ir.stage_info import ANY, StageInfo, Type, UserFunction
from rivusio.compiler.resolve.function_sources import FunctionSources
from rivusio.compiler.resolve.known_functions import (
    function_key,
    functions_by_key,
    functions_of_stages,
    is_same_function,
)
from rivusio.compiler.resolve.probe import LiveModule, LiveStage
from rivusio.compiler.typecheck.aliases import alias_of
from rivusio.compiler.typecheck.facts import KnownFunction
from rivusio.compiler.typecheck.request import TypedFile
from rivusio.compiler.typecheck.typed import Annotation, Chain, Stage

ANY_OF_TYPING = re.compile(rf"\b{alias_of('typing')}\.Any\b")  # generated code has a name for it


class StageInfos:
    """Makes them for the stages of one file."""

    def __init__(self, source: Source, typed: TypedFile) -> None:
        self._source = source
        self._names = {each.name: frozenset(each.names) for each in typed.modules}
        self._by_file = {os.path.realpath(each.file): each.name for each in typed.modules}
        self._files = {os.path.realpath(each.file): each.file for each in typed.modules}
        self._sources = FunctionSources(source, self._names)
        self._known = functions_by_key(typed.functions) | functions_by_key(
            functions_of_stages(typed)
        )

    def learn_names(self, module: LiveModule) -> None:
        """Take in the names that a module has once it is imported, if mypy knows none."""
        self._names.setdefault(self._module(module.name, module.file), frozenset(module.names))

    def of_text(self, index: int, stage: Stage) -> StageInfo:
        """Say what a stage is by its text alone."""
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

    def of_object(
        self, index: int, stage: LiveStage, text: Stage | None, chain: Chain
    ) -> StageInfo:
        """Say what a live stage is, with the types of the text where that has the same stage."""
        function: UserFunction | str = stage.no_function
        known: KnownFunction | None = None
        at = None if stage.called is None else self._ref(stage.called, text)
        if stage.function is not None:
            ref = self._ref(stage.function, text)
            known = self._known.get(function_key(ref))
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
        if of_text is not None and is_same_function(of_text, at):
            return of_text
        file = self._files.get(os.path.realpath(at.file), at.file)
        return FunctionRef(module, file, at.qualname, at.line)

    def _may_be(self, stage: LiveStage, text: Stage | None) -> bool:
        """Tell whether a result could be awaited, of a stage whose function is not known."""
        if text is None or text.facts.undetermined or text.facts.shape != stage.shape:
            return stage.shape.entry != "pass"
        return text.facts.may_give_awaitable

    def _module(self, name: str, file: str) -> str:
        """Give mypy's name of a module: types are written with it."""
        return self._by_file.get(os.path.realpath(file), name)

    def _where(self, span: Span) -> str:
        return f"{PurePath(self._source.path).name}:{span.line}"


def _type(of: Annotation) -> Type:
    text = ANY_OF_TYPING.sub("Any", of.text)
    aliases = tuple((module, alias_of(module)) for module in of.modules)
    return Type(text, tuple(each for each in aliases if f"{each[1]}." in text))

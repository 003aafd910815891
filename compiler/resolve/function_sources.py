"""Reads the functions that stages call from the files they are written in."""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping

from rivusio.compiler.frontend.functions import (
    NOT_FOUND,
    Definition,
    FunctionRef,
    definition,
    definitions,
    first_line,
    is_overload,
)
from rivusio.compiler.frontend.source import Source, Unreadable, read
from rivusio.compiler.ir.stage_info import UserFunction, WrittenAt


class FunctionSources:
    """The functions of some files; each file is read, parsed and gone through once."""

    def __init__(self, source: Source, names: Mapping[str, frozenset[str]]) -> None:
        """Take the file that is compiled, and the names of each module."""
        self._trees: dict[str, Source | None] = {os.path.realpath(source.path): source}
        self._definitions: dict[str, tuple[Definition, ...]] = {}
        self._names = names

    def function(self, ref: FunctionRef, *, is_typed: bool) -> UserFunction | str:
        """Give a function; or the reason why its source is of no use."""
        source = self._source(ref.file)
        found = None if source is None else definition(self._functions_of(source), ref)
        if source is None or found is None:
            return NOT_FOUND
        names = self._names.get(ref.module)
        if names is None:
            return "the names of its module are not known"
        return UserFunction(
            found.node,
            found.qualname,
            found.class_name,
            ref.module,
            source.path,
            names,
            ref.line,
            is_typed,
        )

    def written_at(self, ref: FunctionRef | None, *, by_itself: bool) -> WrittenAt | None:
        """Say which of the functions of its file a function is; None if that is not known."""
        source = None if ref is None else self._source(ref.file)
        if ref is None or source is None:
            return None
        named = [each for each in self._functions_of(source) if each.qualname == ref.qualname]
        here = sorted(each.node.col_offset for each in named if first_line(each.node) == ref.line)
        column = here[0] if ref.column is None and len(here) == 1 else ref.column
        if column not in here:
            return None
        named = [each for each in named if not is_overload(each.node)]
        is_only = len(named) <= len(here) or isinstance(named[0].node, ast.Lambda)
        at = here.index(column), len(here)
        return WrittenAt(source.path, ref.qualname, ref.line, *at, is_only, by_itself)

    def _functions_of(self, source: Source) -> tuple[Definition, ...]:
        if source.path not in self._definitions:
            self._definitions[source.path] = tuple(definitions(source.tree))
        return self._definitions[source.path]

    def _source(self, file: str) -> Source | None:
        path = os.path.realpath(file)
        if path not in self._trees:
            try:
                self._trees[path] = read(file)
            except Unreadable:
                self._trees[path] = None
        return self._trees[path]

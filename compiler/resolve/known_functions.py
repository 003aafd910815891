"""The functions that are known without importing the file, by what a live one shows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rivusio.compiler.frontend.functions import FunctionRef
from rivusio.compiler.typecheck.facts import KnownFunction
from rivusio.compiler.typecheck.request import TypedFile


def functions_of_stages(typed: TypedFile) -> Iterator[KnownFunction]:
    """Give the functions that the stages call, as far as the text tells by itself."""
    for each in typed.chains:
        for stage in each.chain.stages:
            facts, at = stage.facts, stage.facts.function
            if at is not None and facts.by_itself:
                place = at.file, at.qualname, at.line
                yield KnownFunction(*place, facts.is_typed, facts.may_give_awaitable)


def functions_by_key(
    functions: Iterable[KnownFunction],
) -> dict[tuple[str, str, int], KnownFunction]:
    """Give functions by what a live one shows: of two lambdas in a line, what holds of both."""
    found: dict[tuple[str, str, int], KnownFunction] = {}
    for each in functions:
        other = found.setdefault(function_key(each), each)
        if other != each:
            found[function_key(each)] = replace(
                each,
                is_typed=each.is_typed and other.is_typed,
                may_give_awaitable=each.may_give_awaitable or other.may_give_awaitable,
                by_itself=each.by_itself and other.by_itself,
            )
    return found


def function_key(at: FunctionRef | KnownFunction) -> tuple[str, str, int]:
    """Give what a live function shows of where it is written."""
    return os.path.realpath(at.file), at.qualname, at.line


def is_same_function(one: FunctionRef, other: FunctionRef) -> bool:
    """Tell whether both are written at the same place."""
    return (one.qualname, one.line) == (other.qualname, other.line) and (
        os.path.realpath(one.file) == os.path.realpath(other.file)
    )

"""Types one stage by itself: what it takes and gives when a certain type of item comes to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, assert_never

from mypy import types
from mypy.subtypes import is_subtype
from mypy.typeops import make_simplified_union

from rivusio.compiler.frontend.syntax import Family, Operand
from rivusio.compiler.typecheck import signatures, type_predicates
from rivusio.compiler.typecheck.display import text, texts
from rivusio.compiler.typecheck.mismatches import (
    AnyMismatch,
    IsClass,
    IsNoPipe,
    TakesNoItem,
    TypesDiffer,
)
from rivusio.compiler.typecheck.stage_types import (
    Function,
    NotAPipe,
    Pipe,
    PipeClass,
    StageType,
    Unknown,
)
from rivusio.compiler.typecheck.type_lookup import TypeLookup
from rivusio.compiler.typecheck.type_predicates import ANY

Fix = Literal["drop_none", "batch", "flat_map", "await", "stage"]


@dataclass(frozen=True)
class Step:
    """One stage: what it takes, what it gives, and whether it takes what comes.

    Of some stages mypy only guesses what they give. That is `said` and does to find a wrong join;
    `gives` has `Any` for it, which is true of every value.
    """

    family: Family | None
    takes: types.Type
    gives: types.Type
    wrong: AnyMismatch | None = None
    said: types.Type | None = None


def type_stage(
    lookup: TypeLookup, operand: Operand, index: int, meaning: StageType, item: types.Type | None
) -> Step:
    """Type one stage to which `item` comes; None comes to the first."""
    match meaning:
        case Pipe():
            return _pipe(lookup, index, meaning, item)
        case Function():
            return _function(lookup, index, meaning, item)
        case PipeClass(name=name):
            return Step(None, ANY, ANY, IsClass(index, name))
        case NotAPipe(type=its):
            whole = lookup.type_at(operand.span)
            return Step(None, ANY, ANY, IsNoPipe(index, text(whole or its)))
        case Unknown():
            return Step(None, ANY, ANY)
        case _:
            assert_never(meaning)


def _pipe(lookup: TypeLookup, index: int, pipe: Pipe, item: types.Type | None) -> Step:
    comes = ANY if item is None else item
    match pipe.gives:
        case "the same":
            return Step(pipe.family, comes, comes)
        case "lists":
            return Step(pipe.family, comes, lookup.list_of(comes))
        case "without None":
            left = type_predicates.without_none(comes)
            # Where only None comes nothing goes on, and fits anything.
            return Step(pipe.family, comes, ANY if type_predicates.is_none(left) else left)
        case "its own":
            wrong = _differs(lookup, index, comes, pipe.takes, meaning=pipe)
            return Step(pipe.family, pipe.takes, pipe.out, wrong)
        case _:
            assert_never(pipe.gives)


def _function(lookup: TypeLookup, index: int, function: Function, item: types.Type | None) -> Step:
    taken = signatures.taken(function)
    if not taken:
        return Step(None, ANY, ANY, TakesNoItem(index, text(function.type)))
    called = signatures.call(function, item, lookup.function) if item else None
    if called is not None:
        gives = item if item and function.keeps else called.gives
        return Step(called.family, called.takes, gives)
    alone = signatures.given(function)
    gives = alone.takes if function.keeps else alone.gives
    if item is None:
        return Step(alone.family, alone.takes, gives)
    accepted = make_simplified_union(taken)
    wrong = _differs(lookup, index, item, accepted, meaning=function, surely=True)
    return Step(alone.family, accepted, gives, wrong)


def _differs(
    lookup: TypeLookup,
    index: int,
    comes: types.Type,
    accepted: types.Type,
    *,
    meaning: Pipe | Function,
    surely: bool = False,
) -> TypesDiffer | None:
    if not surely and is_subtype(comes, accepted):
        return None
    accepts, produces = texts(accepted, comes)
    return TypesDiffer(index, accepts, produces, _fix(lookup, comes, meaning))


def _fix(lookup: TypeLookup, comes: types.Type, right: Pipe | Function) -> Fix:
    def fits(item: types.Type) -> bool:
        if isinstance(right, Pipe):
            return is_subtype(item, right.takes)
        return signatures.call(right, item, lookup.function) is not None

    present = type_predicates.without_none(comes)
    if present is not comes and fits(present):
        return "drop_none"
    if not type_predicates.is_none(comes) and fits(lookup.list_of(comes)):
        return "batch"
    awaited, element = type_predicates.awaitable_of(comes), type_predicates.element_of(comes)
    if awaited is not None and fits(awaited):
        return "await"
    return "flat_map" if element is not None and fits(element) else "stage"


def merge_steps(steps: list[Step]) -> Step:
    """Give one step for what may be any of several: it is wrong if one of them is."""
    if len(steps) == 1:
        return steps[0]
    families = {step.family for step in steps}
    return Step(
        families.pop() if len(families) == 1 else None,
        make_simplified_union([step.takes for step in steps]),
        make_simplified_union([step.gives for step in steps]),
        next((step.wrong for step in steps if step.wrong is not None), None),
    )

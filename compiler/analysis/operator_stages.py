"""What an operator such as `filter` or `batch` makes a stage of."""

from __future__ import annotations

from dataclasses import dataclass

from mypy import nodes

from rivusio.compiler.analysis.callees import Called, Functions
from rivusio.compiler.analysis.settings import Undetermined
from rivusio.compiler.typecheck.facts import UNKNOWN_PIPE
from rivusio.graph.operations import TRAITS, Entry, Kind
from rivusio.graph.signature import Shape

NO_CODE = "it runs no code of yours"
NOTHING_CALLED = Called(no_function=NO_CODE, may_give_awaitable=False)


@dataclass(frozen=True)
class StageAsMade:
    """A stage as it is made, before any settings from outside."""

    shape: Shape
    called: Called
    config: nodes.Expression | None = None
    has_handler: bool = False


def stage_of_operator(
    functions: Functions, name: str, arguments: list[nodes.Expression], call: nodes.CallExpr
) -> StageAsMade:
    """Say what an operator such as `filter(function)` makes.

    Raises:
        Undetermined: when the text does not tell.
    """
    reading = functions.reading
    match name, arguments:
        case (("map" | "pipe"), [function, *_]):
            return calling_stage(functions.of(function))
        case "flat_map", [function]:
            called = functions.of(function)
            if called.is_async_generator:
                return StageAsMade(Shape("flat_map", "either"), called)
            return calling_stage(called, "flat_map")
        case "take", [count]:
            kind: Kind = "take_none" if reading.number(count) == 0 else "take"
            return StageAsMade(Shape(kind, "pass"), NOTHING_CALLED)
        case "batch", _:
            linger = next(
                (
                    value
                    for index, (its, value) in enumerate(
                        zip(call.arg_names, arguments, strict=True)
                    )
                    if its == "linger" or (its is None and index == 1)
                ),
                None,
            )
            lingers = reading.is_given(linger, "its linger")
            return StageAsMade(
                Shape("lingering_batch" if lingers else "batch", "pass"), NOTHING_CALLED
            )
    for kind in TRAITS:
        if kind == name:
            return _stage_of_kind(functions, kind, arguments)
    raise Undetermined(UNKNOWN_PIPE)


def _stage_of_kind(
    functions: Functions, kind: Kind, arguments: list[nodes.Expression]
) -> StageAsMade:
    """Say what an operator makes that is called as what its stage does."""
    if not TRAITS[kind].takes_function:
        return StageAsMade(Shape(kind, "pass"), NOTHING_CALLED)
    if len(arguments) == 1:
        return calling_stage(functions.of(arguments[0]), kind)
    raise Undetermined(UNKNOWN_PIPE)


def calling_stage(called: Called, kind: Kind = "map") -> StageAsMade:
    """Give the stage that calls a function."""
    entry: Entry = "await" if called.is_coroutine else "either" if called.is_async else "call"
    return StageAsMade(Shape(kind, entry), called)

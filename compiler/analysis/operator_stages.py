"""What an operator such as `filter` or `batch` makes a stage of."""

from __future__ import annotations

from dataclasses import dataclass

from mypy import nodes

from rivusio.compiler.analysis.callees import Called, Functions
from rivusio.compiler.analysis.settings import Undetermined
from rivusio.compiler.typecheck.facts import UNKNOWN_PIPE
from rivusio.graph.operations import Entry, Kind
from rivusio.graph.signature import Shape

NO_CODE = "it runs no code of yours"


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
    nothing = Called(no_function=NO_CODE, may_give_awaitable=False)
    match name, arguments:
        case (("map" | "pipe"), [function, *_]):
            return calling_stage(functions.of(function))
        case "filter", [function]:
            return calling_stage(functions.of(function), "filter")
        case "flat_map", [function]:
            called = functions.of(function)
            if called.is_async_generator:
                return StageAsMade(Shape("flat_map", "either"), called)
            return calling_stage(called, "flat_map")
        case "take", [count]:
            kind: Kind = "take_none" if reading.number(count) == 0 else "take"
            return StageAsMade(Shape(kind, "pass"), nothing)
        case "drop_none", []:
            return StageAsMade(Shape("drop_none", "pass"), nothing)
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
            return StageAsMade(Shape("lingering_batch" if lingers else "batch", "pass"), nothing)
        case ("tumbling" | "sliding") as kind, _:
            return StageAsMade(Shape(kind, "pass"), nothing)
    raise Undetermined(UNKNOWN_PIPE)


def calling_stage(called: Called, kind: Kind = "map") -> StageAsMade:
    """Give the stage that calls a function."""
    entry: Entry = "await" if called.is_coroutine else "either" if called.is_async else "call"
    return StageAsMade(Shape(kind, entry), called)

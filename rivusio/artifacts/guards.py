"""Whether what was compiled is still what would run: looked at once at the start of each run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any

from rivusio.graph.config import BackpressureConfig
from rivusio.graph.signature import Shape, shapes_of
from rivusio.graph.stage import Stage


@dataclass(frozen=True, slots=True)
class Inlined:
    """A stage whose function's body stands in the generated loop.

    Attributes:
        stage: the index of the stage.
        function: the function that the stage must still call, bound to its own pipe.
        code: the code that it must still have.
    """

    stage: int
    function: FunctionType
    code: CodeType


def function_of(stage: Stage) -> FunctionType | None:
    """Give the plain Python function that a stage calls with its own pipe, if it is one.

    What is looked at is the bound method itself, so a subclass, a patched class and an attribute
    of the instance are all seen.
    """
    call: Any = stage.operation.call
    if isinstance(call, MethodType):
        call = call.__func__ if call.__self__ is stage.pipe else None
    return call if type(call) is FunctionType else None


def why_not(
    stages: Sequence[Stage],
    read_ahead: BackpressureConfig | None,
    shapes: tuple[Shape, ...],
    inlined: Sequence[Inlined],
) -> str | None:
    """Say why these stages are not those that were compiled; None if they are."""
    if shapes_of(stages, read_ahead) != shapes:
        return shape_difference(stages, shapes_of(stages, read_ahead), shapes)
    return difference(stages, inlined)


def difference(stages: Sequence[Stage], inlined: Sequence[Inlined]) -> str | None:
    """Say which function is not the one whose body was inlined; None if all are."""
    for each in inlined:
        function = function_of(stages[each.stage])
        if function is not each.function:
            return f"stage {each.stage + 1} {stages[each.stage].name!r} calls another function"
        if function.__code__ is not each.code or function.__defaults__ or function.__kwdefaults__:
            return f"the function of stage {each.stage + 1} {stages[each.stage].name!r} was changed"
    return None


def shape_difference(
    stages: Sequence[Stage], now: tuple[Shape, ...], then: tuple[Shape, ...]
) -> str:
    """Say in what the stages are not those that were compiled."""
    if len(now) != len(then):
        return f"it has {len(now)} stages, not {len(then)}"
    index = next(index for index, shape in enumerate(now) if shape != then[index])
    at = max(index - (len(now) - len(stages)), 0)  # the buffer of the run stands before the stages
    change = _change(stages[at], now[index], then[index])
    return f"stage {at + 1} {stages[at].name!r} {change}"


def _change(stage: Stage, now: Shape, then: Shape) -> str:
    """Say what is another with a stage, in words that go behind its name."""
    if now.kind != then.kind:
        return f"is a {now.kind}, and was compiled as a {then.kind}"
    if now.entry != then.entry:
        return "calls another kind of function than when it was compiled"
    if now.treated and not stage.settings.treat_failures:
        return "has a handle_error, and had none when it was compiled"
    return "has other settings than when it was compiled"

"""What a run fixes when it starts, so that nothing which changes later changes the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rivusio.compiled.shape import Shape
from rivusio.interpreter.making import make_step
from rivusio.interpreter.node import RunState
from rivusio.interpreter.steps import Step
from rivusio.settings import Settings
from rivusio.stage import Operation, Pipe, Stage


@dataclass(frozen=True, slots=True)
class FixedStage:
    """One stage as it was when the run started.

    Attributes:
        name: its name.
        pipe: its pipe.
        operation: what it does, with its sizes and the bound method that it calls.
        settings: what its configuration came down to.
        step: what carries the settings out when a call has failed; None if there are none.
    """

    name: str
    pipe: Pipe
    operation: Operation
    settings: Settings
    step: Step | None


def fix(run: RunState, stages: Sequence[Stage], shapes: Sequence[Shape]) -> tuple[FixedStage, ...]:
    """Take down the stages as they are now; `shapes` are theirs."""
    return tuple(
        FixedStage(
            stage.name,
            stage.pipe,
            stage.operation,
            stage.settings,
            make_step(run, index, stage) if shape.treated else None,
        )
        for index, (stage, shape) in enumerate(zip(stages, shapes, strict=True))
    )

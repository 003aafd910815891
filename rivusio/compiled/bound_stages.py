"""What a run fixes when it starts, so that nothing which changes later changes the run.

`Bound` is how generated code asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rivusio.engine.executors import make_executor
from rivusio.engine.run_state import RunState
from rivusio.engine.stage_executor import StageExecutor
from rivusio.graph.operations import Operation
from rivusio.graph.settings import Settings
from rivusio.graph.signature import Shape
from rivusio.graph.stage import Pipe, Stage


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
    step: StageExecutor | None


def fix(run: RunState, stages: Sequence[Stage], shapes: Sequence[Shape]) -> tuple[FixedStage, ...]:
    """Take down the stages as they are now; `shapes` are theirs."""
    return tuple(
        FixedStage(
            stage.name,
            stage.pipe,
            stage.operation,
            stage.settings,
            make_executor(run, index, stage) if shape.treated else None,
        )
        for index, (stage, shape) in enumerate(zip(stages, shapes, strict=True))
    )


class Bound:
    """What a generated function asks for when it starts.

    Args:
        stages: those of the whole chain, as they were when the run started.
    """

    def __init__(self, stages: tuple[FixedStage, ...]) -> None:
        self._stages = stages

    def call(self, stage: int) -> Any:  # typed by the generated code, which knows
        """Give the user's function of a stage, bound to its pipe."""
        operation: Any = self._stages[stage].operation
        return operation.call

    def name(self, stage: int) -> str:
        """Give the name of a stage, which only the live pipe knows."""
        return self._stages[stage].name

    def pipe(self, stage: int) -> Any:  # see call
        """Give the pipe of a stage."""
        return self._stages[stage].pipe

    def operation(self, stage: int) -> Any:  # one of the operations; generated code knows which
        """Give what a stage does, with its sizes."""
        return self._stages[stage].operation

    def step(self, stage: int) -> StageExecutor:
        """Give what carries out the settings of a stage when a call has failed."""
        step = self._stages[stage].step
        assert step is not None  # noqa: S101  the shapes have been compared
        return step

    def timeout(self, stage: int) -> float:
        """Give the seconds that one try of a stage may take."""
        timeout = self._stages[stage].settings.timeout
        assert timeout is not None  # noqa: S101  the shapes have been compared
        return timeout

"""What belongs to one item on its way through a compiled chain of 1:1 stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from rivusio.clock import SYSTEM, Clock
from rivusio.compiled.fixed import fix
from rivusio.compiled.parts import State, escaped
from rivusio.compiled.program import Program
from rivusio.errors import PipelineError
from rivusio.interpreter.node import Item, RunState
from rivusio.interpreter.steps import Step
from rivusio.stage import Stage
from rivusio.tracebacks import retraced

Seen = Callable[[object, Item], None]  # is told each stage's pipe and result


class One:
    """The companion of the generated function `process`."""

    def __init__(
        self, run: RunState, stages: Sequence[Stage], program: Program, seen: Seen | None
    ) -> None:
        self._program = program
        self._stages = fix(run, stages, program.shapes)
        self._seen = seen
        self.clock: Clock = SYSTEM

    def call(self, stage: int) -> Any:  # typed by the generated code, which knows
        """Give the user's function of a stage, bound to its pipe."""
        operation: Any = self._stages[stage].operation
        return operation.call

    def pipe(self, stage: int) -> Any:  # see call
        """Give the pipe of a stage."""
        return self._stages[stage].pipe

    def step(self, stage: int) -> Step:
        """Give what carries out the settings of a stage when a call has failed."""
        step = self._stages[stage].step
        assert step is not None  # noqa: S101  the shapes have been compared
        return step

    def timeout(self, stage: int) -> float:
        """Give the seconds that one try of a stage may take."""
        timeout = self._stages[stage].settings.timeout
        assert timeout is not None  # noqa: S101  the shapes have been compared
        return timeout

    def seen(self, stage: int, result: Item) -> None:
        """Called with what each stage has given."""
        if self._seen is not None:
            self._seen(self._stages[stage].pipe, result)

    def leave(self, error: Exception, state: State) -> NoReturn:
        """Wrap what a stage has raised.

        Raises:
            PipelineError: always, but for an error of nobody's stage, which leaves as it is.
        """
        traceback = error.__traceback__
        place = None if traceback is None else self._program.places.get(traceback.tb_lineno)
        retraced(error, {self._program.file: self._program.line_map})
        if place is None or place.stage is None:
            raise error
        if place.does == "call":
            error = escaped(error, place)
        name, item = self._stages[place.stage].name, state[place.item or ""]
        raise PipelineError(name, error, stage=place.stage, item=item) from error

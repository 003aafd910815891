"""What belongs to one item on its way through a compiled chain of 1:1 stages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NoReturn

from rivusio.artifacts.program import Program
from rivusio.artifacts.tracebacks import retraced
from rivusio.compiled.bound_stages import Bound, fix
from rivusio.compiled.frames import State, escaped
from rivusio.engine.run_state import RunState
from rivusio.errors import PipelineError
from rivusio.graph.stage import Stage
from rivusio.items import Item
from rivusio.time.clock import SYSTEM, Clock

Seen = Callable[[object, Item], None]  # is told each stage's pipe and result


class One(Bound):
    """The companion of the generated function `process`."""

    def __init__(
        self, run: RunState, stages: Sequence[Stage], program: Program, seen: Seen | None
    ) -> None:
        super().__init__(fix(run, stages, program.shapes))
        self._program = program
        self._seen = seen
        self.clock: Clock = SYSTEM

    def seen(self, stage: int, result: Item) -> None:
        """Called with what each stage has given."""
        if self._seen is not None:
            self._seen(self._stages[stage].pipe, result)

    def leave(self, error: BaseException, state: State) -> NoReturn:
        """Wrap what a stage has raised.

        Raises:
            PipelineError: for an `Exception` of a stage; anything else leaves as it is.
        """
        traceback = error.__traceback__
        place = None if traceback is None else self._program.places.get(traceback.tb_lineno)
        retraced(error, {self._program.file: self._program.line_map})
        if place is None or place.stage is None or not isinstance(error, Exception):
            raise error
        if place.does == "call":
            error = escaped(error, place)
        name, item = self._stages[place.stage].name, state[place.item or ""]
        raise PipelineError(name, error, stage=place.stage, item=item) from error

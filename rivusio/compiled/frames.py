"""The companions of generated loops: what happens when one is left.

A generated function holds everything in its locals. When it is left, by whatever way, it hands
them over here; that is the only moment at which anybody asks at which stage it was, and on which
item.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rivusio.artifacts.program import Holding, Place, Program
from rivusio.compiled.bound_stages import Bound, FixedStage
from rivusio.compiled.outputs import close_outputs, rest_of
from rivusio.engine.calls import as_escaped
from rivusio.engine.cleanup import CleanupReport
from rivusio.engine.factory import make_holder
from rivusio.engine.flat_map import COLLECTIONS
from rivusio.engine.node import Closable, upstream_of
from rivusio.engine.run_state import RunState
from rivusio.graph.operations import (
    time_matters,
    traits_of,
)
from rivusio.items import Item
from rivusio.observe.counters import RunCounters, StageCounters
from rivusio.time.clock import Clock
from rivusio.time.windows import Holder

State = dict[str, Any]  # the locals of a generated function


# Large: what generated loops ask for when they start and what they leave behind, in one place.
class Part(Bound, Closable):
    """What belongs to one generated loop in a run.

    Args:
        run: the run.
        stages: those of the whole chain, as they were when the run started.
        program: the generated module.
        function: the name of the generated function.
        upstream: what it takes its items from.
    """

    def __init__(
        self,
        run: RunState,
        stages: tuple[FixedStage, ...],
        program: Program,
        function: str,
        upstream: Closable,
    ) -> None:
        super().__init__(stages)
        self._run = run
        self._places = program.places
        self._line_maps = {program.file: program.line_map}
        self._holdings = program.holdings.get(function, ())
        self.upstream: Closable = upstream
        self.is_halted = False
        self._state: State = {}
        self._in_flight: tuple[int, Item] | None = None

    # What a generated function asks for when it starts

    def counters(self, stage: int) -> StageCounters:
        """Give the counters of a stage in a run that is observed."""
        assert self._run.counters is not None  # noqa: S101  this code runs only if there are some
        return self._run.counters.stages[stage]

    def holder(self, stage: int) -> Holder:
        """Give an empty holder for the batch or window of a stage."""
        operation = self._stages[stage].operation
        assert time_matters(operation)  # noqa: S101  the shapes have been compared
        return make_holder(operation)

    @property
    def clock(self) -> Clock:
        """The clock of the run."""
        return self._run.clock

    @property
    def run_counters(self) -> RunCounters:
        """The counters of the run as a whole."""
        assert self._run.counters is not None  # noqa: S101  see counters
        return self._run.counters

    @property
    def now(self) -> Callable[[], float]:
        """What tells the time of the run."""
        return self._run.clock.now

    def halt_upstream(self) -> None:
        """Called when a `take` has all it wants: nothing more is asked of what is before it."""
        for node in upstream_of(self):
            node.halt()

    # What it says when it is left

    def left(self, error: BaseException, state: State) -> BaseException:
        """Take over the locals of a function that an exception leaves; give what shall leave."""
        self._state = state
        place = self._place_of(error)
        if place is None:
            return error
        if place.does == "call":
            self._stop_timing(place)
        if isinstance(error, Exception):
            return self._failure(error, place)
        if place.does in ("call", "settle") and place.stage is not None:
            self._in_flight = place.stage, state[place.item or ""]
        return error

    def done(self, state: State) -> None:
        """Take over the locals of a function that has come to its end."""
        self._state = state

    def _place_of(self, error: BaseException) -> Place | None:
        traceback = error.__traceback__
        return None if traceback is None else self._places.get(traceback.tb_lineno)

    def _stop_timing(self, place: Place) -> None:
        started = self._state.get(f"started_{place.stage}")
        if started is not None and place.stage is not None:
            self.counters(place.stage).timed(started, self._run.clock.now())

    def _failure(self, error: Exception, place: Place) -> Exception:
        """Wrap what a stage or the source has raised, once."""
        if place.does in ("pull", "settle") and self._run.raised(error):
            return error
        index = None if place.in_flush else self._state.get("item_index", -1)
        if place.does == "source":
            count = (-1 if index is None else index) + 1
            return self._run.failure("source", None, None, error, count)
        if place.stage is None:
            return error  # it came from upstream, and is no error of a stage here
        if place.does == "call":
            error = escaped(error, place)
        if self._run.counters is not None:
            self._run.counters.stages[place.stage].errors += 1
        data = self._state[place.item or ""]
        name = self._stages[place.stage].name
        units = self._units(place.stage, data)
        return self._run.failure(name, place.stage, data, error, index, units)

    def _units(self, stage: int, data: Item) -> list[Item]:
        return list(data) if traits_of(self._stages[stage].operation).takes_list else [data]

    # What is left of it

    def halt(self) -> None:
        """Ask for nothing more, and flush nothing."""
        self.is_halted = True

    async def close(self, closing: CleanupReport) -> None:
        """Hand over what the function held, close the user's generators, then what is upstream."""
        state, self._state = self._state, {}
        if self._in_flight is not None:
            stage, data = self._in_flight
            closing.hold(stage, self._units(stage, data))
            self._in_flight = None
        for holding in reversed(self._holdings):
            if holding.kind == "outputs" and holding.local in state:
                await self._close_outputs(holding, state, closing)
        for holding in self._holdings:
            if holding.kind != "outputs" and holding.local in state:
                closing.hold(holding.stage, _held(holding, state))
        await self.upstream.close(closing)

    async def _close_outputs(self, holding: Holding, state: State, closing: CleanupReport) -> None:
        outputs, (of, data) = state[holding.local], holding.beside
        stage = holding.stage
        try:
            if isinstance(state.get(of), COLLECTIONS):
                closing.hold_outputs(stage, rest_of(outputs))
            await close_outputs(outputs)
        except Exception as error:  # noqa: BLE001  whatever a user's finally block raises
            name = self._stages[stage].name
            closing.failed(self._run.failure(name, stage, state[data], error, None))
        except BaseException as error:  # noqa: BLE001  it leaves the run once all is clean
            closing.failed(error)


def _held(holding: Holding, state: State) -> list[Item]:
    held = state[holding.local]
    if holding.kind == "holder":
        items: list[Item] = held.held()
        return items
    if holding.kind == "sliding":
        size, period, missing = (state[name] for name in holding.beside)
        fresh = max(0, min(period, size) - missing)
        return list(held)[len(held) - fresh :]
    return list(held)


def escaped(error: Exception, place: Place) -> Exception:
    """Give what a coroutine or a generator makes of a `StopIteration` that escapes from it."""
    return as_escaped(error, "coroutine" if place.in_coroutine else "generator")

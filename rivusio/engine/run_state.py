"""What belongs to one run as a whole: its time, its counters, its errors."""

from __future__ import annotations

from rivusio.engine.cleanup import CleanupReport
from rivusio.errors import StreamError
from rivusio.items import Item
from rivusio.observe.counters import RunCounters, StageCounters
from rivusio.time.clock import Clock


class RunState:
    """What belongs to one run as a whole.

    Attributes:
        clock: the time of this run.
        in_loop: whether the run has an event loop; a sync run has none and nothing may wait.
        yield_every: after so many items of a plain iterable the loop gets a turn.
        counters: the run's counters, or `None` when nobody observes it.
    """

    def __init__(
        self, clock: Clock, *, in_loop: bool, yield_every: int, counters: RunCounters | None
    ) -> None:
        self.clock = clock
        self.in_loop = in_loop
        self.yield_every = yield_every
        self.counters = counters
        self.closing = CleanupReport()
        self.ending = False  # the run is being left: nothing is tried again
        self._raised: list[tuple[StreamError, list[Item]]] = []

    def stage_counters(self, index: int) -> StageCounters | None:
        """Give the counters of a stage, or `None` when nobody observes the run."""
        return None if self.counters is None else self.counters.stages[index]

    def failure(
        self,
        name: str,
        stage: int | None,
        item: Item,
        error: BaseException,
        index: int | None,
        units: list[Item] | None = None,
    ) -> StreamError:
        """Wrap an error, once, as this run's own.

        `units` are the source-side items that the failing input stands for, where it is a list.
        """
        wrapped = StreamError(name, error, stage=stage, item=item, item_index=index)
        wrapped.__cause__ = error
        self._raised.append((wrapped, [item] if units is None else units))
        return wrapped

    def raised(self, error: BaseException) -> bool:
        """Tell whether this very error was raised by this run."""
        return any(each is error for each, _ in self._raised)

    def units_of(self, error: BaseException) -> list[Item]:
        """Give the items that went down with an error of this run that nobody will see."""
        return next((units for each, units in self._raised if each is error), [])

    def forget_errors(self) -> None:
        """Let go of the errors, and of the items that went down with them."""
        self._raised.clear()

    async def pause(self, seconds: float) -> None:
        """Wait between two tries."""
        if seconds <= 0:
            return
        if self.in_loop:
            await self.clock.sleep(seconds)
        else:
            self.clock.wait(seconds)

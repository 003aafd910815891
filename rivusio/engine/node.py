"""What every part of an interpreted run has in common.

A run is a line of nodes. The last one is asked for items with `pull`, and asks the one before
it; at the far end stands the source. Nothing moves unless it is asked for.
"""

from __future__ import annotations

import asyncio
import inspect
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from types import AsyncGeneratorType
from typing import Any, Final, Literal

from rivusio.errors import StreamError
from rivusio.observe.counters import RunCounters, StageCounters
from rivusio.time.clock import Clock

Item = Any  # items of every type flow through the same nodes


class Answer(Enum):
    """Answers that are no item; `None` is an item."""

    NOTHING = auto()
    END = auto()


NOTHING: Final[Literal[Answer.NOTHING]] = Answer.NOTHING
END: Final[Literal[Answer.END]] = Answer.END


@dataclass(frozen=True, slots=True)
class _Held:
    """Items that were held at one place when a run ended."""

    stage: int
    items: list[Item]
    are_outputs: bool  # of a flat-map: inputs of no stage yet


class Closing:
    """What comes to light while a run is cleaned up: items that were held, and errors."""

    def __init__(self) -> None:
        self._held: list[_Held] = []
        self.errors: list[Exception] = []
        self.leaving: BaseException | None = None  # stronger than any Exception
        self.overtaken: list[Exception] = []  # failures that came while another was on its way
        self.discarded = 0  # the items that were dropped

    def hold(self, stage: int, items: Iterable[Item]) -> None:
        """Take over items that were held at a stage, in their order.

        What is held at the same stage is handed over from downstream on.
        """
        self._held.append(_Held(stage, list(items), are_outputs=False))

    def hold_outputs(self, stage: int, items: Iterable[Item]) -> None:
        """Take over the outputs of a flat-map that were not taken."""
        self._held.append(_Held(stage, list(items), are_outputs=True))

    def failed(self, error: BaseException) -> None:
        """Note an error, and let the cleaning go on."""
        if isinstance(error, Exception):
            self.errors.append(error)
        elif self.leaving is None:
            self.leaving = error

    def absorb(self, other: Closing) -> None:
        """Take over all that another closing has found."""
        self._held += other._held
        self.errors += other.errors
        self.overtaken += other.overtaken
        if self.leaving is None:
            self.leaving = other.leaving
        other._held, other.errors, other.overtaken, other.leaving = [], [], [], None

    def take_pending(self) -> tuple[Item, ...]:
        """Take the held items, downstream first and in order within each holder."""
        held = sorted(self._held, key=lambda each: each.stage, reverse=True)
        self._held = []
        return tuple(item for each in held for item in each.items)

    def discard(self, counters: RunCounters | None) -> None:
        """Drop the held items, and count them."""
        held, self._held = self._held, []
        self.discarded += sum(len(each.items) for each in held)
        if counters is None:
            return
        for each in held:
            if each.are_outputs:
                counters.discarded_outputs += len(each.items)
            else:
                counters.stages[each.stage].discarded += len(each.items)


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
        self.closing = Closing()
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


class Node(ABC):
    """One part of the line that an item passes through."""

    item_index: int | None = None  # the number of the source item behind the last answer
    upstream: Node | None = None  # nothing stands before a source
    cleaning = False  # whether user code is being closed here right now

    @abstractmethod
    async def pull(self) -> Item:
        """Give the next item, or `END`, then and ever after."""

    @abstractmethod
    async def close(self, closing: Closing) -> None:
        """Clean up this node and all before it; called once, raises nothing."""

    def interrupt(self) -> None:
        """Called in the event loop, on every node, when the source is to end now."""
        return  # most nodes have nothing to do: their source tells them

    def halt(self) -> None:
        """Called before the run is cleaned up: nothing more may be asked of what is upstream."""
        return  # most nodes only ask when they are asked


def upstream_of(node: Node) -> Iterator[Node]:
    """Give the nodes before this one, the source last; a chain may be longer than the stack."""
    before = node.upstream
    while before is not None:
        yield before
        before = before.upstream


async def close_generator(generator: AsyncGeneratorType[Any, Any]) -> None:
    """Close a user's async generator, unless somebody else is at it: see `yield_to_loop`."""
    if not generator.ag_running:
        await generator.aclose()


async def yield_to_loop() -> None:
    """Let the event loop go first where it closes a run that nobody has closed.

    At its shutdown, and when garbage with several async generators is collected, it closes them
    all at the same time, each in a task of its own, and would complain if we came first.
    """
    task = asyncio.current_task()
    if task is not None and not inspect.iscoroutine(task.get_coro()):  # bare generator.aclose()
        await asyncio.sleep(0)


async def joined(task: asyncio.Task[Any]) -> asyncio.CancelledError | None:
    """Wait until a task of the run is done, however often the waiting task is cancelled.

    Returns the cancellation that came meanwhile, for the caller to pass on.
    """
    cancelled = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled

"""What comes to light when a run is closed, and how generators and tasks end with it."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import AsyncGeneratorType
from typing import Any

from rivusio.items import Item
from rivusio.observe.counters import RunCounters
from rivusio.safe_repr import summarize_error


@dataclass(frozen=True, slots=True)
class _Held:
    """Items that were held at one place when a run ended."""

    stage: int
    items: list[Item]
    are_outputs: bool  # of a flat-map: inputs of no stage yet


class CleanupReport:
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

    def absorb(self, other: CleanupReport) -> None:
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


def chain_closing(leaving: BaseException, closing: list[Exception]) -> None:
    """Attach what failed while a run was cleaned up to the error that is leaving it.

    The first is chained where the leaving error's own story begins; the rest become notes.
    """
    if not closing:
        return
    story = list(_story(leaving))
    first = closing[0]
    if not any(first is each for each in story):
        for each in _story(first):  # Python has chained it to what was being handled: to this
            if any(each.__context__ is known for known in story):
                each.__context__ = None
        story[-1].__context__ = first
    note_closing(leaving, closing[1:])


def note_closing(leaving: BaseException, others: list[Exception]) -> None:
    """Add a note to the error that is leaving for each that came beside it."""
    for error in others:
        leaving.add_note(f"while closing: {summarize_error(error)}")


def _story(error: BaseException) -> Iterator[BaseException]:
    """Give an error, then what it came of, and so on; each once."""
    seen: set[int] = set()
    earlier: BaseException | None = error
    while earlier is not None and id(earlier) not in seen:
        seen.add(id(earlier))
        yield earlier
        earlier = earlier.__context__ if earlier.__cause__ is None else earlier.__cause__

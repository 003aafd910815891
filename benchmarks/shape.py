"""What a shape is: a chain, the loop an expert would write in its place, and items for both."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from rivusio import DeadLetter, StreamError
from rivusio.pipes.base import BasePipe

Item = Any  # every shape has items of its own
Outputs = Iterator[Item] | AsyncIterator[Item]

# How a chain is used: a run over all items in a sync loop or in an event loop, one item after the
# other through `process`, or a run of its own for each item. The last four give their results as
# one list at the end, so that what is measured is not the handing over.
Way = Literal["iterate", "stream", "process", "await", "iterate one", "stream one"]

BURST = 64  # items that an async source gives before it waits


class Tally(Protocol):
    """What an expert's loop counts where a monitor would."""

    def metrics(self) -> dict[str, Any]:  # as `PipelineMonitor.get_metrics` gives them
        """Give those counts of the loop that are not 0, and each stage's under "stages"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A chain beside the loop that an expert would write.

    Attributes:
        name: what it is called on the command line and in the figures.
        about: what it is, in the words of the table.
        chain: the chain, made at the top level of its file, so that it can be compiled.
        expert: the loop; it takes the source, and `clock=` and `tally=` where the chain has them.
        items: gives so many items, none of which makes a stage fail that forgives nothing.
        count: the items of one measured round: about as many as take some milliseconds.
        times: how many times as many the loop gets, where it is so much faster than the chain.
        way: how both are used.
        source: makes the source of the items; the list itself, if nothing else is said.
        failing: items that make a stage fail, each another stage if it can.
        tally: counts for the expert's loop, if the chain is watched by a monitor.
        aside: where both put what they set aside.
        timed: whether time decides what comes out, so that a test has to turn the clock.
        reads_ahead: whether items are taken from the source before they are asked for.
        naive: whether the loop is what everybody writes, which wraps no error.
        without_monitor: whether the chain is compared with itself, without its monitor.
    """

    name: str
    about: str
    chain: BasePipe[Item, Item]
    expert: Callable[..., Outputs]
    items: Callable[[int], list[Item]]
    count: int
    times: int = 1
    way: Way = "iterate"
    source: Callable[[list[Item]], Iterable[Item] | AsyncIterable[Item]] = iter
    failing: tuple[Item, ...] = ()
    tally: Callable[[], Tally] | None = None
    aside: deque[DeadLetter] | None = None
    timed: bool = False
    reads_ahead: bool = False
    naive: bool = False
    without_monitor: bool = False


def numbers(count: int) -> list[int]:
    """Give numbers from 0."""
    return list(range(count))


async def in_bursts(items: Iterable[Item]) -> AsyncIterator[Item]:
    """Give items as a network does: many at once, and then there is nothing for a moment."""
    for number, item in enumerate(items):
        if number % BURST == 0:
            await asyncio.sleep(0)
        yield item


def failed(pipe: str, error: Exception, stage: int, item: Item, index: int | None) -> StreamError:
    """Say which stage has failed, and on which item."""
    return StreamError(pipe, error, stage=stage, item=item, item_index=index)


@dataclass(frozen=True, slots=True)
class Fails:
    """A number that does not say how much it is: the arithmetic after `left` more fails.

    So it makes any stage fail that a test asks for.
    """

    left: int

    def _next(self, _: object) -> Fails:
        if not self.left:
            raise ArithmeticError("this is no number")
        return Fails(self.left - 1)

    __add__ = __sub__ = __mul__ = __mod__ = __floordiv__ = _next

    def __neg__(self) -> Fails:
        raise ArithmeticError("this has no sign")

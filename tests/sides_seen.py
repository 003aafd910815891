"""Runs one side of a shape of the benchmark, and tells everything that can be seen of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Any

from benchmarks import sides
from benchmarks.shape import Item, Outputs, Shape
from benchmarks.sides import Side
from rivusio import PipeError, PipelineMonitor, StreamError
from rivusio.observe.counters import COUNTS
from rivusio.testing import VirtualClock

SHAPES = [shape for shape in sides.all_shapes() if not shape.without_monitor]  # those are twins
ITEMS = 150  # more than a burst of a source, a sample of a monitor or a full batch

Event = tuple[float, str, Any]  # when, what, and what of


def seen_of(shape: Shape, side: Side, items: list[Item], gaps: Sequence[float] = ()) -> list[Event]:
    """Run one side, and give everything that can be seen of it.

    `gaps` are the seconds of a virtual clock that pass before an item comes.
    """
    watch = Watch(shape, gaps)
    watching: dict[str, Any] = {"clock": watch.clock} if shape.timed else {}
    if shape.tally is not None and side == "expert":
        watching["tally"] = tally = shape.tally()
        watch.counts = tally.metrics
    elif shape.tally is not None:
        watching["monitor"] = monitor = PipelineMonitor()
        watch.counts = lambda: counts_of(monitor)
    source = watch.source(items)
    asyncio.run(watch.over(lambda: sides.outputs(shape, side, source, **watching)))
    if shape.aside is not None:
        letters = [
            (each.item, each.pipe, each.stage, repr(each.error), each.item_index)
            for each in shape.aside
        ]
        shape.aside.clear()
        watch.events.append((0.0, "aside", letters))
    return watch.events


class Watch:
    """Notes what a run asks of its source, what it gives, and when."""

    def __init__(self, shape: Shape, gaps: Sequence[float]) -> None:
        self.events: list[Event] = []
        self.clock = VirtualClock()
        self.counts: Callable[[], object] = lambda: None
        self._taken = 0
        self._shape = shape
        self._gaps = gaps

    def source(self, items: list[Item]) -> Any:
        if self._shape.way not in ("iterate", "stream"):
            return items
        given = self._shape.source(items)
        return self._async(given) if isinstance(given, AsyncIterable) else self._plain(given)

    def _plain(self, items: Iterable[Item]) -> Iterator[Item]:
        for number, item in enumerate(items):
            self._note("asked", number)
            if self._gaps:
                self.clock.wait(self._gaps[number])
            yield item
        self._note("asked", None)

    async def _async(self, items: AsyncIterable[Item]) -> AsyncIterator[Item]:
        number = -1
        async for item in items:
            number += 1
            self._note("asked", number)
            if self._gaps and number % 3:  # the event loop is blocked: timers will be late
                self.clock.wait(self._gaps[number])
            if self._gaps and number % 3 != 1:
                await self.clock.sleep(self._gaps[number])
            yield item
        self._note("asked", None)

    def _note(self, kind: str, value: object) -> None:
        if kind != "asked" or not self._shape.reads_ahead:
            counts = None if kind == "asked" else self.counts()
            self.events.append((self.clock.now(), kind, (value, counts)))

    async def over(self, start: Callable[[], Outputs]) -> None:
        consuming = asyncio.create_task(self._consume(start))
        while self._gaps and not consuming.done():
            await self.clock.advance(1)
        await consuming

    async def _consume(self, start: Callable[[], Outputs]) -> None:
        try:
            outputs = start()
            if isinstance(outputs, Iterator):
                for output in outputs:
                    self._note("output", output)
            else:
                async for output in outputs:
                    self._note("output", output)
                    await self._take_time()
            self._note("end", None)
        except Exception as error:  # noqa: BLE001  what it is, is compared
            self._note("error", told(self._shape, error))

    async def _take_time(self) -> None:
        """Be quick, then slow, then block the event loop, so that timers are late."""
        if self._gaps:
            self._taken += 1
            if self._taken % 3 == 1:
                await self.clock.sleep(1.5)
            elif self._taken % 3 == 2:
                self.clock.wait(1.25)


def told(shape: Shape, error: Exception) -> object:
    """Give what an expert's loop promises of an error."""
    cause = error.__cause__
    if shape.naive:  # a loop that wraps nothing
        error = cause if isinstance(error, PipeError) and isinstance(cause, Exception) else error
        return type(error), str(error)
    assert isinstance(error, StreamError)
    assert error.error is cause
    where = (error.pipe, error.stage, error.item, error.item_index)
    return type(error), *where, type(cause), str(cause)


def counts_of(monitor: PipelineMonitor) -> dict[str, Any]:
    """Give what a monitor has counted, where that is not 0, and how often it has looked."""
    metrics = monitor.get_metrics()
    stages = [
        {name: stage[name] for name in COUNTS if stage[name]}
        | {"samples": len(stage["processing_time"])}
        for stage in metrics["stages"]
    ]
    return {name: metrics[name] for name in COUNTS if metrics[name]} | {"stages": stages}

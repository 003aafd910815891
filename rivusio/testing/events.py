"""Events, and what a test writes them down with."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from dataclasses import dataclass

from rivusio.items import Item
from rivusio.testing.clock import VirtualClock


@dataclass(frozen=True, slots=True)
class Event:
    """Something observable that happened in a run.

    Attributes:
        at: the time on the clock.
        kind: what it was, such as `"pull"`, `"output"`, `"error"` or `"end"`.
        value: the item, the output or the exception.
    """

    at: float
    kind: str
    value: Item = None


class Recorder:
    """Writes down what happens, in order.

    Args:
        clock: gives the times; without one they are all 0.
    """

    def __init__(self, clock: VirtualClock | None = None) -> None:
        self._clock = clock
        self.events: list[Event] = []

    def note(self, kind: str, value: Item = None) -> None:
        """Write one event down."""
        self.events.append(Event(self._clock.now() if self._clock else 0.0, kind, value))

    def values(self, kind: str) -> list[Item]:
        """Give the values of the events of one kind."""
        return [event.value for event in self.events if event.kind == kind]

    @property
    def outputs(self) -> list[Item]:
        """Give the outputs."""
        return self.values("output")

    @property
    def story(self) -> list[tuple[str, Item]]:
        """Give the events without their times."""
        return [(event.kind, event.value) for event in self.events]

    async def feed(self, items: Iterable[Item] | AsyncIterable[Item]) -> AsyncIterator[Item]:
        """Give the items as an async generator, noting each `"pull"`, and `"closed"` at the end."""
        try:
            if isinstance(items, AsyncIterable):
                async for item in items:
                    self.note("pull", item)
                    yield item
            else:
                for item in items:
                    self.note("pull", item)
                    yield item
        finally:
            self.note("closed")

    def feed_plain(self, items: Iterable[Item]) -> Iterator[Item]:
        """Do the same as a plain generator."""
        try:
            for item in items:
                self.note("pull", item)
                yield item
        finally:
            self.note("closed")

    async def consume(self, run: AsyncIterable[Item]) -> None:
        """Take everything from a run, noting each `"output"`, and the `"error"` or the `"end"`."""
        try:
            async for output in run:
                self.note("output", output)
        except Exception as error:  # noqa: BLE001  it is what the test asks for
            self.note("error", error)
        else:
            self.note("end")

"""Async stages: five that never wait, over a plain and an async source, and one that does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable

from benchmarks.shape import Fails, Shape, failed, in_bursts, numbers
from benchmarks.shapes.arithmetic import Scale, Shift
from rivusio import AsyncBasePipe


class Times(AsyncBasePipe[int, int]):
    """A cache in front of a service: it could wait, and does not."""

    def __init__(self, factor: int) -> None:
        super().__init__()
        self.factor = factor

    async def process(self, data: int) -> int:
        """Multiply."""
        return data * self.factor


class Plus(AsyncBasePipe[int, int]):
    """Another one."""

    def __init__(self, by: int) -> None:
        super().__init__()
        self.by = by

    async def process(self, data: int) -> int:
        """Add."""
        return data + self.by


TWICE, MORE, THRICE, EVEN_MORE, FIVEFOLD = Times(2), Plus(1), Times(3), Plus(10), Times(5)

async_five = TWICE >> MORE >> THRICE >> EVEN_MORE >> FIVEFOLD


async def async_five_by_hand(items: Iterable[int]) -> AsyncIterator[int]:
    """What never waits needs no `await`."""
    twice, more, thrice, even_more, fivefold = TWICE, MORE, THRICE, EVEN_MORE, FIVEFOLD
    for index, item in enumerate(items):
        try:
            a = item * twice.factor
        except Exception as error:
            raise failed("Times", error, 0, item, index) from error
        try:
            b = a + more.by
        except Exception as error:
            raise failed("Plus", error, 1, a, index) from error
        try:
            c = b * thrice.factor
        except Exception as error:
            raise failed("Times", error, 2, b, index) from error
        try:
            d = c + even_more.by
        except Exception as error:
            raise failed("Plus", error, 3, c, index) from error
        try:
            e = d * fivefold.factor
        except Exception as error:
            raise failed("Times", error, 4, d, index) from error
        yield e


async def async_source_by_hand(items: AsyncIterable[int]) -> AsyncIterator[int]:
    """The same over what must be awaited."""
    twice, more, thrice, even_more, fivefold = TWICE, MORE, THRICE, EVEN_MORE, FIVEFOLD
    index = -1
    async for item in items:
        index += 1
        try:
            a = item * twice.factor
        except Exception as error:
            raise failed("Times", error, 0, item, index) from error
        try:
            b = a + more.by
        except Exception as error:
            raise failed("Plus", error, 1, a, index) from error
        try:
            c = b * thrice.factor
        except Exception as error:
            raise failed("Times", error, 2, b, index) from error
        try:
            d = c + even_more.by
        except Exception as error:
            raise failed("Plus", error, 3, c, index) from error
        try:
            e = d * fivefold.factor
        except Exception as error:
            raise failed("Times", error, 4, d, index) from error
        yield e


class Ask(AsyncBasePipe[int, int]):
    """A service that has to be waited for, each time."""

    def __init__(self, offset: int) -> None:
        super().__init__()
        self.offset = offset

    async def process(self, data: int) -> int:
        """Wait for one turn of the event loop."""
        await asyncio.sleep(0)
        return data - self.offset


SCALE, ASK, SHIFT = Scale(3), Ask(4), Shift(7)

one_wait = SCALE >> ASK >> SHIFT


async def one_wait_by_hand(items: Iterable[int]) -> AsyncIterator[int]:
    """A line, a real wait, a line."""
    scale, ask, shift = SCALE, ASK, SHIFT
    for index, item in enumerate(items):
        try:
            scaled = item * scale.factor
        except Exception as error:
            raise failed("Scale", error, 0, item, index) from error
        try:
            await asyncio.sleep(0)
            answer = scaled - ask.offset
        except Exception as error:
            raise failed("Ask", error, 1, scaled, index) from error
        try:
            shifted = answer + shift.by
        except Exception as error:
            raise failed("Shift", error, 2, answer, index) from error
        yield shifted


SHAPES = (
    Shape(
        name="async_five",
        about="5 async stages that do not wait",
        chain=async_five,
        expert=async_five_by_hand,
        items=numbers,
        count=10_000,
        way="stream",
        failing=(None, *(Fails(stage) for stage in range(5))),
    ),
    Shape(
        name="async_source",
        about="5 async stages that do not wait, over an async source",
        chain=async_five,
        expert=async_source_by_hand,
        items=numbers,
        count=8_000,
        way="stream",
        source=in_bursts,
        failing=(None, *(Fails(stage) for stage in range(5))),
    ),
    Shape(
        name="one_wait",
        about="3 stages, one of which waits for a turn of the loop",
        chain=one_wait,
        expert=one_wait_by_hand,
        items=numbers,
        count=600,
        way="stream",
        failing=(None, *(Fails(stage) for stage in range(3))),
    ),
)

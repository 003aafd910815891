"""One item at a time, as in the handler of a web service, against what everybody writes.

That loop calls every pipe and wraps no error. The results are collected in one list on both sides.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator

from benchmarks.shape import Fails, Shape, numbers
from benchmarks.shapes.stages import BACK, SCALE, SHARE, SHIFT, WRAP
from benchmarks.shapes.waiting import EVEN_MORE, FIVEFOLD, MORE, THRICE, TWICE

# Each file that is compiled has chains of its own.
one_sync = SCALE >> SHIFT >> WRAP >> BACK >> SHARE
one_async = TWICE >> MORE >> THRICE >> EVEN_MORE >> FIVEFOLD

SYNC_PIPES = (SCALE, SHIFT, WRAP, BACK, SHARE)
ASYNC_PIPES = (TWICE, MORE, THRICE, EVEN_MORE, FIVEFOLD)


def naive(items: Iterable[int]) -> Iterator[list[int]]:
    """Call one pipe after the other."""
    results: list[int] = []
    for item in items:
        for each in SYNC_PIPES:
            item = each.process(item)  # noqa: PLW2901  as people write it
        results.append(item)
    yield results


async def naive_async(items: Iterable[int]) -> AsyncIterator[list[int]]:
    """Await one pipe after the other."""
    results: list[int] = []
    for item in items:
        for each in ASYNC_PIPES:
            item = await each.process(item)  # noqa: PLW2901  as people write it
        results.append(item)
    yield results


FAILING = (None, *(Fails(stage) for stage in range(5)))

SHAPES = (
    Shape(
        name="process",
        about="`process(item)`, 5 sync stages",
        chain=one_sync,
        expert=naive,
        items=numbers,
        count=100,
        times=50,
        way="process",
        naive=True,
        failing=FAILING,
    ),
    Shape(
        name="process_async",
        about="`await process(item)`, 5 async stages that do not wait",
        chain=one_async,
        expert=naive_async,
        items=numbers,
        count=100,
        times=50,
        way="await",
        naive=True,
        failing=FAILING,
    ),
    Shape(
        name="iterate_one",
        about="a run of one item, 5 sync stages",
        chain=one_sync,
        expert=naive,
        items=numbers,
        count=100,
        times=50,
        way="iterate one",
        naive=True,
        failing=FAILING,
    ),
    Shape(
        name="stream_one",
        about="an async run of one item, 5 async stages",
        chain=one_async,
        expert=naive_async,
        items=numbers,
        count=100,
        times=50,
        way="stream one",
        naive=True,
        failing=FAILING,
    ),
)

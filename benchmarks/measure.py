"""Measures a shape: all its sides in turn, in one process, in CPU time, in many short rounds.

The machines this runs on are shared and noisy: a second of today is none of tomorrow. So what is
told is a ratio of neighbouring rounds, its median and the quarters about it. The order of the
sides changes from round to round, so that none always comes after the same one. Each side starts
with nothing to collect for the garbage collector, which stays on: what a side leaves behind, it
pays for. Making a run is not a part of a round over many items, as each has only one; `iterate_one`
and `stream_one` have the price of that.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from time import process_time
from typing import Any

from benchmarks.shape import Item, Shape
from benchmarks.sides import MODES, SIDES, Compared, Side, outputs
from rivusio import PipelineMonitor

# The sides of one round: by the side's name, and of a chain beside itself without its monitor.
Key = tuple[Side, bool]


@dataclass(frozen=True, slots=True)
class Spread:
    """A median, and the quarters below and above it."""

    low: float
    median: float
    high: float


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of measuring a shape.

    Attributes:
        nanoseconds: CPU time of an item in the loop that is compared with.
        ratios: how many times as much it costs in each mode.
    """

    nanoseconds: Spread
    ratios: dict[Compared, Spread]


def spread(values: list[float]) -> Spread:
    """Give the median of two values or more, and the quarters."""
    return Spread(*statistics.quantiles(values, n=4))


def combined(passes: Sequence[Measured]) -> Measured:
    """Give what several passes say together: the median one, and the outermost quarters."""
    return Measured(
        _combined([each.nanoseconds for each in passes]),
        {mode: _combined([each.ratios[mode] for each in passes]) for mode in MODES},
    )


def _combined(spreads: Sequence[Spread]) -> Spread:
    return Spread(
        min(each.low for each in spreads),
        statistics.median(each.median for each in spreads),
        max(each.high for each in spreads),
    )


def measure(shape: Shape, rounds: int) -> Measured:
    """Measure one shape in so many rounds, 2 or more."""
    return asyncio.run(_measured(shape, rounds))


async def _measured(shape: Shape, rounds: int) -> Measured:
    keys = _keys(shape)
    items = shape.items(shape.count)
    for key in keys:  # Python makes faster code of what has run for a while
        await _nanoseconds(shape, key, items)
    gc.collect()
    gc.freeze()  # what is there already is nobody's to look through
    taken: dict[Key, list[float]] = {key: [] for key in keys}
    orders = itertools.cycle(itertools.permutations(keys))
    for order in itertools.islice(orders, rounds):
        for key in order:
            taken[key].append(await _nanoseconds(shape, key, items))
    gc.unfreeze()
    references = {mode: _reference(shape, mode) for mode in MODES}
    ratios: dict[Compared, Spread] = {
        mode: spread(
            [
                one / other
                for one, other in zip(taken[mode, True], taken[references[mode]], strict=True)
            ]
        )
        for mode in MODES
    }
    return Measured(spread(taken[references["compiled"]]), ratios)


def _keys(shape: Shape) -> list[Key]:
    if shape.without_monitor:
        return [(mode, watched) for mode in MODES for watched in (True, False)]
    return [(side, True) for side in SIDES]


def _reference(shape: Shape, mode: Compared) -> Key:
    return (mode, False) if shape.without_monitor else ("expert", True)


async def _nanoseconds(shape: Shape, key: Key, items: list[Item]) -> float:
    """Let one side run once; give the CPU time for an item."""
    side, is_watched = key
    if side == "expert":
        items = items * shape.times
    watching: dict[str, Any] = {}
    if shape.tally is not None and is_watched:
        watching = {"tally": shape.tally()} if side == "expert" else {"monitor": PipelineMonitor()}
    source = shape.source(items) if shape.way in ("iterate", "stream") else items
    gc.collect()
    run = outputs(shape, side, source, **watching)
    seconds = _seconds(run) if isinstance(run, Iterator) else await _async_seconds(run)
    count = shape.count * shape.times if side == "expert" else shape.count
    return seconds / count * 1e9


def _seconds(run: Iterator[Item]) -> float:
    start = process_time()
    for _ in run:
        pass
    return process_time() - start


async def _async_seconds(run: AsyncIterator[Item]) -> float:
    start = process_time()
    async for _ in run:
        pass
    return process_time() - start

"""Run every shape in turn with its hand-written loop: `make bench`.

The machines this runs on are shared and noisy, so nothing is said in seconds: both sides run
alternately in one process, in CPU time, and what is printed is the median of the ratios of
neighbouring runs, with the quarter of them below and above.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterable
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.shapes import SHAPES, Shape

ROUNDS = 15


async def seconds_of(outputs: AsyncIterable[Any]) -> float:  # of any type: they are dropped
    """CPU seconds that it takes to take all outputs."""
    start = time.process_time()
    async for _ in outputs:
        pass
    return time.process_time() - start


async def ratios(shape: Shape) -> list[float]:
    """Interpreted against hand-written, round by round."""
    found = []
    for _ in range(ROUNDS):
        by_hand = await seconds_of(shape.loop(shape.items()))
        interpreted = await seconds_of(shape.chain.stream(shape.items()))
        found.append(interpreted / by_hand)
    return found


def main() -> None:
    """Measure what is named on the command line, or everything."""
    chosen = [shape for shape in SHAPES if not sys.argv[1:] or shape.name in sys.argv[1:]]
    table = Table(title="CPU time against a loop written by hand")
    for title in ("chain", "items", "interpreted", "quarter below", "quarter above"):
        table.add_column(title, justify="left" if title == "chain" else "right")
    for shape in chosen:
        low, median, high = statistics.quantiles(asyncio.run(ratios(shape)), n=4)
        figures = [f"{figure:.2f}x" for figure in (median, low, high)]
        table.add_row(shape.name, f"{shape.count:,}", *figures)
    Console().print(table)


if __name__ == "__main__":
    main()

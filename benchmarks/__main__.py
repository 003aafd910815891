"""Run every shape in turn with its hand-written loop: `make bench`.

The machines this runs on are shared and noisy, so nothing is said in seconds: both sides run
alternately in one process, in CPU time, and what is printed is the median of the ratios of
neighbouring runs, with the quarter of them below and above. The chains are compiled first, as
`rivusio compile benchmarks/shapes.py` would.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import rivusio
from benchmarks import shapes
from benchmarks.shapes import SHAPES, Shape
from rivusio.compiler import driver
from rivusio.mode import Mode

ROUNDS = 15
MODES: tuple[Mode, ...] = ("interpreted", "compiled")
SOURCE = Path(shapes.__file__)


async def seconds_of(outputs: AsyncIterable[Any]) -> float:  # of any type: they are dropped
    """CPU seconds that it takes to take all outputs."""
    start = time.process_time()
    async for _ in outputs:
        pass
    return time.process_time() - start


async def ratios(shape: Shape) -> dict[Mode, list[float]]:
    """Each mode against hand-written, round by round."""
    found: dict[Mode, list[float]] = {mode: [] for mode in MODES}
    for _ in range(ROUNDS):
        by_hand = await seconds_of(shape.loop(shape.items()))
        for mode in MODES:
            with rivusio.mode(mode):
                run = shape.chain.stream(shape.items())
            found[mode].append(await seconds_of(run) / by_hand)
    return found


def compiled() -> bool:
    """Compile the chains of `shapes.py`; tell whether that has gone well."""
    done = driver.compile_files([str(SOURCE)], driver.Options())
    for diagnostic in done.diagnostics:
        print(diagnostic, file=sys.stderr)
    return not done.failed


def main() -> None:
    """Measure what is named on the command line, or everything."""
    if not compiled():
        sys.exit(1)
    chosen = [shape for shape in SHAPES if not sys.argv[1:] or shape.name in sys.argv[1:]]
    table = Table(title="CPU time against a loop written by hand (and the quarters about it)")
    for title in ("chain", "items", *MODES):
        table.add_column(title, justify="left" if title == "chain" else "right")
    for shape in chosen:
        measured = asyncio.run(ratios(shape))
        figures = [_figure(measured[mode]) for mode in MODES]
        table.add_row(shape.name, f"{shape.count:,}", *figures)
    Console().print(table)


def _figure(ratios: list[float]) -> str:
    low, median, high = statistics.quantiles(ratios, n=4)
    return f"{median:.2f} ({low:.2f}-{high:.2f})"


if __name__ == "__main__":
    main()

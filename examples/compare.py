"""Runs the pipeline of flights.py interpreted and compiled: the same results, in less time.

Compile it first: `rivusio compile examples/flights.py`; `make demo` does both.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from pathlib import Path

import flights

import rivusio
from rivusio.artifacts.mode import Mode

PAIRS = 9  # runs of each mode, in turn: the machine is never quiet
HERE = Path(__file__).parent


def timed(mode: Mode, lines: list[str]) -> tuple[dict[str, flights.Delays], float]:
    """Give the results of one run, and the seconds of CPU time that it took."""
    with rivusio.mode(mode):
        started = time.process_time()
        delays = asyncio.run(flights.run(lines))
        return delays, time.process_time() - started


def main() -> int:
    """Compare the two modes over the real flights."""
    lines = flights.FLIGHTS.read_text(encoding="utf-8").splitlines()
    shares: list[float] = []
    compiled: dict[str, flights.Delays] = {}
    try:
        for _ in range(PAIRS):
            interpreted, its_time = timed("interpreted", lines)
            compiled, time_compiled = timed("compiled", lines)
            if interpreted != compiled:
                print("the results differ, which is a bug: please report it", file=sys.stderr)
                return 1
            shares.append(time_compiled / its_time)
    except rivusio.NotCompiledError as error:
        print(error, file=sys.stderr)
        return 1
    low, share, high = statistics.quantiles(shares, n=4)
    [module] = sorted((HERE / "__rivusio__").glob("flights__*.py"))
    print(f"compiled gives the same delays of {len(compiled)} airports as interpreted")
    print(f"it takes {share:.2f} of the CPU time (between {low:.2f} and {high:.2f})")
    print(f"what runs is {module.relative_to(HERE.parent)}: read it")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Which airports send their passengers off late? 6,000 real flights say so: `make demo`.

    lines ── Parse ──▶ flights ── NotEarly ──▶ flights ── DelaysByOrigin ──▶ delays by airport

A line that cannot be read is set aside and counted; it does not end the run. Once this file was
compiled, with `rivusio compile examples/flights.py`, the same program runs the generated loop.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from rivusio import (
    BatchStreamPipe,
    DeadLetter,
    FilterPipe,
    PipelineMonitor,
    StreamConfig,
    StreamError,
    SyncBasePipe,
)

FLIGHTS = Path(__file__).with_name("data") / "flights.jsonl"
SHOWN = 10  # airports in the table


@dataclass(frozen=True, slots=True)
class Flight:
    """A flight that has left: `delay` is in minutes, below 0 if it was early."""

    origin: str
    destination: str
    delay: int


@dataclass(frozen=True, slots=True)
class Delays:
    """How many flights there were, and their minutes of delay together."""

    flights: int = 0
    minutes: int = 0

    def __add__(self, other: Delays) -> Delays:
        return Delays(self.flights + other.flights, self.minutes + other.minutes)


class Parse(SyncBasePipe[str, Flight]):
    """A line of JSON becomes a flight."""

    def process(self, data: str) -> Flight:
        """Let it raise for a line that is no flight: the stage's settings say what follows."""
        fields = json.loads(data)
        return Flight(str(fields["origin"]), str(fields["destination"]), int(fields["delay"]))


class NotEarly(FilterPipe[Flight]):
    """Flights that left before their time made nobody wait."""

    def keep(self, item: Flight) -> bool:
        """Let flights pass that were on time or late."""
        return item.delay >= 0


class DelaysByOrigin(BatchStreamPipe[Flight, dict[str, Delays]]):
    """The delays of a batch of flights, by the airport they left from."""

    def process_batch(self, batch: list[Flight]) -> dict[str, Delays]:
        """Nothing here waits, so a plain `def` will do."""
        delays: dict[str, Delays] = defaultdict(Delays)
        for flight in batch:
            delays[flight.origin] += Delays(1, flight.delay)
        return delays


set_aside: list[DeadLetter] = []

flights = (
    Parse().with_config(StreamConfig(on_error=set_aside.append))
    >> NotEarly()
    >> DelaysByOrigin(batch_size=500)
)


async def run(lines: Iterable[str], monitor: PipelineMonitor | None = None) -> dict[str, Delays]:
    """Run the pipeline, and add up what it gives for each batch."""
    delays: dict[str, Delays] = defaultdict(Delays)
    async for batch in flights.stream(lines, monitor=monitor):
        for origin, of_batch in batch.items():
            delays[origin] += of_batch
    return delays


def show(delays: dict[str, Delays], monitor: PipelineMonitor) -> None:
    """Print the airports with the most delay, and what the monitor has seen."""
    table = Table(title="The airports with the most delay")
    table.add_column("origin")
    for title in ("flights", "minutes late", "minutes a flight"):
        table.add_column(title, justify="right")
    worst = sorted(delays.items(), key=lambda each: each[1].minutes, reverse=True)
    for origin, of in worst[:SHOWN]:
        average = of.minutes / of.flights
        table.add_row(origin, f"{of.flights:,}", f"{of.minutes:,}", f"{average:.1f}")

    console = Console(markup=False, emoji=False)  # the file's words are no markup
    console.print(table)
    seen = monitor.get_metrics()
    console.print(f"{seen['items_in']:,} lines at {seen['throughput']:,.0f} items/s")
    console.print(f"{seen['filtered']:,} early ones dropped, {len(set_aside):,} lines set aside")
    for letter in set_aside[:1]:
        console.print(f"the first was {letter.item.rstrip()!r}: {letter.error!r}")


def main() -> int:
    """Read the command line, run, and show the result."""
    parser = argparse.ArgumentParser(description="The airports with the most delay.")
    parser.add_argument("--input", type=Path, default=FLIGHTS, help="JSON lines, one a flight")
    path: Path = parser.parse_args().input
    monitor = PipelineMonitor()
    try:
        with path.open(encoding="utf-8", errors="replace") as lines:
            delays = asyncio.run(run(lines, monitor))
        show(delays, monitor)
    except (OSError, StreamError) as error:
        print(f'cannot read "{path}": {error}; give another file: --input FILE', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())

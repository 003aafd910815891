"""A monitor watches batches."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator

from benchmarks.shape import Shape
from benchmarks.shapes.batches import (
    EXCHANGE,
    SIZE,
    OddPrice,
    Priced,
    Read,
    Record,
    Row,
    Total,
    rows,
)
from benchmarks.tallies import UNTIMED, Watching, beside_itself

watched_batches = Read() >> Priced() >> EXCHANGE >> Total(batch_size=100)


class BatchesTally(Watching):
    """What the source gave, what has a price, and how many batches were full."""

    __slots__ = ("batches", "priced")
    stages = 4
    filters = (1,)

    def __init__(self) -> None:
        super().__init__()
        self.priced = 0
        self.batches = 0

    def flows(self) -> Iterator[tuple[int, int]]:
        """The last stage takes records and gives sums."""
        read = self.last + 1 - (self.failed_at == 0)
        exchanged = self.priced - (self.failed_at == 2)
        yield self.last + 1, read
        yield read, self.priced
        yield self.priced, exchanged
        yield exchanged, self.batches


async def watched_batches_by_hand(
    items: Iterable[Row], tally: BatchesTally
) -> AsyncIterator[float]:
    """Three numbers; each stage times one of its own calls in 64."""
    now = time.monotonic
    exchange = EXCHANGE
    held: list[Record] = []
    priced = 0
    for index, item in enumerate(items):
        tally.last = index
        if index & UNTIMED:
            try:
                record = Record(item[0], item[1])
            except Exception as error:
                raise tally.failed("Read", error, 0, item, index) from error
            try:
                kept = record.price > 0
            except Exception as error:
                raise tally.failed("Priced", error, 1, record, index) from error
        else:
            started = now()
            tally.look(index, started)
            try:
                record = Record(item[0], item[1])
            except Exception as error:
                raise tally.failed("Read", error, 0, item, index) from error
            finally:
                tally.took(0, started)
            started = now()
            try:
                kept = record.price > 0
            except Exception as error:
                raise tally.failed("Priced", error, 1, record, index) from error
            finally:
                tally.took(1, started)
        if not kept:
            continue
        tally.priced = priced + 1
        if priced & UNTIMED:
            try:
                exchanged = Record(record.name, record.price, record.price * exchange.rate)
            except Exception as error:
                raise tally.failed("Exchange", error, 2, record, index) from error
        else:
            started = now()
            try:
                exchanged = Record(record.name, record.price, record.price * exchange.rate)
            except Exception as error:
                raise tally.failed("Exchange", error, 2, record, index) from error
            finally:
                tally.took(2, started)
        priced += 1
        held.append(exchanged)
        if len(held) == SIZE:
            full, held = held, []
            yield _counted_total(full, index, tally)
    if held:
        yield _counted_total(held, None, tally)


def _counted_total(records: list[Record], index: int | None, tally: BatchesTally) -> float:
    is_timed = not tally.batches & UNTIMED
    started = time.monotonic() if is_timed else 0.0
    try:
        total = sum(record.euro for record in records)
    except Exception as error:
        raise tally.failed("Total", error, 3, records, index) from error
    finally:
        if is_timed:
            tally.took(3, started)
    tally.batches += 1
    return total


WATCHED = Shape(
    name="watched_batches",
    about="a monitor over batches of dataclasses, against a loop that counts the same",
    chain=watched_batches,
    expert=watched_batches_by_hand,
    items=rows,
    count=5_000,
    way="stream",
    tally=BatchesTally,
    failing=(None, ("row", "text"), ("row", OddPrice()), ("row", OddPrice("text"))),
)

SHAPES = (WATCHED, beside_itself(WATCHED))

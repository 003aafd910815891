"""What the expert's loops count where a monitor would.

A monitor says at each output, exactly, what went into each stage and what came out, what failed
and what was dropped; and of each stage it times one call in 64. An expert keeps no number that
follows from others.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.shape import Item, Shape, failed
from rivusio import StreamError
from rivusio.observe.counters import SAMPLE, THROUGHPUT_INTERVAL

UNTIMED = SAMPLE - 1  # the bits of a number of a call that is not timed


class Watching:
    """The numbers that every watched loop keeps.

    Attributes:
        last: the number of the item that came last.
        passed: of each stage, how many inputs its loop says it has had; what is left out follows.
        failed_at: the stage that has failed.
        times: of each stage, how long its sampled calls took, and when they ended.
        speeds: items a second, and when.
    """

    __slots__ = ("_since", "_since_item", "failed_at", "last", "speeds", "times")

    stages: int

    def __init__(self) -> None:
        self.last = -1
        self.failed_at: int | None = None
        self.times: list[list[tuple[float, float]]] = [[] for _ in range(self.stages)]
        self.speeds: list[tuple[float, float]] = []
        self._since = time.monotonic()
        self._since_item = 0

    def look(self, index: int, now: float) -> None:
        """Note how fast the items come; called for one in 64 of them."""
        seconds = now - self._since
        if seconds >= THROUGHPUT_INTERVAL:
            self.speeds.append(((index + 1 - self._since_item) / seconds, now))
            self._since, self._since_item = now, index + 1

    def took(self, stage: int, started: float) -> None:
        """Note how long a sampled call took."""
        now = time.monotonic()
        self.times[stage].append((now - started, now))

    def failed(
        self, pipe: str, error: Exception, stage: int, item: Item, index: int | None
    ) -> StreamError:
        """Count a failure, and say which stage has failed, and on which item."""
        self.failed_at = stage
        return failed(pipe, error, stage, item, index)

    def flows(self) -> Iterator[tuple[int, int]]:
        """Give what has gone into each stage, and what came out."""
        raise NotImplementedError

    filters: tuple[int, ...] = ()

    def metrics(self) -> dict[str, Any]:
        """Give the counts that are not 0, as a monitor gives them."""
        stages = []
        for stage, (came, went) in enumerate(self.flows()):
            errors = int(stage == self.failed_at)
            counts = {"items_in": came, "items_out": went, "errors": errors}
            if stage in self.filters:
                counts["filtered"] = came - went - errors
            stages.append(counts)
        total = {
            "items_in": self.last + 1,
            "items_out": stages[-1]["items_out"],
            "errors": int(self.failed_at is not None),
            "filtered": sum(counts.get("filtered", 0) for counts in stages),
        }
        told = [
            _not_zero(counts) | {"samples": len(times)}
            for counts, times in zip(stages, self.times, strict=True)
        ]
        return _not_zero(total) | {"stages": told}


def beside_itself(watched: Shape) -> Shape:
    """Give the shape of the same chain that is compared with itself without its monitor."""
    return replace(
        watched,
        name=watched.name.replace("watched", "monitor"),
        about=watched.about.partition(",")[0] + ", against the same without a monitor",
        without_monitor=True,
    )


def _not_zero(counts: dict[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}

"""What of a stage decides how its code looks; two stages of one shape can share it.

Sizes, durations, thresholds and callables are no part of it: compiled code takes them from the
stage when a run starts.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rivusio.graph.config import BackpressureConfig
from rivusio.graph.operations import Entry, Kind, Operation
from rivusio.graph.stage import Stage


@dataclass(frozen=True, slots=True)
class Shape:
    """What of one stage decides how its code looks.

    Attributes:
        kind: what the stage does.
        entry: how the user's function is entered; `"await"` only for a true coroutine function.
        treated: whether a failure may be retried, handled, skipped or set aside.
        timed: whether a try is bounded in time.
        skip_none: whether a result that is `None` is dropped.
        buffered: whether a buffer stands before it.
        concurrent: whether it has several items in hand at once.
    """

    kind: Kind
    entry: Entry
    treated: bool = False
    timed: bool = False
    skip_none: bool = False
    buffered: bool = False
    concurrent: bool = False

    @property
    def needs_loop(self) -> bool:
        """Whether such a stage can only run in an event loop."""
        if self.buffered or self.concurrent or self.kind in ("stream", "lingering_batch"):
            return True
        return self.entry in ("await", "either") or (self.entry == "pass" and self.kind == "map")


def shapes_of(
    stages: Sequence[Stage], read_ahead: BackpressureConfig | None = None
) -> tuple[Shape, ...]:
    """Give the shapes of a chain; `read_ahead` is the buffer of the run, before the first stage."""
    shapes = [shape_of(stage) for stage in stages]
    if read_ahead is not None:
        first = Shape("map", "pass", buffered=True)
        return (first, *shapes)
    return tuple(shapes)


def shape_of(stage: Stage) -> Shape:
    """Give the shape of a stage as it is now."""
    operation = stage.operation
    settings = stage.settings
    single = stage.has_single_call
    return Shape(
        kind=operation.kind,
        entry=_entry_of(operation),
        treated=single and (stage.handler is not None or settings.treat_failures),
        timed=single and settings.timeout is not None,
        skip_none=settings.skip_none,
        buffered=settings.backpressure is not None,
        concurrent=stage.concurrency is not None,
    )


def _entry_of(operation: Operation) -> Entry:
    if operation.call is None:
        return "pass"
    if operation.entry not in ("await", "either"):
        return operation.entry
    # What says that it gives an awaitable may give another thing; a true coroutine function not.
    return "await" if is_coroutine_function(operation.call) else "either"


def is_coroutine_function(function: Any) -> bool:  # any callable
    """Tell whether calling it surely gives a coroutine."""
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return code is not None and bool(code.co_flags & inspect.CO_COROUTINE)

"""What holds the items of a batch or a window in a run: made anew for each."""

from __future__ import annotations

from typing import assert_never, overload

from rivusio.graph.operations import (
    Batch,
    SlidingWindow,
    TumblingWindow,
)
from rivusio.time.windows import BatchHolder, Holder, SlidingHolder, TumblingHolder


@overload
def make_holder(operation: Batch | TumblingWindow) -> BatchHolder | TumblingHolder: ...
@overload
def make_holder(operation: Batch | TumblingWindow | SlidingWindow) -> Holder: ...
def make_holder(operation: Batch | TumblingWindow | SlidingWindow) -> Holder:
    """Give an empty holder for a run of the operation."""
    match operation:
        case Batch(size, linger):
            return BatchHolder(size, linger)
        case TumblingWindow(size):
            return TumblingHolder(size)
        case SlidingWindow(size, step):
            return SlidingHolder(size, step)
        case _:
            assert_never(operation)

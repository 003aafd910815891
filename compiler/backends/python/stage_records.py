"""What the templates of stages, sinks and the flush print: a record for each template.

All is decided when a record is made; its template prints it as `this`. A text that is empty is one
that is not printed. `rest` is the text of all that comes after.
A record has as many fields as its template has words to print.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rivusio.observe.counters import SAMPLE


@dataclass(frozen=True, slots=True)
class Call:
    """A stage's function called for one input: the macros `attempt` and `entered` of `stage/call`.

    Attributes:
        index: the stage's.
        input: the name of what it takes.
        output: the name of what it gives.
        declaration: the type of `output`, where the statements assign it.
        statements: those of an inlined body.
        target: what the result is assigned to; empty where the statements have done so.
        result: the expression that is the result.
        mark: what the call's line means.
        check: what is done with a result that can be awaited; empty if none can be.
        is_judged: whether only the truth of the result is kept.
        counters: the stage's; empty where nobody counts.
        settings: what has its error policy; empty if it has none.
        recovery: what those make of a failure.
        settle_mark: what that line means.
        timeout: how long it may take; empty if as long as it wants.
        ends: the condition that ends the innermost loop, after an item that was given up.
        sample: one call in so many is timed.
    """

    index: int
    input: str
    output: str
    declaration: str
    statements: tuple[str, ...]
    target: str
    result: str
    mark: str
    check: str
    is_judged: bool
    counters: str
    settings: str
    recovery: str
    settle_mark: str
    timeout: str
    ends: str
    sample: int = SAMPLE


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of a stage's result: the macro `emitted` of `stage/call`.

    Attributes:
        tested: the name that goes no further if it is None; empty where None is an item.
        drop: how it goes no further.
        counters: the stage's; empty where nobody counts.
    """

    tested: str
    drop: str
    counters: str


@dataclass(frozen=True, slots=True)
class MapStage:
    """Printed by `stage/map`; `counters_in` is empty where the input was counted before."""

    template: ClassVar[str] = "stage/map"
    comment: str
    counters_in: str
    call: Call
    outcome: Outcome
    rest: str


@dataclass(frozen=True, slots=True)
class FilterStage:
    """Printed by `stage/filter`."""

    template: ClassVar[str] = "stage/filter"
    comment: str
    counters: str
    call: Call
    outcome: Outcome
    rest: str


@dataclass(frozen=True, slots=True)
class FlatMapStage:
    """Printed by `stage/flat_map`.

    Attributes:
        comment: which stage it is.
        counters: the stage's; empty where nobody counts.
        call: how its function is called.
        performed: how its settings call it instead; empty if it has none.
        expansion: the name of what those give.
        drop: how an input goes no further.
        opened: the iterator over what it gives.
        may_be_halted: whether a `take` may have all it wants meanwhile.
        outputs: the name of the iterator.
        outputs_mark: what the line of the loop means.
        is_async: whether the loop is an `async for`.
        each: the name of one output.
        outcome: what becomes of it.
        exits: the condition that ends the loop; empty if none does.
        rest: what comes after.
    """

    template: ClassVar[str] = "stage/flat_map"
    comment: str
    counters: str
    call: Call
    performed: str
    expansion: str
    drop: str
    opened: str
    may_be_halted: bool
    outputs: str
    outputs_mark: str
    is_async: bool
    each: str
    outcome: Outcome
    exits: str
    rest: str


@dataclass(frozen=True, slots=True)
class TakeStage:
    """Printed by `stage/take`; `left` counts down, `halts` if what is upstream has to be told."""

    template: ClassVar[str] = "stage/take"
    comment: str
    counters: str
    left: str
    halts: bool
    call: Call
    outcome: Outcome
    rest: str


@dataclass(frozen=True, slots=True)
class TakeWhileStage:
    """Printed by `stage/take_while`; `left` tells whether it still wants items."""

    template: ClassVar[str] = "stage/take_while"
    comment: str
    counters: str
    left: str
    halts: bool
    call: Call
    outcome: Outcome
    rest: str


@dataclass(frozen=True, slots=True)
class SkipStage:
    """Printed by `stage/skip`; `left` counts down the items that are left out."""

    template: ClassVar[str] = "stage/skip"
    comment: str
    counters: str
    left: str
    call: Call
    outcome: Outcome
    rest: str


@dataclass(frozen=True, slots=True)
class BatchStage:
    """Printed by `stage/batch`; `input` is the name of a full list, `held` that of the open one."""

    template: ClassVar[str] = "stage/batch"
    comment: str
    counters: str
    item: str
    held: str
    size: str
    input: str
    drop: str
    rest: str


@dataclass(frozen=True, slots=True)
class WindowStage:
    """Printed by `stage/window`: where no timer closes the window, the next item does."""

    template: ClassVar[str] = "stage/window"
    comment: str
    counters: str
    item: str
    held: str
    closed: str
    input: str
    drop: str
    rest: str


@dataclass(frozen=True, slots=True)
class SlidingStage:
    """Printed by `stage/sliding`; `missing` of a `period` of items are wanted for the next list."""

    template: ClassVar[str] = "stage/sliding"
    comment: str
    counters: str
    item: str
    held: str
    size: str
    step_size: str
    missing: str
    period: str
    input: str
    drop: str
    rest: str


@dataclass(frozen=True, slots=True)
class SingleStage:
    """Printed by `single/stage`; `retry` is empty for a stage without settings."""

    template: ClassVar[str] = "single/stage"
    comment: str
    call: Call
    retry: str
    rest: str


@dataclass(frozen=True, slots=True)
class EmitSink:
    """Printed by `sink/emit`; `item_index` is empty for the results of the run."""

    template: ClassVar[str] = "sink/emit"
    item: str
    item_index: str
    counts: bool


@dataclass(frozen=True, slots=True)
class BufferSink:
    """Printed by `sink/buffer`."""

    template: ClassVar[str] = "sink/buffer"
    comment: str
    item: str
    item_index: str


@dataclass(frozen=True, slots=True)
class WindowSink:
    """Printed by `sink/window`; `is_batch` if it is a lingering batch, which may be full."""

    template: ClassVar[str] = "sink/window"
    comment: str
    counters: str
    is_batch: bool
    item: str
    item_index: str


@dataclass(frozen=True, slots=True)
class Flush:
    """Printed by `flush`: while `open`, a list is closed and goes on; `taken` takes a batch's."""

    template: ClassVar[str] = "flush"
    comment: str
    open: str
    taken: str
    rest: str

"""A monitor watches stages, and filters."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from benchmarks.shape import Fails, Shape, numbers
from benchmarks.shapes.dropping import ABOVE, NOT_BY, OddNumber
from benchmarks.shapes.stages import BACK, SCALE, SHARE, SHIFT, WRAP
from benchmarks.tallies import UNTIMED, Watching, beside_itself

watched_five = SCALE >> SHIFT >> WRAP >> BACK >> SHARE
watched_filters = ABOVE >> NOT_BY >> str


class FiveTally(Watching):
    """Stages that give one for one: the number of the last item says everything."""

    __slots__ = ()
    stages = 5

    def flows(self) -> Iterator[tuple[int, int]]:
        """Before the stage that has failed there is one item more."""
        came = self.last + 1
        for stage in range(self.stages):
            went = came - (stage == self.failed_at)
            yield came, went
            came = went


def watched_five_by_hand(items: Iterable[int], tally: FiveTally) -> Iterator[int]:
    """One number is kept; one item in 64 goes through the loop that looks at the clock."""
    scale, shift, wrap, back, share = SCALE, SHIFT, WRAP, BACK, SHARE
    for index, item in enumerate(items):
        tally.last = index
        if index & UNTIMED:
            try:
                scaled = item * scale.factor
            except Exception as error:
                raise tally.failed("Scale", error, 0, item, index) from error
            try:
                shifted = scaled + shift.by
            except Exception as error:
                raise tally.failed("Shift", error, 1, scaled, index) from error
            try:
                wrapped = shifted % wrap.size
            except Exception as error:
                raise tally.failed("Wrap", error, 2, shifted, index) from error
            try:
                less = wrapped - back.by
            except Exception as error:
                raise tally.failed("Back", error, 3, wrapped, index) from error
            try:
                shared = less // share.among
            except Exception as error:
                raise tally.failed("Share", error, 4, less, index) from error
            yield shared
        else:
            yield _timed_five(item, index, tally)


def _timed_five(item: int, index: int, tally: FiveTally) -> int:
    now = time.monotonic
    started = now()
    tally.look(index, started)
    try:
        scaled = item * SCALE.factor
    except Exception as error:
        raise tally.failed("Scale", error, 0, item, index) from error
    finally:
        tally.took(0, started)
    started = now()
    try:
        shifted = scaled + SHIFT.by
    except Exception as error:
        raise tally.failed("Shift", error, 1, scaled, index) from error
    finally:
        tally.took(1, started)
    started = now()
    try:
        wrapped = shifted % WRAP.size
    except Exception as error:
        raise tally.failed("Wrap", error, 2, shifted, index) from error
    finally:
        tally.took(2, started)
    started = now()
    try:
        less = wrapped - BACK.by
    except Exception as error:
        raise tally.failed("Back", error, 3, wrapped, index) from error
    finally:
        tally.took(3, started)
    started = now()
    try:
        shared = less // SHARE.among
    except Exception as error:
        raise tally.failed("Share", error, 4, less, index) from error
    finally:
        tally.took(4, started)
    return shared


class FiltersTally(Watching):
    """What the source gave, and what each filter has let pass."""

    __slots__ = ("first", "second")
    stages = 3
    filters = (0, 1)

    def __init__(self) -> None:
        super().__init__()
        self.first = 0
        self.second = 0

    def flows(self) -> Iterator[tuple[int, int]]:
        """What comes out of one goes into the next."""
        yield self.last + 1, self.first
        yield self.first, self.second
        yield self.second, self.second - (self.failed_at == 2)


def watched_filters_by_hand(items: Iterable[int], tally: FiltersTally) -> Iterator[str]:
    """Three numbers; each stage times one of its own calls in 64."""
    now = time.monotonic
    above, not_by = ABOVE, NOT_BY
    first = second = 0
    for index, item in enumerate(items):
        tally.last = index
        if index & UNTIMED:
            try:
                kept = item >= above.least
            except Exception as error:
                raise tally.failed("Above", error, 0, item, index) from error
        else:
            started = now()
            tally.look(index, started)
            try:
                kept = item >= above.least
            except Exception as error:
                raise tally.failed("Above", error, 0, item, index) from error
            finally:
                tally.took(0, started)
        if not kept:
            continue
        tally.first = first + 1
        if first & UNTIMED:
            try:
                kept = item % not_by.by != 0
            except Exception as error:
                raise tally.failed("NotBy", error, 1, item, index) from error
        else:
            started = now()
            try:
                kept = item % not_by.by != 0
            except Exception as error:
                raise tally.failed("NotBy", error, 1, item, index) from error
            finally:
                tally.took(1, started)
        first += 1
        if not kept:
            continue
        tally.second = second + 1
        if second & UNTIMED:
            try:
                text = str(item)
            except Exception as error:
                raise tally.failed("str", error, 2, item, index) from error
        else:
            started = now()
            try:
                text = str(item)
            except Exception as error:
                raise tally.failed("str", error, 2, item, index) from error
            finally:
                tally.took(2, started)
        second += 1
        yield text


WATCHED = (
    Shape(
        name="watched_five",
        about="a monitor over 5 sync stages, against a loop that counts the same",
        chain=watched_five,
        expert=watched_five_by_hand,
        items=numbers,
        count=10_000,
        tally=FiveTally,
        failing=(None, *(Fails(stage) for stage in range(5))),
    ),
    Shape(
        name="watched_filters",
        about="a monitor over 2 filters and `str`, against a loop that counts the same",
        chain=watched_filters,
        expert=watched_filters_by_hand,
        items=numbers,
        count=10_000,
        tally=FiltersTally,
        failing=(None, OddNumber(), OddNumber(1)),
    ),
)

SHAPES = (*WATCHED, *map(beside_itself, WATCHED))

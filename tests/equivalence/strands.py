"""What is compared of a run that has several tasks: each strand by itself.

A buffer, a timer and a concurrent stage each have a task of their own. Which of several tasks
runs first within one instant is nobody's promise (docs/equivalence.md), so events of different
kinds may change places, and a reader may be ahead by more or by less when a run is left. Where the
n-th wait cancels the consumer, that wait may come before or after an output of the same instant, or
not at all where that output is the last.
"""

from __future__ import annotations

from collections.abc import Iterable

from rivusio.testing import Event, difference

LEFT_EARLY = {"enough", "stop", "cancelled", "cancelled here", "stuck: cancelled"}
OF_THE_CONSUMER = {"output", "enough", "stop", "cancelled", "left", "unhandled", "unraisable"}
IN_THE_END = {"left", "unhandled", "unraisable"}
COUNTED_ON_THE_WAY = {"counts", "buffer"}  # between two tasks, or of how far ahead one was


def difference_of_strands(
    first: Iterable[Event], second: Iterable[Event], *, with_take: bool
) -> str | None:
    """Say how two runs with several tasks each differ, if they do.

    Args:
        first: what was seen of one.
        second: what was seen of the other.
        with_take: whether a `take` may have ended them: only a monitor tells that it did.
    """
    first, second = list(first), list(second)
    found = difference(strands(first), strands(second))
    if found is not None and with_take:
        found = difference(strands(first, ends_early=True), strands(second, ends_early=True))
    cancelled = [each.at for each in (*first, *second) if each.kind == "cancelled here"]
    if found is not None and cancelled:
        instant = min(cancelled)
        found = difference(_until(instant, first), _until(instant, second))
    return found


def _until(instant: float, events: Iterable[Event]) -> list[Event]:
    """Give what the consumer has seen before an instant, and what is left in the end."""
    seen = strands(events, ends_early=True)
    return [each for each in seen if each.at < instant or each.kind in IN_THE_END]


def strands(events: Iterable[Event], *, ends_early: bool = False) -> list[Event]:
    """Give what has to be the same: the events of each kind in their order, kind by kind.

    Of a run that fails, is left, or is ended by a `take`, that is what its consumer sees, and
    which error; of any other, all but what is counted on the way.
    """
    events = list(events)
    kinds = {each.kind for each in events}
    is_cut = ends_early or any("discarded=" in str(each.value) for each in events)
    if kinds & LEFT_EARLY or "error" in kinds or is_cut:
        kept = [_first_line(each) for each in events if each.kind in {*OF_THE_CONSUMER, "error"}]
    else:
        kept = [each for each in events if each.kind not in COUNTED_ON_THE_WAY]
    return sorted(kept, key=lambda event: event.kind)


def _first_line(event: Event) -> Event:
    """Leave out of an error what was pending: that depends on how far ahead a reader was."""
    if event.kind != "error":
        return event
    return Event(0.0, event.kind, str(event.value).split("\n")[0])

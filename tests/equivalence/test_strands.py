"""What is held against a run with several tasks, and what is not."""

from __future__ import annotations

import pytest

from rivusio.testing import Event
from tests.equivalence.strands import difference_of_strands

ASK, LEFT = Event(0.0, "ask", None), Event(3.0, "left", "tasks: 0, timers: 0")
EARLY, LATE = Event(1.0, "output", "1"), Event(3.0, "output", "2")
HERE, CANCELLED = Event(3.0, "cancelled here", None), Event(3.0, "cancelled", None)
OWN = Event(1.0, "own", "1")


@pytest.mark.parametrize(
    ("first", "second", "is_same"),
    [
        ([ASK, OWN, EARLY, LATE, LEFT], [ASK, EARLY, OWN, LATE, LEFT], True),
        ([ASK, OWN, EARLY, LATE, LEFT], [ASK, EARLY, LATE, LEFT], False),
        ([ASK, EARLY, LATE, LEFT], [ASK, EARLY, LEFT], False),
        # The wait that cancels, and the last output, in one instant.
        ([ASK, EARLY, HERE, CANCELLED, LEFT], [ASK, EARLY, LATE, LEFT], True),
        ([ASK, EARLY, LATE, HERE, CANCELLED, LEFT], [ASK, EARLY, HERE, CANCELLED, LEFT], True),
        # An output of an earlier instant is missing; something is left behind.
        ([ASK, EARLY, HERE, CANCELLED, LEFT], [ASK, LATE, LEFT], False),
        (
            [ASK, EARLY, HERE, CANCELLED, LEFT],
            [ASK, EARLY, LATE, Event(3.0, "left", "tasks: 1, timers: 0")],
            False,
        ),
        ([ASK, CANCELLED, LEFT], [ASK, LATE, LEFT], False),
    ],
)
def test_what_differs(first: list[Event], second: list[Event], is_same: bool) -> None:
    assert (difference_of_strands(first, second, with_take=False) is None) is is_same
    assert (difference_of_strands(second, first, with_take=False) is None) is is_same

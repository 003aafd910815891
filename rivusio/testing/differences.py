"""What two recordings do not have in common."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from rivusio.safe_repr import str_of
from rivusio.testing.as_text import text_of
from rivusio.testing.events import Event

CONTEXT = 8  # events that are shown before the first difference
AFTER = 4  # and from there on, of each side


def difference(
    left: Sequence[Event],
    right: Sequence[Event],
    names: tuple[str, str] = ("interpreted", "compiled"),
) -> str | None:
    """Say where two lists of events part, for people; `None` if they are the same.

    The text has what both had in common just before, and then what each side had instead.

    >>> one, two = Event(0.0, "output", "1"), Event(0.0, "output", "2")
    >>> print(difference([one, one], [one, two]))
    event 2 of 2 and 2 is another one
           0 s  output  1
    interpreted
    -      0 s  output  1
    compiled
    +      0 s  output  2
    """
    pairs = enumerate(zip_longest(left, right))
    index = next((index for index, (ours, theirs) in pairs if not _are_same(ours, theirs)), None)
    if index is None:
        return None
    lines = [f"event {index + 1} of {len(left)} and {len(right)} is another one"]
    if index > CONTEXT:
        lines.append(f"  ({index - CONTEXT} events before)")
    for event in left[max(0, index - CONTEXT) : index]:
        lines.extend(_lines(" ", event))
    for name, sign, events in ((names[0], "-", left), (names[1], "+", right)):
        lines.append(name)
        for event in events[index : index + AFTER]:
            lines.extend(_lines(sign, event))
        if len(events) > index + AFTER:
            lines.append(f"{sign} ({len(events) - index - AFTER} events more)")
        elif len(events) <= index:
            lines.append(f"{sign} (nothing more)")
    return "\n".join(lines)


def _are_same(ours: Event | None, theirs: Event | None) -> bool:
    try:
        return bool(ours == theirs)
    except Exception:  # noqa: BLE001  of values with an `==` of their own, such as arrays: their texts
        return text_of(ours) == text_of(theirs)


def _lines(sign: str, event: Event) -> list[str]:
    said = "" if event.value is None else str_of(event.value)
    first, *rest = said.split("\n")
    head = f"{sign} {event.at:6g} s  {event.kind}  {first}".rstrip()
    return [head, *(f"{sign}           {line}" for line in rest)]

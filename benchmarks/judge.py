"""Whether what was measured now is worse than what is committed, or only differs by noise.

Noise is what rounds of the same code differ by, in one process and from one to the next. What is
committed was measured in several passes, each in a process of its own, and has the outermost
quarters of them. A ratio counts as worse if both hold:

- the quarters do not touch: even the lower quarter of now lies above the upper one of then;
- the median has risen by more than `TOLERANCE`.

What looks worse is measured again, in a process of its own and in more rounds: only what is worse
each time is worse.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from benchmarks.measure import Measured, Spread
from benchmarks.sides import MODES, Compared

TOLERANCE = 0.05
AGAIN = 2  # how often what looks worse is measured again

Kind = Literal["worse", "better", "missing", "new"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A ratio that has changed, or a shape that has come or gone.

    Attributes:
        kind: a shape is "missing" if it has a figure and was not measured, "new" if it has none.
        shape: its name.
        mode: whose ratio it is; None for the shape itself.
        was: what is committed.
        now: what was measured.
    """

    kind: Kind
    shape: str
    mode: Compared | None = None
    was: Spread | None = None
    now: Spread | None = None

    @property
    def fails(self) -> bool:
        """Whether somebody has to do something about it."""
        return self.kind in ("worse", "missing")

    def __str__(self) -> str:
        match self.kind:
            case "missing":
                said = "has a committed figure, and was not measured"
            case "new":
                said = "has no committed figure yet"
            case "worse" | "better":
                said = (
                    f"{self.mode} is {self.kind}: {told(self.now)}, committed is {told(self.was)}"
                )
        return f"{self.shape}: {said}"


def told(spread: Spread | None) -> str:
    """Say a median and its quarters."""
    assert spread is not None
    digits = 0 if spread.median >= 100 else 1 if spread.median >= 10 else 2
    low, median, high = (f"{each:.{digits}f}" for each in (spread.low, spread.median, spread.high))
    return f"{median} ({low}-{high})"


def judge(committed: dict[str, Measured], measured: dict[str, Measured]) -> list[Verdict]:
    """Compare every ratio with the committed one; what differs by noise is not told."""
    found = [Verdict("missing", name) for name in committed if name not in measured]
    for name, now in measured.items():
        if name not in committed:
            found.append(Verdict("new", name))
            continue
        found += _of_ratios(name, committed[name], now)
    return found


def _of_ratios(name: str, was: Measured, now: Measured) -> Iterator[Verdict]:
    for mode in MODES:
        before, after = was.ratios[mode], now.ratios[mode]
        if _is_above(after, before):
            yield Verdict("worse", name, mode, before, after)
        elif _is_above(before, after):
            yield Verdict("better", name, mode, before, after)


def _is_above(one: Spread, other: Spread) -> bool:
    return one.low > other.high and one.median > other.median * (1 + TOLERANCE)


def judged_again(
    committed: dict[str, Measured],
    verdicts: list[Verdict],
    measure: Callable[[Collection[str]], dict[str, Measured]],
) -> list[Verdict]:
    """Measure what looks worse again, and take back what is not worse each time."""
    for _ in range(AGAIN):
        names = list(dict.fromkeys(each.shape for each in verdicts if each.kind == "worse"))
        if not names:
            break
        kept = {name: committed[name] for name in names}
        again = {
            (each.shape, each.mode): each
            for each in judge(kept, measure(names))
            if each.kind == "worse"
        }
        verdicts = [
            again.get((each.shape, each.mode), each)
            for each in verdicts
            if each.kind != "worse" or (each.shape, each.mode) in again
        ]
    return verdicts

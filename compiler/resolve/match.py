"""Which of the chains that importing a file has made is which chain of its text.

They are joined by the expression that makes them. A chain that is made by what the text does not
show, such as `functools.reduce(operator.rshift, pipes)`, is known by its name.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass

from rivusio.compiler.frontend.syntax import Span
from rivusio.compiler.resolve.probe import Live, LiveChain
from rivusio.compiler.typecheck.typed import Chain
from rivusio.graph.origins import is_made_by


@dataclass(frozen=True)
class Matches:
    """Live chains by the span of the chain of the text, and those with a name that have none."""

    by_span: dict[Span, tuple[LiveChain, ...]]
    others: tuple[LiveChain, ...]

    def of(self, chain: Chain) -> tuple[LiveChain, ...]:
        """Give the live chains that an expression has made: several, if it ran several times."""
        return self.by_span.get(chain.span, ())


def matches(path: str, chains: Sequence[Chain], live: Live) -> Matches:
    """Join the chains of a file's text with those that were made when it was imported."""
    file = os.path.realpath(path)
    made = [each for each in live.chains if each.file and os.path.realpath(each.file) == file]
    times = Counter(chain.name for chain in chains)
    by_span: dict[Span, tuple[LiveChain, ...]] = {}
    used: set[int] = set()
    for chain in chains:
        there = [each for each in made if each.span is not None and _is_at(each.span, chain.span)]
        if not there and times[chain.name] == 1:
            there = [each for each in made if each.name == chain.name]
        used.update(map(id, there))
        by_span[chain.span] = _whole(there)
    others = [each for each in made if each.name is not None and id(each) not in used]
    return Matches(by_span, tuple(others))


def _is_at(live: Span, text: Span) -> bool:
    """Tell whether both are one expression."""
    return is_made_by(astuple(live), astuple(text))


def _whole(made: Sequence[LiveChain]) -> tuple[LiveChain, ...]:
    """Leave out what only grows into another chain, and what is the same as one before."""
    beginnings = {each.stages[:end] for each in made for end in range(len(each.stages))}
    kept: dict[object, LiveChain] = {}
    for each in made:
        if each.name is None and each.stages in beginnings:
            continue
        if each.stages not in kept or kept[each.stages].name is None:
            kept[each.stages] = each
    return tuple(kept.values())

"""Counts what was run: each operation, under each policy, from each source, to each consumer."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.equivalence.chains import Chain, possible_ends
from tests.equivalence.ends import CONSUMERS, SOURCES, SYNC_CONSUMERS, SYNC_SOURCES
from tests.equivalence.pipes import Stage, kind_of

Cell = tuple[str, str, str, str]
Pair = tuple[str, str]

OPS = (
    *("map", "filter", "flat_map", "take", "take_while", "skip", "batch", "tumbling", "sliding"),
    *("user stream", "buffer", "concurrent"),
)
POLICIES = ("raise", "skip", "dead letter", "handler", "retry", "timeout", "skip_none")
WITHOUT_CALL = {"take", "skip", "user stream"}
NEEDS_A_LOOP = {"user stream", "buffer", "concurrent"}
LISTS = {"batch", "tumbling", "sliding"}


def is_legal(op: str, policy: str, source: str, consumer: str) -> bool:
    """Tell whether there can be such a run."""
    if op in WITHOUT_CALL and policy not in ("raise", "skip_none"):
        return False
    if op == "take_while" and policy == "handler":  # no class makes one
        return False
    if consumer == "process":
        return op in ("map", "concurrent") and source == "list"
    if consumer in SYNC_CONSUMERS:
        if source not in SYNC_SOURCES or op in NEEDS_A_LOOP or policy == "timeout":
            return False
        # What calls user code with lists is async, whatever calls it.
        return op not in LISTS or policy in ("raise", "skip_none")
    return True


def legal() -> Iterator[Cell]:
    """Give every cell that can be filled."""
    for cell in itertools.product(OPS, POLICIES, SOURCES, CONSUMERS):
        if is_legal(*cell):
            yield cell


def marks(chain: Chain) -> Iterator[tuple[str, str]]:
    """Give the operations of a chain, each with the policies that it stands under."""
    for index, stage in enumerate(chain.stages):
        in_group = index < chain.split and stage.settings.is_empty
        policies = list(_policies(stage, chain if in_group else None))
        for op in _ops(stage):
            for policy in policies:
                yield op, policy


def _ops(stage: Stage) -> Iterator[str]:
    if stage.settings.buffer is not None:
        yield "buffer"
    if stage.limit:
        yield "concurrent"
    else:
        yield kind_of(stage.op)


def _policies(stage: Stage, group: Chain | None) -> Iterator[str]:
    settings = stage.settings if group is None else group.group
    found = []
    if stage.kind.call:
        if settings.policy == "skip":
            found.append("skip")
        elif settings.policy != "raise":
            found.append("dead letter")
        if stage.settings.handler:
            found.append("handler")
        if settings.attempts > 1:
            found.append("retry")
        if settings.timeout:
            found.append("timeout")
    if settings.skip_none:
        found.append("skip_none")
    yield from found or ["raise"]


def _could_meet(chain: Chain) -> set[Pair]:
    sources, consumers = zip(*possible_ends(chain), strict=True)
    beside = {*sources, *consumers}
    found = set(marks(chain))
    return found.union(
        (word, each) for pair in set(marks(chain)) for word in pair for each in beside
    )


class Table:
    """How many runs there were in each cell."""

    def __init__(self) -> None:
        self.cells: Counter[Cell] = Counter()
        self.met: set[Pair] = set()  # what has met of two of the four

    def add(self, chain: Chain, source: str, consumer: str) -> None:
        """Count one run."""
        for op, policy in set(marks(chain)):
            cell = op, policy, source, consumer
            self.cells[cell] += 1
            self.met.update(itertools.combinations(cell, 2))

    def update(self, other: Table) -> None:
        """Count the runs of another table as well."""
        self.cells.update(other.cells)
        self.met |= other.met

    def newest(self, candidates: Sequence[Chain]) -> Chain:
        """Give the chain that lets most meet that has not met."""
        return max(candidates, key=lambda chain: len(_could_meet(chain) - self.met))

    def rarest(self, chain: Chain, chosen: random.Random) -> tuple[str, str]:
        """Give the source and the consumer with which most meets, or fills the emptiest cell."""
        stages = sorted(set(marks(chain)))
        possible = sorted(possible_ends(chain))
        chosen.shuffle(possible)

        def worth(at: tuple[str, str]) -> tuple[int, int]:
            cells = [(*stage, *at) for stage in stages]
            met = {pair for cell in cells for pair in itertools.combinations(cell, 2)}
            return len(self.met & met) - len(met), min(self.cells[cell] for cell in cells)

        return min(possible, key=worth)

    def empty(self) -> list[Cell]:
        """Give the legal cells with no run in them."""
        return [cell for cell in legal() if not self.cells[cell]]

    def empty_pairs(self) -> list[Pair]:
        """Give what has never met, of two of the four, though it could have."""
        could = {pair for cell in legal() for pair in itertools.combinations(cell, 2)}
        return sorted(could - self.met)

    def __str__(self) -> str:
        """Tell the counts, two by two, and how many of the cells of all four are filled."""
        count = sum(1 for _ in legal())
        empty = self.empty()
        lines = [
            *self._told("policy", 1, POLICIES),
            *self._told("source", 2, SOURCES),
            *self._told("consumer", 3, CONSUMERS),
            f"{count - len(empty)} of {count} cells of op, policy, source and consumer are filled",
            *(f"  empty: {' x '.join(cell)}" for cell in empty[:20]),
        ]
        return "\n".join(lines)

    def _told(self, what: str, index: int, names: tuple[str, ...]) -> Iterator[str]:
        counts: Counter[tuple[str, str]] = Counter()
        for cell, count in self.cells.items():
            counts[cell[0], cell[index]] += count
        could = {(cell[0], cell[index]) for cell in legal()}
        yield f"{what:<24}" + "".join(f"{op[:10]:>11}" for op in OPS)
        for name in names:
            said = (str(counts[op, name]) if (op, name) in could else "-" for op in OPS)
            yield f"{name:<24}" + "".join(f"{each:>11}" for each in said)
        yield ""

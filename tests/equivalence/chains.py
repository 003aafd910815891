"""Random chains, the runs that are made with each, and the files that they stand in."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tests.equivalence import ends, pipes
from tests.equivalence import settings as asked
from tests.equivalence.bodies import TYPES
from tests.equivalence.pipes import Stage
from tests.equivalence.prelude import PRELUDE
from tests.equivalence.settings import NOTHING, Settings
from tests.equivalence.writing import definition, expression

TIMED = {"tumbling", "window pipe", "lingering batch", "lingering batch pipe"}


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain, as plain data.

    Attributes:
        stages: its stages, whose types fit.
        spelled: how they are joined.
        split: so many of the stages are a chain of their own first; 0 for none.
        group: settings of that chain.
    """

    stages: tuple[Stage, ...]
    spelled: Literal["joined", "then", "class", "right"] = "joined"
    split: int = 0
    group: Settings = NOTHING

    @property
    def is_async(self) -> bool:
        """Whether it needs an event loop."""
        return any(each.kind.family == "async" or each.limit for each in self.stages)

    @property
    def may_iterate(self) -> bool:
        """Whether it can run without an event loop."""
        return not any(each.is_async for each in self.stages)

    @property
    def may_process(self) -> bool:
        """Whether it can take single items, as a chain."""
        return all(each.kind.one for each in self.stages)


@dataclass(frozen=True, slots=True)
class Ends:
    """A run to be made: the names of its source and consumer, and the seed of what they do."""

    source: str
    consumer: str
    monitor: bool
    seed: int


@dataclass(frozen=True, slots=True)
class Case:
    """A chain, and the runs to be made with it."""

    chain: Chain
    runs: tuple[Ends, ...]


def chain(chosen: random.Random) -> Chain:
    """Choose a chain."""
    sync = chosen.random() < 0.4
    takes = chosen.choice(("int", "int", "int", "str", "opt", "list"))
    stages = []
    for _ in range(chosen.choice((1, 1, 2, 2, 3, 3, 4, 5, 7))):
        stages.append(pipes.stage(chosen, takes, sync=sync))
        takes = stages[-1].gives
    made = Chain(tuple(stages), chosen.choice(("joined", "joined", "then", "class", "right")))
    if len(stages) > 2 and chosen.random() < 0.4:
        made = replace(made, split=chosen.randrange(2, len(stages)))
        # A user stream refuses such settings.
        alone = any(each.op == "user stream" for each in stages[: made.split])
        if not alone and chosen.random() < 0.6:
            group = asked.settings(
                chosen, is_async=False, single_call=True, buffers=False, has_class=False
            )
            made = replace(made, group=replace(group, given="stage"))
    return _possible(made)


def _possible(made: Chain) -> Chain:
    """Leave out what mypy would not know the types of, and what is nobody's promise."""
    stages = list(made.stages)
    if stages[0].op == "lambda" and len(stages) > 1:
        stages[0] = replace(stages[0], op="sync pipe")
    tasks = [index for index, each in enumerate(stages) for _ in range(_tasks_of(each))]
    for index in tasks if len(tasks) > 1 else ():
        stages[index] = _never_dropping(stages[index])
    return replace(made, stages=tuple(stages))


def runs(chosen: random.Random, made: Chain, count: int) -> tuple[Ends, ...]:
    """Choose the runs to be made with a chain."""
    return tuple(
        Ends(
            *chosen.choice(sorted(possible_ends(made))),
            monitor=chosen.random() < 0.5,
            seed=chosen.randrange(1_000_000),
        )
        for _ in range(count)
    )


def possible_ends(made: Chain) -> set[tuple[str, str]]:
    """Give the sources and consumers, by their names, that can be at the ends of a chain."""
    consumers = list(ends.STREAM_CONSUMERS)
    found = {(source, consumer) for source in ends.SOURCES for consumer in consumers}
    if made.may_iterate:
        found |= {(source, each) for source in ends.SYNC_SOURCES for each in ends.SYNC_CONSUMERS}
    if made.may_process and _is_chain(made):
        found.add(("list", "process"))
    return found


def _tasks_of(stage: Stage) -> int:
    """Give how many tasks of its own a stage has in a run."""
    return (stage.settings.buffer is not None) + (stage.limit > 0) + (stage.op in TIMED)


def _never_dropping(stage: Stage) -> Stage:
    """Let a full buffer wait: what is dropped depends on how far ahead the other tasks are."""
    buffer = stage.settings.buffer
    if buffer is None:
        return stage
    return replace(
        stage, settings=replace(stage.settings, buffer=replace(buffer, overflow="block"))
    )


def _is_chain(made: Chain) -> bool:
    """Tell whether what is written is a chain, and no lone pipe with a `process` of its own."""
    only = made.stages[0]
    return (
        len(made.stages) > 1
        or made.spelled == "class"
        or only.limit > 0
        or (only.settings.given == "stage" and not only.settings.is_empty)
    )


def cases(chosen: random.Random, count: int, runs_each: int) -> Iterator[Case]:
    """Choose cases."""
    for _ in range(count):
        made = chain(chosen)
        yield Case(made, runs(chosen, made, runs_each))


def name_of(index: int) -> str:
    """Give the name of a chain in its file."""
    return f"chain_{index}"


def text_of(chains: Sequence[Chain]) -> str:
    """Write a file of chains."""
    parts = [PRELUDE]
    for index, each in enumerate(chains):
        names = [f"Stage{index}x{place}" for place in range(len(each.stages))]
        parts += [
            f"\n\n{text}\n"
            for stage, name in zip(each.stages, names, strict=True)
            if (text := definition(stage, name))
        ]
        parts.append(f"\n\n{_made(each, names, name_of(index))}\n")
    return "".join(parts)


def _made(made: Chain, names: Sequence[str], name: str) -> str:
    written = list(_expressions(made, names))
    lines = []
    if made.split:
        before = " >> ".join(written[: made.split])
        if not made.group.is_empty:
            before = f"({before}).with_config({made.group.written()})"
        lines.append(f"{name}_first = {before}")
        written = [f"{name}_first", *written[made.split :]]
    if made.spelled == "class":
        family = "AsyncPipeline" if made.is_async else "SyncPipeline"
        types = f"{TYPES[made.stages[0].takes]}, {TYPES[made.stages[-1].gives]}"
        lines.append(f"{name} = {family}[{types}]([{', '.join(written)}])")
    elif made.spelled == "then" and len(written) > 1 and not _is_bare(made.stages[0]):
        lines.append(f"{name} = {written[0]}{''.join(f'.then({each})' for each in written[1:])}")
    elif made.spelled == "right" and len(written) > 2:
        lines.append(f"{name} = {written[0]} >> ({' >> '.join(written[1:])})")
    else:
        lines.append(f"{name} = {' >> '.join(written)}")
    return "\n".join(lines)


def _is_bare(stage: Stage) -> bool:
    return stage.op == "bare function" and stage.settings.is_empty and not stage.limit


def _expressions(made: Chain, names: Sequence[str]) -> Iterator[str]:
    """Write the stages; of two bare functions side by side the second is made a pipe."""
    before = len(made.stages) == 1 and made.spelled != "class"
    for stage, name in zip(made.stages, names, strict=True):
        written = expression(stage, name)
        is_bare = _is_bare(stage)
        if is_bare and before:
            written, is_bare = f"map({written})", False
        before = is_bare
        yield written


def simpler(made: Chain) -> Iterator[Chain]:
    """Give chains with less in them."""
    for index in range(len(made.stages)):
        if len(made.stages) > 1 and _can_go(made, index):
            split = min(max(0, made.split - (index < made.split)), len(made.stages) - 2)
            stages = (*made.stages[:index], *made.stages[index + 1 :])
            yield replace(made, stages=stages, split=split if split > 1 else 0)
    if made.split:
        yield replace(made, split=0, group=NOTHING)
    for less in asked.simpler(made.group):
        yield replace(made, group=less)
    if made.spelled != "joined":
        yield replace(made, spelled="joined")
    for index, stage in enumerate(made.stages):
        for less_stage in pipes.simpler(stage):
            stages = (*made.stages[:index], less_stage, *made.stages[index + 1 :])
            yield replace(made, stages=stages)


def _can_go(made: Chain, index: int) -> bool:
    if index in (0, len(made.stages) - 1):
        return True
    return made.stages[index].takes == made.stages[index].gives

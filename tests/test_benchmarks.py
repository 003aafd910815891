"""The sides of each shape of the benchmark do the same: what is compared is comparable.

No time is measured here. The chains are compiled as `make bench` compiles them, and mode
"compiled" refuses to interpret.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from benchmarks import sides
from benchmarks.measure import measure
from benchmarks.shape import Item, Outputs, Shape
from benchmarks.sides import MODES, Side
from rivusio import PipeError, PipelineError, PipelineMonitor, StreamError
from rivusio.counters import COUNTS
from rivusio.pipeline import stages_of
from rivusio.stage import DropNone, Map, Stage, Take
from rivusio.testing import VirtualClock

SHAPES = [shape for shape in sides.all_shapes() if not shape.without_monitor]  # those are twins
ITEMS = 150  # more than a burst of a source, a sample of a monitor or a full batch

Event = tuple[float, str, Any]  # when, what, and what of


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    sides.compile_shapes()


def seen_of(shape: Shape, side: Side, items: list[Item], gaps: Sequence[float] = ()) -> list[Event]:
    """Run one side, and give everything that can be seen of it.

    `gaps` are the seconds of a virtual clock that pass before an item comes.
    """
    watch = Watch(shape, gaps)
    watching: dict[str, Any] = {"clock": watch.clock} if shape.timed else {}
    if shape.tally is not None and side == "expert":
        watching["tally"] = tally = shape.tally()
        watch.counts = tally.metrics
    elif shape.tally is not None:
        watching["monitor"] = monitor = PipelineMonitor()
        watch.counts = lambda: counts_of(monitor)
    source = watch.source(items)
    asyncio.run(watch.over(lambda: sides.outputs(shape, side, source, **watching)))
    return watch.events


class Watch:
    """Notes what a run asks of its source, what it gives, and when."""

    def __init__(self, shape: Shape, gaps: Sequence[float]) -> None:
        self.events: list[Event] = []
        self.clock = VirtualClock()
        self.counts: Callable[[], object] = lambda: None
        self._shape = shape
        self._gaps = gaps

    def source(self, items: list[Item]) -> Any:
        if self._shape.way not in ("iterate", "stream"):
            return items
        given = self._shape.source(items)
        return self._async(given) if isinstance(given, AsyncIterable) else self._plain(given)

    def _plain(self, items: Iterable[Item]) -> Iterator[Item]:
        for number, item in enumerate(items):
            self._note("asked", number)
            if self._gaps:
                self.clock.wait(self._gaps[number])
            yield item
        self._note("asked", None)

    async def _async(self, items: AsyncIterable[Item]) -> AsyncIterator[Item]:
        number = -1
        async for item in items:
            number += 1
            self._note("asked", number)
            if self._gaps:
                await self.clock.sleep(self._gaps[number])
            yield item
        self._note("asked", None)

    def _note(self, kind: str, value: object) -> None:
        if kind != "asked" or not self._shape.reads_ahead:
            counts = None if kind == "asked" else self.counts()
            self.events.append((self.clock.now(), kind, (value, counts)))

    async def over(self, start: Callable[[], Outputs]) -> None:
        consuming = asyncio.create_task(self._consume(start))
        await asyncio.sleep(0)
        await self.clock.advance(sum(self._gaps))
        await consuming

    async def _consume(self, start: Callable[[], Outputs]) -> None:
        try:
            outputs = start()
            if isinstance(outputs, Iterator):
                for output in outputs:
                    self._note("output", output)
            else:
                async for output in outputs:
                    self._note("output", output)
            self._note("end", None)
        except Exception as error:  # noqa: BLE001  what it is, is compared
            self._note("error", told(self._shape, error))


def told(shape: Shape, error: Exception) -> object:
    """Give what an expert's loop promises of an error."""
    cause = error.__cause__
    if shape.naive:  # a loop that wraps nothing
        error = cause if isinstance(error, PipeError) and isinstance(cause, Exception) else error
        return type(error), str(error)
    assert isinstance(error, StreamError)
    assert error.error is cause
    where = (error.pipe, error.stage, error.item, error.item_index)
    return type(error), *where, type(cause), str(cause)


def counts_of(monitor: PipelineMonitor) -> dict[str, Any]:
    """Give what a monitor has counted, where that is not 0, and how often it has looked."""
    metrics = monitor.get_metrics()
    stages = [
        {name: stage[name] for name in COUNTS if stage[name]}
        | {"samples": len(stage["processing_time"])}
        for stage in metrics["stages"]
    ]
    return {name: metrics[name] for name in COUNTS if metrics[name]} | {"stages": stages}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_chain_gives_what_the_expert_s_loop_gives(shape: Shape) -> None:
    by_hand = seen_of(shape, "expert", shape.items(ITEMS))
    kinds = [kind for _, kind, _ in by_hand]
    assert "output" in kinds
    assert kinds[-1] == "end"
    for mode in MODES:
        assert seen_of(shape, mode, shape.items(ITEMS)) == by_hand


@pytest.mark.parametrize(
    ("shape", "failing"),
    [
        pytest.param(shape, item, id=f"{shape.name}-{number}")
        for shape in SHAPES
        for number, item in enumerate(shape.failing)
    ],
)
def test_a_failing_item_gives_the_same_error(shape: Shape, failing: Item) -> None:
    """At the start, in the middle, and at the end, where a list may fail that is not full."""
    for place in (0, ITEMS // 2, ITEMS - 1):
        items = shape.items(ITEMS)
        items[place] = failing
        by_hand = seen_of(shape, "expert", items)
        assert by_hand[-1][1] == "error"
        for mode in MODES:
            assert seen_of(shape, mode, items) == by_hand


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_every_stage_that_can_fail_is_made_to_fail(shape: Shape) -> None:
    """Else the error of some stage would never be compared."""
    failed = set()
    for failing in shape.failing:
        items = shape.items(ITEMS)
        items[ITEMS // 2] = failing
        outputs = sides.outputs(shape, "interpreted", shape.source(items))
        with pytest.raises((StreamError, PipelineError)) as raised:
            asyncio.run(all_of(outputs))
        failed.add(raised.value.stage)
    stages = enumerate(stages_of(shape.chain))
    can = {index for index, stage in stages if can_fail(stage)}
    assert failed == can - CANNOT.get(shape.name, set())


# What json and pydantic have read, they can write.
CANNOT = {"json_records": {3}, "pydantic_items": {1, 2}}


async def all_of(outputs: Outputs) -> list[Item]:
    if isinstance(outputs, Iterator):
        return list(outputs)
    return [output async for output in outputs]


def can_fail(stage: Stage) -> bool:
    """Tell whether a stage calls anything that may raise, and says nothing of what follows."""
    operation = stage.operation
    if isinstance(operation, Take | DropNone) or operation.call is None:
        return False
    if isinstance(operation, Map) and operation.entry == "pass":
        return False
    return stage.handler is None and stage.settings.on_error == "raise"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.timed], ids=lambda s: s.name)
def test_what_time_decides_is_decided_alike(shape: Shape, seed: int) -> None:
    """Items come close together, after the end of a window, and on its very bound."""
    chance = random.Random(seed)  # noqa: S311  a test
    gaps = [chance.choice((0.0, 0.0, 0.25, 0.5, 1.0, 2.75)) for _ in range(ITEMS)]
    by_hand = seen_of(shape, "expert", shape.items(ITEMS), gaps)
    assert len({at for at, kind, _ in by_hand if kind == "output"}) > 20
    for mode in MODES:
        assert seen_of(shape, mode, shape.items(ITEMS), gaps) == by_hand


# What must not go unnoticed: loops that do something else.

Expert = Callable[..., Outputs]


def other(expert: Expert, change: Callable[[int, Item], Iterable[Item]]) -> Expert:
    """Give a loop whose outputs are changed: each, with its number, becomes any number of them."""

    def plain(outputs: Iterator[Item]) -> Iterator[Item]:
        for number, output in enumerate(outputs):
            yield from change(number, output)

    async def in_loop(outputs: AsyncIterator[Item]) -> AsyncIterator[Item]:
        number = -1
        async for output in outputs:
            number += 1
            for changed in change(number, output):
                yield changed

    def changed(*source: Any, **watching: Any) -> Outputs:
        outputs = expert(*source, **watching)
        return plain(outputs) if isinstance(outputs, Iterator) else in_loop(outputs)

    return changed


def misplaced(expert: Expert, **fields: Any) -> Expert:
    """Give a loop whose errors say something else."""

    def wrong(error: StreamError) -> StreamError:
        for name, change in fields.items():
            setattr(error, name, change(getattr(error, name)))
        return error

    def plain(outputs: Iterator[Item]) -> Iterator[Item]:
        try:
            yield from outputs
        except StreamError as error:
            raise wrong(error) from error.error

    async def in_loop(outputs: AsyncIterator[Item]) -> AsyncIterator[Item]:
        try:
            async for output in outputs:
                yield output
        except StreamError as error:
            raise wrong(error) from error.error

    def changed(*source: Any, **watching: Any) -> Outputs:
        outputs = expert(*source, **watching)
        return plain(outputs) if isinstance(outputs, Iterator) else in_loop(outputs)

    return changed


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_loop_that_loses_an_output_or_gives_others_is_found(shape: Shape) -> None:
    right = seen_of(shape, "interpreted", shape.items(ITEMS))
    for first in ([], ["first", "first"]):
        expert = other(shape.expert, partial(instead_of_the_first, first))
        assert seen_of(replace(shape, expert=expert), "expert", shape.items(ITEMS)) != right


def instead_of_the_first(first: list[Item], number: int, output: Item) -> list[Item]:
    return [output] if number else first


@pytest.mark.parametrize("shape", [each for each in SHAPES if not each.naive], ids=lambda s: s.name)
def test_a_loop_whose_error_is_of_another_place_is_found(shape: Shape) -> None:
    items = shape.items(ITEMS)
    items[ITEMS // 2] = shape.failing[0]
    right = seen_of(shape, "interpreted", items)
    changes: dict[str, Callable[[Any], object]] = {
        "item_index": lambda index: (index or 0) + 1,
        "stage": lambda stage: stage + 1,
        "pipe": lambda pipe: f"{pipe}s",
        "item": lambda item: (item,),
    }
    for field, change in changes.items():
        broken = replace(shape, expert=misplaced(shape.expert, **{field: change}))
        assert seen_of(broken, "expert", items) != right, field
    assert seen_of(replace(shape, expert=misplaced(shape.expert)), "expert", items) == right


READING = [each for each in SHAPES if each.way in ("iterate", "stream") and not each.reads_ahead]


@pytest.mark.parametrize("shape", READING, ids=lambda shape: shape.name)
def test_a_loop_that_reads_ahead_is_found(shape: Shape) -> None:
    def plain(items: Iterable[Item]) -> Iterator[Item]:
        yield from list(items)

    async def in_loop(items: AsyncIterable[Item]) -> AsyncIterator[Item]:
        for item in [item async for item in items]:
            yield item

    def expert(items: Any, **watching: Any) -> Outputs:
        source = in_loop(items) if isinstance(items, AsyncIterable) else plain(items)
        return shape.expert(source, **watching)

    gaps = [0.25] * ITEMS if shape.timed else []
    right = seen_of(shape, "interpreted", shape.items(ITEMS), gaps)
    broken = replace(shape, expert=expert)
    assert seen_of(broken, "expert", shape.items(ITEMS), gaps) != right


@pytest.mark.parametrize("name", ["five", "async_five", "process", "stream_one", "monitor_five"])
def test_measuring_gives_a_spread_for_each_mode(name: str) -> None:
    """Whatever the figures are, in two rounds of a few items."""
    [shape] = sides.chosen_shapes([name])
    found = measure(replace(shape, count=100), rounds=2)
    assert found.nanoseconds.median > 0
    for mode in MODES:
        assert found.ratios[mode].median > 0

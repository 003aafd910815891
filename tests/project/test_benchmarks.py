"""The sides of each shape of the benchmark do the same: what is compared is comparable.

No time is measured here. The chains are compiled as `make bench` compiles them, and mode
"compiled" refuses to interpret.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from benchmarks import sides
from benchmarks.measure import measure
from benchmarks.shape import Item, Outputs, Shape
from benchmarks.sides import MODES
from rivusio import PipelineError, StreamError
from rivusio.graph.operations import DropNone, Map, Take
from rivusio.graph.stage import Stage
from rivusio.pipes.base import stages_of
from tests.sides_seen import ITEMS, SHAPES, seen_of


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    sides.compile_shapes()


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_chain_gives_what_the_expert_s_loop_gives(shape: Shape) -> None:
    by_hand = seen_of(shape, "expert", shape.items(ITEMS))
    kinds = [kind for _, kind, _ in by_hand]
    assert "output" in kinds
    assert "end" in kinds
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
        assert "error" in [kind for _, kind, _ in by_hand]
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


@pytest.mark.parametrize("name", ["five", "async_five", "process", "stream_one", "monitor_five"])
def test_measuring_gives_a_spread_for_each_mode(name: str) -> None:
    """Whatever the figures are, in two rounds of a few items."""
    [shape] = sides.chosen_shapes([name])
    found = measure(replace(shape, count=100), rounds=2)
    assert found.nanoseconds.median > 0
    for mode in MODES:
        assert found.ratios[mode].median > 0

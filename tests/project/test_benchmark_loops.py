"""A loop of the benchmark that does something else than its chain does not go unnoticed."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from benchmarks.shape import Item, Outputs, Shape
from rivusio import StreamError
from tests.sides_seen import ITEMS, SHAPES, seen_of

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

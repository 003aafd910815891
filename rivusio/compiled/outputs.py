"""The outputs of an async flat-map: of an iterable or of an async one, which only a call tells."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Self

from rivusio.engine.calls import iterable
from rivusio.engine.cleanup import close_generator
from rivusio.items import Item


def async_iterable(result: Item, name: str) -> AsyncIterator[Item]:
    """Open what an async flat-map gave.

    Raises:
        TypeError: when it is nothing to iterate.
    """
    return aiter(result) if isinstance(result, AsyncIterable) else Outputs(iterable(result, name))


class Outputs:
    """The outputs of a plain iterable, as those of an async one."""

    def __init__(self, outputs: Iterator[Item]) -> None:
        self.outputs = outputs

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Item:
        for output in self.outputs:
            return output
        raise StopAsyncIteration


async def close_outputs(outputs: object) -> None:
    """Close the user's generator, if it is one."""
    if isinstance(outputs, Outputs):
        outputs = outputs.outputs
    if inspect.isasyncgen(outputs):
        await close_generator(outputs)
    elif inspect.isgenerator(outputs):
        outputs.close()


def rest_of(outputs: object) -> list[Item]:
    """Give the outputs that were not taken, of what holds them already."""
    if isinstance(outputs, Outputs):
        outputs = outputs.outputs
    return list(outputs) if isinstance(outputs, Iterator) else []

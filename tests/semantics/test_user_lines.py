"""The user's own lines in tracebacks, and the user's own generators when a run is left."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from rivusio import PipeError, SyncBasePipe, flat_map, map
from tests.semantics.support import Double

pytestmark = pytest.mark.usefixtures("mode")


class Inverse(SyncBasePipe[int, float]):
    """It fails in the line that gives its result."""

    def process(self, data: int) -> float:
        one = 1
        return one / data


class Checked(SyncBasePipe[int, int]):
    """It fails before."""

    def process(self, data: int) -> int:
        if not data:
            message = f"no {data}"
            raise ValueError(message)
        return data


@pytest.mark.rule("6.11")
@pytest.mark.parametrize(
    ("stage", "line"),
    [(Inverse(), "return one / data"), (Checked(), "raise ValueError(message)")],
    ids=str,
)
@pytest.mark.parametrize(
    "run",
    [lambda chain: list(chain.iterate([0])), lambda chain: chain(0)],
    ids=["stream", "single item"],
)
def test_a_traceback_ends_in_the_users_line(
    stage: Any, line: str, run: Callable[[Any], object]
) -> None:
    with pytest.raises(PipeError) as caught:
        run(Double() >> stage >> map(str))
    assert caught.value.error is not None
    frames = traceback.extract_tb(caught.value.error.__traceback__)
    assert (frames[-1].filename, frames[-1].line, frames[-1].name) == (__file__, line, "process")
    assert not any(frame.filename.startswith("<rivusio") for frame in frames)


@pytest.mark.rule("3.7")
async def test_generators_of_two_flat_maps_are_closed_from_downstream_on() -> None:
    closed: list[str] = []

    def opened(name: str) -> Callable[[int], Iterator[int]]:
        def outputs(item: int) -> Iterator[int]:
            try:
                yield item
                yield item
            finally:
                closed.append(name)

        return outputs

    chain = flat_map(opened("first")) >> flat_map(opened("second")) >> map(str)
    run = chain.stream([1])
    assert await anext(run) == "1"
    await run.aclose()
    assert closed == ["second", "first"]
    plain = chain.iterate([1])
    assert next(plain) == "1"
    plain.close()
    assert closed == ["second", "first"] * 2


@pytest.mark.rule("3.7")
async def test_the_async_generator_of_a_flat_map_is_closed_when_aclose_returns() -> None:
    closed: list[int] = []

    async def outputs(item: int) -> AsyncIterator[int]:
        try:
            yield item
            yield item
        finally:
            await asyncio.sleep(0)
            closed.append(item)

    run = (flat_map(outputs) >> map(str)).stream([1])
    assert await anext(run) == "1"
    await run.aclose()
    assert closed == [1]

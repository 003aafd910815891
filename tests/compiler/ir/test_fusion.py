"""A chain that is cut into groups of stages means what it means in one loop.

Here every stage is a group. `pytest tests/compiler/ir/test_fusion.py --snapshot-update` writes anew
how the modules read.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

import rivusio
from rivusio import PipelineError, PipelineMonitor, StreamError, batch, flat_map, map, take
from rivusio.compiler import compile_pipeline
from rivusio.testing import Recorder
from tests.equivalence.running import loops_of_one_stage


@pytest.fixture(autouse=True)
def groups() -> Iterator[None]:
    with loops_of_one_stage(), rivusio.mode("compiled"):
        yield


async def later(items: str) -> AsyncIterator[str]:
    for item in items:
        yield item


def thrice(recorder: Recorder) -> Any:
    def expand(item: str) -> Iterator[str]:
        try:
            yield from (item, item, item)
        finally:
            recorder.note("expand closed")

    return flat_map(expand)


def number(text: str) -> int:
    return int(text)


def test_how_groups_read(snapshot: SnapshotAssertion) -> None:
    text = compile_pipeline(map(number) >> batch(2) >> map(sum))
    assert text[text.index("def iterate") :] == snapshot


def test_how_groups_for_one_item_read(snapshot: SnapshotAssertion) -> None:
    text = compile_pipeline(map(number) >> map(float) >> map(str))
    assert text[text.index("def process_1") :] == snapshot


def test_the_end_of_the_source_flushes_each_group() -> None:
    chain = batch(2) >> flat_map(lambda pair: pair) >> batch(3) >> map("".join)
    compile_pipeline(chain)
    assert list(chain.iterate("abcde")) == ["abc", "de"]


async def test_groups_in_an_event_loop_give_the_same() -> None:
    chain = batch(2) >> flat_map(lambda pair: pair) >> batch(3) >> map("".join)
    compile_pipeline(chain)
    assert [each async for each in chain.stream("abcde")] == ["abc", "de"]
    assert [each async for each in chain.stream(later("abcde"))] == ["abc", "de"]


def test_a_run_that_is_left_ends_its_groups_from_downstream_on() -> None:
    recorder, monitor = Recorder(), PipelineMonitor()
    chain = thrice(recorder) >> batch(2) >> map("".join)
    compile_pipeline(chain)
    run = chain.iterate(recorder.feed_plain("ab"), monitor=monitor)
    assert [next(run), next(run)] == ["aa", "ab"]
    run.close()
    assert [kind for kind, _ in recorder.story[-2:]] == ["expand closed", "closed"]
    assert monitor.get_metrics()["stages"][1]["discarded"] == 0
    held = chain.iterate("ab", monitor=monitor)
    assert next(held) == "aa"
    held.close()
    assert monitor.get_metrics()["items_in"] == 3


async def test_the_same_in_an_event_loop() -> None:
    recorder = Recorder()
    chain = thrice(recorder) >> batch(2) >> map("".join)
    compile_pipeline(chain)
    async with chain.stream(recorder.feed("ab")) as run:
        assert [await anext(run), await anext(run)] == ["aa", "ab"]
    assert [kind for kind, _ in recorder.story[-2:]] == ["expand closed", "closed"]


def test_a_take_ends_the_groups_before_it() -> None:
    recorder = Recorder()
    chain = thrice(recorder) >> batch(2) >> take(1) >> map("".join)
    compile_pipeline(chain)
    assert list(chain.iterate(recorder.feed_plain("ab"))) == ["aa"]
    assert [kind for kind, _ in recorder.story] == ["pull", "expand closed", "closed"]


def test_an_error_says_its_stage_its_item_and_what_was_held() -> None:
    chain = flat_map(list) >> map(number) >> batch(2) >> map(sum)
    compile_pipeline(chain)
    with pytest.raises(StreamError) as caught:
        list(chain.iterate(["12", "3x4"]))
    error = caught.value
    assert (error.stage, error.item, error.item_index) == (1, "x", 1)
    assert error.pending == (3, "4")


def test_an_error_of_one_item_says_its_stage_and_its_input() -> None:
    chain = map(str.strip) >> map(number) >> map(str)
    compile_pipeline(chain)
    with pytest.raises(PipelineError) as caught:
        chain(" x ")
    assert (caught.value.stage, caught.value.item) == (1, "x")
    assert chain(" 1 ") == "1"

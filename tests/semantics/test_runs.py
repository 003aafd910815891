"""§1: what belongs to a run, and what is fixed when it starts."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

import rivusio
from rivusio import (
    BackpressureConfig,
    NotCompiledError,
    PipelineMonitor,
    StreamConfig,
    SyncBasePipe,
    batch,
    map,
    sliding,
    take,
)
from rivusio.artifacts import loader
from rivusio.testing import ScriptedSource, VirtualClock, settle
from tests.semantics.support import Consumer, Double, FailsOn, SlowDouble, outputs_of

pytestmark = pytest.mark.usefixtures("mode")

FACTOR = 2


def scaled(item: int) -> int:
    return item * FACTOR


@pytest.mark.rule("1.1")
async def test_a_pipeline_can_be_run_twice_at_the_same_time() -> None:
    chain = map(int) >> batch(2) >> sliding(2, 1)
    one, other = chain.stream("1234"), chain.stream("5678")
    assert await anext(one) == [[1, 2], [3, 4]]
    assert await anext(other) == [[5, 6], [7, 8]]


@pytest.mark.rule("1.1")
async def test_a_run_that_was_left_leaves_nothing_to_the_next() -> None:
    chain = batch(3)
    async with chain.stream("abcde") as run:
        assert await anext(run) == ["a", "b", "c"]
    assert await outputs_of(chain, "xyz") == [["x", "y", "z"]]


@pytest.mark.rule("1.1")
def test_plain_runs_of_one_pipeline_do_not_mix() -> None:
    chain = batch(2)
    first = chain.iterate("abcd")
    assert next(first) == ["a", "b"]
    assert list(chain.iterate("xy")) == [["x", "y"]]
    assert list(first) == [["c", "d"]]


@pytest.mark.rule("1.1")
async def test_what_user_code_keeps_on_self_is_the_users() -> None:
    class Numbered(SyncBasePipe[str, str]):
        count = 0

        def process(self, data: str) -> str:
            self.count += 1
            return f"{self.count}{data}"

    pipe = Numbered()
    assert await outputs_of(pipe, "ab") == ["1a", "2b"]
    assert await outputs_of(pipe, "c") == ["3c"]


@pytest.mark.rule("1.1")
async def test_batches_that_are_being_filled_do_not_mix(clock: VirtualClock) -> None:
    chain = batch(2)
    sources = [ScriptedSource().emit(1), ScriptedSource().emit(2)]
    consumers = [Consumer(chain.stream(source, clock=clock), clock) for source in sources]
    await settle()
    for number, source in enumerate(sources):
        source.emit(3 + number).end()
    await settle()
    assert [consumer.values for consumer in consumers] == [[[1, 3]], [[2, 4]]]


@pytest.mark.rule("1.1")
async def test_each_run_takes_its_own_count() -> None:
    chain = take(2)
    assert list(chain.iterate("abc")) == ["a", "b"]
    assert list(chain.iterate("abc")) == ["a", "b"]


@pytest.mark.rule("1.1")
def test_retries_are_counted_for_each_run() -> None:
    chain = FailsOn("a").with_config(
        StreamConfig(retry_attempts=3, retry_delay=0.0, on_error="skip")
    )
    for _ in range(2):
        monitor = PipelineMonitor()
        assert list(chain.iterate("a", monitor=monitor)) == []
        assert monitor.get_metrics()["retries"] == 2


@pytest.mark.rule("1.1")
async def test_a_buffer_belongs_to_the_run() -> None:
    chain = Double().with_config(BackpressureConfig(max_buffer_size=9))
    one, other = chain.stream([1, 2, 3]), chain.stream([7, 8, 9])
    assert await anext(one) == 2
    await settle()
    assert [output async for output in other] == [14, 16, 18]
    assert [output async for output in one] == [4, 6]


@pytest.mark.rule("3.2")
async def test_what_needs_a_loop_is_told_for_what_it_is() -> None:
    threads: Any = map(str).concurrent(3, threads=True)
    later: Any = SlowDouble()
    for chain, why in ((threads, "is concurrent, which takes tasks"), (later, "is async")):
        with pytest.raises(TypeError, match=f"stage 1 '.*' {why}: it cannot run without an event"):
            chain.iterate([1])


@pytest.mark.rule("1.2")
async def test_methods_are_fixed_when_the_run_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    chain = map(int) >> Double()
    run, plain = chain.stream("12"), chain.iterate("12")
    monkeypatch.setattr(Double, "process", lambda _self, data: -data)
    assert [output async for output in run] == [2, 4]
    assert list(plain) == [2, 4]
    assert list(chain.iterate("12")) == [-1, -2]


class Counting(SyncBasePipe[int, int]):
    """Its body stands in no loop: it says `global`."""

    def process(self, data: int) -> int:
        global calls  # noqa: PLW0603  see above
        calls += 1
        return data


calls = 0


@pytest.mark.rule("1.2")
async def test_a_method_that_is_called_is_fixed_when_the_run_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chain = Counting() >> Double()
    run, plain = chain.stream([1, 2]), chain.iterate([1, 2])
    monkeypatch.setattr(Counting, "process", lambda _self, data: -data)
    assert [output async for output in run] == [2, 4]
    assert list(plain) == [2, 4]
    assert list(chain.iterate([1, 2])) == [-2, -4]


@pytest.mark.rule("1.2")
async def test_globals_and_attributes_are_read_when_they_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = map(scaled).stream([1, 1])
    assert await anext(run) == 2
    monkeypatch.setattr("tests.semantics.test_runs.FACTOR", 10)
    assert await anext(run) == 10


def by_ten() -> Callable[[int], int]:
    FACTOR = 10

    def scaled_by_ten(item: int) -> int:
        return item * FACTOR

    return scaled_by_ten


@pytest.mark.rule("1.2")
def test_a_name_of_the_function_around_is_not_the_modules() -> None:
    assert list((map(by_ten()) >> Double()).iterate([1, 2])) == [20, 40]


@pytest.mark.rule("1.2")
def test_an_attribute_that_is_set_during_a_run_is_seen() -> None:
    class Scaled(SyncBasePipe[int, int]):
        factor = 2

        def process(self, data: int) -> int:
            return self.factor * data

    pipe = Scaled()
    run = pipe.iterate([1, 1])
    assert next(run) == 2
    pipe.factor = 10
    assert next(run) == 10


@pytest.mark.rule("1.2")
def test_settings_are_fixed_when_the_run_starts() -> None:
    config = StreamConfig(on_error="skip")
    run = FailsOn(1, 2).with_config(config).iterate([1, 2, 3])
    config.on_error = "raise"
    assert list(run) == [3]


@pytest.mark.rule("1.2")
async def test_the_mode_is_read_when_the_run_starts() -> None:
    with rivusio.mode("interpreted"):
        run, plain = map(int).stream("1"), map(int).iterate("1")
    with rivusio.mode("compiled"):
        assert [output async for output in run] == [1]
        assert list(plain) == [1]


@pytest.mark.rule("1.2")
def test_the_mode_belongs_to_the_context(monkeypatch: pytest.MonkeyPatch) -> None:
    def in_compiled_mode() -> None:
        with rivusio.mode("compiled"), pytest.raises(NotCompiledError):
            map(int).iterate("1")

    with monkeypatch.context() as nothing_compiled:
        nothing_compiled.setattr(loader, "compile_on_demand", None)
        in_compiled_mode()
    assert list(map(int).iterate("1")) == [1]


@pytest.mark.rule("1.2")
def test_the_mode_that_one_thread_chooses_is_not_anothers() -> None:
    outputs: list[int] = []
    with rivusio.mode("compiled"):
        thread = threading.Thread(target=lambda: outputs.extend(map(int).iterate("1")))
        thread.start()
        thread.join()
    assert outputs == [1]


def starts(chain: SyncBasePipe[int, int]) -> list[Callable[[], object]]:
    return [lambda: chain.stream([1]), lambda: chain.iterate([1])]


@pytest.mark.rule("1.2")
@pytest.mark.parametrize("way", [0, 1])
def test_compiled_mode_refuses_to_interpret(way: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loader, "compile_on_demand", None)
    with rivusio.mode("compiled"), pytest.raises(NotCompiledError, match="was not compiled"):
        starts(Double())[way]()


@pytest.mark.rule("1.2")
def test_the_environment_chooses_the_mode(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RIVUSIO_MODE", "fast")

    def in_a_fresh_context() -> None:
        with pytest.raises(ValueError, match="RIVUSIO_MODE must be one of 'auto'.*got 'fast'"):
            Double().iterate([1])

    import contextvars

    contextvars.Context().run(in_a_fresh_context)


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="mode must be one of 'auto', 'interpreted', 'compiled'"):
        rivusio.mode("quick").__enter__()  # type: ignore[arg-type]  # the wrong value is the test


@pytest.mark.rule("1.1")
async def test_timers_belong_to_the_run(clock: VirtualClock) -> None:
    from datetime import timedelta

    chain = rivusio.tumbling(timedelta(seconds=10))
    sources = [ScriptedSource(clock).emit(1), ScriptedSource(clock).idle(5).emit(2)]
    runs = [chain.stream(source, clock=clock) for source in sources]
    first = [asyncio.create_task(anext(run)) for run in runs]
    await clock.advance(10)
    assert first[0].done()
    assert not first[1].done()
    await clock.advance(5)
    assert [await task for task in first] == [[1], [2]]
    for run in runs:
        await run.aclose()

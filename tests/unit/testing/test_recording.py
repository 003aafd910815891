"""The recorder: a whole run of a pipeline told as events, and two of them compared."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from unittest.mock import Mock

import pytest

from rivusio import (
    AsyncBasePipe,
    BackpressureConfig,
    NotCompiledError,
    StreamConfig,
    StreamPipe,
    SyncBasePipe,
    batch,
    map,
    tumbling,
)
from rivusio.testing import (
    ConsumerScript,
    Event,
    SourceScript,
    VirtualLoop,
    difference,
    note,
    pause,
    record,
    wait,
)

ENTRIES: tuple[Any, ...] = ("stream", "iterate", "process")
BY_ZERO = "integer division or modulo by zero"


class Slow(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        note("call", data)
        await wait(1.0)
        return 10 // data


class Counted(SyncBasePipe[int, int]):
    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def process(self, data: int) -> int:
        self.count += data
        return self.count


class AsyncCounted(AsyncBasePipe[int, int]):
    count = 0

    async def process(self, data: int) -> int:
        self.count += data
        return self.count


class AsyncLeaves(AsyncBasePipe[int, int]):
    def __init__(self, kind: type[BaseException]) -> None:
        super().__init__()
        self.kind = kind

    async def process(self, data: int) -> int:
        raise self.kind


def kinds(events: list[Event]) -> list[str]:
    return [event.kind for event in events]


def said(events: list[Event], kind: str) -> list[tuple[float, object]]:
    return [(event.at, event.value) for event in events if event.kind == kind]


# What is told


def test_pulls_calls_waits_and_outputs_are_told_with_their_times() -> None:
    source = SourceScript((("emit", 1), ("idle", 2.0), ("emit", 5)))
    events = record(Slow(), source)
    assert [(event.at, event.kind, event.value) for event in events] == [
        (0.0, "ask", None),
        (0.0, "pull", "1"),
        (0.0, "call", "1"),
        (0.0, "wait", "1"),
        (1.0, "output", "10"),
        (1.0, "ask", None),
        (1.0, "wait", "2"),
        (3.0, "pull", "5"),
        (3.0, "call", "5"),
        (3.0, "wait", "3"),
        (4.0, "output", "2"),
        (4.0, "ask", None),
        (4.0, "source closed", "'by the task that iterated it'"),
        (4.0, "end", None),
        (4.0, "left", "tasks: 0, timers: 0"),
    ]


def test_an_error_is_told_with_its_fields_its_place_and_what_it_came_of() -> None:
    (told,) = said(record(Slow() >> batch(3), SourceScript.of([1, 0])), "error")
    assert str(told[1]).split("\n") == [
        f"StreamError: Error in pipe Slow (stage 1, item 1): ZeroDivisionError: {BY_ZERO}",
        "  pipe='Slow' stage=0 item_index=1",
        "  item=0",
        "  pending=(10,)",
        "  error is the cause: True",
        f"  caused by ZeroDivisionError: {BY_ZERO}",
        f"    args=({BY_ZERO!r},)",
        f"    at test_recording.py:{Slow.process.__code__.co_firstlineno + 3}",
    ]


def test_a_monitor_is_read_at_each_output_and_in_the_end() -> None:
    events = record(Slow(), SourceScript.of([1, 2]), monitor=True)
    assert [value for _, value in said(events, "counts")] == [
        "run: items_in=1 items_out=1\n'Slow': items_in=1 items_out=1",
        "run: items_in=2 items_out=2\n'Slow': items_in=2 items_out=2",
    ]
    assert "processing_time=[1.0]" in str(said(events, "measured")[0][1])


def test_what_a_pipe_keeps_is_told_as_it_is_in_the_end() -> None:
    events = record(Counted(), SourceScript.of([1, 2]))
    assert said(events, "state") == [(0.0, "'Counted': {'count': 3}")]


def test_buffers_tell_their_statistics() -> None:
    config = StreamConfig(backpressure=BackpressureConfig(max_buffer_size=5))
    events = record(map(abs).with_config(config), SourceScript.of([1, 2]))
    assert "peak=" in str(said(events, "buffer")[0][1])


def test_the_time_is_virtual_for_timers_of_a_run_and_for_asyncio() -> None:
    source = SourceScript((("emit", 1), ("idle", 7.5), ("emit", 2)))
    events = record(map(abs) >> tumbling(timedelta(seconds=5)), source)
    assert said(events, "output") == [(5.0, "[1]"), (7.5, "[2]")]


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("list", []),
        ("iterable", ["source iterated", "ask", "pull"]),
        ("generator", ["ask", "pull", "source closed"]),
        ("async_iterable", ["source iterated", "ask", "pull"]),
        ("async_generator", ["ask", "pull", "source closed"]),
    ],
)
def test_each_kind_of_source_tells_what_it_can(kind: str, told: list[str]) -> None:
    source = SourceScript((("emit", 1),), kind)  # type: ignore[arg-type]  # a parameter of a test
    seen = set(kinds(record(map(abs), source))) - {"output", "end", "left"}
    assert seen == set(told)


def test_a_failing_source_fails_with_an_error_of_its_own_each_time() -> None:
    source = SourceScript((("fail", ValueError("gone")),))
    first, second = record(map(abs), source), record(map(abs), source)
    assert "caused by ValueError: gone" in str(said(first, "error")[0][1])
    assert first == second


# Consumers


@pytest.mark.parametrize("leaves", ["break", "aclose", "with"])
def test_a_consumer_that_leaves_early_waits_for_the_clean_up(leaves: str) -> None:
    consumer = ConsumerScript(takes=1, leaves=leaves)  # type: ignore[arg-type]  # see above
    events = record(map(abs), SourceScript.of([1, 2]), consumer)
    assert kinds(events).count("output") == 1
    assert {"enough", "source closed"} <= set(kinds(events))
    assert events[-1].value == "tasks: 0, timers: 0"


def test_a_consumer_may_raise_within_its_block() -> None:
    events = record(map(abs), SourceScript.of([1]), ConsumerScript(takes=1, leaves="raise"))
    assert "LeavingError" in str(said(events, "error")[0][1])


def test_a_consumer_is_cancelled_at_the_await_that_is_asked_for() -> None:
    events = record(Slow(), SourceScript.of([1, 2, 3]), ConsumerScript(cancelled_at=2))
    assert kinds(events)[-4:] == ["cancelled here", "source closed", "cancelled", "left"]
    assert said(events, "output") == [(1.0, "10")]


def test_a_consumer_is_cancelled_after_a_time() -> None:
    events = record(Slow(), SourceScript.of([1, 2, 3]), ConsumerScript(cancelled_after=1.5))
    assert said(events, "cancelled") == [(1.5, None)]


def test_a_run_is_stopped_after_an_output_or_after_a_time() -> None:
    source = SourceScript((("emit", 1), ("emit", 2), ("idle", 9.0), ("emit", 3)))
    after_one = record(map(abs), source, ConsumerScript(takes=1, leaves="stop"))
    after_a_time = record(map(abs), source, ConsumerScript(stops_after=4.0))
    assert said(after_one, "output") == [(0.0, "1")]
    assert said(after_a_time, "end") == [(4.0, None)]


def test_sync_chains_are_iterated_and_process_single_items() -> None:
    chain = Counted() >> map(str)
    source = SourceScript.of([1, 1], "generator")
    assert said(record(chain, source, ConsumerScript("iterate")), "output") == [
        (0.0, "'1'"),
        (0.0, "'2'"),
    ]
    assert kinds(record(chain, source, ConsumerScript("process"))) == [
        *("process", "output", "process", "output", "state")
    ]


def test_a_lone_pipe_takes_single_items_as_a_chain_of_one_stage() -> None:
    for pipe in (Counted(), AsyncCounted()):
        events = record(pipe, SourceScript.of([1, 1]), ConsumerScript("process"))
        assert said(events, "output") == [(0.0, "1"), (0.0, "2")]


# What cannot be copied, compared or shown


class Locked:
    """It has no deep copy, and a flat one that can be changed by itself."""

    def __init__(self) -> None:
        self.count = 0
        self.lock = threading.Lock()


class Uncopied:
    """It has no copy at all, no repr and no `==`."""

    def __deepcopy__(self, _: object) -> object:
        raise KeyError

    __copy__ = __reduce_ex__ = __repr__ = __eq__ = __deepcopy__  # type: ignore[assignment]  # they all fail
    __hash__ = None  # type: ignore[assignment]  # as with any `__eq__`


def counted(item: Locked) -> int:
    item.count += 1
    return item.count


def test_an_item_that_has_no_deep_copy_is_not_changed_for_the_next_run() -> None:
    source = SourceScript.of([Locked()], "generator")
    for entry in ENTRIES:
        events = record(map(counted), source, ConsumerScript(entry))
        assert said(events, "output") == [(0.0, "1")]


@pytest.mark.parametrize(
    "item", [iter([1]), (each for each in [1]), threading, threading.Lock(), Uncopied()]
)
def test_an_item_that_has_no_copy_is_given_itself(item: object) -> None:
    is_it: list[bool] = []

    def look(given: object) -> int:
        is_it.append(given is item)
        return len(is_it)

    assert said(record(map(look), SourceScript.of([item])), "output") == [(0.0, "1")]


def test_an_error_that_has_no_copy_is_raised_itself() -> None:
    class OwnError(Exception):
        def __init__(self, one: int, two: int) -> None:
            super().__init__(f"{one} and {two}")

    source = SourceScript((("fail", OwnError(1, 2)),))
    first, second = record(map(abs), source), record(map(abs), source)
    assert first == second
    assert "OwnError: 1 and 2" in str(said(first, "error"))


def test_what_is_in_itself_or_deep_or_long_is_told_in_short() -> None:
    ring: list[object] = [1]
    ring.append(ring)
    deep: list[object] = []
    for _ in range(5000):
        deep = [deep]
    events = record(map(lambda given: given[0]), SourceScript.of([[ring], [deep], ["x" * 10**6]]))
    (_, first), (_, second), (_, third) = said(events, "output")
    assert first == "[1, …]"
    assert second == "[" * 50 + "…" + "]" * 50
    assert str(third)[20_000:].startswith("… (1,000,002 characters, ")


def test_long_values_that_differ_in_their_end_differ() -> None:
    one, other = (record(map(str), SourceScript.of(["x" * 10**6 + end])) for end in "ab")
    assert difference(one, other) is not None


def test_a_mock_is_the_same_in_another_place() -> None:
    first, second = (record(map(str), SourceScript.of([Mock()])) for _ in range(2))
    assert first == second


def test_values_that_cannot_be_compared_differ_if_their_texts_do() -> None:
    one, other = Event(0.0, "output", Uncopied()), Event(0.0, "output", 1)
    assert difference([one], [Event(0.0, "output", Uncopied())]) is None
    told = difference([one], [other])
    assert told is not None
    assert "<Uncopied object whose str raised TypeError>" in told


def test_notes_may_be_anything() -> None:
    def fail(_: int) -> int:
        error = ValueError("bad")
        error.__notes__ = 3  # type: ignore[assignment]  # somebody's mistake
        raise error

    assert "note 3" in str(said(record(map(fail), SourceScript.of([1])), "error"))


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt])
def test_who_leaves_the_program_leaves_the_recording(entry: Any, kind: type[BaseException]) -> None:
    def leave(_: int) -> int:
        raise kind

    for stage in (map(leave), AsyncLeaves(kind)) if entry != "iterate" else (map(leave),):
        with pytest.raises(kind):
            record(stage, SourceScript.of([1], "generator"), ConsumerScript(entry))


# Runs that go wrong


class Waits(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        await asyncio.get_running_loop().create_future()
        return data


def test_a_run_that_would_wait_for_ever_is_cancelled() -> None:
    events = record(Waits(), SourceScript.of([1]))
    assert {"stuck: cancelled", "cancelled"} <= set(kinds(events))


class Leaves(StreamPipe[int, int]):
    async def process_stream(self, stream: AsyncIterator[int]) -> AsyncIterator[int]:
        self.task = asyncio.create_task(asyncio.sleep(3600))
        async for item in stream:
            yield item


def test_a_task_that_is_left_is_told() -> None:
    consumer = ConsumerScript(takes=1, leaves="aclose")
    events = record(Leaves(), SourceScript.of([1]), consumer)
    assert said(events, "left") == [(0.0, "tasks: 1, timers: 1")]


def test_a_coroutine_that_nobody_awaits_is_told() -> None:
    def forgets(data: int) -> int:
        asyncio.sleep(0)  # type: ignore[unused-coroutine]  # that is what is tested
        return data

    events = record(map(forgets), SourceScript.of([1]))
    assert said(events, "warning") == [(0.0, "\"coroutine 'sleep' was never awaited\"")]


def test_what_is_not_compiled_is_no_event() -> None:
    with pytest.raises(NotCompiledError):
        record(map(abs), SourceScript.of([1]), mode="compiled")
    with pytest.raises(NotCompiledError):
        record(map(abs), SourceScript.of([1]), ConsumerScript("iterate"), mode="compiled")


# Two recordings


def test_equal_recordings_do_not_differ() -> None:
    source = SourceScript.of([1, 2])
    assert difference(record(Slow(), source), record(Slow(), source)) is None


def test_a_difference_shows_what_was_before_it_and_both_sides() -> None:
    left = record(Counted(), SourceScript.of([1, 2], "iterable"))
    right = record(Counted(), SourceScript.of([1, 3], "iterable"))
    told = difference(left, right, ("left", "right"))
    assert told is not None
    assert told.split("\n")[0] == "event 6 of 11 and 11 is another one"
    assert "-      0 s  pull  2" in told
    assert "+      0 s  pull  3" in told


def test_one_recording_that_is_longer_differs() -> None:
    events = record(Slow(), SourceScript.of([1]))
    told = difference(events, events[:-1])
    assert told is not None
    assert told.endswith("compiled\n+ (nothing more)")


# Its event loop


def test_timers_of_a_virtual_loop_fire_in_the_order_in_which_they_were_set() -> None:
    fired: list[int] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        for number in (1, 2, 3):
            loop.call_later(5.0, fired.append, number)
        loop.call_later(4.0, fired.append, 0)
        loop.call_later(4.5, fired.append, 9).cancel()
        await asyncio.sleep(6)

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(main())
        assert runner.get_loop().time() == 6.0
    assert fired == [0, 1, 2, 3]


async def test_pause_and_wait_do_no_harm_without_a_recording() -> None:
    note("nobody hears this")
    await pause()
    await wait(0.0)

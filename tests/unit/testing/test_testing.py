"""The helpers that people test their own pipelines with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rivusio import map
from rivusio.testing import (
    Event,
    MockAsyncPipe,
    MockAsyncSource,
    MockSyncPipe,
    MockSyncSource,
    Recorder,
    ScriptedSource,
    VirtualClock,
    settle,
)

# The clock


def test_the_clock_starts_where_it_is_told() -> None:
    assert (VirtualClock().now(), VirtualClock(5.0).now()) == (0.0, 5.0)


async def test_the_clock_fires_what_is_due_in_order(clock: VirtualClock) -> None:
    fired: list[tuple[str, float]] = []
    clock.call_at(2.0, lambda: fired.append(("second", clock.now())))
    clock.call_at(1.0, lambda: fired.append(("first", clock.now())))
    clock.call_at(9.0, lambda: fired.append(("never", clock.now())))
    await clock.advance(3.0)
    assert fired == [("first", 1.0), ("second", 2.0)]
    assert (clock.now(), clock.pending) == (3.0, 1)


async def test_timers_of_the_same_time_fire_in_the_order_they_were_set(clock: VirtualClock) -> None:
    fired: list[str] = []
    clock.call_at(1.0, lambda: fired.append("first"))
    clock.call_at(1.0, lambda: fired.append("second"))
    await clock.advance(1.0)
    assert fired == ["first", "second"]


async def test_a_cancelled_timer_does_not_fire(clock: VirtualClock) -> None:
    fired: list[str] = []
    clock.call_at(1.0, lambda: fired.append("never")).cancel()
    await clock.advance(2.0)
    assert (fired, clock.pending) == ([], 0)


async def test_a_timer_in_the_past_fires_at_once(clock: VirtualClock) -> None:
    fired: list[str] = []
    clock.call_at(0.0, lambda: fired.append("now"))
    await settle()
    assert fired == ["now"]


async def test_a_timer_that_a_timer_sets_fires_in_the_same_advance(clock: VirtualClock) -> None:
    fired: list[float] = []
    clock.call_at(1.0, lambda: clock.call_at(2.0, lambda: fired.append(clock.now())))
    await clock.advance(5.0)
    assert fired == [2.0]


async def test_a_sleeper_wakes_when_the_clock_gets_there(clock: VirtualClock) -> None:
    sleeper = asyncio.ensure_future(clock.sleep(2.0))
    await clock.advance(1.9)
    assert not sleeper.done()
    await clock.advance(0.1)
    assert sleeper.done()


async def test_a_cancelled_sleeper_leaves_no_timer(clock: VirtualClock) -> None:
    sleeper = asyncio.ensure_future(clock.sleep(2.0))
    await settle()
    sleeper.cancel()
    await settle()
    assert clock.pending == 0


def test_waiting_without_a_loop_moves_the_clock(clock: VirtualClock) -> None:
    clock.wait(2.5)
    assert clock.now() == 2.5


async def test_the_clock_can_be_set_back_and_fires_nothing(clock: VirtualClock) -> None:
    fired: list[str] = []
    clock.call_at(1.0, lambda: fired.append("never"))
    clock.set(-5.0)
    await settle()
    assert (clock.now(), fired) == (-5.0, [])


async def test_settling_lets_every_task_run_as_far_as_it_can() -> None:
    turns: list[int] = []

    async def work() -> None:
        for turn in range(200):
            turns.append(turn)
            await asyncio.sleep(0)

    task = asyncio.ensure_future(work())
    await settle()
    assert (len(turns), task.done()) == (200, True)


@pytest.mark.rule("4.5")
async def test_several_may_settle_at_the_same_time() -> None:
    steps: list[int] = []

    async def work() -> None:
        for step in range(50):
            await asyncio.sleep(0)
            steps.append(step)

    async def look() -> int:
        await settle()
        return len(steps)

    task = asyncio.create_task(work())
    async with asyncio.timeout(60):
        assert set(await asyncio.gather(look(), look(), look())) == {50}
    assert task.done()


@pytest.mark.rule("4.5")
async def test_who_settles_again_and_again_is_idle() -> None:
    async def settle_for_ever() -> None:
        while True:
            await settle()

    task = asyncio.create_task(settle_for_ever())
    async with asyncio.timeout(60):
        await settle()
    task.cancel()
    await settle()
    assert task.cancelled()


@pytest.mark.rule("4.5")
async def test_several_may_advance_at_the_same_time(clock: VirtualClock) -> None:
    told: list[tuple[str, float]] = []
    for when in (2.0, 3.0):
        clock.call_at(when, lambda: told.append(("fired", clock.now())))

    async def advance(seconds: float) -> None:
        await clock.advance(seconds)
        await asyncio.sleep(0)  # it has a few turns, too, before time goes on
        told.append((f"after {seconds}", clock.now()))

    async with asyncio.timeout(60):
        await asyncio.gather(advance(3.0), advance(1.5), advance(1.5))
    assert told == [
        ("after 1.5", 1.5),
        ("after 1.5", 1.5),
        ("fired", 2.0),
        ("fired", 3.0),
        ("after 3.0", 3.0),
    ]


@pytest.mark.rule("4.5")
async def test_who_is_cancelled_while_advancing_leaves_the_clock_to_the_others(
    clock: VirtualClock,
) -> None:
    fired: list[float] = []
    clock.call_at(2.0, lambda: fired.append(clock.now()))
    first = asyncio.create_task(clock.advance(1.0))
    second = asyncio.create_task(clock.advance(3.0))
    await asyncio.sleep(0)
    first.cancel()
    async with asyncio.timeout(60):
        await second
    assert (first.cancelled(), fired, clock.now()) == (True, [2.0], 3.0)
    await clock.advance(1.0)
    assert clock.now() == 4.0


def test_a_clock_may_serve_one_event_loop_after_another() -> None:
    clock = VirtualClock()

    async def both() -> None:
        await asyncio.gather(clock.advance(1.0), clock.advance(1.0))

    asyncio.run(both())
    asyncio.run(both())
    assert clock.now() == 2.0


@pytest.mark.rule("4.5")
async def test_what_is_always_ready_is_named(
    clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rivusio.testing.clock.MOST_TURNS", 1000)

    async def spin() -> None:
        while True:  # noqa: ASYNC110  that is what is wrong with it
            await asyncio.sleep(0)

    task = asyncio.create_task(spin(), name="spinner")
    said = (
        'the event loop has not come to rest in 1,000 turns: task "spinner" is always ready to run'
    )
    for waiting in (settle, lambda: clock.advance(1.0)):
        with pytest.raises(RuntimeError, match=said):
            await waiting()
    told = await asyncio.gather(settle(), clock.advance(1.0), return_exceptions=True)
    assert all(said in str(each) for each in told)
    task.cancel()
    await settle()


async def test_a_callback_that_calls_itself_is_always_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("rivusio.testing.clock.MOST_TURNS", 1000)
    loop, handles = asyncio.get_running_loop(), list[asyncio.Handle]()

    def again() -> None:
        handles[:] = [loop.call_soon(again)]

    again()
    with pytest.raises(RuntimeError, match="turns: something is always ready to run; let it wait"):
        await settle()
    handles[0].cancel()


@pytest.mark.parametrize("seconds", [-1.0, float("nan")])
async def test_time_does_not_go_back(clock: VirtualClock, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"a clock cannot be advanced by {seconds} s"):
        await clock.advance(seconds)


# The recorder


async def test_a_recorder_tells_the_story_of_a_run(clock: VirtualClock) -> None:
    recorder = Recorder(clock)
    await recorder.consume(map(int).stream(recorder.feed(["1"])))
    assert recorder.story == [("pull", "1"), ("output", 1), ("closed", None), ("end", None)]
    assert recorder.outputs == [1]


async def test_a_recorder_notes_the_error_that_ends_a_run() -> None:
    recorder = Recorder()
    await recorder.consume(map(int).stream(["x"]))
    (error,) = recorder.values("error")
    assert "invalid literal" in str(error)


async def test_a_recorder_takes_the_times_from_the_clock(clock: VirtualClock) -> None:
    recorder = Recorder(clock)
    recorder.note("first", 1)
    await clock.advance(3.0)
    recorder.note("second")
    assert recorder.events == [Event(0.0, "first", 1), Event(3.0, "second")]


async def test_a_recorder_feeds_an_async_source_too() -> None:
    async def numbers() -> AsyncIterator[int]:
        yield 1

    recorder = Recorder()
    assert [item async for item in recorder.feed(numbers())] == [1]
    assert recorder.story == [("pull", 1), ("closed", None)]


def test_a_recorder_feeds_without_a_loop() -> None:
    recorder = Recorder()
    assert list(recorder.feed_plain([1, 2])) == [1, 2]
    assert recorder.story == [("pull", 1), ("pull", 2), ("closed", None)]


# The scripted source


async def test_a_script_is_played_in_order(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).emit(1, 2).end()
    assert [item async for item in source] == [1, 2]
    assert (source.asked, source.given) == (3, 2)


async def test_an_ended_script_stays_ended() -> None:
    source = ScriptedSource().end()
    for _ in range(2):
        with pytest.raises(StopAsyncIteration):
            await anext(source)


async def test_an_idle_source_waits_for_the_clock(clock: VirtualClock) -> None:
    source = ScriptedSource(clock).idle(10).emit("late")
    asked = asyncio.ensure_future(source.__anext__())
    await clock.advance(9.0)
    assert not asked.done()
    await clock.advance(1.0)
    assert await asked == "late"


async def test_an_empty_script_waits_for_more() -> None:
    source = ScriptedSource()
    asked = asyncio.ensure_future(source.__anext__())
    await settle()
    source.emit("more")
    assert await asked == "more"


async def test_a_script_can_fail_and_go_on() -> None:
    source = ScriptedSource().fail(OSError("gone")).emit("back")
    with pytest.raises(OSError, match="gone"):
        await anext(source)
    assert await anext(source) == "back"


async def test_idling_needs_a_clock() -> None:
    with pytest.raises(RuntimeError, match=r"ScriptedSource\(clock\)"):
        await anext(ScriptedSource().idle(1))


# The mocks


def test_a_sync_mock_records_and_returns() -> None:
    pipe = MockSyncPipe("done", name="mock")
    assert (pipe(1), pipe(2), pipe.calls, pipe.name) == ("done", "done", [1, 2], "mock")


def test_a_sync_mock_raises() -> None:
    pipe = MockSyncPipe(error=OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        pipe(1)
    assert pipe.calls == [1]


def test_a_sync_mock_delays_on_the_clock(clock: VirtualClock) -> None:
    assert MockSyncPipe("done", delay=2.0, clock=clock)(1) == "done"
    assert clock.now() == 2.0


def test_a_sync_mock_delays_for_real_without_a_clock() -> None:
    assert MockSyncPipe("done", delay=0.001)(1) == "done"


async def test_an_async_mock_records_and_returns() -> None:
    pipe = MockAsyncPipe("done", name="mock")
    assert (await pipe(1), pipe.calls, pipe.name) == ("done", [1], "mock")


async def test_an_async_mock_raises() -> None:
    pipe = MockAsyncPipe(error=OSError("gone"))
    with pytest.raises(OSError, match="gone"):
        await pipe(1)
    assert pipe.calls == [1]


async def test_an_async_mock_delays_on_the_clock(clock: VirtualClock) -> None:
    call = asyncio.ensure_future(MockAsyncPipe("done", delay=2.0, clock=clock)(1))
    await clock.advance(1.0)
    assert not call.done()
    await clock.advance(1.0)
    assert await call == "done"


def test_a_sync_mock_source_counts_its_iterations() -> None:
    source = MockSyncSource(iter([1, 2]))
    assert (list(source), list(source), source.iterations) == ([1, 2], [1, 2], 2)


async def test_an_async_mock_source_counts_its_iterations() -> None:
    source = MockAsyncSource([1, 2])
    assert [item async for item in source] == [1, 2]
    assert [item async for item in source] == [1, 2]
    assert source.iterations == 2

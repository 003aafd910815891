"""Many inputs at once: in one event loop, in threads and in processes."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from typing import NoReturn

import pytest
from pydantic import ValidationError

from rivusio import (
    AsyncBasePipe,
    AsyncPipeline,
    ExecutionStrategy,
    PipelineError,
    SyncBasePipe,
    SyncPipeline,
)
from rivusio.pipes.parallel import CHUNKS_PER_WORKER
from rivusio.testing import MockAsyncPipe, MockSyncPipe, settle

STRATEGIES = ["gather", "thread_pool"]
colour: ContextVar[str] = ContextVar("colour", default="none")


class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return 2 * data


class DoubleLater(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        await asyncio.sleep(0)
        return 2 * data


class FailAtThree(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        if data == 3:
            raise OneWayError("three", data)
        if data == 5:
            raise UnpicklableError("five")
        return data


class OneWayError(Exception):
    """Can be pickled, but not be made again: such an error broke the pools of 0.2."""

    def __init__(self, word: str, number: int) -> None:
        super().__init__(f"{word} is {number}")


class UnpicklableError(Exception):
    def __reduce__(self) -> NoReturn:
        raise TypeError("this error cannot travel")


class ProcessId(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return os.getpid()


class OneAtATime(AsyncBasePipe[int, int]):
    """Holds a semaphore of its own, made in whichever process it finds itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = self.most = 0
        self._semaphore: asyncio.Semaphore | None = None

    async def process(self, data: int) -> int:
        self._semaphore = self._semaphore or asyncio.Semaphore(1)
        async with self._semaphore:
            self.inside += 1
            self.most = max(self.most, self.inside)
            await asyncio.sleep(0)
            self.inside -= 1
        return data


class Gate(AsyncBasePipe[int, int]):
    """Lets nothing through until it is opened, and notes the most that waited at once."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = self.most = self.cancelled = 0
        self.open = asyncio.Event()

    async def process(self, data: int) -> int:
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.inside -= 1
        return data


def doubling() -> SyncPipeline[int, int]:
    return SyncPipeline([Double()])


def doubling_later() -> AsyncPipeline[int, int]:
    return AsyncPipeline([DoubleLater()])


@pytest.fixture
def no_thread_left() -> Iterator[None]:
    """Fail the test if it leaves a thread behind."""
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


# Configuration


@pytest.mark.parametrize("strategy", ["gather", ExecutionStrategy.GATHER])
def test_a_strategy_is_given_by_name_or_as_a_member(strategy: str) -> None:
    with doubling().configure_parallel(strategy) as pipeline:
        assert pipeline.execute_parallel([1]) == [2]


def test_an_unknown_strategy_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValidationError) as caught:
        doubling().configure_parallel("magic")
    told = str(caught.value)
    assert "strategy" in told
    assert "'gather', 'thread_pool' or 'process_pool'" in told
    assert "'magic'" in told


@pytest.mark.parametrize("field", ["max_workers", "chunk_size"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_number_below_one_is_refused(field: str, value: int) -> None:
    with pytest.raises(ValidationError, match=rf"{field}\n.*greater than or equal to 1"):
        if field == "max_workers":
            doubling().configure_parallel("gather", max_workers=value)
        else:
            doubling().configure_parallel("gather", chunk_size=value)


def test_a_refused_configuration_leaves_the_one_before() -> None:
    pipeline = doubling().configure_parallel("gather")
    with pytest.raises(ValidationError):
        pipeline.configure_parallel("magic")
    with pipeline:
        assert pipeline.execute_parallel([1]) == [2]


def test_configuring_inside_the_with_block_comes_too_late() -> None:
    pipeline = doubling()
    with pipeline, pytest.raises(RuntimeError, match="configure it before the with block"):
        pipeline.configure_parallel("thread_pool")


# Inside and outside the with block


def test_outside_its_with_block_a_pipeline_refuses() -> None:
    with pytest.raises(PipelineError, match="Must use context manager for parallel execution"):
        doubling().execute_parallel([1])


async def test_outside_its_with_block_an_async_pipeline_refuses() -> None:
    with pytest.raises(
        PipelineError, match="Must use async context manager for parallel execution"
    ):
        await doubling_later().execute_parallel([1])


def test_after_its_with_block_a_pipeline_refuses() -> None:
    pipeline = doubling().configure_parallel("thread_pool")
    with pipeline:
        pass
    with pytest.raises(PipelineError, match="Must use context manager") as caught:
        pipeline.execute_parallel([1])
    assert caught.value.pipe == "SyncPipeline"


def test_a_second_with_block_inside_the_first_is_refused() -> None:
    with (
        doubling() as pipeline,
        pytest.raises(RuntimeError, match="working in parallel already"),
        pipeline,
    ):
        pass


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_pipeline_can_be_opened_again(strategy: str) -> None:
    pipeline = doubling().configure_parallel(strategy)
    for _ in range(2):
        with pipeline:
            assert pipeline.execute_parallel([1]) == [2]


# Results and errors


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_results_are_in_the_order_of_the_inputs(strategy: str) -> None:
    """In 0.2 "gather" crashed on a sync pipeline."""
    with doubling().configure_parallel(strategy, max_workers=3) as pipeline:
        assert pipeline.execute_parallel(range(20)) == list(range(0, 40, 2))


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_async_results_are_in_the_order_of_the_inputs(strategy: str) -> None:
    async with doubling_later().configure_parallel(strategy, max_workers=3) as pipeline:
        assert await pipeline.execute_parallel(range(20)) == list(range(0, 40, 2))


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_no_inputs_give_no_results(strategy: str) -> None:
    with doubling().configure_parallel(strategy) as plain:
        assert plain.execute_parallel([]) == []
    async with doubling_later().configure_parallel(strategy) as pipeline:
        assert await pipeline.execute_parallel([]) == []


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_failing_input_raises_the_error_of_its_stage(strategy: str) -> None:
    pipeline = SyncPipeline[int, int]([Double(), MockSyncPipe(error=OSError("gone"), name="last")])
    with pipeline.configure_parallel(strategy), pytest.raises(PipelineError) as caught:
        pipeline.execute_parallel([1, 2])
    assert (str(caught.value), caught.value.item) == ("Error in pipe last: gone", 2)


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_a_failing_async_input_raises_the_error_of_its_stage(strategy: str) -> None:
    pipeline = AsyncPipeline[int, int]([MockAsyncPipe(error=OSError("gone"), name="last")])
    async with pipeline.configure_parallel(strategy):
        with pytest.raises(PipelineError, match="Error in pipe last: gone"):
            await pipeline.execute_parallel([1, 2])


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_pipeline_goes_on_after_an_error(strategy: str) -> None:
    with SyncPipeline[int, int]([FailAtThree()]).configure_parallel(strategy) as pipeline:
        with pytest.raises(PipelineError):
            pipeline.execute_parallel([1, 2, 3])
        assert pipeline.execute_parallel([1, 2]) == [1, 2]


# One event loop


async def test_gather_starts_no_more_than_max_workers_at_once() -> None:
    """0.2 ignored max_workers here."""
    gate = Gate()
    async with AsyncPipeline[int, int]([gate]).configure_parallel("gather", 2) as pipeline:
        results = asyncio.ensure_future(pipeline.execute_parallel(range(5)))
        await settle()
        assert gate.inside == 2
        gate.open.set()
        assert await results == [0, 1, 2, 3, 4]
    assert gate.most == 2


async def test_gather_starts_everything_without_max_workers() -> None:
    gate = Gate()
    async with AsyncPipeline[int, int]([gate]) as pipeline:
        results = asyncio.ensure_future(pipeline.execute_parallel(range(5)))
        await settle()
        assert gate.inside == 5
        gate.open.set()
        await results


async def test_an_error_cancels_the_inputs_that_still_run() -> None:
    gate = Gate()

    async def fail_at_two(data: int) -> int:
        if data == 2:
            raise OSError("gone")
        return data

    async with AsyncPipeline[int, int]([fail_at_two, gate]) as pipeline:
        with pytest.raises(PipelineError, match="gone"):
            await pipeline.execute_parallel(range(3))
    assert (gate.inside, gate.cancelled) == (0, 2)


async def test_cancelling_the_caller_cancels_the_inputs() -> None:
    gate = Gate()
    async with AsyncPipeline[int, int]([gate]) as pipeline:
        results = asyncio.ensure_future(pipeline.execute_parallel(range(3)))
        await settle()
        results.cancel()
        with pytest.raises(asyncio.CancelledError):
            await results
    assert (gate.inside, gate.cancelled) == (0, 3)


# Threads


def test_threads_really_work_at_once() -> None:
    both = threading.Barrier(2, timeout=5)

    def meet(data: int) -> int:
        both.wait()
        return data

    with SyncPipeline[int, int]([meet]).configure_parallel("thread_pool", 2) as pipeline:
        assert pipeline.execute_parallel([1, 2]) == [1, 2]


def test_there_are_no_more_threads_than_max_workers() -> None:
    threads: set[int] = set()

    def note(data: int) -> None:
        threads.add(threading.get_ident())

    with SyncPipeline[int, None]([note]).configure_parallel("thread_pool", 2) as pipeline:
        pipeline.execute_parallel(range(50))
    assert len(threads) <= 2
    assert threading.get_ident() not in threads


def test_threads_end_with_the_with_block(no_thread_left: None) -> None:
    """0.2 opened a pool for each call of configure_parallel and shut none."""
    with doubling().configure_parallel("thread_pool", 2) as pipeline:
        pipeline.execute_parallel(range(10))


def test_threads_end_after_an_error(no_thread_left: None) -> None:
    pipeline = SyncPipeline[int, int]([FailAtThree()]).configure_parallel("thread_pool", 2)
    with pytest.raises(PipelineError), pipeline:
        pipeline.execute_parallel(range(10))


def test_threads_of_an_async_pipeline_end_with_the_loop(no_thread_left: None) -> None:
    async def run() -> list[int]:
        pipeline = AsyncPipeline[int, int]([Double(), DoubleLater()])
        async with pipeline.configure_parallel("thread_pool", 2):
            return await pipeline.execute_parallel([1, 2])

    assert asyncio.run(run()) == [4, 8]


async def test_the_pool_is_shut_before_the_async_with_block_is_left() -> None:
    def name(data: int) -> str:
        return threading.current_thread().name

    pipeline = AsyncPipeline[int, str]([name, MockAsyncPipe("done")])
    before = set(threading.enumerate())
    async with pipeline.configure_parallel("thread_pool", 2):
        await pipeline.execute_parallel([1, 2])
    left = set(threading.enumerate()) - before
    assert not [thread for thread in left if thread.name.startswith("ThreadPoolExecutor")]


async def test_leaving_waits_for_a_busy_thread_even_if_it_is_cancelled() -> None:
    busy, finish, finished = threading.Event(), threading.Event(), threading.Event()

    def work(data: int) -> int:
        busy.set()
        finish.wait(5)
        finished.set()
        return data

    async def run() -> None:
        pipeline = AsyncPipeline[int, int]([work, DoubleLater()])
        async with pipeline.configure_parallel("thread_pool", 1):
            await pipeline.execute_parallel([1])

    running = asyncio.ensure_future(run())
    await asyncio.to_thread(busy.wait, 5)
    for _ in range(2):
        running.cancel()
        await settle()
    assert not running.done()
    finish.set()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert finished.is_set()


async def test_async_stages_stay_in_the_callers_loop() -> None:
    """0.2 made an event loop per item, in a thread."""
    loops: set[asyncio.AbstractEventLoop] = set()

    async def note(data: int) -> int:
        loops.add(asyncio.get_running_loop())
        return data

    async with AsyncPipeline[int, int]([note]).configure_parallel("thread_pool") as pipeline:
        await pipeline.execute_parallel(range(5))
    assert loops == {asyncio.get_running_loop()}


async def test_a_semaphore_works_with_the_thread_pool() -> None:
    """In 0.2 it hung, or complained about another event loop."""
    pipe = OneAtATime()
    async with AsyncPipeline[int, int]([pipe]).configure_parallel("thread_pool", 3) as pipeline:
        assert await pipeline.execute_parallel(range(6)) == list(range(6))
    assert pipe.most == 1


async def test_sync_stages_of_an_async_pipeline_run_in_threads() -> None:
    def thread(data: int) -> int:
        return threading.get_ident()

    pipeline = AsyncPipeline[int, int]([thread, DoubleLater()]).configure_parallel("thread_pool", 1)
    async with pipeline:
        (twice,) = await pipeline.execute_parallel([1])
    assert twice != 2 * threading.get_ident()


def test_threads_see_the_callers_context() -> None:
    def look(data: int) -> str:
        return colour.get()

    token = colour.set("red")
    with SyncPipeline[int, str]([look]).configure_parallel("thread_pool", 2) as pipeline:
        assert pipeline.execute_parallel([1, 2, 3]) == ["red"] * 3
    colour.reset(token)


async def test_threads_of_an_async_pipeline_see_the_callers_context() -> None:
    def look(data: object) -> str:
        return colour.get()

    colour.set("blue")
    pipeline = AsyncPipeline[int, str]([MockAsyncPipe(1), look]).configure_parallel("thread_pool")
    async with pipeline:
        assert await pipeline.execute_parallel([1]) == ["blue"]


# Processes: few tests, since each starts fresh interpreters


def test_processes_do_the_work_and_survive_an_error_that_cannot_be_pickled() -> None:
    """In 0.2 such an error broke the pool."""
    pipeline = SyncPipeline[int, int]([FailAtThree("picky"), Double()])
    with pipeline.configure_parallel("process_pool", max_workers=1) as pool:
        assert pool.execute_parallel(range(3)) == [0, 2, 4]
        with pytest.raises(PipelineError, match="Error in pipe picky: .*three is 3") as caught:
            pool.execute_parallel([1, 3])
        assert caught.value.item == 3
        with pytest.raises(PipelineError, match="Error in pipe picky: .*five"):
            pool.execute_parallel([5])
        assert pool.execute_parallel([]) == []
        assert pool.execute_parallel([4]) == [8]


async def test_an_async_pipeline_keeps_one_event_loop_in_each_process() -> None:
    pipeline = AsyncPipeline[int, int]([OneAtATime(), ProcessId()])
    async with pipeline.configure_parallel("process_pool", max_workers=1, chunk_size=2) as pool:
        results = await pool.execute_parallel(range(5))
    assert len(results) == 5
    assert set(results) != {os.getpid()}


def test_inputs_are_spread_over_all_processes() -> None:
    """0.2 put 1000 inputs into each chunk: most processes had none."""
    pipeline = doubling().configure_parallel("process_pool", max_workers=4)
    assert len(pipeline._chunks(range(8))) == 8
    chunks = pipeline._chunks(range(1000))
    assert len(chunks) == 4 * CHUNKS_PER_WORKER
    assert [item for chunk in chunks for item in chunk] == list(range(1000))


def test_a_given_chunk_size_is_kept() -> None:
    pipeline = doubling().configure_parallel("process_pool", max_workers=4, chunk_size=3)
    assert [len(chunk) for chunk in pipeline._chunks(range(8))] == [3, 3, 2]


def test_a_pipeline_that_cannot_be_pickled_is_refused_and_stays_closed() -> None:
    pipeline = SyncPipeline[int, int]([lambda data: data], "sums").configure_parallel(
        ExecutionStrategy.PROCESS_POOL
    )
    with pytest.raises(TypeError, match=r"^sums cannot be sent .* importable by name"), pipeline:
        pass
    with pytest.raises(PipelineError, match="Must use context manager"):
        pipeline.execute_parallel([1])

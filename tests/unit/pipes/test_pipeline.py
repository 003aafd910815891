"""Pipelines as 0.2 had them: made by hand, for one item at a time."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from rivusio import (
    AsyncBasePipe,
    AsyncPipeline,
    BasePipe,
    PipeError,
    PipelineError,
    PipelineMetricsMixin,
    PipelineMonitor,
    SyncBasePipe,
    SyncPipeline,
    batch,
)
from rivusio.pipes.outputs import KEPT
from rivusio.testing import MockSyncPipe


class Double(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        return 2 * data


class Show(AsyncBasePipe[int, str]):
    async def process(self, data: int) -> str:
        return str(data)


class Fail(SyncBasePipe[int, int]):
    def process(self, data: int) -> int:
        raise ValueError("no")


class FailLater(AsyncBasePipe[int, int]):
    async def process(self, data: int) -> int:
        raise ValueError("no")


def increment(data: int) -> int:
    return data + 1


def sync_pipeline(*pipes: BasePipe[int, int], name: str | None = None) -> SyncPipeline[int, int]:
    return SyncPipeline(pipes, name)


# Names


def test_a_pipe_is_named_after_its_class() -> None:
    assert Double().name == "Double"


def test_a_pipe_has_the_name_it_was_given() -> None:
    pipe = Double("twice")
    assert (pipe.name, str(pipe), repr(pipe)) == ("twice", "twice", "<twice>")


def test_a_name_can_be_changed() -> None:
    pipe = Double()
    pipe.name = "twice"
    assert str(pipe) == "twice"


def test_a_pipeline_is_named_after_its_class() -> None:
    assert str(SyncPipeline([Double()])) == "SyncPipeline"
    assert str(AsyncPipeline([Show()])) == "AsyncPipeline"


def test_a_pipeline_has_the_name_it_was_given() -> None:
    assert repr(SyncPipeline([Double()], name="sums")) == "<sums>"
    assert repr(AsyncPipeline([Show()], "shows")) == "<shows>"


# Making one


@pytest.mark.parametrize("kind", [SyncPipeline, AsyncPipeline])
def test_a_pipeline_without_pipes_is_refused(
    kind: type[SyncPipeline[int, int] | AsyncPipeline[int, int]],
) -> None:
    with pytest.raises(ValueError, match=r"^Pipeline must contain at least one pipe$"):
        kind([])


def test_a_pipeline_has_its_pipes_in_order() -> None:
    first, second = Double(), Show()
    pipeline = AsyncPipeline[int, str]([first, second])
    assert pipeline.pipes == [first, second]
    assert pipeline.get_pipes() == [first, second]


def test_a_pipeline_in_a_pipeline_is_flattened() -> None:
    inner, last = SyncPipeline[int, int]([Double(), Double()]), Double()
    assert SyncPipeline[int, int]([inner, last]).pipes == [*inner.pipes, last]


def test_a_sync_pipeline_refuses_an_async_pipe_by_name() -> None:
    with pytest.raises(TypeError, match=r"'shown' is async: .* use AsyncPipeline"):
        SyncPipeline([Double(), Show("shown")])


def test_a_pipeline_refuses_a_class_and_guesses_what_was_meant() -> None:
    with pytest.raises(TypeError, match=r"did you mean Double\(\)\?"):
        SyncPipeline([Double])


def test_a_pipeline_refuses_what_is_no_pipe() -> None:
    with pytest.raises(TypeError, match="3 of type int is no pipe"):
        SyncPipeline([Double(), 3])


def test_an_abstract_pipe_cannot_be_made() -> None:
    with pytest.raises(TypeError, match="process"):
        SyncBasePipe()  # type: ignore[abstract]  # that is the test


# Processing one item


def test_one_item_goes_through_all_pipes() -> None:
    pipeline = SyncPipeline[int, int]([Double(), increment, Double()])
    assert pipeline.process(1) == 6
    assert pipeline(1) == 6


async def test_one_item_goes_through_sync_and_async_pipes() -> None:
    pipeline = AsyncPipeline[int, str]([Double(), Show()])
    assert await pipeline.process(1) == "2"
    assert await pipeline(1) == "2"


def test_none_is_an_ordinary_item() -> None:
    assert SyncPipeline[int, str]([MockSyncPipe(None), MockSyncPipe("end")]).process(1) == "end"


def test_a_failure_names_the_stage_by_its_given_name() -> None:
    """0.2 named its class."""
    with pytest.raises(PipelineError, match=r"^Error in pipe broken: no$") as caught:
        SyncPipeline[int, int]([Double(), Fail("broken")]).process(1)
    assert (caught.value.pipe, caught.value.stage, caught.value.item) == ("broken", 1, 2)


async def test_an_async_failure_names_the_stage_by_its_given_name() -> None:
    with pytest.raises(PipelineError, match=r"^Error in pipe broken: no$") as caught:
        await AsyncPipeline[int, int]([Double(), FailLater("broken")]).process(1)
    assert (caught.value.pipe, caught.value.stage, caught.value.item) == ("broken", 1, 2)


def test_a_failure_keeps_the_original_error() -> None:
    with pytest.raises(PipelineError) as caught:
        sync_pipeline(Fail()).process(1)
    assert isinstance(caught.value.error, ValueError)
    assert caught.value.__cause__ is caught.value.error


def test_a_failure_in_a_pipeline_in_a_pipeline_is_wrapped_once() -> None:
    """0.2 wrapped it once for each pipeline around it."""
    with pytest.raises(PipelineError) as caught:
        sync_pipeline(sync_pipeline(sync_pipeline(Fail()))).process(1)
    assert isinstance(caught.value.error, ValueError)


def test_a_pipe_error_of_the_users_own_is_the_cause() -> None:
    mine = PipeError("the sensor is gone")
    with pytest.raises(PipelineError) as caught:
        SyncPipeline[int, int]([MockSyncPipe(error=mine)]).process(1)
    assert caught.value.error is mine


def test_a_failure_survives_pickling() -> None:
    with pytest.raises(PipelineError) as caught:
        sync_pipeline(Fail("broken")).process(1)
    error = pickle.loads(pickle.dumps(caught.value))
    assert (str(error), error.stage, error.item) == ("Error in pipe broken: no", 0, 1)


def test_a_chain_that_is_not_one_to_one_refuses_a_single_item() -> None:
    with pytest.raises(TypeError, match=r"stage 2 'batch' .* use \.stream\(source\)"):
        SyncPipeline[int, list[int]]([Double(), batch(2)]).process(1)


# Conditions


def test_a_true_condition_lets_the_item_through() -> None:
    assert sync_pipeline(Double()).execute_conditional(3, lambda data: data > 2) == 6


def test_a_false_condition_gives_the_very_input_back() -> None:
    data = object()
    pipe = MockSyncPipe("processed")
    assert SyncPipeline[object, str]([pipe]).execute_conditional(data, lambda _: False) is data
    assert pipe.calls == []


async def test_an_async_pipeline_has_conditions_too() -> None:
    pipeline = AsyncPipeline[int, str]([Show()])
    assert await pipeline.execute_conditional(3, lambda data: data > 2) == "3"
    assert await pipeline.execute_conditional(1, lambda data: data > 2) == 1


async def test_an_async_condition_is_awaited() -> None:
    """0.2 took the coroutine itself for true."""

    async def never(data: int) -> bool:
        return False

    assert await AsyncPipeline[int, str]([Show()]).execute_conditional(1, never) == 1


def test_a_condition_that_fails_is_the_callers_error() -> None:
    with pytest.raises(ZeroDivisionError):
        sync_pipeline(Double()).execute_conditional(0, lambda data: 1 / data > 0)


# Pickling


def test_a_sync_pipeline_survives_pickling() -> None:
    pipeline = pickle.loads(pickle.dumps(SyncPipeline([Double("twice"), increment], "sums")))
    assert (str(pipeline), str(pipeline.pipes[0]), pipeline.process(1)) == ("sums", "twice", 3)


async def test_an_async_pipeline_survives_pickling() -> None:
    pipeline = pickle.loads(pickle.dumps(AsyncPipeline([Double(), Show()])))
    assert await pipeline.process(1) == "2"


def test_a_pipeline_can_be_pickled_while_it_is_open_and_after_use() -> None:
    pipeline = sync_pipeline(Double()).set_monitor(PipelineMonitor())
    with pipeline.configure_parallel("thread_pool"):
        pipeline.process(1)
        copy: SyncPipeline[int, int] = pickle.loads(pickle.dumps(pipeline))
    assert copy.process(1) == 2
    with pytest.raises(PipelineError, match="Must use context manager"):
        copy.execute_parallel([1])


# What a pipeline remembers


def test_a_pipeline_keeps_the_outputs_of_its_pipes() -> None:
    first, second = Double(), Double()
    pipeline = sync_pipeline(first, second)
    pipeline.process(1)
    pipeline.process(2)
    assert pipeline.get_pipe_outputs(first) == [2, 4]
    assert pipeline.get_pipe_outputs(second) == [4, 8]


async def test_an_async_pipeline_keeps_the_outputs_of_its_pipes() -> None:
    pipe = Show()
    pipeline = AsyncPipeline[int, str]([pipe])
    await pipeline.process(1)
    assert pipeline.get_pipe_outputs(pipe) == ["1"]


def test_the_outputs_kept_are_bounded() -> None:
    """0.2 kept every output for ever."""
    pipe = Double()
    pipeline = sync_pipeline(pipe)
    for number in range(KEPT + 50):
        pipeline.process(number)
    assert pipeline.get_pipe_outputs(pipe) == [2 * number for number in range(50, KEPT + 50)]


def test_a_stream_keeps_no_outputs() -> None:
    pipe = Double()
    pipeline = sync_pipeline(pipe)
    list(pipeline.iterate([1, 2]))
    assert pipeline.get_pipe_outputs(pipe) == []


def test_a_foreign_pipe_has_no_outputs() -> None:
    pipeline = sync_pipeline(Double())
    pipeline.process(1)
    assert pipeline.get_pipe_outputs(Double()) == []


def test_the_outputs_are_the_callers_own_list() -> None:
    pipe = Double()
    pipeline = sync_pipeline(pipe)
    pipeline.process(1)
    pipeline.get_pipe_outputs(pipe).clear()
    assert pipeline.get_pipe_outputs(pipe) == [2]


def test_a_pipeline_counts_all_outputs() -> None:
    pipeline = sync_pipeline(Double("a"), Double("b"))
    for number in range(KEPT + 1):
        pipeline.process(number)
    counts = {"outputs": KEPT + 1, "kept": KEPT}
    assert pipeline.get_metrics() == {"a": counts, "b": counts}


def test_pipes_of_the_same_name_are_counted_apart() -> None:
    pipeline = SyncPipeline[int, int]([Double(), Fail("Double")])
    with pytest.raises(PipelineError):
        pipeline.process(1)
    counts = {name: told["outputs"] for name, told in pipeline.get_metrics().items()}
    assert counts == {"Double": 1, "Double 2": 0}


def test_metrics_can_be_cleared() -> None:
    pipe = Double("a")
    pipeline = sync_pipeline(pipe)
    pipeline.process(1)
    pipeline.clear_metrics()
    assert pipeline.get_pipe_outputs(pipe) == []
    assert pipeline.get_metrics() == {"a": {"outputs": 0, "kept": 0}}


def test_outputs_of_several_threads_are_all_counted() -> None:
    pipeline = sync_pipeline(Double("a"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(pipeline.process, range(400)))
    assert pipeline.get_metrics()["a"]["outputs"] == 400


def test_a_pipeline_is_a_pipeline_metrics_mixin() -> None:
    assert isinstance(sync_pipeline(Double()), PipelineMetricsMixin)


async def test_each_copy_has_outputs_of_its_own() -> None:
    pipe = Show()
    pipeline = AsyncPipeline[int, str]([pipe])
    await pipeline.process(1)
    copy = pickle.loads(pickle.dumps(pipeline))
    assert copy.get_metrics()["Show"]["outputs"] == 0

"""Settings: what they are by default, and what is refused."""

from __future__ import annotations

import math
from datetime import timedelta

import pytest
from pydantic import ValidationError

from rivusio import (
    BackpressureConfig,
    DeadLetter,
    ExecutionStrategy,
    ParallelConfig,
    PipeConfig,
    StreamConfig,
)


def ignore(letter: DeadLetter) -> None:
    pass


def test_the_defaults_of_a_stream_are_those_of_0_2() -> None:
    config = StreamConfig()
    assert config.model_dump(exclude={"on_error", "yield_every", "backpressure"}) == {
        "name": None,
        "retry_attempts": 3,
        "retry_delay": 1.0,
        "retry_backoff": 2.0,
        "retry_jitter": 0.0,
        "timeout": 30.0,
        "batch_size": 1,
        "window_size": 0.0,
        "buffer_size": 1000,
        "collect_metrics": True,
        "skip_none": True,
    }


@pytest.mark.parametrize("field", ["retry_delay", "timeout", "window_size"])
def test_a_duration_may_be_a_timedelta(field: str) -> None:
    config = StreamConfig.model_validate({field: timedelta(milliseconds=1500)})
    assert getattr(config, field) == 1.5


@pytest.mark.parametrize("on_error", ["raise", "skip", ignore])
def test_errors_may_be_raised_skipped_or_handed_over(on_error: object) -> None:
    assert StreamConfig.model_validate({"on_error": on_error}).on_error == on_error


def test_there_may_be_no_timeout() -> None:
    assert StreamConfig(timeout=None).timeout is None


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("name", 3, "valid string"),
        ("retry_attempts", -1, "greater than or equal to 0"),
        ("retry_attempts", 1.5, "valid integer"),
        ("retry_attempts", True, "valid integer"),
        ("retry_attempts", "3", "valid integer"),
        ("retry_delay", -0.1, "greater than or equal to 0"),
        ("retry_delay", math.nan, "finite number"),
        ("retry_delay", timedelta(seconds=-1), "greater than or equal to 0"),
        ("retry_backoff", 0, "greater than 0"),
        ("retry_backoff", math.inf, "finite number"),
        ("retry_jitter", 1.1, "less than or equal to 1"),
        ("timeout", 0, "greater than 0"),
        ("timeout", -1, "greater than 0"),
        ("timeout", "soon", "valid number"),
        ("batch_size", 0, "greater than or equal to 1"),
        ("window_size", -1, "greater than or equal to 0"),
        ("window_size", timedelta(-1), "greater than or equal to 0"),
        ("buffer_size", 0, "greater than or equal to 1"),
        ("collect_metrics", "yes", "valid boolean"),
        ("skip_none", 1, "valid boolean"),
        ("on_error", "ignore", "'raise' or 'skip'"),
        ("on_error", None, "'raise' or 'skip'"),
        ("yield_every", 0, "greater than or equal to 1"),
    ],
)
def test_nonsense_in_a_stream_config_is_refused(field: str, value: object, rule: str) -> None:
    """0.2 took negative times and more."""
    with pytest.raises(ValidationError) as caught:
        StreamConfig.model_validate({field: value})
    first = caught.value.errors()[0]
    assert first["loc"][0] == field
    assert rule in first["msg"]


def test_a_misspelt_field_of_a_stream_config_is_refused() -> None:
    """0.2 took it and ignored it."""
    with pytest.raises(ValidationError, match=r"retries\n.*not permitted"):
        StreamConfig(retries=3)  # type: ignore[call-arg]  # that is the test


def test_a_changed_field_is_checked_too() -> None:
    config = StreamConfig(batch_size=2)
    with pytest.raises(ValidationError, match="batch_size"):
        config.batch_size = 0
    assert config.batch_size == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_buffer_size", 0),
        ("throttle_threshold", 0.0),
        ("throttle_threshold", 1.1),
        ("min_processing_time", -0.1),
        ("overflow", "explode"),
        ("max_size", 3),
    ],
)
def test_nonsense_in_a_backpressure_config_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError, match=field):
        BackpressureConfig.model_validate({field: value})


def test_a_pipe_config_has_the_defaults_of_0_2() -> None:
    assert PipeConfig().model_dump() == {"name": "default", "description": ""}


def test_a_pipe_config_takes_further_fields() -> None:
    config = PipeConfig.model_validate({"name": "clean", "threshold": 3})
    assert config.model_dump()["threshold"] == 3


def test_a_pipe_config_is_validated_on_assignment() -> None:
    config = PipeConfig()
    with pytest.raises(ValidationError, match="description"):
        config.description = 3  # type: ignore[assignment]  # that is the test


def test_a_pipe_config_of_ones_own_may_have_fields_of_any_class() -> None:
    class Connection:
        pass

    class Settings(PipeConfig):
        connection: Connection

    connection = Connection()
    assert Settings(connection=connection).connection is connection


def test_the_strategies_have_the_names_of_0_2() -> None:
    assert [strategy.value for strategy in ExecutionStrategy] == [
        "gather",
        "thread_pool",
        "process_pool",
    ]


def test_a_parallel_config_gathers_by_default() -> None:
    config = ParallelConfig()
    assert (config.strategy, config.max_workers, config.chunk_size) == ("gather", None, None)


def test_a_strategy_may_be_given_by_its_name() -> None:
    config = ParallelConfig.model_validate({"strategy": "thread_pool"})
    assert config.strategy is ExecutionStrategy.THREAD_POOL


@pytest.mark.parametrize(
    ("field", "value", "rule"),
    [
        ("strategy", "magic", "'gather', 'thread_pool' or 'process_pool'"),
        ("max_workers", 0, "greater than or equal to 1"),
        ("max_workers", True, "valid integer"),
        ("chunk_size", -1, "greater than or equal to 1"),
        ("workers", 2, "not permitted"),
    ],
)
def test_nonsense_in_a_parallel_config_is_refused(field: str, value: object, rule: str) -> None:
    with pytest.raises(ValidationError, match=field) as caught:
        ParallelConfig.model_validate({field: value})
    assert rule in caught.value.errors()[0]["msg"]

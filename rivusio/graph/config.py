"""What a user may ask of a stage, a stream or a pipeline. Every value is checked when given."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AllowInfNan, BaseModel, BeforeValidator, ConfigDict, Field

from rivusio.errors import DeadLetter

Overflow = Literal["block", "drop_oldest", "drop_newest", "fail"]

# What the callable returns is awaited if it can be, and dropped.
OnError = Literal["raise", "skip"] | Callable[[DeadLetter], object]


def _in_seconds(value: object) -> object:
    return value.total_seconds() if isinstance(value, timedelta) else value


LONGEST_WINDOW = timedelta.max.total_seconds()
MOST_WORKERS = 1_000_000  # no machine has so many; a pool's own limits are not the same everywhere

Number = Annotated[float, AllowInfNan(False)]
Seconds = Annotated[Number, BeforeValidator(_in_seconds)]  # a float, or a timedelta


class BackpressureConfig(BaseModel):
    """A bounded buffer before a stage, filled by a reader that runs ahead of the consumer.

    Attributes:
        max_buffer_size: how many items the buffer may hold, 1 or more.
        throttle_threshold: the share of `max_buffer_size`, above 0 and at most 1, from which on
            the reader slows down.
        min_processing_time: at or above the threshold the reader takes at most one item in so
            many seconds.
        overflow: what happens to an item that finds the buffer full: the reader waits
            (`"block"`), the oldest or the newest item is dropped and counted (`"drop_oldest"`,
            `"drop_newest"`), or the run fails (`"fail"`).
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    max_buffer_size: int = Field(default=1000, ge=1, le=sys.maxsize)
    throttle_threshold: Number = Field(default=0.8, gt=0, le=1)
    min_processing_time: Seconds = Field(default=0.1, ge=0)
    overflow: Overflow = "block"


class StreamConfig(BaseModel):
    """How a stage or a stream treats errors, time and memory.

    Through `.stream()`, `.through()` and `.with_config()` only what was set explicitly applies;
    the defaults act in `AsyncStream.process` and `SyncStream.process`.

    Attributes:
        name: a name for the stream, for people.
        retry_attempts: how often a failing call is tried in total; 0 and 1 both mean once.
        retry_delay: seconds before the second try.
        retry_backoff: each further delay is this many times the one before it.
        retry_jitter: each delay is changed by up to this share of itself, at random; 0 is off.
        timeout: seconds that one try may take; `None` for no bound.
        batch_size: items in a batch of `AsyncStream.process`.
        window_size: seconds in a time window of `AsyncStream.process`; 0 for none.
        buffer_size: items that may be read ahead of the consumer.
        collect_metrics: whether `AsyncStream.process` measures.
        skip_none: whether a result that is `None` is dropped.
        on_error: `"raise"`, `"skip"`, or a callable or pipe that takes a `DeadLetter`.
        yield_every: after so many items of a plain iterable the event loop gets a turn.
        backpressure: a bounded buffer before the stage, in full detail.
    """

    model_config = ConfigDict(extra="forbid", strict=True, validate_assignment=True)

    name: str | None = None
    retry_attempts: int = Field(default=3, ge=0)
    retry_delay: Seconds = Field(default=1.0, ge=0)
    retry_backoff: Number = Field(default=2.0, gt=0)
    retry_jitter: Number = Field(default=0.0, ge=0, le=1)
    timeout: Annotated[Seconds, Field(gt=0)] | None = 30.0
    batch_size: int = Field(default=1, ge=1)
    window_size: Seconds = Field(default=0.0, ge=0, le=LONGEST_WINDOW)
    buffer_size: int = Field(default=1000, ge=1, le=sys.maxsize)
    collect_metrics: bool = True
    skip_none: bool = True
    on_error: OnError = "raise"
    yield_every: int = Field(default=1024, ge=1)
    backpressure: BackpressureConfig | None = None


DEFAULT_YIELD_EVERY: int = StreamConfig.model_fields["yield_every"].default


class PipeConfig(BaseModel):
    """Free-form settings of a pipe: a name, a description, and whatever else the pipe wants."""

    # A subclass may have fields of any class, as in 0.2.
    model_config = ConfigDict(extra="allow", validate_assignment=True, arbitrary_types_allowed=True)

    name: str = "default"
    description: str = ""


class ExecutionStrategy(StrEnum):
    """Where `execute_parallel` does its work."""

    GATHER = "gather"
    THREAD_POOL = "thread_pool"
    PROCESS_POOL = "process_pool"


class ParallelConfig(BaseModel):
    """How `execute_parallel` does its work.

    Attributes:
        strategy: in one event loop, in threads or in processes.
        max_workers: how many items, threads or processes at once; `None` for one per processor.
        chunk_size: items handed to a process at a time; `None` spreads them evenly.
    """

    model_config = ConfigDict(extra="forbid", strict=True, validate_assignment=True)

    # Its name, as a string, will do.
    strategy: Annotated[ExecutionStrategy, Field(strict=False)] = ExecutionStrategy.GATHER
    max_workers: int | None = Field(default=None, ge=1, le=MOST_WORKERS)
    chunk_size: int | None = Field(default=None, ge=1)

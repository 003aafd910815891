"""What a run fixes at its start: stages with their settings, a buffer, the place of its chain."""

from __future__ import annotations

from collections.abc import (
    AsyncIterable,
    Generator,
    Iterable,
    Sequence,
)
from typing import Any

from rivusio.artifacts.fitting import Starting
from rivusio.graph.callables import is_async_callable
from rivusio.graph.config import StreamConfig
from rivusio.graph.origins import Place
from rivusio.graph.settings import StageConfig, resolve
from rivusio.graph.stage import Stage
from rivusio.graph.stage_rules import refuse_sizes
from rivusio.observe.monitoring import MetricsCollector
from rivusio.runs.run import Execution, Run
from rivusio.time.clock import Clock


def start_run(
    stages: Sequence[Stage],
    source: Iterable[Any] | AsyncIterable[Any],  # the pipeline's In
    config: StageConfig | None,
    monitor: MetricsCollector | None,
    clock: Clock | None,
    place: Place | None = None,
) -> Run[Any]:  # the pipeline's Out
    """Fix everything that a run fixes at its start, and give the run."""
    starting = _starting(stages, config, place)
    return Run(Execution(starting, source, config, monitor, clock, in_loop=True))


def start_plain_run(
    stages: Sequence[Stage],
    source: Iterable[Any],  # the pipeline's In
    config: StageConfig | None,
    monitor: MetricsCollector | None,
    clock: Clock | None,
    place: Place | None = None,
) -> Generator[Any, None, None]:  # the pipeline's Out
    """Fix everything that a run fixes at its start, and give its outputs.

    Raises:
        TypeError: when a stage needs an event loop.
    """
    starting = _without_loop(_starting(stages, config, place))
    execution = Execution(starting, source, config, monitor, clock, in_loop=False)
    return execution.plain_outputs()


def plain_execution(
    stages: Sequence[Stage],
    source: Iterable[Any],  # the pipeline's In
    monitor: MetricsCollector | None,
    place: Place | None,
) -> Execution:
    """Do the same for whoever wants to know more of a run than its outputs.

    Raises:
        TypeError: when a stage needs an event loop.
    """
    starting = _without_loop(_starting(stages, None, place))
    return Execution(starting, source, None, monitor, None, in_loop=False)


def _without_loop(starting: Starting) -> Starting:
    if starting.read_ahead is not None:
        message = (
            "the config of this run has a buffer, which a task must fill: a sync run has no event "
            "loop; use .stream(source)"
        )
        raise TypeError(message)
    for index, stage in enumerate(starting.stages):
        _refuse_without_loop(index, stage)
    return starting


def _starting(stages: Sequence[Stage], config: StageConfig | None, place: Place | None) -> Starting:
    """Fix what a run does: its stages with their settings, and its buffer."""
    configured = _configured(stages, config)
    read_ahead = resolve(config).backpressure
    return Starting(configured, read_ahead, place, is_set_by_run=configured is not stages)


def _configured(stages: Sequence[Stage], config: StageConfig | None) -> Sequence[Stage]:
    """Give the stages of `stream(config=...)`: those without settings get the run's.

    A buffer stands before the first stage only, and belongs to the run.
    """
    if not isinstance(config, StreamConfig):
        return stages
    refuse_sizes(config, "the config of a stream")
    said = config.model_fields_set - {"name", "buffer_size", "backpressure", "yield_every"}
    if not said:
        return stages
    for_stages = StreamConfig(**{field: getattr(config, field) for field in said})
    return [stage.with_default(for_stages) for stage in stages]


def _refuse_without_loop(index: int, stage: Stage) -> None:
    what = None
    if stage.is_async:
        what = "is async"
    elif stage.settings.backpressure is not None:
        what = "has a buffer, which a task must fill"
    elif is_async_callable(stage.settings.on_error):
        what = "has an async dead-letter callable"
    if what is not None:
        message = (
            f"stage {index + 1} {stage.name!r} {what}: a sync run has no event loop; "
            f"use .stream(source)"
        )
        raise TypeError(message)

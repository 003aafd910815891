"""What the constructors ask of their arguments, one argument at a time.

A rule raises what the constructor would raise. It is here, and not the constructor itself, because
all of rivusio is heavy, and mypy would have to load it; a test holds both against each other.
"""

from __future__ import annotations

from collections.abc import Callable

from rivusio.compiler.known_names import (
    BACKPRESSURE_CONFIG,
    BATCH_STREAM_PIPE,
    IN_OPERATORS,
    PARALLEL_CONFIG,
    SLIDING_WINDOW_PIPE,
    STREAM_CONFIG,
    WINDOWED_STREAM_PIPE,
)
from rivusio.graph.operations import LEAST
from rivusio.graph.validators import at_least, seconds

Rule = Callable[[object], object]  # raises a ValueError for what is refused
Rules = Callable[[str], Rule | None]  # by the name of the argument


def _whole(**least: int) -> Rules:
    """Give the rules of whole numbers, by the least that they may be."""

    def rule(field: str) -> Rule | None:
        if field not in least:
            return DURATIONS.get(field)
        return lambda value: at_least(least[field], field, value)

    return rule


def _duration(field: str) -> Rule:
    return lambda value: None if value is None else seconds(field, value)


DURATIONS = {field: _duration(field) for field in ("duration", "linger", "window_size")}


def _model(name: str) -> Rules:
    """Give the rules of a model of pydantic: it checks each field, whatever else is missing."""

    def rule(field: str) -> Rule:
        def check(value: object) -> object:
            from rivusio.graph import config

            return getattr(config, name)(**{field: value})

        return check

    return rule


FUNCTIONS: dict[str, Rules] = {
    **{f"{IN_OPERATORS}{name}": _whole(**least) for name, least in LEAST.items()},
    BACKPRESSURE_CONFIG: _model("BackpressureConfig"),
    PARALLEL_CONFIG: _model("ParallelConfig"),
    STREAM_CONFIG: _model("StreamConfig"),
}
PIPES: dict[str, Rules] = {
    BATCH_STREAM_PIPE: _whole(batch_size=1),
    WINDOWED_STREAM_PIPE: _whole(),
    SLIDING_WINDOW_PIPE: _whole(size=1, step=1),
}
METHODS: dict[str, Rules] = {
    "concurrent": _whole(limit=1),
    "configure_parallel": _model("ParallelConfig"),
}
